"""Arms that do not answer the same twice: what the interval covers, and how much changes."""

import numpy as np
import pytest

from tuneworth.stats.answers import changes, mean_scores
from tuneworth.stats.paired import compare, compare_means
from tuneworth.stats.trainings import spread_of


def unsteady(rng, n, unsure):
    """How likely each of two arms is to be right on each row, ``(2, n)``: the true difference is 0.02 · (1 − unsure)."""
    first = rng.random(n) < 0.75
    second = np.where(rng.random(n) < 0.8, first, rng.random(n) < 0.65)
    return np.where(rng.random((2, n)) < unsure, 0.5, np.stack([first, second]).astype(float))


def averaged(answers, n_again):
    """Of answers of one arm, ``(passes, rows)``, of which the further ones are to the first ``n_again`` rows."""
    first, *further = (dict(zip(map(str, range(len(line))), map(float, line))) for line in answers)
    again = [{row: score for row, score in line.items() if int(row) < n_again} for line in further]
    return list(mean_scores(first, again).values())


@pytest.mark.parametrize("n", [60, 150])
@pytest.mark.parametrize("unsure", [0.1, 0.4])
def test_the_expected_difference_is_covered_with_and_without_repeats(n, unsure):
    rng, repeats = np.random.default_rng([n, int(100 * unsure)]), 300
    once, means, narrower = 0, 0, 0.0
    for _ in range(repeats):
        a, b = (rng.random((3, n)) < likely for likely in unsteady(rng, n, unsure))
        single = compare(a[0], b[0], binary=True, rng=rng).interval
        several = compare_means(averaged(a, 60), averaged(b, 60), rng=rng).interval
        once += single.low <= 0.02 * (1 - unsure) <= single.high
        means += several.low <= 0.02 * (1 - unsure) <= several.high
        narrower += (several.high - several.low) / (single.high - single.low) / repeats
    for covered in (once, means):
        assert 0.93 - 0.012 <= covered / repeats <= 0.97 + 0.012
    assert narrower < 0.98


def test_repeats_added_on_top_would_count_the_luck_twice():
    """As trainings are counted: single answers, widened by the spread of the passes."""
    rng, wider = np.random.default_rng(3), []
    for _ in range(200):
        a, b = (rng.random((3, 150)) < likely for likely in unsteady(rng, 150, 0.2))
        single = compare(a[0], b[0], binary=True, rng=rng).interval
        half = (single.high - single.low) / 2
        luck = [np.sqrt(3) * spread_of(arm[:, :60].astype(float)).half(0.95) for arm in (a, b)]
        wider.append(np.hypot(half, np.hypot(*luck)) / half)
    assert np.mean(wider) > 1.3


def test_mean_scores_take_what_there_is():
    assert mean_scores({"a": 1.0, "b": 0.0}, [{"a": 0.0}, {"a": 0.5, "c": 1.0}]) == {"a": 0.5, "b": 0.0}
    assert mean_scores({}, [{"a": 1.0}]) == {}


def test_the_share_of_pairs_that_differ_does_not_hang_on_the_number_of_passes():
    rng = np.random.default_rng(0)
    for k in (2, 3, 6):
        answers = [["x" if right else "y" for right in row] for row in rng.random((4000, k)) < 0.9]
        assert changes(answers).mean() == pytest.approx(2 * 0.9 * 0.1, abs=0.012)
    assert changes([["a", "a", "b"], ["a", "a", "a"], ["a", "b", "c"]]).tolist() == pytest.approx([2 / 3, 0.0, 1.0])
    with pytest.raises(ValueError, match="fewer than two answers"):
        changes([["a"]])

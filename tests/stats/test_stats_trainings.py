"""Several trainings of an arm: the interval holds the luck of rows and of seeds, whatever their shares."""

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import t

from tuneworth.stats.family import judge
from tuneworth.stats.paired import compare, compare_corpus
from tuneworth.stats.trainings import compare_corpus_trainings, compare_trainings, spread_of


def trained(rng, kind, m, n, spread):
    """Trainings of one arm, shape ``(m, n)``, and another arm, ``(n,)``; the true difference is 0.05.

    Rows are hard or easy for all trainings alike, most of them; a training has a luck of its own, of the given spread.
    """
    row = rng.standard_normal(n)
    own = np.sqrt(0.7) * row + np.sqrt(0.3) * rng.standard_normal((m, n))
    other = np.sqrt(0.5) * row + np.sqrt(0.5) * rng.standard_normal(n)
    luck = spread * rng.standard_normal((m, 1))
    if kind == "binary":
        return (ndtr(own) < 0.75 + luck).astype(float), (ndtr(other) < 0.7).astype(float)
    return np.clip(0.15 + 0.7 * ndtr(own) + luck, 0, 1), 0.1 + 0.7 * ndtr(other)


@pytest.mark.parametrize("spread", [0.0, 0.01, 0.03])
@pytest.mark.parametrize("n", [100, 300])
@pytest.mark.parametrize("kind", ["binary", "graded"])
def test_three_trainings_are_covered(kind, n, spread):
    rng, repeats = np.random.default_rng([n, int(1000 * spread)]), 160
    covered = false = 0
    for _ in range(repeats):
        arm, other = trained(rng, kind, 3, n, spread)
        interval = compare_trainings(list(arm), [other], binary=kind == "binary", rng=rng).interval
        covered += interval.low <= 0.05 <= interval.high
        false += interval.low > 0.05
    noise = 2.6 * np.sqrt(0.05 * 0.95 / repeats)
    assert covered / repeats >= 0.95 - noise
    assert false / repeats <= 0.025 + noise


def test_leaving_out_the_seeds_would_not_cover():
    """The same trainings, of which only the rows' part is taken: the test above can fail."""
    rng, repeats = np.random.default_rng(1), 250
    covered = 0
    for _ in range(repeats):
        arm, other = trained(rng, "graded", 3, 300, 0.03)
        interval = compare(arm.mean(axis=0), other, binary=False, rng=rng).interval
        covered += interval.low <= 0.05 <= interval.high
    assert covered / repeats < 0.8


def test_two_trainings_that_agree_cost_little_and_two_that_differ_say_little():
    rng = np.random.default_rng(2)
    other = rng.random(300) * 0.8
    base = np.clip(other + rng.normal(0.05, 0.1, 300), 0, 1)
    agree = compare_trainings([base, base], [other], binary=False, rng=rng)
    alone = compare(base, other, binary=False, rng=rng)
    assert agree.seeds == 0.0
    assert agree.interval.low == pytest.approx(alone.interval.low, abs=0.002)
    differ = compare_trainings([base, base * 0.8], [other], binary=False, rng=rng)
    assert differ.interval.high - differ.interval.low > 5 * (alone.interval.high - alone.interval.low)
    assert differ.p_value > 0.05


def test_spread_is_that_of_the_means_less_what_rows_explain():
    constant = np.array([[0.5] * 40, [0.6] * 40, [0.7] * 40])
    found = spread_of(constant)
    assert found is not None
    assert (found.error, found.freedom) == (pytest.approx(0.1 / np.sqrt(3)), 2)
    assert found.half(0.95) == pytest.approx(t.ppf(0.975, 2) * 0.1 / np.sqrt(3))
    noise = np.random.default_rng(3).random((3, 40))
    assert spread_of(noise).error < noise.mean(axis=1).std(ddof=1) / np.sqrt(3)
    assert spread_of(constant[:1]) is None


def test_p_value_ends_where_the_interval_touches_zero():
    rng = np.random.default_rng(4)
    arm, other = trained(rng, "graded", 3, 200, 0.02)
    result = compare_trainings(list(arm), [other], binary=False, rng=rng)
    at_p = compare_trainings(list(arm), [other], binary=False, rng=rng, level=1 - result.p_value)
    assert min(abs(at_p.interval.low), abs(at_p.interval.high)) < 0.004


def test_mirrored():
    rng = np.random.default_rng(5)
    arm, other = trained(rng, "binary", 3, 120, 0.02)
    one = compare_trainings(list(arm), [other], binary=True, rng=np.random.default_rng(0))
    two = compare_trainings([other], list(arm), binary=True, rng=np.random.default_rng(0))
    assert (one.difference, one.wins) == (pytest.approx(-two.difference), two.losses)
    assert (one.interval.low, one.interval.high) == pytest.approx((-two.interval.high, -two.interval.low), abs=0.01)
    assert one.method == "paired_trainings"


def test_more_rows_are_not_asked_for_what_only_trainings_settle():
    rng = np.random.default_rng(6)
    other = rng.random(400) * 0.9
    arm = [np.clip(other + shift + rng.normal(0, 0.02, 400), 0, 1) for shift in (0.0, 0.03, 0.09)]
    judged = judge([compare_trainings(arm, [other], binary=False, rng=rng)], margin=0.02)[0]
    assert (judged.answer, judged.rows_needed) == ("cant_tell", None)


def _mean_of(scores):
    return lambda rows: float(scores[rows].mean())


def test_a_corpus_statistic_that_is_a_mean_agrees():
    rng = np.random.default_rng(7)
    arm, other = trained(rng, "graded", 3, 200, 0.03)
    means = compare_trainings(list(arm), [other], binary=False, rng=rng)
    corpus = compare_corpus_trainings(
        list(arm), [other], [_mean_of(scores) for scores in arm], [_mean_of(other)], rng=rng
    )
    assert corpus.difference == pytest.approx(means.difference)
    assert corpus.seeds == pytest.approx(means.seeds, rel=0.1)
    assert corpus.interval.low == pytest.approx(means.interval.low, abs=0.01)
    rows = compare_corpus(
        arm.mean(axis=0), other, lambda at: float(arm[:, at].mean()), _mean_of(other), rng=rng
    ).interval
    assert corpus.interval.high - corpus.interval.low > 1.2 * (rows.high - rows.low)


@pytest.mark.parametrize(
    ("a", "b", "match"),
    [
        ([], [[1.0]], "an arm has no training"),
        ([[1.0, 0.0], [1.0]], [[1.0, 0.0]], "different numbers of rows"),
        ([[1.0, 0.0]], [[1.0]], "2 and 1 rows"),
        ([[1.0, 2.0]], [[1.0, 1.0]], r"in \[0, 1\]"),
    ],
)
def test_what_is_refused(a, b, match):
    with pytest.raises(ValueError, match=match):
        compare_trainings(a, b, binary=False, rng=np.random.default_rng(0))

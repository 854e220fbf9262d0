"""Rows in groups: groups of one row are rows, copies are worth one row, and rows that belong together do not mislead."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from tuneworth.stats.clusters import MIN_GROUPS, Clusters
from tuneworth.stats.family import judge
from tuneworth.stats.final_gap import paired
from tuneworth.stats.intervals import bootstrap_interval, mean_interval
from tuneworth.stats.paired import compare, compare_corpus, compare_means
from tuneworth.stats.sequential import Eliminator
from tuneworth.stats.trainings import compare_trainings, spread_of


def names(*sizes):
    return [f"g{group}" for group, size in enumerate(sizes) for _ in range(size)]


def shares(scores):
    """A statistic of the whole sample that is not a mean of rows: the share of the score that is in the upper half."""
    values = np.asarray(scores)
    return lambda rows: float(np.clip(values[rows], 0.5, 1.0).sum() / (0.5 + values[rows].sum()))


def rights(rng, n, share=0.6):
    return (rng.random(n) < share).astype(float)


@pytest.mark.parametrize("groups", [None, [""] * 80, [f"row {at}" for at in range(80)]])
def test_groups_of_one_row_are_rows(groups):
    rng = np.random.default_rng(3)
    right, graded = [rights(rng, 80) for _ in range(2)], [rng.random(80) for _ in range(4)]

    def everything(**grouped):
        rng = np.random.default_rng(4)
        return [
            compare(right[0], right[1], binary=True, rng=rng, **grouped),
            compare(graded[0], graded[1], binary=False, rng=rng, **grouped),
            compare_corpus(graded[0], graded[1], shares(graded[0]), shares(graded[1]), rng=rng, **grouped),
            compare_trainings(graded[:2], graded[2:], binary=False, rng=rng, **grouped),
            mean_interval(right[0], binary=True, rng=rng, **grouped),
            mean_interval(graded[0], binary=False, rng=rng, **grouped),
            bootstrap_interval(shares(graded[0]), 80, rng, **grouped),
        ]

    assert everything(groups=groups) == everything()
    assert paired(graded[0] - 0.5, groups or ()) == paired(graded[0] - 0.5)


def test_the_error_of_equal_groups_is_that_of_their_means():
    values = np.random.default_rng(1).random((12, 7))
    clusters = Clusters.of(names(*[7] * 12))
    assert clusters is not None
    assert clusters.error(values.ravel()) == pytest.approx(values.mean(axis=1).std(ddof=1) / np.sqrt(12))


@pytest.mark.parametrize("binary", [True, False])
def test_copies_are_worth_the_row_they_copy(binary):
    rng = np.random.default_rng(2)
    a, b = (rights(rng, 60) if binary else rng.random(60) for _ in range(2))
    once = compare(a, b, binary=binary, rng=rng)
    copied = compare(np.repeat(a, 5), np.repeat(b, 5), binary=binary, rng=rng, groups=names(*[5] * 60))
    assert (copied.n_rows, copied.n_groups, copied.method) == (300, 60, "paired_groups")
    assert copied.n_effective == pytest.approx(60, rel=0.02)
    assert copied.difference == pytest.approx(once.difference)
    assert copied.p_value == pytest.approx(once.p_value, abs=0.02)
    for side in ("low", "high"):
        assert getattr(copied.interval, side) == pytest.approx(getattr(once.interval, side), abs=0.02)
    assert copied.mean_square == pytest.approx(5 * once.mean_square, rel=0.1)
    single = mean_interval(a, binary=binary, rng=rng)
    five = mean_interval(np.repeat(a, 5), binary=binary, rng=rng, groups=names(*[5] * 60))
    assert five.high - five.low == pytest.approx(single.high - single.low, rel=0.07)


def test_five_times_as_many_rows_are_needed_where_five_rows_are_worth_one():
    rng = np.random.default_rng(9)
    a, b = rights(rng, 100, 0.62), rights(rng, 100, 0.6)
    once = judge([compare_means(a, b, rng=rng)], margin=0.02)[0]
    five = judge([compare_means(*(np.repeat(x, 5) for x in (a, b)), rng=rng, groups=names(*[5] * 100))], margin=0.02)[0]
    assert once.answer == five.answer == "cant_tell"
    assert once.rows_needed is not None
    assert five.rows_needed == pytest.approx(5 * once.rows_needed, rel=0.1)


@pytest.mark.parametrize("sizes", [[5] * 60, [60, *[1] * 240]], ids=["60 of 5", "one of 60"])
def test_rows_that_are_alike_do_not_mislead(sizes):
    """Without groups a third of such comparisons is falsely called better or worse."""
    repeats, rng, of_row = 200, np.random.default_rng(6), names(*sizes)

    def falsely(groups):
        wrong = 0
        for _ in range(repeats):
            sign = rng.choice([-1.0, 0.0, 1.0], len(sizes), p=[0.2, 0.6, 0.2])
            differences = np.repeat(sign, sizes)
            a, b = (differences > 0).astype(float), (differences < 0).astype(float)
            pair = compare(a, b, binary=True, rng=rng, groups=groups)
            wrong += judge([pair], margin=0.01)[0].answer in ("better", "worse")
        return wrong

    assert falsely(of_row) <= binom.ppf(1 - 1e-3, repeats, 0.05)
    assert falsely(None) >= 0.15 * repeats


def test_nothing_is_claimed_from_few_groups():
    rng = np.random.default_rng(5)
    for n_groups, answer in ((MIN_GROUPS - 1, "cant_tell"), (MIN_GROUPS, "better")):
        n = 10 * n_groups
        pair = compare(np.ones(n), rights(rng, n, 0.1), binary=True, rng=rng, groups=names(*[10] * n_groups))
        judged = judge([pair], margin=0.02)[0]
        assert (judged.answer, judged.rows_needed) == (answer, None)


@pytest.mark.parametrize("binary", [True, False])
def test_rows_of_one_group_say_nothing(binary):
    rng, one = np.random.default_rng(5), names(30)
    scores = rights(rng, 30)
    pair = compare(scores, 1 - scores, binary=binary, rng=rng, groups=one)
    assert judge([pair], margin=0.02)[0].answer == "cant_tell"
    assert pair.interval.high - pair.interval.low > 1
    assert compare_corpus(scores, scores, shares(scores), shares(scores), rng=rng, groups=one).p_value == 1.0
    assert spread_of(np.stack([scores, 1 - scores]), one) is None
    assert bootstrap_interval(shares(scores), 30, rng, groups=one) == (bootstrap_interval(shares(scores), 1, rng))


def test_a_statistic_of_all_rows_is_resampled_by_group():
    rng = np.random.default_rng(8)
    a, b = rng.random(50), rng.random(50)
    five, of_row = [np.repeat(x, 5) for x in (a, b)], names(*[5] * 50)
    once = compare_corpus(a, b, shares(a), shares(b), rng=rng)
    copied = compare_corpus(five[0], five[1], shares(five[0]), shares(five[1]), rng=rng, groups=of_row)
    assert copied.interval.low == pytest.approx(once.interval.low, abs=0.02)
    assert copied.interval.high == pytest.approx(once.interval.high, abs=0.02)
    one, copies = bootstrap_interval(shares(a), 50, rng), bootstrap_interval(shares(five[0]), 250, rng, groups=of_row)
    assert copies.high - copies.low == pytest.approx(one.high - one.low, rel=0.15)


def test_the_luck_of_trainings_is_told_from_that_of_groups():
    """Trainings that differ by whole groups differ by the luck of few; their spread is explained by it."""
    rng = np.random.default_rng(12)
    trainings = np.repeat(rng.random((3, 20)), 10, axis=1)
    by_row, by_group = spread_of(trainings), spread_of(trainings, names(*[10] * 20))
    assert by_row is not None
    assert by_group is not None
    assert by_group.error < by_row.error


class TestRace:
    def test_a_group_counts_once_and_when_it_is_complete(self):
        race = Eliminator(["a", "b"], margin=0, groups=names(*[4] * 40))
        race.add("a", np.zeros(99))
        race.add("b", np.ones(120))
        [gone] = race.check()
        assert (gone.n_rows, gone.difference) == (96, -1.0)
        rows = Eliminator(["a", "b"], margin=0)
        rows.add("a", np.zeros(24))
        rows.add("b", np.ones(24))
        assert rows.check()[0].e_value == pytest.approx(gone.e_value)

    def test_rows_without_a_score_are_left_out_of_their_group(self):
        race = Eliminator(["a", "b"], margin=0, groups=names(*[2] * 30))
        race.add("a", [0.0, np.nan] * 20 + [np.nan] * 20)
        race.add("b", np.ones(60))
        assert race.check()[0].n_rows == 20

    def test_rows_of_a_group_follow_one_another(self):
        with pytest.raises(ValueError, match="follow one another"):
            Eliminator(["a", "b"], margin=0, groups=["x", "y", "x"])

    def test_an_arm_that_is_as_good_is_rarely_lost(self):
        """Looked at after every 20 rows; rows of a group are alike."""
        repeats, lost, by_row, rng = 150, 0, 0, np.random.default_rng(21)
        for _ in range(repeats):
            scores = np.repeat(rng.integers(0, 2, (2, 40)).astype(float), 8, axis=1)
            found = []
            for groups in (names(*[8] * 40), ()):
                race, gone = Eliminator(["a", "b"], margin=0, alpha=0.2, groups=groups), False
                for start in range(0, 320, 20):
                    for arm, values in zip("ab", scores):
                        race.add(arm, values[start : start + 20])
                    gone = gone or bool(race.check())
                found.append(gone)
            lost, by_row = lost + found[0], by_row + found[1]
        assert lost <= binom.ppf(1 - 1e-3, repeats, 0.2)
        assert by_row > 0.3 * repeats

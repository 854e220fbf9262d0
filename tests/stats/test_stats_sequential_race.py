"""Leaving the race: worked cases, the promise to arms that are as good, and what a schedule may do to it."""

import math

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import binom

from tuneworth.stats.betting import STAKES
from tuneworth.stats.sequential import Eliminator

differences = arrays(np.float64, st.integers(20, 80), elements=st.floats(-1, 1))


def right(share, n):
    """Scores of an arm that is right on the first ``share`` of every ten rows."""
    return (np.arange(n) % 10 < 10 * share).astype(float)


def at_most(rate, repeats):
    return binom.ppf(1 - 1e-4, repeats, rate)


def eliminate(scores, *, margin):
    """The arms that are to leave now, from all scores so far."""
    race = Eliminator(list(scores), margin=margin)
    for arm, values in scores.items():
        race.add(arm, values)
    return race.check()


class TestOnePair:
    def test_by_hand(self):
        """Twenty losses, no margin: every stake c has won (1 + c)^20."""
        (gone,) = eliminate({"good": [1.0] * 20, "bad": [0.0] * 20}, margin=0)
        assert (gone.arm, gone.n_rows) == ("bad", 20)
        assert gone.e_value == pytest.approx(np.mean((1 + STAKES) ** 20))

    def test_inside_the_margin_is_not_worse_by_more_than_the_margin(self):
        scores = {"good": np.ones(2_000), "fair": np.tile([0.0, *[1.0] * 19], 100)}  # 5 points worse
        assert eliminate(scores, margin=0.1) == []
        assert [left.arm for left in eliminate(scores, margin=0)] == ["fair"]

    def test_too_few_rows_say_nothing_and_missing_rows_are_no_pairs(self):
        assert eliminate({"good": [1.0] * 19, "bad": [0.0] * 19}, margin=0) == []
        assert eliminate({"good": [1.0] * 49, "bad": [0.0] * 19 + [math.nan] * 30}, margin=0) == []

    @pytest.mark.parametrize(("margin", "alpha"), [(-0.1, 0.05), (1, 0.05), (0.1, 0), (0.1, 1)])
    def test_impossible_settings_are_refused(self, margin, alpha):
        with pytest.raises(ValueError, match=r"(margin|alpha) is .*, must be in"):
            Eliminator(["a", "b"], margin=margin, alpha=alpha)


class TestRace:
    def test_hopeless_arms_leave_and_the_record_can_be_checked_by_the_reader(self):
        scores = {"good": right(0.9, 60), "fair": right(0.8, 60), "bad": right(0.1, 60), "worst": right(0.0, 60)}
        gone = eliminate(scores, margin=0.02)
        assert [left.arm for left in gone] == ["worst", "bad"]
        worst, bad = gone
        assert (worst.leader, worst.n_rows) == ("good", 60)
        assert worst.difference == pytest.approx(-0.9)
        assert worst.e_needed == pytest.approx(4 * 3 / 0.05)
        assert bad.e_needed == pytest.approx(3 * 3 / 0.05)  # one arm fewer to be kept safe
        for left in gone:
            assert left.e_value >= left.e_needed
            assert left.interval.low < left.difference < left.interval.high < -0.02
            assert left.interval.level == pytest.approx(1 - 2 / left.e_needed)

    def test_an_arm_stays_exactly_as_long_as_its_interval_reaches_the_margin(self):
        n, looks = 20, 0
        while not eliminate({"a": right(0.8, n), "b": right(0.6, n)}, margin=0.02):
            race = Eliminator(["a", "b"], margin=0.02)
            race.add("a", right(0.8, n))
            race.add("b", right(0.6, n))
            (standing,) = race.standings()
            assert (standing.arm, standing.leader) == ("b", "a")
            assert standing.interval.high >= -0.02
            assert standing.e_value < standing.e_needed
            n, looks = n + 5, looks + 1
        assert 3 <= looks <= 20

    def test_pairs_are_the_common_prefix_without_missing_rows(self):
        scores = {"a": np.ones(300), "b": np.zeros(45)}
        scores["b"][:10] = math.nan
        (left,) = eliminate(scores, margin=0.02)
        assert left.n_rows == 35
        assert not eliminate({**scores, "b": np.zeros(19)}, margin=0.02)
        assert not eliminate({**scores, "b": np.zeros(0)}, margin=0.02)

    def test_few_lucky_rows_do_not_lead(self):
        race = Eliminator(["lucky", "steady"], margin=0.02)
        race.add("steady", right(0.9, 300))
        assert race.leader == "steady"
        race.add("lucky", np.ones(25))
        assert race.leader == "steady"
        race.add("lucky", np.ones(200))
        assert race.leader == "lucky"

    def test_nobody_leads_and_nobody_leaves_before_there_are_rows(self):
        race = Eliminator(["a", "b"], margin=0.02)
        assert (race.leader, race.check(), race.standings()) == (None, [], [])
        race.add("a", np.ones(19))
        race.add("b", np.zeros(19))
        assert (race.leader, race.check()) == (None, [])

    def test_a_leader_that_was_stopped_early_does_not_shield_the_others(self):
        """Its 40 rows cannot show that ``c`` is worse; the 600 of ``b`` can."""
        race = Eliminator(["dear", "b", "c"], margin=0.02)
        race.add("dear", right(1.0, 40))
        race.add("b", right(0.8, 600))
        race.add("c", right(0.7, 600))
        assert race.leader == "dear"
        assert [(left.arm, left.leader, left.n_rows) for left in race.check()] == [("c", "b", 600)]

    @pytest.mark.parametrize("n_arms", [0, 1])
    def test_a_race_of_one_ends_with_one(self, n_arms):
        assert eliminate({f"arm {i}": np.ones(100) for i in range(n_arms)}, margin=0.02) == []

    def test_equal_arms_all_stay(self):
        assert eliminate({name: right(0.7, 2_000) for name in "abcdef"}, margin=0) == []

    def test_the_names_of_the_arms_and_their_order_do_not_matter(self):
        rng = np.random.default_rng(5)
        scores = {
            name: (rng.random(200) < share).astype(float) for name, share in zip("abcde", (0.9, 0.8, 0.6, 0.4, 0.2))
        }
        forward = {left.arm: left.e_value for left in eliminate(scores, margin=0.02)}
        backward = {left.arm: left.e_value for left in eliminate(dict(reversed(scores.items())), margin=0.02)}
        assert forward == pytest.approx(backward)
        assert set(forward) >= {"d", "e"}

    def test_what_is_wrong_with_a_race_is_said(self):
        with pytest.raises(ValueError, match="named twice among a, b, a"):
            Eliminator(["a", "b", "a"], margin=0.02)
        with pytest.raises(ValueError, match=r"lie outside \[0, 1\], the first is 1.5"):
            eliminate({"a": [1.5]}, margin=0.02)
        with pytest.raises(ValueError, match="scores of a have shape"):
            eliminate({"a": [[1.0]]}, margin=0.02)
        with pytest.raises(ValueError, match="margin is 1, must be in"):
            eliminate({}, margin=1)


def equal_arms(rng, n_arms, n):
    """All arms right on 70 % of the rows, half of them hard or easy for everyone."""
    shared = rng.random(n) < 0.5
    return np.where(shared, rng.random(n) < 0.7, rng.random((n_arms, n)) < 0.7).astype(float)


def best_and_just_inside_the_margin(rng, n_arms, n):
    """One arm is better than all others by the margin of 5 points exactly."""
    return (rng.random((n_arms, n)) < np.array([0.75, *[0.7] * (n_arms - 1)])[:, None]).astype(float)


def graded_with_disasters(rng, n_arms, n):
    """Equal means; the even arms are a little better on most rows and fail wholly on some."""
    steady = np.full((n_arms, n), 0.8)
    steady[::2] = np.where(rng.random(steady[::2].shape) < 0.05, 0.0, 0.8 / 0.95)
    return steady


def good_arms_lost(scores, margin, alpha, rng=None):
    """Which arms ever leave, if looked at after every tenth row? All arms are inside the margin.

    With ``rng`` the schedule is greedy: whoever has done badly so far is not extended for a while.
    """
    names = [str(i) for i in range(len(scores))]
    race, reached = Eliminator(names, margin=margin, alpha=alpha), [0] * len(names)
    for _ in range(scores.shape[1] // 10):
        behind = set() if rng is None else set(rng.choice(len(names), len(names) // 2, replace=False))
        for i, name in enumerate(names):
            done = scores[i, : reached[i]]
            if i in behind and done.size and done[-10:].mean() < done.mean():
                continue
            race.add(name, scores[i, reached[i] : reached[i] + 10])
            reached[i] += 10
        race.check()
    return race.eliminated


@pytest.mark.parametrize("greedy", [False, True])
@pytest.mark.parametrize(
    ("sample", "margin"),
    [(equal_arms, 0.0), (best_and_just_inside_the_margin, 0.05), (graded_with_disasters, 0.0)],
)
def test_runs_that_lose_an_arm_inside_the_margin(sample, margin, greedy):
    """At most alpha of the runs, here 20 %, so that a broken promise shows in few runs."""
    rng, repeats = np.random.default_rng(11), 120
    lost = sum(bool(good_arms_lost(sample(rng, 5, 250), margin, 0.2, rng if greedy else None)) for _ in range(repeats))
    assert lost <= at_most(0.2, repeats)


def test_the_same_trial_without_the_union_over_pairs_fails():
    """Ten equal arms against their leader at the threshold of a single pair: too many runs lose one."""
    rng, repeats, lost = np.random.default_rng(11), 60, 0
    for _ in range(repeats):
        scores = equal_arms(rng, 10, 250)
        leader = scores[scores.mean(axis=1).argmax()]
        # With two arms the evidence asked for is 2 / alpha, here that of one pair at 20 %.
        lost += any(good_arms_lost(np.stack([leader, arm]), 0, 0.4) for arm in scores)
    assert lost > at_most(0.2, repeats)

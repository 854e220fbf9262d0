"""What the race promises, and what it only aims at, by simulation of whole races."""

import numpy as np
import pytest
from raceplay import Known, play, prompt
from scipy.stats import binom

N = 600
MARGIN = 0.02
RACES = 150


def right_wrong(rng, mean):
    return (rng.random(N) < mean).astype(float)


def graded(rng, mean):
    """Five grades."""
    return rng.binomial(4, mean, N) / 4


def mostly_ties(rng, mean):
    """All arms share nine rows of ten."""
    shared = np.random.default_rng(int(rng.integers(1)) + 11).random(N) < 0.7
    own = rng.random(N) < mean
    return np.where(np.arange(N) % 10, shared, own).astype(float)


def disasters(rng, mean):
    """Nearly always the same, and a complete failure on one row in thirty."""
    return np.where(rng.random(N) < 1 / 30, 0.0, mean * 30 / 29)


KINDS = [right_wrong, graded, mostly_ties, disasters]


@pytest.mark.parametrize("scores", KINDS, ids=lambda kind: kind.__name__)
class TestPromise:
    def test_arms_within_the_margin_are_hardly_ever_eliminated(self, scores):
        """At most 5 % of the races lose any of eight arms, five of which lie within the margin of the best."""
        lost = 0
        for number in range(RACES):
            rng = np.random.default_rng([1, number])
            means = [0.7, 0.7, 0.7, 0.69, 0.685, 0.55, 0.4, 0.3]
            arms = {f"arm{at}": scores(rng, mean) for at, mean in enumerate(means)}
            costs = Known(row=dict.fromkeys(arms, 0.001) | {"arm7": 5.0})
            stops = play([prompt(arm) for arm in arms], arms, n_dev=N, costs=costs, margin=MARGIN).stops
            lost += any(stops.get(f"arm{at}") == "eliminated" for at in range(5))
        assert lost <= binom.ppf(1 - 1e-4, RACES, 0.05)

    def test_hopeless_arms_cost_few_rows(self, scores):
        rng = np.random.default_rng(2)
        arms = {"good": scores(rng, 0.9), **{f"bad{at}": scores(rng, 0.1) for at in range(6)}}
        played = play([prompt(arm) for arm in arms], arms, n_dev=N, costs=Known(row=dict.fromkeys(arms, 0.1)))
        if scores is mostly_ties:
            assert played.schedule.leader is not None
        else:
            assert played.schedule.leader == "good"
            assert sum(rows for (arm, _), rows in played.rows.items() if arm != "good") <= 6 * 64


def test_the_winner_is_mostly_found_at_part_of_the_cost():
    """Nine arms around 0.6, some close: what is lost on the dev rows, and the share of the rows that were asked."""
    regrets, shares = [], []
    for number in range(60):
        rng = np.random.default_rng([3, number])
        arms = {f"arm{at}": right_wrong(rng, mean) for at, mean in enumerate(rng.normal(0.6, 0.1, 9).clip(0, 1))}
        played = play([prompt(arm) for arm in arms], arms, n_dev=N, costs=Known(row=dict.fromkeys(arms, 0.1)))
        best = max(values.mean() for values in arms.values())
        regrets.append(best - arms[played.schedule.leader].mean())
        shares.append(sum(played.rows.values()) / (9 * N))
    assert np.mean(regrets) <= 0.25 * MARGIN
    assert np.mean(np.array(regrets) <= MARGIN) >= 0.9
    assert np.mean(shares) <= 0.5

"""The bets themselves: worked examples, what the histogram costs, and that nobody gets rich by luck."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tuneworth.stats.betting import (
    LATTICE,
    STAKES,
    both_bounds,
    e_value,
    histogram,
    log_factors,
    log_mixture,
    log_wealth,
    unit,
)

numbers = arrays(np.float64, st.integers(1, 60), elements=st.floats(0, 1))
means = st.floats(0.05, 0.95)


def test_two_rows_by_hand():
    """After 1 and then 0 under a mean of one half a stake c has (1 + c)(1 - c)."""
    expected = np.mean((1 + STAKES) * (1 - STAKES))
    assert math.exp(log_wealth(histogram(np.array([[1.0, 0.0]])), 0.5)[0]) == pytest.approx(expected)


def test_twelve_losses_in_a_row_by_hand():
    """Even stakes on [0, 1] and n equal rows give the integral of (1 + c)^n, which is (2^(n+1) - 1) / (n + 1)."""
    wealth = math.exp(log_wealth(histogram(np.ones((1, 12))), 0.5)[0])
    assert wealth == pytest.approx((2**13 - 1) / 13, rel=0.03)  # 24 midpoints in place of the integral


@given(numbers)
def test_the_histogram_keeps_count_and_mean(values):
    weights = histogram(values[None, :])[0]
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(values.size)
    assert weights @ LATTICE / values.size == pytest.approx(values.mean(), abs=1e-12)


def test_the_histogram_is_per_line_and_leaves_missing_rows_out():
    weights = histogram(np.array([[0.0, np.nan, 1.0], [0.5, 0.5, np.nan]]))
    assert weights[0, [0, -1]].tolist() == [1, 1]
    assert weights[1, 100] == 2
    assert weights.sum() == 4


@given(numbers, means)
def test_the_histogram_never_adds_evidence_and_costs_little(values, mean):
    exact = float(log_mixture(log_factors(values, mean).sum(axis=0)))
    kept = float(log_wealth(histogram(values[None, :]), mean)[0])
    assert kept <= exact + 1e-9
    # A chord over 1/200 of the range: (1/200)² / 8 times the largest second derivative of the logarithm.
    assert exact - kept <= values.size * (0.005**2 / 8) * (STAKES[-1] / mean / (1 - STAKES[-1])) ** 2 + 1e-9


@given(arrays(np.int64, st.integers(1, 60), elements=st.integers(0, 200)), means)
def test_hundredths_lose_nothing(places, mean):
    values = places / 200
    exact = float(log_mixture(log_factors(values, mean).sum(axis=0)))
    assert float(log_wealth(histogram(values[None, :]), mean)[0]) == pytest.approx(exact, abs=1e-9)


@given(numbers)
def test_bounds_hold_the_mean_and_are_where_the_evidence_reaches_the_threshold(values):
    weights, threshold = histogram(values[None, :]), math.log(40)
    low, high = (float(side[0]) for side in both_bounds(weights, threshold))
    assert 0 <= low <= values.mean() + 1e-9 <= high + 2e-9 <= 1 + 3e-9
    for bound, side in ((low, weights), (1 - high, weights[:, ::-1])):
        if bound > 1e-3:
            assert float(log_wealth(side, bound)[0]) == pytest.approx(threshold, abs=0.02)
            assert log_wealth(side, bound - 1e-4)[0] >= threshold >= log_wealth(side, bound + 1e-4)[0]


@given(numbers)
def test_bounds_turn_with_the_numbers(values):
    weights = histogram(values[None, :])
    low, high = both_bounds(weights, math.log(40))
    low_turned, high_turned = both_bounds(weights[:, ::-1], math.log(40))
    assert (low_turned[0], high_turned[0]) == pytest.approx((1 - high[0], 1 - low[0]), abs=1e-9)


def test_without_rows_everything_is_possible():
    low, high = both_bounds(np.zeros((2, LATTICE.size)), math.log(40))
    assert low.tolist() == [0, 0]
    assert high.tolist() == [1, 1]


@settings(max_examples=30, deadline=None)
@given(means, st.integers(1, 12))
def test_expected_wealth_is_one_for_a_fair_coin_and_less_below(mean, n):
    """Exact, over all outcomes: no strategy of fixed stakes wins against the mean that it doubts."""
    ones = np.arange(n + 1)
    weights = np.zeros((n + 1, LATTICE.size))
    weights[:, -1], weights[:, 0] = ones, n - ones
    wealth = np.exp(log_wealth(weights, mean))
    fair = np.array([math.comb(n, k) * mean**k * (1 - mean) ** (n - k) for k in ones])
    unfair = np.array([math.comb(n, k) * (mean / 2) ** k * (1 - mean / 2) ** (n - k) for k in ones])
    assert fair @ wealth == pytest.approx(1)
    assert unfair @ wealth < 1


def test_values_outside_their_bounds_are_refused():
    with pytest.raises(ValueError, match=r"2 values lie outside \[-1, 1\], the first is 1.5"):
        unit([0, 1.5, -7], (-1, 1))
    with pytest.raises(ValueError, match="the first must be below the second"):
        unit([0.0], (1, 1))
    assert unit([-1, 0, 1], (-1, 1)).tolist() == [0, 0.5, 1]
    assert np.isnan(unit([np.nan], (0, 1))[0])


def test_an_e_value_is_always_a_number_that_can_be_stored():
    assert e_value(math.log(20)) == pytest.approx(20)
    assert math.isfinite(e_value(1e6))

"""The interval that may be watched: nested, about the right mean, and true at every row at once."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import binom

from tuneworth.stats.confidence_sequence import ConfidenceSequence, confidence_sequence

differences = arrays(np.float64, st.integers(1, 80), elements=st.floats(-1, 1))


def pairs(rng, n, win, loss):
    """Differences of right/wrong scores."""
    return rng.choice([1.0, -1.0, 0.0], n, p=[win, loss, 1 - win - loss])


def at_most(rate, repeats):
    """The count that a true error ``rate`` exceeds once in ten thousand times."""
    return binom.ppf(1 - 1e-4, repeats, rate)


@settings(max_examples=60, deadline=None)
@given(differences)
def test_it_shrinks_and_stays_an_interval(values):
    found = confidence_sequence(values)
    assert len(found.low) == len(found.high) == values.size
    assert np.all(np.diff(found.low) >= 0)
    assert np.all(np.diff(found.high) <= 0)
    assert np.all((found.low >= -1) & (found.low <= found.high) & (found.high <= 1))


@settings(max_examples=60, deadline=None)
@given(differences)
def test_it_turns_with_the_arms(values):
    there, back = confidence_sequence(values), confidence_sequence(-values)
    assert there.low == pytest.approx(-back.high, abs=1e-7)
    assert there.high == pytest.approx(-back.low, abs=1e-7)


@settings(max_examples=40, deadline=None)
@given(differences, st.floats(0.1, 50), st.floats(-20, 20))
def test_it_moves_with_the_bounds(values, scale, shift):
    plain = confidence_sequence(values)
    moved = confidence_sequence(shift + scale * values, bounds=(shift - scale * 1.000001, shift + scale * 1.000001))
    assert moved.low == pytest.approx(shift + scale * plain.low, abs=1e-4 * scale)


@settings(max_examples=15, deadline=None)
@given(differences)
def test_streaming_in_pieces_is_the_same_as_at_once(values):
    stream = ConfidenceSequence()
    for value in values:
        stream.add([value])
    whole = confidence_sequence(values)
    assert (stream.interval.low, stream.interval.high) == pytest.approx((whole.low[-1], whole.high[-1]), abs=1e-9)
    assert stream.n_rows == values.size
    assert stream.mean == pytest.approx(values.mean(), abs=1e-12)


def test_the_present_evidence_does_not_depend_on_the_order_of_the_rows():
    values = pairs(np.random.default_rng(0), 150, 0.2, 0.1)
    shown = set()
    for order in range(5):
        sequence = ConfidenceSequence()
        sequence.add(np.random.default_rng(order).permutation(values))
        shown.add((round(sequence.interval.low, 9), round(sequence.interval.high, 9)))
    assert len(shown) == 1


def test_a_missing_row_is_as_if_it_had_not_been_there():
    with_gaps = confidence_sequence([1, math.nan, 0, -1, math.nan, 0])
    assert with_gaps.low.tolist() == confidence_sequence([1, 0, -1, 0]).low.tolist()
    sequence = ConfidenceSequence()
    sequence.add([math.nan, math.nan])
    assert sequence.n_rows == 0
    assert math.isnan(sequence.mean)
    assert (sequence.interval.low, sequence.interval.high, sequence.interval.level) == (-1, 1, 0.95)


def test_nothing_in_nothing_out():
    assert confidence_sequence([]).low.size == 0


def test_rows_that_change_their_kind_never_leave_an_empty_interval():
    found = confidence_sequence(np.concatenate([np.ones(300), -np.ones(600)]))
    assert found.low[-1] <= found.high[-1]
    sequence = ConfidenceSequence()
    for part in (np.ones(300), -np.ones(600)):
        sequence.add(part)
    assert sequence.interval.low <= sequence.interval.high
    assert sequence.interval.low == pytest.approx(found.low[299], abs=1e-3)  # its last look was a few rows earlier


def test_equal_arms_on_twenty_rows_say_little():
    """All 20 rows the same: the lower limit still allows a difference of a fifth or so."""
    found = confidence_sequence(np.zeros(20))
    assert found.high[-1] == pytest.approx(-found.low[-1])
    assert 0.15 < found.high[-1] < 0.4


@pytest.mark.parametrize(("alpha", "match"), [(0, "alpha is 0"), (1.2, "alpha is 1.2")])
def test_an_impossible_error_rate_is_refused(alpha, match):
    with pytest.raises(ValueError, match=match):
        confidence_sequence([0.0], alpha=alpha)
    with pytest.raises(ValueError, match=match):
        ConfidenceSequence(alpha=alpha)


def test_a_difference_outside_its_bounds_or_a_table_is_refused():
    with pytest.raises(ValueError, match="lie outside"):
        confidence_sequence([0.0, 2.0])
    with pytest.raises(ValueError, match="must be one per row"):
        confidence_sequence([[0.0, 1.0]])


SAMPLERS = {
    "equal, a tenth differ": (lambda rng, n: pairs(rng, n, 0.05, 0.05), 0.0),
    "better by 10 points": (lambda rng, n: pairs(rng, n, 0.2, 0.1), 0.1),
    "better by 1 point": (lambda rng, n: pairs(rng, n, 0.03, 0.02), 0.01),
    "graded": (lambda rng, n: (rng.binomial(4, 0.6, n) - rng.binomial(4, 0.5, n)) / 4, 0.1),
    "rare disaster": (lambda rng, n: np.where(rng.random(n) < 0.01, -1.0, 0.02), 0.0098),
    "off the lattice": (
        lambda rng, n: np.where(rng.random(n) < 0.1, -math.pi / 4, 1 / math.e),
        0.9 / math.e - math.pi / 40,
    ),
}


@pytest.mark.parametrize("name", SAMPLERS)
def test_all_intervals_at_once_hold_the_mean(name):
    """The share of runs in which any of 400 intervals misses is at most 5 %."""
    sample, truth = SAMPLERS[name]
    rng, repeats, missed = np.random.default_rng(7), 120, 0
    for _ in range(repeats):
        found = confidence_sequence(sample(rng, 400))
        missed += not (found.low[-1] <= truth <= found.high[-1])  # nested: the last is inside all
    assert missed <= at_most(0.05, repeats)


def test_a_t_interval_that_is_watched_fails_the_same_trial():
    """The trial can fail: the usual 95 % interval, looked at after each row, misses in far more than 5 %."""
    rng, repeats, missed = np.random.default_rng(7), 200, 0
    for _ in range(repeats):
        values = pairs(rng, 400, 0.15, 0.15)
        n = np.arange(1, 401)
        mean = np.cumsum(values) / n
        error = np.sqrt(np.maximum(np.cumsum(values**2) / n - mean**2, 0) / n)
        missed += bool(np.any(np.abs(mean[20:]) > 1.96 * error[20:]))
    assert missed > at_most(0.05, repeats)


@pytest.mark.parametrize("n", [50, 300, 2_000])
def test_width_against_bounds_for_one_fixed_n(n):
    """Wider than what may be looked at once only, narrower than what ignores that most rows are equal."""
    rng = np.random.default_rng(n)
    values = rng.permutation(np.repeat([1.0, -1.0, 0.0], [n // 20, n // 20, n - 2 * (n // 20)]))
    found = confidence_sequence(values)
    half = (found.high[-1] - found.low[-1]) / 2
    variance = values.var(ddof=1)
    once = 1.96 * math.sqrt(variance / n)
    hoeffding = 2 * math.sqrt(math.log(2 / 0.05) / (2 * n))
    # Maurer and Pontil (2009), theorem 4, on a range of 2.
    bernstein = math.sqrt(2 * variance * math.log(4 / 0.05) / n) + 14 * math.log(4 / 0.05) / (3 * (n - 1))
    assert once < half < min(hoeffding, bernstein)
    assert half < 2.6 * once

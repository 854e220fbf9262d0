import numpy as np
import pytest

from tuneworth.stats.family import judge
from tuneworth.stats.paired import compare
from tuneworth.stats.power import MAX_ROWS, rows_to_show, rows_to_tie, smallest_difference


def _settled(n, differ, difference, margin, answer, repeats=1000):
    rng = np.random.default_rng(5)
    shares = ((differ + difference) / 2, (differ - difference) / 2, 1 - differ)
    hits = 0
    for counts in rng.multinomial(n, shares, repeats):
        a, b = np.repeat([1, 0, 1], counts), np.repeat([0, 1, 1], counts)
        hits += judge([compare(a, b, binary=True, rng=rng)], margin=margin)[0].answer == answer
    return hits / repeats


@pytest.mark.parametrize(("differ", "difference"), [(0.3, 0.1), (0.2, 0.05), (0.1, 0.08)])
def test_planned_rows_show_the_difference_four_times_out_of_five(differ, difference):
    n = rows_to_show(difference, differ, binary=True)
    assert 0.76 <= _settled(n, differ, difference, 0.01, "better") <= 0.87


@pytest.mark.parametrize(("differ", "difference", "margin"), [(0.2, 0.0, 0.05), (0.1, 0.01, 0.04)])
def test_planned_rows_show_the_tie_four_times_out_of_five(differ, difference, margin):
    n = rows_to_tie(difference, differ, margin=margin)
    assert 0.75 <= _settled(n, differ, difference, margin, "equivalent") <= 0.87


def test_planned_rows_for_graded_scores():
    n = rows_to_show(0.03, 0.1**2 + 0.03**2, binary=False)
    rng = np.random.default_rng(2)
    hits = 0
    for _ in range(250):
        b = rng.uniform(0.3, 0.6, n)
        result = compare(b + rng.normal(0.03, 0.1, n).clip(-0.29, 0.39), b, binary=False, rng=rng)
        hits += result.p_value <= 0.05 and result.interval.low > 0
    assert 0.72 <= hits / 250 <= 0.88


def test_larger_families_smaller_differences_and_noisier_rows_need_more():
    usual = rows_to_show(0.05, 0.2, binary=True)
    assert rows_to_show(0.05, 0.2, binary=True, n_tests=3) > usual
    assert rows_to_show(0.04, 0.2, binary=True) > usual
    assert rows_to_show(0.05, 0.3, binary=True) > usual
    assert rows_to_show(-0.05, 0.2, binary=True) == usual


def test_what_cannot_be_planned_is_none():
    assert rows_to_show(0.0, 0.2, binary=True) is None
    assert rows_to_show(0.001, 0.4, binary=True) is None
    assert rows_to_tie(0.02, 0.2, margin=0.02) is None
    assert rows_to_tie(0.019, 0.2, margin=0.02) is None
    assert rows_to_tie(0.0, 0.2, margin=0.02) < MAX_ROWS


def test_a_tie_needs_rows_even_when_no_row_ever_differs():
    n = rows_to_tie(0.0, 1e-12, margin=0.02)
    same = np.ones(n)
    rng = np.random.default_rng(0)
    assert judge([compare(same, same, binary=True, rng=rng)], margin=0.0201)[0].answer == "equivalent"
    assert judge([compare(same[:-5], same[:-5], binary=True, rng=rng)], margin=0.02)[0].answer == "cant_tell"


@pytest.mark.parametrize(("n", "square"), [(100, 0.2), (300, 0.1), (2000, 0.3)])
def test_smallest_difference_is_the_inverse(n, square):
    least = smallest_difference(n, square, binary=True)
    assert rows_to_show(least, max(square, least), binary=True) == pytest.approx(n, rel=0.02, abs=2)
    assert smallest_difference(4 * n, square, binary=True) < 0.65 * least


def test_three_rows_show_nothing():
    assert smallest_difference(3, 0.2, binary=True) == 1.0

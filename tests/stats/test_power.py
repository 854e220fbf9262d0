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
    plans = [(0.05, 0.2, 1), (0.05, 0.2, 3), (0.04, 0.2, 1), (0.05, 0.3, 1), (-0.05, 0.2, 1)]
    usual, *more, mirrored = (rows_to_show(d, square, binary=True, n_tests=n) or 0 for d, square, n in plans)
    assert 0 < usual == mirrored < min(more)


def test_what_cannot_be_planned_is_none():
    assert rows_to_show(0.0, 0.2, binary=True) is None
    assert rows_to_show(0.001, 0.4, binary=True) is None
    assert rows_to_tie(0.02, 0.2, margin=0.02) is None
    assert rows_to_tie(0.019, 0.2, margin=0.02) is None
    assert 0 < (rows_to_tie(0.0, 0.2, margin=0.02) or 0) < MAX_ROWS


@pytest.mark.parametrize("square", [0.2, 1e-4])
def test_a_difference_that_is_short_of_the_margin_by_rounding_alone_is_never_shown_to_be_small(square):
    for margin in (0.02, 0.05, 0.3):
        just_below = np.nextafter(margin, 0.0)
        assert rows_to_tie(float(just_below), square, margin=margin) is None
        assert rows_to_tie(margin - 1e-10, square, margin=margin) is None
    pair = compare(
        [1] * 22 + [0] * 20 + [1] * 58, [0] * 20 + [1] * 20 + [1] * 60, binary=True, rng=np.random.default_rng(0)
    )
    assert judge([pair], margin=float(np.nextafter(abs(pair.difference), 1.0)))[0].answer == "cant_tell"


@pytest.mark.parametrize("difference", [1e-17, 1e-200, 5e-324])
def test_a_difference_of_rounding_is_never_shown(difference):
    assert rows_to_show(difference, 0.2, binary=True) is None
    assert rows_to_show(difference, 0.2, binary=False) is None


def test_a_tie_needs_rows_even_when_no_row_ever_differs():
    n = rows_to_tie(0.0, 1e-12, margin=0.02) or 0
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

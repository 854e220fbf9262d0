import numpy as np
import pytest
from scipy.stats import binom
from statsmodels.stats.contingency_tables import mcnemar

from tuneworth.stats.paired import mcnemar_exact, tango_interval, tango_score


@pytest.mark.parametrize(("wins", "losses"), [(0, 0), (1, 0), (6, 0), (3, 9), (12, 12), (40, 20), (150, 94)])
def test_mcnemar_equals_statsmodels(wins, losses):
    expected = mcnemar([[10, wins], [losses, 10]], exact=True).pvalue if wins + losses else 1.0
    assert mcnemar_exact(wins, losses) == pytest.approx(expected)


def test_published_example():
    """Complete response before and after therapy (Cavo et al. 2012), as in Fagerland, Lydersen and Laake,
    Statistical Analysis of Contingency Tables (2017), ch. 8: Tango −0.1240 to −0.0054, exact p 0.052479."""
    interval = tango_interval(6, 16, 161)
    assert (interval.low, interval.high) == pytest.approx((-0.1240, -0.0054), abs=5e-5)
    assert mcnemar_exact(6, 16) == pytest.approx(0.052479, abs=5e-7)


def _quartic_limits(wins, losses, n, z2=3.841458820694124):
    """Yang, Sun and Hardin (2013): the limits as real roots of a quartic, without iteration."""
    d, m = wins - losses, wins + losses
    coefficients = [
        n**2 * (n / z2 + 1) ** 2,
        -n * d * (n / z2 + 1) * (4 * n / z2 + 1),
        2 * n * d**2 * (3 * n / z2 + 2) / z2 - n**2 * (m / z2 + 1),
        n * d * (2 * m / z2 + 1) - d**3 * (4 * n / z2 + 1) / z2,
        d**2 * (d**2 / z2 - m) / z2,
    ]
    roots = np.roots(coefficients)
    real = np.sort(roots[np.abs(roots.imag) < 1e-6].real)
    return real[0], real[-1]


@pytest.mark.parametrize(("wins", "losses", "n"), [(6, 16, 161), (1, 7, 21), (40, 20, 160), (5, 0, 20), (30, 31, 500)])
def test_tango_equals_the_closed_form(wins, losses, n):
    interval = tango_interval(wins, losses, n)
    assert (interval.low, interval.high) == pytest.approx(_quartic_limits(wins, losses, n), abs=1e-7)


@pytest.mark.parametrize(("wins", "losses", "n"), [(6, 16, 161), (3, 0, 40), (12, 12, 30), (2.4, 1.1, 35)])
def test_limits_are_where_the_score_test_turns(wins, losses, n):
    interval = tango_interval(wins, losses, n)
    assert tango_score(wins, losses, n, interval.low) == pytest.approx(1.959964, abs=1e-5)
    assert tango_score(wins, losses, n, interval.high) == pytest.approx(-1.959964, abs=1e-5)


def test_swapping_the_arms_mirrors_the_interval():
    one, other = tango_interval(9, 4, 80), tango_interval(4, 9, 80)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low))


def test_edges_stay_inside_and_keep_a_width():
    z2 = 3.841458820694124
    nothing = tango_interval(0, 0, 30)
    assert (nothing.low, nothing.high) == pytest.approx((-z2 / (30 + z2), z2 / (30 + z2)), abs=1e-7)
    always = tango_interval(30, 0, 30)
    assert always.high == 1.0
    assert 0.7 < always.low < 0.8
    assert (tango_interval(0, 0, 0).low, tango_interval(0, 0, 0).high) == (-1.0, 1.0)


def _exact_properties(n, differ, difference):
    """Coverage, and how often an arm is called better, summed over every table."""
    covered = called = 0.0
    win = (differ + difference) / 2
    for total in range(n + 1):
        p_total = binom.pmf(total, n, differ)
        if p_total < 1e-6:
            continue
        for wins, p in enumerate(p_total * binom.pmf(np.arange(total + 1), total, win / differ)):
            if p < 1e-7:
                continue
            interval = tango_interval(wins, total - wins, n)
            covered += p * (interval.low <= difference <= interval.high)
            called += p * (interval.low > 0 and mcnemar_exact(wins, total - wins) <= 0.05)
    return covered, called


@pytest.mark.parametrize(
    ("n", "differ", "difference"),
    [
        (30, 0.2, 0.0),
        (30, 0.4, 0.0),
        (30, 0.4, 0.2),
        (100, 0.1, 0.0),
        (100, 0.2, 0.1),
        (500, 0.05, 0.0),
        (500, 0.1, 0.05),
    ],
)
def test_coverage_is_what_is_promised(n, differ, difference):
    covered, called = _exact_properties(n, differ, difference)
    assert 0.935 <= covered <= 0.965
    if difference == 0.0:
        assert called <= 0.025


def test_coverage_errs_on_the_safe_side_when_few_rows_differ():
    covered, called = _exact_properties(30, 0.05, 0.0)
    assert covered > 0.965
    assert called < 0.001

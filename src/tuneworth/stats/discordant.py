"""Right/wrong pairs: two arms answered the same rows, and only the rows on which they differ inform.

``wins`` rows were right for the first arm alone, ``losses`` for the second alone. The p-value is
McNemar's in its exact form, the interval is Tango's score interval. Both can be conservative when few
rows differ (``benchmarks/honest_statistics.py`` shows by how much); neither can be fooled by a small sample.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist

from tuneworth.core.run import Interval
from tuneworth.stats._scipy import binomial_p, root


def mcnemar_exact(wins: int, losses: int) -> float:
    """Two-sided exact p-value of "either arm is equally likely to be the one that is right".

    The mid-p variant has more power but its error can exceed the nominal level, so it is not offered.
    Source: McNemar (1947), Psychometrika 12:153; exact binomial form.
    """
    return binomial_p(wins, wins + losses) if wins + losses else 1.0


def tango_interval(wins: float, losses: float, n_rows: int, level: float = 0.95) -> Interval:
    """Score interval of ``(wins - losses) / n_rows``, the paired difference of proportions.

    It is the set of differences that the score test does not reject, so it stays inside [-1, 1] and
    keeps a width when no row differs. Fractional counts are allowed: with the sums of the positive and
    of the negative differences of a graded metric it is the widest interval such a metric can need,
    because no score in [0, 1] varies more than right/wrong.

    Source: Tango (1998), Statistics in Medicine 17:891.
    """
    if n_rows == 0:
        return Interval(low=-1.0, high=1.0, level=level)
    z = NormalDist().inv_cdf((1 + level) / 2)
    estimate = (wins - losses) / n_rows

    def above(difference: float) -> float:
        return tango_score(wins, losses, n_rows, difference) - z

    def below(difference: float) -> float:
        return tango_score(wins, losses, n_rows, difference) + z

    return Interval(low=_limit(above, -1.0, estimate), high=_limit(below, 1.0, estimate), level=level)


def tango_score(wins: float, losses: float, n_rows: int, difference: float) -> float:
    """Tango's statistic for the hypothesis that the paired difference is ``difference``.

    Standard normal under the hypothesis; decreasing in ``difference``.
    """
    distance = wins - losses - n_rows * difference
    if distance == 0.0:
        return 0.0
    a = 2.0 * n_rows
    b = -wins - losses + (2 * n_rows - wins + losses) * difference
    c = -losses * difference * (1 - difference)
    loss_share = (math.sqrt(max(0.0, b * b - 4 * a * c)) - b) / (2 * a)
    variance = n_rows * (2 * loss_share + difference * (1 - difference))
    return distance / math.sqrt(variance) if variance > 1e-12 else math.copysign(math.inf, distance)


def _limit(excess: Callable[[float], float], edge: float, estimate: float) -> float:
    """Where ``excess`` is zero between ``edge`` (±1) and the estimate, or ``edge`` itself."""
    outer = edge * (1 - 1e-9)  # the variance vanishes at the very edge
    if abs(estimate) >= abs(outer) and estimate * edge > 0:
        return edge
    return edge if excess(outer) * edge > 0 else root(excess, min(outer, estimate), max(outer, estimate))

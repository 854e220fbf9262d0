"""Two arms on the same rows: difference, interval and p-value, always paired by row.

`compare` and `compare_corpus` only measure. What a difference *means* depends on the whole family of
comparisons and on the margin: see `tuneworth.stats.family`.

Of right/wrong scores only the rows on which the arms differ inform: ``wins`` were right for the first arm alone, ``losses``
for the second alone. McNemar's exact p-value and Tango's interval can be conservative when few rows differ
(``benchmarks/honest_statistics.py`` shows by how much); neither can be fooled by a small sample.

Where rows come in groups, whole groups are flipped and resampled, and Tango's interval counts effective rows
(`tuneworth.stats.clusters`). Groups of one row each give what rows without groups give.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tuneworth.core.record import Interval
from tuneworth.stats._scipy import binomial_p, root, t_quantile, t_two_sided_p
from tuneworth.stats.clusters import Clusters, drawing
from tuneworth.stats.intervals import (
    MIN_INFORMATIVE,
    RowStatistic,
    checked_scores,
    half_width,
    n_informative,
    sign_flip_p,
)


def mcnemar_exact(wins: int, losses: int) -> float:
    """Two-sided exact p-value of "either arm is equally likely to be the one that is right".

    The mid-p variant has more power but its error can exceed the nominal level, so it is not offered.
    Source: McNemar (1947), Psychometrika 12:153; exact binomial form.
    """
    return binomial_p(wins, wins + losses) if wins + losses else 1.0


def tango_interval(wins: float, losses: float, n_rows: float, level: float = 0.95) -> Interval:
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


def tango_score(wins: float, losses: float, n_rows: float, difference: float) -> float:
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


Floats = NDArray[np.float64]

MCNEMAR = "mcnemar_exact"
SIGN_FLIP = "paired_bootstrap"
GROUP_FLIP = "paired_groups"
CORPUS_BOOTSTRAP = "paired_bootstrap_corpus"

N_CORPUS_RESAMPLES = 999


@dataclass(frozen=True, slots=True)
class PairedResult:
    """First arm against second; ``difference`` is first − second.

    Attributes:
        p_value: two-sided, not yet adjusted for the family.
        n_rows: rows that both arms scored.
        wins, losses, ties: rows on which the first arm scored higher, lower, the same.
        mean_square: mean of the squared row differences, for planning; of right/wrong scores it is the
            share of rows on which the arms differ. Slightly raised, so that it is never zero.
        seeds: half width that the luck of trainings alone gives the interval, however many rows there are; 0 when
            each arm was trained once.
        n_groups: groups of rows; ``None`` when each row is on its own.
        n_effective: independent rows that the rows are worth for this difference; ``None`` likewise. ``mean_square`` is
            raised by the same factor.
    """

    difference: float
    interval: Interval
    p_value: float
    n_rows: int
    wins: int
    losses: int
    ties: int
    method: str
    mean_square: float
    seeds: float = 0.0
    n_groups: int | None = None
    n_effective: float | None = None


def compare(
    a: ArrayLike,
    b: ArrayLike,
    *,
    binary: bool,
    rng: np.random.Generator,
    level: float = 0.95,
    groups: Sequence[str] | None = None,
) -> PairedResult:
    """Compare the per-row scores of two arms, both of shape ``(n,)`` in the same order of rows.

    Right/wrong: exact McNemar test and Tango's score interval. Graded: sign-flip test and symmetric
    studentised bootstrap; with fewer than ``MIN_INFORMATIVE`` rows that differ, Tango's interval on the
    summed gains and losses, which is wider. Of rows in groups: sign flips of groups with either interval.

    Args:
        groups: the group of each row.

    Raises:
        ValueError: lengths differ, or scores are not in [0, 1] (or not 0/1 although ``binary``).
    """
    differences, clusters = _differences(a, b, binary=binary), Clusters.of(groups)
    if not binary or clusters is not None:
        return _compared(differences, clusters, binary=binary, rng=rng, level=level)
    wins, losses = int(np.sum(differences > 0)), int(np.sum(differences < 0))
    interval = tango_interval(wins, losses, differences.size, level)
    return _result(differences, interval, mcnemar_exact(wins, losses), MCNEMAR, float((differences**2).sum()))


def compare_means(
    a: ArrayLike,
    b: ArrayLike,
    *,
    rng: np.random.Generator,
    level: float = 0.95,
    groups: Sequence[str] | None = None,
) -> PairedResult:
    """`compare` for graded scores, or for right/wrong scores that are means over several trainings."""
    return _compared(_differences(a, b, binary=False), Clusters.of(groups), binary=False, rng=rng, level=level)


def _compared(
    differences: Floats, clusters: Clusters | None, *, binary: bool, rng: np.random.Generator, level: float
) -> PairedResult:
    p_value = sign_flip_p(differences if clusters is None else clusters.sums(differences), rng)
    interval = _graded_interval(differences, rng, level, clusters, binary=binary)
    if clusters is None:
        return _result(differences, interval, p_value, SIGN_FLIP, float((differences**2).sum()))
    effect, n, mean = clusters.design_effect(differences), differences.size, float(differences.mean())
    squares = effect * float(((differences - mean) ** 2).sum()) + n * mean**2
    found = _result(differences, interval, p_value, GROUP_FLIP, squares)
    return replace(found, n_groups=clusters.n_groups, n_effective=n / effect)


def compare_corpus(
    a: ArrayLike,
    b: ArrayLike,
    value_a: RowStatistic,
    value_b: RowStatistic,
    *,
    rng: np.random.Generator,
    level: float = 0.95,
    groups: Sequence[str] | None = None,
) -> PairedResult:
    """Compare two arms on a statistic of the whole sample, such as macro-F1.

    Both statistics are evaluated on the same resampled rows, or groups of rows; interval and p-value use the bootstrap
    standard error with Student's t, which covered better than percentile and BCa at 30 to 300 rows.

    Args:
        a, b: per-row scores, used only to count wins, losses and ties, and effective rows.
        value_a, value_b: the statistic, in [0, 1], of the rows at the given positions.
    """
    rows, clusters = _differences(a, b, binary=False), Clusters.of(groups)
    n = rows.size
    if n < 2 or (clusters is not None and clusters.n_groups < 2):
        return _result(rows, Interval(low=-1.0, high=1.0, level=level), 1.0, CORPUS_BOOTSTRAP, float((rows**2).sum()))
    everything = np.arange(n)
    difference = value_a(everything) - value_b(everything)
    error = _bootstrap_error(value_a, value_b, drawing(clusters, n, rng))
    interval, p_value = _student(difference, error, float(n) if clusters is None else clusters.alike, level)
    squares = n * (n * error**2 + difference**2)
    found = _result(rows, interval, p_value, CORPUS_BOOTSTRAP, squares, difference)
    if clusters is None:
        return found
    return replace(found, n_groups=clusters.n_groups, n_effective=n / clusters.design_effect(rows))


def _differences(a: ArrayLike, b: ArrayLike, *, binary: bool) -> Floats:
    first, second = checked_scores(a, binary=binary), checked_scores(b, binary=binary)
    if first.shape != second.shape:
        raise ValueError(f"the arms have {first.size} and {second.size} rows; pairs need the same rows")
    return first - second


def _graded_interval(
    differences: Floats, rng: np.random.Generator, level: float, clusters: Clusters | None, *, binary: bool
) -> Interval:
    n = differences.size
    if binary or n_informative(differences, clusters) < MIN_INFORMATIVE:
        gains, losses = differences.clip(min=0).sum(), (-differences).clip(min=0).sum()
        worth = 1.0 if clusters is None else clusters.worth(differences, level)
        return tango_interval(float(gains) * worth, float(losses) * worth, n * worth, level)
    mean, half = float(differences.mean()), half_width(differences, rng, level, clusters)
    return Interval(low=max(-1.0, mean - half), high=min(1.0, mean + half), level=level)


def _bootstrap_error(value_a: RowStatistic, value_b: RowStatistic, draw: Callable[[], NDArray[np.intp]]) -> float:
    drawn = (draw() for _ in range(N_CORPUS_RESAMPLES))
    return float(np.std([value_a(rows) - value_b(rows) for rows in drawn], ddof=1))


def _student(difference: float, error: float, n: float, level: float) -> tuple[Interval, float]:
    """Interval and p-value from a standard error; a bound when resampling moves nothing."""
    if error < 1e-12:
        return tango_interval(max(difference, 0.0) * n, max(-difference, 0.0) * n, n, level), 1.0
    half = t_quantile((1 + level) / 2, n - 1) * error
    interval = Interval(low=max(-1.0, difference - half), high=min(1.0, difference + half), level=level)
    return interval, t_two_sided_p(difference / error, n - 1)


def _result(
    differences: Floats,
    interval: Interval,
    p_value: float,
    method: str,
    squares: float,
    difference: float | None = None,
) -> PairedResult:
    n = differences.size
    wins, losses = int(np.sum(differences > 0)), int(np.sum(differences < 0))
    if difference is None:
        difference = math.fsum(differences) / n if n else 0.0
    # Half a row that differs is added: rows still to come may differ even if none did so far.
    mean_square = (squares + 0.5) / (n + 1)
    return PairedResult(difference, interval, p_value, n, wins, losses, n - wins - losses, method, mean_square)

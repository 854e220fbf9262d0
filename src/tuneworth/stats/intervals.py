"""Intervals of one arm's score.

Right/wrong metrics get Wilson's interval, graded ones a studentised bootstrap, statistics of the whole
sample (macro-F1) a BCa bootstrap over rows. An interval is never of zero width: a sample without
variation says little about rows it does not contain.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tuneworth.core.run import Interval
from tuneworth.stats.resampling import MIN_INFORMATIVE, half_width, n_informative

Floats = NDArray[np.float64]
RowStatistic = Callable[[NDArray[np.intp]], float]
"""A statistic of the rows at the given positions, which may repeat."""

N_CORPUS_RESAMPLES = 1_000


def wilson(successes: float, n: int, level: float = 0.95) -> Interval:
    """Wilson's score interval of a proportion; [0, 1] when there are no rows.

    Fractional ``successes`` are allowed: no score in [0, 1] varies more than right/wrong with the same
    mean, so the interval then is the widest that a graded score can need.

    Source: Wilson (1927), JASA 22:209.
    """
    if n == 0:
        return Interval(low=0.0, high=1.0, level=level)
    z2 = NormalDist().inv_cdf((1 + level) / 2) ** 2
    share = successes / n
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    # Rounding must not leave the observed value outside its own interval at 0 and at 1.
    return Interval(low=max(0.0, min(share, centre - half)), high=min(1.0, max(share, centre + half)), level=level)


def mean_interval(scores: ArrayLike, *, binary: bool, rng: np.random.Generator, level: float = 0.95) -> Interval:
    """Interval of the mean of per-row scores in [0, 1], shape ``(n,)``.

    Args:
        binary: every score is 0 or 1.

    Raises:
        ValueError: a score lies outside [0, 1], or is graded although ``binary``.
    """
    values = checked_scores(scores, binary=binary)
    n = values.size
    if binary or n_informative(values) < MIN_INFORMATIVE:
        return wilson(float(values.sum()), n, level)
    mean, half = float(values.mean()), half_width(values, rng, level)
    return Interval(low=max(0.0, mean - half), high=min(1.0, mean + half), level=level)


def bootstrap_interval(
    value: RowStatistic,
    n_rows: int,
    rng: np.random.Generator,
    level: float = 0.95,
    n_resamples: int = N_CORPUS_RESAMPLES,
) -> Interval:
    """BCa interval of a statistic in [0, 1] that is a function of rows, such as macro-F1.

    Falls back on Wilson's interval with ``value * n_rows`` successes when resampling does not move the
    statistic. Costs ``n_resamples + n_rows`` calls of ``value``.

    Source: Efron (1987), JASA 82:171.

    NOT guaranteed: coverage when classes have only a handful of rows; a bootstrap cannot see the rows
    that are missing.
    """
    if n_rows < 2:
        return Interval(low=0.0, high=1.0, level=level)
    estimate = value(np.arange(n_rows))
    draws = np.sort([value(rng.integers(0, n_rows, n_rows)) for _ in range(n_resamples)])
    if draws[-1] - draws[0] < 1e-12:
        return wilson(estimate * n_rows, n_rows, level)
    low, high = np.quantile(draws, _bca_levels(value, n_rows, estimate, draws, level))
    return Interval(low=max(0.0, min(float(low), estimate)), high=min(1.0, max(float(high), estimate)), level=level)


def checked_scores(scores: ArrayLike, *, binary: bool) -> Floats:
    """The scores as a float array.

    Raises:
        ValueError: a score lies outside [0, 1], or is graded although ``binary``.
    """
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 1:
        raise ValueError(f"scores have shape {values.shape}, must be one per row")
    if not np.all((values >= 0) & (values <= 1)):
        raise ValueError("scores must be finite numbers in [0, 1]")
    if binary and not np.all((values == 0) | (values == 1)):
        raise ValueError("binary scores must be 0 or 1")
    return values


def _bca_levels(value: RowStatistic, n_rows: int, estimate: float, draws: Floats, level: float) -> list[float]:
    """The quantiles of the draws that correct for bias and skewness."""
    normal, n_draws = NormalDist(), draws.size
    below = (float(np.sum(draws < estimate)) + 0.5 * float(np.sum(draws == estimate))) / n_draws
    bias = normal.inv_cdf(min(max(below, 1 / n_draws), 1 - 1 / n_draws))
    rows = np.arange(n_rows)
    left_out = np.array([value(np.delete(rows, row)) for row in range(n_rows)])
    centred = left_out.mean() - left_out
    spread = float((centred**2).sum())
    skew = float((centred**3).sum()) / (6 * spread**1.5) if spread > 0 else 0.0

    def corrected(tail: float) -> float:
        shifted = bias + normal.inv_cdf(tail)
        return normal.cdf(bias + shifted / max(1 - skew * shifted, 1e-6))

    return [corrected((1 - level) / 2), corrected((1 + level) / 2)]

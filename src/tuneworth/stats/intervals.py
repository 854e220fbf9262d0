"""Intervals of one arm's score.

Right/wrong metrics get Wilson's interval, graded ones a studentised bootstrap, statistics of the whole
sample (macro-F1) a BCa bootstrap over rows. An interval is never of zero width: a sample without
variation says little about rows it does not contain.

The bootstrap was chosen by measuring (``benchmarks/honest_statistics.py``): at 30 rows the percentile and BCa bootstrap
cover 91 % where 95 % is promised, the symmetric studentised bootstrap 94 to 96 %. None of them sees what the sample does not
contain: when fewer than ``MIN_INFORMATIVE`` rows differ from the most frequent value, a bound for right/wrong scores is used.

Where rows come in groups (`tuneworth.stats.clusters`) the same is done with groups: they are resampled, and Wilson's
interval counts effective rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tuneworth.core.record import Interval
from tuneworth.stats._scipy import binomial_quantile
from tuneworth.stats.clusters import N_RESAMPLES, Clusters, drawing, leaving_one_out

Floats = NDArray[np.float64]

MIN_INFORMATIVE = 6
"""No two-sided sign test can reach 0.05 with fewer than six rows that differ."""
N_SIGN_FLIPS = 9_999
EXACT_SIGN_FLIPS = 12
BLOCK_CELLS = 2_000_000


def n_informative(values: Floats, clusters: Clusters | None = None) -> int:
    """Rows, or groups, whose value is not the most frequent one."""
    if clusters is not None:
        return clusters.n_informative(values)
    counts = np.unique(values, return_counts=True)[1]
    return int(values.size - counts.max()) if values.size else 0


def half_width(values: Floats, rng: np.random.Generator, level: float, clusters: Clusters | None = None) -> float:
    """Half the symmetric studentised bootstrap interval of the mean of ``values``, shape ``(n,)``.

    Source: Hall (1988), JRSS B 50:35, symmetric bootstrap-t.
    """
    if clusters is not None:
        return clusters.half_width(values, rng, level)
    n = values.size
    error = float(values.std(ddof=1)) / math.sqrt(n)
    centred = values - values.mean()
    draws = (centred[rng.integers(0, n, (size, n))] for size in _block_sizes(N_RESAMPLES, n))
    pivots = np.concatenate([_pivots(draw) for draw in draws])
    return float(np.quantile(np.abs(pivots), level, method="higher")) * error


def sign_flip_p(differences: Floats, rng: np.random.Generator) -> float:
    """Two-sided p-value of "the differences are as likely positive as negative".

    Exact when at most ``EXACT_SIGN_FLIPS`` differ from zero, else from ``N_SIGN_FLIPS`` random flips.
    On right/wrong scores it is McNemar's exact test. The sum of squares does not change under flips,
    so the studentised statistic would give the same p. Source: Fisher (1935); Good (2005), ch. 3.

    NOT guaranteed: the level for skewed differences whose mean is zero; the decision therefore also
    asks that the interval exclude zero.
    """
    moved = differences[differences != 0]
    if moved.size == 0:
        return 1.0
    observed = abs(float(moved.sum())) - 1e-9
    if moved.size <= EXACT_SIGN_FLIPS:
        signs = np.array(list(product((-1.0, 1.0), repeat=moved.size)))
        return float(np.mean(np.abs(signs @ moved) >= observed))
    extreme, total = 0, moved.sum()
    for size in _block_sizes(N_SIGN_FLIPS, moved.size):
        kept = np.unpackbits(
            np.frombuffer(rng.bytes(size * math.ceil(moved.size / 8)), np.uint8).reshape(size, -1), axis=1
        )
        sums = kept[:, : moved.size].astype(np.float64) @ moved
        extreme += int(np.sum(np.abs(2 * sums - total) >= observed))
    return (1 + extreme) / (1 + N_SIGN_FLIPS)


def _pivots(draws: Floats) -> Floats:
    """Mean over standard error of each resample, one a row; infinite where a resample does not vary."""
    means, errors = draws.mean(axis=1), draws.std(axis=1, ddof=1) / math.sqrt(draws.shape[1])
    return np.divide(means, errors, out=np.where(np.abs(means) > 1e-12, np.inf, 0.0), where=errors > 1e-12)


def _block_sizes(total: int, width: int) -> Iterator[int]:
    """``total`` in pieces whose matrices of ``width`` columns stay small."""
    step = max(1, BLOCK_CELLS // width)
    for start in range(0, total, step):
        yield min(step, total - start)


Floats = NDArray[np.float64]
RowStatistic = Callable[[NDArray[np.intp]], float]
"""A statistic of the rows at the given positions, which may repeat."""

N_CORPUS_RESAMPLES = 1_000


def wilson(successes: float, n: float, level: float = 0.95) -> Interval:
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


def quantile_bound(values: ArrayLike, q: float, level: float = 0.95) -> float | None:
    """What a quantile does not exceed, for sure to ``level``, whatever the distribution; ``None`` from too few values.

    The k-th smallest of n independent values is at least the q-quantile with probability P(Bin(n, q) < k); the smallest such
    k is taken. For q = level = 0.95 it takes 59 values, as 1 − 0.95⁵⁹ > 0.95, and then it is the largest. Source: David and
    Nagaraja (2003), Order Statistics, section 7.1.

    Raises:
        ValueError: ``q`` or ``level`` is not in (0, 1).
    """
    if not 0 < q < 1 or not 0 < level < 1:
        raise ValueError(f"q is {q}, level is {level}; both must be in (0, 1)")
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    k = binomial_quantile(level, len(ordered), q) + 1 if len(ordered) else 1
    return float(ordered[k - 1]) if k <= len(ordered) else None


def mean_interval(
    scores: ArrayLike,
    *,
    binary: bool,
    rng: np.random.Generator,
    level: float = 0.95,
    groups: Sequence[str] | None = None,
) -> Interval:
    """Interval of the mean of per-row scores in [0, 1], shape ``(n,)``.

    Args:
        binary: every score is 0 or 1.
        groups: the group of each row; rows of one group are not independent.

    Raises:
        ValueError: a score lies outside [0, 1], or is graded although ``binary``.
    """
    values = checked_scores(scores, binary=binary)
    n, clusters = values.size, Clusters.of(groups)
    if binary or n_informative(values, clusters) < MIN_INFORMATIVE:
        worth = 1.0 if clusters is None else clusters.worth(values, level)
        return wilson(float(values.sum()) * worth, n * worth, level)
    mean, half = float(values.mean()), half_width(values, rng, level, clusters)
    return Interval(low=max(0.0, mean - half), high=min(1.0, mean + half), level=level)


def bootstrap_interval(
    value: RowStatistic,
    n_rows: int,
    rng: np.random.Generator,
    level: float = 0.95,
    n_resamples: int = N_CORPUS_RESAMPLES,
    groups: Sequence[str] | None = None,
) -> Interval:
    """BCa interval of a statistic in [0, 1] that is a function of rows, such as macro-F1; whole ``groups`` are resampled.

    Falls back on Wilson's interval with ``value * n_rows`` successes when resampling does not move the
    statistic. Costs ``n_resamples + n_rows`` calls of ``value``.

    Source: Efron (1987), JASA 82:171.

    NOT guaranteed: coverage when classes have only a handful of rows; a bootstrap cannot see the rows
    that are missing.
    """
    clusters = Clusters.of(groups)
    n_units = n_rows if clusters is None else clusters.n_groups
    if n_units < 2:
        return Interval(low=0.0, high=1.0, level=level)
    estimate, draw = value(np.arange(n_rows)), drawing(clusters, n_rows, rng)
    draws = np.sort([value(draw()) for _ in range(n_resamples)])
    if draws[-1] - draws[0] < 1e-12:
        worth = n_rows if clusters is None else clusters.alike
        return wilson(estimate * worth, worth, level)
    left_out = np.array([value(rows) for rows in leaving_one_out(clusters, n_rows)])
    low, high = np.quantile(draws, _bca_levels(left_out, estimate, draws, level))
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


def _bca_levels(left_out: Floats, estimate: float, draws: Floats, level: float) -> list[float]:
    """The quantiles of the draws that correct for bias and skewness; ``left_out`` are the values without each row, or group."""
    normal, n_draws = NormalDist(), draws.size
    below = (float(np.sum(draws < estimate)) + 0.5 * float(np.sum(draws == estimate))) / n_draws
    bias = normal.inv_cdf(min(max(below, 1 / n_draws), 1 - 1 / n_draws))
    centred = left_out.mean() - left_out
    spread = float((centred**2).sum())
    skew = float((centred**3).sum()) / (6 * spread**1.5) if spread > 0 else 0.0

    def corrected(tail: float) -> float:
        shifted = bias + normal.inv_cdf(tail)
        return normal.cdf(bias + shifted / max(1 - skew * shifted, 1e-6))

    return [corrected((1 - level) / 2), corrected((1 + level) / 2)]

"""Two arms of which one or both were trained several times on the same rows.

A training has luck of its own: the next one, with another seed, scores differently on the same rows. The difference of
the arms is then that of their mean scores over trainings, and its error has two independent parts: which
rows were drawn, and which seeds. The rows are many, the seeds two or three, so the parts are not pooled:

- **rows**: the interval of the mean row difference, each row averaged over its trainings (`tuneworth.stats.paired`);
- **seeds**: S² is the variance of the trainings' mean scores. Part of it is the luck of rows on which the trainings
  disagree, which the first part holds already; the interaction mean square of the two-way layout, over n, is
  taken off. What is left, over m, gets Student's t with m − 1 degrees of freedom: 4.3 standard errors for three
  trainings, 12.7 for two.

The two are joined as the method of variance estimates recovery does: distances from the estimate add in squares.
In simulation (as in ``tests/stats/test_stats_trainings.py``) it covers 94 to 98 % with three trainings, for right/wrong and
graded scores, spreads of 0, 1 and 3 points and 100 or 300 rows. One variance with Welch's degrees of freedom fell to 91 %,
the rows' part alone to 66 %. Where the seeds add nothing the interval is about an eighth wider than that of the rows.

With two trainings it covers 90 to 98 %, and is wide when they differ: two say very little of a spread.

Sources: Zou and Donner (2008), Statistics in Medicine 27:1693 (joining intervals); Searle, Casella and McCulloch (1992),
Variance Components, ch. 4 (two-way layout with one value in each cell).

NOT guaranteed: anything about trainings on other rows, or with other settings; only the seed differed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tuneworth.core.record import Interval
from tuneworth.stats._scipy import root, t_quantile
from tuneworth.stats.clusters import Clusters, drawing
from tuneworth.stats.intervals import RowStatistic, checked_scores
from tuneworth.stats.paired import N_CORPUS_RESAMPLES, PairedResult, compare_corpus, compare_means

Floats = NDArray[np.float64]

TRAININGS = "paired_trainings"
_LEAST_P = 1e-12


@dataclass(frozen=True, slots=True)
class Spread:
    """What the choice of seeds adds to the error of an arm's mean score.

    Attributes:
        error: standard error of the mean over trainings, less what rows explain.
        freedom: trainings less one.
    """

    error: float
    freedom: int

    def half(self, level: float) -> float:
        return t_quantile((1 + level) / 2, self.freedom) * self.error if self.error > 0 else 0.0


def compare_trainings(
    a: Sequence[ArrayLike],
    b: Sequence[ArrayLike],
    *,
    binary: bool,
    rng: np.random.Generator,
    level: float = 0.95,
    groups: Sequence[str] | None = None,
) -> PairedResult:
    """Compare the mean scores over trainings of two arms.

    Args:
        a, b: one array of per-row scores, shape ``(n,)``, for each training of the arm, all in the same order of rows. An
            arm that was trained once is taken as it is: nothing is known of its spread.
        binary: every score is 0 or 1.
        groups: the group of each row.

    Raises:
        ValueError: lengths differ, an arm has no training, or scores are not in [0, 1].
    """
    first, second = _stacked(a, binary=binary), _stacked(b, binary=binary)
    means = first.mean(axis=0), second.mean(axis=0)
    rows = compare_means(*means, rng=rng, level=level, groups=groups)
    found = (spread_of(scores, groups) for scores in (first, second))
    return _widened(rows, [spread for spread in found if spread is not None], level)


def compare_corpus_trainings(
    a: Sequence[ArrayLike],
    b: Sequence[ArrayLike],
    values_a: Sequence[RowStatistic],
    values_b: Sequence[RowStatistic],
    *,
    rng: np.random.Generator,
    level: float = 0.95,
    groups: Sequence[str] | None = None,
) -> PairedResult:
    """The same for a statistic of the whole sample: ``values_a`` and ``values_b`` have one function a training.

    What rows explain of the spread is found by resampling them.
    """
    first, second = _stacked(a, binary=False), _stacked(b, binary=False)
    means = first.mean(axis=0), second.mean(axis=0)
    rows = compare_corpus(*means, _mean_of(values_a), _mean_of(values_b), rng=rng, level=level, groups=groups)
    n = first.shape[1]
    draw = drawing(Clusters.of(groups), n, rng)
    found = [_corpus_spread(values, n, draw) for values in (values_a, values_b) if len(values) > 1 and n > 1]
    return _widened(rows, found, level)


def spread_of(scores: Floats, groups: Sequence[str] | None = None) -> Spread | None:
    """Of trainings on the same rows, shape ``(m, n)``; ``None`` when there is only one, or no two rows or groups."""
    (m, n), clusters = scores.shape, Clusters.of(groups)
    n_units = n if clusters is None else clusters.n_groups
    if m < 2 or n_units < 2:
        return None
    by_training = scores.mean(axis=1, keepdims=True)
    left = scores - by_training - scores.mean(axis=0, keepdims=True) + scores.mean()
    if clusters is not None:
        left = np.stack([clusters.sums(line) for line in left])
    # Without groups the interaction mean square of the layout, over n.
    explained = float((left**2).sum()) * n_units / (n_units - 1) / (m - 1) / n**2
    return _spread(by_training[:, 0], explained)


def _corpus_spread(values: Sequence[RowStatistic], n: int, draw: Callable[[], NDArray[np.intp]]) -> Spread:
    everything = np.arange(n)
    drawn = (draw() for _ in range(N_CORPUS_RESAMPLES))
    draws = np.array([[value(rows) for value in values] for rows in drawn])
    left = draws - draws.mean(axis=0) - draws.mean(axis=1, keepdims=True) + draws.mean()
    explained = float((left**2).sum()) / ((len(draws) - 1) * (len(values) - 1))
    return _spread(np.array([value(everything) for value in values]), explained)


def _spread(by_training: Floats, explained: float) -> Spread:
    m = by_training.size
    return Spread(math.sqrt(max(0.0, float(by_training.var(ddof=1)) - explained) / m), m - 1)


def _stacked(trainings: Sequence[ArrayLike], *, binary: bool) -> Floats:
    if not trainings:
        raise ValueError("an arm has no training")
    checked = [checked_scores(scores, binary=binary) for scores in trainings]
    if len({scores.shape for scores in checked}) > 1:
        raise ValueError("the trainings of an arm have different numbers of rows; they need the same rows")
    return np.stack(checked)


def _mean_of(values: Sequence[RowStatistic]) -> Callable[[NDArray[np.intp]], float]:
    return lambda rows: math.fsum(value(rows) for value in values) / len(values)


def _widened(rows: PairedResult, spreads: Sequence[Spread], level: float) -> PairedResult:
    """The comparison of the means with the spread of the trainings in interval and p-value."""
    seeds = math.hypot(*(spread.half(level) for spread in spreads)) if spreads else 0.0
    low = rows.difference - math.hypot(rows.difference - rows.interval.low, seeds)
    high = rows.difference + math.hypot(rows.interval.high - rows.difference, seeds)
    return replace(
        rows,
        interval=Interval(low=max(-1.0, low), high=min(1.0, high), level=level),
        p_value=max(rows.p_value, _p_value(rows, spreads, level)) if seeds else rows.p_value,
        method=TRAININGS,
        seeds=seeds,
    )


def _p_value(rows: PairedResult, spreads: Sequence[Spread], level: float) -> float:
    """The p at which the joined interval ends at zero; the rows' part has the width of their interval."""
    size, freedom = abs(rows.difference), (rows.n_groups or rows.n_rows) - 1
    half = (rows.interval.high - rows.interval.low) / 2
    error = half / t_quantile((1 + level) / 2, freedom)

    def beyond(p: float) -> float:
        return math.hypot(t_quantile(1 - p / 2, freedom) * error, *(spread.half(1 - p) for spread in spreads)) - size

    return 1.0 if size == 0.0 else root(beyond, _LEAST_P, 1.0) if beyond(_LEAST_P) > 0 else _LEAST_P

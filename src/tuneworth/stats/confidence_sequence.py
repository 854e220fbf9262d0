"""An interval of a mean that stays true however often it is looked at.

The target is the population: the mean over all rows like these, of which the rows seen are a sample. That
is what the race wants, because it chooses an arm for rows that nobody has labelled yet. A random
order of a random sample is again a random sample, so reading the dev rows in one fixed random order changes
nothing. The mean over just these dev rows could be told with a narrower interval, which shrinks to a
point at the last row; it would answer a question that the user does not have.

Source: hedged capital confidence sequence, Waudby-Smith and Ramdas (2024), JRSS B 86:1; each side gets half of
``alpha``. See `tuneworth.stats.betting` for the bets.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tuneworth.core.record import Interval
from tuneworth.stats.betting import N_LATTICE, both_bounds, check_alpha, histogram, unit

Floats = NDArray[np.float64]

DENSE_LOOKS = 200
LOOK_GROWTH = 1.02
"""Beyond ``DENSE_LOOKS`` rows a bound is renewed when there are a fiftieth more."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """A confidence sequence; ``low[t]`` and ``high[t]`` are in force after ``t + 1`` values."""

    low: Floats
    high: Floats


class ConfidenceSequence:
    """The interval of a mean while rows arrive.

    With probability at least ``1 - alpha`` the mean lies in *all* intervals that are ever shown. They are
    nested: what was once excluded stays so. In the rare case that this would leave nothing (it takes an
    interval that missed the mean, or rows that are not of one kind) the last interval stands.

    NOT guaranteed: anything for rows that come in a chosen order, or that the arms were fitted to.
    """

    def __init__(self, *, alpha: float = 0.05, bounds: tuple[float, float] = (-1.0, 1.0)):
        check_alpha(alpha)
        self._alpha, self._bounds = alpha, bounds
        self._weights = np.zeros((1, N_LATTICE))
        self._low, self._high = bounds
        self._total = 0.0
        self.n_rows = 0

    def add(self, values: ArrayLike) -> None:
        """Take more values, shape ``(n,)``; NaN is an unscored row and is left out.

        Raises:
            ValueError: a value lies outside the bounds.
        """
        numbers = _scored(values, self._bounds)
        if not numbers.size:
            return
        self._weights += histogram(numbers[None, :])
        self.n_rows += numbers.size
        self._total += float(numbers.sum())
        low, high = (float(side[0]) for side in _sides(self._weights, self._alpha, self._bounds))
        if max(low, self._low) <= min(high, self._high):
            self._low, self._high = max(low, self._low), min(high, self._high)

    @property
    def mean(self) -> float:
        """Mean of the values so far; NaN before the first."""
        low, high = self._bounds
        return low + (high - low) * self._total / self.n_rows if self.n_rows else math.nan

    @property
    def interval(self) -> Interval:
        return Interval(low=self._low, high=self._high, level=1 - self._alpha)


def confidence_sequence(
    differences: ArrayLike, *, alpha: float = 0.05, bounds: tuple[float, float] = (-1.0, 1.0)
) -> Bounds:
    """All intervals of the mean while ``differences``, shape ``(n,)``, are read one by one.

    The same promise as `ConfidenceSequence`. NaN is left out, so the result may be shorter. Bounds are renewed
    after each of the first ``DENSE_LOOKS`` rows, then at every fiftieth more; looking less often is allowed.

    Raises:
        ValueError: a value lies outside the bounds.
    """
    check_alpha(alpha)
    numbers = _scored(differences, bounds)
    looks = _looks(numbers.size)
    low, high = _nested(*_sides(_histograms_at(numbers, looks), alpha, bounds))
    # The look in force after n rows is the last one that is not beyond n.
    latest = np.searchsorted(looks, np.arange(1, numbers.size + 1), side="right") - 1
    return Bounds(low[latest], high[latest])


def _scored(values: ArrayLike, bounds: tuple[float, float]) -> Floats:
    numbers = unit(values, bounds)
    if numbers.ndim != 1:
        raise ValueError(f"values have shape {numbers.shape}, must be one per row")
    return numbers[~np.isnan(numbers)]


def _looks(n: int) -> NDArray[np.intp]:
    """Numbers of rows at which bounds are computed, increasing, ``n`` not necessarily among them."""
    dense = np.arange(1, min(n, DENSE_LOOKS) + 1)
    steps = max(0, math.floor(math.log(max(n, 1) / DENSE_LOOKS) / math.log(LOOK_GROWTH)))
    return np.concatenate([dense, (DENSE_LOOKS * LOOK_GROWTH ** np.arange(1, steps + 1)).astype(np.intp)])


def _histograms_at(numbers: Floats, looks: NDArray[np.intp]) -> Floats:
    """One histogram of all rows up to each look, shape ``(looks, N_LATTICE)``."""
    starts = np.concatenate([[0], looks[:-1]])
    pieces = [histogram(numbers[None, start:stop]) for start, stop in zip(starts, looks)]
    return np.cumsum(np.concatenate(pieces), axis=0) if pieces else np.zeros((0, N_LATTICE))


def _sides(weights: Floats, alpha: float, bounds: tuple[float, float]) -> tuple[Floats, Floats]:
    low, high = both_bounds(weights, math.log(2 / alpha))
    return bounds[0] + (bounds[1] - bounds[0]) * low, bounds[0] + (bounds[1] - bounds[0]) * high


def _nested(low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Running intersection; from where it would be empty on, the last interval that was not."""
    low, high = np.maximum.accumulate(low), np.minimum.accumulate(high)
    # A running intersection that is empty once is empty for ever.
    kept = np.cumsum(low <= high) - 1
    return low[kept], high[kept]

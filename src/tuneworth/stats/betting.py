"""Evidence as winnings: a test of a mean that may be looked at after every row.

Whoever doubts that the mean of numbers in [0, 1] is at most ``m`` may stake a share ``c`` of their capital
on each: a number ``x`` multiplies it by ``1 - c + c x / m``. If the mean is at most ``m`` the game is fair or
worse, so the capital, which starts at 1, ever reaches ``1 / alpha`` with probability at most ``alpha``,
however often one looks (Ville's inequality). Capital is therefore evidence, an *e-value*; the means under
which nobody got rich form a confidence sequence.

The capital is spread evenly over ``STAKES`` and left there. That was chosen in simulation over stakes that
follow the data (aGRAPA, predictable plug-in) and over empirical Bernstein: at 20 to 2,000 rows with mostly
equal scores it needed the fewest rows or nearly so (``benchmarks/sequential.py``). It also makes the order
of the rows irrelevant, so a histogram of the numbers is all the state there is.

Numbers between two lattice points are split between these so that their mean is kept. The logarithm of a
wealth factor is concave in the number, so the split can only lower the capital: the price of the
histogram is a little power, never validity. Right/wrong scores and whole hundredths lie on the lattice.

Sources: Waudby-Smith and Ramdas (2024), Estimating means of bounded random variables by betting, JRSS B
86:1 (capital process, hedged capital, diversified Kelly betting); Cover (1991), Universal portfolios,
Mathematical Finance 1:1 (the even mixture of stakes); Ville (1939).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

N_STAKES = 24
STAKES: Floats = (np.arange(N_STAKES) + 0.5) / N_STAKES
"""Midpoints of [0, 1]: none is 1, so no single row takes everything."""
N_LATTICE = 201
LATTICE: Floats = np.linspace(0.0, 1.0, N_LATTICE)
"""Differences of scores, from -1 to 1, in steps of a hundredth of the metric."""
HALVINGS = 20
"""Bounds are told to a millionth of the range, rounded outwards."""
LARGEST_LOG = 690.0
"""An e-value is shown as a finite number; e to this power is nearly the largest there is."""


def unit(values: ArrayLike, bounds: tuple[float, float]) -> Floats:
    """The numbers moved from ``bounds`` to [0, 1]; those that are missing (NaN) stay so.

    Raises:
        ValueError: the bounds are no interval, or a number lies outside them.
    """
    low, high = bounds
    if not low < high:
        raise ValueError(f"bounds are {bounds}; the first must be below the second")
    numbers = np.asarray(values, dtype=np.float64)
    outside = (numbers < low) | (numbers > high)
    if outside.any():
        first = numbers[outside].flat[0]
        raise ValueError(f"{outside.sum()} values lie outside [{low:g}, {high:g}], the first is {first:g}")
    return (numbers - low) / (high - low)


def histogram(numbers: Floats) -> Floats:
    """How much lies on each lattice point, for every line of ``numbers``.

    Args:
        numbers: in [0, 1], shape ``(k, n)``; NaN is left out.

    Returns:
        Shape ``(k, N_LATTICE)``; a line sums to the count of its numbers, and has their mean.
    """
    present = ~np.isnan(numbers)
    places = numbers[present] * (N_LATTICE - 1)
    below = np.minimum(places.astype(np.intp), N_LATTICE - 2)
    above_share = places - below
    first = below + np.repeat(np.arange(len(numbers)) * N_LATTICE, present.sum(axis=1))
    weights = np.zeros(len(numbers) * N_LATTICE)
    weights += np.bincount(first, 1 - above_share, weights.size)
    weights += np.bincount(first + 1, above_share, weights.size)
    return weights.reshape(len(numbers), N_LATTICE)


def log_factors(numbers: Floats, mean: float | Floats) -> Floats:
    """Log of what a stake is multiplied by, if the mean is doubted from above: shape ``(…, N_STAKES)``."""
    return np.log1p(STAKES * (numbers / mean - 1)[..., None])


def log_mixture(log_capitals: Floats) -> Floats:
    """Log of the mean capital over the stakes (the last axis)."""
    top = log_capitals.max(axis=-1)
    return top + np.log(np.exp(log_capitals - top[..., None]).mean(axis=-1))


def log_wealth(weights: Floats, mean: float | Floats) -> Floats:
    """Log e-value against "the mean is at most ``mean``", for every histogram.

    Args:
        weights: shape ``(k, N_LATTICE)``.
        mean: in (0, 1], one for all or shape ``(k, 1)``.

    Returns:
        Shape ``(k,)``; decreasing in ``mean``.
    """
    used = weights.any(axis=0)
    table = log_factors(LATTICE[used], mean)
    return log_mixture(_weighted(weights[:, used], table))


def lower_bound(weights: Floats, log_threshold: float) -> Floats:
    """The least mean in [0, 1] against which there is no e-value of ``exp(log_threshold)``.

    Shape ``(k,)``, one for every histogram; rounded outwards. Never above the mean of the numbers: under
    their own mean the capital is at most 1.
    """
    rows = weights.sum(axis=1)
    refuted = np.zeros(len(weights))
    kept = np.where(rows > 0, weights @ LATTICE / np.maximum(rows, 1.0), 0.0)
    for _ in range(HALVINGS):
        middle = (refuted + kept) / 2
        # A mean of zero is only asked about when every number is zero; nothing refutes it then.
        beyond = log_wealth(weights, np.maximum(middle, 1e-300)[:, None]) >= log_threshold
        refuted, kept = np.where(beyond, middle, refuted), np.where(beyond, kept, middle)
    return refuted


def both_bounds(weights: Floats, log_threshold: float) -> tuple[Floats, Floats]:
    """Lower and upper bound of the mean in [0, 1], each against its own e-value; shapes ``(k,)``."""
    return lower_bound(weights, log_threshold), 1.0 - lower_bound(weights[:, ::-1], log_threshold)


def e_value(log_value: float) -> float:
    """A finite e-value from its logarithm."""
    return float(np.exp(min(log_value, LARGEST_LOG)))


def check_alpha(alpha: float) -> None:
    """Raises ``ValueError`` unless ``alpha`` is an error rate."""
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is {alpha}, must be in (0, 1): the share of runs that may err")


def _weighted(weights: Floats, table: NDArray[Any]) -> Floats:
    """Sum over lattice points; the table is shared, or there is one for every histogram."""
    return weights @ table if table.ndim == 2 else np.matmul(weights[:, None, :], table)[:, 0, :]


Floats = NDArray[np.float64]
Counts = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class _Against:
    """Differences of every arm with one leader: histograms ``(arms, N_LATTICE)`` of the first ``done`` rows, of which
    ``n_rows`` both scored."""

    weights: Floats
    done: Counts
    n_rows: Counts


class PairTable:
    """Scores in [0, 1] of arms on prefixes of one row order, and the differences of any two of them.

    Only pairs with a leader are asked for. For each arm that ever led there is one histogram per arm, brought up to date when
    asked: 200 arms on 10,000 rows take 26 MB, and a third of a megabyte per leader.

    Where rows come in groups, the mean difference of a group is one number of the histogram, taken when the group is
    complete: rows of a group are not independent, groups are.
    """

    def __init__(self, arms: Sequence[str], groups: Sequence[str] = ()):
        """Raises ``ValueError``: an arm is named twice, or the rows of a group do not follow one another.

        Args:
            groups: the group of each row in their order; without, each row is on its own.
        """
        starts = [at for at, name in enumerate(groups) if not at or not name or name != groups[at - 1]]
        if len({groups[at] for at in starts if groups[at]}) < sum(bool(groups[at]) for at in starts):
            raise ValueError("rows of a group do not follow one another")
        self._starts = np.array(starts, dtype=np.intp) if len(starts) < len(groups) else None
        self._ends = np.array([*starts[1:], len(groups)], dtype=np.intp)
        if len(set(arms)) != len(arms):
            raise ValueError(f"an arm is named twice among {', '.join(arms)}")
        self._index = {arm: index for index, arm in enumerate(arms)}
        self._scores = np.full((len(arms), 64), np.nan)
        self._length = [0] * len(arms)
        self._scored = [0] * len(arms)
        self._total = [0.0] * len(arms)
        self._against: dict[str, _Against] = {}

    def add(self, arm: str, scores: ArrayLike) -> None:
        """Append scores, shape ``(n,)``; NaN is an unscored row."""
        values = unit(scores, (0.0, 1.0))
        if values.ndim != 1:
            raise ValueError(f"scores of {arm} have shape {values.shape}, must be one per row")
        row = self._index[arm]
        start, stop = self._length[row], self._length[row] + values.size
        self._make_room(stop)
        self._scores[row, start:stop] = values
        scored = values[~np.isnan(values)]
        self._length[row] = stop
        self._scored[row] += scored.size
        self._total[row] += float(scored.sum())

    def leader(self, arms: Sequence[str], min_rows: int) -> str | None:
        """Of ``arms`` with ``min_rows`` scored rows, that with the highest mean less ``1 / √n``; the first of equals."""
        ready = [arm for arm in arms if self._scored[self._index[arm]] >= min_rows]
        return max(ready, key=self._surely, default=None)

    def seen_most(self, arms: Sequence[str]) -> list[str]:
        """Those of ``arms`` that have at least half as many scored rows as the one with the most."""
        most = max((self._scored[self._index[arm]] for arm in arms), default=0)
        return [arm for arm in arms if 2 * self._scored[self._index[arm]] >= most]

    def against(self, leader: str, arms: Sequence[str]) -> Floats:
        """Histograms of arm − leader, moved to [0, 1], on common scored rows or groups: shape ``(len(arms), N_LATTICE)``."""
        if leader not in self._against:
            none = np.zeros(len(self._index), dtype=np.intp)
            self._against[leader] = _Against(np.zeros((len(self._index), N_LATTICE)), none, none.copy())
        table, chosen = self._against[leader], np.array([self._index[arm] for arm in arms], dtype=np.intp)
        stops = np.minimum(np.array(self._length, dtype=np.intp)[chosen], self._length[self._index[leader]])
        if self._starts is not None:
            complete = np.searchsorted(self._ends, stops, side="right")
            stops = np.concatenate([[0], self._ends])[complete]
        # Arms mostly run in step: one block for all that lack the same rows.
        for start, stop in {(int(a), int(b)) for a, b in zip(table.done[chosen], stops) if a < b}:
            block = chosen[(table.done[chosen] == start) & (stops == stop)]
            rows = slice(start, stop)
            differences = self._scores[block, rows] - self._scores[self._index[leader], rows]
            table.n_rows[block] += np.sum(~np.isnan(differences), axis=1)
            table.weights[block] += histogram((1 + self._by_group(differences, start)) / 2)
            table.done[block] = stop
        return table.weights[chosen]

    def n_rows(self, leader: str, arm: str) -> int:
        """Rows that both scored, among those that `against` has looked at."""
        return int(self._against[leader].n_rows[self._index[arm]])

    def _by_group(self, differences: Floats, start: int) -> Floats:
        """Means over groups of differences of rows from ``start`` on, shape ``(arms, rows)``; NaN where a group has none."""
        if self._starts is None:
            return differences
        starts = self._starts[(self._starts >= start) & (self._starts < start + differences.shape[1])] - start
        known = np.add.reduceat(~np.isnan(differences), starts, axis=1, dtype=np.float64)
        sums = np.add.reduceat(np.nan_to_num(differences), starts, axis=1)
        return np.divide(sums, known, out=np.full(sums.shape, np.nan), where=known > 0)

    @staticmethod
    def mean_difference(weights: Floats) -> float:
        """Mean of one histogram, as a difference of scores; 0 without rows."""
        n = float(weights.sum())
        return 2 * float(weights @ LATTICE) / n - 1 if n else 0.0

    def _surely(self, arm: str) -> float:
        n = self._scored[self._index[arm]]
        return self._total[self._index[arm]] / n - 1 / math.sqrt(n)

    def _make_room(self, n_rows: int) -> None:
        lacking = n_rows - self._scores.shape[1]
        if lacking > 0:
            room = np.full((len(self._scores), max(lacking, self._scores.shape[1])), np.nan)
            self._scores = np.concatenate([self._scores, room], axis=1)

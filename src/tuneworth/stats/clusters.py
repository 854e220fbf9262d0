"""Rows that belong together: near-copies of one another, turns of one chat, rows of one customer.

Such rows say less than as many rows of their own would: 300 rows in groups of five that are all alike are worth 60. Whatever
counts rows counts groups here. A mean stays the mean over rows; its error comes from leaving out one group at a time (the
jackknife, which with groups of one row is the usual standard error), the bootstrap draws groups, and sign flips turn whole groups.

The *design effect* is the variance of the mean over what it would be with independent rows, and never taken to be below 1:
too few groups may look alike by luck. Quantiles are those of Student's t with n²/Σm² − 1 degrees of freedom, where m are the
sizes of the groups: few large ones among many small count as few.

Chosen by simulation (``benchmarks/honest_statistics.py``): over 150 × 2, 60 × 5, a power law of sizes and 40 users.

Sources: Miller (2024), arXiv 2411.00640, section 2.2 (clustered errors of evals); Kish (1965), Survey Sampling (design effect,
n²/Σm²); Cameron, Gelbach and Miller (2008), REStat 90:414 (bootstrap-t over groups); Dean and Pagano (2015), J Surv Stat
Methodol 3:484 (Wilson's interval with the effective number of rows and t).

NOT guaranteed: anything where groups are themselves alike. From fewer than ``MIN_GROUPS`` groups nothing is claimed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from tuneworth.stats._scipy import t_quantile

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]

N_RESAMPLES = 1_999
MIN_GROUPS = 10
"""Groups from which anything is claimed. With ten, equal or not, and rows of a group independent or all alike, intervals cover
at least 93 % and at most 5.5 % are falsely called better."""


def group_numbers(names: Sequence[str]) -> Positions:
    """Number of the group of each row, from 0 in the order of first rows; a row without a name is a group of its own."""
    numbers: dict[object, int] = {}
    return np.array([numbers.setdefault(name or at, len(numbers)) for at, name in enumerate(names)], dtype=np.intp)


@dataclass(frozen=True)
class Clusters:
    """Which rows belong together; at least one group has two rows.

    Attributes:
        of_row: number of the group of each row, from 0, shape ``(n,)``.
    """

    of_row: Positions

    @classmethod
    def of(cls, names: Sequence[str] | None) -> Clusters | None:
        """Rows with one name belong together, those with an empty name to nobody. ``None``: each row is on its own."""
        of_row = group_numbers(names or ())
        return cls(of_row) if of_row.size and of_row.max() < of_row.size - 1 else None

    @cached_property
    def sizes(self) -> Floats:
        return np.bincount(self.of_row).astype(np.float64)

    @property
    def n_groups(self) -> int:
        return self.sizes.size

    @property
    def alike(self) -> float:
        """Rows that these are worth when the rows of a group are all alike: n²/Σm²."""
        return float(self.sizes.sum() ** 2 / (self.sizes**2).sum())

    def sums(self, values: Floats) -> Floats:
        """By group, shape ``(groups,)``."""
        return np.bincount(self.of_row, values).astype(np.float64)

    def n_informative(self, values: Floats) -> int:
        """Groups with a row whose value is not the most frequent one."""
        found, at, counts = np.unique(values, return_inverse=True, return_counts=True)
        return int(np.unique(self.of_row[at != counts.argmax()]).size) if found.size else 0

    def error(self, values: Floats) -> float:
        """Standard error of the mean of ``values``, shape ``(n,)``: the jackknife over groups."""
        sums, m, n = self.sums(values), self.sizes, values.size
        if self.n_groups < 2:
            return 0.0
        left_out = (sums - m * values.mean()) / (n - m)
        return math.sqrt((1 - 1 / self.n_groups) * float((left_out**2).sum()))

    def design_effect(self, values: Floats) -> float:
        """At least 1; where nothing varies, as if the rows of a group were all alike."""
        n, spread = values.size, float(((values - values.mean()) ** 2).sum())
        if spread < 1e-12 or self.n_groups < 2:
            return n / self.alike
        return max(1.0, self.error(values) ** 2 * n * (n - 1) / spread)

    def t(self, level: float) -> float:
        return t_quantile((1 + level) / 2, max(1.0, self.alike - 1))

    def worth(self, values: Floats, level: float) -> float:
        """What one row counts for in an interval made for independent rows and the normal distribution, in (0, 1].

        Score intervals depend on z²/n alone, so the wider quantile is a smaller number of rows.
        """
        z = NormalDist().inv_cdf((1 + level) / 2)
        return (z / self.t(level)) ** 2 / self.design_effect(values)

    def half_width(self, values: Floats, rng: np.random.Generator, level: float) -> float:
        """Half the symmetric studentised bootstrap interval of the mean; groups are drawn, with their rows."""
        sums, m, n_groups, mean = self.sums(values), self.sizes, self.n_groups, float(values.mean())
        drawn = rng.multinomial(n_groups, np.full(n_groups, 1 / n_groups), N_RESAMPLES).astype(np.float64)
        n = drawn @ m
        means = drawn @ sums / n
        # Σ ((s − m·mean) / (n − m))² over the groups drawn; a draw of one group alone has no error.
        weights = np.divide(drawn, (n[:, None] - m) ** 2, out=np.zeros_like(drawn), where=n[:, None] > m)
        squares = weights @ sums**2 - 2 * means * (weights @ (sums * m)) + means**2 * (weights @ m**2)
        errors = np.sqrt((1 - 1 / n_groups) * squares.clip(min=0.0))
        off = np.abs(means - mean)
        pivots = np.divide(off, errors, out=np.where(off > 1e-12, np.inf, 0.0), where=errors > 1e-9)
        pivot = float(np.quantile(pivots, level, method="higher"))
        # Few and unequal groups: t with few degrees of freedom covers where the bootstrap does not, and the other way round.
        return max(pivot if math.isfinite(pivot) else 0.0, self.t(level)) * self.error(values)

    @cached_property
    def rows(self) -> list[Positions]:
        """Row numbers by group."""
        order = np.argsort(self.of_row, kind="stable")
        return np.split(order, np.cumsum(np.bincount(self.of_row))[:-1])


def drawing(clusters: Clusters | None, n: int, rng: np.random.Generator) -> Callable[[], Positions]:
    """A function that draws rows with replacement: ``n`` of them, or all rows of as many groups as there are."""
    if clusters is None:
        return lambda: rng.integers(0, n, n)
    rows, n_groups = clusters.rows, clusters.n_groups

    def draw() -> Positions:
        chosen: list[int] = rng.integers(0, n_groups, n_groups).tolist()
        return np.concatenate([rows[group] for group in chosen])

    return draw


def leaving_one_out(clusters: Clusters | None, n: int) -> list[Positions]:
    """All rows but one, or but those of one group, for each of them."""
    everything = np.arange(n)
    if clusters is None:
        return [np.delete(everything, row) for row in range(n)]
    return [np.delete(everything, rows) for rows in clusters.rows]

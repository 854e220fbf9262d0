"""Where the mean difference of two arms will stand when all rows are in, and what that is expected to gain.

When all rows are in, the better of two arms is taken. So more rows of an arm that is behind gain what it is then ahead,
if it is, and nothing if it is not: the expected value of ``max(0, final difference)``. This is the expected opportunity
cost of stopping now (Chick and Inoue 2001, Oper Res 49:732) with all of the remaining rows in one step; the
knowledge gradient (Frazier, Powell and Dayanik 2008, SIAM J Control Optim 47:2410) looks one row ahead instead, which for
arms far apart is nought until many rows later.

NOT guaranteed: any error rate. The share of good arms given up is found by simulation (``benchmarks/race.py``), not bounded.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from tuneworth.stats.clusters import Clusters

Floats = NDArray[np.float64]

PRIOR_SD = 0.1
"""Difference of two arms that may both win. Arms differ by more; but the less is believed of a lead on 32 rows the less often
the best arm is given up for it (in simulation half as often as with 0.2, for a twentieth more rows)."""
PRIOR_ROWS = 2.0
PRIOR_VARIANCE = 0.5
"""Of the difference of two independent right/wrong scores, each right half the time."""

_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Paired:
    """Differences of two arms, row by row.

    Attributes:
        seen: rows that both were asked; ``n``: that both scored.
        spread: sum of the squared deviations from the mean; of their sums, where rows come in groups.
    """

    seen: int = 0
    n: int = 0
    mean: float = 0.0
    spread: float = 0.0


def paired(differences: Floats, groups: Sequence[str] = ()) -> Paired:
    """Of differences of shape ``(seen,)``, NaN where a row has none; ``groups``: the group of each row, where it has one."""
    present = ~np.isnan(differences)
    known = differences[present]
    mean = float(known.mean()) if known.size else 0.0
    off = known - mean
    if (clusters := Clusters.of(list(compress(groups, present)))) is not None:
        off = clusters.sums(off)
    return Paired(differences.size, known.size, mean, float((off**2).sum()))


@dataclass(frozen=True, slots=True)
class FinalGap:
    """Normal distribution of the difference of two arms on all dev rows."""

    mean: float
    sd: float

    def gain(self) -> float:
        """Expected value of the positive part of the difference."""
        if self.sd <= 0:
            return max(0.0, self.mean)
        z = self.mean / self.sd
        return self.sd * _NORMAL.pdf(z) + self.mean * _NORMAL.cdf(z)

    def below(self, limit: float) -> float:
        """Probability that the difference is below ``limit``."""
        return float(self.mean < limit) if self.sd <= 0 else _NORMAL.cdf((limit - self.mean) / self.sd)

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        reach = _NORMAL.inv_cdf((1 + level) / 2) * self.sd
        return self.mean - reach, self.mean + reach

    def moved(self, by: float, sd: float) -> FinalGap:
        """After something that changes the difference by ``by``, with this standard deviation."""
        return FinalGap(self.mean + by, math.hypot(self.sd, sd))


def final_gap(pairs: Paired, n_dev: int) -> FinalGap:
    """Where the difference will stand when all ``n_dev`` rows are in.

    Of the known rows it is certain, and for the others a normal posterior is used. Two priors keep few rows from looking
    like many: differences of arms are around 0 by ``PRIOR_SD`` (so the lucky lead of the best of many is not believed in
    full), and the variance of a row's difference counts ``PRIOR_ROWS`` rows of a coin against a coin (so rows on which
    two arms happened to agree do not make them the same).
    """
    rest = n_dev - pairs.seen
    if rest <= 0:
        return FinalGap(pairs.mean, 0.0)
    variance = (pairs.spread + PRIOR_ROWS * PRIOR_VARIANCE) / (pairs.n + PRIOR_ROWS)
    precision = 1 / PRIOR_SD**2 + pairs.n / variance
    true_mean = pairs.n * pairs.mean / variance / precision
    return FinalGap(
        mean=(pairs.seen * pairs.mean + rest * true_mean) / n_dev,
        sd=rest / n_dev * math.sqrt(1 / precision + variance / rest),
    )

"""What looking further at an arm is expected to gain.

When all dev rows are in, the better of two arms is taken. So more rows of an arm that is behind gain what it is then
ahead, if it is, and nothing if it is not: the expected value of ``max(0, final difference)``. This is the
expected opportunity cost of stopping now (Chick and Inoue 2001, Oper Res 49:732) with all of the remaining rows
in one step; the knowledge gradient (Frazier, Powell and Dayanik 2008, SIAM J Control Optim 47:2410) looks one row
ahead instead, which for arms far apart is nought until many rows later.

The final difference is that on these dev rows: of the ``n`` known rows it is certain, and for the others a normal
posterior is used. Two priors keep few rows from looking like many: differences of arms are around 0 by
``PRIOR_SD`` (so the lucky lead of the best of many is not believed in full), and the variance of a row's difference
counts ``PRIOR_ROWS`` rows of a coin against a coin (so rows on which two arms happened to agree do not make
them the same).

It is no promise: the share of good arms given up is found by simulation (``benchmarks/race.py``), not bounded.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

PRIOR_SD = 0.1
"""Difference of two arms that may both win. Arms differ by more; but the less is believed of a lead on 32 rows the less often
the best arm is given up for it (in simulation half as often as with 0.2, for a twentieth more rows)."""
PRIOR_ROWS = 2.0
PRIOR_VARIANCE = 0.5
"""Of the difference of two independent right/wrong scores, each right half the time."""
RISE = 0.03
RISE_SD = 0.05
"""What a doubling of the training rows adds, as a rough guide to whether a smaller size is worth trying. The heads and the LoRA that
these were read from rose by 1 to 12 points; whether to stop is decided by a forecast of the arm's own curve."""

_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Pairs:
    """Sums over the rows that two arms both scored: of their differences, and of the squares.

    Attributes:
        seen: rows that both were asked, scored or not.
        n: rows that both scored.
    """

    seen: int = 0
    n: int = 0
    total: float = 0.0
    squares: float = 0.0

    @property
    def mean(self) -> float:
        return self.total / self.n if self.n else 0.0


@dataclass(frozen=True, slots=True)
class Outlook:
    """Normal distribution of the difference on all dev rows."""

    mean: float
    sd: float

    def gain(self, head_start: float = 0.0) -> float:
        """Expected value of the positive part of the difference plus ``head_start``."""
        mean = self.mean + head_start
        if self.sd <= 0:
            return max(0.0, mean)
        z = mean / self.sd
        return self.sd * _NORMAL.pdf(z) + mean * _NORMAL.cdf(z)

    def below(self, limit: float) -> float:
        """Probability that the difference is below ``limit``."""
        return float(self.mean < limit) if self.sd <= 0 else _NORMAL.cdf((limit - self.mean) / self.sd)

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        reach = _NORMAL.inv_cdf((1 + level) / 2) * self.sd
        return self.mean - reach, self.mean + reach

    def risen(self, doublings: float) -> Outlook:
        """After more training rows, so many times doubled."""
        return Outlook(self.mean + RISE * doublings, math.hypot(self.sd, RISE_SD * doublings))


def outlook(pairs: Pairs, n_dev: int) -> Outlook:
    """Where the difference will stand when all ``n_dev`` rows are in."""
    rest = n_dev - pairs.seen
    if rest <= 0:
        return Outlook(pairs.mean, 0.0)
    spread = max(0.0, pairs.squares - pairs.n * pairs.mean**2)
    variance = (spread + PRIOR_ROWS * PRIOR_VARIANCE) / (pairs.n + PRIOR_ROWS)
    precision = 1 / PRIOR_SD**2 + pairs.n / variance
    true_mean = pairs.total / variance / precision
    return Outlook(
        mean=(pairs.seen * pairs.mean + rest * true_mean) / n_dev,
        sd=rest / n_dev * math.sqrt(1 / precision + variance / rest),
    )

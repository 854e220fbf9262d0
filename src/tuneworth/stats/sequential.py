"""When an arm may leave the race: it is worse than another by more than the margin, and peeking is allowed.

What an arm is tested for is "its mean is at least that of the leader, less the margin". An arm inside the
margin is as good as the leader by the user's own word, and may win as the simpler one, so it stays; with a
margin of 0 the same test reads "worse at all".

Why at most ``alpha`` of all runs ever lose an arm that lies within the margin of the best,
whoever leads:

1. For one ordered pair (arm, other) the e-value of `tuneworth.stats.betting` exceeds ``c`` at *any* number of
   rows with probability at most ``1 / c``, if the arm is not worse by more than the margin. This holds at
   all row counts at once, so a scheduler may choose who runs next, and how far, by all it has seen.
2. The leader is chosen by the data. So every ordered pair counts, also those never looked at: with G arms
   within the margin of the best and K arms in all, G (K - 1) pairs. All their e-values stay below
   ``G (K - 1) / alpha`` in all but ``alpha`` of the runs.
3. With A arms not yet eliminated the threshold is ``A (K - 1) / alpha``. Until one of the G arms falls, A is at
   least G, so in those runs none ever does. This is Holm's step-down over arms, here by a direct argument.

The promise is about the population of rows like these, not about the dev rows at hand. Where rows come in groups, one bet
is made on the mean difference of each group, and the promise is about a mean in which every group counts once.

NOT guaranteed: anything about arms that were fitted to, or chosen by, the rows they race on; about rows that
were not put in random order; and, where arms fail on different rows, that a pair's common rows are
like all rows.

Sources: Waudby-Smith and Ramdas (2024), JRSS B 86:1; Holm (1979), Scand J Stat 6:65, for sequences of tests
Bartroff and Song (2014), J Stat Plan Inference 153:100; the idea of a race is Maron and Moore (1994), NIPS 6.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tuneworth.core.record import Interval
from tuneworth.stats.betting import (
    PairTable,
    both_bounds,
    check_alpha,
    e_value,
    log_wealth,
)
from tuneworth.stats.family import ALPHA, MIN_PAIRS

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Standing:
    """An arm against the leader on the rows that both scored.

    Attributes:
        interval: of arm − leader. Its upper end is below −margin exactly when the arm is to leave. Its level
            is that of this pair alone; it is high so that all pairs together keep the promise.
        e_value: evidence that the arm is worse by more than the margin.
        e_needed: the evidence at which it leaves.
    """

    arm: str
    leader: str
    n_rows: int
    difference: float
    interval: Interval
    e_value: float
    e_needed: float


Elimination = Standing
"""A standing at the moment the arm left."""


@dataclass(frozen=True, slots=True)
class _Rival:
    """An arm against a leader: the histogram of arm − leader, moved to [0, 1], and the log e-value."""

    arm: str
    leader: str
    weights: Floats
    log_evidence: float


class Eliminator:
    """Watches all arms of a race and says which are to leave.

    Arms have scores on prefixes, of any lengths, of one row order. The work per check is that of the rows
    that are new, plus a little per arm.
    """

    def __init__(
        self,
        arms: Sequence[str],
        *,
        margin: float,
        alpha: float = ALPHA,
        groups: Sequence[str] = (),
    ):
        """Declare the race.

        Args:
            arms: every arm that will ever be scored; the promise is split over all of them.
            margin: in [0, 1); 0 eliminates whatever is worse at all.
            alpha: share of runs that may lose an arm within the margin of the best.
            groups: the group of each row in their order, the rows of a group one after another; a group counts when it
                is complete. Without, each row is on its own.

        Raises:
            ValueError: an arm is named twice, the rows of a group are apart, or the margin or alpha is out of range.
        """
        check_margin(margin)
        check_alpha(alpha)
        self._margin, self._alpha = margin, alpha
        self._arms = tuple(arms)
        self._pairs = PairTable(self._arms, groups)
        self._out: set[str] = set()

    @property
    def eliminated(self) -> frozenset[str]:
        return frozenset(self._out)

    @property
    def leader(self) -> str | None:
        """The arm to beat; ``None`` before ``MIN_PAIRS`` rows of any arm.

        The highest mean less ``1 / √n``, two standard errors of a coin, so that few lucky rows do not lead.
        The choice is free: the promise counts every pair.
        """
        return self._pairs.leader(self._alive(), MIN_PAIRS)

    def add(self, arm: str, scores: ArrayLike) -> None:
        """Take the scores of an arm on its next rows, shape ``(n,)``, in [0, 1]; NaN where it has none.

        Raises:
            KeyError: the arm was not declared.
            ValueError: a score lies outside [0, 1].
        """
        self._pairs.add(arm, scores)

    def check(self) -> list[Elimination]:
        """Eliminate every arm that is surely worse than a leader by more than the margin.

        Returns:
            The arms that leave now, surest first.
        """
        gone: list[Elimination] = []
        for rival in self._rivals():
            if rival.log_evidence < self._log_needed():
                break
            gone.append(self._standing(rival))
            self._out.add(rival.arm)
        return gone

    def standings(self) -> list[Standing]:
        """Every arm still in the race but the leader, the one nearest to leaving first."""
        return [self._standing(rival) for rival in self._rivals() if rival.arm != self.leader]

    def _alive(self) -> list[str]:
        return [arm for arm in self._arms if arm not in self._out]

    def _rivals(self) -> list[_Rival]:
        """Each arm with enough rows, against the leader that says most about it; the most evidence first.

        Two may lead: the best of all, and the best of those that have seen most of the rows. The first may have
        been stopped early for its price, and what came later would then count for nothing.
        """
        arms = self._alive()
        leaders = [self._pairs.leader(group, MIN_PAIRS) for group in (arms, self._pairs.seen_most(arms))]
        found: dict[str, _Rival] = {}
        for leader in dict.fromkeys(leader for leader in leaders if leader is not None):
            others = [arm for arm in arms if arm != leader]
            weights = self._pairs.against(leader, others)
            evidence = log_wealth(weights[:, ::-1], (1 + self._margin) / 2).tolist()
            enough = weights.sum(axis=1) > MIN_PAIRS - 0.5  # halves, because the sum is of split rows
            for arm, line, log_evidence in compress(zip(others, weights, evidence), enough):
                if arm not in found or log_evidence > found[arm].log_evidence:
                    found[arm] = _Rival(arm, leader, line, log_evidence)
        return sorted(found.values(), key=lambda rival: -rival.log_evidence)

    def _log_needed(self) -> float:
        return math.log((len(self._arms) - len(self._out)) * (len(self._arms) - 1) / self._alpha)

    def _standing(self, rival: _Rival) -> Standing:
        needed = self._log_needed()
        low, high = (2 * float(side[0]) - 1 for side in both_bounds(rival.weights[None, :], needed))
        return Standing(
            arm=rival.arm,
            leader=rival.leader,
            n_rows=self._pairs.n_rows(rival.leader, rival.arm),
            difference=PairTable.mean_difference(rival.weights),
            interval=Interval(low=low, high=high, level=1 - 2 * math.exp(-needed)),
            e_value=e_value(rival.log_evidence),
            e_needed=math.exp(needed),
        )


def check_margin(margin: float) -> None:
    """Raises ``ValueError`` unless ``margin`` is 0 or a fraction of the metric's range."""
    if not 0 <= margin < 1:
        raise ValueError(f"margin is {margin}, must be in [0, 1): a fraction of the metric's range")

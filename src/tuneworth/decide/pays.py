"""What arms are worth against one another, dollars a month at the user's volume.

Without ``usd_per_error`` that is what one costs less than the other. With it errors are money as well:

    better off by    what b costs − what a costs + calls a month · dollars an error · (score of a − score of b)

A row with a score of 0 is one error, one with 0.6 is 0.4 of one. Intervals are of 80 %: one that is all above zero is a probability of
90 %. The interval of the sum is put together from those of its parts (MOVER: Zou
and Donner 2008, Statistics in Medicine 27:1693), which keeps their skew: the lower end is the sum minus the root of the squared distances
of the parts from their lower ends. The probability is that of the level at which the interval would end at zero.

**Surely** is a probability of 90 %, of a difference of at least a hundredth of the larger bill: less is *level*, however sure. What is recommended is found by going up from the simplest arm: as long as others are surely better
off than it, the simplest of those takes its place. So the simpler wins where money does not decide, and an arm whose price falls cannot
lose its place by it. Where a price or the volume is not known, or fewer than ten groups of rows were measured, nothing is sure.

NOT guaranteed: anything about tokens and errors that come together; the two are taken as independent, and so are volume and costs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean

from tuneworth.core.costs import CostFigure, CostPair, CostRange
from tuneworth.core.run import ArmResult
from tuneworth.decide.evidence import Evidence
from tuneworth.decide.reason import Dollars
from tuneworth.stats.family import too_few

SURE = 0.9
LITTLE = 0.01
LEVEL = 2 * SURE - 1
"""Of intervals of dollars."""
Z = NormalDist().inv_cdf(SURE)


@dataclass(frozen=True)
class Gain(Dollars):
    """Dollars a month that an arm is better off by than another.

    Attributes:
        p: probability that it is better off at all.
        least: less is no difference that anybody would change anything for.
    """

    p: float
    least: float

    @property
    def answer(self) -> str:
        """``better``, ``worse``, ``level`` or ``open``."""
        if max(abs(self.usd), abs(self.low), abs(self.high)) < self.least:
            return "level"
        if abs(self.usd) < self.least:
            return "open"
        return "better" if self.p >= SURE else "worse" if self.p <= 1 - SURE else "open"

    @property
    def turned(self) -> Gain:
        return Gain(-self.usd, -self.high, -self.low, 1 - self.p, self.least)


def saving(evidence: Evidence, a: ArmResult, b: ArmResult) -> Gain | None:
    """What ``a`` costs less than ``b``; ``None``: not known, or not how surely."""
    pair = pair_of(evidence, a, b)
    by = pair.cheaper_by if pair is not None else None
    if pair is None or by is None or by.value is None or by.inner is None or pair.p_cheaper is None:
        return None
    if by.inner.low is None or by.inner.high is None:
        return None
    months = [month.value or 0.0 for arm in (a, b) if (month := monthly_of(evidence, arm)) is not None]
    gain = Gain(by.value, by.inner.low, by.inner.high, pair.p_cheaper, LITTLE * max(months, default=0.0))
    return gain if pair.a == a.arm_id else gain.turned


def monthly_of(evidence: Evidence, arm: ArmResult) -> CostRange | None:
    of = evidence.costs.arm(arm.arm_id) if evidence.costs is not None else None
    return of.monthly if of is not None else None


def pair_of(evidence: Evidence, a: ArmResult, b: ArmResult) -> CostPair | None:
    return evidence.costs.pair(a.arm_id, b.arm_id) if evidence.costs is not None else None


def better_off(evidence: Evidence, a: ArmResult, b: ArmResult) -> Gain | None:
    """What ``a`` is better off by than ``b``, errors included where they have a price."""
    costs, each = saving(evidence, a, b), evidence.usd_per_error
    if costs is None or each is None:
        return costs
    pair, (whole, spread) = evidence.between(a, b), _all_errors(evidence, each)
    if too_few(pair):
        return None
    value, narrower = whole * pair.difference, Z / NormalDist().inv_cdf((1 + pair.interval.level) / 2)
    parts = [  # distances of the parts from their lower and upper ends
        (costs.usd - costs.low, costs.high - costs.usd),
        tuple(whole * narrower * abs(end - pair.difference) for end in (pair.interval.low, pair.interval.high)),
        (spread * abs(value), spread * abs(value)),
    ]
    usd = costs.usd + value
    below, above = (math.hypot(*(part[side] for part in parts)) for side in (0, 1))
    towards_zero = below if usd > 0 else above
    p = NormalDist().cdf(Z * usd / towards_zero) if towards_zero > 0 else 0.5 if usd == 0 else float(usd > 0)
    return Gain(usd, usd - below, usd + above, p, costs.least)


def priced_at(evidence: Evidence) -> tuple[float | None, float | None]:
    """Dollars an error and calls a month, the middles of what was stated; ``None``: nobody did."""
    return _middle(evidence.usd_per_error), evidence.costs.calls_per_month if evidence.costs is not None else None


def mean_calls(evidence: Evidence) -> float | None:
    """Calls a month, the mean over the months looked at, as growth is in what they cost; ``None``: not stated."""
    costs = evidence.costs
    if costs is None or costs.calls_per_month is None:
        return None
    growth = _middle(_figure(evidence, "traffic.growth_per_month")) or 0.0
    return costs.calls_per_month * fmean((1 + growth) ** month for month in range(costs.months))


def errors_apart(evidence: Evidence, a: ArmResult, b: ArmResult) -> float | None:
    """Dollars a month that errors of ``a`` cost less than those of ``b``; ``None``: they have no price."""
    each = evidence.usd_per_error
    return None if each is None else _all_errors(evidence, each)[0] * evidence.between(a, b).difference


def _all_errors(evidence: Evidence, each: CostFigure) -> tuple[float, float]:
    """Dollars a month if every call were an error, and the share of them by which volume and price reach up and down."""
    volume = _figure(evidence, "traffic.calls_per_month")
    spreads = [
        LEVEL * (figure.high - figure.low) / (figure.high + figure.low)
        for figure in (volume, each)
        if figure is not None and figure.low is not None and figure.high
    ]
    return (mean_calls(evidence) or 0.0) * (_middle(each) or 0.0), math.hypot(*spreads)


def _figure(evidence: Evidence, name: str) -> CostFigure | None:
    figures = evidence.costs.figures if evidence.costs is not None else []
    return next((figure for figure in figures if figure.name == name), None)


def _middle(figure: CostFigure | None) -> float | None:
    if figure is None or figure.low is None or figure.high is None:
        return None
    return (figure.low + figure.high) / 2


def surely(evidence: Evidence, a: ArmResult, b: ArmResult) -> bool:
    """Whether ``a`` is surely better off than ``b``."""
    gain = better_off(evidence, a, b) if a is not b else None
    return gain is not None and gain.answer == "better"


def simplest_that_pays(evidence: Evidence, arms: Sequence[ArmResult]) -> ArmResult:
    """Of arms among which only money and simplicity decide: see the head of the module."""
    first = min(arms, key=simplest)
    better = [arm for arm in arms if surely(evidence, arm, first)]
    return simplest_that_pays(evidence, better) if better else first


def simplest(arm: ArmResult) -> tuple[int, str]:
    return arm.effort, arm.arm_id


def price_of_an_error(evidence: Evidence, a: ArmResult, b: ArmResult) -> float | None:
    """Dollars an error at which both are as well off; ``None``: at none, the same arm is better and cheaper, or not known."""
    costs, calls, pair = saving(evidence, a, b), mean_calls(evidence), evidence.between(a, b)
    if costs is None or not calls or too_few(pair) or costs.usd * pair.difference >= 0:
        return None
    return -costs.usd / (calls * pair.difference)

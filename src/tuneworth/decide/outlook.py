"""What the race and the learning curve say of a tuned arm beyond its comparison on the test rows.

A forecast may decide (``sure``) only if its number can be acted on and nothing speaks against it:

- the curve was measured, the training was not cut by time, and the test rows do not contradict the dev rows;
- it says that the margin is reached with more rows than there are at hand, and the 80 % interval of that number ends
  within reach. As it ends there, the probability that the arm overtakes at all is at least 90 %;
- it does not look further than ``FAR`` times the largest size trained on. Forecasts to four times the size were
  put to the test (``docs/benchmarks.md``); ten is as far as we let a verdict lean on that;
- the interval is not wider than the number is worth: its upper end is at most ``WIDE`` times the median.

Else it is told among what would change the verdict, with what is weak about it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist

from tuneworth.core.race import BandPoint, Forecast, ForecastCrossing, Stop
from tuneworth.core.record import Interval
from tuneworth.core.run import ArmResult
from tuneworth.decide.evidence import Evidence
from tuneworth.decide.reason import Reason
from tuneworth.stats.curve_crossing import REACH

FAR = 10
WIDE = 10
CONTRADICTED = 1.96
"""Standard errors between what dev and test rows say of the same two arms."""


@dataclass(frozen=True)
class More:
    """Training rows to add to those at hand; ``high`` is ``None`` when the interval ends beyond reach."""

    n: int
    low: int
    high: int | None


@dataclass(frozen=True)
class Outlook:
    """A tuned arm against the best untuned one.

    Attributes:
        n_train: training rows at hand.
        n_used: training rows of the fit that met the test rows.
        largest: most training rows that it was fitted on.
        forecast: its learning curve against that untuned arm.
        more: rows after which it is forecast to lead by the margin, if more than are at hand.
        sure: the forecast may decide.
        high: upper 95 % end of its score on all rows at hand; ``None`` when nobody knows.
        backed: even that end does not reach the untuned arm by the margin.
        stop: why it was not trained on more rows.
    """

    n_train: int
    n_used: int
    largest: int
    forecast: Forecast | None = None
    more: More | None = None
    sure: bool = False
    high: float | None = None
    backed: bool = False
    stop: Stop | None = None

    @property
    def grown(self) -> bool:
        """It was trained on all rows at hand."""
        return self.largest >= self.n_train

    @property
    def crossing(self) -> ForecastCrossing | None:
        """Where the learning curve overtakes the untuned arm; ``None`` without a curve."""
        return self.forecast.crossing if self.forecast is not None else None

    @property
    def never(self) -> bool:
        """It is forecast not to overtake within a hundred times the data."""
        return self.crossing is not None and self.crossing.status == "not_within"

    @property
    def reach(self) -> int:
        """Training rows up to which the curve is looked at."""
        return REACH * max(point.n for point in self.forecast.points) if self.forecast is not None else 0


def outlook_of(evidence: Evidence, tuned: ArmResult, untuned: ArmResult) -> Outlook:
    """What is known of ``tuned`` with more rows, held against ``untuned``."""
    n_train, margin = evidence.n_train, evidence.task.margin
    curves = [curve for curve in evidence.forecasts if (curve.arm_id, curve.axis) == (tuned.arm_id, "rows")]
    about_both = (
        curve
        for curve in curves
        if curve.target == untuned.arm_id and curve.crossing is not None
        if math.isclose(curve.margin, margin, abs_tol=1e-9)
    )
    forecast = next(about_both, None)
    more, sure, largest = None, False, _largest(evidence, tuned)
    met = forecast.crossing if forecast is not None else None
    if forecast is not None and met is not None and met.status == "forecast" and met.n is not None and met.n > n_train:
        low = max(0, (met.low if met.low is not None else met.n) - n_train)
        more = More(met.n - n_train, low, None if met.high is None else met.high - n_train)
        near = met.n <= FAR * largest
        narrow = more.high is not None and more.high <= WIDE * more.n
        sure = near and narrow and not cut_short(tuned) and not _contradicted(evidence, tuned, untuned, forecast)
    curve, stop = forecast or next(iter(curves), None), evidence.stops.get(tuned.arm_id)
    there = at_size(curve.band, n_train) if curve is not None else None
    high = there.high95 if there is not None else stop.forecast_high if stop is not None else None
    beat = forecast.target_score if forecast is not None else None  # on the dev rows, where curves are measured
    if beat is None and evidence.metric in untuned.dev:
        beat = untuned.dev[evidence.metric].value
    return Outlook(
        n_train=n_train,
        n_used=_n_used(evidence, tuned),
        largest=largest,
        forecast=forecast,
        more=more,
        sure=sure,
        high=high,
        backed=high is not None and beat is not None and high < beat + margin,
        stop=stop,
    )


def cut_short(arm: ArmResult) -> bool:
    """Whether time ran out before the training had seen every row once: a loss then says little of tuning."""
    return arm.fit_details.get("stopped") == "time" and float(arm.fit_details.get("epochs", 0.0)) < 1


def incomplete(evidence: Evidence, arm: ArmResult) -> bool:
    """Whether its training saw a part of the rows at hand only: a loss then says little of tuning, a gain is one."""
    return cut_short(arm) or _largest(evidence, arm) < evidence.n_train


def unfinished(evidence: Evidence, arm: ArmResult) -> Reason:
    """Why a loss of an arm whose training is incomplete says little: a clause, to go on or to end with."""
    if cut_short(arm):
        return Reason("forecast.verdict.unfinished.cut_short", arm=arm)
    return Reason("forecast.verdict.unfinished.part_only", arm=arm, n=_n_used(evidence, arm), all=evidence.n_train)


def interval_of_more(outlook: Outlook) -> Reason:
    """``80 % interval: 900 to 9,000 more``, of an outlook that says how many."""
    assert outlook.more is not None
    assert outlook.crossing is not None
    more = outlook.more
    between = Reason("forecast.more.from", low=more.low)
    if more.high is not None:
        between = Reason("forecast.more.between", low=more.low, high=more.high)
    return Reason("forecast.more.interval", level=outlook.crossing.level, between=between)


def at_size(band: list[BandPoint], n: int) -> BandPoint | None:
    """The band at ``n``, between its two nearest sizes; ``None`` outside of it."""
    ordered = sorted(band, key=lambda point: point.n)
    for before, after in pairwise(ordered):
        if before.n <= n <= after.n and before.n < after.n:
            share = math.log(n / before.n) / math.log(after.n / before.n)
            first, second = before.model_dump(exclude={"n"}), after.model_dump(exclude={"n"})
            return BandPoint(n=n, **{name: low + share * (second[name] - low) for name, low in first.items()})
    return None


def _n_used(evidence: Evidence, arm: ArmResult) -> int:
    return arm.n_train or evidence.n_train


def _largest(evidence: Evidence, arm: ArmResult) -> int:
    """Most rows that it was trained on, for the test rows or in the race; a step without a size was on all rows."""
    steps = evidence.race.steps if evidence.race is not None else []
    sizes = [step.n_train or evidence.n_train for step in steps if step.arm_id == arm.arm_id]
    return max([_n_used(evidence, arm), *sizes])


def _contradicted(evidence: Evidence, tuned: ArmResult, untuned: ArmResult, forecast: Forecast) -> bool:
    """The test rows show another difference than the dev rows, by more than the luck of both explains."""
    n_used = _n_used(evidence, tuned)
    seen = [point for point in forecast.points if point.n == n_used]
    if not seen or forecast.target_score is None:
        return False
    on_dev = sum(point.score for point in seen) / len(seen) - forecast.target_score
    pair = evidence.between(tuned, untuned)

    def error(interval: Interval) -> float:
        return (interval.high - interval.low) / (2 * NormalDist().inv_cdf((1 + interval.level) / 2))

    both = math.hypot(error(pair.interval), *(error(point.interval) / len(seen) for point in seen))
    return abs(on_dev - pair.difference) > CONTRADICTED * both

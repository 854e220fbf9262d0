"""Traffic: how many calls there are, when they come, and how often they repeat.

Either stated,

    traffic: {calls_per_month: 50000, shape: office_hours, peak: 4, growth_per_month: 0.05, share_repeated: 0.2, months: 12}

or counted in a log of the user's own (``trafficlog.py``). A month is 730 hours, a week of 168 hours comes 730 / 168 times in it.

    peak                 calls of the busiest hour / mean calls of an hour
    share that finds a cache warm = P(less than its lifetime has passed since the call before)
                         stated: Σ over hours of the week share of calls · (1 − exp(−calls a second in that hour · lifetime))

The second line takes calls to come independently of one another within an hour (Poisson), which real ones, coming in bursts, find
warm more often; a log has the gaps themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from tuneworth.costs.breakeven import HOURS_PER_MONTH
from tuneworth.costs.figures import Figure, Unit, figure, read_figure
from tuneworth.errors import InputError, Problem
from tuneworth.words.say import say

Floats = NDArray[np.float64]
Shape = Literal["flat", "daytime", "office_hours"]
SHAPES: tuple[Shape, ...] = get_args(Shape)
"""All hours alike; 7 to 23 h every day; 9 to 18 h from Monday to Friday."""
HOURS_PER_WEEK = 168
MONTHS = 12
_UNITS: Mapping[str, Unit] = {
    "calls_per_month": "call/month",
    "peak": "ratio",
    "growth_per_month": "ratio",
    "share_repeated": "share",
    "share_nearly_repeated": "share",
}


@dataclass(frozen=True)
class Traffic:
    """What is known of the calls.

    Attributes:
        calls_per_month: of the first month.
        peak: busiest hour over the mean hour.
        growth_per_month: 0.05 is 5 % more each month.
        share_repeated, share_nearly_repeated: of calls whose text came before: letter for letter, or but for case, digits, punctuation.
        months: that costs are looked at for.
        week: share of the calls in each hour of the week from Monday 0 h on, shape ``(168,)``.
        gaps: seconds between calls at 1,001 evenly spaced quantiles, of a log; ``None``: stated.
    """

    calls_per_month: Figure
    peak: Figure
    growth_per_month: Figure
    share_repeated: Figure
    share_nearly_repeated: Figure
    months: int
    week: Floats
    gaps: Floats | None = None

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Those that enter a sum."""
        return (self.calls_per_month, self.peak, self.growth_per_month, self.share_repeated)

    def warm_share(self, lifetime_s: float, calls: float | None = None) -> Figure:
        """Share of calls that find a cache still warm whose entries live for ``lifetime_s`` seconds after their last use.

        Args:
            calls: a month, instead of this traffic's; gaps of a log are stretched accordingly.
        """
        name, own = f"cache.warm_{lifetime_s:g}s", self.calls_per_month.middle
        calls = own if calls is None else calls
        if calls is None or (self.gaps is not None and not own):
            return Figure(name, "share")
        if self.gaps is not None and own:
            return figure(name, "share", float((self.gaps * own < lifetime_s * calls).mean()), source="log")
        per_second = calls * self.week * HOURS_PER_WEEK / HOURS_PER_MONTH / 3600
        return figure(name, "share", float((self.week * -np.expm1(-per_second * lifetime_s)).sum()))


def stated_traffic(
    calls_per_month: Figure | None = None, *, shape: Shape = "flat", peak: Figure | None = None, months: int = MONTHS, **others: Figure
) -> Traffic:  # fmt: skip
    """Traffic of stated figures; what is not given: no growth, no repeats, the peak of the shape, an unknown volume."""
    week = shape_of_week(shape)
    usual = figure("traffic.peak", "ratio", float(week.max()) * HOURS_PER_WEEK)
    return Traffic(
        calls_per_month=calls_per_month or Figure("traffic.calls_per_month", "call/month"),
        peak=peak or usual,
        growth_per_month=others.get("growth_per_month") or figure("traffic.growth_per_month", "ratio", 0.0),
        share_repeated=others.get("share_repeated") or figure("traffic.share_repeated", "share", 0.0),
        share_nearly_repeated=others.get("share_nearly_repeated")
        or figure("traffic.share_nearly_repeated", "share", 0.0),
        months=months,
        week=week,
    )


def shape_of_week(shape: Shape) -> Floats:
    """Share of the calls in each hour of the week, Monday 0 h first."""
    hours = np.arange(HOURS_PER_WEEK)
    of_day, day = hours % 24, hours // 24
    on = {
        "flat": hours >= 0,
        "daytime": (of_day >= 7) & (of_day < 23),
        "office_hours": (of_day >= 9) & (of_day < 18) & (day < 5),
    }[shape]
    return on / on.sum()


def read_traffic(section: Mapping[str, Any], *, where: str = "traffic", source: str = "task file") -> Traffic:
    """The section ``traffic`` of a task file, or options of the same names.

    Raises:
        InputError: with everything that is wrong in it: unknown keys, numbers that are none, negative, absurd or of another unit.
    """
    problems: list[Problem] = []
    known = {*_UNITS, "shape", "months"}
    for key in section.keys() - known:
        problems.append(Problem(f"{where}.{key}", say("costs.rule.key", keys=", ".join(sorted(known)))))
    figures: dict[str, Any] = {}
    for key in section.keys() & _UNITS.keys():
        try:
            figures[key] = read_figure(
                section[key], f"traffic.{key}", _UNITS[key], where=f"{where}.{key}", source=source
            )
        except InputError as error:
            problems += error.problems
    shape, months = section.get("shape", "flat"), section.get("months", MONTHS)
    if shape not in SHAPES:
        problems.append(Problem(f"{where}.shape", say("costs.rule.shape", value=str(shape), shapes=", ".join(SHAPES))))
    if isinstance(months, bool) or not isinstance(months, int) or not 1 <= months <= 120:
        problems.append(Problem(f"{where}.months", say("costs.rule.months", value=str(months))))
    problems += _impossible(figures, where)
    if problems:
        raise InputError(sorted(problems, key=lambda problem: problem.where))
    return stated_traffic(shape=shape, months=months, **figures)


def changed(traffic: Traffic, section: Mapping[str, Any]) -> Traffic:
    """``traffic`` with what ``section`` states in place of its own.

    Raises:
        InputError: as `read_traffic`.
    """
    new = read_traffic(section)
    stated = {key for key in section if key != "shape"} | ({"week", "peak"} if "shape" in section else set[str]())
    return replace(traffic, **{key: getattr(new, key) for key in stated})


def _impossible(figures: Mapping[str, Figure], where: str) -> list[Problem]:
    found: list[Problem] = []
    peak, growth = figures.get("peak"), figures.get("growth_per_month")
    if peak is not None and peak.low is not None and peak.low < 1:
        found.append(Problem(f"{where}.peak", say("costs.rule.peak", value=f"{peak.low:g}")))
    if growth is not None and growth.high is not None and growth.high > 2:
        found.append(Problem(f"{where}.growth_per_month", say("costs.rule.growth", value=f"{growth.high:g}")))
    return found

"""From measured points to what a run says of more data: the forecasts that its result stores.

`forecast` carries on the curve of one arm over its training sizes; `shot_forecasts` carries on the curves of few-shot
arms over their demonstrations. The statistics are those of `tuneworth.stats.curve`; here they meet the records of a run.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from statistics import NormalDist

import numpy as np

from tuneworth.core.race import BandPoint, Forecast, ForecastCrossing, ForecastPoint
from tuneworth.core.record import Interval, Score
from tuneworth.core.run import ArmResult
from tuneworth.core.task import Example
from tuneworth.metrics import Metric
from tuneworth.race.results import best_untuned, scores
from tuneworth.race.runner import Entry
from tuneworth.stats.curve import Axis, CannotTell, Curve, CurvePoint, fit_curve
from tuneworth.stats.curve_crossing import REACH, Target, crossing

SHOTS_REACH = 4
"""Demonstrations are limited by the context, so their band ends at so many times the largest number tried."""
BAND_POINTS = 40


Fits = Mapping[str, Mapping[int | None, Entry]]
"""Arm id → training size → fit."""


def forecasts_of(
    arms: Sequence[ArmResult],
    fits: Fits,
    rows: Sequence[Example],
    metric: Metric,
    *,
    margin: float,
    n_train: int,
    chance: float,
    seed: int,
) -> list[Forecast]:
    """Forecasts of every arm with fits on several training sizes, and of few-shot arms over demonstrations.

    Those of tuned arms say when they overtake the best untuned arm. A fit that chose other settings for itself than the fit
    on most rows is a point of another curve, and left out.

    Args:
        rows: the dev rows, on which all points were scored.
    """
    by_id, rng, target = {row.id: row for row in rows}, np.random.default_rng([seed, 2]), best_untuned(arms, metric.id)
    points: dict[str, list[ForecastPoint]] = {}
    for arm_id, by_size in fits.items():
        of_arm = [(entry, scores(entry.dev, by_id, [metric], seed)) for entry in by_size.values()]
        scored = [(entry, found[metric.id]) for entry, found in of_arm if metric.id in found]
        settled = [entry.arm.make().settled(entry.fit.details) for entry, _ in scored]
        largest = max(range(len(scored)), key=lambda at: scored[at][0].arm.n_train or math.inf, default=0)
        points[arm_id] = [
            point_of(entry.arm.n_train or n_train, score)
            for (entry, score), config in zip(scored, settled, strict=True)
            if config == settled[largest]
        ]
    common = {"margin": margin, "chance": chance, "binary": metric.binary, "rng": rng}
    found: list[Forecast] = []
    for arm in arms:
        if len(points.get(arm.arm_id, ())) < 2:
            continue
        goal, growing = None, list[ForecastPoint]()
        if arm.tuned and target is not None:
            goal, growing = (target.arm_id, target.dev[metric.id]), points.get(target.arm_id, [])
        found.append(forecast(arm.arm_id, points[arm.arm_id], target=goal, target_points=growing, **common))
    return [*found, *shot_forecasts(arms, metric.id, **common)]


def point_of(n: int, score: Score) -> ForecastPoint:
    """``score`` as a point of a curve at ``n``."""
    return ForecastPoint(
        n=n, score=score.value, interval=score.interval, n_rows=score.n_rows, n_effective=score.n_effective
    )


def forecast(
    arm_id: str,
    points: Sequence[ForecastPoint],
    *,
    axis: Axis = "rows",
    margin: float,
    target: tuple[str, Score] | None,
    chance: float,
    binary: bool,
    rng: np.random.Generator,
    target_points: Sequence[ForecastPoint] = (),
) -> Forecast:
    """What ``arm_id`` would score with more rows, and when it overtakes ``target`` by the margin.

    Args:
        points: measured scores, in any order; several trainings of a size are several points.
        target: the best untuned arm and its score on the rows of the points; ``None``: there is nothing to overtake.
        chance: score of guessing.
        binary: row scores are 0 or 1, so that the error of a point follows from its number of rows; that of a graded
            score is read from the point's interval.
        target_points: scores of the target at growing sizes, when it learns from rows as well. Where they make a curve,
            the target is not taken to stand still.

    Raises:
        ValueError: a score or ``chance`` is outside its range.
    """
    curve = _fitted(points, axis, binary=binary, chance=chance, rng=rng)
    goal = Target.of(target[1]) if target is not None else None
    if goal is not None and target_points:
        growing = _fitted(target_points, "rows", binary=binary, chance=chance, rng=rng)
        goal = goal if isinstance(growing, CannotTell) else Target(goal.value, goal.standard_error, growing)
    met = crossing(curve, goal, margin) if goal is not None else None
    return Forecast(
        arm_id=arm_id,
        axis=axis,
        points=sorted(points, key=lambda point: (point.n, point.repeat)),
        cannot_tell=curve.reason if isinstance(curve, CannotTell) else None,
        weights={} if isinstance(curve, CannotTell) else {name: float(part) for name, part in curve.weights.items()},
        band=[] if isinstance(curve, CannotTell) else _band(curve, REACH if axis == "rows" else SHOTS_REACH),
        target=target[0] if target is not None else None,
        target_score=target[1].value if target is not None else None,
        target_grows=goal is not None and goal.curve is not None,
        margin=margin,
        crossing=ForecastCrossing(**asdict(met)) if met is not None else None,
    )


def shot_forecasts(
    arms: Sequence[ArmResult], metric: str, *, margin: float, chance: float, binary: bool, rng: np.random.Generator
) -> list[Forecast]:
    """One forecast for each way of choosing demonstrations that was tried with more than one number of them.

    The prompt that shows none, constrained in the same way, is the start of each of these curves.

    Args:
        arms: all arms of a run; those that were measured and are of one family make a curve.
    """
    tried = [arm for arm in arms if arm.state == "measured" and metric in arm.dev]
    families: defaultdict[tuple[str | None, str, bool], list[ArmResult]] = defaultdict(list)
    for arm in tried:
        if arm.strategy == "fewshot" and "k" in arm.config:
            families[arm.model, str(arm.config.get("selection")), _is_constrained(arm)].append(arm)
    found = list[Forecast]()
    for (model, _, constrained), family in sorted(families.items(), key=lambda item: tuple(map(str, item[0]))):
        if len({arm.config["k"] for arm in family}) < 2:
            continue
        family.sort(key=lambda arm: int(arm.config["k"]))
        of_model = [arm for arm in tried if arm.strategy == "prompt" and arm.model == model]
        without = [arm for arm in of_model if _is_constrained(arm) == constrained][:1]
        points: list[ForecastPoint] = []
        for arm in (*without, *family):
            shots, score = int(arm.config.get("k", 0)), arm.dev[metric]
            points.append(point_of(shots + 1, score))
        common = {"margin": margin, "chance": chance, "binary": binary, "rng": rng}
        found.append(forecast(family[-1].arm_id, points, axis="shots", target=None, **common))
    return found


def _is_constrained(arm: ArmResult) -> bool:
    return arm.config.get("constrained") is not False


def _fitted(
    points: Sequence[ForecastPoint], axis: Axis, *, binary: bool, chance: float, rng: np.random.Generator
) -> Curve | CannotTell:
    known = [
        CurvePoint(
            n=point.n,
            score=point.score,
            n_rows=max(1, round(point.n_effective or point.n_rows)),
            standard_error=None if binary else standard_error(point.interval),
            seed=point.repeat,
        )
        for point in points
    ]
    return fit_curve(known, rng=rng, chance=chance, over=axis)


def standard_error(interval: Interval) -> float:
    """Of a score, read from its interval."""
    return (interval.high - interval.low) / (2 * NormalDist().inv_cdf((1 + interval.level) / 2))


def _band(curve: Curve, reach: int) -> list[BandPoint]:
    smallest = min(point.n for point in curve.points)
    ends = math.log(smallest), math.log(reach * curve.largest)
    # Small sizes round to the same number of rows; each is told once.
    sizes = sorted({round(size) for size in np.exp(np.linspace(*ends, BAND_POINTS)).tolist()})
    return [
        BandPoint(n=n, value=p.value, low80=p.low80, high80=p.high80, low95=p.low95, high95=p.high95)
        for n, p in ((n, curve.predict(n)) for n in sizes)
    ]

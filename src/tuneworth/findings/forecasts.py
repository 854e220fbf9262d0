"""From measured points to what a run says of more data: the forecasts that its result stores.

`forecast` carries on the curve of one arm over its training sizes; `shot_forecasts` carries on the curves of few-shot
arms over their demonstrations. The statistics are those of `tuneworth.stats.curve`; here they meet the records of a run.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import NormalDist

import numpy as np

from tuneworth.core.race import BandPoint, Forecast, ForecastCrossing, ForecastPoint
from tuneworth.core.run import ArmResult, Interval, Score
from tuneworth.core.task import Example
from tuneworth.metrics import Metric
from tuneworth.race.driver import Entry
from tuneworth.race.results import best_untuned, scores
from tuneworth.stats.curve import Axis, CannotTell, Curve, CurvePoint, fit_curve
from tuneworth.stats.curve_crossing import REACH, Target, crossing
from tuneworth.strategies import StrategyConfig

SHOTS_REACH = 4
"""Demonstrations are limited by the context, so their band ends at so many times the largest number tried."""
BAND_POINTS = 40


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
    curve = fit_curve([_curve_point(point, binary=binary) for point in points], rng=rng, chance=chance, over=axis)
    goal = _goal(target, target_points, binary=binary, chance=chance, rng=rng)
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
        crossing=None
        if met is None
        else ForecastCrossing(
            status=met.status, level=met.level, n=met.n, low=met.low, high=met.high, probability=met.probability
        ),
    )


def shot_forecasts(
    arms: Sequence[ArmResult], metric: str, *, margin: float, chance: float, binary: bool, rng: np.random.Generator
) -> list[Forecast]:
    """One forecast for each way of choosing demonstrations that was tried with more than one number of them.

    The prompt that shows none, constrained in the same way, is the start of each of these curves.

    Args:
        arms: all arms of a run; those that were measured and are of one family make a curve.
    """
    families: defaultdict[tuple[str | None, str, bool], list[ArmResult]] = defaultdict(list)
    for arm in arms:
        if arm.strategy == "fewshot" and arm.state == "measured" and metric in arm.dev and "k" in arm.config:
            selection, constrained = str(arm.config.get("selection")), arm.config.get("constrained") is not False
            families[arm.model, selection, constrained].append(arm)
    found = list[Forecast]()
    for (model, _, constrained), family in sorted(families.items(), key=lambda item: tuple(map(str, item[0]))):
        if len({arm.config["k"] for arm in family}) < 2:
            continue
        family.sort(key=lambda arm: int(arm.config["k"]))
        shown = [*_without_shots(arms, model, metric, constrained=constrained), *family]
        points = [_shot_point(arm, arm.dev[metric]) for arm in shown]
        found.append(
            forecast(
                family[-1].arm_id,
                points,
                axis="shots",
                margin=margin,
                target=None,
                chance=chance,
                binary=binary,
                rng=rng,
            )
        )
    return found


def _without_shots(arms: Sequence[ArmResult], model: str | None, metric: str, *, constrained: bool) -> list[ArmResult]:
    return [
        arm
        for arm in arms
        if arm.strategy == "prompt"
        and arm.model == model
        and arm.state == "measured"
        and metric in arm.dev
        and (arm.config.get("constrained") is not False) == constrained
    ][:1]


def _shot_point(arm: ArmResult, score: Score) -> ForecastPoint:
    shots = int(arm.config.get("k", 0))
    return ForecastPoint(n=shots + 1, score=score.value, interval=score.interval, n_rows=score.n_rows)


def _curve_point(point: ForecastPoint, *, binary: bool) -> CurvePoint:
    return CurvePoint(
        n=point.n,
        score=point.score,
        n_rows=point.n_rows,
        standard_error=None if binary else standard_error(point.interval),
        seed=point.repeat,
    )


def standard_error(interval: Interval) -> float:
    """Of a score, read from its interval."""
    return (interval.high - interval.low) / (2 * NormalDist().inv_cdf((1 + interval.level) / 2))


def _goal(
    target: tuple[str, Score] | None,
    points: Sequence[ForecastPoint],
    *,
    binary: bool,
    chance: float,
    rng: np.random.Generator,
) -> Target | None:
    if target is None:
        return None
    still = Target.of(target[1])
    if not points:
        return still
    curve = fit_curve([_curve_point(point, binary=binary) for point in points], rng=rng, chance=chance)
    return still if isinstance(curve, CannotTell) else Target(still.value, still.standard_error, curve)


def _band(curve: Curve, reach: int) -> list[BandPoint]:
    smallest = min(point.n for point in curve.points)
    ends = math.log(smallest), math.log(reach * curve.largest)
    # Small sizes round to the same number of rows; each is told once.
    sizes = sorted({round(size) for size in np.exp(np.linspace(*ends, BAND_POINTS)).tolist()})
    return [
        BandPoint(n=n, value=p.value, low80=p.low80, high80=p.high80, low95=p.low95, high95=p.high95)
        for n, p in ((n, curve.predict(n)) for n in sizes)
    ]


Fits = Mapping[str, Mapping[int | None, Entry]]


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
    by_id = {row.id: row for row in rows}
    rng = np.random.default_rng([seed, 2])
    target = best_untuned(arms, metric.id)
    points = {
        arm_id: [_point(entry, by_id, metric, n_train, seed) for entry in _alike(of_arm.values(), metric)]
        for arm_id, of_arm in fits.items()
    }
    found: list[Forecast] = []
    for arm in arms:
        if len(points.get(arm.arm_id, ())) < 2:
            continue
        goal = (target.arm_id, target.dev[metric.id]) if arm.tuned and target is not None else None
        found.append(
            forecast(
                arm.arm_id,
                points[arm.arm_id],
                margin=margin,
                target=goal,
                chance=chance,
                binary=metric.binary,
                rng=rng,
                target_points=points.get(target.arm_id, ()) if goal is not None and target is not None else (),
            )
        )
    return [*found, *shot_forecasts(arms, metric.id, margin=margin, chance=chance, binary=metric.binary, rng=rng)]


def _alike(entries: Iterable[Entry], metric: Metric) -> list[Entry]:
    """Those that were scored and are settled as the one on most rows is."""
    scored = [entry for entry in entries if any(metric.id in outcome.scores for outcome in entry.dev)]
    if not scored:
        return []
    largest = max(scored, key=lambda entry: entry.arm.n_train or math.inf)
    return [entry for entry in scored if _settled(entry) == _settled(largest)]


def _settled(entry: Entry) -> StrategyConfig:
    return entry.arm.make().settled(entry.fit.details)


def _point(entry: Entry, rows: Mapping[str, Example], metric: Metric, n_train: int, seed: int) -> ForecastPoint:
    score: Score = scores(entry.dev, rows, [metric], seed)[metric.id]
    return ForecastPoint(
        n=entry.arm.n_train or n_train, score=score.value, interval=score.interval, n_rows=score.n_rows
    )

"""The learning curves of a race: from the fits on nested training sizes to forecasts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from tuneworth.core.race import Forecast, ForecastPoint
from tuneworth.core.run import ArmResult, Score
from tuneworth.core.task import Example
from tuneworth.findings import results
from tuneworth.findings.forecasts import forecast, shot_forecasts
from tuneworth.metrics import Metric
from tuneworth.race.driver import Entry
from tuneworth.race.finalists import best_untuned
from tuneworth.strategies import StrategyConfig

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
    score: Score = results.scores(entry.dev, rows, [metric], seed)[metric.id]
    return ForecastPoint(
        n=entry.arm.n_train or n_train, score=score.value, interval=score.interval, n_rows=score.n_rows
    )

"""Forecasts and races in miniature, for a tuned arm "lora" against "head"."""

from decide_builders import METRIC, compared, duel, task

from tuneworth.core.race import BandPoint, Forecast, ForecastCrossing, ForecastPoint, Race, Step, Stop
from tuneworth.decide.decision import decide
from tuneworth.stats.intervals import wilson

LOSS = (30, 50, 150, 70)
"""LoRA 60.0 %, head 66.7 % of 300 rows: surely no gain of two points."""
OPEN = (40, 42, 150, 68)
AHEAD = (50, 40, 150, 60)
"""LoRA leads by 3.3 points, not surely."""
GAIN = (95, 20, 150, 50)
SIZES = {50: 0.4, 100: 0.5, 200: 0.56, 400: 0.6, 800: 0.62}


def forecast(status="forecast", n=3200, low=1700, high=9800, probability=0.95, *, points=None, **more):
    """A curve measured on 300 dev rows; by default it crosses at 2,400 rows more than the 800 at hand."""
    points = points or SIZES
    numbers = {"n": n, "low": low, "high": high} if status == "forecast" else {}
    bend = [(min(points), 0.4, 0.05), (80_000, 0.8, 0.1)]
    fields = {
        "arm_id": "lora",
        "points": [
            ForecastPoint(n=size, score=value, interval=wilson(300 * value, 300), n_rows=300)
            for size, value in points.items()
        ],
        "band": [
            BandPoint(n=size, value=v, low80=v - w / 2, high80=v + w / 2, low95=v - w, high95=v + w)
            for size, v, w in bend
        ],
        "target": "head",
        "target_score": 0.68,
        "margin": 0.02,
        "crossing": ForecastCrossing(status=status, probability=probability, **numbers),
    }
    return Forecast.model_validate({**fields, **more})


def race(*stops, trained_on=(50, 100, 200), n_train=800):
    steps = [Step(arm_id="lora", n_train=size, n_rows=64, score=0.5, seconds=1, spent_seconds=1) for size in trained_on]
    return Race(margin=0.02, n_dev=300, n_train=n_train, steps=steps, stops=list(stops))


def stop(arm_id, reason, **more):
    return Stop(arm_id=arm_id, reason=reason, **more)


def outcome(counts, found=None, *, ran=None, usd=None, extra=(), tuned=None, untuned=None, the_task=None, n_train=800):
    """The decision on a duel of LoRA and head."""
    arms, rows = duel(*counts, untuned="head", tuned_more=tuned, untuned_more=untuned)
    the_task = the_task or task()
    return decide(
        the_task,
        [*arms, *extra],
        compared(rows, the_task.margin),
        primary_metric=METRIC,
        n_train=n_train,
        forecasts=[] if found is None else [found],
        race=ran,
        usd_per_label=usd,
    )


def said(texts, lang="en"):
    return "\n".join(text.to(lang) for text in texts)

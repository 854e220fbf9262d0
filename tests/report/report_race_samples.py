"""A finished run that raced: stops of every kind, curves that cross, never cross and cannot tell, repeated trainings."""

from __future__ import annotations

import math
from typing import Any

from report_samples import arm, comparison, make_arms, make_decision, make_result, score

from tuneworth.core.race import (
    BandPoint,
    Forecast,
    ForecastCrossing,
    ForecastPoint,
    Power,
    Race,
    Step,
    Stop,
)
from tuneworth.core.run import ArmResult, Interval, RunResult
from tuneworth.core.text import Text

N_TRAIN, N_DEV = 1000, 200

WALK = [
    ("majority", None, 200, 0.064, 0.1),
    ("nearest", None, 200, 0.71, 1.8),
    ("head:c1", 62, 32, 0.52, 1.2),
    ("prompt:a1", None, 32, 0.41, 14.0),
    ("prompt:a2", None, 32, 0.22, 19.0),
    ("fewshot:b2", None, 32, 0.50, 21.0),
    ("fewshot:b1", None, 32, 0.72, 29.0),
    ("head:c1", 250, 64, 0.74, 2.2),
    ("prompt:a1", None, 64, 0.40, 13.0),
    ("lora:d1", 62, 32, 0.31, 12.0),
    ("lora:d1", 125, 64, 0.47, 17.0),
    ("fewshot:b1", None, 128, 0.735, 52.0),
    ("lora:d1", 250, 128, 0.61, 31.0),
    ("head:c1", None, 200, 0.871, 4.0),
    ("lora:d2", 62, 32, 0.25, 14.0),
    ("lora:d3", 62, 32, 0.29, 15.0),
    ("lora:d3", 500, 128, 0.52, 44.0),
    ("lora:d1", 500, 200, 0.70, 61.0),
    ("fewshot:b1", None, 200, 0.744, 70.0),
    ("lora:d1", None, 200, 0.76, 118.0),
]
"""Arm, training rows, dev rows, score, seconds."""


def make_steps() -> list[Step]:
    steps: list[Step] = []
    spent = 0.0
    for arm_id, n_train, n_rows, value, seconds in WALK:
        spent += seconds
        steps.append(
            Step(arm_id=arm_id, n_train=n_train, n_rows=n_rows, score=value, seconds=seconds, spent_seconds=spent)
        )
    return steps


def stop(arm_id: str, reason: Any, after: int, **extra: Any) -> Stop:
    values: dict[str, Any] = {"leader": "head:c1", "e_needed": 400.0, "seconds_saved": 90.0}
    return Stop(arm_id=arm_id, reason=reason, after_step=after, **(values | extra))


def between(low: float, high: float, level: float = 0.99875) -> Interval:
    return Interval(low=low, high=high, level=level)


def make_stops() -> list[Stop]:
    return [
        stop("prompt:a2", "eliminated", 8, n_rows=32, difference=-0.5, interval=between(-0.72, -0.2), e_value=2417.3),
        stop(
            "fewshot:b2",
            "little_to_gain",
            9,
            n_rows=32,
            difference=-0.22,
            interval=between(-0.5, 0.06),
            e_value=6.2,
            expected_gain=0.00031,
            seconds_saved=161.0,
        ),
        stop("prompt:a1", "eliminated", 11, n_rows=64, difference=-0.34, interval=between(-0.5, -0.05), e_value=4.1e7),
        stop("lora:d2", "failed", 15, n_train=62, n_rows=32, leader=None, seconds_saved=None),
        stop(
            "lora:d3",
            "forecast",
            17,
            n_train=500,
            n_rows=128,
            difference=-0.3,
            interval=between(-0.44, -0.15),
            forecast_high=0.703,
            seconds_saved=240.0,
        ),
        stop("lora:full", "budget", 20, leader=None, e_needed=None, seconds_saved=610.0),
    ]


def make_race(**changes: Any) -> Race:
    steps = make_steps()
    values: dict[str, Any] = {
        "margin": 0.02,
        "n_dev": N_DEV,
        "n_train": N_TRAIN,
        "steps": steps,
        "stops": make_stops(),
        "seconds": steps[-1].spent_seconds,
        "seconds_all": 1284.0,
    }
    return Race(**(values | changes))


def curve(n: float, end: float, fall: float, power: float) -> float:
    return end - fall * n**-power


def make_band(end: float, fall: float, power: float, low: int, high: int, last: float) -> list[BandPoint]:
    """A power law whose interval widens with the distance from ``last``."""
    band: list[BandPoint] = []
    for step in range(40):
        n = round(low * (high / low) ** (step / 39))
        value = curve(n, end, fall, power)
        half = 0.015 + 0.03 * max(0.0, math.log10(n / last))
        edges = [
            max(0.0, value - 1.5 * half),
            max(0.0, value - half),
            min(1.0, value + half),
            min(1.0, value + 1.5 * half),
        ]
        band.append(BandPoint(n=n, value=value, low95=edges[0], low80=edges[1], high80=edges[2], high95=edges[3]))
    return band


def make_points(sizes: list[int], values: list[float], rows: list[int]) -> list[ForecastPoint]:
    return [
        ForecastPoint(
            n=n,
            score=value,
            interval=Interval(low=max(0.0, value - 0.9 / math.sqrt(m)), high=min(1.0, value + 0.9 / math.sqrt(m))),
            n_rows=m,
        )
        for n, value, m in zip(sizes, values, rows)
    ]


def make_crossing(**changes: Any) -> ForecastCrossing:
    values: dict[str, Any] = {"status": "forecast", "n": 33104, "low": 9420, "high": 96300, "probability": 0.83}
    return ForecastCrossing(**(values | changes))


def lora_forecast(**changes: Any) -> Forecast:
    values: dict[str, Any] = {
        "arm_id": "lora:d1",
        "points": make_points([62, 125, 250, 500, 1000], [0.31, 0.47, 0.61, 0.70, 0.76], [32, 64, 128, 200, 200]),
        "weights": {"power": 0.7, "rectified": 0.2, "saturating": 0.1},
        "band": make_band(0.985, 3.4, 0.4, 62, 100_000, 1000),
        "target": "head:c1",
        "target_score": 0.871,
        "target_grows": True,
        "margin": 0.02,
        "crossing": make_crossing(),
    }
    return Forecast(**(values | changes))


def make_forecasts() -> list[Forecast]:
    head = Forecast(
        arm_id="head:c1",
        points=make_points([62, 125, 250, 1000], [0.62, 0.73, 0.79, 0.871], [32, 64, 64, 200]),
        band=make_band(0.90, 4.0, 0.65, 62, 100_000, 1000),
        margin=0.02,
    )
    shots = Forecast(
        arm_id="fewshot:b1",
        axis="shots",
        points=make_points([1, 5, 9, 17], [0.40, 0.61, 0.69, 0.744], [64, 128, 128, 200]),
        band=make_band(0.83, 0.43, 0.6, 1, 68, 17),
        margin=0.02,
    )
    return [shots, head, lora_forecast()]


def make_power(**changes: Any) -> Power:
    values: dict[str, Any] = {
        "n_dev": N_DEV,
        "n_test": 300,
        "margin": 0.02,
        "share_different": 0.15,
        "dev_difference": 0.0631,
        "test_difference": 0.0629,
        "rows_for_margin": 2943,
    }
    return Power(**(values | changes))


def raced_arms() -> list[ArmResult]:
    """The arms of every report, as a race leaves them: three finalists, one of them trained three times."""
    changes: dict[str, dict[str, Any]] = {
        "prompt:a1": {"dev": {"accuracy": score(0.40, 0.12, 64)}},
        "prompt:a2": {"dev": {"accuracy": score(0.22, 0.14, 32)}},
        "fewshot:b2": {"dev": {"accuracy": score(0.50, 0.17, 32)}},
        "lora:d1": {
            "dev": {"accuracy": score(0.76, 0.06, 200)},
            "test": {"accuracy": score(0.768, 0.048, 300)},
            "repeats": [score(0.751, 0.049, 300), score(0.781, 0.047, 300)],
        },
    }
    arms = [each.model_copy(update=changes.get(each.arm_id, {})) for each in make_arms()]
    rate = arm("lora:d3", "LoRA, rank 16, slow rate", "LoRA（秩 16，低学习率）", 0.52, None, 52.0, tuned=True, effort=5)
    broken = arm("lora:d2", "LoRA, rank 64", "LoRA（秩 64）", 0.25, None, 52.0, tuned=True, effort=5)
    no_answer = Text(en="20 of 32 rows had no answer.", zh="32 条数据中有 20 条没有答案。")
    return [
        *arms,
        rate.model_copy(update={"dev": {"accuracy": score(0.52, 0.09, 128)}, "n_train": 500}),
        broken.model_copy(update={"state": "failed", "why": no_answer, "dev": {}}),
    ]


def raced_result(**changes: Any) -> RunResult:
    values: dict[str, Any] = {
        "arms": raced_arms(),
        "data": make_result().data.model_copy(update={"n_train": N_TRAIN, "n_dev": N_DEV}),
        "decision": make_decision(
            verdict="not_yet",
            rows=32104,
            decided_by=("lora:d1", "head:c1"),
            headline=Text(
                en="Not yet: LoRA is behind, but its curve overtakes with about 32,000 more training rows.",
                zh="先别微调：LoRA 目前落后，但再补充约 32,000 条训练数据，预计就能反超。",
            ),
        ),
        "comparisons": [
            comparison("lora:d1", "head:c1", -0.095, -0.138, -0.052, "worse", p_adjusted=0.0004),
            comparison("head:c1", "fewshot:b1", 0.126, 0.081, 0.169, "better", p_adjusted=0.0000004),
            comparison("lora:d1", "fewshot:b1", 0.031, -0.014, 0.076, "cant_tell", rows_needed=1210),
        ],
        "race": make_race(),
        "forecasts": make_forecasts(),
        "power": make_power(),
        "usd_per_label": 0.05,
    }
    return make_result(**(values | changes))

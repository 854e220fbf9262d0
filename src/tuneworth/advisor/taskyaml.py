"""The task file that would measure an advice."""

from __future__ import annotations

from collections.abc import Sequence

from tuneworth.advisor.approaches import TITLES
from tuneworth.advisor.conditions import Values
from tuneworth.core.advice import Approach

PLACEHOLDER = "REPLACE-WITH-YOUR-ROWS.jsonl"
MEASURABLE: tuple[Approach, ...] = ("prompt", "fewshot", "head", "lora")
"""Approaches that a run can measure, simplest first; their names are those of the strategies."""


def task_yaml(values: Values, expected: Approach | None) -> str:
    """A task file for ``tuneworth run``. Once ``train`` names a file of rows, it can be run as it is."""
    strategies = _strategies(values)
    lines = [
        "# What would settle the advice. Run it: tuneworth run task.yaml   Every key: docs/task.md",
        f"train: {PLACEHOLDER}  # PLACEHOLDER: your labelled rows (.jsonl, .csv, .parquet ...)",
        *_output(values),
        "margin: 0.02  # smallest difference of the metric that matters to you; 0.02 is two points",
        "models: [smollm2-135m]  # candidates; better ones: local folders or hub ids",
        *_beyond(expected, strategies),
        f"strategies: [{', '.join(strategies)}]",
        *_limits(values),
        *_price(values),
    ]
    return "\n".join(lines) + "\n"


def _strategies(values: Values) -> list[Approach]:
    """All that can be measured: a verdict on tuning needs the simple ones beside it, whatever is expected."""
    kind = values.get("output_kind")
    return [approach for approach in MEASURABLE if approach != "head" or kind in (None, "label")]


def _output(values: Values) -> list[str]:
    kind = values.get("output_kind")
    return [] if kind is None else ["output:", f"  kind: {kind}"]


def _beyond(expected: Approach | None, strategies: Sequence[Approach]) -> list[str]:
    if expected is None or expected in strategies:
        return []
    return [
        f"# Expected to win: {TITLES[expected].en}. A run does not measure that yet;",
        "# it tells whether tuning beats the simpler approaches on these rows.",
    ]


def _limits(values: Values) -> list[str]:
    limits: list[str] = []
    if values.get("private") is not None:
        limits.append(f"  private: {'true' if values['private'] else 'false'}  # rows must not leave this machine")
    if values.get("p95_target_ms") is not None:
        limits.append(f"  p95_ms: {values['p95_target_ms']:g}  # 95th percentile of the time for one row, ms")
    return ["limits:", *limits] if limits else []


def _price(values: Values) -> list[str]:
    price = values.get("machine_usd_per_hour")
    return [] if price is None else [f"machine_usd_per_hour: {price:g}"]

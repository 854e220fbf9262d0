"""The task file that would measure an advice."""

from __future__ import annotations

from collections.abc import Sequence

from tuneworth.advisor.conditions import Values
from tuneworth.advisor.facts import Pace
from tuneworth.advisor.ranking import approach_title
from tuneworth.core.advice import Approach

PLACEHOLDER = "REPLACE-WITH-YOUR-ROWS.jsonl"
DOCUMENTS_PLACEHOLDER = "REPLACE-WITH-YOUR-DOCUMENTS/"
MEASURABLE: tuple[Approach, ...] = ("prompt", "fewshot", "rag", "head", "lora", "lora_rag")
"""Approaches that a run can measure, simplest first; their names are those of the strategies."""
RETRIEVING: frozenset[Approach] = frozenset({"rag", "lora_rag"})
"""Those that look answers up in documents; a task file without documents must not name them."""
_DAYS: dict[Pace, float] = {"daily": 1, "weekly": 7, "monthly": 30, "yearly": 365}


def task_yaml(values: Values, expected: Approach | None) -> str:
    """A task file for ``tuneworth run``. Once every placeholder is replaced, it can be run as it is.

    Args:
        expected: the approach that is expected to win, if any. Where it retrieves, or answers are known to depend on
            documents, the file names documents and the strategies that look things up.
    """
    documents = values.get("needs_documents") is True or expected in RETRIEVING
    strategies = _strategies(values, documents)
    lines = [
        "# What would settle the advice. Run it: tuneworth run task.yaml   Every key: docs/task.md",
        f"train: {PLACEHOLDER}  # PLACEHOLDER: your labelled rows (.jsonl, .csv, .parquet ...)",
        *(_documents(values) if documents else []),
        *_output(values),
        "margin: 0.02  # smallest difference of the metric that matters to you; 0.02 is two points",
        "models: [smollm2-135m]  # candidates; better ones: local folders or hub ids",
        *_beyond(expected, strategies),
        f"strategies: [{', '.join(strategies)}]",
        *_limits(values),
        *_price(values),
    ]
    return "\n".join(lines) + "\n"


def _strategies(values: Values, documents: bool) -> list[Approach]:
    """All that can be measured: a verdict on tuning needs the simple ones beside it, whatever is expected."""
    left_out = set[Approach]() if documents else set(RETRIEVING)
    if values.get("output_kind") not in (None, "label"):
        left_out.add("head")
    return [approach for approach in MEASURABLE if approach not in left_out]


def _documents(values: Values) -> list[str]:
    """The documents, and how often they change: by that a run judges what was learned by heart."""
    lines = [
        f"documents: {DOCUMENTS_PLACEHOLDER}  # PLACEHOLDER: folder, file or pattern of the documents to look things up in"
    ]
    days = _DAYS.get(values.get("knowledge_changes") or "never")
    if days is not None:
        lines += ["updates:", f"  knowledge_every_days: {days:g}  # days between two changes of the documents"]
    return lines


def _output(values: Values) -> list[str]:
    kind = values.get("output_kind")
    return [] if kind is None else ["output:", f"  kind: {kind}"]


def _beyond(expected: Approach | None, strategies: Sequence[Approach]) -> list[str]:
    if expected is None or expected in strategies:
        return []
    return [
        f"# Expected to win: {approach_title(expected).en}. A run does not measure that yet;",
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

"""The task file that would measure an advice."""

from __future__ import annotations

from tuneworth.advisor.conditions import Values
from tuneworth.advisor.facts import Pace
from tuneworth.advisor.ranking import approach_title
from tuneworth.core.advice import Approach

PLACEHOLDER = "REPLACE-WITH-YOUR-ROWS.jsonl"
DOCUMENTS_PLACEHOLDER = "REPLACE-WITH-YOUR-DOCUMENTS/"
MEASURABLE: tuple[Approach, ...] = ("prompt", "decision", "fewshot", "rag", "head", "lora", "lora_rag")
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
    lines = [
        "# What would settle the advice. Run it: tuneworth run task.yaml   Every key: docs/task.md",
        f"train: {PLACEHOLDER}  # PLACEHOLDER: your labelled rows (.jsonl, .csv, .parquet ...)",
    ]
    documents = values.get("needs_documents") is True or expected in RETRIEVING
    if documents:
        source = "folder, file or pattern of the documents to look things up in"
        lines.append(f"documents: {DOCUMENTS_PLACEHOLDER}  # PLACEHOLDER: {source}")
        days = _DAYS.get(values.get("knowledge_changes") or "never")
        if days is not None:  # by that a run judges what was learned by heart
            lines += ["updates:", f"  knowledge_every_days: {days:g}  # days between two changes of the documents"]
    kind = values.get("output_kind")
    if kind is not None:
        lines += ["output:", f"  kind: {kind}"]
    lines += [
        "margin: 0.02  # smallest difference of the metric that matters to you; 0.02 is two points",
        "models: [smollm2-135m]  # candidates; better ones: local folders or hub ids",
    ]
    # All that can be measured: a verdict on tuning needs the simple ones beside it, whatever is expected.
    left_out = set[Approach]() if documents else set(RETRIEVING)
    if kind not in (None, "label", "multilabel", "number"):
        left_out.add("head")
    if kind not in (None, "label", "choice"):
        left_out.add("decision")
    strategies = [approach for approach in MEASURABLE if approach not in left_out]
    if expected is not None and expected not in strategies:
        lines += [
            f"# Expected to win: {approach_title(expected).en}. A run does not measure that yet;",
            "# it tells whether tuning beats the simpler approaches on these rows.",
        ]
    lines.append(f"strategies: [{', '.join(strategies)}]")
    private, p95_ms = values.get("private"), values.get("p95_target_ms")
    if private is not None or p95_ms is not None:
        lines.append("limits:")
    if private is not None:
        lines.append(f"  private: {'true' if private else 'false'}  # rows must not leave this machine")
    if p95_ms is not None:
        lines.append(f"  p95_ms: {p95_ms:g}  # 95th percentile of the time for one row, ms")
    price = values.get("machine_usd_per_hour")
    if price is not None:
        lines.append(f"machine_usd_per_hour: {price:g}")
    return "\n".join(lines) + "\n"

"""Label Studio: the JSON export with ``data`` and ``annotations``, and JSON-MIN and CSV with a column a control.

In JSON, every annotation has results of controls (``choices``, ``textarea``, ``labels``, …), each by the name it has in the
labelling interface (``from_name``). Those marked as ground truth count before all others, cancelled ones do not count.
"""

from __future__ import annotations

import json
from typing import Any

from tuneworth.data.exports._answers import agreed, alone, answer_name, spans
from tuneworth.data.rows import NotTruth
from tuneworth.words.say import say

_OWN_COLUMNS = frozenset((
    "annotation_id", "annotator", "created_at", "updated_at", "lead_time", "cancelled_annotations", "total_annotations", "total_predictions",
    "comment_count", "unresolved_comment_count", "comment_authors", "last_comment_updated_at", "inner_id", "project", "updated_by", "file_upload",
))  # fmt: skip
_VALUES = ("choices", "taxonomy", "text", "rating", "number", "datetime")


class LabelStudio:
    tool = "Label Studio"

    def recognises(self, value: dict[str, Any]) -> bool:
        annotations = value.get("annotations", value.get("completions"))
        if isinstance(value.get("data"), dict) and isinstance(annotations, list):
            return all(isinstance(one, dict) and "result" in one for one in annotations)
        return {"annotation_id", "annotator", "lead_time"} <= value.keys()

    def convert(self, value: dict[str, Any]) -> dict[str, Any]:
        if not isinstance(value.get("data"), dict):
            return {name: _cell(cell) for name, cell in value.items() if name not in _OWN_COLUMNS}
        annotations = value.get("annotations", value.get("completions")) or []
        kept = [one for one in annotations if not one.get("was_cancelled") and not one.get("skipped")]
        if annotations and not kept:
            raise NotTruth(say("reading.export.skipped"))
        kept = [one for one in kept if one.get("ground_truth")] or kept
        text = _only_text(value["data"])
        answers = [answer for one in kept if (answer := _answer(one.get("result") or [], text))]
        answer = agreed(answers)
        if len(answer) == 1:
            answer = {answer_name(value["data"]): next(iter(answer.values()))}
        return {**value["data"], **({"id": value["id"]} if "id" in value else {}), **answer}


def _only_text(data: dict[str, Any]) -> str:
    return next((cell for cell in data.values() if isinstance(cell, str)), "")


def _answer(results: list[dict[str, Any]], text: str) -> dict[str, Any]:
    """Name of the control → what the annotator chose, wrote or marked."""
    found: dict[str, Any] = {}
    marked: dict[str, list[tuple[int, int, str]]] = {}
    for result in results:
        control, inside = str(result.get("from_name", "label")), result.get("value") or {}
        if "labels" in inside and isinstance(inside.get("start"), int):
            label = str(alone(inside["labels"]))
            marked.setdefault(control, []).append((inside["start"], inside.get("end", inside["start"]), label))
            continue
        kind = next((kind for kind in _VALUES if kind in inside), None)
        if kind is not None:
            answer = inside[kind]
            found[control] = alone([" / ".join(path) for path in answer] if kind == "taxonomy" else answer)
    return found | {control: spans(text, passages) for control, passages in marked.items()}


def _cell(cell: Any) -> Any:
    """JSON-MIN writes several choices as ``{"choices": [...]}``, in CSV as its text."""
    if isinstance(cell, str) and cell.startswith('{"choices"'):
        try:
            cell = json.loads(cell)
        except ValueError:
            return cell
    return alone(cell["choices"]) if isinstance(cell, dict) and cell.keys() == {"choices"} else cell

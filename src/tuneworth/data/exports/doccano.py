"""doccano's JSONL: ``label`` is a list of class names, of ``[start, end, name]``, or of texts that annotators wrote."""

from __future__ import annotations

from typing import Any

from tuneworth.data.exports._answers import alone, spans
from tuneworth.data.rows import NotTruth
from tuneworth.words.say import say

_OWN = ("Comments", "comments", "annotation_approver", "meta")


class Doccano:
    tool = "doccano"

    def recognises(self, value: dict[str, Any]) -> bool:
        labels = _labels(value)
        is_ours = "Comments" in value or "comments" in value or "annotation_approver" in value or "entities" in value
        return is_ours and isinstance(labels, list) and ("text" in value or "data" in value)

    def convert(self, value: dict[str, Any]) -> dict[str, Any]:
        labels = _labels(value)
        if not labels:
            raise NotTruth(say("reading.export.not_labelled"))
        plain = {
            name: cell
            for name, cell in value.items()
            if name not in (*_OWN, "label", "labels", "entities", "relations")
        }
        if "data" in plain:
            plain["text"] = plain.pop("data")
        if all(isinstance(one, list) and len(one) == 3 for one in labels):
            return {**plain, "output": spans(str(plain["text"]), [(start, end, name) for start, end, name in labels])}
        if all(isinstance(one, dict) and "start_offset" in one for one in labels):
            marked = [(one["start_offset"], one["end_offset"], one["label"]) for one in labels]
            return {**plain, "output": spans(str(plain["text"]), marked)}
        return {**plain, "label": alone(labels)}


def _labels(value: dict[str, Any]) -> Any:
    return next((value[name] for name in ("label", "labels", "entities") if name in value), None)

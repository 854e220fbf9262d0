"""OpenAI's evals: samples with ``input`` (a conversation) and ``ideal``, and rows of the platform under ``item``."""

from __future__ import annotations

from typing import Any

from tuneworth.data.rows import BadRow, NotTruth
from tuneworth.words.say import say


class Evals:
    tool = "OpenAI evals"

    def recognises(self, value: dict[str, Any]) -> bool:
        is_item = isinstance(value.get("item"), dict) and value.keys() <= {"item", "sample", "id"}
        return is_item or ("ideal" in value and "input" in value) or _is_event(value)

    def convert(self, value: dict[str, Any]) -> dict[str, Any]:
        if _is_event(value):
            raise BadRow(say("reading.export.log"))
        if "item" in value:
            return dict(value["item"])
        ideal = value["ideal"]
        answers = [ideal] if isinstance(ideal, str) else list(ideal)
        if not answers:
            raise NotTruth(say("reading.export.not_labelled"))
        rest = {name: cell for name, cell in value.items() if name != "ideal"}
        return {**rest, "output": answers[0], **({"references": answers} if len(answers) > 1 else {})}


def _is_event(value: dict[str, Any]) -> bool:
    """A line of a run's log: it has what a system answered."""
    return {"run_id", "event_id", "sample_id"} <= value.keys() or value.keys() == {"spec"}

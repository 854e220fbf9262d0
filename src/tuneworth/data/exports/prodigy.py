"""Prodigy's ``db-out``: one task a line with hashes and the annotator's ``answer``: accept, reject or ignore."""

from __future__ import annotations

from typing import Any

from tuneworth.data.exports._answers import alone, spans
from tuneworth.data.rows import NotTruth
from tuneworth.words.say import say


class Prodigy:
    tool = "Prodigy"

    def recognises(self, value: dict[str, Any]) -> bool:
        return {"_input_hash", "_task_hash"} <= value.keys() and value.get("answer") in ("accept", "reject", "ignore")

    def convert(self, value: dict[str, Any]) -> dict[str, Any]:
        if value.get("answer") != "accept":
            raise NotTruth(say("reading.export.not_accepted", answer=str(value.get("answer"))))
        plain = {name: cell for name, cell in value.items() if not name.startswith("_")}
        for name in ("answer", "options", "accept", "spans", "tokens", "config", "meta"):
            plain.pop(name, None)
        if isinstance(value.get("options"), list) and isinstance(value.get("accept"), list):
            if not value["accept"]:
                raise NotTruth(say("reading.export.not_labelled"))
            return {**plain, "label": alone([_said(choice, value["options"]) for choice in value["accept"]])}
        if isinstance(value.get("spans"), list) and "label" not in value:
            text = str(value.get("text", ""))
            return {
                **plain,
                "output": spans(text, [(one["start"], one["end"], str(one["label"])) for one in value["spans"]]),
            }
        return plain


def _said(choice: Any, options: list[Any]) -> Any:
    """An option by its text: ids are often numbers."""
    return next(
        (one.get("text", choice) for one in options if isinstance(one, dict) and one.get("id") == choice), choice
    )

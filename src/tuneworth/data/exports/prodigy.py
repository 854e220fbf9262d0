"""Prodigy's ``db-out``: one task a line with hashes and the annotator's ``answer``: accept, reject or ignore.

A rejected label is wrong, and nothing says which is right. Where only one label was ever asked about, the other answer is
known all the same: not that label.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tuneworth.data.exports._answers import alone, spans
from tuneworth.data.rows import NotTruth
from tuneworth.words.say import say


class Prodigy:
    tool = "Prodigy"

    def __init__(self, only_label: str | None = None):
        self.only_label = only_label

    def fitted(self, values: Sequence[dict[str, Any]]) -> Prodigy:
        labels = {str(value.get("label")) for value in values if "label" in value}
        asked = len(labels) == 1 and all("label" in value for value in values)
        return Prodigy(labels.pop() if asked and any(value.get("answer") == "reject" for value in values) else None)

    def recognises(self, value: dict[str, Any]) -> bool:
        return {"_input_hash", "_task_hash"} <= value.keys() and value.get("answer") in ("accept", "reject", "ignore")

    def convert(self, value: dict[str, Any]) -> dict[str, Any]:
        if self.only_label is not None and value.get("answer") == "reject":
            return {"text": value.get("text"), "label": f"not {self.only_label}"}
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

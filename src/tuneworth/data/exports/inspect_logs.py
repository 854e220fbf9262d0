"""Inspect: samples of a log (``.json``): the input and the target; what the model answered is not read."""

from __future__ import annotations

from typing import Any

from tuneworth.data.rows import BadRow, NotTruth
from tuneworth.words.say import say


class InspectLogs:
    tool = "Inspect"

    def recognises(self, value: dict[str, Any]) -> bool:
        return {"input", "target", "epoch"} <= value.keys() and ("scores" in value or "output" in value)

    def convert(self, value: dict[str, Any]) -> dict[str, Any]:
        if value["epoch"] not in (None, 1):
            raise BadRow(say("reading.export.epoch", epoch=str(value["epoch"])))
        target = value["target"]
        answers = [target] if isinstance(target, str) else list(target)
        if not answers or not answers[0]:
            raise NotTruth(say("reading.export.not_labelled"))
        plain = {name: value[name] for name in ("id", "input", "choices") if value.get(name) is not None}
        return {**plain, "target": answers[0], **({"references": answers} if len(answers) > 1 else {})}

"""OpenAI's rows for preference training: a conversation under ``input``, and of two continuations the preferred one."""

from __future__ import annotations

from typing import Any

from tuneworth.data.rows import BadRow
from tuneworth.words.say import say


class Preferences:
    tool = "OpenAI preferences"

    def recognises(self, value: dict[str, Any]) -> bool:
        return isinstance(value.get("input"), dict) and "preferred_output" in value and "messages" in value["input"]

    def convert(self, value: dict[str, Any]) -> dict[str, Any]:
        turns, said = value["input"]["messages"], value["preferred_output"]
        if not isinstance(turns, list) or not isinstance(said, list):
            raise BadRow(say("rows.turns.no_list", name="input.messages"))
        return {"messages": [*turns, *said]}

"""Rows as the hub's data set viewer gives them: ``{"row_idx": 0, "row": {…}, "truncated_cells": []}``."""

from __future__ import annotations

from typing import Any

from tuneworth.data.rows import BadRow, without_nulls
from tuneworth.words.say import say


class Viewer:
    tool = "Hugging Face data set viewer"

    def recognises(self, value: dict[str, Any]) -> bool:
        return "row_idx" in value and isinstance(value.get("row"), dict)

    def convert(self, value: dict[str, Any]) -> dict[str, Any]:
        if value.get("truncated_cells"):
            raise BadRow(say("reading.export.truncated", cells=", ".join(map(str, value["truncated_cells"]))))
        return without_nulls(value["row"])

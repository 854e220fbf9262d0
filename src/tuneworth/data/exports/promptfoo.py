"""promptfoo: test cases (``vars`` and ``assert``), results of an evaluation, and CSV tests with ``__expected``.

Only ``equals`` says what is right; other assertions check an answer without naming it. Answers of a model are not read.
"""

from __future__ import annotations

import re
from typing import Any

from tuneworth.data.exports._answers import answer_name
from tuneworth.data.rows import BadRow
from tuneworth.words.say import say

_EXPECTED = "__expected"
_ASSERTION = re.compile(r"(?:not-)?[a-z][a-z-]*(?:\([\d.]+\))?:|file://")


class Promptfoo:
    tool = "promptfoo"

    def recognises(self, value: dict[str, Any]) -> bool:
        if any(name.startswith(_EXPECTED) for name in value):
            return True
        test = value.get("testCase", value)
        return (
            isinstance(test, dict) and isinstance(test.get("vars"), dict) and ("assert" in test or "testCase" in value)
        )

    def convert(self, value: dict[str, Any]) -> dict[str, Any]:
        test = value.get("testCase", value)
        if "vars" in test:
            checks = [one for one in test.get("assert") or () if isinstance(one, dict)]
            right = [one["value"] for one in checks if one.get("type") == "equals" and "value" in one]
            kinds = [str(one.get("type")) for one in checks]
            variables = test["vars"]
        else:
            cells = [str(cell) for name, cell in value.items() if name.startswith(_EXPECTED) and cell not in (None, "")]
            right = [cell.removeprefix("equals:").strip() for cell in cells if _is_equality(cell)]
            kinds = [cell.split(":")[0] for cell in cells]
            variables = {name: cell for name, cell in value.items() if not name.startswith("__")}
        if not right:
            raise BadRow(say("reading.export.no_equals", kinds=", ".join(kinds) or "-"))
        return {**variables, answer_name(variables): right[0]}


def _is_equality(cell: str) -> bool:
    return cell.startswith("equals:") or _ASSERTION.match(cell) is None

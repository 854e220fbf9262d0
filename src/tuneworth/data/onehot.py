"""Labels in columns of their own, 1 or 0 a row, turned into one column of labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tuneworth.data.fieldnames import ANSWERS, LAST_ANSWERS, METADATA, ends_like, is_system, is_truth, key
from tuneworth.data.formats import RawData
from tuneworth.data.rows import RawRow
from tuneworth.data.truth import is_mark
from tuneworth.data.values import json_text
from tuneworth.words.say import say

COLUMN = "labels"
_LEAST = 3
"""Two columns of yes and no are as often two facts about the text."""
_YES = frozenset(("1", "1.0", "true", "yes", "y", "x", "✓", "√", "是"))
_NO = frozenset(("0", "0.0", "false", "no", "n", "", "否"))


def label_columns(rows: Sequence[RawRow]) -> list[str]:
    """The columns that hold 1 or 0 in every row; none where a column is called like an answer, or fewer than three do."""
    columns = list(dict.fromkeys(name for row in rows for name in row.value))
    if any(key(name) in (*ANSWERS, *LAST_ANSWERS) or is_truth(name) or is_system(name) for name in columns):
        return []
    plain = [
        name for name in columns if key(name) not in METADATA and not ends_like(name, METADATA) and not is_mark(name)
    ]
    said = {name: {_said(row, name) for row in rows} for name in plain}
    found = [name for name in plain if said[name] & _YES and said[name] <= _YES | _NO]
    return found if len(found) >= _LEAST else []


def united(data: RawData, names: Sequence[str]) -> RawData:
    """``data`` with the list of those of ``names`` that hold 1 in their place, or with the name where each row has one."""
    lists = [[name for name in names if _said(row, name) in _YES] for row in data.rows]
    one_each = all(len(labels) == 1 for labels in lists)
    rows = [
        replace(row, text=None, value=_rest(row, names) | {COLUMN: labels[0] if one_each else json_text(labels)})
        for row, labels in zip(data.rows, lists)
    ]
    note = say("columns.one_hot", names=", ".join(f"`{name}`" for name in names), column=COLUMN)
    return replace(data, rows=rows, notes=[*data.notes, note], suffix="")


def _said(row: RawRow, name: str) -> str:
    return str(row.value.get(name, "")).strip().lower()


def _rest(row: RawRow, names: Sequence[str]) -> dict[str, object]:
    return {name: value for name, value in row.value.items() if name not in names}

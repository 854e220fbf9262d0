"""Labels in columns of their own, 1 or 0 a row, turned into one column of labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tuneworth.data.fieldnames import ANSWERS, LAST_ANSWERS, METADATA, ends_like, is_system, is_truth, key
from tuneworth.data.formats import RawData
from tuneworth.data.rows import RawRow
from tuneworth.data.truth import is_mark
from tuneworth.data.values import json_text
from tuneworth.errors import InputError, Problem
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


def united(files: Sequence[RawData], names: Sequence[str]) -> list[RawData]:
    """``files`` with the list of those of ``names`` that hold 1 in their place, or with the name where each row of the first has one.

    Raises:
        InputError: a file lacks some of these columns.
    """
    one_each = all(len(_labels(row, names)) == 1 for row in files[0].rows)
    first, *others = [_united(data, names, one_each) for data in files]
    note = say("columns.one_hot", names=", ".join(f"`{name}`" for name in names), column=COLUMN)
    return [replace(first, notes=[*first.notes, note]), *others]


def _united(data: RawData, names: Sequence[str], one_each: bool) -> RawData:
    shown = ", ".join(f"`{name}`" for name in names if not any(name in row.value for row in data.rows))
    if shown:
        raise InputError(Problem(data.name, say("columns.one_hot_absent", names=shown)))
    rows = list[RawRow]()
    for row in data.rows:
        labels, rest = _labels(row, names), {name: value for name, value in row.value.items() if name not in names}
        said = labels[0] if one_each and len(labels) == 1 else json_text(labels)
        rows.append(replace(row, text=None, value=rest | {COLUMN: said}))
    return replace(data, rows=rows, suffix="")


def _labels(row: RawRow, names: Sequence[str]) -> list[str]:
    return [name for name in names if _said(row, name) in _YES]


def _said(row: RawRow, name: str) -> str:
    return str(row.value.get(name, "")).strip().lower()

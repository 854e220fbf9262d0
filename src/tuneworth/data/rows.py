"""Rows as they were read, and rows that were set aside."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tuneworth.core.text import Text
from tuneworth.errors import InputError, Problem
from tuneworth.words.say import say

_PLACE = re.compile(r"(.*?):(\d+)(?::\d+)?", re.DOTALL)
SHOWN_CHARS = 80
"""How much of a value a message quotes."""


class BadRow(ValueError):
    """Why one row cannot be used. Never leaves this package: it becomes a ``Rejected``."""

    def __init__(self, reason: Text):
        self.reason = reason
        super().__init__(reason.en)


class NotTruth(BadRow):
    """A row that says of itself that its answer does not count. It is no fault of the file."""


@dataclass(frozen=True, slots=True)
class RawRow:
    """One record of a file.

    Attributes:
        line: 1-based line where the record starts; in a Parquet file, the row number.
        text: the record as it stood in the file, or ``None`` where it was not text.
        end: line where the record ends, 0 for the line where it starts.
        column: where in its line it starts, of a record that another stands before; else 0.
    """

    file: str
    line: int
    value: dict[str, Any]
    text: str | None = None
    end: int = 0
    column: int = 0

    @property
    def source(self) -> str:
        place = f"{self.file}:{self.line}"
        return f"{place}:{self.column}" if self.column else place

    @property
    def raw(self) -> str:
        return self.text if self.text is not None else json.dumps(self.value, ensure_ascii=False, default=str)

    def rejected(self, reason: Text, *, on_purpose: bool = False) -> Rejected:
        return Rejected(self.file, self.line, reason, self.raw, self.end, on_purpose)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was set aside, and why. ``raw`` is the whole row; ``end`` is its last line, 0 for ``line``.

    ``on_purpose``: the row says of itself that its answer does not count.
    """

    file: str
    line: int
    reason: Text
    raw: str
    end: int = 0
    on_purpose: bool = False

    @property
    def n_lines(self) -> int:
        return max(self.end - self.line, 0) + 1

    @property
    def where(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(slots=True)
class Rows:
    """What a reader made of a file.

    Attributes:
        rejected: records that are no rows at all.
        others: first and last lines of what is no record: a header, brackets, comments.
        notes: what a reader of the report must know about the reading.
        as_named: the file is of the format that its suffix names, so that rows can be written back into it.
    """

    rows: list[RawRow] = field(default_factory=list[RawRow])
    rejected: list[Rejected] = field(default_factory=list[Rejected])
    others: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    notes: list[Text] = field(default_factory=list[Text])
    as_named: bool = True

    def check_conserved(self, lines: Sequence[str], name: str) -> None:
        """Every line that is not blank belongs to a row, to what was set aside, or to what is no record.

        Readers keep to this by the way they go through a file. It is counted again here, so that no fault in one of them can
        lose a line without a word.

        Raises:
            InputError: with the first line that nothing accounts for.
        """
        spans = [(record.line, record.end) for record in (*self.rows, *self.rejected)]
        accounted = bytearray(len(lines) + 1)
        for start, end in (*spans, *self.others):
            accounted[start : max(start, end) + 1] = b"\1" * (max(start, end) + 1 - start)
        for number, line in enumerate(lines, start=1):
            if not accounted[number] and line.strip():
                raise InputError(Problem(f"{name}:{number}", say("reading.lost_line", shown=quote(line.strip()))))


def place_of(source: str) -> tuple[str, int | None]:
    """The file and the line in ``RawRow.source``; the text itself and ``None`` where it names no line."""
    match = _PLACE.fullmatch(source)
    return (match[1], int(match[2])) if match else (source, None)


def without_nulls(record: dict[str, Any]) -> dict[str, Any]:
    """A table has a cell for every column; a null means that the row lacks it."""
    return {str(column): value for column, value in record.items() if value is not None}


def quote(value: object, limit: int = SHOWN_CHARS) -> str:
    """``value`` for a message: one line, at most ``limit`` characters."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = text[: limit + 1]  # cut first: a value of a megabyte is not worth escaping whole
    text = text.encode("utf-8", "backslashreplace").decode().replace("\n", "\\n").replace("\x00", "\\0")
    return text if len(text) <= limit else text[: limit - 1] + "…"

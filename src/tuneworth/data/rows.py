"""Rows as they were read, and rows that were set aside."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tuneworth.core.text import Text
from tuneworth.data.files import write_text

SHOWN_CHARS = 80
"""How much of a value a message quotes."""


class BadRow(ValueError):
    """Why one row cannot be used. Never leaves this package: it becomes a ``Rejected``."""

    def __init__(self, reason: Text):
        self.reason = reason
        super().__init__(reason.en)


@dataclass(frozen=True, slots=True)
class RawRow:
    """One record of a file.

    Attributes:
        line: 1-based line where the record starts; in a Parquet file, the row number.
        text: the record as it stood in the file, or ``None`` where it was not text.
    """

    file: str
    line: int
    value: dict[str, Any]
    text: str | None = None

    @property
    def source(self) -> str:
        return f"{self.file}:{self.line}"

    @property
    def raw(self) -> str:
        return self.text if self.text is not None else json.dumps(self.value, ensure_ascii=False, default=str)

    def rejected(self, reason: Text) -> Rejected:
        return Rejected(self.file, self.line, reason, self.raw)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was set aside, and why. ``raw`` is the whole row."""

    file: str
    line: int
    reason: Text
    raw: str

    @property
    def where(self) -> str:
        return f"{self.file}:{self.line}"


class Rows(NamedTuple):
    """Records that are objects, and those that are not."""

    rows: list[RawRow]
    rejected: list[Rejected]


def without_nulls(record: dict[str, Any]) -> dict[str, Any]:
    """A table has a cell for every column; a null means that the row lacks it."""
    return {str(column): value for column, value in record.items() if value is not None}


def quote(value: object, limit: int = SHOWN_CHARS) -> str:
    """``value`` for a message: one line, at most ``limit`` characters."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = text[: limit + 1]  # cut first: a value of a megabyte is not worth escaping whole
    text = text.encode("utf-8", "backslashreplace").decode().replace("\n", "\\n").replace("\x00", "\\0")
    return text if len(text) <= limit else text[: limit - 1] + "…"


def write_rejected(path: Path, rejected: Iterable[Rejected]) -> None:
    """Write one JSON object a line: ``file``, ``line``, ``reason`` (``en``, ``zh``) and the whole ``raw`` row.

    Raises:
        EnvironmentProblem: the file cannot be written; nothing is left half-written.
    """
    lines = [
        json.dumps(
            {"file": row.file, "line": row.line, "reason": {"en": row.reason.en, "zh": row.reason.zh}, "raw": row.raw},
            ensure_ascii=False,
        )
        for row in rejected
    ]
    write_text(path, "".join(f"{line}\n" for line in lines))

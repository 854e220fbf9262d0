"""Values of rows as dates, as text, and as answers: which type they have, and the one way each type is written."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal

from tuneworth.data.rows import BadRow, quote
from tuneworth.words.say import say, table

_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)")
_SLASHED = re.compile(r"(\d{4})([/.])(\d{1,2})\2(\d{1,2})(?!\d)")
_CHINESE = re.compile(r"(\d{4})\s*年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*[日号]")
_YEAR_LAST = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4})(?!\d)")
_EPOCH = re.compile(r"(\d{10})(?:\d{3})?(?:\.0)?")
_EPOCH_FROM, _EPOCH_TO = 946_684_800, 4_102_444_800  # 2000 to 2100
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?!\d)")
_PDF = re.compile(r"D:(\d{4})(\d{2})?(\d{2})?")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
MAX_ROW_CHARS = 200_000
"""Longest input or output: about 50,000 tokens, beyond the context of any model trained on a desk."""
OutputType = Literal["text", "number", "boolean", "list", "object"]


def read_date(value: object, day_first: bool | None = None) -> date | None:
    """The day that ``value`` names, or ``None`` where it names none for certain.

    Read are dates and times as objects, ISO 8601, ``2024/3/5``, ``2024.3.5``, ``20240305`` and ``2024年3月5日``,
    a time of day behind them is ignored; and seconds or milliseconds since 1970, of this century (UTC).

    Args:
        day_first: how ``03/05/2024`` is meant; ``None``: it is not read, because that depends on who wrote it.
    """
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = str(value).strip()
    if (match := _EPOCH.fullmatch(text)) and _EPOCH_FROM <= int(match[1]) < _EPOCH_TO:
        return datetime.fromtimestamp(int(match[1]), UTC).date()
    for form in (_ISO, _CHINESE, _COMPACT) if isinstance(value, str) else ():
        if match := form.match(text):
            return _day(*match.groups())
    if match := _SLASHED.match(text):
        return _day(match[1], match[3], match[4])
    match = _YEAR_LAST.match(text) if day_first is not None else None
    return _day(match[4], *((match[3], match[1]) if day_first else (match[1], match[3]))) if match else None


def is_day_first(values: Sequence[object]) -> bool | None:
    """Whether dates with the year last begin with the day, told from those that leave no doubt; ``None`` where none does, or both."""
    found = [match for value in values if (match := _YEAR_LAST.match(str(value).strip()))]
    first, second = (any(int(match[at]) > 12 for match in found) for at in (1, 3))
    return first if first != second else None


def read_pdf_date(value: str) -> date | None:
    """The day of a PDF date, ``D:YYYYMMDDHHmmSS`` (ISO 32000-1, 7.9.4); a missing month or day is the first."""
    match = _PDF.match(value.strip())
    return _day(match[1], match[2] or "1", match[3] or "1") if match else None


def _day(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def cell(value: Mapping[str, Any], name: str) -> Any:
    """The value of column ``name``; ``a.b`` is ``b`` inside ``a`` where no column is called so. ``None``: not there."""
    if name in value or "." not in name:
        return value.get(name)
    outer, inner = name.split(".", 1)
    return cell(value[outer], inner) if isinstance(value.get(outer), Mapping) else None


def is_empty(value: object) -> bool:
    return value is None or (isinstance(value, str | list | tuple | dict) and not value) or str(value).strip() == ""


def parsed(value: Any) -> Any:
    """The list or object that a cell of a table holds as text (JSON, or as Python prints it), else ``value``."""
    if not isinstance(value, str) or not value.lstrip().startswith(("[", "{")):
        return value
    for read in (json.loads, ast.literal_eval):
        try:
            found = read(value)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        return found if isinstance(found, list | dict) else value
    return value


def as_text(name: str, value: object) -> str:
    """``value`` of an input field as text; numbers are written out.

    Raises:
        BadRow: it is a list, an object or bytes.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes | list | dict):
        shown = quote(value)
        raise BadRow(say("rows.field.not_text", name=name, shown=shown))
    return str(value)


def check_text(name: str, text: str) -> None:
    """Refuse text that no model can be given.

    Raises:
        BadRow: it is too long, or holds a NUL or half a surrogate pair.
    """
    if len(text) > MAX_ROW_CHARS:
        raise BadRow(say("rows.field.too_long", name=name, n=len(text), most=MAX_ROW_CHARS))
    if "\x00" in text:
        raise BadRow(say("rows.field.nul", name=name))
    try:
        text.encode()
    except UnicodeEncodeError as error:
        bad = f"U+{ord(text[error.start]):04X}"
        raise BadRow(say("rows.field.not_decoded", name=name, bad=str(bad), at=str(error.start + 1))) from None


def type_of(value: object) -> OutputType | None:
    """The type of an answer, or ``None`` for what cannot be one (bytes)."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float | Decimal):
        return "number"
    if isinstance(value, str | date | datetime):
        return "text"
    if isinstance(value, list):
        return "list"
    return "object" if isinstance(value, dict) else None


def common_type(outputs: Sequence[object]) -> OutputType:
    """The type most outputs have; on a tie, the one that comes first in the file."""
    counts: Counter[OutputType] = Counter(found for value in outputs if (found := type_of(value)) is not None)
    return counts.most_common(1)[0][0] if counts else "text"


def output_text(value: Any, expected: OutputType, name: str = "output") -> str:
    """The answer, in the field ``name``, as the text a model learns to write. What reads the same is the same: ``3`` and ``"3"``.

    Raises:
        BadRow: it is empty, of another type than the other rows' answers, or not text.
    """
    found = type_of(value)
    if found != expected and (same := _as_type(value, expected)) is not None:
        value = same
    elif found is None or found != expected:
        types = table("rows.output.type")
        raise BadRow(
            say(
                "rows.output.another_type",
                name=name,
                found=types[found or "other"],
                shown=quote(value),
                expected=types[expected],
            )
        )
    text = _written(value).strip()
    if not text:
        raise BadRow(say("rows.output.empty", name=name))
    check_text(name, text)
    return text


def _as_type(value: Any, expected: OutputType) -> str | None:
    """A single value as one of type ``expected`` is written, where its text is one."""
    if not isinstance(value, str | bool | int | float | Decimal):
        return None
    text = _written(value).strip()
    if expected == "text":
        return text
    if expected == "boolean":
        return text.lower() if text.lower() in ("true", "false") else None
    return text if expected == "number" and _NUMBER.fullmatch(text) else None


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | dict):
        return json_text(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))  # Parquet and CSV writers turn a column of integers with a gap into floats
    return str(value)


def json_text(value: Any) -> str:
    """The one way JSON is written here: characters as they are, ``", "`` and ``": "`` between."""
    return json.dumps(value, ensure_ascii=False, default=str)


def parse_structure(text: str) -> dict[str, Any] | list[Any] | None:
    """The JSON object or array that ``text`` is, or ``None``."""
    if not text.startswith(("{", "[")):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list) else None

"""Answers as text: which type they have, and the one way each type is written."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from tuneworth.core.text import Text
from tuneworth.data.drafts import check_text
from tuneworth.data.rows import BadRow, quote

OutputType = Literal["text", "number", "boolean", "list", "object"]

_ZH: dict[OutputType, str] = {"text": "文本", "number": "数字", "boolean": "布尔值", "list": "列表", "object": "对象"}


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


def output_text(value: Any, expected: OutputType) -> str:
    """The answer as the text a model learns to write.

    Raises:
        BadRow: it is empty, of another type than the other rows' answers, or not text.
    """
    found = type_of(value)
    if found is None or found != expected:
        shown = quote(value)
        raise BadRow(
            Text(
                en=f"the output is {_a(found)} ({shown}), in most rows it is {_a(expected)}",
                zh=f"输出是{_ZH.get(found, '其他类型') if found else '其他类型'}（{shown}），而多数行是{_ZH[expected]}",
            )
        )
    text = _written(value).strip()
    if not text:
        raise BadRow(Text(en="the output is empty", zh="输出为空"))
    check_text("output", text)
    return text


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


def _a(found: OutputType | None) -> str:
    names = {"text": "text", "number": "a number", "boolean": "true or false", "list": "a list", "object": "an object"}
    return names[found] if found else "of another type"

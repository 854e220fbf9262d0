"""A row half read: question, raw answer and extras, before the task is known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any

from tuneworth.core.task import Message
from tuneworth.core.text import Text
from tuneworth.data.dates import read_date
from tuneworth.data.rows import BadRow, quote

MAX_ROW_CHARS = 200_000
"""Longest input or output: about 50,000 tokens, beyond the context of any model trained on a desk."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a row says. ``output`` is still whatever the file held."""

    messages: tuple[Message, ...]
    output: Any
    id: str | None = None
    references: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    group: str = ""
    gold: tuple[str, ...] = ()
    doc_set: str | None = None
    changed: date | None = None


GOLD_NAMES = ("gold", "doc_ids", "doc_id", "document_id", "passage_id")
"""Fields that usually name the documents that hold an answer, tried in this order."""


@dataclass(frozen=True, slots=True)
class Extras:
    """Names of the fields beyond input and output; ``None`` where rows have none."""

    id: str | None = None
    references: str | None = None
    choices: str | None = None
    group: str | None = None
    gold: str | None = None
    doc_set: str | None = None
    date: str | None = None

    def names(self) -> dict[str, str]:
        """What a field is for → its name, of those that rows have."""
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        return {what: name for what, name in named.items() if name}

    def columns(self) -> set[str]:
        return set(self.names().values())

    def found_in(self, columns: Iterable[str]) -> Extras:
        """These names, and the usual ones for those not given."""
        known = set(columns)
        answers = next((name for name in ("references", "answers") if name in known), None)
        return Extras(
            id=self.id or ("id" if "id" in known else None),
            references=self.references or answers,
            choices=self.choices or ("choices" if "choices" in known else None),
            group=self.group,
            gold=self.gold,
            doc_set=self.doc_set,
            date=self.date,
        )

    def about_documents(self, columns: Iterable[str]) -> Extras:
        """These names, and the usual ones for what a row of a task with documents says about them."""
        known = set(columns)
        return replace(
            self,
            gold=self.gold or next((name for name in GOLD_NAMES if name in known), None),
            doc_set=self.doc_set or ("doc_set" if "doc_set" in known else None),
            date=self.date or ("date" if "date" in known else None),
        )

    def add_to(self, draft: Draft, value: dict[str, Any]) -> Draft:
        """``draft`` with the extras of the row ``value``."""
        return replace(
            draft,
            id=_scalar(value.get(self.id or "")),
            references=_strings(value.get(self.references or "")),
            choices=_strings(value.get(self.choices or "")),
            group=_scalar(value.get(self.group or "")) or "",
            gold=_strings(value.get(self.gold or "")),
            doc_set=_scalar(value.get(self.doc_set or "")),
            changed=read_date(value.get(self.date or "")),
        )


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
        raise BadRow(Text(en=f"`{name}` is not text: {shown}", zh=f"`{name}` 不是文本：{shown}"))
    return str(value)


def check_text(name: str, text: str) -> None:
    """Refuse text that no model can be given.

    Raises:
        BadRow: it is too long, or holds a NUL or half a surrogate pair.
    """
    if len(text) > MAX_ROW_CHARS:
        raise BadRow(
            Text(
                en=f"`{name}` has {len(text):,} characters; at most {MAX_ROW_CHARS:,} are read, "
                "which is over the context of the models that can be trained here",
                zh=f"`{name}` 有 {len(text):,} 个字符；最多读取 {MAX_ROW_CHARS:,} 个，再长就超出可训练模型的上下文了",
            )
        )
    if "\x00" in text:
        raise BadRow(Text(en=f"`{name}` holds a NUL byte", zh=f"`{name}` 中含有 NUL 字节"))
    try:
        text.encode()
    except UnicodeEncodeError as error:
        bad = f"U+{ord(text[error.start]):04X}"
        raise BadRow(
            Text(
                en=f"`{name}` holds bytes that are not text ({bad} at character {error.start + 1})",
                zh=f"`{name}` 中含有无法解码的字节（第 {error.start + 1} 个字符，{bad}）",
            )
        ) from None


def _scalar(value: object) -> str | None:
    """An id or group name; only single values are one."""
    return str(value) if isinstance(value, str | int | float) and str(value) else None


def _strings(value: object) -> tuple[str, ...]:
    """A field that may be one string or number, or a list of them; what is neither counts as absent."""
    if isinstance(value, str):
        return (value,) if value.strip() else ()
    items = value if isinstance(value, list) else [value]
    if all(isinstance(item, str | int | float) for item in items):
        return tuple(text for item in items if (text := str(item).strip()))
    return ()

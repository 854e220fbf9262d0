"""A row half read: question, raw answer and extras, before the task is known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from tuneworth.core.task import Message
from tuneworth.core.text import Text
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


@dataclass(frozen=True, slots=True)
class Extras:
    """Names of the fields beyond input and output; ``None`` where rows have none."""

    id: str | None = None
    references: str | None = None
    choices: str | None = None
    group: str | None = None

    def columns(self) -> set[str]:
        return {name for name in (self.id, self.references, self.choices, self.group) if name}

    def found_in(self, columns: Iterable[str]) -> Extras:
        """These names, and the usual ones for those not given."""
        known = set(columns)
        answers = next((name for name in ("references", "answers") if name in known), None)
        return Extras(
            id=self.id or ("id" if "id" in known else None),
            references=self.references or answers,
            choices=self.choices or ("choices" if "choices" in known else None),
            group=self.group,
        )

    def add_to(self, draft: Draft, value: dict[str, Any]) -> Draft:
        """``draft`` with the extras of the row ``value``."""
        return replace(
            draft,
            id=_scalar(value.get(self.id or "")),
            references=_strings(value.get(self.references or "")),
            choices=_strings(value.get(self.choices or "")),
            group=_scalar(value.get(self.group or "")) or "",
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
    """A field that may be one string or a list of them; what is neither counts as absent."""
    if isinstance(value, str):
        return (value,) if value.strip() else ()
    if isinstance(value, list) and all(isinstance(item, str | int | float) for item in value):
        return tuple(text for item in value if (text := str(item).strip()))
    return ()

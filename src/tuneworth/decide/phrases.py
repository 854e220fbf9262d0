"""Sentences that are not in the catalogue yet."""

from __future__ import annotations

import re

from tuneworth.core.text import Lang, Text

_CHARACTER = "[\u4e00-\u9fff“”（）［］]"
_SPACE_BETWEEN_CHARACTERS = re.compile(f"(?<={_CHARACTER}) (?={_CHARACTER})")


def say(en: str, zh: str, **parts: Text | str | int) -> Text:
    """Both templates filled with the same parts, each in its own language."""
    chinese = zh.format(**_in("zh", parts))
    return Text(en=en.format(**_in("en", parts)), zh=_SPACE_BETWEEN_CHARACTERS.sub("", chinese))


def _in(lang: Lang, parts: dict[str, Text | str | int]) -> dict[str, str]:
    return {name: _word(part, lang) for name, part in parts.items()}


def _word(part: Text | str | int, lang: Lang) -> str:
    if isinstance(part, Text):
        return part.to(lang)
    return f"{part:,}" if isinstance(part, int) else part


def p_value(value: float) -> str:
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"

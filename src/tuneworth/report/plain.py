"""Making strings from data files safe and short enough to show.

Escaping for HTML and for Plotly happens where the string is written; what is done here is needed
everywhere: a row may hold terminal escape codes, text-direction overrides, half a surrogate pair,
or a megabyte of text.
"""

from __future__ import annotations

import re
import unicodedata

from tuneworth.core.text import Lang

_UNSAFE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # control characters but tab, newline, return
    "\u202a-\u202e\u2066-\u2069\u200e\u200f"  # text direction
    "\ud800-\udfff\ufffe\uffff]"  # not characters
)
REPLACEMENT = "\ufffd"


def clean(text: str) -> str:
    """``text`` with characters that could disturb a terminal or a page shown as U+FFFD."""
    return _UNSAFE.sub(REPLACEMENT, text).replace("\r\n", "\n").replace("\r", "\n")


def one_line(text: str) -> str:
    return " ".join(clean(text).split())


def sentence_case(text: str) -> str:
    """First letter upper case, the rest as it is."""
    return text[:1].upper() + text[1:]


def width(text: str) -> int:
    """Columns that ``text`` takes where a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def shorten(text: str, columns: int) -> str:
    """``text`` cut to ``columns`` columns, with an ellipsis when something was cut."""
    if width(text) <= columns:
        return text
    kept, used = "", 1
    for char in text:
        used += width(char)
        if used > columns:
            break
        kept += char
    return kept.rstrip() + "…"


def excerpt(text: str, lang: Lang, limit: int = 1200) -> str:
    """The first ``limit`` characters, and how many were left out."""
    text = clean(text)
    if len(text) <= limit:
        return text
    left_out = f"{len(text) - limit:,}"
    note = f"（余下 {left_out} 个字符未显示）" if lang == "zh" else f" ({left_out} more characters not shown)"
    return f"{text[:limit]}…{note}"

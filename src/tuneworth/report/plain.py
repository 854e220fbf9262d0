"""Making strings from data files safe and short enough to show.

Escaping for HTML and for Plotly happens where the string is written; what is done here is needed
everywhere: a row may hold terminal escape codes, text-direction overrides, half a surrogate pair,
or a megabyte of text.
"""

from __future__ import annotations

import re
import unicodedata

from tuneworth.core.text import Lang
from tuneworth.words.say import say

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


def as_first_word(name: str, lang: Lang) -> str:
    """``name`` where a sentence begins; Chinese has no capitals and leaves a name as it is."""
    return name if lang == "zh" else sentence_case(name)


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
    return f"{text[:limit]}…{say('report.left_out', n=len(text) - limit).to(lang)}"

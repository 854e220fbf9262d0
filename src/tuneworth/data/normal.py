"""What is left of a text when near-duplicates are looked for: no boilerplate, no numbers.

Texts that differ only in case, width, punctuation or a number are the same ("Order 123 late" and
"Order 456 late"). An instruction that nearly all rows share at their start or end says nothing about
which rows are alike and is cut off first.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

BOILERPLATE_SHARE = 0.9
_BOILERPLATE_MIN_ROWS = 5
_DIGITS = re.compile(r"\d+(?:[.,]\d+)*")
_NOT_WORDS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Boilerplate:
    """The start and the end that at least 90 % of the texts share."""

    prefix: str = ""
    suffix: str = ""

    @classmethod
    def of(cls, texts: Sequence[str]) -> Boilerplate:
        distinct = sorted(set(texts))
        if len(distinct) < _BOILERPLATE_MIN_ROWS:
            return cls()
        prefix = _shared_prefix(distinct)
        # What the prefix took must not be counted again from the other end.
        tails = [text[len(prefix) :] if text.startswith(prefix) else text for text in distinct]
        suffix = _shared_prefix(sorted(tail[::-1] for tail in tails))[::-1]
        return cls(prefix, suffix)

    def strip(self, text: str) -> str:
        text = text.removeprefix(self.prefix)
        return text.removesuffix(self.suffix) if self.suffix else text


def _shared_prefix(ordered: list[str]) -> str:
    """The longest prefix of at least 90 % of ``ordered``, which is sorted.

    A prefix that more than half of a sorted list share is a prefix of its middle element.
    """
    middle = ordered[len(ordered) // 2]
    low, high = 0, len(middle)
    while low < high:
        size = (low + high + 1) // 2
        if sum(text.startswith(middle[:size]) for text in ordered) >= BOILERPLATE_SHARE * len(ordered):
            low = size
        else:
            high = size - 1
    return _whole_words(middle[:low], middle[low : low + 1])


def _whole_words(prefix: str, following: str) -> str:
    """``prefix`` cut back to the end of a word, so that "ca" of "cats" and "cars" is not boilerplate."""
    if following.isascii() and following.isalnum():
        return re.sub(r"[A-Za-z0-9]+$", "", prefix)
    return prefix


def plain(text: str, *, keep_numbers: bool = False) -> str:
    """``text`` without case, width, punctuation and, unless kept, numbers.

    A text of signs only keeps them: there is nothing else to tell it by.
    """
    text = unicodedata.normalize("NFKC", text).casefold()
    if not keep_numbers:
        text = _DIGITS.sub("0", text)
    words = _NOT_WORDS.sub(" ", text).strip()
    return words or text.strip()

"""Citations: the ``[1]`` in an answer that points to a passage of the prompt.

They are taken out of the text that is scored, since no reference answer has them. A number in brackets that cannot be
one stays: passages are counted from 1, so ``items[0]`` is none, and neither is ``items[1].name``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

_NUMBERS = r"[1-9]\d{0,2}(?:\s*[,，、;；]\s*[1-9]\d{0,2})*"
_WIDE = rf"【\s*{_NUMBERS}\s*】|［\s*{_NUMBERS}\s*］"
_BRACKETS = rf"(?:\[\s*{_NUMBERS}\s*\]|{_WIDE})"
_ALONE = rf"(?<![A-Za-z0-9_)\]]){_BRACKETS}(?!\()"
_GOES_ON = r"(?![A-Za-z0-9_(=]|\.[A-Za-z_])"
_IN_ANSWER = re.compile(rf"[ \t]*(?:{_ALONE}|{_BRACKETS}{_GOES_ON})")
_IN_PASSAGE = re.compile(rf"{_ALONE}|(?<=\]){_BRACKETS}|{_WIDE}")


class Cited(NamedTuple):
    """An answer without its citations.

    Attributes:
        citations: ids of the passages cited, each once, in the order of the answer; ``?7`` for a number that was not
            shown.
    """

    text: str
    citations: tuple[str, ...]


def read_citations(answer: str, shown: Sequence[str]) -> Cited:
    """Take the citations out of ``answer``.

    Args:
        shown: ids of the passages in the prompt; ``[1]`` is the first.
    """
    numbers = [int(number) for found in _IN_ANSWER.findall(answer) for number in re.findall(r"\d+", found)]
    ids = (shown[number - 1] if number <= len(shown) else f"?{number}" for number in numbers)
    return Cited(_IN_ANSWER.sub("", answer).strip(), tuple(dict.fromkeys(ids)))


def has_marks(text: str) -> bool:
    """Something in ``text`` would be taken for a citation."""
    return _IN_ANSWER.search(text) is not None


def mark(number: int) -> str:
    """The citation of passage ``number``, as prompts show it and trained answers end with it."""
    return f"[{number}]"


def without_marks(text: str) -> str:
    """``text`` in which footnote numbers stand in round brackets, so that an answer that copies it cites nothing.

    The index in ``items[1]`` stays: it is content.
    """
    return _IN_PASSAGE.sub(lambda found: f"({found.group()[1:-1].strip()})", text)

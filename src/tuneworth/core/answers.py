"""The answer in what was written: without the reasoning before it, and the final result of a text that works towards it."""

from __future__ import annotations

import re
import unicodedata

_QUOTES = "\"'`*“”‘’「」『』《》"
_ENDS = ".。!！,，;；:："


def fold(text: str) -> str:
    """``text`` without case, width, outer quotes, final punctuation and repeated spaces."""
    folded = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return folded.strip(_QUOTES + " ").rstrip(_ENDS + " ").strip(_QUOTES + " ")


_NAMES = "think|thinking|thought|reasoning"
_OPENS = re.compile(rf"\s*<({_NAMES})>", re.IGNORECASE)
_CLOSES = re.compile(rf"</({_NAMES})>", re.IGNORECASE)
_ANSWER = re.compile(r"\s*<answer>(.*)</answer>\s*", re.IGNORECASE | re.DOTALL)


def after_reasoning(text: str) -> str:
    """``text`` without a block of reasoning (``<think>…</think>``) before the answer, and without ``<answer>`` around it.

    The opening mark may be missing: some chat templates write it themselves. Where the block never closes, the answer
    never came and nothing is left.
    """
    opened = _OPENS.match(text)
    closed = None
    for found in _CLOSES.finditer(text):
        if opened is None or found[1].lower() == opened[1].lower():
            closed = found
            break
    if closed is not None:
        text = text[closed.end() :]
    elif opened is not None:
        return ""
    else:
        return text
    wrapped = _ANSWER.fullmatch(text)
    return (wrapped[1] if wrapped else text).strip()


_BOXED = "\\boxed{"
_MARKERS = re.compile(
    r"^[ \t]*####[ \t]*"
    r"|\b(?:the )?(?:final )?answer(?: is)?[ \t]*[:：][ \t]*|\bthe (?:final )?answer is[ \t]+"
    r"|(?:最终)?答案(?:[是为]?[ \t]*[:：]|[是为])[ \t]*",
    re.IGNORECASE | re.MULTILINE,
)
_TRIMMED = " \t\r\n*`\"'“”‘’.。!！;；,，$"
SEARCHED_CHARS = 100_000
"""From the end of an answer: nobody writes that much after the answer."""


def marked_answer(text: str) -> str | None:
    r"""What follows the last marker in ``text`` on its line, or stands in the last ``\boxed{}``; ``None`` without either.

    Markers are ``####`` (GSM8K), ``Answer:``, ``The answer is``, ``答案：`` and ``答案是``.
    """
    text = text[-SEARCHED_CHARS:]
    at = text.rfind(_BOXED)
    if at >= 0 and (inside := _braced(text, at + len(_BOXED))) is not None:
        return _trimmed(inside)
    ends = [found.end() for found in _MARKERS.finditer(text)]
    if not ends:
        return None
    rest = text[ends[-1] :].lstrip("* \t").split("\n", 1)
    return _trimmed(rest[0]) or None


def last_line(text: str) -> str:
    """The last line of ``text`` that is not empty."""
    return _trimmed(text[-SEARCHED_CHARS:].strip().rsplit("\n", 1)[-1])


def _braced(text: str, start: int) -> str | None:
    depth = 1
    for at in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return text[start:at]
    return None


def _trimmed(text: str) -> str:
    return text.strip().strip(_TRIMMED)

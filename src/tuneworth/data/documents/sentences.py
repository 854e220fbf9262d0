"""Where a text may be cut: after sentences, after clauses, between words; English, Chinese and both mixed.

A rule of thumb, not a parser. It rather misses the end of a sentence than invents one: a full stop after an
abbreviation, an initial or a number of a list ends nothing, nor does one before a small letter. Line breaks end a
sentence, since the breaks that only a margin made are joined when a file is read.
"""

from __future__ import annotations

import re
import unicodedata

_CLOSING = r"[\"'”’」』）)》】〉\]]*"
_HAN = r"\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef"
_SENTENCE = re.compile(
    rf"[。！？；]+{_CLOSING}\s*|(?P<stop>[.!?]+){_CLOSING}(?P<gap>\s+|(?=[{_HAN}]))|…+[”’」』]\s*|\n\s*"
)
_CLAUSE = re.compile(
    rf"[，、：]{_CLOSING}\s*|[,;:]{_CLOSING}(?:\s+|(?=[{_HAN}]))|\s[–—-]\s+|——\s*|…+\s*|\s*[(（](?=\w)"
)
_WORD = re.compile(r"\s+")
_LAST_WORD = re.compile(r"[^\s(\[{\"'“‘（]*$")
_ACRONYM = re.compile(r"(?:[A-Za-z]\.)*[A-Za-z]")
_NUMBERED = re.compile(r"\s*\d{1,3}")
_LONGEST_WORD = 24

_NEVER_LAST = frozenset((
    "mr", "mrs", "ms", "dr", "prof", "rev", "hon", "gen", "col", "capt", "lt", "sgt", "sen", "rep", "gov",
    "pres", "st", "mt", "ft", "messrs", "mme", "mlle", "vs", "cf", "al", "approx", "dept", "est", "jr", "sr",
    "ed", "eds", "trans", "viz", "resp", "ca", "esp", "incl", "excl", "jan", "feb", "mar", "apr", "jun",
    "jul", "aug", "sep", "sept", "oct", "nov", "dec", "mon", "tue", "tues", "wed", "thu", "thurs", "fri",
))  # fmt: skip
"""Abbreviations that something follows. ``etc``, ``Inc`` and the like end sentences too often to be here."""

_BEFORE_NUMBER = frozenset((
    "no", "nos", "fig", "figs", "eq", "eqs", "sec", "sect", "art", "vol", "ch", "chap", "p", "pp", "par",
    "tab", "app", "ver", "nr",
))  # fmt: skip
"""Abbreviations only where a number follows: "No. 5", but "I said no. Then"."""


def sentence_ends(text: str, start: int, end: int) -> list[int]:
    """Where the sentences of ``text[start:end]`` end, white space behind them included; the last is ``end``."""
    ends, sentence = list[int](), start
    for match in _SENTENCE.finditer(text, start, end):
        if match["stop"] is None or _is_end(text, match, sentence):
            sentence = match.end()
            ends.append(sentence)
    return _closed(ends, start, end)


def clause_ends(text: str, start: int, end: int) -> list[int]:
    """Where the clauses of ``text[start:end]`` end; a comma inside a number ends none."""
    return _closed([match.end() for match in _CLAUSE.finditer(text, start, end)], start, end)


def word_ends(text: str, start: int, end: int) -> list[int]:
    """Where the words of ``text[start:end]`` end; Chinese has no spaces, so there it is the whole clause."""
    return _closed([match.end() for match in _WORD.finditer(text, start, end)], start, end)


def is_inside_character(text: str, at: int) -> bool:
    """Whether a cut before ``text[at]`` would part what is seen as one character: an accent, an emoji's skin colour."""
    if not 0 < at < len(text):
        return False
    char = text[at]
    return (
        unicodedata.category(char) in ("Mn", "Me", "Mc")
        or char in "\u200d\ufe0e\ufe0f"
        or text[at - 1] == "\u200d"
        or "\U0001f3fb" <= char <= "\U0001f3ff"
        or (char == "\n" and text[at - 1] == "\r")
    )


def _closed(ends: list[int], start: int, end: int) -> list[int]:
    return [at for at in ends if start < at < end] + [end]


def _is_end(text: str, match: re.Match[str], sentence: int) -> bool:
    """Whether the stop that ``match`` found ends the sentence that starts at ``sentence``."""
    following = text[match.end() : match.end() + 1]
    if "\n" in match["gap"] or not following:
        return True
    if following.islower():
        return False
    if match["stop"] != ".":
        return True
    before = text[max(sentence, match.start() - _LONGEST_WORD) : match.start()]
    if not match["gap"]:
        return re.match(rf"[{_HAN}]", before[-1:]) is not None  # "v2.中文" ends nothing, "好.我" does
    word = _LAST_WORD.findall(before)[0]
    return not (
        word.lower() in _NEVER_LAST
        or (following.isdigit() and word.lower() in _BEFORE_NUMBER)
        or (_ACRONYM.fullmatch(word) and word != "I")
        or _NUMBERED.fullmatch(text, sentence, match.start())
    )

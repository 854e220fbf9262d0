"""Answers in another language than most.

The script decides where it can (Han, kana, Latin, Arabic, …). Among languages in Latin letters only English is
told apart: an answer is not English when it has none of its function words but several of another language's.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from tuneworth.core.text import Text

MIN_LETTERS = 8
"""Fewer letters are names, codes and units, which every language borrows."""
_MOST = 0.8
_LOOKED_AT = 600
_ENGLISH = """
the and to of that for it you with this not from have can by at be was is i will he she they we has are on an or if my
your its his her their our do does there which who what when where how but all
"""
_ELSEWHERE = """
de la le les des et est un une pas que qui pour dans der die das und ist nicht ein eine mit von el los las y en por con
para il di che per non sono della os da em uma het een van niet dat voor och att det som jest nie
"""
_ENGLISH_WORDS = frozenset(_ENGLISH.split())
_OTHER_WORDS = frozenset(_ELSEWHERE.split())
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_LONG_WORDS = 12
_OTHER_SHARE = 0.1

_NAMES = {
    "HAN": Text(en="Chinese", zh="中文"),
    "KANA": Text(en="Japanese", zh="日文"),
    "HANGUL": Text(en="Korean", zh="韩文"),
    "LATIN": Text(en="Latin letters", zh="拉丁字母"),
    "LATIN-OTHER": Text(en="Latin letters, but not English", zh="拉丁字母，但不是英文"),
    "CYRILLIC": Text(en="Cyrillic letters", zh="西里尔字母"),
    "ARABIC": Text(en="Arabic letters", zh="阿拉伯字母"),
    "HEBREW": Text(en="Hebrew letters", zh="希伯来字母"),
    "GREEK": Text(en="Greek letters", zh="希腊字母"),
    "DEVANAGARI": Text(en="Devanagari", zh="天城文"),
    "THAI": Text(en="Thai", zh="泰文"),
}


def name_of(script: str) -> Text:
    """How readers call a script."""
    return _NAMES.get(script, Text(en=f"{script.title()} letters", zh=f"{script.title()} 字母"))


def odd_ones(outputs: Sequence[str]) -> tuple[str, dict[int, str]]:
    """The usual script, and position → script of the answers in another one.

    Nothing is odd when no script has four fifths of the answers: then the mix is the task (translation).
    """
    scripts = [script_of(output[:_LOOKED_AT]) for output in outputs]
    counts = Counter(script for script in scripts if script)
    if not counts:
        return "", {}
    usual, n_usual = counts.most_common(1)[0]
    if n_usual < _MOST * counts.total():
        return "", {}
    odd = {at: script for at, script in enumerate(scripts) if script and script != usual}
    if usual == "LATIN":
        odd |= _not_english(outputs, scripts)
    return usual, dict(sorted(odd.items()))


def script_of(text: str) -> str:
    """The script of most letters of ``text``; empty when there are too few letters or none has most.

    A Han character weighs three letters: it carries about as much as a short word, so a Chinese sentence with
    English names stays Chinese. Japanese is told by its kana.
    """
    letters = [char for char in text if char.isalpha()]
    counts = Counter(_script(char) for char in letters)
    if counts["KANA"] >= 0.1 * (counts["KANA"] + counts["HAN"]) and counts["KANA"]:
        counts["KANA"] += counts.pop("HAN", 0)
    for dense in ("HAN", "KANA", "HANGUL"):
        counts[dense] *= 3
    total = counts.total()
    if total < MIN_LETTERS:
        return ""
    script, n = counts.most_common(1)[0]
    return script if n > 0.6 * total else ""


def _not_english(outputs: Sequence[str], scripts: Sequence[str]) -> dict[int, str]:
    """Long answers in another language, where nearly all long answers in Latin letters are English."""
    words = {
        at: found
        for at, script in enumerate(scripts)
        if script == "LATIN" and len(found := _WORD.findall(outputs[at][:_LOOKED_AT].lower())) >= _LONG_WORDS
    }
    without = [at for at, found in words.items() if not any(word in _ENGLISH_WORDS for word in found)]
    if len(without) > 0.1 * len(words):
        return {}  # another language, or no sentences at all
    odd = [at for at in without if _foreign_words(words[at]) >= max(2, _OTHER_SHARE * len(words[at]))]
    return dict.fromkeys(odd, "LATIN-OTHER")


def _foreign_words(words: Sequence[str]) -> int:
    return sum(word in _OTHER_WORDS for word in words)


@lru_cache(maxsize=8_192)
def _script(char: str) -> str:
    name = unicodedata.name(char, "")
    if name.startswith(("CJK", "IDEOGRAPHIC")):
        return "HAN"
    if name.startswith(("HIRAGANA", "KATAKANA", "HALFWIDTH KATAKANA")):
        return "KANA"
    return name.removeprefix("FULLWIDTH ").partition(" ")[0]

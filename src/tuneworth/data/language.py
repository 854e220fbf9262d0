"""Which language a text is in, as far as it matters here: English, Chinese, or another.

Counted, not looked up: Chinese is a share of Han characters without kana or hangul, English is
Latin letters with enough of the commonest English words. Short formulas in Latin letters count as
``other``, which only costs them the English sentence encoder.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from tuneworth.core.task import Language
from tuneworth.core.text import Text
from tuneworth.words.say import say

_WORDS = """
the and to of that for it you with my what how are this not from have can your there which by at be
was is i do will he she they we his her has when who if an as all would been more about out up
"""
_ENGLISH = frozenset(_WORDS.split())
_ENGLISH_SHARE = 0.06  # English prose has 30-45 %; German, French, Spanish, Italian, Dutch below 5 %
_HAN_SHARE = 0.2  # a Chinese sentence with English product names has few Chinese among its letters
_KANA_OR_HANGUL_SHARE = 0.05
_LATIN_SHARE = 0.8
_SAMPLE_CHARS = 200_000

_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003134f]")
_KANA_OR_HANGUL = re.compile(r"[\u3041-\u30ff\uac00-\ud7af]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
_WORD = re.compile(r"[a-z']+")


@dataclass(frozen=True, slots=True)
class LanguageGuess:
    language: Language
    reason: Text


def han_share(text: str) -> float:
    """Share of Han characters among the letters of ``text``."""
    letters = sum(map(str.isalpha, text))
    return len(_HAN.findall(text)) / letters if letters else 0.0


def guess_language(texts: Iterable[str]) -> LanguageGuess:
    """The language most of ``texts`` is in."""
    sample = _sample(texts)
    letters = max(sum(map(str.isalpha, sample)), 1)
    han = len(_HAN.findall(sample)) / letters
    if han >= _HAN_SHARE and len(_KANA_OR_HANGUL.findall(sample)) / letters < _KANA_OR_HANGUL_SHARE:
        return LanguageGuess("zh", say("rows.language.chinese", han=f"{han:.0%}"))
    words = _WORD.findall(sample.lower())
    common = sum(word in _ENGLISH for word in words) / max(len(words), 1)
    if len(_LATIN.findall(sample)) / letters >= _LATIN_SHARE and common >= _ENGLISH_SHARE:
        return LanguageGuess("en", say("rows.language.english", common=f"{common:.0%}"))
    return LanguageGuess("other", say("rows.language.other", han=f"{han:.0%}", common=f"{common:.0%}"))


def _sample(texts: Iterable[str]) -> str:
    taken, size = [], 0
    for text in texts:
        taken.append(text[:2_000])
        size += len(taken[-1])
        if size >= _SAMPLE_CHARS:
            break
    return "\n".join(taken)

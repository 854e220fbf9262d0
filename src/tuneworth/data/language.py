"""Which language a text is in, as far as it matters here: English, Chinese, or another.

Counted, not looked up: Chinese is a share of Han characters without kana or hangul, English is
Latin letters with enough of the commonest English words. Records, orders and notes have few such words: there
English must be the commonest of the languages written in Latin letters, and nearly all letters plain. Formulas and
codes count as ``other``, which gives them the multilingual sentence encoder.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tuneworth.core.task import Language
from tuneworth.core.text import Text
from tuneworth.words.say import say

_WORDS = """
the and to of that for it you with my what how are this not from have can your there which by at be
was is i do will he she they we his her has when who if an as all would been more about out up
"""
_ENGLISH = frozenset(_WORDS.split())
_RECORD_WORDS = """
address after amount area available before black blue bought box broken brown build built call cannot card category change
check city cold company content cost could count country customer day delivery does driver empty engine event factory failed
failure faulty field fixed flight flow food found fuel gauge good goods group hard has heat heavy home hours house inside job
key kitchen language late leak leaking left length light load lost make material method missing month need needed new
next night noise nothing nut oil old only output outside parts payment people phone place
play power pressure price quantity query quickly rating read rear refund replace replaced report request review right rotate
running screen screw seal see send sent shaft shipping short show side silver since size slow small smooth some sound spring
state steel step still stopped string summary switch task than then tighten time tool true tube turn under used value valve
very wall warning water weight wheel white wire with within wood working wrong year yellow yes your
"""
_RECORD_ENGLISH = _ENGLISH | frozenset(_RECORD_WORDS.split())
_OTHERS = {
    name: frozenset(words.split())
    for name, words in {
        "German": "der die das und ist nicht ein eine zu den von mit für auf im dem des wir sie ich werden bei oder als auch",
        "French": "le la les des et est une un du que pour dans sur pas avec au par qui vous nous ce il elle sont ou aux",
        "Spanish": "el la los las de que y en un una por con para del se su es al lo como más pero está hay",
        "Italian": "il lo la gli di che e un una per con del della in non sono è da dei nel alla come più anche",
        "Portuguese": "o a os as de que e em um uma por com para do da não se no na mais como mas dos das ao",
        "Dutch": "de het een en van ik dat is niet te in op met voor zijn er aan die ook om bij naar wij",
        "Polish": "i w na z do się nie to jest że o jak za po od dla przy oraz są tym",
        "Swedish": "och att det som en på är av för med den till inte ett om har de jag vi",
        "Indonesian": "yang dan di dengan untuk dari ini itu tidak pada akan adalah ke saya anda",
        "Turkish": "ve bir bu da de için ile çok ne var daha gibi olarak mi ben",
    }.items()
}
_RECORD_SHARE = 0.06
_PLAIN_SHARE = 0.995
_ENGLISH_SHARE = 0.06  # English prose has 30-45 %; German, French, Spanish, Italian, Dutch below 5 %
_HAN_SHARE = 0.2  # a Chinese sentence with English product names has few Chinese among its letters
_KANA_OR_HANGUL_SHARE = 0.05
_LATIN_SHARE = 0.8
_SAMPLE_CHARS = 200_000
_OTHER_SCRIPT_SHARE = 0.1
_MIXED_SHARE = 0.05
_MIXED_SAMPLE = 2_000

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
    if (known := _record_share(sample, letters)) >= _RECORD_SHARE:
        return LanguageGuess("en", say("answers.language.records", known=f"{known:.0%}"))
    return LanguageGuess("other", say("rows.language.other", han=f"{han:.0%}", common=f"{common:.0%}"))


def has_other_scripts(texts: Sequence[str]) -> bool:
    """Whether one text in 20 is written in another script than Latin, so that a reader of English alone would miss it."""
    sample = [text[:500] for text in texts[:: 1 + len(texts) // _MIXED_SAMPLE]]
    other = 0
    for text in sample:
        letters = sum(map(str.isalpha, text))
        other += letters > 0 and 1 - len(_LATIN.findall(text)) / letters >= _OTHER_SCRIPT_SHARE
    return other >= max(1, _MIXED_SHARE * len(sample))


def _record_share(sample: str, letters: int) -> float:
    """Share of the words that are common in English records; 0 where another language has more of its own."""
    if sum("a" <= letter <= "z" for letter in sample.lower()) / letters < _PLAIN_SHARE:
        return 0.0
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", sample).lower()
    words = [word for word in re.findall(r"[a-z]+", spaced) if len(word) > 1]
    if not words:
        return 0.0
    share = sum(word in _RECORD_ENGLISH for word in words) / len(words)
    rival = max(sum(word in own for word in words) / len(words) for own in _OTHERS.values())
    return share if share > rival else 0.0


def _sample(texts: Iterable[str]) -> str:
    taken, size = [], 0
    for text in texts:
        taken.append(text[:2_000])
        size += len(taken[-1])
        if size >= _SAMPLE_CHARS:
            break
    return "\n".join(taken)

"""Forms of a text that stay the same when only its case, spacing, numbers, names or word order change.

Two texts with a form in common repeat each other in that sense. What is left of a text must be enough to
recognise it by: "Order 17" without its number says nothing. Enough is counted in letters, where a Han
character counts as three: it carries about half a word.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from tuneworth.core.task import Example
from tuneworth.data.neardup import Boilerplate

NUMBER = "0"
NAME = "\ua66e"  # counts as a letter, so that punctuation can go and the mask stays, and is in no text
HAN_LETTERS = 3
ENOUGH_LETTERS = 18
_JUDGED_FROM = 20_000  # texts; how a word is mostly written shows in far fewer

_HAN_RANGE = "\u3400-\u9fff\uf900-\ufaff"
_HAN = re.compile(f"[{_HAN_RANGE}]")
_TOKEN = re.compile(rf"\d+(?:[.,:]\d+)*|[{_HAN_RANGE}]|[^\W\d_{_HAN_RANGE}]+(?:['’][^\W\d_{_HAN_RANGE}]+)?")
_WORD = re.compile(r"[A-Za-z\u00c0-\u024f]+(?:['’][a-z]+)?")
_NOT_WORDS = re.compile(r"[\W_]+")
_SENTENCE_START = re.compile(r"(?:^|[.!?。！？\n\"“])\s*$")
_COUNTED = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion
"""
_NUMBER_WORDS = frozenset(_COUNTED.split())
_HAN_NUMBERS = "零〇一二三四五六七八九十百千万亿两"
_NUMBERS = re.compile(rf"\d+|\b(?:{'|'.join(sorted(_NUMBER_WORDS))})\b|[{_HAN_NUMBERS}]+")
_NUMBER_RUN = re.compile(rf"{NUMBER}(?:[\W_]*{NUMBER})+")
_NAME_RUN = re.compile(rf"{NAME}(?:[\W_]*{NAME})+")
# Written with a capital in English without being the name of what a row is about.
_CAPITALISED = """
i i'm i'd i've i'll monday tuesday wednesday thursday friday saturday sunday january february march april may june
july august september october november december american arabic british chinese dutch english french german greek
indian irish italian japanese korean mexican russian spanish thai turkish
"""
_NEVER_NAMES = frozenset(_CAPITALISED.split())
_BOILERPLATE_FROM = 5_000


def tokens(text: str) -> list[str]:
    """Words, numbers and single Han characters of ``text``, width unified and case kept."""
    return _TOKEN.findall(unicodedata.normalize("NFKC", text))


def is_number(token: str) -> bool:
    """Whether ``token``, one of ``tokens``, is a number in digits or in words of either language."""
    return token[0].isdigit() or token in _HAN_NUMBERS or token.casefold() in _NUMBER_WORDS


def letters(text: str) -> int:
    """How much ``text`` says, in Latin letters; numbers and masks say nothing."""
    return sum(map(str.isalpha, text)) + (HAN_LETTERS - 1) * len(_HAN.findall(text)) - text.count(NAME)


def bare(text: str) -> str:
    """``text`` without case, width, spacing and punctuation; signs stay where there is nothing else."""
    folded = _folded(text)
    return _NOT_WORDS.sub("", folded) or folded.strip()


def without_numbers(text: str) -> str:
    """``bare`` with one mask for each number or run of numbers."""
    return bare(_NUMBER_RUN.sub(NUMBER, _NUMBERS.sub(NUMBER, _folded(text))))


class Names:
    """Which capitalised words are names, judged by how the data use them.

    A word is a name where it has a capital in the middle of a sentence, unless the data write it without one
    as often. The first word of a sentence always has a capital, so it must have been seen with one elsewhere.
    """

    def __init__(self, texts: Sequence[str]):
        texts = texts[:: max(len(texts) // _JUDGED_FROM, 1)]
        self._with, self._without = Counter[str](), Counter[str]()
        for text in texts:
            for match in _WORD.finditer(text):
                word = match.group()
                if word[0].islower():
                    self._without[word.casefold()] += 1
                elif not _starts_sentence(text, match.start()):
                    self._with[word.casefold()] += 1

    def masked(self, text: str, numberless: str | None = None) -> str:
        """``without_numbers`` with one mask for each name or run of names.

        Args:
            numberless: ``without_numbers(text)``, where it is at hand; most texts without capitals need no more.
        """
        text = unicodedata.normalize("NFKC", text)
        if text.isupper() or text == text.lower():  # shouted, or nothing has a capital
            return without_numbers(text) if numberless is None else numberless
        hidden = _WORD.sub(lambda match: NAME if self._named(match) else match.group(), text)
        return without_numbers(_NAME_RUN.sub(NAME, hidden))

    def is_name(self, word: str, *, first: bool) -> bool:
        """Whether ``word`` is a name, where it is the ``first`` of a sentence or not."""
        small = word.casefold()
        if not word[0].isupper() or small in _NEVER_NAMES or self._with[small] < self._without[small]:
            return False
        return self._with[small] > 0 or not first

    def _named(self, match: re.Match[str]) -> bool:
        word = match.group()
        # Most words have no capital; where a sentence starts is only looked up for the others.
        return word[0].isupper() and self.is_name(word, first=_starts_sentence(match.string, match.start()))


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _starts_sentence(text: str, place: int) -> bool:
    return _SENTENCE_START.search(text, max(place - 4, 0), place) is not None


def questions(rows: Sequence[Example]) -> list[str]:
    """All that each row asks, choices included."""
    return ["\n".join((row.query.text, *row.query.choices)) for row in rows]


def n_of(n: int, noun: str) -> str:
    """ "1 row", "1,204 rows"."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def asked(rows: Sequence[Example]) -> list[str]:
    """What each row asks, without what nearly all rows begin or end with."""
    return stripped(questions(rows), boilerplate_of(rows))


def boilerplate_of(rows: Sequence[Example]) -> Boilerplate:
    """What nearly all rows begin and end with, judged by some thousand of them."""
    return Boilerplate.of(questions(rows[:: max(len(rows) // _BOILERPLATE_FROM, 1)]))


def stripped(texts: Sequence[str], boilerplate: Boilerplate) -> list[str]:
    return [boilerplate.strip(text) for text in texts]

"""Texts as comparable words: numbers by value, Latin words by stem, Chinese by character pairs.

Chinese has no spaces and no capitals, and a segmenter would be a model of its own. So a piece of Chinese is
"in" a text when it stands there as it is, and only pieces that are marked as names are taken for names.
"""

from __future__ import annotations

import re
import unicodedata

HAN = "\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(r"\d[\d,]*(?:\.\d+)?|[^\W\d_]+(?:['’][^\W\d_]+)?")
_HAN = re.compile(f"[{HAN}]")
_HAN_RUN = re.compile(f"[{HAN}]+")
_HAN_NUMBER = re.compile("[零〇一二三四五六七八九十百千万亿两]+")
_ENGLISH_NUMBERS = {
    word: str(value)
    for value, word in enumerate(
        re.findall(
            r"\w+",
            "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
            "seventeen eighteen nineteen twenty",
        )
    )
} | {"first": "1", "second": "2", "third": "3", "thirty": "30", "forty": "40", "fifty": "50", "hundred": "100"}
_HAN_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_HAN_UNITS = {"十": 10, "百": 100, "千": 1_000}
_HAN_STEPS = {"万": 10_000, "亿": 100_000_000}


def folded(text: str) -> str:
    """Width and compatibility forms made one."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def words_of(text: str) -> list[str]:
    """Latin words and numbers in order, as ``stem`` writes them; runs of Chinese are left out."""
    return [stem(word) for word in _WORD.findall(_HAN_RUN.sub(" ", folded(text)))]


def stem(word: str) -> str:
    """Lower case without a plural or possessive end; a number by its value."""
    if word[0].isdigit():
        number = word.replace(",", "").rstrip(".")
        return number.rstrip("0").rstrip(".") if "." in number else number.lstrip("0") or "0"
    low = re.split("['’]", word.casefold())[0]
    if low in _ENGLISH_NUMBERS:
        return _ENGLISH_NUMBERS[low]
    return low[:-1] if len(low) > 3 and low.endswith("s") and not low.endswith("ss") else low


def han_number(written: str) -> str | None:
    """The value of a Chinese numeral, ``None`` when it is none: 三十五 → 35, 一九九八 → 1998."""
    if not _HAN_NUMBER.fullmatch(written):
        return None
    if all(char in _HAN_DIGITS for char in written):
        return "".join(str(_HAN_DIGITS[char]) for char in written).lstrip("0") or "0"
    total = section = digit = 0
    for char in written:
        if char in _HAN_DIGITS:
            digit = _HAN_DIGITS[char]
        elif char in _HAN_UNITS:
            section, digit = section + (digit or 1) * _HAN_UNITS[char], 0
        else:
            total, section, digit = (total + section + digit) * _HAN_STEPS[char], 0, 0
    return str(total + section + digit)


def han_numbers(text: str) -> list[str]:
    """Values of the Chinese numerals in ``text``."""
    return [value for match in _HAN_NUMBER.findall(text) if (value := han_number(match)) is not None]


def han_runs(text: str) -> list[str]:
    return _HAN_RUN.findall(text)


def is_han(text: str) -> bool:
    return _HAN.search(text) is not None


class Haystack:
    """A text in which units are looked for."""

    def __init__(self, text: str):
        plain = folded(text)
        self._words = set(words_of(plain)) | set(han_numbers(plain))
        self._han = "".join(han_runs(plain))

    def has(self, unit: str) -> bool:
        """Whether the word, the number or the piece of Chinese stands in the text."""
        return unit in self._han if is_han(unit) else unit in self._words

"""The names and numbers that an answer states, and whether an input or a document has them.

Texts become comparable words: numbers by value, Latin words by stem, Chinese by character pairs. Chinese has no spaces
and no capitals, and a segmenter would be a model of its own. So a piece of Chinese is "in" a text when it stands
there as it is, and only pieces that are marked as names are taken for names.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

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
# Not the $1, \\1 and -R of code; words in front of a colon are headings.
_TOKEN = re.compile(
    r"(?<![$\\@])(?<!\s-)\d[\d,]*(?:\.\d+)?|(?<![$\\@\d])(?<!\s-)[A-Za-zÀ-ÖØ-öø-ɏ][A-Za-zÀ-ÖØ-öø-ɏ0-9]*+(?:['’][A-Za-z]+)?+(?!\s{0,2}[:：])|[.!?\n:;]"
)
_SHORT_WORDS, _SHORT_HAN = 6, 12
_ACRONYM = 5
_MOST_CAPITALS = 0.8
# Marked names in Chinese: titles, foreign names with a dot, what ends in the word for a place or a body, dates.
_HAN_NAME = re.compile(
    f"《([{HAN}]{{2,20}})》|((?:(?![是的了在和与由为被把给对向叫])[{HAN}]){{1,6}}·[{HAN}]{{1,8}})"
    f"|([{HAN}]{{2,5}}(?:省|市|县|州|大学|学院|公司|集团|银行|医院|共和国|王朝))"
)
_HAN_COUNT = re.compile(
    "([零〇一二三四五六七八九十百千万亿两]{2,}|[三四五六七八九])(?=[年月日岁个次人元米里吨倍名位条章])"
)
_STOPWORDS = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be been but by can did do does for from had has have he her his how i if in into is it its "
        "may more most no not of on one or other our out over she so some such than that the their them then there these "
        "they this those through to too under up was we were what when where which who will with would yes you your",
    )
)
_HAN_FUNCTION = re.compile("[的了是在和与及或也都就而被把让对从向因为所以如果但不没有]")


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


def is_question(text: str) -> bool:
    """Whether the text ends with a question mark."""
    return text.rstrip().endswith(("?", "？"))


def units_of(answer: str, *, asked: bool) -> list[str]:
    """Names and numbers in ``answer``, each once; what ``Haystack.has`` understands.

    Args:
        asked: answers of this task answer questions. Then a short answer is itself the fact, whatever words it has.
    """
    plain = folded(answer)
    if asked and _is_short(plain) and not is_question(plain):
        found = [word for word in words_of(plain) if word not in _STOPWORDS] + _short_han(plain)
    else:
        found = [*_latin(plain), *_han(plain)]
    return list(dict.fromkeys(found))


def units_of_json(value: Any, closed: frozenset[str], path: str = "") -> list[str]:
    """Words of the values in ``value``; paths in ``closed`` hold one of a few values, as labels do."""
    found: list[str] = []
    for place, leaf in leaves(value, path):
        if place not in closed:
            text = folded(str(leaf))
            found += [word for word in words_of(text) if word not in _STOPWORDS]
            found += [_numeral(run) for run in han_runs(text)]
    return list(dict.fromkeys(found))


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Texts and numbers inside a JSON value with their paths; places in lists are not told apart."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, f"{path}[]")
    elif value is not None and not isinstance(value, bool):
        yield path, value


def _is_short(plain: str) -> bool:
    n_han = sum(map(len, han_runs(plain)))
    return n_han <= _SHORT_HAN and len(words_of(plain)) <= _SHORT_WORDS and _HAN_FUNCTION.search(plain) is None


def _short_han(plain: str) -> list[str]:
    """Runs of Chinese without a measure word that follows a number (136 次 states 136)."""
    after_number = re.compile(rf"(?<=[\d.%])\s*[{HAN}]{{1,2}}(?![{HAN}])")
    return [_numeral(run) for run in han_runs(after_number.sub(" ", plain))]


def _numeral(run: str) -> str:
    return han_number(run) or run


def _latin(plain: str) -> Iterator[str]:
    """Numbers, and words with a capital that no sentence start explains."""
    tokens = _TOKEN.findall(plain)
    words = [token for token in tokens if token[0].isalpha()]
    capitals = sum(word[0].isupper() for word in words)
    told_by_case = len(words) < _SHORT_WORDS or capitals <= _MOST_CAPITALS * len(words)
    in_chinese = is_han(plain)
    start = True
    for token in tokens:
        # One digit is a place in a list or a field of code far more often than a fact.
        is_number = token[0].isdigit() and len(stem(token)) > 1
        is_word = token[0].isalpha() and len(token) > 1
        if is_number or (is_word and (in_chinese or (told_by_case and _is_name(token, start)))):
            yield stem(token)
        start = token in ".!?\n:;"


def _is_name(token: str, start: bool) -> bool:
    """Whether the case of a word makes it a name; long words all in capitals are headings or cries."""
    if token.isupper():
        return len(token) <= _ACRONYM
    return token[1:] != token[1:].lower() or (token[0].isupper() and not start)


def _han(plain: str) -> Iterator[str]:
    """Chinese numerals with a measure word, and names that are marked as such."""
    for match in _HAN_COUNT.finditer(plain):
        yield _numeral(match[1])
    for match in _HAN_NAME.finditer(plain):
        yield "".join(han_runs(match[0]))


class Library:
    """Documents with an index of their words and of their Chinese character pairs."""

    def __init__(self, documents: Sequence[str]):
        self._texts = [Haystack(text) for text in documents]
        self._where: dict[str, set[int]] = defaultdict(set)
        for number, text in enumerate(documents):
            for key in _keys(folded(text)):
                self._where[key].add(number)

    def cover(self, units: Sequence[str]) -> float:
        """Largest share of ``units`` that one document has.

        One document, because the words of any answer stand somewhere in a large enough collection.
        """
        counts: dict[int, int] = defaultdict(int)
        for unit in units:
            for number in self._with(unit):
                counts[number] += 1
        return max(counts.values(), default=0) / len(units)

    def _with(self, unit: str) -> set[int]:
        if not is_han(unit) or len(unit) == 1:
            return self._where.get(unit, set())
        pairs = [self._where.get(unit[at : at + 2], set()) for at in range(len(unit) - 1)]
        return {number for number in set.intersection(*pairs) if self._texts[number].has(unit)}


def _keys(text: str) -> set[str]:
    keys = {*words_of(text), *han_numbers(text)}
    joined = "".join(han_runs(text))
    keys.update(joined)
    keys.update(joined[at : at + 2] for at in range(len(joined) - 1))
    return keys

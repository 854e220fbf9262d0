"""The names and numbers that an answer states."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tuneworth.audit.knowledge.words import HAN, folded, han_number, han_runs, is_han, stem, words_of

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

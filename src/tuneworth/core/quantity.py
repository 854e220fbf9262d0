"""A text read as a number: with its thousands separators, its currency sign or its unit."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

MAX_CHARS = 80
"""A longer text is no number that anybody compares; it also bounds what a hostile answer costs."""
_SIGN = r"(?P<sign>[-+−–]?)\s?"
_DIGITS = r"(?P<digits>\d{1,3}(?:[, '’]\d{3})+(?:\.\d+)?|\d+(?:\.\d*)?|\.\d+)(?P<power>[eE][-+]?\d{1,3})?"
_BEFORE, _AFTER = (
    r"(?P<before>[$€£¥₹]|US\$|USD|EUR|GBP|CHF|CNY|RMB|JPY|INR|HKD)?\s?",
    r"\s?(?P<after>[^\d\s.,+−-][^\d.,]{0,30})?",
)
_QUANTITY = re.compile(rf"{_SIGN}{_BEFORE}{_DIGITS}{_AFTER}\.?")
_ABOUT = re.compile(r"(?:约|大约|≈|~|about|approx(?:imately|\.)?|ca\.)\s*(?=\S)", re.I)
_IN_PARENTHESES = re.compile(r"\(([^()-]+)\)")
_TIMES = {"万": 1e4, "亿": 1e8}
_CHINESE = re.compile(r"(?P<digits>[零〇一二两三四五六七八九十百千万亿]+)(?P<after>元|块|人|个|岁|天|年|次|米|公里|)")
_CHINESE_DIGITS = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_CHINESE_PLACES = {"十": 10, "百": 100, "千": 1_000, "万": 10_000, "亿": 100_000_000}
_FRACTION = re.compile(r"(?P<sign>[-−]?)\s?(?P<above>\d{1,15})\s?/\s?(?P<below>\d{1,15})")
_ANY = re.compile(r"[-+−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+]?\d{1,3})?")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with what stands before or after it (``$``, ``kg``, ``%``), in lower case; empty: nothing."""

    value: float
    unit: str = ""


def read_quantity(text: str) -> Quantity | None:
    """The number that the whole of ``text`` is, or ``None``.

    Width is folded (NFKC). Read are ``1,234.50``, ``1'234``, ``-3``, ``(3)`` for -3, ``1e3``, ``3/4``, ``$5``, ``12 kg``, ``50%``, ``135 枚``,
    ``约 2.5万元``, ``三百二十``; not read are decimal commas, which other rows of the same file write as thousands (see
    ``data/forms.py``), Chinese numbers that leave out a place (``三百五``), and what is not finite.
    """
    if len(text) > MAX_CHARS:
        return None
    text = _ABOUT.sub("", unicodedata.normalize("NFKC", text).strip(), count=1)
    if (match := _FRACTION.fullmatch(text)) is not None:
        below = int(match["below"])
        return Quantity(_signed(match["sign"], int(match["above"]) / below)) if below else None
    if (match := _IN_PARENTHESES.fullmatch(text)) is not None:  # as accounts write what is owed
        inside = read_quantity(match[1])
        return None if inside is None else Quantity(-inside.value, inside.unit)
    if (match := _QUANTITY.fullmatch(text)) is not None:
        value = float(re.sub("[, '’]", "", match["digits"]) + (match["power"] or ""))
        unit = ((match["before"] or "") + (match["after"] or "")).strip().casefold()
        if unit[:1] in _TIMES:
            value, unit = value * _TIMES[unit[0]], unit[1:]
        return Quantity(_signed(match["sign"], value), unit) if math.isfinite(value) else None
    match = _CHINESE.fullmatch(text)
    number = _chinese_number(match["digits"]) if match else None
    return Quantity(number, match["after"].strip()) if match and number is not None else None


def _chinese_number(text: str) -> float | None:
    """Zero to billions in Chinese figures, or ``None`` where a place is left out or two stand in the wrong order."""
    total = part = 0
    digit: int | None = None
    last = 10
    for sign in text:
        if sign in _CHINESE_DIGITS:
            if digit:
                return None
            digit = _CHINESE_DIGITS[sign]
            last = 10 if digit == 0 else last
            continue
        place = _CHINESE_PLACES[sign]
        if place < 10_000:
            part += (digit or (1 if place == 10 else 0)) * place
        elif total + part + (digit or 0) == 0:
            return None
        else:
            inside = part + (digit or 0)
            total, part = (total + inside * place if total > place else (total + inside) * place), 0
        digit, last = None, place
    number = total + part + (digit or 0)
    return None if (digit and last > 10) or (number == 0 and text[0] not in _CHINESE_DIGITS) else float(number)


def only_number(text: str) -> float | None:
    """The number that ``text`` is, or the one number that stands in it; ``None`` where there are none or several."""
    whole = read_quantity(text)
    if whole is not None:
        return whole.value
    found = _ANY.findall(unicodedata.normalize("NFKC", text[:2_000]))
    one = read_quantity(found[0]) if len(found) == 1 else None
    return None if one is None else one.value


def spread(values: Sequence[float]) -> float:
    """From the 5th to the 95th percentile; the whole range where most values are equal, and 1 where all are."""
    ordered = sorted(values)
    last = len(ordered) - 1
    wide = ordered[round(0.95 * last)] - ordered[round(0.05 * last)]
    return wide or ordered[-1] - ordered[0] or 1.0


def number_text(value: float) -> str:
    """The one way a number is written as an answer: no separators, no exponent, no needless zeros."""
    text = f"{value:.10f}".rstrip("0").rstrip(".") if abs(value) < 1e15 else f"{value:.0f}"
    return "0" if text in ("-0", "") else text


def _signed(sign: str, value: float) -> float:
    return -value if sign in ("-", "−", "–") else value

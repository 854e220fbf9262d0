"""Figures: numbers that somebody stated, each a value or a range, with its unit and where it is from.

A price of a table, a wage, a share of calls, calls a month: what enters a bill and is not measured is a `Figure`. Its name says
what it is, and two arms that use figures of one name mean the same thing: they get the same draws. A figure that nobody stated
is kept as unknown, so that a bill can say which number it lacks.

    unit of a price     unit of what is counted
    usd/Mtok            token
    usd/hour            second, hour
    usd/label           label
    usd/GB-month        GB
    usd/call            call
    usd/piece           piece         (a fee, or a month of something)
    1                   usd           (what is dollars already)

What people write is read by `read_figure` into these units: ``50k``, ``5万``, ``1e6``, ``$0.20–0.35``, ``1.39/h``, ``50k/month``, ``2000 per day``,
``¥0.5/1K tokens``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal, cast

from tuneworth.core.quantity import MAX_CHARS, read_quantity
from tuneworth.core.text import Text
from tuneworth.costs.breakeven import HOURS_PER_MONTH
from tuneworth.errors import InputError, Problem
from tuneworth.words.numbers import plain
from tuneworth.words.say import say

Unit = Literal[
    "1", "usd", "share", "ratio", "token", "second", "hour", "label", "GB", "call", "piece", "month", "call/month", "1/month",
    "call/second", "cny/usd", "usd/Mtok", "usd/hour", "usd/label", "usd/GB-month", "usd/call", "usd/piece",
]  # fmt: skip
WORTH: Mapping[tuple[Unit, Unit], float] = {
    ("token", "usd/Mtok"): 1e-6,
    ("second", "usd/hour"): 1 / 3600,
    ("hour", "usd/hour"): 1.0,
    ("label", "usd/label"): 1.0,
    ("GB", "usd/GB-month"): 1.0,
    ("call", "usd/call"): 1.0,
    ("piece", "usd/piece"): 1.0,
    ("usd", "1"): 1.0,
}
"""(unit of what is counted, unit of its price) → dollars that one of the first costs at a price of 1."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A stated number: any value from ``low`` to ``high`` is as likely as another. ``None``: not known.

    Attributes:
        name: what it is, ``machine``, ``label``; the same name is the same number in every arm.
        where: region or tier that it holds for.
        source: address, ``task file``, or whatever says where it is from; empty: an assumption.
        read_on, valid_until: the day its source was read, and the last day it holds, where that is known.
        rest: the number is 1 − what is stated: of calls, those that are not repeated.
    """

    name: str
    unit: Unit
    low: float | None = None
    high: float | None = None
    where: str = ""
    source: str = ""
    read_on: date | None = None
    valid_until: date | None = None
    rest: bool = False

    def __post_init__(self) -> None:
        ends = [end for end in (self.low, self.high) if end is not None]
        least = -1.0 if self.unit == "ratio" else 0.0
        if len(ends) == 1 or any(not least <= end < math.inf for end in ends) or ends != sorted(ends):
            raise ValueError(
                f"{self.name} is {self.low} to {self.high}; both or none, from {least:g} on, the lower first"
            )

    @property
    def middle(self) -> float | None:
        return None if self.low is None or self.high is None else float(self.at(0.5))

    def at(self, share: Any) -> Any:
        """The value ``share`` of the way from low to high: a float or an array. Not of an unknown figure."""
        if self.low is None or self.high is None:
            raise ValueError(f"{self.name} is not known")
        value = self.low + (self.high - self.low) * share
        return 1 - value if self.rest else value

    def others(self) -> Figure:
        """What is left to 1."""
        return replace(self, rest=not self.rest)

    def age_days(self, today: date) -> int | None:
        return None if self.read_on is None else (today - self.read_on).days


def figure(name: str, unit: Unit, low: float | None, high: float | None = None, *, source: str = "") -> Figure:
    """A figure of one value, or of a range."""
    return Figure(name, unit, low, low if high is None else high, source=source)


ONE = figure("one", "1", 1.0)

_MOST: Mapping[Unit, float] = {
    "share": 1.0,
    "ratio": 10_000.0,
    "call/month": 1e12,
    "1/month": 50_000.0,
    "usd/hour": 10_000.0,
    "usd/Mtok": 100_000.0,
    "usd/label": 100_000.0,
    "month": 600.0,
    "call/second": 1e9,
    "cny/usd": 100.0,
}
"""More than this is a slip of the pen. Growth may be negative; nothing else."""
_SCALES = {"k": 1e3, "thousand": 1e3, "千": 1e3, "m": 1e6, "mn": 1e6, "million": 1e6, "百万": 1e6, "b": 1e9, "bn": 1e9}
_PERIODS = {  # hours
    "s": 1 / 3600, "sec": 1 / 3600, "second": 1 / 3600, "秒": 1 / 3600, "min": 1 / 60, "minute": 1 / 60, "分钟": 1 / 60,
    "h": 1.0, "hr": 1.0, "hour": 1.0, "小时": 1.0, "时": 1.0, "d": 24.0, "day": 24.0, "天": 24.0, "日": 24.0, "week": 168.0, "周": 168.0,
    "mo": HOURS_PER_MONTH, "month": HOURS_PER_MONTH, "月": HOURS_PER_MONTH, "y": 12 * HOURS_PER_MONTH, "year": 12 * HOURS_PER_MONTH,
    "年": 12 * HOURS_PER_MONTH,
}  # fmt: skip
_TOKENS = {
    "k": 1e3,
    "1k": 1e3,
    "1000": 1e3,
    "m": 1e6,
    "1m": 1e6,
    "1000000": 1e6,
    "": 1.0,
    "1": 1.0,
    "千": 1e3,
    "百万": 1e6,
}
_YUAN = ("¥", "￥", "cny", "rmb", "元", "人民币")
_DOLLARS = ("us$", "usd", "$", "美元")
_COUNTED = ("calls", "call", "requests", "request", "tokens", "token", "tok", "labels", "label", "次", "条", "个")
_PER = re.compile(r"\s*(?:/|\bper\b|\ba(?=\s)|每)\s*", re.I)
_TO = re.compile(r"(?<=[\d%a-z万亿千元])\s*(?:–|—|~|\.\.|\bto\b|至|到|(?<!e)-)\s*(?=[$¥￥\d.])", re.I)
_SIGN, _TAIL = re.compile(r"[$¥￥]|US\$"), re.compile(r"(?<=[\d.])\s*[^\d\s.,]\D*$")
_PER_FIRST = re.compile(r"(?:每(?P<zh>[^\d\s]+)|(?P<en>daily|monthly|hourly))\s*(?P<rest>\d.*)", re.I)
_EVERY = {"daily": "day", "monthly": "month", "hourly": "hour"}


class NotRead(ValueError):
    """Why a text is no figure."""

    def __init__(self, rule: Text):
        self.rule = rule
        super().__init__(rule.en)


def read_figure(
    written: object, name: str, unit: Unit, *, where: str = "", source: str = "", cny_per_usd: float | None = None
) -> Figure:
    """What a user wrote, in the unit that bills use. A list of two numbers is a range.

    Numbers without a unit are taken to be in ``unit`` already (calls: a month; machines: an hour; tokens: a million).

    Args:
        where: the place that an error names, ``task.yaml:7 traffic.calls_per_month`` or ``--calls``.
        cny_per_usd: what turns yuan into dollars; without it amounts in yuan are refused.

    Raises:
        InputError: it is no number, negative, absurd, in another unit, or a range whose ends are the wrong way round.
    """
    try:
        low, high = _ends(written, unit, cny_per_usd)
    except NotRead as error:
        raise InputError(Problem(where or name, error.rule)) from None
    return Figure(name, unit, low, high, source=source)


def _ends(written: object, unit: Unit, cny_per_usd: float | None) -> tuple[float, float]:
    parts: list[Any] = list(cast("Sequence[Any]", written)) if isinstance(written, list | tuple) else [written]
    if len(parts) == 1 and isinstance(text := parts[0], str):
        number, *per = _PER.split(_per_last(text.strip()), maxsplit=1)
        parts = _TO.split(number)
        if len(parts) == 2:  # what stands with one end goes for both: "$0.20–0.35", "20–50k/day", "10–20 %"
            sign, tail = _SIGN.match(parts[0]), _TAIL.search(parts[1])
            parts[0] += tail[0] if tail is not None and parts[0][-1].isdigit() else ""
            parts[1] = (sign[0] if sign is not None and parts[1][0].isdigit() else "") + parts[1]
        parts = ["/".join((end, *per)) for end in parts]
    if len(parts) not in (1, 2):
        raise NotRead(say("costs.rule.range"))
    ends = [_value(part, unit, cny_per_usd) for part in parts]
    if ends[0] > ends[-1]:
        raise NotRead(say("costs.rule.order", low=plain(f"{ends[0]:g}"), high=plain(f"{ends[-1]:g}")))
    return ends[0], ends[-1]


def _value(written: object, unit: Unit, cny_per_usd: float | None) -> float:
    if isinstance(written, bool) or not isinstance(written, int | float | str):
        raise NotRead(say("costs.rule.number", value=str(written)[:MAX_CHARS]))
    value = _read_text(written, unit, cny_per_usd) if isinstance(written, str) else float(written)
    shown = plain(f"{value:,.12g}")
    least = -1.0 if unit == "ratio" else 0.0
    if not math.isfinite(value):
        raise NotRead(say("costs.rule.number", value=shown))
    if value < least:
        raise NotRead(say("costs.rule.negative", value=shown))
    if value > (most := _MOST.get(unit, 1e15)):
        raise NotRead(say("costs.rule.absurd", value=shown, most=plain(f"{most:,.0f}"), unit=say(f"costs.unit.{unit}")))
    return value


def _read_text(text: str, unit: Unit, cny_per_usd: float | None) -> float:
    """``text`` as a number in ``unit``: first what stands behind "per", then what stands with the number."""
    number, *pers = _PER.split(_per_last(text.strip()), maxsplit=1)
    quantity = read_quantity(number)
    if quantity is None:
        raise NotRead(say("costs.rule.number", value=text[:MAX_CHARS]))
    value, word = quantity.value, quantity.unit
    money = unit.startswith("usd")
    for sign in (*_DOLLARS, *_YUAN) if money else ():
        if word.startswith(sign) or word.endswith(sign):
            word = word.removeprefix(sign).removesuffix(sign).strip()
            if sign in _YUAN:
                if cny_per_usd is None:
                    raise NotRead(say("costs.rule.yuan"))
                value /= cny_per_usd
            break
    word = _without_counted(word)
    if word == "%" and unit in ("share", "ratio"):
        value, word = value / 100, ""
    value, word = value * _SCALES.get(word, 1.0), "" if word in _SCALES else word
    if word:
        raise NotRead(say("costs.rule.unit", value=text[:MAX_CHARS], word=word, unit=say(f"costs.unit.{unit}")))
    return value * _per(pers[0], unit, text) if pers else value


def _per_last(text: str) -> str:
    """``每天2000次`` and ``daily 2000`` as ``2000次/天`` and ``2000/day``."""
    first = _PER_FIRST.fullmatch(text)
    return text if first is None else f"{first['rest']}/{first['zh'] or _EVERY[first['en'].lower()]}"


def _per(word: str, unit: Unit, text: str) -> float:
    """What turns a number "per ``word``" into one in ``unit``."""
    word = word.strip().casefold()
    found: float | None = None
    if unit == "usd/Mtok":
        size = _TOKENS.get(_without_counted(word).replace(",", ""))
        found = 1e6 / size if size and word else None
    elif (hours := _PERIODS.get(word.rstrip("s") or word)) is not None:
        found = {"call/month": HOURS_PER_MONTH / hours, "1/month": HOURS_PER_MONTH / hours, "usd/hour": 1 / hours}.get(
            unit, {"call/second": 1 / 3600 / hours}.get(unit)
        )
    elif _without_counted(word) == "" and unit in ("usd/label", "usd/call", "usd/piece"):
        found = 1.0
    elif unit in ("usd/label", "usd/call") and (size := _TOKENS.get(_without_counted(word).replace(",", ""))):
        found = 1 / size
    if found is None:
        raise NotRead(say("costs.rule.unit", value=text[:MAX_CHARS], word=f"/{word}", unit=say(f"costs.unit.{unit}")))
    return found


def _without_counted(word: str) -> str:
    for counted in _COUNTED:
        if word.endswith(counted):
            return word.removesuffix(counted).strip()
    return word

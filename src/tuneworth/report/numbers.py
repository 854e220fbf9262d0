"""Every number a reader sees is formatted here, once.

``None`` and values that are not finite are shown as "unknown", never as zero.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeGuard

from tuneworth.core import money
from tuneworth.core.run import Interval, Score
from tuneworth.core.text import Lang, Text

UNKNOWN = Text(en="unknown", zh="未知")
MINUS = "−"


@dataclass(frozen=True, slots=True)
class ScoreText:
    """A score ready to be shown.

    Attributes:
        value: ``83.7 %``.
        interval: ``79.1–87.4``, in per cent.
        text: both: ``83.7 % (79.1–87.4)``.
        level: ``95 %``.
        n_rows: rows that were scored, as text.
        raw: value, low and high in per cent, for charts; ``None`` when not finite.
    """

    value: str
    interval: str
    text: str
    level: str
    n_rows: str
    raw: tuple[float, float, float] | None


def is_known(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)


def unknown(lang: Lang) -> str:
    return UNKNOWN.to(lang)


def count(value: float | None, lang: Lang) -> str:
    """A whole number with thousands separators."""
    return f"{round(value):,}" if is_known(value) else unknown(lang)


def rounded(value: float) -> int:
    """To two significant digits: an estimate of rows is no better than that."""
    digits = max(0, len(str(abs(round(value)))) - 2)
    return round(round(value), -digits)


def about(value: float | None, lang: Lang) -> str:
    """An estimated number of rows, without false precision: ``2,400``."""
    return count(rounded(value) if is_known(value) else None, lang)


def percent(value: float | None, lang: Lang, digits: int = 1) -> str:
    """A share in [0, 1] as per cent."""
    if not is_known(value):
        return unknown(lang)
    return f"{100 * value:.{digits}f}%" if lang == "zh" else f"{100 * value:.{digits}f}\u00a0%"


def in_parentheses(text: str, lang: Lang) -> str:
    return f"（{text}）" if lang == "zh" else f" ({text})"


def score(value: Score, lang: Lang) -> ScoreText:
    low, high = value.interval.low, value.interval.high
    known = is_known(value.value)
    bounded = is_known(low) and is_known(high)
    shown = percent(value.value, lang)
    interval = f"{100 * low:.1f}–{100 * high:.1f}" if bounded else unknown(lang)
    return ScoreText(
        value=shown,
        interval=interval,
        text=shown + in_parentheses(interval, lang) if known else shown,
        level=percent(value.interval.level, lang, 0),
        n_rows=count(value.n_rows, lang),
        raw=(100 * value.value, 100 * low, 100 * high) if known and bounded else None,
    )


def signed(value: float | None, lang: Lang) -> str:
    """A difference of shares in points of per cent, with its sign: ``+6.2``, ``−0.4``, ``0.0``."""
    if not is_known(value):
        return unknown(lang)
    rounded = round(100 * value, 1)
    sign = "+" if rounded > 0 else MINUS if rounded < 0 else ""
    return f"{sign}{abs(rounded):.1f}"


def points(value: float | None, lang: Lang) -> str:
    """A difference with its unit."""
    if not is_known(value):
        return unknown(lang)
    return f"{signed(value, lang)} 个百分点" if lang == "zh" else f"{signed(value, lang)} points"


def signed_interval(interval: Interval, lang: Lang) -> str:
    between = " 到 " if lang == "zh" else " to "
    return f"{signed(interval.low, lang)}{between}{signed(interval.high, lang)}"


def margin(value: float, lang: Lang) -> str:
    """``±2 points``."""
    return f"±{100 * value:g} 个百分点" if lang == "zh" else f"±{100 * value:g} points"


def size_in_points(value: float | None, lang: Lang) -> str:
    """The size of a difference: ``2 points``, ``0.5 points``."""
    if not is_known(value):
        return unknown(lang)
    number = f"{100 * abs(value):.1f}".removesuffix(".0")
    if lang == "zh":
        return f"{number} 个百分点"
    return f"{number} point" if number == "1" else f"{number} points"


def p_value(value: float | None, lang: Lang) -> str:
    if not is_known(value):
        return unknown(lang)
    return "<\u00a00.001" if value < 0.001 else f"{value:.3f}"


def duration(seconds: float | None, lang: Lang) -> str:
    """Seconds as a person says them: ``3.2 s``, ``4 min 10 s``, ``1 h 5 min``."""
    if not is_known(seconds):
        return unknown(lang)
    hour, minute, second = ("小时", "分", "秒") if lang == "zh" else ("h", "min", "s")
    if seconds < 9.95:
        return "0\u00a0" + second if seconds == 0 else f"{max(seconds, 0.1):.1f}\u00a0{second}"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}\u00a0{second}"
    if whole < 3600:
        return f"{whole // 60}\u00a0{minute} {whole % 60}\u00a0{second}"
    minutes = round(seconds / 60)
    return f"{minutes // 60:,}\u00a0{hour} {minutes % 60}\u00a0{'分' if lang == 'zh' else 'min'}"


def milliseconds(value: float | None, lang: Lang) -> str:
    """Two significant digits below 10 ms, whole milliseconds up to ten seconds."""
    if not is_known(value):
        return unknown(lang)
    unit = "ms"
    if value >= 10_000:
        return duration(value / 1000, lang)
    if value >= 9.95:
        return f"{value:,.0f}\u00a0{unit}"
    if value == 0:
        return f"0\u00a0{unit}"
    if value < 0.01:
        return f"<\u00a00.01\u00a0{unit}"
    return f"{value:.1f}\u00a0{unit}" if value >= 1 else f"{value:.2g}\u00a0{unit}"


def usd(value: float | None, lang: Lang) -> str:
    """See ``tuneworth.core.money.usd``; in tables the sign stands for the word in Chinese too."""
    return money.usd(value).en if is_known(value) else unknown(lang)


def memory(megabytes: float | None, lang: Lang) -> str:
    if not is_known(megabytes):
        return unknown(lang)
    return f"{megabytes / 1024:.1f}\u00a0GB" if megabytes >= 1024 else f"{megabytes:.0f}\u00a0MB"

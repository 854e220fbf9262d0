"""Every number a reader sees is formatted here, once.

``None`` and values that are not finite are shown as "unknown", never as zero.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeGuard

from tuneworth.core.text import Text
from tuneworth.words.say import say

if TYPE_CHECKING:
    from tuneworth.core.costs import CostRange
    from tuneworth.core.record import Interval, Score

MINUS = "−"
_LEAST_USD = 0.00001


def is_known(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)


def plain(text: str) -> Text:
    """A number or name, the same in every language."""
    return Text(en=text, zh=text)


def unknown() -> Text:
    return say("units.unknown")


def count(value: float | None) -> Text:
    """A whole number with thousands separators."""
    return plain(f"{round(value):,}") if is_known(value) else unknown()


def general(value: float) -> Text:
    """Any number, at most three digits of it after the point: ``12,000``, ``2.5``, ``0.05``; large ones are whole."""
    is_whole = abs(value) >= 100 or math.isclose(value, round(value), abs_tol=1e-12)
    return plain(f"{round(value):,}" if is_whole else f"{value:.3g}")


def amount(value: float) -> Text:
    """Money as its owner wrote it, without the currency: ``12,000``, ``2``, ``2.50``, ``0.002``."""
    if math.isclose(value, round(value), abs_tol=1e-9) or abs(value) >= 1_000:
        return count(value)
    return plain(f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.2g}")


def rounded(value: float) -> int:
    """To two significant digits: an estimate of rows is no better than that."""
    return round(round(value), -max(0, len(str(abs(round(value)))) - 2))


def about(value: float | None) -> Text:
    """An estimated number of rows, without false precision: ``2,400``."""
    return count(rounded(value) if is_known(value) else None)


def percent(value: float | None, digits: int = 1) -> Text:
    """A share in [0, 1] as per cent: ``83.7 %``."""
    return say("units.percent", n=f"{100 * value:.{digits}f}") if is_known(value) else unknown()


def in_parentheses(inner: Text | str) -> Text:
    return say("units.in_parentheses", inner=inner)


def bounds(interval: Interval) -> Text:
    """``79.1–87.4``, in per cent."""
    if not is_known(interval.low) or not is_known(interval.high):
        return unknown()
    return plain(f"{100 * interval.low:.1f}–{100 * interval.high:.1f}")


def score(value: Score) -> Text:
    """A score with its interval: ``83.7 % (79.1–87.4)``."""
    shown = percent(value.value)
    if not is_known(value.value):
        return shown
    inner = in_parentheses(bounds(value.interval))
    return Text(**{lang: shown.to(lang) + said for lang, said in inner.by_lang.items()})


def signed(value: float | None) -> Text:
    """A difference of shares in points of per cent, with its sign: ``+6.2``, ``−0.4``, ``0.0``."""
    if not is_known(value):
        return unknown()
    tenths = round(100 * value, 1)
    return plain(f"{'+' if tenths > 0 else MINUS if tenths < 0 else ''}{abs(tenths):.1f}")


def signed_points(value: float | None) -> Text:
    """A difference with its unit: ``−0.4 points``."""
    return say("units.points", n=signed(value)) if is_known(value) else unknown()


def signed_range(interval: Interval) -> Text:
    """``−0.4 to +2.1``."""
    return say("units.range", low=signed(interval.low), high=signed(interval.high))


def signed_interval(interval: Interval) -> Text:
    """``95 % interval −0.4 to +2.1``."""
    level = f"{100 * interval.level:.0f}"
    return say("units.interval", level=level, low=signed(interval.low), high=signed(interval.high))


def points(value: float | None, digits: int = 1) -> Text:
    """The size of a difference: ``2 points``, ``0.5 points``, ``1 point``."""
    if not is_known(value):
        return unknown()
    number = f"{100 * abs(value):.{digits}f}".rstrip("0").removesuffix(".")
    return say("units.point" if number == "1" else "units.points", n=number)


def told_apart(a: float, b: float) -> tuple[Text, Text]:
    """The sizes of two differences, with more digits where one would make them look the same: ``1.96`` and ``2 points``."""
    digits = next((digits for digits in (1, 2) if points(a, digits) != points(b, digits)), 3)
    return points(a, digits), points(b, digits)


def margin(value: float) -> Text:
    """``±2 points``."""
    return say("units.margin", n=f"{100 * value:g}")


def p_value(value: float | None) -> Text:
    if not is_known(value):
        return unknown()
    return plain("<\u00a00.001" if value < 0.001 else f"{value:.3f}")


def duration(seconds: float | None) -> Text:
    """Seconds as a person says them: ``3.2 s``, ``4 min 10 s``, ``1 h 5 min``."""
    if not is_known(seconds):
        return unknown()
    if seconds < 9.95:
        return say("units.seconds", n="0" if seconds == 0 else f"{max(seconds, 0.1):.1f}")
    whole = round(seconds)
    if whole < 60:
        return say("units.seconds", n=whole)
    if whole < 3600:
        return say("units.minutes", n=whole // 60, rest=whole % 60)
    minutes = round(seconds / 60)
    return say("units.hours", n=minutes // 60, rest=minutes % 60)


def milliseconds(value: float | None) -> Text:
    """Two significant digits below 10 ms, whole milliseconds up to ten seconds."""
    if not is_known(value):
        return unknown()
    return duration(value / 1000) if value >= 10_000 else in_milliseconds(value)


def in_milliseconds(value: float) -> Text:
    """As `milliseconds`, but never in seconds: rounded to those, a limit and what breaks it may look alike."""
    if 0 < value < 0.01:
        return plain("<\u00a00.01\u00a0ms")
    number = f"{value:,.0f}" if value >= 9.95 or value == 0 else f"{value:.1f}" if value >= 1 else f"{value:.2g}"
    return plain(f"{number}\u00a0ms")


def usd(value: float | None) -> Text:
    """Whole dollars from 100 on, else cents and at least two significant digits: ``$1,820``, ``$0.10``, ``$0.000058``.

    Args:
        value: not negative; a real zero is ``$0``, anything else below a thousandth of a cent is said to be less.
    """
    if not is_known(value):
        return unknown()
    if 0 < value < _LEAST_USD:
        return say("units.usd_less", n=f"{_LEAST_USD:.5f}")
    if value == 0 or value >= 99.995:
        return say("units.usd", n=f"{value:,.0f}")
    return say("units.usd", n=f"{value:.{max(2, 1 - math.floor(math.log10(value)))}f}")


def usd_sign(value: float | None) -> Text:
    """As `usd`, for tables: the sign stands for the word in every language."""
    return plain(usd(value).en) if is_known(value) else unknown()


def about_usd(value: float) -> Text:
    """An estimate, to two significant digits: ``$1,800``, ``$12``, ``$0.35``."""
    estimate = float(f"{value:.2g}")
    return usd(estimate) if value < 10 else say("units.usd", n=f"{estimate:,.0f}")


def signed_usd(value: float) -> Text:
    """A difference with its sign: ``+$310``, ``−$20``."""
    sign, shown = "+" if value > 0 else MINUS if value < 0 else "", usd(abs(value))
    return Text(**{lang: sign + said for lang, said in shown.by_lang.items()})


def usd_interval(value: float, low: float, high: float) -> Text:
    """The size of a difference with its 80 % interval: ``$310 (80 % interval 240–400)``."""
    if value < 0:
        value, low, high = -value, -high, -low
    ends = say("units.range", low=signed_usd(low), high=signed_usd(high))
    if low >= 0:
        ends = plain(f"{usd(low).en}–{usd(high).en}".replace("$", ""))
    shown, inner = usd(value), in_parentheses(say("units.likely", ends=ends))
    return Text(**{lang: shown.to(lang) + said for lang, said in inner.by_lang.items()})


def usd_range(cost: CostRange | None, *, outer: bool = False) -> Text:
    """Dollars with their 80 % (or 95 %) interval: ``$521 (404–638)``."""
    ends = None if cost is None else cost.outer if outer else cost.inner
    if cost is None or ends is None:
        return usd(None if cost is None else cost.value)
    low, high = (usd(end).en.replace("$", "") for end in (ends.low, ends.high))
    told = usd(cost.value)
    if low == high:
        return told
    between = in_parentheses(f"{low}–{high}")
    return Text(en=told.en + between.en, zh=told.zh + between.zh)


def yuan(usd_value: float | None, per_usd: float | None) -> str:
    """Dollars in yuan, ``¥3,543``; empty where one of both is not known."""
    if not (is_known(usd_value) and is_known(per_usd)):
        return ""
    return plain(usd(usd_value * per_usd).en.replace("$", "¥")).zh


def megabytes(value: float | None) -> Text:
    if not is_known(value):
        return unknown()
    return plain(f"{value / 1024:.1f}\u00a0GB" if value >= 1024 else f"{value:.0f}\u00a0MB")

"""Numbers and sentences in both languages."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tuneworth.core.armnames import arm_names
from tuneworth.core.money import about_usd
from tuneworth.core.run import ArmResult, Interval, Score
from tuneworth.core.text import Lang, Text

MINUS = "−"
_CHARACTER = "[\u4e00-\u9fff“”（）［］]"
_SPACE_BETWEEN_CHARACTERS = re.compile(f"(?<={_CHARACTER}) (?={_CHARACTER})")


def say(en: str, zh: str, **parts: Text | str | int) -> Text:
    """Both templates filled with the same parts, each in its own language.

    Numbers stand off from Chinese characters by a space, characters do not stand off from one another;
    where a part ends in one or the other is only known here.
    """
    chinese = zh.format(**_in("zh", parts))
    return Text(en=en.format(**_in("en", parts)), zh=_SPACE_BETWEEN_CHARACTERS.sub("", chinese))


def _in(lang: Lang, parts: dict[str, Text | str | int]) -> dict[str, str]:
    return {name: _word(part, lang) for name, part in parts.items()}


def _word(part: Text | str | int, lang: Lang) -> str:
    if isinstance(part, Text):
        return part.to(lang)
    return f"{part:,}" if isinstance(part, int) else part


def percent(value: float) -> Text:
    """A value of a metric: ``83.7 %``."""
    return Text(en=f"{100 * value:.1f}\u00a0%", zh=f"{100 * value:.1f}%")


def score(value: Score) -> Text:
    """A score with its interval: ``83.7 % (79.1–87.4)``."""
    low, high = f"{100 * value.interval.low:.1f}", f"{100 * value.interval.high:.1f}"
    return say("{value} ({low}–{high})", "{value}（{low}–{high}）", value=percent(value.value), low=low, high=high)


def points(difference: float, digits: int = 1) -> Text:
    """The size of a difference: ``2.1 points``; a margin as the user wrote it, without ``.0``."""
    number = f"{100 * abs(difference):.{digits}f}".rstrip("0").removesuffix(".")
    return Text(en=f"{number} point" if number == "1" else f"{number} points", zh=f"{number} 个百分点")


def told_apart(a: float, b: float) -> tuple[Text, Text]:
    """The sizes of two differences, with more digits where one would make them look the same: ``1.96`` and ``2 points``."""
    digits = next((digits for digits in (1, 2) if points(a, digits) != points(b, digits)), 3)
    return points(a, digits), points(b, digits)


def signed_points(difference: float) -> Text:
    return Text(en=f"{_signed(difference)} points", zh=f"{_signed(difference)} 个百分点")


def signed_interval(interval: Interval) -> Text:
    """``95 % interval −0.4 to +2.1``."""
    level = f"{100 * interval.level:.0f}"
    return say(
        "{level}\u00a0% interval {low} to {high}",
        "{level}% 置信区间 {low} 到 {high}",
        level=level,
        low=_signed(interval.low),
        high=_signed(interval.high),
    )


def _signed(difference: float) -> str:
    rounded = round(100 * difference, 1)
    return f"{'+' if rounded > 0 else MINUS if rounded < 0 else ''}{abs(rounded):.1f}"


def milliseconds(value: float) -> Text:
    number = f"{value:,.0f}" if value >= 10 else f"{value:.2g}"
    return Text(en=f"{number}\u00a0ms", zh=f"{number} 毫秒")


def seconds(value: float) -> Text:
    if value < 120:
        number = f"{value:.0f}" if value >= 10 else f"{value:.1f}"
        return Text(en=f"{number}\u00a0s", zh=f"{number} 秒")
    return Text(en=f"{value / 60:.0f}\u00a0min", zh=f"{value / 60:.0f} 分钟")


def about(rows: int) -> str:
    """An estimated number of rows, to two significant digits: ``2,400``. It is no better than that."""
    return f"{_two_digits(rows):,}"


def _two_digits(value: float) -> int:
    whole = round(value)
    return round(whole, -max(0, len(str(abs(whole))) - 2))


def label_cost(rows: int, usd_per_label: float) -> Text:
    """What so many labels cost, to two significant digits."""
    return about_usd(rows * usd_per_label)


def p_value(value: float) -> str:
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


def few(texts: Sequence[Text], most: int = 4) -> Text:
    """Names in a row; of many only the first, and how many more."""
    more = len(texts) - most
    if more <= 1:
        return Text(en=", ".join(text.en for text in texts), zh="、".join(text.zh for text in texts))
    shown = few(texts[:most], most)
    return say("{shown} and {more} more", "{shown}等 {n} 个方案", shown=shown, more=more, n=len(texts))


def listed(texts: Sequence[Text]) -> Text:
    return Text(en="; ".join(text.en for text in texts), zh="；".join(text.zh for text in texts))


def quoted_names(arms: Sequence[ArmResult]) -> dict[str, Text]:
    """Arm id → its name, in quotation marks."""
    return {arm_id: say("“{name}”", "“{name}”", name=name) for arm_id, name in arm_names(arms).items()}

"""The pages of a report: plain data in one language, every number already text. Here what several of them show."""

from __future__ import annotations

from dataclasses import dataclass

from tuneworth.core.record import Score
from tuneworth.core.text import Lang, Text
from tuneworth.words import numbers
from tuneworth.words.say import say


@dataclass(frozen=True, slots=True)
class Fact:
    """A named value, with a second line of detail."""

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class ScoreText:
    """A score ready to be shown.

    Attributes:
        value: ``83.7 %``.
        interval: ``79.1–87.4``, in per cent.
        text: both: ``83.7 % (79.1–87.4)``.
        n_rows: rows that were scored, and what they are worth.
        raw: value, low and high in per cent, for charts; ``None`` when not finite.
    """

    value: str
    interval: str
    text: str
    n_rows: str
    raw: tuple[float, float, float] | None


def worth_less(n_rows: int, n_effective: float | None) -> bool:
    """Whether rows that belong together are worth so much less than as many independent ones that a reader should know."""
    return n_effective is not None and n_effective < 0.95 * n_rows


def rows_and_worth(n_rows: int, n_effective: float | None) -> Text:
    """A number of rows, with the independent rows that they are worth where that is notably less."""
    if n_effective is None or not worth_less(n_rows, n_effective):
        return numbers.count(n_rows)
    return say("groups.rows", n=n_rows, worth=round(n_effective))


def score_text(score: Score, lang: Lang) -> ScoreText:
    value, low, high = ends = score.value, score.interval.low, score.interval.high
    return ScoreText(
        value=numbers.percent(value).to(lang),
        interval=numbers.bounds(score.interval).to(lang),
        text=numbers.score(score).to(lang),
        n_rows=rows_and_worth(score.n_rows, score.n_effective).to(lang),
        raw=(100 * value, 100 * low, 100 * high) if all(map(numbers.is_known, ends)) else None,
    )

"""A score as pages and charts show it."""

from __future__ import annotations

from dataclasses import dataclass

from tuneworth.core.record import Score
from tuneworth.core.text import Lang
from tuneworth.words import numbers
from tuneworth.words.numbers import is_known


@dataclass(frozen=True, slots=True)
class ScoreText:
    """A score ready to be shown.

    Attributes:
        value: ``83.7 %``.
        interval: ``79.1–87.4``, in per cent.
        text: both: ``83.7 % (79.1–87.4)``.
        n_rows: rows that were scored.
        raw: value, low and high in per cent, for charts; ``None`` when not finite.
    """

    value: str
    interval: str
    text: str
    n_rows: str
    raw: tuple[float, float, float] | None


def shown(score: Score, lang: Lang) -> ScoreText:
    ends = (score.value, score.interval.low, score.interval.high)
    return ScoreText(
        value=numbers.percent(score.value).to(lang),
        interval=numbers.bounds(score.interval).to(lang),
        text=numbers.score(score).to(lang),
        n_rows=numbers.count(score.n_rows).to(lang),
        raw=(100 * ends[0], 100 * ends[1], 100 * ends[2]) if all(is_known(end) for end in ends) else None,
    )

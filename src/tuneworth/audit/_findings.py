"""What findings are made of: measured quantities, and rows as they are mentioned."""

from __future__ import annotations

from collections.abc import Iterable

from tuneworth.audit import Subject
from tuneworth.audit._personal.mask import excerpt
from tuneworth.core.audit import MAX_ROWS_SHOWN, Measure, RowMention, Unit
from tuneworth.core.record import Interval
from tuneworth.core.task import Example
from tuneworth.core.text import Text

_QUESTION, _ANSWER = 90, 100


def measure(en: str, zh: str, value: float, unit: Unit = "share", interval: Interval | None = None) -> Measure:
    """One measured quantity with its name in both languages."""
    return Measure(name=Text(en=en, zh=zh), value=value, unit=unit, interval=interval)


def no_rows(subject: Subject) -> Text | None:
    """Why a check of all training rows is skipped, or ``None``."""
    return None if subject.train else Text(en="there are no rows", zh="没有数据")


def mention(
    subject: Subject, row: Example, *, detail: Text | None = None, score: float | None = None, other: str = ""
) -> RowMention:
    """``row`` with the start of its question and of its answer, masked."""
    shown = f"{excerpt(row.query.text, _QUESTION)} → {excerpt(row.output, _ANSWER)}"
    return RowMention(
        row_id=row.id,
        source=row.source,
        side=subject.side_of[row.id],
        excerpt=shown,
        detail=detail,
        score=score,
        other=other,
    )


def mentions(subject: Subject, rows: Iterable[tuple[Example, Text | None]]) -> list[RowMention]:
    """The first ``MAX_ROWS_SHOWN`` of ``rows``, each with what is wrong with it."""
    shown: list[RowMention] = []
    for row, detail in rows:
        if len(shown) == MAX_ROWS_SHOWN:
            break
        shown.append(mention(subject, row, detail=detail))
    return shown

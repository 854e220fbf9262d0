"""Rows of a subject as findings mention them."""

from __future__ import annotations

from collections.abc import Iterable

from tuneworth.audit import Subject
from tuneworth.audit._personal.mask import excerpt
from tuneworth.core.audit import MAX_ROWS_SHOWN, RowMention
from tuneworth.core.task import Example
from tuneworth.core.text import Text

_QUESTION, _ANSWER = 90, 100


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

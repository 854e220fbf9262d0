"""The texts by which rows are compared."""

from __future__ import annotations

from collections.abc import Sequence

from tuneworth.core.task import Example
from tuneworth.data.neardup import Boilerplate

_JUDGED_FROM = 5_000


def questions(rows: Sequence[Example]) -> list[str]:
    """All that each row asks, choices included."""
    return ["\n".join((row.query.text, *row.query.choices)) for row in rows]


def n_of(n: int, noun: str) -> str:
    """ "1 row", "1,204 rows"."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def asked(rows: Sequence[Example]) -> list[str]:
    """What each row asks, without what nearly all rows begin or end with."""
    return stripped(questions(rows), boilerplate_of(rows))


def boilerplate_of(rows: Sequence[Example]) -> Boilerplate:
    """What nearly all rows begin and end with, judged by some thousand of them."""
    return Boilerplate.of(questions(rows[:: max(len(rows) // _JUDGED_FROM, 1)]))


def stripped(texts: Sequence[str], boilerplate: Boilerplate) -> list[str]:
    return [boilerplate.strip(text) for text in texts]

"""What a search is asked, what it answers, and ``Where`` as the condition that LanceDB filters by before it searches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from tuneworth.core.documents import Passage
from tuneworth.core.text import Text
from tuneworth.retrieval.fulltext import clean_utf8

Mode = Literal["text", "vector", "hybrid"]


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found.

    Attributes:
        score: higher is better, comparable within one query only: BM25 for ``text``, cosine for ``vector``,
            the sum of reciprocal ranks for ``hybrid``, the reranker's own score after reranking.
    """

    passage: Passage
    score: float


@dataclass(frozen=True, slots=True)
class Where:
    """Which passages may be found at all. Every condition given must hold; none given means all passages.

    Attributes:
        doc_sets: the passage's ``doc_set`` is one of these.
        document_ids: it belongs to one of these documents.
        changed_from, changed_until: its date lies between, both ends included; without a date it does not.
        metadata: each key has exactly this value.
    """

    doc_sets: tuple[str, ...] = ()
    document_ids: tuple[str, ...] = ()
    changed_from: date | None = None
    changed_until: date | None = None
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Refresh:
    """What bringing an index up to date took: the price of an update for retrieval.

    Attributes:
        added, removed, unchanged: passages by id.
        changed: same id, other content or other metadata.
        embedded: texts that went through the encoder; a passage that only moved or got other metadata does not.
        seconds: all of it, waiting for another process excluded.
        rebuilt_because: why nothing of an earlier index could be used, in a sentence for the reader; ``None`` when
            it was used or there was none.
    """

    added: int
    removed: int
    unchanged: int
    changed: int
    embedded: int
    seconds: float
    rebuilt_because: Text | None = None


def condition(where: Where | None) -> str | None:
    """SQL for LanceDB, or ``None`` when every passage may be found. All values are quoted."""
    if where is None:
        return None
    parts: list[str] = []
    if where.doc_sets:
        parts.append(is_in("doc_set", where.doc_sets))
    if where.document_ids:
        parts.append(is_in("document_id", where.document_ids))
    if where.changed_from is not None:
        parts.append(f"changed >= date '{where.changed_from.isoformat()}'")
    if where.changed_until is not None:
        parts.append(f"changed <= date '{where.changed_until.isoformat()}'")
    parts += [f"array_has(tags, {_quoted(tag(key, value))})" for key, value in where.metadata.items()]
    return " AND ".join(parts) or None


def is_in(column: str, values: Iterable[str]) -> str:
    return f"{column} IN ({', '.join(map(_quoted, values))})"


def tag(key: str, value: str) -> str:
    """One entry of the column ``tags``; the separator cannot be typed, so ``a=b`` and ``c`` stay apart."""
    return f"{key}\x1f{value}"


def _quoted(value: str) -> str:
    return "'" + clean_utf8(value).replace("'", "''") + "'"

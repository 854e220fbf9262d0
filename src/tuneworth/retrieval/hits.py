"""What a search is asked and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from tuneworth.core.documents import Passage
from tuneworth.core.text import Text

Mode = Literal["text", "vector", "hybrid"]


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found.

    Attributes:
        score: higher is better, comparable within one query only: BM25 for ``text``, cosine for ``vector``,
            the sum of reciprocal ranks for ``hybrid``, the reranker's own score after reranking.
        rank_text, rank_vector: its rank from 1 by words and by vectors; ``None`` where it was not found so.
    """

    passage: Passage
    score: float
    rank_text: int | None = None
    rank_vector: int | None = None


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

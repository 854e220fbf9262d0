"""Rankings by words and by vectors, exact and the same every time.

LanceDB leaves the order of equal scores open. A ranking is therefore read one row further than it is used, and
further still while the cut would fall between equal scores; equal scores then go by passage id. Vectors are
compared with all vectors, without an approximate index: at tens of thousands of passages that takes milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from tuneworth.core.documents import Passage
from tuneworth.retrieval.database import PASSAGE_COLUMNS, from_row, word_search
from tuneworth.retrieval.fulltext import Cutting, query_terms

if TYPE_CHECKING:
    import pyarrow as pa
    from lancedb.query import LanceVectorQueryBuilder
    from lancedb.table import Table

SMOOTHING = 60
"""``k`` of Cormack et al. 2009; they found the result insensitive to it."""
_VECTORS_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Found:
    """A passage's id, its row in this version of the table, and its score (higher is better)."""

    id: str
    row: int
    score: float


def reciprocal_rank_fusion(rankings: Sequence[Sequence[Found]], *, smoothing: int = SMOOTHING) -> list[Found]:
    """All passages of all rankings, best first; equal scores, which are many, in the order of their ids.

    A passage scores the sum of 1 / (smoothing + rank) over the rankings that hold it. The scores of the rankings themselves
    are not looked at, so word and vector scores need no common scale.

    Source: Cormack, Clarke, Büttcher 2009, Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning
    Methods, SIGIR.
    """
    scores: dict[tuple[str, int], float] = {}
    for ranking in rankings:
        for rank, item in enumerate(ranking, 1):
            scores[item.id, item.row] = scores.get((item.id, item.row), 0.0) + 1 / (smoothing + rank)
    return sorted((Found(*at, score) for at, score in scores.items()), key=lambda item: (-item.score, item.id))


def by_words(table: Table, query: str, depth: int, *, cutting: Cutting, condition: str | None) -> list[Found]:
    """The ``depth`` best passages by BM25 that share a term with ``query``; may be fewer, or none."""
    terms = query_terms(query, cutting)
    if not terms:
        return []

    def fetch(limit: int) -> list[Found]:
        asked = word_search(table, terms)
        if condition:
            asked = asked.where(condition, prefilter=True)
        return _scored(asked.with_row_id(True).limit(limit).to_arrow(), "_score")

    return _settled(fetch, depth)


def by_vectors(table: Table, vectors: NDArray[np.float32], depth: int, *, condition: str | None) -> list[list[Found]]:
    """For each of ``vectors``, shape ``(queries, dimension)``, the ``depth`` nearest passages by cosine."""
    rankings: list[list[Found]] = []
    for start in range(0, len(vectors), _VECTORS_AT_ONCE):
        block = vectors[start : start + _VECTORS_AT_ONCE]
        firsts = _nearest(table, block, depth + 1, condition)
        for vector, first in zip(block, firsts):

            def fetch(limit: int, vector: NDArray[np.float32] = vector, first: list[Found] = first) -> list[Found]:
                return first if limit == depth + 1 else _nearest(table, vector[None], limit, condition)[0]

            rankings.append(_settled(fetch, depth))
    return rankings


def passages_at(table: Table, rows: Sequence[int]) -> dict[int, Passage]:
    """Row → its passage."""
    if not rows:
        return {}
    found = table.take_row_ids(list(rows)).select(list(PASSAGE_COLUMNS)).with_row_id().to_arrow().to_pylist()
    return {row["_rowid"]: from_row(row) for row in found}


def _nearest(table: Table, vectors: NDArray[np.float32], limit: int, condition: str | None) -> list[list[Found]]:
    asked = cast("LanceVectorQueryBuilder", table.search(vectors, "vector", query_type="vector"))
    asked = asked.distance_type("dot").select(["id", "_distance"])
    if condition:
        asked = asked.where(condition, prefilter=True)
    found = asked.with_row_id(True).limit(limit).to_arrow()
    owners = found["query_index"].to_numpy() if "query_index" in found.schema.names else np.zeros(found.num_rows)
    scored = _scored(found, "_distance")
    return [[scored[at] for at in np.flatnonzero(owners == query)] for query in range(len(vectors))]


def _scored(found: pa.Table, column: str) -> list[Found]:
    scores = found[column].to_numpy().astype(float)
    if column == "_distance":
        scores = 1.0 - scores  # LanceDB's dot "distance" is one minus the product of two unit vectors
    return [Found(*row) for row in zip(found["id"].to_pylist(), found["_rowid"].to_pylist(), scores.tolist())]


def _settled(fetch: Callable[[int], list[Found]], depth: int) -> list[Found]:
    """The best ``depth`` of what ``fetch(limit)`` gives, where every tie at the cut was seen whole."""
    limit = depth + 1
    while True:
        found = sorted(fetch(limit), key=lambda item: (-item.score, item.id))
        if len(found) < limit or found[-1].score < found[depth - 1].score:
            return found[:depth]
        limit *= 4

"""Looking passages up for queries, in the way one solver always does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tuneworth.core.documents import Passage
from tuneworth.core.task import Message, Query
from tuneworth.retrieval.hits import Mode
from tuneworth.retrieval.library import Library
from tuneworth.strategies import Context
from tuneworth.strategies._parts.passages import search_text

DEPTHS = (1, 3, 5)
"""Numbers of passages that are tried."""
USUAL_K = 3


@dataclass(frozen=True)
class Finder:
    """Finds the ``k`` best passages.

    Attributes:
        passage_tokens: size of the passages.
        min_similarity: cosine that the nearest passage must reach, else none is found; ``None``: any will do.
    """

    library: Library
    k: int
    mode: Mode
    passage_tokens: int
    rerank: bool = False
    min_similarity: float | None = None

    def get_ready(self) -> None:
        """Make the index, and open the encoder and the reranker, as the first search would."""
        self.find([Query("", (Message("user", "?"),))])

    def find(self, queries: Sequence[Query], k: int | None = None) -> list[tuple[Passage, ...]]:
        """Passages for each query, best first.

        Args:
            k: more or fewer than usual.
        """
        if not queries:
            return []
        texts = [search_text(query) for query in queries]
        found = self.library.search(
            texts, k or self.k, mode=self.mode, passage_tokens=self.passage_tokens, rerank=self.rerank
        )
        near = self._near(texts)
        return [tuple(hit.passage for hit in hits) if is_near else () for hits, is_near in zip(found, near)]

    def _near(self, texts: Sequence[str]) -> list[bool]:
        if self.min_similarity is None or self.library.encoder is None:
            return [True] * len(texts)
        nearest = self.library.search(texts, 1, mode="vector", passage_tokens=self.passage_tokens)
        return [bool(hits) and hits[0].score >= self.min_similarity for hits in nearest]

    def settings(self) -> dict[str, Any]:
        """What ``on_library`` needs to make this finder again."""
        names = ("k", "mode", "passage_tokens", "rerank", "min_similarity")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def on_library(cls, settings: Mapping[str, Any], context: Context) -> Finder:
        return cls(library_of(context), **settings)


def library_of(context: Context) -> Library:
    """The passages of an arm that cannot be without them.

    Raises:
        ValueError: the caller gave none.
    """
    if context.library is None:
        raise ValueError("this strategy reads documents; Context.library is None")
    return context.library


def best_mode(encoder: str | None) -> Mode:
    """The best way of searching documents that ``encoder`` embedded (``Collection.encoder``)."""
    return "text" if encoder is None else "hybrid"

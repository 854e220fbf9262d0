"""Passages and an encoder for tests of retrieval, made here."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuneworth.core.documents import Passage

TOPICS = (
    "The lighthouse keeper writes the weather into a blue book every morning.",
    "Copper wire carries the current from the dam to the mill in the valley.",
    "A baker kneads rye dough before dawn and sells the loaves at noon.",
    "The orchestra tunes to the oboe because its pitch hardly moves.",
    "Glaciers grind rock into flour, which colours the lakes turquoise.",
    "The archive keeps 1,204 letters of the botanist Maria Sole.",
)


def passage(
    name: str,
    text: str,
    *,
    title: str = "",
    doc_set: str | None = None,
    changed: date | None = None,
    headings: tuple[str, ...] = (),
    **metadata: str,
) -> Passage:
    digest = hashlib.sha256("\0".join([title, *headings, text]).encode("utf-8", "replace")).hexdigest()
    return Passage(
        id=name,
        document_id=name.split("#")[0],
        title=title,
        text=text,
        digest=digest,
        headings=headings,
        changed=changed,
        doc_set=doc_set,
        metadata=metadata,
    )


def topics() -> list[Passage]:
    return [passage(f"d{at}#0", text) for at, text in enumerate(TOPICS)]


def many(n: int) -> list[Passage]:
    """``n`` passages, each with a word of its own."""
    return [passage(f"d{at}#0", f"{TOPICS[at % len(TOPICS)]} Mark m{at}x stands here.") for at in range(n)]


class WordEncoder:
    """Unit vectors of hashed words: texts that share words are near. Counts what it was given."""

    def __init__(self, model_id: str = "words-32", *, dimension: int = 32, salt: int = 0):
        self._id = model_id
        self.dimension = dimension
        self.salt = salt
        self.n_texts = 0

    @property
    def id(self) -> str:
        return self._id

    def encode(self, texts: Sequence[str], *, role: str = "text") -> NDArray[np.float32]:
        self.n_texts += len(texts)
        vectors = np.full((len(texts), self.dimension), 1e-3, dtype=np.float32)
        for row, text in enumerate(texts):
            for word in text.casefold().split():
                vectors[row, zlib.crc32(word.strip(".,?").encode(), self.salt) % self.dimension] += 1
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def describe(self) -> dict[str, Any]:
        return {"id": self.id}

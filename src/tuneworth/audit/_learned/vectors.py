"""Texts as short dense vectors, for classifiers that are fitted in closed form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tuneworth.audit import Embed, Tick, no_tick
from tuneworth.core.text import Text
from tuneworth.data.language import han_share

Floats = NDArray[np.float64]

MAX_EMBEDDED = 5_000
"""Texts that a sentence encoder reads: some 90 s on two cores where they have 200 characters."""
MAX_COUNTED = 20_000
"""Texts whose n-grams are counted: some 15 s."""
_CHARS = 1_500
_MAX_NGRAMS = 30_000
_DIMENSIONS = 256
_BATCH = 256


@dataclass(frozen=True, slots=True)
class Vectors:
    """One row of ``values`` a text, shape ``(texts, dimensions)``."""

    values: Floats
    kind: Literal["embedding", "tfidf"]

    @property
    def name(self) -> Text:
        if self.kind == "embedding":
            return Text(en="sentence embeddings", zh="句向量")
        return Text(en="character n-grams", zh="字符 n-gram")


def most_texts(embed: Embed | None) -> int:
    """How many texts ``vectors`` is meant for; callers sample beyond it."""
    return MAX_COUNTED if embed is None else MAX_EMBEDDED


def vectors(texts: Sequence[str], embed: Embed | None, seed: int, tick: Tick = no_tick) -> Vectors:
    """``texts`` by ``embed``, or without one by TF-IDF of character n-grams cut down to 256 dimensions.

    Only the first 1,500 characters count: encoders read little more, and one text of a megabyte must not
    cost what 500 rows do. No label is looked at, so fitting on all texts tells a classifier nothing it should
    not know.
    """
    starts = [text[:_CHARS] for text in texts]
    if embed is None:
        return Vectors(_tfidf(starts, seed), "tfidf")
    parts: list[Any] = []
    for start in range(0, len(starts), _BATCH):
        parts.append(embed(starts[start : start + _BATCH]))
        tick(min(start + _BATCH, len(starts)), len(starts))
    return Vectors(np.concatenate(parts).astype(np.float64), "embedding")


def _tfidf(texts: Sequence[str], seed: int) -> Floats:
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    chinese = han_share("".join(text[:200] for text in texts[:2_000])) >= 0.2
    analyzer, ngrams = ("char", (1, 2)) if chinese else ("char_wb", (2, 4))
    settings: dict[str, Any] = {"sublinear_tf": True, "dtype": np.float32, "max_features": _MAX_NGRAMS}
    counter = TfidfVectorizer(analyzer=analyzer, ngram_range=ngrams, min_df=2 if len(texts) >= 500 else 1, **settings)
    try:
        counted = counter.fit_transform(text or " " for text in texts)
    except ValueError:  # texts of spaces only have no n-grams
        return np.zeros((len(texts), 1))
    if counted.shape[1] <= _DIMENSIONS:
        return np.asarray(counted.toarray(), dtype=np.float64)
    svd = TruncatedSVD(min(_DIMENSIONS, len(texts) - 1), n_iter=2, random_state=seed)
    return np.asarray(svd.fit_transform(counted), dtype=np.float64)

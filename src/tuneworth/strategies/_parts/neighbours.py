"""The training rows most similar to a query."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tuneworth.models.base import Encoder
from tuneworth.strategies._parts.features import Matrix, TextFeatures, load_features

QUERIES_AT_ONCE = 512
COSINE_DECIMALS = 5
"""Cosines are rounded before ranking: their last digits depend on the batch a text was encoded in."""


class NearestRows:
    """Ranks training rows by cosine.

    Attributes:
        matrix: one unit row per training row, made by ``features``.
    """

    def __init__(self, features: TextFeatures, matrix: Matrix):
        self.features = features
        self.matrix = matrix

    @classmethod
    def fit(cls, features: TextFeatures, texts: Sequence[str]) -> NearestRows:
        return cls(features, features.transform(texts))

    def top(self, texts: Sequence[str], k: int) -> NDArray[np.intp]:
        """Row numbers of the ``k`` most similar rows, best first; equal cosines by row number.

        Returns:
            Shape ``(len(texts), min(k, n_rows))``.
        """
        k = min(k, self.matrix.shape[0])
        parts = [np.empty((0, k), dtype=np.intp)]
        for start in range(0, len(texts), QUERIES_AT_ONCE):
            cosines = self.features.transform(texts[start : start + QUERIES_AT_ONCE]) @ self.matrix.T
            dense = np.asarray(cosines.todense() if hasattr(cosines, "todense") else cosines)
            parts.append(np.argsort(-np.round(dense, COSINE_DECIMALS), axis=1, kind="stable")[:, :k])
        return np.concatenate(parts)

    def save(self, folder: Path) -> None:
        self.features.save(folder)
        if self.features.kind == "tfidf":
            from scipy.sparse import save_npz

            save_npz(folder / "rows.npz", self.matrix)
        else:
            np.savez(folder / "rows.npz", rows=self.matrix)

    @classmethod
    def load(cls, folder: Path, encoder: Callable[[], Encoder]) -> NearestRows:
        features = load_features(folder, encoder)
        if features.kind == "tfidf":
            from scipy.sparse import load_npz

            return cls(features, load_npz(folder / "rows.npz"))
        with np.load(folder / "rows.npz", allow_pickle=False) as saved:
            return cls(features, saved["rows"])

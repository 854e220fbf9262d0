"""Texts as vectors, for the head and for finding similar rows; and the training rows most similar to a query.

Texts are embedded by the sentence encoder that the task names: MiniLM for English, multilingual-e5 for other languages and for
texts in several. Where there is none, character n-gram TF-IDF is used, which needs no word boundaries and no download. In all
cases rows are unit vectors, so a dot product is a cosine.
"""

from __future__ import annotations

import importlib.util
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from tuneworth.core.task import Language, Task
from tuneworth.core.text import Text
from tuneworth.errors import InputError, Problem
from tuneworth.models.base import Encoder
from tuneworth.models.encoders import E5, MINILM

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

FeatureKind = Literal["embedding", "multilingual", "tfidf"]
_ENCODERS: dict[str, FeatureKind] = {MINILM: "embedding", E5: "multilingual"}
Matrix = Any
"""float32, one unit row per text: a dense array for embeddings, a SciPy CSR matrix for TF-IDF."""

MAX_NGRAMS = 50_000
QUERIES_AT_ONCE = 512
COSINE_DECIMALS = 3
"""Cosines are rounded before ranking: with the last digits of a vector they depend on the machine that made it."""
RARE_FROM_ROWS = 500
"""With at least this many rows, n-grams of a single row are dropped: they cannot generalise."""


class TextFeatures(ABC):
    """A fitted map from texts to unit vectors."""

    kind: ClassVar[Literal["embedding", "tfidf"]]

    @abstractmethod
    def transform(self, texts: Sequence[str]) -> Matrix:
        """Unit rows, shape ``(len(texts), n_features)``."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write what ``load_features`` needs, without pickle."""


class Embeddings(TextFeatures):
    """Vectors of the sentence encoder; nothing is fitted."""

    kind = "embedding"

    def __init__(self, encoder: Encoder):
        self.encoder = encoder

    def transform(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.asarray(self.encoder.encode(list(texts)), dtype=np.float32)

    def save(self, folder: Path) -> None:
        _write_json(folder / "features.json", {"kind": self.kind, "encoder": self.encoder.id})


class NgramTfidf(TextFeatures):
    """TF-IDF of character n-grams: 1-3 for Chinese, else 1-4 within words."""

    kind = "tfidf"

    def __init__(self, language: Language, vectorizer: Any):
        self.language: Language = language
        self.vectorizer = vectorizer

    @classmethod
    def fit(cls, language: Language, texts: Sequence[str]) -> NgramTfidf:
        min_rows = 2 if len(texts) >= RARE_FROM_ROWS else 1
        vectorizer = _vectorizer(language, min_df=min_rows, max_features=MAX_NGRAMS)
        return cls(language, vectorizer.fit(texts))

    def transform(self, texts: Sequence[str]) -> csr_matrix:
        return self.vectorizer.transform(texts)

    def save(self, folder: Path) -> None:
        terms = [str(term) for term in self.vectorizer.get_feature_names_out()]
        _write_json(folder / "features.json", {"kind": self.kind, "language": self.language, "terms": terms})
        np.save(folder / "idf.npy", self.vectorizer.idf_)

    @classmethod
    def load(cls, folder: Path, saved: dict[str, Any]) -> NgramTfidf:
        vectorizer = _vectorizer(saved["language"], vocabulary=saved["terms"])
        vectorizer.idf_ = np.load(folder / "idf.npy", allow_pickle=False)
        return cls(saved["language"], vectorizer)


def default_kind(task: Task) -> FeatureKind:
    return _ENCODERS[task.sentence_encoder] if task.sentence_encoder is not None else "tfidf"


def is_embedded(task: Task) -> bool:
    """Whether texts of the task are compared by a sentence encoder."""
    return default_kind(task) != "tfidf"


def text_features(
    task: Task, train_texts: Sequence[str], encoder: Callable[[], Encoder], kind: FeatureKind | None = None
) -> TextFeatures:
    """Features fitted on ``train_texts``; ``encoder`` is called only where embeddings are used.

    Raises:
        ValueError: ``kind`` names embeddings of another encoder than the task's.
    """
    kind = kind or default_kind(task)
    if kind == "tfidf":
        return NgramTfidf.fit(task.language, train_texts)
    if kind != default_kind(task):
        raise ValueError(
            f"features {kind!r} want another sentence encoder than this task has ({task.sentence_encoder})"
        )
    return Embeddings(encoder())


def load_features(folder: Path, encoder: Callable[[], Encoder]) -> TextFeatures:
    """What ``save`` wrote.

    Raises:
        InputError: the embeddings were made by another encoder.
    """
    saved = json.loads((folder / "features.json").read_text(encoding="utf-8"))
    if saved["kind"] == "tfidf":
        return NgramTfidf.load(folder, saved)
    given = encoder()
    if given.id != saved["encoder"]:
        raise InputError(
            Problem(
                str(folder),
                Text(
                    en=f"made with the encoder {saved['encoder']!r}, but {given.id!r} is loaded; use the first one",
                    zh=f"保存时用的编码器是 {saved['encoder']!r}，当前加载的却是 {given.id!r}；请换回前者",
                ),
            )
        )
    return Embeddings(given)


class NearestRows:
    """Ranks training rows by cosine, the same on every machine and whatever a text was encoded together with.

    Vectors count in bfloat16, so that one cast to it is no other than one in float32; cosines are computed in float64 and
    rounded. NOT guaranteed: the order of two rows between whose cosines noise finds the edge of a rounding. Of 200 queries
    to 500 rows, MiniLM in other batches changed none, noise of 1e-7 in every number the order of two rows for 2, none
    which 16 rows were shown.

    Attributes:
        matrix: one unit row per training row, made by ``features``.
    """

    def __init__(self, features: TextFeatures, matrix: Matrix):
        self.features = features
        self.matrix = matrix
        self._ranked = _in_bfloat16(matrix)

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
            asked = _in_bfloat16(self.features.transform(texts[start : start + QUERIES_AT_ONCE]))
            cosines = asked @ self._ranked.T
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


def _in_bfloat16(matrix: Matrix) -> Matrix:
    """Dense rows rounded to bfloat16 (to nearest, ties to even), in float64; TF-IDF, which is counted, as it is."""
    if hasattr(matrix, "todense"):
        return matrix.astype(np.float64)
    bits = np.ascontiguousarray(matrix, dtype=np.float32).view(np.uint32)
    kept = (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) & np.uint32(0xFFFF0000)
    return kept.view(np.float32).astype(np.float64)


def why_no_sklearn() -> Text | None:
    """Why TF-IDF and heads cannot run here, or ``None``."""
    if importlib.util.find_spec("sklearn") is not None:
        return None
    return Text(
        en="scikit-learn is not installed: pip install 'tuneworth[local]'",
        zh="没有安装 scikit-learn，请运行：pip install 'tuneworth[local]'",
    )


def _vectorizer(language: Language, **options: Any) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    analyzer, ngrams = ("char", (1, 3)) if language == "zh" else ("char_wb", (1, 4))
    settings: dict[str, Any] = {"sublinear_tf": True, "dtype": np.float32, **options}
    return TfidfVectorizer(analyzer=analyzer, ngram_range=ngrams, **settings)


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")

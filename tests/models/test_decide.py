"""Probabilities of labels equal those of a loop through transformers, one label of one row at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from tiny_models import CHATML, NO_SYSTEM, WORDS, make_tiny, open_exact

from tuneworth.core.task import Message
from tuneworth.models.base import Constraint, Request, TrainConfig, TrainExample, is_deciding
from tuneworth.models.local import decide as engine
from tuneworth.models.local.decide import label_trie
from tuneworth.models.local.model import LocalModel
from tuneworth.models.scripted import ScriptedModel, mentioned
from tuneworth.testing.models import DECIDING_CHECKS, check_deciding

FAMILIES = ["llama", "qwen2", "qwen3", "mistral", "gemma", "gemma2", "gemma3_text", "granite", "cohere"]
LABELS = ("card", "card payment", "card payment declined", "cash machine", "cancel", "top up", "失败")
SYSTEM = Message("system", " ".join(WORDS))
TEXTS = [
    " ".join(WORDS[start : start + length]) for start, length in [(0, 3), (4, 20), (9, 1), (2, 9), (30, 6), (1, 1)]
]


@pytest.fixture(scope="module", params=FAMILIES)
def family(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> LocalModel:
    template = NO_SYSTEM if request.param.startswith("gemma") else CHATML
    return open_exact(make_tiny(tmp_path_factory.mktemp("family") / request.param, request.param, template))


def requests(labels: Sequence[str] = LABELS, n_shared: int = 1, adapter: str | None = None) -> list[Request]:
    constraint = Constraint(labels=tuple(labels))
    return [Request((SYSTEM, Message("user", text)), constraint, adapter, n_shared) for text in TEXTS]


def plain_log_probabilities(model: LocalModel, request: Request) -> np.ndarray:
    """Each label read after the prompt by itself, nothing shared."""
    assert request.constraint is not None
    prompt = model.encode_chat(request.messages, add_generation_prompt=True)
    scores: list[float] = []
    for label in request.constraint.labels or ():
        answer = model.chat.encode_answer(label)
        with torch.no_grad():
            logits = model.module(torch.tensor([prompt + answer])).logits[0].double()
        steps = logits.log_softmax(-1)[len(prompt) - 1 : -1]
        scores.append(float(steps[range(len(answer)), answer].sum()))
    return np.array(scores) - np.logaddexp.reduce(scores)


def found(model: LocalModel, asked: Sequence[Request]) -> np.ndarray:
    decisions = model.decide(asked)
    assert all(decision.log_probabilities is not None for decision in decisions)
    return np.array([decision.log_probabilities for decision in decisions])


def expected(model: LocalModel, asked: Sequence[Request]) -> np.ndarray:
    return np.array([plain_log_probabilities(model, request) for request in asked])


def test_probabilities_equal_the_plain_loop(family: LocalModel):
    assert is_deciding(family)
    assert family.packed
    right = expected(family, requests())
    np.testing.assert_allclose(found(family, requests()), right, atol=2e-4)
    np.testing.assert_allclose(found(family, requests(n_shared=0)), right, atol=2e-4)
    assert len(set(right.argmax(axis=1))) > 1 or np.ptp(right, axis=0).max() > 0.1, (
        "rows must differ for this to say much"
    )


def test_a_model_that_is_not_taken_over_gives_the_same(family: LocalModel):
    packed = found(family, requests())
    family.packed = False
    try:
        np.testing.assert_allclose(found(family, requests()), packed, atol=2e-4)
    finally:
        family.packed = True


def test_a_trie_in_parts_gives_the_same(tiny: LocalModel, monkeypatch: pytest.MonkeyPatch):
    whole = found(tiny, requests())
    monkeypatch.setattr(engine, "PREFILL_TOKENS", 5)
    tiny._label_trie.cache_clear()
    assert len(tiny._build_label_trie(LABELS).parts) > 2
    np.testing.assert_allclose(found(tiny, requests()), whole, atol=2e-4)
    tiny.packed = False
    np.testing.assert_allclose(found(tiny, requests()), whole, atol=2e-4)


def test_rows_with_options_of_their_own(tiny: LocalModel, monkeypatch: pytest.MonkeyPatch):
    asked = [requests(LABELS[at % 3 : at % 3 + 2 + at])[at] for at in range(len(TEXTS))]
    right = [plain_log_probabilities(tiny, request) for request in asked]
    for most in (engine.PREFILL_TOKENS, 5):
        monkeypatch.setattr(engine, "PREFILL_TOKENS", most)
        tiny._label_trie.cache_clear()
        for decision, values in zip(tiny.decide(asked), right):
            np.testing.assert_allclose(decision.log_probabilities, values, atol=2e-4)


def test_an_adapter_decides(tiny: LocalModel, tmp_path):
    rows = [TrainExample((SYSTEM, Message("user", text)), "cash machine") for text in TEXTS]
    config = TrainConfig(epochs=2, batch_rows=2, learning_rate=0.01, rank=4)
    done = tiny.train(rows, rows[:2], config, tmp_path / "trained")
    base = found(tiny, requests())
    tiny.load_adapter("mine", done.folder)
    mixed = [request for pair in zip(requests(), requests(adapter="mine")) for request in pair]
    both = found(tiny, mixed)
    np.testing.assert_allclose(both[::2], base, atol=2e-4)
    assert (both[1::2, 3] > base[:, 3]).all(), "trained on it, the label is likelier"
    from tuneworth.models.local.weights import active_adapter

    with active_adapter(tiny.module, "mine"):
        np.testing.assert_allclose(both[1::2], expected(tiny, requests()), atol=2e-4)


def test_what_comes_with_a_decision(tiny: LocalModel):
    first, *_ = tiny.decide(requests())
    assert first.log_probabilities is not None
    assert np.exp(first.log_probabilities).sum() == pytest.approx(1)
    assert first.completion.text == LABELS[int(first.log_probabilities.argmax())]
    assert first.completion.finish_reason == "stop"
    usage = first.completion.usage
    assert usage.completion_tokens == 0
    n_prompt = len(tiny.encode_chat(requests()[0].messages, add_generation_prompt=True))
    assert usage.prompt_tokens > n_prompt, "the labels are read too"
    assert len(WORDS) < usage.cached_tokens < n_prompt
    assert first.completion.latency_ms > 0


def test_the_order_of_requests_does_not_matter_to_the_bit(tiny: LocalModel):
    assert np.array_equal(found(tiny, requests()), found(tiny, requests()[::-1])[::-1])


def test_a_prompt_beyond_the_context_is_no_decision(tiny: LocalModel):
    long = Request((SYSTEM, Message("user", " ".join(WORDS * 30))), Constraint(labels=LABELS))
    fits, over = tiny.decide([requests()[0], long])
    assert fits.log_probabilities is not None
    assert over.log_probabilities is None
    assert over.completion.finish_reason == "over_context"
    assert tiny.decide([]) == []


def test_labels_that_cannot_be_told_apart_and_requests_without_labels(tiny: LocalModel):
    (found_,) = tiny.decide([requests(("card", "cash", "card"))[0]])
    assert found_.log_probabilities is not None
    assert found_.log_probabilities[2] == -np.inf
    assert np.exp(found_.log_probabilities[:2]).sum() == pytest.approx(1)
    (alone,) = tiny.decide([requests(("card",))[0]])
    assert alone.log_probabilities == pytest.approx([0.0])
    with pytest.raises(ValueError, match="request 0 is not held to labels"):
        tiny.decide([Request((SYSTEM,))])


def test_a_model_whose_scores_are_no_numbers_decides_nothing(tmp_path):
    broken = open_exact(make_tiny(tmp_path / "llama", "llama", CHATML))
    with torch.no_grad():
        broken.module.get_output_embeddings().weight.fill_(torch.nan)
    for decision in broken.decide(requests()):
        assert decision.log_probabilities is None
        assert decision.completion.finish_reason == "error"
        assert "NaN" in (decision.completion.error or "")


@pytest.mark.parametrize("check", DECIDING_CHECKS, ids=lambda check: check.__name__)
def test_conformance_of_deciding_models(check, tiny: LocalModel):
    check(tiny)
    check(ScriptedModel(decides=mentioned))


def test_the_conformance_of_deciding_models_catches(tiny: LocalModel):
    by_place = ScriptedModel(decides=lambda request: range(1, 1 + len(request.constraint.labels)))  # type: ignore[union-attr]
    with pytest.raises(AssertionError, match="order of labels"):
        check_deciding(lambda: by_place)

    class Silent(ScriptedModel):
        def decide(self, requests):
            return super().decide(requests[:-1])

    with pytest.raises(AssertionError, match="5 decisions for 6 requests"):
        check_deciding(lambda: Silent(decides=mentioned))


def test_shared_beginnings_are_read_once():
    trie = label_trie([[1, 2, 9], [1, 2, 3, 9], [1, 4, 9], [5, 9]], most_nodes=100)
    (part,) = trie.parts
    assert trie.n_read == 5  # 1, 1 2, 1 2 3, 1 4, 5
    assert part.paths.sum(axis=1).tolist() == [len(p) for p in ([1, 2, 3, 9], [1, 2, 9], [1, 4, 9], [5, 9])]
    several = label_trie([[1, 2, 9], [1, 2, 3, 9], [1, 4, 9], [5, 9]], most_nodes=3)
    assert sorted(label for one in several.parts for label in one.labels) == [0, 1, 2, 3]
    assert all(len(one.tokens) <= 3 for one in several.parts)

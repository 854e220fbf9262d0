"""The engine equals ``transformers.generate`` on tiny random models of each family."""

from __future__ import annotations

import pytest
from plain_greedy import generate_plain, label_walk
from tiny_models import CHATML, NO_SYSTEM, WORDS, make_tiny, open_exact

from tuneworth.core.task import Message
from tuneworth.models.base import Constraint, Request

FAMILIES = ["llama", "qwen2", "qwen3", "mistral", "gemma", "gemma2", "gemma3_text"]
LABELS = ("card", "card payment", "cash machine", "cancel", "top up", "失败")
SYSTEM = Message("system", " ".join(WORDS))


@pytest.fixture(scope="module", params=FAMILIES)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    template = NO_SYSTEM if request.param.startswith("gemma") else CHATML
    return open_exact(make_tiny(tmp_path_factory.mktemp("family") / request.param, request.param, template))


def requests(constraint: Constraint | None = None, n_shared: int = 1) -> list[Request]:
    texts = [" ".join(WORDS[start : start + length]) for start, length in [(0, 3), (4, 20), (9, 1), (2, 9), (30, 6)]]
    return [Request((SYSTEM, Message("user", text)), constraint, n_shared=n_shared) for text in texts]


def test_the_engine_attends_by_itself(model):
    assert model.packed


def test_free_text_equals_generate(model):
    expected = generate_plain(model, requests(), 12)
    found = model.generate(requests(), max_new_tokens=12)
    assert [one.text for one in found] == [model.chat.decode(tokens) for tokens in expected]
    assert [one.usage.completion_tokens for one in found] == [len(tokens) for tokens in expected]
    assert all(one.usage.cached_tokens > len(WORDS) for one in found)


def test_labels_equal_generate_with_only_label_tokens_allowed(model):
    constraint = Constraint(labels=LABELS)
    expected: list[str] = []
    for request in requests():
        n_prompt = len(model.encode_chat(request.messages, add_generation_prompt=True))
        walk = label_walk(model, LABELS, n_prompt)
        (tokens,) = generate_plain(model, [request], 40, prefix_allowed_tokens_fn=walk)
        expected.append(model.chat.decode(tokens))
    assert [one.text for one in model.generate(requests(constraint), max_new_tokens=4)] == expected


def test_reusing_a_prefix_changes_nothing(model):
    reused = model.generate(requests(n_shared=1), max_new_tokens=12)
    alone = model.generate(requests(n_shared=0), max_new_tokens=12)
    assert [one.text for one in reused] == [one.text for one in alone]
    assert reused[0].usage.cached_tokens > alone[0].usage.cached_tokens


def test_a_model_that_is_not_taken_over_gives_the_same(model):
    constraints = [None, Constraint(labels=LABELS), Constraint(regex="(ca|pay)[a-z ]{3,9}")]
    for constraint in constraints:
        packed = model.generate(requests(constraint), max_new_tokens=12)
        model.packed = False
        plain = model.generate(requests(constraint), max_new_tokens=12)
        model.packed = True
        assert [(one.text, one.finish_reason) for one in packed] == [(one.text, one.finish_reason) for one in plain]

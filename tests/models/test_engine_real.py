"""The engine equals ``transformers.generate`` on the embedded model, in float32, row for row."""

from __future__ import annotations

import json

import pytest
from plain_greedy import generate_plain, label_walk, masked_greedy

from tuneworth.core.task import Message
from tuneworth.models.base import Constraint, Request

pytestmark = pytest.mark.slow

LABELS = ("weather", "music", "music player", "restaurant booking", "restaurant", "book rating", "film times")
SCHEMA = {
    "type": "object",
    "properties": {
        "intent": {"enum": ["weather", "music", "restaurant"]},
        "slots": {"type": "object", "additionalProperties": {"type": "string"}},
    },
    "required": ["intent", "slots"],
    "additionalProperties": False,
}
SYSTEM = Message("system", "You route requests to one of these: " + ", ".join(LABELS) + ". Answer with its name only.")
TEXTS = [
    "Will it rain in Paris tomorrow?",
    "play something by Nina Simone",
    "I need a table for four at a Thai place on Friday at eight, near the river if there is one, outside.",
    "five stars for this novel",
    "hi",
    "When does the late show start?",
    "你好，明天北京天气怎么样？",
    "def f(x):\n    return x + 1",
    "Turn   the volume\tdown, please!!!",
    "What's 17 * 23?",
    "Stop.",
    "Add this tune to my list called “Sunday mornings”, then skip the next three and repeat the first one.",
]
TURNS = (
    SYSTEM,
    Message("user", "Is it cold in Oslo?"),
    Message("assistant", "weather"),
    Message("user", "a pizzeria for two"),
    Message("assistant", "restaurant booking"),
)


def requests(constraint: Constraint | None = None, n_shared: int | None = None) -> list[Request]:
    """24 prompts: each text after a system turn, and after a few turns of examples."""
    prompts = [((SYSTEM,), text) for text in TEXTS] + [(TURNS, text) for text in TEXTS]
    return [
        Request((*head, Message("user", text)), constraint, n_shared=len(head) if n_shared is None else n_shared)
        for head, text in prompts
    ]


def test_free_text_equals_generate(real):
    expected = generate_plain(real, requests(), 12)
    found = real.generate(requests(), max_new_tokens=12)
    assert [one.text for one in found] == [real.chat.decode(tokens) for tokens in expected]
    ended = [tokens[-1] in real.chat.stop_ids for tokens in expected]
    assert [one.finish_reason for one in found] == ["stop" if end else "length" for end in ended]


def test_labels_equal_generate_with_only_label_tokens_allowed(real):
    expected: list[str] = []
    for request in requests():
        n_prompt = len(real.encode_chat(request.messages, add_generation_prompt=True))
        walk = label_walk(real, LABELS, n_prompt)
        (tokens,) = generate_plain(real, [request], 12, prefix_allowed_tokens_fn=walk)
        expected.append(real.chat.decode(tokens))
    found = real.generate(requests(Constraint(labels=LABELS)), max_new_tokens=12)
    assert [one.text for one in found] == expected
    assert {one.finish_reason for one in found} == {"stop"}


def test_json_equals_a_masked_loop_without_caches(real):
    from llguidance import LLMatcher

    from tuneworth.models.local.constrain import JSON_STYLE

    grammar = LLMatcher.grammar_from_json_schema(SCHEMA, defaults=JSON_STYLE)
    chosen = requests(Constraint(json_schema=SCHEMA))[::4]
    found = real.generate(chosen, max_new_tokens=40)
    expected = [masked_greedy(real, request, grammar, 40) for request in chosen]
    assert [one.text for one in found] == [real.chat.decode(tokens) for tokens in expected]
    assert [one.usage.completion_tokens for one in found] == [len(tokens) for tokens in expected]
    for one in found:
        if one.finish_reason == "stop":
            assert set(json.loads(one.text)) == {"intent", "slots"}


def test_reuse_and_order_do_not_matter(real):
    expected = [one.text for one in real.generate(requests(), max_new_tokens=12)]
    alone = real.generate(requests(n_shared=0), max_new_tokens=12)
    assert [one.text for one in alone] == expected
    backwards = real.generate(requests()[::-1], max_new_tokens=12)[::-1]
    assert [one.text for one in backwards] == expected
    again = real.generate(requests(), max_new_tokens=12)
    assert [one.text for one in again] == expected


def test_the_shared_prefix_is_counted(real):
    one = real.generate(requests()[:1], max_new_tokens=1)[0]
    shared = real.encode_chat([SYSTEM], add_generation_prompt=False)
    assert one.usage.cached_tokens >= len(shared)
    assert one.usage.prompt_tokens == len(real.encode_chat(requests()[0].messages, add_generation_prompt=True))


def test_bfloat16_generates(real_folder):
    import torch

    from tuneworth.models.local.load import open_local

    model = open_local(real_folder, device="cpu", dtype=torch.bfloat16, attention="sdpa")
    assert model.packed
    found = model.generate(requests(Constraint(labels=LABELS)), max_new_tokens=12)
    assert {one.text for one in found} <= set(LABELS)

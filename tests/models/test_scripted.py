"""The scripted model keeps the contract of a model, so that what is tested on it is worth something."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tuneworth.core.task import Message
from tuneworth.errors import InputError
from tuneworth.models.base import Constraint, Model, Request
from tuneworth.models.scripted import ADAPTER_FILE, REFUSAL, ScriptedModel
from tuneworth.testing.models import TRAINING_CHECKS


def request(*turns: str, constraint: Constraint | None = None, adapter: str | None = None, n_shared: int = 0):
    """Turns from the user, alternating with the assistant, the last one the user's."""
    roles = ["user", "assistant"] * len(turns)
    messages = tuple(Message(role, text) for role, text in zip(roles, turns))  # type: ignore[arg-type]
    return Request(messages, constraint, adapter, n_shared)


def answers(model: Model, *requests: Request, limit: int = 50) -> list[str]:
    return [done.text for done in model.generate(requests, max_new_tokens=limit)]


def test_copies_the_answer_of_the_most_similar_turn() -> None:
    shown = ("the lamp broke", "repair", "where is my parcel", "delivery")
    asked = [request(*shown, "my lamp broke again"), request(*shown, "the parcel is late")]
    assert answers(ScriptedModel(), *asked) == ["repair", "delivery"]


def test_without_examples_it_names_the_allowed_answer_that_the_question_mentions() -> None:
    labels = Constraint(labels=("refund", "delivery"))
    assert answers(ScriptedModel(), request("About my Delivery", constraint=labels)) == ["delivery"]
    assert answers(ScriptedModel(), request("just echo")) == ["just echo"]


def test_answers_by_a_given_function_and_remembers_requests() -> None:
    model = ScriptedModel(lambda asked: asked.messages[-1].content.upper())
    asked = request("hello")
    assert answers(model, asked) == ["HELLO"]
    assert model.requests == [asked]


@pytest.mark.parametrize(
    ("said", "constraint", "expected"),
    [
        ("spam!", Constraint(labels=("ham", "spam")), "spam"),
        ("call 555-1234 now", Constraint(regex=r"\d{3}-\d{4}"), "555-1234"),
        ('{"a": 1}', Constraint(json_schema={"type": "object"}), '{"a": 1}'),
        (
            "no json",
            Constraint(
                json_schema={
                    "type": "object",
                    "properties": {"kind": {"enum": ["x", "y"]}, "n": {"type": "integer"}, "free": {}},
                    "required": ["kind", "n"],
                }
            ),
            '{"kind": "x", "n": 0}',
        ),
    ],
)
def test_keeps_constraints(said: str, constraint: Constraint, expected: str) -> None:
    assert answers(ScriptedModel(lambda asked: said), request("?", constraint=constraint)) == [expected]


def test_refuses_what_it_cannot_promise() -> None:
    with pytest.raises(NotImplementedError, match="cannot make 'words' fit"):
        answers(ScriptedModel(lambda asked: "words"), request("?", constraint=Constraint(regex=r"[x-z]{9}")))


def test_counts_words_and_reuses_the_shared_ones() -> None:
    asked = request("one two three", "four", "five six", n_shared=2)
    first, second = ScriptedModel(lambda asked: "a b").generate([asked, asked], max_new_tokens=9)
    assert (first.usage.prompt_tokens, first.usage.cached_tokens, first.usage.completion_tokens) == (6, 0, 2)
    assert second.usage.cached_tokens == 4
    assert second.latency_ms < first.latency_ms


def test_trouble_is_scripted_by_what_a_question_says() -> None:
    model = ScriptedModel(
        lambda asked: "a b c",
        trouble={"boom": "error", "huge": "over_context", "evil": "refuse", "chatty": "length"},
    )
    asked = [request(word) for word in ("boom", "huge", "evil", "chatty", "fine")]
    done = model.generate(asked, max_new_tokens=9)
    assert [one.finish_reason for one in done] == ["error", "over_context", "stop", "length", "stop"]
    assert [one.text for one in done] == ["", "", REFUSAL, "a b c", "a b c"]
    assert done[0].error == "scripted failure"


def test_context_and_length_are_limits() -> None:
    model = ScriptedModel(lambda asked: "a b c d", context_tokens=5)
    fits, too_long = model.generate([request("1 2 3 4"), request("1 2 3 4 5")], max_new_tokens=2)
    assert (fits.text, fits.finish_reason) == ("a b", "length")
    assert too_long.finish_reason == "over_context"


def test_adapters_answer_from_what_they_learnt(tmp_path: Path) -> None:
    (tmp_path / ADAPTER_FILE).write_text(json.dumps({"red apple": "fruit", "red car": "vehicle"}))
    model = ScriptedModel(lambda asked: "base")
    model.load_adapter("mine", str(tmp_path))
    assert answers(model, request("green apple", adapter="mine"), request("green apple")) == ["fruit", "base"]
    with pytest.raises(InputError, match="not loaded"):
        answers(model, request("x", adapter="other"))


@pytest.mark.parametrize("check", TRAINING_CHECKS, ids=lambda check: check.__name__)
def test_trains_as_a_model_does(check, tmp_path: Path) -> None:
    check(ScriptedModel(can_train=True), tmp_path)

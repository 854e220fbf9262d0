"""Models and encoders behind a mask: what they are sent, and what comes back."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from tuneworth.audit._personal.mask import Placeholders, find
from tuneworth.audit._personal.sent import MaskedEncoder, MaskedModel, Masker, known_values
from tuneworth.core.task import Message
from tuneworth.models.base import Constraint, Decision, Request, is_metered
from tuneworth.models.scripted import ScriptedModel
from tuneworth.testing.cases import HashEncoder

EMAIL, OTHER, PHONE, KEY = "jane.roe@corp-mail.com", "bob.low@corp-mail.com", "(415) 555-2671", "ghp_" + "a1B2" * 9


def asked(*texts: str, constraint: Constraint | None = None) -> Request:
    return Request(tuple(Message("user", text) for text in texts), constraint)


def masked(answer=lambda request: "ok", known=()):
    inner = ScriptedModel(answer)
    return inner, MaskedModel(inner, Masker(known_values(list(known))))


def seen(inner: ScriptedModel) -> str:
    return json.dumps([[turn.content for turn in request.messages] for request in inner.requests])


def test_nothing_that_is_found_reaches_the_model_and_the_same_value_is_the_same_placeholder():
    inner, model = masked()
    model.generate([asked(f"Mail {EMAIL} or {OTHER}.", f"{EMAIL} called {PHONE}; token {KEY}")], max_new_tokens=4)
    [[first, second]] = [[turn.content for turn in request.messages] for request in inner.requests]
    assert first == "Mail [EMAIL] or [EMAIL_2]."
    assert second == "[EMAIL] called [PHONE]; token [API_KEY]"


def test_an_answer_that_names_a_placeholder_comes_back_with_the_value():
    _, model = masked(lambda request: "write to [EMAIL_2]")
    [done] = model.generate([asked(f"{EMAIL} asks {OTHER}")], max_new_tokens=4)
    assert done.text == f"write to {OTHER}"
    _, model = masked(lambda request: '{"key": "[PRIVATE_KEY]"}')
    block = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0\n-----END PRIVATE KEY-----"
    [done] = model.generate([asked(block)], max_new_tokens=4)
    assert json.loads(done.text) == {"key": block}, "still JSON"


def test_a_placeholder_of_the_users_own_stays_what_it_is():
    inner, model = masked(lambda request: "[EMAIL] and [EMAIL_2]")
    [done] = model.generate([asked(f"the form says [EMAIL]; it is {EMAIL}")], max_new_tokens=4)
    assert "the form says [EMAIL]; it is [EMAIL_2]" in seen(inner)
    assert done.text == f"[EMAIL] and {EMAIL}"


def test_labels_are_masked_and_come_back_as_they_are():
    labels = (f"send to {EMAIL}", "no action")
    inner, model = masked(lambda request: request.constraint.labels[0])
    [done] = model.generate([asked("what now?", constraint=Constraint(labels=labels))], max_new_tokens=4)
    assert inner.requests[0].constraint == Constraint(labels=("send to [EMAIL]", "no action"))
    assert done.text == labels[0]


@pytest.mark.parametrize(
    "constraint",
    [
        Constraint(json_schema={"enum": [EMAIL]}),
        Constraint(regex=f"({EMAIL}|x)"),
        Constraint(grammar=f'start: "{EMAIL}"'),
    ],
)
def test_a_form_that_holds_something_personal_is_left_out(constraint):
    inner, model = masked()
    model.generate([asked("a", constraint=constraint)], max_new_tokens=4)
    assert inner.requests[0].constraint is None
    plain = Constraint(json_schema={"type": "object", "properties": {"phone": {"type": "string"}}})
    model.generate([asked("a", constraint=plain)], max_new_tokens=4)
    assert inner.requests[1].constraint == plain


def test_what_was_found_in_a_row_is_masked_wherever_it_stands():
    """After "ticket" a number is no telephone number; on its own it was one."""
    row, name = f"please call {PHONE}", "姓名：欧阳明月，来电咨询"
    inner, model = masked(known=[row, name])
    for text in (f"Ticket: {PHONE}", "欧阳明月说明天再来"):
        assert find(text) == [], "in these surroundings the finders see nothing"
        model.generate([asked(text)], max_new_tokens=4)
    assert PHONE not in seen(inner)
    assert "欧阳明月" not in inner.requests[1].messages[0].content


def test_a_line_of_a_key_that_a_passage_was_cut_in_is_masked():
    lines = ["MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", "BKcwggSjAgEAAoIBAQC7VJTUt9Us8cKB"]
    block = "\n".join(["-----BEGIN PRIVATE KEY-----", *lines, "-----END PRIVATE KEY-----"])
    inner, model = masked(known=[block])
    model.generate([asked(f"[1] Keys\n> {lines[1]}\n\nQuestion: what?")], max_new_tokens=4)
    assert lines[1] not in seen(inner)


def test_short_values_are_no_reason_to_mask_parts_of_words():
    assert known_values(["姓名：王芳，女", "my name is Ann and I agree"]) == {}
    assert known_values(["my name is Ann Brown and I agree"]) == {"Ann Brown": "name"}


def test_an_encoder_gets_masked_texts_and_has_an_id_of_its_own():
    class Noting(HashEncoder):
        def __init__(self):
            self.texts = []

        def encode(self, texts, *, role="text"):
            self.texts.append((role, *texts))
            return super().encode(texts, role=role)

    inner = Noting()
    encoder = MaskedEncoder(inner, Masker({}))
    vectors = encoder.encode([f"mail {EMAIL}", "nothing"], role="query")
    assert inner.texts == [("query", "mail [EMAIL]", "nothing")]
    assert np.allclose(vectors[1], HashEncoder().encode(["nothing"])[0])
    assert encoder.id != inner.id
    assert encoder.describe()["masked"] is True


def test_what_else_a_model_can_do_is_reached_through_the_mask_or_not_at_all():
    class Paid(ScriptedModel):
        price = None

        def attach(self, meter):
            self.meter = meter

        def most_usd(self, request, *, max_new_tokens):
            return float(len(request.messages[0].content))

        def decide(self, requests):
            self.requests.extend(requests)
            return [Decision(None, done) for done in super().generate(requests, max_new_tokens=1)]

        def send_in_batches(self, requests):
            raise AssertionError("rows would go past the mask")

    inner = Paid(lambda request: "[EMAIL]")
    model = MaskedModel(inner, Masker({}))
    assert is_metered(model)
    assert not is_metered(MaskedModel(ScriptedModel(), Masker({})))
    model.attach("purse")
    assert inner.meter == "purse"
    assert model.most_usd(asked(EMAIL), max_new_tokens=1) == len("[EMAIL]")
    [decision] = model.decide([asked(EMAIL)])
    assert decision.completion.text == EMAIL
    assert EMAIL not in seen(inner)
    with pytest.raises(AttributeError, match="send_in_batches"):
        model.send_in_batches([asked(EMAIL)])
    assert replace(model.capabilities) == replace(inner.capabilities, can_train=False)


def test_placeholders_count_on_and_keep_apart_what_is_taken():
    placeholders = Placeholders(taken="[EMAIL_2]")
    assert placeholders.apply(f"{EMAIL} {OTHER} {EMAIL}") == "[EMAIL] [EMAIL_3] [EMAIL]"
    assert placeholders.originals == {"[EMAIL]": EMAIL, "[EMAIL_3]": OTHER}

"""JSON, regex and grammar constraints on a tiny model, whose free answers are noise."""

from __future__ import annotations

import json
import re

import pytest
from plain_greedy import masked_greedy

from tuneworth.core.labelsets import read_labels, written
from tuneworth.core.quantity import read_quantity
from tuneworth.core.task import Message
from tuneworth.errors import InputError
from tuneworth.models.base import Completion, Constraint, Request
from tuneworth.models.local.constrain import JSON_STYLE
from tuneworth.models.local.model import LocalModel
from tuneworth.strategies._parts.prompting import NUMBER, label_set_regex

SCHEMA = {
    "type": "object",
    "properties": {"kind": {"enum": ["card", "cash"]}, "urgent": {"type": "boolean"}, "count": {"enum": [1, 2, 30]}},
    "required": ["kind", "urgent", "count"],
    "additionalProperties": False,
}
ASK = (Message("system", "the bank says that"), Message("user", "card payment declined"))


def ask(model: LocalModel, constraint: Constraint, max_new_tokens: int = 60) -> Completion:
    return model.generate([Request(ASK, constraint, n_shared=1)], max_new_tokens=max_new_tokens)[0]


def test_json_follows_the_schema_in_the_style_of_json_dumps(tiny: LocalModel):
    found = ask(tiny, Constraint(json_schema=SCHEMA))
    assert found.finish_reason == "stop"
    value = json.loads(found.text)
    assert list(value) == ["kind", "urgent", "count"]
    assert json.dumps(value) == found.text


def test_json_equals_a_masked_loop(tiny: LocalModel):
    from llguidance import LLMatcher

    free_strings = {"type": "object", "properties": {"a": {"type": "string", "maxLength": 6}}, "required": ["a"]}
    for schema in (SCHEMA, free_strings):
        grammar = LLMatcher.grammar_from_json_schema(schema, defaults=JSON_STYLE)
        constraint = Constraint(json_schema=schema)
        expected = masked_greedy(tiny, Request(ASK, constraint), grammar, 30)
        assert ask(tiny, constraint, 30).text == tiny.chat.decode(expected)


def test_a_schema_may_choose_its_own_style(tiny: LocalModel):
    schema = {**SCHEMA, "x-guidance": {"item_separator": ",", "key_separator": ":"}}
    found = ask(tiny, Constraint(json_schema=schema))
    assert json.dumps(json.loads(found.text), separators=(",", ":")) == found.text


def test_json_cut_off_by_the_token_limit_says_so(tiny: LocalModel):
    found = ask(tiny, Constraint(json_schema=SCHEMA), max_new_tokens=5)
    assert found.finish_reason == "length"
    assert found.usage.completion_tokens == 5


def test_chinese_is_written_as_it_is(tiny: LocalModel):
    found = ask(tiny, Constraint(json_schema={"enum": ["银行卡", "转账"]}))
    assert found.text in ('"银行卡"', '"转账"')


@pytest.mark.parametrize(
    "labels", [("a b", "c.d (e)"), ("gas, oil", "c; d"), ("门", "C++ [x]", "#1|2", "x-y&z~", "it's")]
)
def test_label_sets_and_numbers_can_be_forced(tiny: LocalModel, labels: tuple[str, ...]):
    found = ask(tiny, Constraint(regex=label_set_regex(labels)), 200)
    assert re.fullmatch(label_set_regex(labels), found.text)
    assert read_labels(found.text, labels) <= set(labels)
    assert re.fullmatch(label_set_regex(labels), written(labels, labels))
    assert read_quantity(ask(tiny, Constraint(regex=NUMBER)).text) is not None


def test_a_regex_is_matched_whole(tiny: LocalModel):
    found = ask(tiny, Constraint(regex=r"[0-9]{4}-(card|cash)[a-z]{0,3}"))
    assert re.fullmatch(r"[0-9]{4}-(card|cash)[a-z]{0,3}", found.text)
    assert found.finish_reason == "stop"


def test_a_grammar_is_followed(tiny: LocalModel):
    found = ask(tiny, Constraint(grammar='start: "pay" " " ("card" | "cash") tail\ntail: "!" | "?"'))
    assert re.fullmatch(r"pay (card|cash)[!?]", found.text)


@pytest.mark.parametrize(
    ("constraint", "kind"),
    [
        (Constraint(regex="[ab"), "regex"),
        (Constraint(json_schema={"type": "strin"}), "json_schema"),
        (Constraint(grammar="start: missing"), "grammar"),
    ],
)
def test_an_invalid_constraint_is_an_input_error(tiny: LocalModel, constraint: Constraint, kind: str):
    with pytest.raises(InputError, match=f"{kind}: not a valid constraint"):
        ask(tiny, constraint)


def test_rows_with_different_constraints_share_a_batch(tiny: LocalModel):
    constraints = [None, Constraint(labels=("card", "cash machine")), Constraint(json_schema=SCHEMA)]
    together = tiny.generate([Request(ASK, one, n_shared=1) for one in constraints], max_new_tokens=30)
    alone = [tiny.generate([Request(ASK, one, n_shared=1)], max_new_tokens=30)[0] for one in constraints]
    assert [one.text for one in together] == [one.text for one in alone]

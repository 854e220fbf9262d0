"""What a model is sent: the shared part first, the row's own text last, nothing twice."""

from __future__ import annotations

import json
import re

import pytest

from tuneworth.core.outcome import Usage
from tuneworth.core.task import Message, Query, Task
from tuneworth.models.base import Completion, Constraint
from tuneworth.models.scripted import ScriptedModel
from tuneworth.strategies._parts.prompting import (
    MAX_BRIEF,
    answer_from,
    brief_instruction,
    constrainable,
    constraint_for,
    full_instruction,
    mentions,
    n_common,
    opening_turns,
    query_turns,
    schema_text,
)

LABELS = Task(name="t", kind="label", labels=("spam", "ham"), metric="accuracy")
CHOICE = Task(name="t", kind="choice", metric="accuracy")
TEXT = Task(name="t", kind="text", metric="rouge_l")


def ask(text: str, choices: tuple[str, ...] = ()) -> Query:
    return Query("q", (Message("user", text),), choices)


def test_labels_stand_in_the_shared_instruction() -> None:
    shared = full_instruction(LABELS, ScriptedModel())
    assert shared.lists_labels
    assert shared.text.splitlines() == [
        "Classify the input.",
        "Answer with the label only.",
        "Labels:",
        "spam",
        "ham",
    ]


def test_labels_already_named_are_not_listed_again() -> None:
    task = LABELS.model_copy(update={"instruction": 'Is this spam? Answer "spam" or "ham".'})
    assert "Labels:" not in full_instruction(task, ScriptedModel()).text


def test_a_chinese_task_gets_chinese_wording() -> None:
    task = Task(name="t", kind="label", labels=("体育", "财经"), metric="accuracy", language="zh")
    text = full_instruction(task, ScriptedModel()).text
    assert text == "判断输入属于哪一类。\n只回答标签，不要输出其他内容。\n标签：\n体育\n财经"


@pytest.mark.parametrize(
    ("n_labels", "context_tokens", "listed"),
    [(150, 10_000, True), (151, 10_000, False), (60, 153, True), (60, 152, False)],
)
def test_labels_are_listed_while_they_are_affordable(n_labels: int, context_tokens: int, listed: bool) -> None:
    task = LABELS.model_copy(update={"labels": tuple(f"intent_{i}" for i in range(n_labels))})
    shared = full_instruction(task, ScriptedModel(context_tokens=context_tokens))
    assert shared.lists_labels is listed
    assert ("intent_59" in shared.text) is listed


def test_json_form_is_shown() -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    task = Task(name="t", kind="json", json_schema=schema, metric="json_exact")
    assert full_instruction(task, ScriptedModel()).text.endswith('optional keys): {"city": string}')


def test_text_gets_its_instruction_and_no_more() -> None:
    task = TEXT.model_copy(update={"instruction": " Summarise in one sentence. "})
    assert full_instruction(task, ScriptedModel()).text == "Summarise in one sentence."


def test_brief_instruction_leaves_the_labels_out() -> None:
    assert brief_instruction(LABELS) == "Classify the input."
    long = "Route the ticket to a team.\n" + "\n".join(f"- team {i}: what it does" for i in range(40))
    assert len(long) > MAX_BRIEF
    assert brief_instruction(LABELS.model_copy(update={"instruction": long})) == "Route the ticket to a team."
    endless = "very " * 200
    assert brief_instruction(LABELS.model_copy(update={"instruction": endless})) == "Classify the input."


def test_the_rows_own_system_text_follows_the_instruction() -> None:
    query = Query("q", (Message("system", "You speak to a child."), Message("user", "Why is the sky blue?")))
    assert opening_turns("Answer briefly.", query) == (Message("system", "Answer briefly.\n\nYou speak to a child."),)
    assert query_turns(query, TEXT) == (Message("user", "Why is the sky blue?"),)
    assert opening_turns("", ask("x")) == ()


def test_earlier_turns_are_kept() -> None:
    turns = (Message("user", "Hi"), Message("assistant", "Hello"), Message("user", "Bye"))
    assert query_turns(Query("q", turns), TEXT) == turns


def test_options_are_appended_only_if_the_question_does_not_show_them() -> None:
    shown = ask("Sky?\nA. blue\nB. red", ("A", "B"))
    assert query_turns(shown, CHOICE) == shown.messages
    hidden = ask("What is the colour of the sky?", ("blue", "red"))
    assert query_turns(hidden, CHOICE)[-1].content == "What is the colour of the sky?\nOptions:\n- blue\n- red"


@pytest.mark.parametrize(
    ("text", "phrase", "found"),
    [("A. blue", "A", True), ("An apple", "A", False), ("选甲或乙", "甲", True), ("a.b", "a+b", False)],
)
def test_mentions_looks_for_whole_words(text: str, phrase: str, found: bool) -> None:
    assert mentions(text, phrase) is found


def test_constraints_by_kind() -> None:
    assert constraint_for(LABELS, ask("x")) == Constraint(labels=("spam", "ham"))
    assert constraint_for(CHOICE, ask("x", ("A", "B"))) == Constraint(labels=("A", "B"))
    assert constraint_for(CHOICE, ask("x")) is None
    json_task = Task(name="t", kind="json", metric="json_exact")
    assert constraint_for(json_task, ask("x")) == Constraint(json_schema={"type": "object"})
    assert constraint_for(TEXT, ask("x")) is None


def test_sets_of_labels_and_numbers_are_asked_for_in_their_form() -> None:
    sets = Task(name="t", kind="multilabel", labels=("gas, oil", "roof"), metric="multilabel_f1")
    told = full_instruction(sets, ScriptedModel()).text
    assert told.splitlines()[1:] == [
        "Answer with the labels only, joined by “; ”; if none applies, answer “none”.",
        "Labels:",
        "gas, oil",
        "roof",
    ]
    constraint = constraint_for(sets, ask("x"))
    assert constraint is not None
    assert constraint.regex is not None
    assert re.fullmatch(constraint.regex, "gas, oil; roof")
    number = Task(name="t", kind="number", metric="numbers")
    assert "Answer with the number only." in full_instruction(number, ScriptedModel()).text
    assert constrainable(number, ScriptedModel())


def test_a_model_without_constraints_is_not_held_to_any() -> None:
    assert constrainable(LABELS, ScriptedModel())
    assert not constrainable(LABELS, ScriptedModel(constrains=False))
    assert not constrainable(TEXT, ScriptedModel())


def test_common_prefix_counts_equal_leading_messages() -> None:
    system, one, two = Message("system", "s"), Message("user", "1"), Message("user", "2")
    assert n_common([(system, one), (system, two)], limit=5) == 1
    assert n_common([(system, one), (one,)], limit=5) == 0
    assert n_common([(system, one)], limit=1) == 1
    assert n_common([(system, one), (system, one)], limit=2) == 2
    assert n_common([], limit=3) == 0


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        (None, ""),
        ({"type": "object"}, ""),
        (
            {
                "type": "object",
                "properties": {"intent": {"enum": ["Play", "Stop"]}, "slots": {"properties": {"artist": {}}}},
                "required": ["intent"],
            },
            '{"intent": "Play" | "Stop", "slots"?: {"artist"?: any}}',
        ),
        ({"type": "array", "items": {"type": ["string", "null"]}}, "[string | null, …]"),
        ({"type": "object", "additionalProperties": {"type": "number"}}, "{name: number}"),
        ({"$ref": "#/$defs/P", "$defs": {"P": {"properties": {"x": {"const": 1}}, "required": ["x"]}}}, '{"x": 1}'),
        ({"anyOf": [{"type": "integer"}, {"type": "integer"}, {"type": "null"}]}, "integer | null"),
        ({"properties": {"城市": {"type": "string", "enum": ["北京"]}}}, '{"城市"?: "北京"}'),
        ({"type": "string", "enum": [f"v{i}" for i in range(200)]}, "string"),
    ],
)
def test_schema_in_few_words(schema, text: str) -> None:
    assert schema_text(schema) == text


def test_a_recursive_schema_ends() -> None:
    tree = {"$ref": "#/$defs/T", "$defs": {"T": {"properties": {"child": {"$ref": "#/$defs/T"}}}}}
    assert len(schema_text(tree)) < 200
    assert json.dumps(schema_text(tree)).count("any") == 1


def test_what_a_service_charged_and_whether_its_failure_may_pass_reach_the_answer():
    failed = answer_from(Completion("", Usage(), 3.0, "error", "429", usd=0.01, may_pass=True))
    assert (failed.status, failed.text, failed.error, failed.usd, failed.may_pass) == (
        "failed",
        None,
        "429",
        0.01,
        True,
    )
    done = answer_from(Completion(" yes ", Usage(), 3.0, "stop", usd=0.02))
    assert (done.status, done.text, done.usd, done.may_pass) == ("scored", "yes", 0.02, False)
    assert not answer_from(Completion("", Usage(), 0.0, "over_context", may_pass=True)).may_pass, "it stays too long"

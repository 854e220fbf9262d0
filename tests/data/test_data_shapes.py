"""Row shapes, conversations, and answers of every type."""

from __future__ import annotations

from typing import Any

import pytest

from tuneworth.core.task import Message
from tuneworth.data.drafts import Extras
from tuneworth.data.rows import BadRow, RawRow
from tuneworth.data.shapes import Shape, detect_shape, mapped_shape
from tuneworth.data.values import MAX_ROW_CHARS, common_type, output_text
from tuneworth.errors import InputError


def detect(*values: dict[str, Any]) -> tuple[Shape, list[RawRow]]:
    rows = [RawRow("rows.jsonl", line, value) for line, value in enumerate(values, start=1)]
    return detect_shape(rows), rows


def read_one(value: dict[str, Any]) -> tuple[list[tuple[str, str]], Any]:
    shape, rows = detect(value)
    draft = shape.read(rows[0])
    return [(message.role, message.content) for message in draft.messages], draft.output


@pytest.mark.parametrize(
    ("source", "target"),
    [
        *[("input", target) for target in ("output", "label", "target", "answer")],
        *[("text", target) for target in ("label_text", "label", "intent", "category", "class", "target", "sentiment")],
        *[(source, "label") for source in ("sentence", "utterance", "query", "content", "review", "title", "ticket")],
        *[(source, "summary") for source in ("text", "article", "document", "dialogue")],
        *[("prompt", "completion"), ("prompt", "response"), ("instruction", "response"), ("question", "answer")],
        *[
            ("source", "target"),
            ("问题", "答案"),
            ("用户留言", "类别"),
            ("输入", "输出"),
            ("指令", "回答"),
            ("文本", "标签"),
        ],
        *[("customer_message", "ticket_category"), ("工单内容", "问题类别"), ("Prompt Text", "Gold Answer")],
    ],
)
def test_known_pairs_of_names_in_any_case(source: str, target: str) -> None:
    for change in (str, str.title, str.upper):
        assert read_one({"n": 1, change(source): "in", change(target): "out"}) == ([("user", "in")], "out")


def test_alpaca_joins_instruction_and_input() -> None:
    assert read_one({"instruction": "do", "input": "this", "output": "done"}) == ([("user", "do\n\nthis")], "done")
    assert read_one({"instruction": "do", "input": "", "output": "done"}) == ([("user", "do")], "done")
    assert read_one({"instruction": "do", "output": "done"}) == ([("user", "do")], "done")


def test_messages_keep_the_system_turn_and_all_before_the_last_answer() -> None:
    turns = [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "1"},
        {"role": "user", "content": [{"type": "text", "text": "t"}, {"type": "text", "text": "wo"}]},
        {"role": "assistant", "content": "2"},
        {"role": "user", "content": "thanks"},
    ]
    expected = [("system", "be brief"), ("user", "one"), ("assistant", "1"), ("user", "two")]
    assert read_one({"messages": turns}) == (expected, "2")


def test_sharegpt_roles() -> None:
    turns = [{"from": "human", "value": "hi"}, {"from": "gpt", "value": "hello"}]
    assert read_one({"conversations": turns}) == ([("user", "hi")], "hello")


def test_prompt_and_completion_may_be_turns() -> None:
    row = {"prompt": [{"role": "user", "content": "q"}], "completion": [{"role": "assistant", "content": "a"}]}
    assert read_one(row) == ([("user", "q")], "a")


@pytest.mark.parametrize(
    ("turns", "match"),
    [
        ([{"role": "user", "content": "q"}], "no assistant turn"),
        ([{"role": "assistant", "content": "a"}], "must be the user's"),
        (
            [{"role": "tool", "content": "q"}, {"role": "assistant", "content": "a"}],
            "has tool calls, which are not read yet",
        ),
        ([{"role": "narrator", "content": "q"}, {"role": "assistant", "content": "a"}], "turn 1 has the role narrator"),
        ([{"role": "user", "content": None}, {"role": "assistant", "content": "a"}], "turn 1 is not text"),
        (
            [{"role": "user", "content": [{"type": "image_url"}]}, {"role": "assistant", "content": "a"}],
            "turn 1 is not text",
        ),
    ],
)
def test_conversations_that_cannot_be_used(turns: list[dict[str, Any]], match: str) -> None:
    shape, rows = detect({"messages": turns})
    with pytest.raises(BadRow, match=match):
        shape.read(rows[0])


def test_mapping_joins_several_inputs_and_reads_extras() -> None:
    extras = Extras(id="key", references="also", choices="options", group="customer")
    shape = mapped_shape(["title", "body"], "y", extras)
    value = {"title": "T", "body": 5, "y": "a", "key": 7, "also": ["b", " "], "options": ["a", "b"], "customer": "c1"}
    draft = shape.read(RawRow("f", 1, value))
    assert draft.messages == (Message("user", "title: T\nbody: 5"),)
    assert (draft.output, draft.id, draft.references, draft.choices, draft.group) == (
        "a",
        "7",
        ("b",),
        ("a", "b"),
        "c1",
    )


def test_answers_and_ids_are_found_by_name_and_unused_fields_are_named() -> None:
    shape, rows = detect({"id": "r1", "question": "q", "answer": "a", "answers": ["a", "b"], "colour": "c"})
    draft = shape.read(rows[0])
    assert (draft.id, draft.references) == ("r1", ("a", "b"))
    assert "not used: colour" in shape.told()[-1].en
    assert "未使用：colour" in shape.told()[-1].zh


def test_most_rows_decide_the_shape() -> None:
    good = {"text": "t", "label": "l"}
    shape, _ = detect(good, {"foo": 1}, good, good)
    with pytest.raises(BadRow, match="has no `text`; it has foo"):
        shape.read(RawRow("f", 2, {"foo": 1}))


def test_unknown_shape_lists_the_fields() -> None:
    with pytest.raises(InputError, match=r"rows\.jsonl: cannot tell .* the rows have foo, bar") as error:
        detect({"foo": "a", "bar": "b"})
    assert "fields: {input" in error.value.to("zh")


@pytest.mark.parametrize(
    ("value", "match"),
    [
        ({"text": None, "label": "a"}, "has no `text`"),
        ({"text": " \n", "label": "a"}, "the input is empty"),
        ({"text": [["x"]], "label": "a"}, "`text` is not text"),
        ({"text": "a\x00b", "label": "a"}, "NUL byte"),
        ({"text": "a\ud800", "label": "a"}, r"U\+D800 at character 2"),
        ({"text": "x" * 2**20, "label": "a"}, "1,048,576 characters"),
    ],
)
def test_inputs_no_model_can_be_given(value: dict[str, Any], match: str) -> None:
    shape, _ = detect({"text": "fine", "label": "a"})
    with pytest.raises(BadRow, match=match):
        shape.read(RawRow("f", 1, value))


def test_a_megabyte_is_over_the_limit() -> None:
    assert MAX_ROW_CHARS < 2**20


@pytest.mark.parametrize(
    ("outputs", "texts"),
    [
        (["a ", "\nb"], ["a", "b"]),
        ([{"k": "值", "a": [1]}], ['{"k": "值", "a": [1]}']),
        ([["x", 1]], ['["x", 1]']),
        ([1, 2.0, 2.5], ["1", "2", "2.5"]),
        ([True, False], ["true", "false"]),
    ],
)
def test_answers_of_one_type_become_text(outputs: list[Any], texts: list[str]) -> None:
    expected = common_type(outputs)
    assert [output_text(output, expected) for output in outputs] == texts


@pytest.mark.parametrize(
    ("expected", "outputs", "texts"),
    [
        ("text", ["3", 3, 3.0, True], ["3", "3", "3", "true"]),
        ("number", [3, "3", " 2.5 ", "1e3"], ["3", "3", "2.5", "1e3"]),
        ("boolean", [True, "True", "FALSE"], ["true", "true", "false"]),
    ],
)
def test_answers_that_read_the_same_are_the_same(expected: Any, outputs: list[Any], texts: list[str]) -> None:
    assert [output_text(output, expected) for output in outputs] == texts


@pytest.mark.parametrize(("odd", "expected"), [("none", "number"), (3, "boolean"), ("yes", "boolean"), ("a", "list")])
def test_an_answer_that_does_not_read_as_the_others_is_refused(odd: object, expected: Any) -> None:
    with pytest.raises(BadRow, match="in most rows it is"):
        output_text(odd, expected)


@pytest.mark.parametrize("odd", [["a"], {"a": 1}, b"bytes"])
def test_an_answer_of_another_type_is_refused(odd: object) -> None:
    assert common_type(["a", "b", odd]) == "text"
    with pytest.raises(BadRow, match="in most rows it is text"):
        output_text(odd, "text")


@pytest.mark.parametrize(("output", "match"), [("", "is empty"), (" \n", "is empty"), ("a\x00", "NUL")])
def test_answers_that_cannot_be_learnt(output: str, match: str) -> None:
    with pytest.raises(BadRow, match=match):
        output_text(output, "text")

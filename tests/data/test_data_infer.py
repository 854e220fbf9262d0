"""Kind, metric, language and JSON schema inferred from rows."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import llguidance
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneworth.data.infer import Pair, guess_kind, guess_metric, near_misses, parse_options
from tuneworth.data.language import guess_language
from tuneworth.data.schema import in_schema_order, infer_schema


def pairs(outputs: list[str], texts: list[str] | None = None) -> list[Pair]:
    return [Pair(texts[at] if texts else f"input {at}", output) for at, output in enumerate(outputs)]


def drawn(n_labels: int, n_rows: int) -> list[str]:
    rng = np.random.default_rng(5)
    return [f"label_{number}" for number in rng.integers(n_labels, size=n_rows)]


@pytest.mark.parametrize(("n_labels", "n_rows"), [(2, 20), (10, 40), (77, 300), (77, 5_000), (20, 60)])
def test_few_short_answers_are_labels(n_labels: int, n_rows: int) -> None:
    guess = guess_kind(pairs(drawn(n_labels, n_rows)))
    assert guess.kind == "label"
    assert f"{n_rows} different rows" in guess.reason.en
    assert f"{n_rows} 条不同的数据" in guess.reason.zh


def test_mostly_different_answers_are_text() -> None:
    outputs = [f"answer {min(at, 895)}" for at in range(1_035)]
    assert guess_kind(pairs(outputs)).kind == "text"


def test_long_answers_that_repeat_are_text() -> None:
    outputs = [f"A whole sentence that says the same thing again and again, in version {at % 4}." for at in range(40)]
    assert guess_kind(pairs(outputs)).kind == "text"


def test_repeated_rows_do_not_make_labels() -> None:
    names = [f"name {at}" for at in range(40)]
    assert guess_kind(pairs(names * 3, [f"who is {name}" for name in names] * 3)).kind == "text"


def test_json_needs_nearly_all_rows() -> None:
    objects = [json.dumps({"a": at}) for at in range(100)]
    assert guess_kind(pairs(objects[:96] + ["none"] * 4)).kind == "json"
    assert guess_kind(pairs(objects[:90] + [f"none {at}" for at in range(10)])).kind == "text"
    assert guess_kind(pairs(["1", "2", "true", "null", '"x"'] * 20)).kind == "label"  # JSON, but no structure


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("Which?\nA. one\nB. two\nC. three", "ABC"),
        ("Which?\n(1) one\n(2) two", "12"),
        ("哪一个？\nA、甲\nB、乙\nC、丙\nD、丁", "ABCD"),
        ("哪一个？ A．甲 B．乙 C．丙", "ABC"),
        ("Which? a) one b) two", "ab"),
        ("Example\nA. x\nB. y\nAnswer: A\n\nNow\nA. p\nB. q\nC. r", "ABC"),
        ("It costs 1.5 or 2.5 dollars", ""),
        ("Dear A. Smith, see section B.", ""),
        ("Plan A. is fine", ""),
    ],
)
def test_options_are_read_from_the_text(text: str, marks: str) -> None:
    assert parse_options(text) == tuple(marks)


def test_rows_with_options_are_choices_whatever_their_marks() -> None:
    lettered = [Pair(f"Q{at}?\nA. x\nB. y\nC. z", "ABC"[at % 3]) for at in range(57)]
    numbered = [Pair(f"Q{at}?\n1. x\n2. y", "12"[at % 2]) for at in range(3)]
    assert guess_kind(lettered + numbered).kind == "choice"
    by_field = [Pair(f"Q{at}", "red", ("red", "blue")) for at in range(20)]
    assert guess_kind(by_field).kind == "choice"


@pytest.mark.parametrize(
    ("kind", "outputs", "metric"),
    [
        ("label", ["a"], "accuracy"),
        ("choice", ["A"], "accuracy"),
        ("json", ["{}"], "json_slot_f1"),
        ("text", ["two words", "one", "a b c d e f g"], "token_f1"),
        ("text", ["this answer has more than five words in it"], "chrf"),
        ("text", ["三十八分", "北京"], "token_f1"),
        ("text", ["这是一段比十个字长得多的回答"], "chrf"),
    ],
)
def test_default_metrics(kind: Any, outputs: list[str], metric: str) -> None:
    assert guess_metric(kind, pairs(outputs)).metric == metric


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Where is the card that I have ordered, and what do you do about it?", "en"),
        ("我的卡为什么还没有寄到？请帮我查一下。", "zh"),
        ("请帮我查询 order 1234 的 delivery status，谢谢", "zh"),
        ("Wo ist meine Karte, die ich vor zwei Wochen bestellt habe? Das dauert zu lange.", "other"),
        ("Où est la carte que j'ai commandée il y a deux semaines ?", "other"),
        ("¿Dónde está la tarjeta que pedí hace dos semanas?", "other"),
        ("注文したカードはまだ届いていません。確認してください。", "other"),
        ("카드가 아직 도착하지 않았습니다", "other"),
        ("123 456", "other"),
    ],
)
def test_languages(text: str, language: str) -> None:
    assert guess_language([text]).language == language


def test_labels_that_differ_in_case_or_spacing_are_pairs() -> None:
    assert near_misses(["Refund", "refund ", "card_lost", "card lost", "ok"]) == [
        ("Refund", "refund "),
        ("card_lost", "card lost"),
    ]


_ALLOWED = {"type", "properties", "required", "enum", "items", "anyOf", "additionalProperties"}
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcdef"), inner, max_size=3),
    max_leaves=8,
)


def _words(schema: Any, *, in_properties: bool = False) -> set[str]:
    if isinstance(schema, list):
        return {word for part in schema for word in _words(part)}
    if not isinstance(schema, dict):
        return set()
    own = set() if in_properties else set(schema)
    return own.union(*(_words(value, in_properties=key == "properties") for key, value in schema.items()), set())


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(_JSON, min_size=1, max_size=6))
def test_a_schema_accepts_what_it_was_made_from(values: list[Any]) -> None:
    schema = infer_schema(values)
    assert _words(schema) <= _ALLOWED
    validator = jsonschema.Draft202012Validator(schema)
    for value in values:
        validator.validate(value)
        ordered = in_schema_order(value, schema)
        assert ordered == value
        validator.validate(ordered)


def test_a_schema_of_intents_and_slots() -> None:
    rows = [
        {"intent": ("play", "buy")[at % 2], "slots": {"who": f"name {at}", **({"n": at} if at % 3 else {})}}
        for at in range(60)
    ]
    rows[7]["slots"] = {"who": ["a", "b"]}
    schema = infer_schema(rows)
    assert schema["properties"]["intent"] == {"type": "string", "enum": ["buy", "play"]}
    assert schema["required"] == ["intent", "slots"]
    assert schema["additionalProperties"] is False
    slots = schema["properties"]["slots"]
    assert slots["required"] == ["who"]
    assert slots["properties"]["who"] == {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "string"}]}


def test_open_values_and_open_keys_stay_open() -> None:
    cities = [{"city": f"city {at % 40}"} for at in range(100)]
    assert infer_schema(cities)["properties"]["city"] == {"type": "string"}
    rare = [{"intent": "a" if at else "typo"} for at in range(50)]
    assert "enum" not in infer_schema(rare)["properties"]["intent"]
    growing = [{"always": 1, f"key{at}": "x"} for at in range(10)]
    assert infer_schema(growing)["additionalProperties"] is True
    by_date = [{f"2024-01-{at}": {"n": at}} for at in range(80)]
    assert "properties" not in infer_schema(by_date)
    assert infer_schema(by_date)["additionalProperties"]["required"] == ["n"]


def _accepts(schema: dict[str, Any], text: str) -> bool:
    """Whether constrained decoding could have written ``text``, byte by byte."""
    tokenizer = llguidance.LLTokenizer("byte")
    matcher = llguidance.LLMatcher(tokenizer, llguidance.LLMatcher.grammar_from_json_schema(schema))
    assert not matcher.get_error()
    tokens = tokenizer.tokenize_str(text)
    return matcher.try_consume_tokens(tokens) == len(tokens) and matcher.is_accepting()


def test_constrained_decoding_can_write_every_answer_in_schema_order() -> None:
    rng = np.random.default_rng(3)
    names = ["город", "城市", 'quo"te', "time", "n"]
    values = []
    for at in range(60):
        keys = [names[i] for i in rng.permutation(5)[: int(rng.integers(1, 6))]]
        slots = {key: (float(at) / 4 if key == "n" else f"值 {at}") for key in keys}
        values.append({"slots": slots, "intent": "ab"[at % 2], "tags": ["x", None][: at % 3], "ok": at % 2 == 0})
    schema = infer_schema(values)
    for value in values:
        assert _accepts(schema, json.dumps(in_schema_order(value, schema), ensure_ascii=False))
    shuffled = json.dumps({"ok": True, **{key: values[0][key] for key in ("tags", "intent", "slots")}})
    assert not _accepts(schema, shuffled)  # why answers are rewritten in schema order

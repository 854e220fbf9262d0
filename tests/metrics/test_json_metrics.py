"""JSON metrics against values worked out by hand."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneworth.core.registry import load_plugin

VALID, EXACT, SLOTS, TOKENS = (
    load_plugin("tuneworth.metrics", name) for name in ("json_valid", "json_exact", "json_slot_f1", "json_token_f1")
)
numbers = st.integers(-(10**6), 10**6) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("answer", "valid"),
    [
        ('{"a": 1}', 1),
        (' [1, "二"]\n', 1),
        ("null", 1),
        ("", 0),
        ("{'a': 1}", 0),
        ('{"a": 1,}', 0),
        ('{"a": NaN}', 0),
        ('{"a": -Infinity}', 0),
        ('```json\n{"a": 1}\n```', 0),
        ('Here it is: {"a": 1}', 0),
        ('{"a": 1} {"a": 1}', 0),
        ("[" * 200_000, 0),
        ("1" * 5_000, 0),
    ],
)
def test_validity_is_strict(answer, valid):
    assert VALID.score(answer, ["{}"]) == valid


@pytest.mark.parametrize(
    ("answer", "reference", "exact"),
    [
        ('{"b":2,"a":1}', '{"a": 1, "b": 2}', 1),
        ('{"a": 1.0}', '{"a": 1e0}', 1),
        ('{"a": 1}', '{"a": 1.0}', 1),
        ('{"a": "\\u5317"}', '{"a": "北"}', 1),
        ('{"a": "1"}', '{"a": 1}', 0),
        ('{"a": true}', '{"a": 1}', 0),
        ('{"a": false}', '{"a": 0}', 0),
        ('{"a": null}', "{}", 0),
        ('{"a": ""}', '{"a": null}', 0),
        ("[1, 2]", "[2, 1]", 0),
        ("[]", "{}", 0),
        ('{"a": {"b": [1]}}', '{"a": {"b": [1]}}', 1),
        ('{"a": "Paris"}', '{"a": "paris"}', 0),
        ("9007199254740993", "9007199254740992.0", 0),
        ("not json", "not json", 0),
    ],
)
def test_exact_compares_values(answer, reference, exact):
    assert EXACT.score(answer, [reference]) == exact
    assert EXACT.score(reference, [answer]) == exact


REFERENCE = '{"intent": "BookFlight", "slots": {"from": "New York", "to": "上海", "stops": [1, 2]}}'


@pytest.mark.parametrize(
    ("answer", "slots", "tokens"),
    [
        (REFERENCE, 1.0, 1.0),
        # four pairs given, all right, of five; five tokens (bookflight new york 1 2) of seven
        ('{"slots": {"stops": [2, 1], "from": "New York"}, "intent": "BookFlight"}', 8 / 9, 10 / 12),
        # one of one pair is right out of five; one token of seven
        ('{"intent": "BookFlight"}', 2 / 6, 2 / 8),
        # the city is half right: only the tokens notice
        ('{"slots": {"from": "york"}}', 0.0, 2 / 8),
        ('{"slots": {"to": "上"}}', 0.0, 2 / 8),
        # the right value at another path is wrong
        ('{"slots": {"to": "New York"}}', 0.0, 0.0),
        ('{"slots": {"stops": ["1"]}}', 0.0, 0.0),
        ("{}", 0.0, 0.0),
        ("BookFlight", 0.0, 0.0),
    ],
)
def test_slot_f1(answer, slots, tokens):
    assert SLOTS.score(answer, [REFERENCE]) == pytest.approx(slots)
    assert TOKENS.score(answer, [REFERENCE]) == pytest.approx(tokens)


def test_arrays_are_multisets():
    assert SLOTS.score("[1, 2, 2]", ["[2, 1, 2]"]) == 1.0
    assert SLOTS.score("[1, 1, 2]", ["[2, 1, 2]"]) == pytest.approx(4 / 6)
    assert SLOTS.score('[{"a": 1}, {"a": 2}]', ['[{"a": 2}, {"a": 1}]']) == 1.0


def test_empty_containers_are_values():
    assert SLOTS.score("{}", ["{}"]) == 1.0
    assert SLOTS.score("[]", ["{}"]) == 0.0
    assert SLOTS.score('{"a": []}', ['{"a": [], "b": {}}']) == pytest.approx(2 / 3)


def test_the_best_reference_counts():
    assert EXACT.score('{"a": 2}', ['{"a": 1}', '{"a": 2}']) == 1.0
    assert SLOTS.score('{"a": 2}', ['{"a": 1}', '{"a": 2, "b": 1}']) == pytest.approx(2 / 3)


@given(values)
def test_a_value_equals_itself_in_any_spelling(value):
    compact = json.dumps(value, separators=(",", ":"))
    spaced = json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True)
    for metric in (VALID, EXACT, SLOTS, TOKENS):
        assert metric.score(compact, [spaced]) == 1.0


@given(values, values)
def test_f1_is_symmetric_and_at_least_exact_match(left, right):
    a, b = json.dumps(left), json.dumps(right)
    for metric in (SLOTS, TOKENS):
        score = metric.score(a, [b])
        assert 0.0 <= score <= 1.0
        assert score == pytest.approx(metric.score(b, [a]))
        assert score >= EXACT.score(a, [b])

"""The condition language: three-valued truth, and what is refused when it is read."""

from __future__ import annotations

import itertools

import pytest

from tuneworth.advisor.article import Entry, read_entries
from tuneworth.advisor.conditions import AtLeast, Condition, Not, Test, When, all_of, any_of, facts_of
from tuneworth.errors import InputError

TRUTH = (True, False, None)
PRICES = {"api_usd_per_1k_calls": 10.0, "machine_usd_per_hour": 1.0}  # 24 USD a day against 0.01 USD a call
PRIVATE = Test("private", "is", True)
STYLE = Test("distinct_style", "is", True)


class Rule(Entry):
    when: When


def parsed(text: str, questions: tuple[Condition, ...] = ()) -> Condition:
    return read_entries(f"when: {text}", "conditions.yaml", Rule, questions).when


def refused(text: str) -> str:
    with pytest.raises(InputError) as caught:
        parsed(text)
    return str(caught.value)


def kleene(values: list[bool | None], end: bool) -> bool | None:
    """``any`` (``end`` true) and ``all`` (``end`` false) by their definition."""
    if end in values:
        return end
    return None if None in values else not end


@pytest.mark.parametrize(("a", "b"), list(itertools.product(TRUTH, TRUTH)))
def test_all_any_and_not_follow_kleene(a, b):
    facts = {"private": a, "distinct_style": b}
    assert all_of(PRIVATE, STYLE).holds(facts) is kleene([a, b], end=False)
    assert any_of(PRIVATE, STYLE).holds(facts) is kleene([a, b], end=True)
    assert Not(PRIVATE).holds(facts) is (None if a is None else not a)


@pytest.mark.parametrize("answers", list(itertools.product(TRUTH, repeat=3)))
@pytest.mark.parametrize("count", [1, 2, 3])
def test_at_least_counts_what_is_certain(answers, count):
    names = ("private", "distinct_style", "repetitive")
    condition = AtLeast(count, tuple(Test(name, "is", True) for name in names))
    completions = [
        [answer if answer is not None else guess for answer, guess in zip(answers, guesses)]
        for guesses in itertools.product((True, False), repeat=3)
    ]
    possible = {sum(completion) >= count for completion in completions}
    expected = possible.pop() if len(possible) == 1 else None
    assert condition.holds(dict(zip(names, answers))) is expected


@pytest.mark.parametrize(
    ("text", "facts", "expected"),
    [
        ("{quality_rows: {at_least: 100, below: 500}}", {"quality_rows": 100}, True),
        ("{quality_rows: {at_least: 100, below: 500}}", {"quality_rows": 500}, False),
        ("{quality_rows: {above: 100, at_most: 500}}", {"quality_rows": 500}, True),
        ("{quality_rows: {above: 100}}", {"quality_rows": 100}, False),
        ("{quality_rows: {above: 100}}", {}, None),
        ("{knowledge_changes: {at_least: monthly}}", {"knowledge_changes": "daily"}, True),
        ("{knowledge_changes: {at_least: monthly}}", {"knowledge_changes": "yearly"}, False),
        ("{hardware: {below: gpu}}", {"hardware": "cpu"}, True),
        ("{scenario: {in: [style, other]}}", {"scenario": "style"}, True),
        ("{scenario: {in: [style, other]}}", {"scenario": "specialised"}, False),
        ("{private: {known: false}}", {}, True),
        ("{own_machine: {is: cheaper}}", {**PRICES, "calls_per_day": 2400.0}, False),
        ("{own_machine: {is: cheaper}}", {**PRICES, "calls_per_day": 2401.0}, True),
        ("{own_machine: {is: dearer}}", {**PRICES, "calls_per_day": 2400.0}, True),
        ("{own_machine: {is: dearer}}", PRICES, None),
        ("{own_machine: {is: unknown}}", PRICES, True),
        ("{own_machine: {is: unknown}}", {**PRICES, "calls_per_day": 2400.0}, False),
        ("{private: {known: true}}", {"private": False}, True),
        ("{private: {is: true}, hardware: {is: none}}", {"private": True}, None),
        ("{private: {is: true}, hardware: {is: none}}", {"private": False}, False),
        ("{not: {private: {is: true}}}", {"private": False}, True),
        ("{all: [{private: {is: true}}, {repetitive: {is: true}}]}", {"private": True}, None),
    ],
)
def test_conditions_read_from_yaml(text, facts, expected):
    assert parsed(text).holds(facts) is expected


def test_the_self_test_counts_its_questions():
    questions = (PRIVATE, STYLE, Test("repetitive", "is", True))
    condition = parsed("{self_test: {at_least: 2}}", questions)
    assert condition.holds({"private": True, "distinct_style": True}) is True
    assert condition.holds({"private": True, "distinct_style": False}) is None
    assert parsed("{self_test: {below: 2}}", questions).holds({"private": False, "distinct_style": False}) is True


def test_facts_are_named_once_in_order():
    condition = parsed("{any: [{private: {is: true}}, {hardware: {is: none}, private: {is: false}}]}")
    assert facts_of(condition) == ("private", "hardware")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{privat: {is: true}}", r"conditions\.yaml:1 when\.privat: Extra inputs are not permitted"),
        ("{private: {equals: true}}", "private.equals: .*Extra inputs"),
        ("{private: {is: 1}}", "private.is: is 1: .*valid boolean"),
        ("{noise_rate: {at_least: 1.5}}", "noise_rate.at_least: is 1.5: .*less than or equal to 1"),
        ("{quality_rows: {at_least: many}}", "quality_rows.at_least: is 'many': .*valid integer"),
        ("{quality_rows: {at_least: true}}", "quality_rows.at_least: is True: .*valid integer"),
        ("{scenario: {is: poetry}}", "scenario.is: is 'poetry': .*'general_chat'"),
        ("{scenario: {in: [style, poetry]}}", r"scenario\.in\[1\]: is 'poetry'"),
        ("{scenario: {in: style}}", "scenario.in: is 'style': .*valid list"),
        ("{scenario: {at_least: style}}", "scenario.at_least: .*Extra inputs"),
        ("{private: {below: true}}", "private.below: .*Extra inputs"),
        ("{private: {is: null}}", "private.is: is None: .*valid boolean"),
        ("{private: {known: yes please}}", "private.known: is 'yes please': .*valid boolean"),
        ("{private: true}", "when.private: is True: .*valid dictionary"),
        ("{private: {}}", "when.private: must say what has to hold"),
        ("{}", "when: must say what has to hold"),
        ("{any: []}", "when.any: .*at least 1 item"),
        ("[]", "when: .*valid dictionary"),
        ("{self_test: {at_least: 3}}", "self_test: counts 3 of 0 questions"),
        ("{self_test: {below: 0}}", "self_test.below: is 0: .*greater than or equal to 1"),
        ("{self_test: {is: 3}}", "self_test.is: .*Extra inputs"),
        ("{own_machine: {is: free}}", "own_machine.is: is 'free': .*'cheaper', 'dearer' or 'unknown'"),
        ("{own_machine: cheaper}", "own_machine: is 'cheaper': .*valid dictionary"),
    ],
)
def test_what_cannot_be_meant_is_refused(text, says):
    with pytest.raises(InputError, match=says):
        parsed(text)


def test_all_problems_are_told_at_once_each_with_its_line():
    text = "{any: [\n  {privat: {is: true}},\n  {scenario: {is: poetry}}]}"
    assert [line.split(" ")[0] for line in refused(text).splitlines()] == ["conditions.yaml:2", "conditions.yaml:3"]


def test_a_key_given_twice_is_refused():
    with pytest.raises(InputError, match=r"conditions\.yaml:1 when\.private: is given twice"):
        parsed("{private: {is: true}, private: {is: false}}")


@pytest.mark.parametrize("text", ["!!python/object/apply:os.system [echo]", "{private: !!python/name:os.system }"])
def test_nothing_is_run(text):
    with pytest.raises(InputError, match="asks to build an object"):
        parsed(text)

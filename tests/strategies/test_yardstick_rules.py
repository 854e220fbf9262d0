"""The yardsticks ``copy`` and ``rules``: what the input itself is worth as an answer."""

from __future__ import annotations

import pytest

from tuneworth.core.registry import load_plugin
from tuneworth.core.task import Example, Message, Query, Task
from tuneworth.race.arms import plan_arms
from tuneworth.strategies.copy import Copy
from tuneworth.strategies.rules import MOST_RULES, RULES, Rules, RulesSolver, best_rules

CHRF = load_plugin("tuneworth.metrics", "chrf")
TASK = Task(name="t", kind="text", metric="chrf")
TEXTS = [
    f"Order {n}: The BLUE Kettle arrived late. It was {n * 7} days on the way, said “shop {n}”." for n in range(1, 41)
]


def rows(change):
    return [Example(Query(f"r{n}", (Message("user", text),)), change(text)) for n, text in enumerate(TEXTS)]


def test_the_input_is_given_back_as_it_is():
    query = Query("q", (Message("user", "a"), Message("assistant", "b"), Message("user", " Look, THERE ")))
    assert [answer.text for answer in Copy.solver([]).solve([query])] == [" Look, THERE "]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (str.lower, ["lower"]),
        (lambda text: text.split(". ")[0] + ".", ["first_sentence"]),
        (lambda text: text.split("“")[1].rstrip("”."), ["quoted"]),
        (lambda text: text.split(": ")[1].lower(), ["after_colon", "lower"]),
    ],
)
def test_rules_that_help_on_training_rows_are_found(change, expected):
    train = rows(change)
    assert Rules.why_skipped(TASK, None, train) is None
    found = best_rules(CHRF, [(row.query.text, row.references) for row in train])
    assert sorted(found) == sorted(expected)
    assert [answer.text for answer in RulesSolver(found).solve([train[3].query])] == [train[3].output]


@pytest.mark.parametrize("change", [lambda text: text, lambda text: "§§§", lambda text: text[::-1]])
def test_where_no_rule_surely_helps_there_is_nothing_to_measure(change):
    train = rows(change)
    assert best_rules(CHRF, [(row.query.text, row.references) for row in train]) == []
    why = Rules.why_skipped(TASK, None, train)
    assert why is not None
    assert "copying" in why.en


def test_rules_are_tried_by_the_metric_as_the_task_sets_it():
    """With its pattern the metric finds the shop's number in the input itself, so that no rule is better than copying."""
    train, task = rows(lambda text: text.split("“")[1].rstrip("”.")), TASK.model_copy(update={"metric": "final_answer"})
    assert Rules.why_skipped(task, None, train) is None
    task = task.model_copy(update={"metric_settings": {"pattern": r"(shop \d+)"}})
    assert Rules.why_skipped(task, None, train) is not None


def test_other_kinds_of_answers_have_no_rules():
    assert Rules.why_skipped(TASK.model_copy(update={"kind": "label"}), None, rows(str.lower)) is not None


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("text", ["", " ", "\n\n", ".", "“", "第一句。第二句！", "a" * 5000, "\ud800", "<b>", ":"])
def test_no_rule_breaks_on_an_odd_text(name, text):
    assert isinstance(RULES[name](text), str)


def test_rules_are_few():
    train = rows(lambda text: text.split(": ")[1].upper().replace(".", "").replace(",", ""))
    assert 1 <= len(best_rules(CHRF, [(row.query.text, row.references) for row in train])) <= MOST_RULES


@pytest.mark.parametrize(
    ("kind", "named", "heard"), [("text", False, True), ("label", False, False), ("label", True, True)]
)
def test_a_task_of_another_kind_does_not_even_hear_of_them(kind, named, heard):
    task = Task(
        name="t",
        kind=kind,
        labels=("a", "b") if kind == "label" else (),
        metric="chrf" if kind == "text" else "accuracy",
    )
    plan = plan_arms(task, rows(str.lower), [], ["copy", "majority"] if named else None, "basis")
    told = {arm.strategy.id for arm in plan.arms} | {skipped.strategy.id for skipped in plan.skipped}
    assert ("copy" in told) == heard


def test_a_metric_that_compares_vectors_is_replaced_by_words():
    train = rows(lambda text: text.split("“")[1].rstrip("”."))
    assert Rules.why_skipped(TASK.model_copy(update={"metric": "semantic"}), None, train) is None

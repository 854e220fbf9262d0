"""Contradictory facts are refused, all at once; unusual ones are not."""

from __future__ import annotations

import pytest

from tuneworth.advisor.facts import Situation
from tuneworth.advisor.meaning import are_contradictory, check_facts
from tuneworth.errors import InputError


def situation(**facts) -> Situation:
    return Situation().with_facts("answered", facts)


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"total_rows": 0, "quality_rows": 5000}, "`quality_rows` is 5,000 rows and `total_rows` is 0 rows, but good"),
        ({"measured_gain": 0.1, "measured_gain_low": 0.2}, "the lower end lies at or below the gain"),
        ({"measured_gain": 0.1, "measured_gain_high": 0.05}, "the upper end lies at or above the gain"),
        ({"measured_gain_low": 0.1, "measured_gain_high": 0.05}, "the lower end lies at or below the upper"),
        ({"scenario": "style", "distinct_style": False}, "writing in one voice"),
        ({"scenario": "specialised", "specialised_domain": False}, "specialised work is in"),
        ({"scenario": "repetitive", "repetitive": False}, "a repetitive task"),
        (
            {"scenario": "knowledge_qa", "needs_documents": False, "knowledge_changes": "weekly"},
            "cannot do without the documents",
        ),
        ({"output_kind": "label", "distinct_style": True}, "a label of a fixed list has no voice"),
        ({"private": True, "local_deployment": False}, "rows that must not leave"),
        ({"total_rows": 0, "noise_rate": 0.1}, "nothing can be measured on no rows"),
        ({"needs_documents": False, "retrieval_recall": 0.5}, "there are documents to search"),
        ({"concurrency": 50, "calls_per_day": 10.0}, "more requests at the same time"),
    ],
)
def test_contradictions_are_refused(facts, says):
    with pytest.raises(InputError, match=says) as caught:
        check_facts(situation(**facts))
    assert all(name in caught.value.problems[0].where for name in facts)
    assert are_contradictory(situation(**facts).facts.model_dump())


def test_all_of_them_are_told_at_once():
    facts = {"total_rows": 0, "quality_rows": 5, "private": True, "local_deployment": False}
    with pytest.raises(InputError) as caught:
        check_facts(situation(**facts))
    assert [problem.where for problem in caught.value.problems] == [
        "quality_rows, total_rows",
        "private, local_deployment",
    ]


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"total_rows": 0, "quality_rows": 0},
        {"total_rows": 10, "quality_rows": 10},
        {"measured_gain": 0.1, "measured_gain_low": 0.1, "measured_gain_high": 0.1},
        {"scenario": "knowledge_qa", "needs_documents": False, "knowledge_changes": "yearly"},
        {"scenario": "general_chat", "specialised_domain": True, "output_kind": "json"},
        {"private": False, "local_deployment": True},
        {"concurrency": 1, "calls_per_day": 0.0},
        {"needs_documents": False, "documents_cover": 0.5},
        {"prompt_suffices": True, "measured_gain": 0.2},
    ],
)
def test_what_is_merely_unusual_is_accepted(facts):
    check_facts(situation(**facts))


def test_it_is_said_in_chinese_too():
    with pytest.raises(InputError) as caught:
        check_facts(situation(scenario="style", distinct_style=False))
    assert caught.value.to("zh") == (
        "scenario, distinct_style：`scenario` 为“文风模仿”，`distinct_style` 为“否”，相互矛盾："
        "模仿文风，就必然需要特定的文风；请改正其中一项，或不填"
    )

"""The advice given before a run, held against its outcome."""

from __future__ import annotations

import pytest
from report_samples import comparison, make_advice, make_decision, make_result

from tuneworth.report.pages.evidence import build_expected, expectation


@pytest.mark.parametrize(
    ("expected", "decision", "finding"),
    [
        ("head", {}, "confirmed"),
        ("lora", {}, "overturned"),  # tuned was expected, untuned won
        ("fewshot", {}, "overturned"),  # same side, but measurably behind the recommended arm
        ("prompt", {}, "open"),  # same side, never compared
        ("rag", {}, "open"),  # not measured
        (None, {}, "open"),
        ("head", {"verdict": "cant_tell"}, "open"),
        ("head", {"verdict": "none_meets_limits", "recommended": None}, "open"),
        ("head", {"verdict": "fine_tune", "recommended": "lora:d1"}, "overturned"),
    ],
)
def test_expectation(expected, decision, finding):
    result = make_result(advice=make_advice(expected=expected), decision=make_decision(**decision))
    assert expectation(result) == finding


def test_a_comparison_counts_whichever_way_round_it_was_stored():
    turned = [comparison("fewshot:b1", "head:c1", -0.126, -0.169, -0.081, "worse")]
    assert expectation(make_result(advice=make_advice(expected="fewshot"), comparisons=turned)) == "overturned"


def test_rules_are_told_with_their_fate_and_the_others_are_counted():
    view = build_expected(make_result(), "en")
    assert view is not None
    assert [(rule.rows, rule.finding) for rule in view.rules] == [("Y1", "overturned"), ("N3", "confirmed")]
    assert view.untested.startswith("1 more rule led")
    assert view.sentence == (
        "Before the run the rules of thumb expected: classifier on embeddings. "
        "The run recommends “head on MiniLM embeddings”."
    )


def test_an_approach_that_was_not_measured_is_said_to_be_so():
    ranking = [make_advice().ranking[0].model_copy(update={"approach": "rag"})]
    view = build_expected(make_result(advice=make_advice(expected="rag", ranking=ranking)), "zh")
    assert view is not None
    assert view.sentence.endswith("这次没有测到它。实测推荐“MiniLM 向量 + 分类头”。")


def test_a_run_without_advice_shows_none():
    assert build_expected(make_result(advice=None), "en") is None

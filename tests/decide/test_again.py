"""A finished run decided again: as if it had been decided so at first, and nothing is measured."""

from __future__ import annotations

import pytest
from decide_builders import decided, duel, finished, task

from tuneworth.core.task import Limits
from tuneworth.decide.again import decide_again

GAIN = duel(40, 5, 200, 55)  # lora is 35 of 300 rows ahead


def test_another_margin_judges_the_same_comparisons_anew():
    result = finished(*GAIN, task())
    assert result.decision.verdict == "fine_tune"
    again = decide_again(result, margin=0.3)
    assert again.decision == decided(*GAIN, task(margin=0.3))
    assert again.decision.verdict == "dont_fine_tune"
    assert [pair.answer for pair in again.comparisons] == ["equivalent"]
    assert result.decision.verdict == "fine_tune", "the run itself stays"


def test_limits_are_laid_over_those_of_the_task():
    arms, rows = duel(40, 5, 200, 55, tuned_more={"p95": 900.0}, untuned_more={"p95": 20.0})
    result = finished(arms, rows, task(min_quality=0.1))
    again = decide_again(result, limits=Limits(p95_ms=100.0))
    assert again.decision == decided(arms, rows, task(min_quality=0.1, p95_ms=100.0))
    assert (again.decision.verdict, again.decision.recommended) == ("dont_fine_tune", "fewshot")


def test_nothing_asked_changes_nothing():
    result = finished(*duel(10, 8, 200, 82), task())
    assert decide_again(result) == result


def test_the_arms_as_a_table_of_plain_values():
    result = finished(*GAIN, task())
    tuned, untuned = result.table()
    assert (tuned["arm"], tuned["recommended"], untuned["recommended"]) == ("LORA", True, False)
    assert tuned["test"] == pytest.approx(0.8)
    assert tuned["test_low"] < tuned["test"] < tuned["test_high"]
    assert tuned["usd_per_1k_rows"] is None

"""A finished run decided again: as if it had been decided so at first, and nothing is measured."""

from __future__ import annotations

import pytest
from decide_builders import METRIC, compared, decided, duel, task

from tuneworth.core.run import DataSummary, Provenance, RunResult
from tuneworth.core.task import Limits
from tuneworth.decide.again import decide_again

ROWS = {"n_read": 1000, "n_rejected": 0, "n_groups": 0, "n_train": 800, "n_dev": 100, "n_test": 300}


def finished(arms, rows, the_task):
    return RunResult(
        run_id="made",
        task=the_task,
        data=DataSummary(**ROWS, split_digest="0"),
        metrics=[METRIC],
        primary_metric=METRIC,
        arms=arms,
        comparisons=compared(rows, the_task.margin),
        decision=decided(arms, rows, the_task),
        wall_seconds=1.0,
        peak_memory_mb=1.0,
        provenance=Provenance(version="0", created="", command="", seed=0, machine={}, libraries={}),
    )


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

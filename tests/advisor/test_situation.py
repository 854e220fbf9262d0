"""The situation that a task and the audit of its rows show."""

from __future__ import annotations

from tuneworth.advisor.facts import Facts, situation_of
from tuneworth.core.audit import AuditFact
from tuneworth.core.task import Limits, Task
from tuneworth.core.text import Text

ROWS = Text(en="counted", zh="数出来的")


def task(**more):
    return Task.model_validate({"name": "t", "kind": "label", "metric": "accuracy", **more})


def test_every_fact_says_where_it_came_from():
    facts = [AuditFact(name="quality_rows", value=940, why=ROWS), AuditFact(name="total_rows", value=1000, why=ROWS)]
    situation = situation_of(
        task(limits=Limits(private=True, p95_ms=300)), facts=facts, answered=Facts(calls_per_day=50.0)
    )
    assert situation.facts == Facts(
        scenario="classification",
        output_kind="label",
        quality_rows=940,
        total_rows=1000,
        private=True,
        p95_target_ms=300,
        calls_per_day=50,
    )
    assert dict(situation.origins) == {
        "scenario": "assumed",
        "output_kind": "data",
        "quality_rows": "data",
        "total_rows": "data",
        "private": "answered",
        "p95_target_ms": "answered",
        "calls_per_day": "answered",
    }
    assert situation.whys["quality_rows"] == ROWS


def test_the_rows_are_believed_before_their_owner_and_the_owner_before_an_assumption():
    facts = [AuditFact(name="quality_rows", value=40, why=ROWS)]
    situation = situation_of(task(), facts=facts, answered=Facts(quality_rows=9000, scenario="repetitive"))
    assert (situation.given("quality_rows"), situation.origins["quality_rows"]) == (40, "data")
    assert (situation.given("scenario"), situation.origins["scenario"]) == ("repetitive", "answered")


def test_a_limit_that_is_not_set_says_nothing():
    situation = situation_of(task(kind="text", metric="rouge_l"), facts=[])
    assert situation.facts == Facts(output_kind="text")


def test_a_fact_of_an_outside_check_is_left_out():
    facts = [AuditFact(name="moon_phase", value="full", why=ROWS)]
    assert situation_of(task(kind="choice"), facts=facts).facts == Facts(output_kind="choice")


def test_the_name_and_the_language_of_a_task_change_nothing():
    names = [("medical chatbot", "en"), ("法律合同写作助手", "zh"), ("qwxz 93", "other")]
    seen = {situation_of(task(name=name, language=language), facts=[]).facts for name, language in names}
    assert len(seen) == 1

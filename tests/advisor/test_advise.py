"""Advice as a whole: pure, quick, complete, and honest about what it does not know."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from tuneworth.advisor.advise import advise
from tuneworth.advisor.conditions import OwnMachine, break_even_calls_per_day
from tuneworth.advisor.facts import Facts, Situation, situation_of
from tuneworth.advisor.meaning import are_contradictory, with_implied
from tuneworth.advisor.missing import MEASURED_TRIALS, telling_values
from tuneworth.advisor.ranking import APPROACHES, TUNED, in_sentence, outcome, scores_of
from tuneworth.advisor.rules import load_rules
from tuneworth.advisor.words import show
from tuneworth.core.advice import Advice
from tuneworth.core.task import Limits, Task
from tuneworth.core.text import Text
from tuneworth.data.taskfile import load_task_file
from tuneworth.errors import InputError

SITUATIONS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "chat": {"scenario": "general_chat"},
    "documents": {"scenario": "knowledge_qa", "knowledge_changes": "weekly"},
    "json": {"scenario": "structured_output", "output_kind": "json", "quality_rows": 300},
    "voice": {"scenario": "style", "quality_rows": 4000},
    "labels": {"output_kind": "label", "quality_rows": 6000, "private": True, "calls_per_day": 5000.0},
    "law": {"scenario": "specialised", "needs_documents": True, "quality_rows": 9000, "prompt_suffices": False},
    "prices": {
        "calls_per_day": 20_000.0,
        "api_usd_per_1k_calls": 2.0,
        "machine_usd_per_hour": 0.5,
        "label_price_usd": 0.2,
        "quality_rows": 400,
        "behaviour_changes": "monthly",
        "repetitive": True,
        "skills": "none",
    },
}
GAINED = {"measured_gain": 0.08, "measured_gain_low": 0.03, "measured_gain_high": 0.13}
NO_GAIN = {"measured_gain": 0.0, "measured_gain_low": -0.02, "measured_gain_high": 0.02}


def told(**facts: Any) -> Situation:
    return Situation().with_facts("answered", facts)


def cell(advice: Advice, row: str, choice: str):
    return next(cell for cell in advice.costs if (cell.row, cell.choice) == (row, choice))


@pytest.mark.parametrize("facts", SITUATIONS.values(), ids=SITUATIONS)
def test_an_advice_is_complete(facts):
    advice = advise(told(**facts))
    assert Advice.model_validate_json(advice.model_dump_json()) == advice
    assert sorted(item.approach for item in advice.ranking) == sorted(APPROACHES)
    assert len(advice.costs) == 18
    assert {fact.name for fact in advice.facts} >= set(facts)
    assert advice.path
    for rule in advice.rules:
        assert rule.facts


@pytest.mark.parametrize("facts", SITUATIONS.values(), ids=SITUATIONS)
def test_scores_are_the_sum_of_the_rules_that_fired(facts):
    advice = advise(told(**facts))
    for item in advice.ranking:
        score = -sum(rule.weight for rule in advice.rules if rule.id in item.rules_against)
        for rule in advice.rules:
            if item.approach in rule.recommends:
                score += rule.weight * (1 - 0.25 * rule.recommends.index(item.approach))
        assert item.score == pytest.approx(score)


@pytest.mark.parametrize("facts", SITUATIONS.values(), ids=SITUATIONS)
def test_the_best_comes_first_and_ties_go_to_the_simpler(facts):
    possible = [item for item in advise(told(**facts)).ranking if item.ruled_out is None]
    for first, second in itertools.pairwise(possible):
        assert (-first.score, APPROACHES.index(first.approach)) < (-second.score, APPROACHES.index(second.approach))


def test_name_and_language_of_the_task_change_nothing():
    tasks = [
        Task(name=name, instruction=words, kind="label", labels=labels, metric="accuracy", language=language)
        for name, words, labels, language in [
            ("medical triage", "Fine-tune a legal style chat", ("private", "general chat"), "en"),
            ("医疗分诊", "模仿创始人的语气，必须私有部署", ("闲聊", "古文"), "zh"),
            ("xqz-7 🦜", "lorem ipsum", ("a", "b"), "other"),
        ]
    ]
    answered = Facts(quality_rows=1200, calls_per_day=300.0)
    first, *others = [advise(situation_of(task, facts=[], answered=answered)) for task in tasks]
    assert others == [first, first]


def test_where_facts_come_from_changes_nothing_but_what_is_said_of_them():
    facts = SITUATIONS["law"]
    answered, measured = (advise(Situation().with_facts(origin, facts)) for origin in ("answered", "measured"))
    assert answered.model_dump(exclude={"facts"}) == measured.model_dump(exclude={"facts"})


def test_what_follows_is_marked_as_assumed_and_can_be_overruled():
    known = {fact.name: fact for fact in advise(told(scenario="structured_output")).facts}
    assert (known["clear_structure"].value, known["clear_structure"].origin) == (True, "assumed")
    assert known["clear_structure"].why is not None
    overruled = {fact.name: fact for fact in advise(told(scenario="structured_output", clear_structure=False)).facts}
    assert (overruled["clear_structure"].value, overruled["clear_structure"].origin) == (False, "answered")


def test_contradictory_facts_are_refused():
    with pytest.raises(InputError, match="good rows are a part of all rows"):
        advise(told(total_rows=0, quality_rows=5000))


def test_with_nothing_known_nothing_is_expected():
    advice = advise(Situation())
    assert advice.expected is None
    assert advice.rules == []
    assert advice.contradictions == []
    assert advice.self_test.unknown == 5


@pytest.mark.parametrize("facts", SITUATIONS.values(), ids=SITUATIONS)
def test_a_measured_gain_outranks_every_rule_of_thumb(facts):
    advice = advise(told(**{**facts, **GAINED}))
    assert advice.expected == "lora"
    assert "Measured" in advice.headline.en
    assert "+3.0 to +13.0 points" in advice.headline.en
    assert "+3.0 至 +13.0 个百分点" in advice.headline.zh


@pytest.mark.parametrize("facts", SITUATIONS.values(), ids=SITUATIONS)
def test_a_gain_within_the_margin_rules_tuning_out(facts):
    assert advise(told(**{**facts, **NO_GAIN})).expected not in TUNED


def test_few_rows_do_not_hide_a_measured_gain():
    assert advise(told(quality_rows=40)).expected not in TUNED
    assert advise(told(quality_rows=40, **GAINED)).expected == "lora"


def test_an_unsettled_measurement_decides_nothing():
    open_gain = {"measured_gain": 0.02, "measured_gain_low": -0.03, "measured_gain_high": 0.07}
    before, after = advise(told(**SITUATIONS["law"])), advise(told(**SITUATIONS["law"], **open_gain))
    assert after.expected == before.expected
    assert "measured-but-open" in [rule.id for rule in after.rules]


@pytest.mark.parametrize("rows", [1, 49, 60, 199, 400])
def test_small_data_alone_never_sounds_certain(rows):
    assert "the number of rows alone" in advise(told(quality_rows=rows)).headline.en


def test_before_a_measurement_the_headline_says_so():
    assert "before any measurement" in advise(told(**SITUATIONS["chat"])).headline.en
    assert "尚未实测" in advise(told(**SITUATIONS["chat"])).headline.zh
    assert "close call" in advise(told(cost_sensitive=True)).headline.en


@pytest.mark.parametrize(
    ("facts", "out"),
    [
        ({"private": True}, {"provider_ft"}),
        ({"local_deployment": True}, {"provider_ft"}),
        ({"total_rows": 0}, {"optimised_prompt", "head", *TUNED}),
        ({"quality_rows": 0}, {"optimised_prompt", "head", *TUNED}),
        ({"output_kind": "json"}, {"head", "decision"}),
        ({"output_kind": "number"}, {"decision"}),
        ({"output_kind": "choice"}, {"head"}),
        ({"scenario": "general_chat"}, {"head", "decision"}),
        ({"output_kind": "label"}, set()),
        ({"needs_documents": False}, {"rag", "lora_rag"}),
        ({}, set()),
    ],
)
def test_what_is_impossible_is_ruled_out_with_the_reason(facts, out):
    assert {item.approach for item in advise(told(**facts)).ranking if item.ruled_out is not None} == out


def test_where_a_decision_stands():
    """Between the prompt and the examples on the ladder; first where nothing is labelled and every call counts."""
    assert APPROACHES.index("prompt") < APPROACHES.index("decision") < APPROACHES.index("fewshot")
    unlabelled = {"output_kind": "label", "total_rows": 0, "quality_rows": 0}
    assert [item.approach for item in advise(told(**unlabelled)).ranking[:2]] == ["prompt", "decision"]
    assert advise(told(**unlabelled, cost_sensitive=True)).expected == "decision"
    with_rows = {**unlabelled, "total_rows": 1500, "quality_rows": 1500}
    assert advise(told(**with_rows, cost_sensitive=True)).expected == "head"
    assert advise(told(output_kind="choice", calls_per_day=5000.0, total_rows=20)).expected == "decision"


def test_an_impossible_approach_is_never_expected():
    facts = {**SITUATIONS["documents"], "needs_documents": False, "knowledge_changes": "never"}
    assert advise(told(**SITUATIONS["documents"])).expected == "rag"
    assert advise(told(**facts)).expected not in ("rag", "lora_rag")


def test_the_impossible_comes_last_whatever_speaks_for_it():
    cheap = {"api_usd_per_1k_calls": 2.0, "machine_usd_per_hour": 0.5, "calls_per_day": 9_000.0}
    ranked = advise(told(output_kind="text", **cheap)).ranking
    assert [item.approach for item in ranked[-2:]] == ["head", "decision"]
    assert ranked[-2].score > ranked[-3].score


def expected_with(facts: dict[str, Any], change: dict[str, Any]) -> str | None:
    """What is expected with a change, judged by all rules anew; as before where the change is impossible."""
    given = told(**facts, **change).facts.model_dump()
    values = with_implied(told(**facts).facts.model_dump() if are_contradictory(with_implied(given)) else given)
    return outcome(values, scores_of(rule for rule in load_rules() if rule.when.holds(values))).expected


@pytest.mark.parametrize("name", ["nothing", "json", "law"])
def test_every_fact_that_alone_could_change_the_advice_is_missing(name):
    """Brute force: each telling value of each unknown fact."""
    facts = SITUATIONS[name]
    advice = advise(told(**facts))
    missing = {fact.name for fact in advice.missing}
    unknown = [field for field in Facts.model_fields if field not in {fact.name for fact in advice.facts}]
    for field in unknown:
        changes = any(expected_with(facts, {field: value}) != advice.expected for value in telling_values(field))
        assert not changes or field in missing or field.startswith("measured_gain"), field


def test_a_missing_measurement_is_asked_for_and_a_made_one_leaves_nothing_open():
    assert "measured_gain" in {fact.name for fact in advise(told(**SITUATIONS["law"])).missing}
    assert advise(told(**SITUATIONS["law"], **GAINED)).missing == []
    for trial in MEASURED_TRIALS:
        assert set(trial) == {"measured_gain", "measured_gain_low", "measured_gain_high"}


def test_what_matters_most_is_asked_first():
    weights = [fact.weight for fact in advise(Situation()).missing]
    assert weights == sorted(weights, reverse=True)
    assert min(weights) > 0


def test_a_fact_that_can_change_nothing_any_more_is_not_asked():
    """Prices decide by themselves what the volume alone was a hint of; without rows, their faults do not matter."""
    assert "duplicate_share" not in {fact.name for fact in advise(told(total_rows=0)).missing}
    home = {fact.name for fact in advise(told(private=True, quality_rows=3000)).missing}
    assert not {"api_usd_per_1k_calls", "local_deployment", "total_rows"} & home


@pytest.mark.parametrize("name", ["nothing", "documents", "labels"])
def test_the_reason_for_asking_is_true(name):
    """`If the answer is “…”, X would be expected to win`: answer so, and it is."""
    facts = SITUATIONS[name]
    promises = [fact for fact in advise(told(**facts)).missing if fact.why.en.startswith("If the answer is")]
    assert promises
    for fact in promises:
        if fact.name == "measured_gain":
            continue
        values = [value for value in telling_values(fact.name) if f"“{show(fact.name, value).en}”" in fact.why.en]
        expected = {expected_with(facts, {fact.name: value}) for value in values}
        assert any(approach and in_sentence(approach).en in fact.why.en for approach in expected), fact


def test_costs_are_in_numbers_where_the_facts_give_them():
    advice = advise(told(**SITUATIONS["prices"]))
    rows, api, machine = (cell(advice, *at) for at in (("C1", "small_model"), ("C4", "prompt"), ("C4", "small_model")))
    assert (rows.number, rows.unit) == (600 * 0.2, Text("USD", "美元"))
    assert api.number == pytest.approx(30 * 20_000 * 2.0 / 1_000)
    assert machine.number == pytest.approx(30 * 24 * 0.5)
    assert "6,000 calls a day" in machine.text.en  # 24 h · 0.5 USD / 0.002 USD
    assert cell(advice, "C6", "small_model").number == 12
    x2 = next(item for item in advice.contradictions if item.row == "X2")
    assert "breaks even at 6,000 calls a day and you have 20,000 a day: it saves money" in x2.settled_by.en


@pytest.mark.parametrize(
    ("calls", "rule", "pro"), [(9_000.0, "past-break-even", True), (3_000.0, "short-of-break-even", False)]
)
def test_prices_decide_what_the_rule_of_thumb_about_volume_would_guess(calls, rule, pro):
    prices = {"api_usd_per_1k_calls": 2.0, "machine_usd_per_hour": 0.5, "cost_sensitive": True}
    advice = advise(told(**prices, calls_per_day=calls))
    fired = {item.id: item for item in advice.rules}
    assert rule in fired
    assert "6,000 calls a day" in fired[rule].reason.en
    assert not {"volume-pays", "small-volume"} & set(fired)
    assert ("P3" in {item.row for item in advice.pros_cons}) is pro


def test_where_an_api_is_no_option_there_is_no_break_even():
    values = {"api_usd_per_1k_calls": 2.0, "machine_usd_per_hour": 0.5, "calls_per_day": 9_000.0}
    assert break_even_calls_per_day(values) == pytest.approx(6_000)
    assert OwnMachine("cheaper").holds(values) is True
    assert OwnMachine("cheaper").holds({**values, "calls_per_day": None}) is None
    assert OwnMachine("cheaper").holds({**values, "private": True}) is None
    assert break_even_calls_per_day({**values, "api_usd_per_1k_calls": 0.0}) is None


def test_enough_rows_leave_nothing_to_buy():
    enough = cell(advise(told(**SITUATIONS["prices"])), "C1", "prompt")
    assert enough.number == 0
    assert "400 are there" in enough.text.en


def test_an_unknown_price_is_never_zero():
    for choice in ("prompt", "small_model", "provider"):
        unknown = cell(advise(told(calls_per_day=500.0)), "C4", choice)
        assert unknown.number is None
        assert "nknown" in unknown.text.en
        assert "未知" in unknown.text.zh


def test_a_private_task_has_no_price_of_an_api():
    advice = advise(told(**SITUATIONS["prices"], private=True))
    assert cell(advice, "C4", "prompt").number == cell(advice, "C4", "small_model").number
    for row in ("C1", "C4", "C6"):
        assert cell(advice, row, "provider").number is None
        assert "provider would see" in cell(advice, row, "provider").text.en


def test_our_own_cell_is_marked():
    assert "article leaves this cell blank" in cell(advise(Situation()), "C5", "small_model").text.en


@pytest.mark.parametrize(
    ("facts", "rows"),
    [
        ({"output_kind": "json"}, {"X1"}),
        ({"repetitive": True, "calls_per_day": 5000.0}, {"X2"}),
        ({"repetitive": True, "cost_sensitive": False, "p95_target_ms": 5000.0}, set()),
        ({"specialised_domain": True, "needs_documents": True}, {"X3"}),
        ({"specialised_domain": True, "needs_documents": False, "scenario": "other"}, set()),
        ({"quality_rows": 3000}, {"X4"}),
        ({"quality_rows": 50}, set()),
        ({"quality_rows": 51}, {"X4"}),
        ({"behaviour_changes": "weekly"}, {"X5"}),
        ({"behaviour_changes": "never", "knowledge_changes": "never"}, set()),
        ({"output_kind": "json", "prompt_suffices": False}, {"X1", "X6"}),
        ({"scenario": "style"}, {"X6"}),
        ({"output_kind": "text", "distinct_style": False, "quality_rows": 20_000, **GAINED}, set()),
    ],
)
def test_contradictions_are_told_where_they_are_touched(facts, rows):
    assert {item.row for item in advise(told(**facts)).contradictions} == rows


@pytest.mark.parametrize(("recall", "says"), [(0.95, "lie in reading"), (0.5, "in retrieval"), (0.8, "both sides")])
def test_a_measurement_settles_what_it_can(recall, says):
    advice = advise(told(specialised_domain=True, needs_documents=True, retrieval_recall=recall))
    x3 = next(item for item in advice.contradictions if item.row == "X3")
    assert says in x3.settled_by.en
    assert f"{100 * recall:.1f}\u00a0%" in x3.settled_by.en


def test_pros_and_cons_only_where_they_apply():
    assert advise(Situation()).pros_cons == []
    rows = {item.row for item in advise(told(**SITUATIONS["prices"])).pros_cons}
    assert rows == {"P3", "K1", "K2", "K3"}


@pytest.mark.parametrize("facts", SITUATIONS.values(), ids=SITUATIONS)
def test_the_task_file_is_one(facts, tmp_path: Path):
    text = advise(told(**{**facts, "p95_target_ms": 800.0})).task_yaml
    (tmp_path / "task.yaml").write_text(text.replace("REPLACE-WITH-YOUR-ROWS.jsonl", "rows.jsonl"))
    task = load_task_file(tmp_path / "task.yaml")
    assert task.train == str(tmp_path / "rows.jsonl")
    assert task.limits == Limits(private=facts.get("private", False), p95_ms=800.0)
    assert task.output.kind == facts.get("output_kind")
    assert task.machine_usd_per_hour == facts.get("machine_usd_per_hour")
    assert task.strategies is not None
    assert {"prompt", "fewshot", "lora"} <= set(task.strategies)
    assert ("head" in task.strategies) == (facts.get("output_kind") in (None, "label"))


@st.composite
def situations(draw) -> dict[str, Any]:
    """Any facts that do not contradict one another."""
    names = [name for name in Facts.model_fields if not name.startswith("measured_gain")]
    facts = {name: draw(st.sampled_from((*telling_values(name), None))) for name in names}
    facts |= draw(st.sampled_from([{}, GAINED, NO_GAIN]))
    assume(not are_contradictory(with_implied(facts)))
    return facts


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(situations())
def test_whatever_the_facts_the_advice_holds_together(facts):
    advice = advise(told(**facts))
    best = advice.ranking[0]
    assert advice.expected == (best.approach if best.score > 0 else None)
    assert best.ruled_out is None
    for item in advice.ranking:
        assert item.ruled_out is None or item.approach != advice.expected
    known = {fact.name for fact in advice.facts}
    assert not known & {fact.name for fact in advice.missing}
    for rule in advice.rules:
        assert rule.weight >= 1
        assert "{" not in rule.reason.en + rule.reason.zh
    if facts.get("measured_gain") == NO_GAIN["measured_gain"]:
        assert advice.expected not in TUNED


def texts_in(value: Any) -> list[Text]:
    if isinstance(value, Text):
        return [value]
    if isinstance(value, BaseModel):
        return [text for name in type(value).model_fields for text in texts_in(getattr(value, name))]
    if isinstance(value, list):
        return [text for item in value for text in texts_in(item)]
    return []


@pytest.mark.parametrize("facts", [*SITUATIONS.values(), {**SITUATIONS["law"], **GAINED}])
def test_every_text_is_finished_in_both_languages(facts):
    texts = texts_in(advise(told(**facts)))
    assert len(texts) > 50
    for text in texts:
        assert "{" not in text.en + text.zh
        assert not re.search(r"[\u4e00-\u9fff]", text.en)
        assert not re.search(
            r"[\u4e00-\u9fff] ?[,;:?!()]|[\u4e00-\u9fff][A-Za-z0-9]|[A-Za-z0-9][\u4e00-\u9fff]", text.zh
        )


def test_it_is_quick():
    advise(Situation())  # rules are read once
    times = []
    for _ in range(5):
        start = time.process_time()  # a busy machine is not a slow advisor
        advise(Situation())
        times.append(time.process_time() - start)
    assert min(times) < 0.1


def test_it_needs_neither_engine_nor_numbers():
    """In a fresh interpreter: the front door opens without torch, numpy or the layers above."""
    code = (
        "import sys; from tuneworth.advisor.advise import advise; from tuneworth.advisor.facts import Situation; "
        "advise(Situation()); print([name for name in ('torch', 'numpy', 'sklearn', 'tuneworth.data', 'tuneworth.cli') "
        "if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_outcome_of_no_rules_is_nothing():
    found = outcome({}, scores_of([]))
    assert (found.expected, found.fine_tune) == (None, False)

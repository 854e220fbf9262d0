"""The advisor against situations judged by hand, and the judging itself."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from report.report_samples import make_result
from scripts import load_script
from tuneworth.advisor.advise import advise
from tuneworth.advisor.article import self_test
from tuneworth.advisor.facts import Situation
from tuneworth.advisor.meaning import assume

bench = load_script("benchmarks/advice.py")
TABLE = bench.read_table()
CASES = {case.id: case for case in TABLE.situations}
CLEAR = [case for case in TABLE.situations if case.clear]

ANSWERS = {
    "Q1": {"yes": {"quality_rows": 5000}, "no": {"quality_rows": 4999}},
    "Q2": {"yes": {"clear_structure": True}, "no": {"clear_structure": False}},
    "Q3": {"yes": {"prompt_suffices": False}, "no": {"prompt_suffices": True}},
    "Q4": {"yes": {"local_deployment": True}, "no": {"local_deployment": False}},
    "Q5": {"yes": {"behaviour_changes": "weekly"}, "no": {"behaviour_changes": "never"}},
}


def test_the_table_is_large_and_its_names_are_unique():
    assert len(TABLE.situations) >= 40
    assert len(CASES) == len(TABLE.situations)
    assert len(CLEAR) >= 20


def test_every_row_that_advises_decides_a_situation():
    rows = {row for case in TABLE.situations for row in (*case.decided_by, *case.touches)}
    sizes = {"N": 5, "Y": 5, "Q": 5, "A": 6, "T": 5, "X": 6}
    assert [f"{kind}{n}" for kind, size in sizes.items() for n in range(1, size + 1) if f"{kind}{n}" not in rows] == []


@pytest.mark.parametrize("told", [*TABLE.situations, *TABLE.datasets.values()], ids=lambda told: told.en[:40])
def test_every_story_is_told_in_both_languages(told):
    assert re.search(r"[A-Za-z]", told.en)
    assert not re.search(r"[\u4e00-\u9fff]", told.en)
    assert len(re.findall(r"[\u4e00-\u9fff]", told.zh)) >= 5
    assert told.zh.endswith("。")
    assert told.situation().facts.model_dump(exclude_none=True).keys() == told.situation().origins.keys()


@pytest.mark.parametrize("case", CLEAR, ids=lambda case: case.id)
def test_clear_cases_get_the_advice_that_the_rows_give(case):
    seen = bench.judge(case, advise(case.situation()), TABLE.fine_tunes)
    assert [fault.en for fault in seen.wrong] == []


@pytest.mark.parametrize("case", [case for case in CLEAR if case.touches], ids=lambda case: case.id)
def test_clear_cases_name_the_contradictions_they_touch(case):
    assert bench.judge(case, advise(case.situation()), TABLE.fine_tunes).unnamed == []


NO_RUN = {"measured_gain": None, "measured_gain_low": None, "measured_gain_high": None}
TRAINED_ON_ROWS = {"lora", "lora_rag", "provider_ft"}


def first_with(case, **facts) -> str:
    """What comes first in the situation of ``case`` once these facts replace its own."""
    return bench.first_of(advise(case.situation().with_facts("answered", facts)))


@pytest.mark.parametrize("case", TABLE.situations, ids=lambda case: case.id)
def test_thirty_rows_are_never_trained_on_whatever_else_is_true(case):
    """N4, T4 and C1 outweigh any number of reasons for tuning, as long as nothing was measured."""
    few = {**NO_RUN, "quality_rows": 30, "total_rows": 30, "noise_rate": None, "duplicate_share": None}
    assert first_with(case, **few) not in TRAINED_ON_ROWS


@pytest.mark.parametrize("case", TABLE.situations, ids=lambda case: case.id)
def test_a_measurement_outweighs_every_rule(case):
    if 0 in (case.situation().given("total_rows"), case.situation().given("quality_rows")):
        pytest.skip("nothing can be measured on no rows")
    gain = {"measured_gain": 0.3, "measured_gain_low": 0.25, "measured_gain_high": 0.35}
    loss = {name: -value for name, value in zip(gain, (0.3, 0.35, 0.25))}
    assert first_with(case, **gain) in TABLE.fine_tunes
    assert first_with(case, **loss) not in TABLE.fine_tunes


@pytest.mark.parametrize("case", TABLE.situations, ids=lambda case: case.id)
def test_rows_that_must_stay_are_never_sent_to_a_provider(case):
    advice = advise(case.situation().with_facts("answered", {"private": True, "local_deployment": True}))
    assert advice.expected != "provider_ft"
    assert next(place for place in advice.ranking if place.approach == "provider_ft").ruled_out is not None


def test_the_self_test_counts_every_combination_of_answers():
    """All 243 ways to answer five questions with yes, no or nothing."""
    for combination in itertools.product(("yes", "no", None), repeat=5):
        told = dict(zip(ANSWERS, combination, strict=True))
        facts = {name: value for row, said in told.items() if said for name, value in ANSWERS[row][said].items()}
        counted = self_test(assume(Situation().with_facts("answered", facts)).facts.model_dump())
        assert counted.threshold == 3
        assert {answer.row: answer.answer for answer in counted.answers} == {
            row: said or "unknown" for row, said in told.items()
        }
        assert (counted.yes, counted.unknown) == (combination.count("yes"), combination.count(None))


def test_judging_finds_what_departs_from_the_rows():
    advice = advise(CASES["hr_handbook"].situation())
    assert advice.expected == "rag"
    turned = CASES["hr_handbook"].model_copy(
        update={
            "acceptable": {"lora"},
            "never_first": {"rag"},
            "fine_tune": "yes",
            "touches": {"X9"},
            "self_test": (5, 0),
            "decided_by": ["N2", "U3"],
        }
    )
    seen = bench.judge(turned, advice, TABLE.fine_tunes)
    assert [fault.en for fault in seen.wrong] == ["`rag` must not come first", "rows say of fine-tuning: yes"]
    assert seen.unnamed == ["X9"]
    assert seen.miscounted is True
    assert seen.uncited == ["U3"]


def test_a_case_that_accepts_what_it_forbids_is_refused():
    with pytest.raises(ValueError, match="rag"):
        bench.Case.model_validate(
            {**CASES["hr_handbook"].model_dump(), "acceptable": ["rag"], "never_first": ["rag", "lora"]}
        )


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_printed_table_has_a_line_for_every_case(lang):
    cases = CLEAR[:3]
    lines = bench.situations_table(TABLE, cases, lang).splitlines()
    assert len(lines) == 2 + len(cases) + 1 + 5
    for case, line in zip(cases, lines[2:]):
        assert case.story.to(lang) in line
        assert line.count("|") == lines[0].count("|")


def save_run(folder: Path, name: str, **changes) -> None:
    run = folder / name / "run"
    run.mkdir(parents=True)
    result = make_result(**changes)
    task = result.task.model_copy(update={"name": name, "kind": "label"})
    (run / "result.json").write_text(result.model_copy(update={"task": task}).model_dump_json(), encoding="utf-8")


def test_runs_are_held_against_the_advice_before_them(tmp_path):
    save_run(tmp_path, "sms_spam")
    save_run(tmp_path, "arc_easy")
    lines = bench.runs_table(TABLE, tmp_path, "en").splitlines()
    decision = make_result().decision
    assert [line.split(" | ")[0] for line in lines[2:4]] == ["| arc_easy", "| sms_spam"]
    for line in lines[2:4]:
        assert decision.verdict in line
        assert line.count("|") == lines[0].count("|")
    fates = {row: cells for row, *cells in (line.strip("| ").split(" | ") for line in lines[7:])}
    assert set(fates) == {found.row for found in decision.seed_rows}


def test_before_a_run_nothing_measured_is_known():
    result = make_result()
    situation = bench.before_run(TABLE.datasets["banking77"], result)
    assert set(situation.origins.values()) <= {"answered", "data", "assumed"}
    assert situation.given("total_rows") == result.data.n_train + result.data.n_dev
    assert situation.given("output_kind") == result.task.kind
    assert situation.given("quality_rows") is None


def test_a_run_that_no_story_is_told_of_is_refused(tmp_path):
    with pytest.raises(SystemExit, match=r"no \*/run/result.json"):
        bench.runs_table(TABLE, tmp_path, "en")
    save_run(tmp_path, "unheard_of")
    with pytest.raises(SystemExit, match="unheard_of"):
        bench.runs_table(TABLE, tmp_path, "en")

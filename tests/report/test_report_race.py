"""How the race is told: fates, evidence, what it saved, and what is not claimed."""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import pairwise
from typing import get_args

import pytest
from report_race_samples import N_DEV, between, make_race, make_steps, raced_arms, raced_result, stop
from report_samples import EVIL, EVIL_PLOTLY, make_result

from tuneworth.core.race import Race, Step, StopReason
from tuneworth.core.run import RunResult
from tuneworth.core.text import Lang, Text
from tuneworth.report.charts.race import MAX_LANES, SYMBOLS, race_chart
from tuneworth.report.pages.race import LaneRow, RaceSection
from tuneworth.report.view import build_view
from tuneworth.words.say import table


def section(result: RunResult, lang: Lang = "en") -> RaceSection:
    race = build_view(result, lang).race
    assert race is not None
    return race


def lane(arm_id: str, result: RunResult | None = None, lang: Lang = "en") -> LaneRow:
    return next(lane for lane in section(result or raced_result(), lang).lanes if lane.arm_id == arm_id)


def raced(**changes) -> RunResult:
    return raced_result(race=make_race(**changes))


def test_every_fate_has_a_word_and_a_sign_of_its_own():
    fates = table("race.fates")
    assert set(fates) == set(SYMBOLS)
    assert set(get_args(StopReason)) < set(fates)
    assert len(set(SYMBOLS.values())) == len(SYMBOLS)
    for lang in get_args(Lang):
        assert len({word.to(lang) for word in fates.values()}) == len(fates)


def test_finalists_come_first_then_those_longest_in_the_race():
    lanes = section(raced_result()).lanes
    assert [lane.arm_id for lane in lanes] == [
        "head:c1",
        "lora:d1",
        "fewshot:b1",
        "lora:d3",
        "lora:d2",
        "prompt:a1",
        "fewshot:b2",
        "prompt:a2",
        "nearest",
        "majority",
        "lora:full",
    ]
    assert [lane.fate for lane in lanes[:3]] == ["finalist"] * 3


def test_an_arm_that_never_entered_the_race_has_no_lane():
    assert "prompt:x" not in {lane.arm_id for lane in section(raced_result()).lanes}


@pytest.mark.parametrize(
    ("arm_id", "fate", "reached", "trained_on", "score", "to_leader", "saved"),
    [
        ("prompt:a1", "eliminated", "64 of 200", "", "40.0\u00a0%", "−34.0", "1\u00a0min 30\u00a0s"),
        ("fewshot:b2", "little_to_gain", "32 of 200", "", "50.0\u00a0%", "−22.0", "2\u00a0min 41\u00a0s"),
        ("lora:d3", "forecast", "128 of 200", "trained on 500", "52.0\u00a0%", "−30.0", "4\u00a0min 0\u00a0s"),
        ("lora:d1", "finalist", "200 of 200", "trained on 1,000", "76.0\u00a0%", "–", "–"),
        ("lora:full", "budget", "0 of 200", "", "–", "–", "10\u00a0min 10\u00a0s"),
        ("nearest", "finished", "200 of 200", "", "71.0\u00a0%", "–", "–"),
    ],
)
def test_a_lane_says_how_far_an_arm_got(arm_id, fate, reached, trained_on, score, to_leader, saved):
    shown = lane(arm_id)
    found = (shown.fate, shown.reached, shown.trained_on, shown.score, shown.to_leader, shown.saved)
    assert found == (fate, reached, trained_on, score, to_leader, saved)


def test_an_elimination_is_told_by_its_odds():
    assert lane("prompt:a2").why == (
        "Behind “head on MiniLM embeddings” by more than the margin. Were it within the margin, evidence this strong would "
        "turn up at most once in 2,400 races."
    )
    assert lane("prompt:a1").why.endswith("at most once in a million races.")
    assert lane("prompt:a2", lang="zh").why == (
        "比“MiniLM 向量 + 分类头”差，而且差距超出界限。假如差距其实在界限之内，这么强的证据在 2,400 次筛选里最多出现一次。"
    )


@pytest.mark.parametrize(
    ("lang", "meaning", "misreadings"),
    [
        ("en", "in at most 1 of 400 races", ("proven", "proof", "odds", "wrong")),
        ("zh", "在 400 次筛选里最多出现一次", ("判错", "概率", "1/400")),
    ],
)
def test_an_e_value_is_not_explained_as_the_probability_of_being_wrong(lang, meaning, misreadings):
    note = next(note.value for note in build_view(raced_result(), lang).guide if "400" in note.value)
    assert meaning in note
    assert not [word for word in misreadings if word in note]


@pytest.mark.parametrize(
    ("gain", "en", "zh"),
    [
        (0.00031, "at most 0.1 points", "最多只能提升 0.1 个百分点"),
        (0.001, "at most 0.1 points", "最多只能提升 0.1 个百分点"),
        (0.00101, "at most 0.2 points", "最多只能提升 0.2 个百分点"),
        (0.0000001, "next to nothing", "几乎没有提升"),
        (None, "next to nothing", "几乎没有提升"),
    ],
)
def test_little_to_gain_promises_nothing_and_never_understates(gain, en, zh):
    result = raced(stops=[stop("fewshot:b2", "little_to_gain", 9, n_rows=32, expected_gain=gain)])
    assert en in lane("fewshot:b2", result).why
    assert lane("fewshot:b2", result).why.endswith("This is no proof that it is worse.")
    assert zh in lane("fewshot:b2", result, "zh").why


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"reason": "forecast", "forecast_high": 0.703}, "70.3\u00a0% with all training rows"),
        ({"reason": "forecast", "forecast_high": None}, "even with all training rows"),
        ({"reason": "no_rise"}, "More training rows did not raise its score"),
        (
            {"reason": "budget", "n_rows": 0},
            "Not finished: the rest was not expected to fit into the budget. The rest would have taken about",
        ),
        (
            {"reason": "budget", "seconds_saved": None},
            "Not finished: the rest was not expected to fit into the budget.",
        ),
        ({"reason": "eliminated", "e_value": None}, "by more than the margin."),
    ],
)
def test_every_reason_is_a_sentence(changes, words):
    values = {"n_train": 500, "leader": "head:c1", "seconds_saved": 90.0} | changes
    result = raced(stops=[stop("lora:d3", after=17, **values)])
    assert words in lane("lora:d3", result).why


def test_an_arm_that_the_budget_did_not_reach_is_told_from_one_that_it_cut_short():
    """The stop does not count the rows of an arm that the budget stopped; its steps do."""
    arms = [arm.model_copy(update={"why": None}) for arm in raced_arms()]
    unsaid = raced_result(arms=arms)
    assert lane("lora:full", unsaid).why.startswith(
        "Not started: it was not expected to fit into the budget. It would have taken about 10"
    )
    assert lane("lora:full", unsaid, "zh").why.startswith("没有开始测：预计超出预算。")
    result = raced(stops=[stop("prompt:a1", "budget", 20, leader=None, n_rows=0)])
    assert lane("prompt:a1", result).why.startswith("Not finished: the rest was not expected to fit into the budget.")


@pytest.mark.parametrize("lang", get_args(Lang))
@pytest.mark.parametrize("stops", [[stop("lora:full", "budget", 20, leader=None)], []])
def test_an_arm_without_scores_has_one_reason_in_the_race_and_among_the_skipped(lang, stops):
    late = Step(arm_id="lora:full", n_rows=32, score=0.4, seconds=9.0, spent_seconds=600.0)
    view = build_view(raced(steps=[*make_steps(), late], stops=stops), lang)
    assert view.race is not None
    lanes = {lane.label: lane.why for lane in view.race.lanes}
    shared = [row for row in view.skipped if row.label in lanes]
    assert len(shared) == 2
    assert [lanes[row.label] for row in shared] == [row.why for row in shared]


def test_a_stopped_arm_may_still_be_a_finalist():
    shown = lane("lora:d1", raced(stops=[stop("lora:d1", "no_rise", 20, n_rows=200)]))
    assert shown.fate == "finalist"
    assert shown.why.endswith("It met the test rows all the same.")


def test_a_failed_arm_tells_its_own_reason():
    assert lane("lora:d2").why == "20 of 32 rows had no answer."


def test_the_evidence_is_there_in_numbers():
    assert lane("prompt:a2").evidence == {
        "leader": "head on MiniLM embeddings",
        "n_rows": "32",
        "difference": "−50.0 points",
        "interval": "99.875\u00a0% interval −72.0 to −20.0",
        "e_value": "2,417 / 400",
        "expected_gain": "–",
        "forecast_high": "–",
    }
    assert lane("prompt:a1").evidence["e_value"] == ">\u00a01,000,000 / 400"


@pytest.mark.parametrize(
    ("seconds", "everything", "words"),
    [
        (
            366.0,
            1260.0,
            "Spent 6\u00a0min 6\u00a0s of an estimated 21\u00a0min 0\u00a0s for measuring everything (29\u00a0%).",
        ),
        (366.0, 300.0, "no less than"),
        (366.0, 366.0, "no less than"),
        (366.0, None, "is not known"),
        (366.0, float("nan"), "is not known"),
    ],
)
def test_no_saving_is_claimed_where_there_is_none(seconds, everything, words):
    assert words in section(raced(seconds=seconds, seconds_all=everything)).spent


def test_time_that_the_budget_cut_off_is_not_called_saved():
    assert (
        section(raced_result()).cut
        == "About 10\u00a0min 10\u00a0s of the rest was not saved but cut off by the budget."
    )
    assert section(raced(stops=[])).cut == ""


def test_a_promise_goes_with_eliminations_only():
    assert "at most 5\u00a0%" in section(raced_result()).promise
    assert section(raced(stops=[stop("fewshot:b2", "little_to_gain", 9)])).promise == ""


def test_a_race_that_was_off_says_why():
    off = Text(en="12 dev rows are too few to stop an arm early", zh="开发集只有 12 条，不足以提前淘汰任何方案")
    shown = {lang: section(raced(off=off, stops=[]), lang) for lang in get_args(Lang)}
    assert shown["en"].lead == "12 dev rows are too few to stop an arm early."
    assert shown["zh"].lead.endswith("方案。")


@pytest.mark.parametrize("race", [None, Race(margin=0.02, n_dev=N_DEV, n_train=1000)])
def test_a_run_without_a_race_shows_none(race):
    view = build_view(make_result(race=race), "en")
    assert view.race is None
    assert race_chart(view) is None


@pytest.mark.parametrize(
    ("lang", "axis"), [("en", "time since the run began, minutes"), ("zh", "运行开始后的时间（分钟）")]
)
def test_the_clock_of_the_picture_is_that_of_the_run(lang, axis):
    """Auditing and indexing came first: the race took less than the clock shows at its end."""
    late = [step.model_copy(update={"spent_seconds": step.spent_seconds + 300}) for step in make_steps()]
    view = build_view(raced(steps=late), lang)
    chart = race_chart(view)
    assert chart is not None
    assert chart.layout["xaxis"]["title"]["text"] == axis
    first = min(start for trace in chart.data if trace["type"] == "bar" for start in trace["base"])
    assert first == pytest.approx(5.0)


def test_bars_lie_on_one_clock_and_never_overlap():
    chart = race_chart(build_view(raced_result(), "en"))
    assert chart is not None
    bars = [trace for trace in chart.data if trace["type"] == "bar"]
    spans = sorted((base, base + length) for trace in bars for base, length in zip(trace["base"], trace["x"]))
    assert len(spans) == len(make_steps())
    drawn_wider = 0.06  # a step of no time still has some pixels
    assert all(end <= start + drawn_wider for (_, end), (start, _) in pairwise(spans))
    total = make_steps()[-1].spent_seconds / 60
    assert spans[-1][1] == pytest.approx(total)


def test_a_finalist_has_its_sign_at_the_end_of_the_clock_and_the_others_where_they_left():
    chart = race_chart(build_view(raced_result(), "en"))
    assert chart is not None
    signs = {trace["name"]: trace for trace in chart.data if trace["type"] == "scatter"}
    assert set(signs) == {"finalist", "measured in full", "eliminated", "little to gain", "forecast too low", "failed"}
    assert signs["finalist"]["x"][0] > make_steps()[-1].spent_seconds / 60
    assert max(signs["eliminated"]["x"]) < min(signs["forecast too low"]["x"])


def test_labels_of_steps_never_overlap():
    steps = [
        Step(arm_id="head:c1", n_train=n, n_rows=32, score=0.5, seconds=1.0, spent_seconds=float(n))
        for n in range(1, 200)
    ]
    chart = race_chart(build_view(raced(steps=steps, stops=[]), "en"))
    assert chart is not None
    places = sorted(note["x"] for note in chart.layout["annotations"])
    assert 3 <= len(places) < 20
    assert min(after - before for before, after in pairwise(places)) > 0.05 * 199 / 60


def test_two_hundred_arms_are_drawn_as_far_as_can_be_taken_in():
    one = raced_arms()[2]
    arms = [one.model_copy(update={"arm_id": f"prompt:{n}"}) for n in range(200)]
    steps = [Step(arm_id=f"prompt:{n}", n_rows=32, score=0.5, seconds=1.0, spent_seconds=n + 1.0) for n in range(200)]
    view = build_view(raced_result(arms=arms, race=make_race(steps=steps, stops=[]), comparisons=[]), "en")
    chart = race_chart(view)
    assert chart is not None
    assert len(chart.rows) == MAX_LANES
    assert view.race is not None
    assert len(view.race.lanes) == 200


def test_names_from_outside_are_text():
    arms = raced_arms()
    arms[2] = arms[2].model_copy(update={"title": Text(en=EVIL_PLOTLY, zh=EVIL)})
    chart = race_chart(build_view(raced_result(arms=arms), "en"))
    assert chart is not None
    drawn = json.dumps(asdict(chart) | {"alt": ""})
    assert "&lt;a href=" in drawn
    assert "<a" not in drawn


def test_scores_that_are_missing_are_unknown_and_not_zero():
    steps = [Step(arm_id="prompt:a1", n_rows=32, score=None, seconds=3.0, spent_seconds=3.0)]
    result = raced(steps=steps, stops=[stop("prompt:a1", "failed", 1, leader=None, interval=None)])
    assert lane("prompt:a1", result).score == "unknown"


def test_a_stop_may_name_an_arm_that_is_gone():
    result = raced(
        stops=[stop("prompt:a1", "eliminated", 3, leader="gone:1", interval=between(-0.3, -0.1), e_value=500.0)]
    )
    assert "“gone:1”" in lane("prompt:a1", result).why

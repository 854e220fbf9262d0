"""What the race stopped: how much it was measured, and what may be concluded from an arm trained on a part of the rows."""

import numpy as np
import pytest
from decide_builders import METRIC, arm, compared, duel, score, skipped, task
from outlook_builders import AHEAD, GAIN, LOSS, OPEN, forecast, outcome, race, said, stop

from tuneworth.decide.compare import compare_finalists
from tuneworth.decide.decision import decide

PART = {"n_train": 200}
FEWSHOT = {"config": {"k": 4}, "dev": {METRIC: score(20, 64)}, "state": "measured"}
SMALL = {25: 0.4, 50: 0.48, 100: 0.55, 200: 0.6}

# name, duel, forecast, stop of the tuned arm, verdict, in the headline
PARTLY = [
    ("the forecast backs the loss", LOSS, None, stop("lora", "forecast", forecast_high=0.6), "dont_fine_tune", "Don’t"),
    ("an end that may still gain does not", LOSS, None, stop("lora", "forecast", forecast_high=0.75), "cant_tell", "200 of the 800"),
    ("no rise is no forecast", LOSS, None, stop("lora", "no_rise"), "cant_tell", "--exhaustive"),
    ("the budget ended", LOSS, None, stop("lora", "budget"), "cant_tell", "larger --budget"),
    ("no reason was kept", LOSS, None, None, "cant_tell", "larger --budget"),
    ("the budget ended, the stored curve backs the loss", LOSS, forecast("not_within", probability=0.05, points=SMALL),
     stop("lora", "budget"), "dont_fine_tune", "Don’t"),
    ("rows at hand would do", LOSS, forecast(n=700, low=400, high=3000, points=SMALL, band=[]), stop("lora", "budget"),
     "cant_tell", "200 of the 800"),
    ("rows at hand would not do, more would", LOSS, forecast(n=1500, low=1000, high=4000, points=SMALL),
     stop("lora", "budget"), "not_yet", "about 700 more"),
    ("further than ten times what it was trained on", LOSS, forecast(n=3200, low=1700, high=9800, points=SMALL, band=[]),
     stop("lora", "budget"), "cant_tell", "200 of the 800"),
    ("open, and on a part", OPEN, None, stop("lora", "little_to_gain"), "cant_tell", "200 of the 800"),
    ("open, but no more to come", OPEN, None, stop("lora", "little_to_gain", forecast_high=0.6), "cant_tell", "test rows"),
    ("leads by the margin: test rows settle it", AHEAD, None, stop("lora", "budget"), "cant_tell", "test rows"),
    ("a gain is a gain", GAIN, None, stop("lora", "budget"), "fine_tune", "Fine-tune"),
    ("nothing left to gain", (0, 60, 3000, 0), None, stop("lora", "budget"), "dont_fine_tune", "Don’t"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("counts", "found", "stopped", "verdict", "headline"), [case[1:] for case in PARTLY], ids=[c[0] for c in PARTLY]
)
def test_an_arm_trained_on_a_part_of_the_rows(counts, found, stopped, verdict, headline):
    ran = race(*([stopped] if stopped else []))
    decision = outcome(counts, found, ran=ran, tuned=PART)
    assert (decision.verdict, headline in decision.headline.en) == (verdict, True), decision.headline.en
    assert decision.recommended == ("lora" if verdict == "fine_tune" else "head")
    assert "200 of the 800" in said([*decision.reasons, decision.headline])


def test_a_smaller_fit_that_was_chosen_though_all_rows_were_tried_counts_as_grown():
    ran = race(trained_on=(50, 100, 200, 400, None))
    assert outcome(LOSS, ran=ran, tuned=PART).verdict == "dont_fine_tune"


def test_rows_at_hand_that_would_do_are_named():
    found = forecast(n=700, low=400, high=3000, points=SMALL, band=[])
    decision = outcome(LOSS, found, ran=race(stop("lora", "budget")), tuned=PART)
    assert "about 700 of the 800 put it 2 points ahead" in said(decision.would_change)
    assert not decision.seed_rows
    assert decision.rows is None


def test_why_a_backed_loss_is_enough():
    decision = outcome(LOSS, ran=race(stop("lora", "forecast", forecast_high=0.61)), tuned=PART)
    assert "would score at most 61.0\u00a0% with all of them" in said(decision.reasons)
    assert "最多达到 61.0%" in said(decision.reasons, "zh")


UNMEASURED = "best arm that the time allowed to measure"


@pytest.mark.parametrize(
    ("other", "stopped", "unmeasured"),
    [
        (arm("fewshot", **FEWSHOT), stop("fewshot", "eliminated"), False),
        (arm("fewshot", **FEWSHOT), stop("fewshot", "little_to_gain", expected_gain=0.0013), False),
        (skipped("fewshot").model_copy(update={"config": {"k": 4}}), stop("fewshot", "budget"), True),
        (arm("fewshot", **FEWSHOT), stop("fewshot", "budget"), True),
        (skipped("fewshot").model_copy(update={"config": {"k": 4}}), None, True),
        (skipped("fewshot", state="failed").model_copy(update={"config": {"k": 4}}), stop("fewshot", "failed"), False),
    ],
)
def test_only_what_the_budget_left_out_is_unmeasured(other, stopped, unmeasured):
    ran = race(*([stopped] if stopped else []), trained_on=(None,))
    decision = outcome(GAIN, ran=ran, extra=[other])
    assert (UNMEASURED in decision.headline.en) == unmeasured
    assert ("could not be measured in this run" in said(decision.would_change)) == unmeasured


def test_what_was_given_up_is_said():
    others = [arm("fewshot", **FEWSHOT, arm_id=f"few{i}") for i in range(7)]
    stops = [stop(f"few{i}", "eliminated") for i in range(6)] + [stop("few6", "little_to_gain", expected_gain=0.0013)]
    reasons = outcome(GAIN, ran=race(*stops, trained_on=(None,)), extra=others).reasons
    assert "surely more than 2 points behind another arm" in said(reasons)
    assert "and 2 more." in said(reasons)
    assert "等 6 个方案" in said(reasons, "zh")
    assert "expected to gain less than 0.2 points (an estimate, no promise): “FEWSHOT · few6”" in said(reasons)


def test_a_finalist_that_was_stopped_is_not_called_given_up():
    reasons = outcome(LOSS, ran=race(stop("lora", "eliminated"), trained_on=(None,))).reasons
    assert "Stopped early" not in said(reasons)


def repeated(shifts, **more):
    """LoRA trained once more for each shift: so many of its right rows turn wrong, or wrong ones right."""
    arms, rows = duel(*LOSS, untuned="head")
    first = rows["lora"]
    trainings = [first]
    for shift in shifts:
        flipped = dict(first)
        for row in [row for row, right in first.items() if bool(right) == (shift < 0)][: abs(shift)]:
            flipped[row] = 1 - flipped[row]
        trainings.append(flipped)
    again = [score(int(sum(t.values())), len(t)) for t in trainings[1:]]
    arms = [a.model_copy(update={"repeats": again}) if a.tuned else a for a in arms]
    given = {"lora": trainings, "head": rows["head"]}
    pairs = compare_finalists(
        ["lora", "head"], given, metric=METRIC, binary=True, margin=0.02, rng=np.random.default_rng(0), **more
    )
    return decide(task(), arms, pairs, primary_metric=METRIC, n_train=800), pairs


def test_several_trainings_are_compared_by_their_mean():
    decision, (pair,) = repeated([6, -3])
    assert pair.method == "paired_trainings"
    assert pair.difference == pytest.approx(-20 / 300 + 1 / 300)
    once = compared(duel(*LOSS, untuned="head")[1])[0]
    assert pair.interval.high - pair.interval.low > 0.9 * (once.interval.high - once.interval.low)
    assert "trained 3 times with different seeds: 60.0\u00a0%, 62.0\u00a0%, 59.0\u00a0%." in said(decision.reasons)
    assert "训练了 3 次，得分分别为 60.0%、62.0%、59.0%" in said(decision.reasons, "zh")
    assert "Their mean is compared" in said(decision.reasons)


def test_trainings_that_differ_a_lot_leave_a_loss_open():
    alike, _ = repeated([0, 0])
    apart, (pair,) = repeated([40, -40])
    assert alike.verdict == "dont_fine_tune"
    assert apart.verdict == "cant_tell"
    assert pair.interval.high > 0.05


def test_a_corpus_metric_without_further_values_compares_the_first_training():
    def corpus(arm_id, row_ids):
        return 0.6 if arm_id == "lora" else 0.7

    decision, (pair,) = repeated([6, -3], corpus=corpus)
    assert (pair.method, pair.difference) == ("paired_bootstrap_corpus", pytest.approx(-0.1))
    assert "The first is compared and handed over." in said(decision.reasons)
    values = {0: 0.6, 1: 0.62, 2: 0.55}
    _, (pair,) = repeated([6, -3], corpus=corpus, corpus_further=lambda arm_id, number, row_ids: values[number])
    assert (pair.method, pair.difference) == ("paired_trainings", pytest.approx(0.59 - 0.7))

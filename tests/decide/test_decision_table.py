import re

import pytest
from decide_builders import METRIC, all_text, arm, compared, decided, duel, rows_of, score, skipped, task

from tuneworth.core.run import Counts
from tuneworth.core.text import Text
from tuneworth.decide.decision import decide
from tuneworth.words.numbers import about

# name, rows on which (only LoRA, only few-shot, both, neither) are right, verdict, recommended
DUELS = [
    ("clear gain", (90, 10, 150, 50), "fine_tune", "lora"),
    ("clear loss", (10, 90, 150, 50), "dont_fine_tune", "fewshot"),
    ("a tie within the margin", (8, 8, 2500, 400), "dont_fine_tune", "fewshot"),
    ("gains too little to matter", (40, 10, 4900, 50), "dont_fine_tune", "fewshot"),
    ("too few rows to tell", (14, 6, 60, 20), "cant_tell", "fewshot"),
    ("no row differs, but there are few", (0, 0, 100, 0), "cant_tell", "fewshot"),
    ("below the minimum of rows", (11, 0, 4, 0), "cant_tell", "fewshot"),
    ("worse with confidence, though few rows", (0, 15, 10, 5), "dont_fine_tune", "fewshot"),
]


@pytest.mark.parametrize(
    ("counts", "verdict", "recommended"), [case[1:] for case in DUELS], ids=[case[0] for case in DUELS]
)
def test_duels(counts, verdict, recommended):
    decision = decided(*duel(*counts))
    assert (decision.verdict, decision.recommended) == (verdict, recommended)
    assert {decision.recommended, decision.runner_up} == {"lora", "fewshot"}


def test_open_question_says_how_many_more_rows():
    arms, rows = duel(14, 6, 60, 20)
    decision = decided(arms, rows)
    needed = compared(rows)[0].rows_needed
    assert needed is not None
    assert decision.rows == needed - 100 > 0
    assert f"Label about {about(decision.rows).en} more test rows." in decision.headline.en
    assert f"再标注约 {about(decision.rows).en} 条" in decision.headline.zh
    assert "Meanwhile use “FEWSHOT”." in decision.headline.en


def test_hopelessly_open_question_names_no_number():
    decision = decided(*duel(1500, 1500, 1500, 500), the_task=task(margin=0.001))
    assert (decision.verdict, decision.rows) == ("cant_tell", None)
    assert "No reasonable number of rows" in decision.headline.en


def test_headline_has_the_numbers():
    headline = decided(*duel(90, 10, 150, 50)).headline
    assert "“LORA” scores 80.0\u00a0%, 26.7 points above “FEWSHOT”" in headline.en
    assert "300 test rows" in headline.en
    assert "高 26.7 个百分点" in headline.zh


def test_a_lead_and_its_interval_have_the_same_sign():
    for lang in ("en", "zh"):
        lead, *ends = re.findall(
            r"([+−]?)\d+\.\d (?:points|个百分点)|([+−])\d", decided(*duel(10, 90, 150, 50)).headline.to(lang)
        )
        assert "".join(lead) in ("", "+")
        assert [sign for _, sign in ends] == ["+", "+"]


def test_a_head_is_not_fine_tuning():
    decision = decided(*duel(5, 60, 200, 35, untuned="head"))
    assert (decision.verdict, decision.recommended) == ("dont_fine_tune", "head")


def _three(lora_only, both, neither, prompt_right):
    """LoRA and head differ on ``lora_only`` rows; the prompt has the first ``prompt_right`` rows right."""
    lora, head = rows_of(lora_only, 0, both, neither)
    n = len(lora)
    prompt = {row: float(lora_only <= i < lora_only + prompt_right) for i, row in enumerate(lora)}
    arms = [arm("lora", lora_only + both, n), arm("head", both, n), arm("prompt", prompt_right, n)]
    return arms, {"lora": lora, "head": head, "prompt": prompt}


def test_simplest_of_equals_is_recommended():
    decision = decided(*_three(0, 2900, 100, prompt_right=2890))
    assert (decision.verdict, decision.recommended, decision.runner_up) == ("dont_fine_tune", "prompt", "head")
    assert any("because it is simpler" in reason.en for reason in decision.reasons)


def test_a_simpler_arm_that_loses_is_not_recommended():
    decision = decided(*_three(0, 2900, 100, prompt_right=2000))
    assert (decision.verdict, decision.recommended) == ("dont_fine_tune", "head")


def test_fine_tune_recommends_a_tuned_arm():
    decision = decided(*_three(80, 200, 20, prompt_right=190))
    assert (decision.verdict, decision.recommended, decision.runner_up) == ("fine_tune", "lora", "head")


@pytest.mark.parametrize(
    ("prompt_right", "recommended"),
    [(87, "head"), (89, "prompt")],
    ids=["a margin behind as seen", "less than the margin behind"],
)
def test_in_the_meantime_simplicity_is_worth_less_than_the_margin(prompt_right, recommended):
    decision = decided(*_three(3, 90, 7, prompt_right=prompt_right))
    assert (decision.verdict, decision.recommended) == ("cant_tell", recommended)
    assert "Meanwhile use" in decision.headline.en


def test_in_the_meantime_nobody_tunes_for_a_lead_that_is_not_shown():
    decision = decided(*duel(6, 2, 80, 12, untuned="head"))
    assert (decision.verdict, decision.recommended) == ("cant_tell", "head")


LIMITS = [
    ({"p95_ms": 50}, {"p95": 80.0}, "p95 latency is 80\u00a0ms, the limit is 50\u00a0ms"),
    ({"p95_ms": 50}, {"p95": None}, "cannot be shown to keep the limit"),
    ({"max_usd_per_1k": 0.1}, {"usd": 0.2, "p95": 1.0}, "1,000 rows cost $0.20, the limit is $0.10"),
    ({"max_usd_per_1k": 0.1}, {"usd": None}, "price per 1,000 rows is not known"),
    ({"private": True}, {"local": False}, "sends rows off this machine"),
    ({"private": True}, {"local": None}, "not recorded whether its rows stay"),
    ({}, {"failed": 20}, "no usable answer on 20 of 320 test rows"),
]


@pytest.mark.parametrize(("limits", "broken", "why"), LIMITS)
def test_a_winner_that_breaks_a_limit_is_out(limits, broken, why):
    keeps = {"p95": 10.0, "usd": 0.01}
    arms, rows = duel(90, 10, 150, 50, tuned_more={**keeps, **broken}, untuned_more=keeps)
    decision = decided(arms, rows, task(**limits))
    assert (decision.verdict, decision.recommended) == ("dont_fine_tune", "fewshot")
    assert why in decision.headline.en
    assert any(why in text.en for text in decision.would_change)


@pytest.mark.parametrize(("limits", "broken", "why"), LIMITS)
def test_only_the_tuned_arm_keeps_the_limits(limits, broken, why):
    keeps = {"p95": 10.0, "usd": 0.01}
    arms, rows = duel(10, 90, 150, 50, tuned_more=keeps, untuned_more={**keeps, **broken})
    decision = decided(arms, rows, task(**limits))
    assert (decision.verdict, decision.recommended, decision.runner_up) == ("fine_tune", "lora", None)
    assert any(why in reason.en for reason in decision.reasons)


def test_nobody_keeps_the_limits():
    arms, rows = duel(90, 10, 150, 50)
    decision = decided(arms, rows, task(min_quality=0.95))
    assert (decision.verdict, decision.recommended, decision.runner_up) == ("none_meets_limits", None, None)
    assert len(decision.would_change) == 2
    assert any("the least allowed is 95.0" in reason.en for reason in decision.reasons)


def test_least_quality_is_held_against_the_measured_value_and_doubt_is_said():
    arms, rows = duel(90, 10, 150, 50)
    decision = decided(arms, rows, task(min_quality=0.79))
    assert decision.recommended == "lora"
    assert any("but not for certain" in reason.en for reason in decision.reasons)


def test_five_percent_of_failures_are_tolerated_and_mentioned():
    arms, rows = duel(90, 10, 150, 35, tuned_more={"failed": 15})
    decision = decided(arms, rows)
    assert decision.recommended == "lora"
    assert any("left 15 test rows without" in reason.en for reason in decision.reasons)


@pytest.mark.parametrize(
    ("tuned", "why"),
    [
        ([skipped("lora")], "“LORA” was not measured on the test rows: too few rows."),
        ([skipped("lora", "out of memory", "failed")], "out of memory"),
        ([arm("lora")], "another arm was ahead"),
        ([], "not among the strategies"),
    ],
)
def test_without_a_tuned_arm_nothing_is_said_about_tuning(tuned, why):
    decision = decided([arm("fewshot", 240), *tuned], {"fewshot": {}})
    assert (decision.verdict, decision.rows, decision.recommended) == ("cant_tell", None, "fewshot")
    assert "fine-tuning was not measured" in decision.headline.en
    assert any(why in reason.en for reason in decision.reasons)


def test_without_a_tuned_arm_but_nothing_left_to_gain():
    decision = decided([arm("fewshot", 998, 1000), skipped("lora")], {"fewshot": {}})
    assert (decision.verdict, decision.recommended) == ("dont_fine_tune", "fewshot")
    assert "even a perfect model" in decision.headline.en


def test_without_anything_to_compare_a_tuned_arm_with():
    decision = decided([arm("lora", 240)], {"lora": {}})
    assert (decision.verdict, decision.recommended) == ("cant_tell", "lora")


@pytest.mark.parametrize("limits", [{}, {"p95_ms": 50}])
def test_nothing_measured(limits):
    decision = decided([skipped("lora"), skipped("prompt", "no time left.", state="failed")], {}, task(**limits))
    assert (decision.verdict, decision.recommended, decision.decided_by) == ("cant_tell", None, None)
    assert decision.headline.en == "Can’t tell: no arm got a score on the test rows."
    assert decision.headline.zh == "还下不了结论：没有任何方案在测试集上得到结果。"
    assert [reason.en for reason in decision.reasons] == [
        "“PROMPT” was not measured on the test rows: no time left.",
        "“LORA” was not measured on the test rows: too few rows.",
    ]
    same = [skipped("lora"), skipped("head"), arm("majority")]
    assert "“HEAD”, “LORA” were not measured on the test rows: too few rows." in [
        r.en for r in decided(same, {}).reasons
    ]
    assert len(decision.would_change) == 1
    assert "a tuned and an untuned arm" in decision.would_change[0].en


@pytest.mark.parametrize("limits", [{}, {"p95_ms": 50}], ids=["no limit set", "a limit that all keep"])
def test_finalists_without_answers_break_no_limit_of_the_user(limits):
    silent = {"failed": 20, "p95": 10.0}
    arms, rows = duel(90, 10, 150, 50, tuned_more=silent, untuned_more=silent)
    decision = decided(arms, rows, task(**limits))
    assert (decision.verdict, decision.recommended) == ("none_meets_limits", None)
    assert decision.headline.en == (
        "No arm is usable: every finalist (2 in all) left more than 5\u00a0% of its test rows without an answer."
    )
    assert "都有超过 5% 的测试数据没有给出可用的答案" in decision.headline.zh
    slow = {**silent, "p95": 90.0}
    arms, rows = duel(90, 10, 150, 50, tuned_more=slow, untuned_more=silent)
    assert "No arm keeps your limits" in decided(arms, rows, task(p95_ms=50)).headline.en


def test_a_yardstick_is_never_recommended_but_a_strong_one_is_mentioned():
    arms, rows = duel(10, 90, 150, 50)
    yardstick = arm("majority", finalist=False, dev={METRIC: score(260, 300)})
    decision = decided([*arms, yardstick], rows)
    assert decision.recommended == "fewshot"
    assert any("yardstick “MAJORITY”" in reason.en for reason in decision.reasons)


def test_missing_comparison_is_a_bug_of_the_caller():
    arms, _ = duel(90, 10, 150, 50)
    with pytest.raises(ValueError, match="no comparison of lora and fewshot"):
        decide(task(), arms, [], primary_metric=METRIC, n_train=10)


def test_arms_with_the_same_title_are_told_apart():
    arms, rows = duel(90, 10, 150, 50)
    same = [item.model_copy(update={"title": Text(en="X", zh="甲")}) for item in arms]
    headline = decided(same, rows).headline
    assert "“X · lora” scores" in headline.en
    assert "above “X · fewshot”" in headline.en
    others = [item.model_copy(update={"model": f"m{i}"}) for i, item in enumerate(same)]
    assert "“X · m0” scores" in decided(others, rows).headline.en


def test_refused_and_over_limit_rows_count_as_without_answer():
    arms, rows = duel(90, 10, 150, 50)
    refusing = arms[0].model_copy(update={"test_counts": Counts(scored=300, refused=10, over_limit=10)})
    assert decided([refusing, arms[1]], rows).recommended == "fewshot"


def test_a_faster_arm_is_named_for_a_tighter_latency_limit():
    arms, rows = duel(90, 10, 150, 50, tuned_more={"p95": 80.0}, untuned_more={"p95": 20.0})
    texts = [text.en for text in decided(arms, rows).would_change]
    assert (
        "A p95 latency limit below 80\u00a0ms rules “LORA” out; “FEWSHOT” (53.3\u00a0%) would take its place." in texts
    )


@pytest.mark.parametrize("counts", [case[1] for case in DUELS])
def test_chinese_is_chinese_and_every_hole_is_filled(counts):
    for text in all_text(decided(*duel(*counts, tuned_more={"p95": 80.0}, untuned_more={"p95": 20.0}))):
        assert "{" not in text.en + text.zh
        assert any("\u4e00" <= char <= "\u9fff" for char in text.zh)
        assert not re.search("[\u4e00-\u9fff][,;:?!()]|[,;:?!()][\u4e00-\u9fff]", text.zh), text.zh
        assert not any("\u4e00" <= char <= "\u9fff" for char in text.en)

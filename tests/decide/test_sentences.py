"""Numbers in sentences: money without exponents, and no two numbers that look the same and are said to differ."""

import re

import pytest
from decide_builders import METRIC, arm, compared, decided, duel, rows_of, task
from outlook_builders import GAIN, LOSS, forecast, outcome, said

from tuneworth.core.run import Interval
from tuneworth.core.task import Limits
from tuneworth.core.text import Text
from tuneworth.decide.decision import decide, told
from tuneworth.decide.limits import breaches
from tuneworth.decide.would_change import visible_difference
from tuneworth.words.numbers import about_usd, told_apart, usd

# -- money -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "en", "zh"),
    [
        (0.0, "$0", "0 美元"),
        (0.1, "$0.10", "0.10 美元"),
        (2.5, "$2.50", "2.50 美元"),
        (0.0104, "$0.010", "0.010 美元"),
        (0.0000583, "$0.000058", "0.000058 美元"),
        (0.000000583, "<\u00a0$0.00001", "不到 0.00001 美元"),
        (99.996, "$100", "100 美元"),
        (1820.0, "$1,820", "1,820 美元"),
        (5_000_000.0, "$5,000,000", "5,000,000 美元"),
    ],
)
def test_money_as_people_write_it(value, en, zh):
    assert usd(value) == Text(en=en, zh=zh)


def test_sentences_about_money_have_no_exponents():
    dear = arm("prompt", 200).model_copy(update={"cost": arm("prompt", 200, usd=1820.0).cost})
    cheap = dear.model_copy(update={"cost": arm("prompt", 200, usd=0.0000583).cost})
    [too_dear] = breaches(dear, Limits(max_usd_per_1k=100), "accuracy")
    assert "cost $1,820, the limit is $100" in told(too_dear, {}).en
    why = told(breaches(cheap, Limits(max_usd_per_1k=0.00005), "accuracy")[0], {})
    assert "cost $0.000058, the limit is $0.000050" in why.en
    assert "为 0.000058 美元，超过 0.000050 美元的限制" in why.zh
    for each in (0.00001, 0.003, 12.5, 4000.0):
        texts = outcome(LOSS, forecast(), usd=each)
        assert not re.search(r"\de[+-]", said(texts.reasons) + said(texts.reasons, "zh"))


@pytest.mark.parametrize(
    ("rows", "each", "en"),
    [(2400, 0.1, "$240"), (1, 0.00003, "$0.000030"), (3, 0.823, "$2.50"), (0, 0.1, "$0"), (90_000, 20.0, "$1,800,000")],
)
def test_the_price_of_labels_has_two_digits(rows, each, en):
    assert about_usd(rows * each).en == en


# -- limits ------------------------------------------------------------------------------------------------


def test_a_limit_and_what_breaks_it_never_look_alike():
    [slow] = breaches(arm("prompt", 200, p95=10_400), Limits(p95_ms=10_000), METRIC)
    assert told(slow, {}).en == "its p95 latency is 10,400\u00a0ms, the limit is 10,000\u00a0ms"


def test_rows_without_an_answer_are_counted_not_estimated():
    [silent] = breaches(arm("prompt", 100, 119, failed=18), Limits(), METRIC)
    assert "on 18 of 137 test rows" in told(silent, {}).en
    assert "它在 137 条测试数据中有 18 条" in told(silent, {}).zh


# -- rounding ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "b", "shown"),
    [
        (0.0196, 0.02, ("1.96 points", "2 points")),
        (0.013, 0.02, ("1.3 points", "2 points")),
        (0.01996, 0.02, ("1.996 points", "2 points")),
        (0.02, 0.02, ("2 points", "2 points")),
        (0.0096, 0.01, ("0.96 points", "1 point")),
        (0.1, 0.2, ("10 points", "20 points")),
    ],
)
def test_two_sizes_that_differ_look_different(a, b, shown):
    assert tuple(text.en for text in told_apart(a, b)) == shown


def test_a_gain_just_under_the_margin_does_not_look_like_the_margin():
    arms, rows = duel(8, 8, 2500, 400)
    margin = round(decided_high(arms, rows) + 0.0001, 6)
    headline = decided(arms, rows, task(margin=margin)).headline
    most, least = re.search(
        r"at most ([\d.]+) points? better, less than your margin of ([\d.]+) point", headline.en
    ).groups()
    assert float(most) < float(least)
    most, least = re.search(r"最多只比它高 ([\d.]+) 个百分点，不到你设定的 ([\d.]+) 个百分点", headline.zh).groups()
    assert float(most) < float(least)


def decided_high(arms, rows):
    pair = compared(rows)[0]
    return pair.interval.high if pair.a == "lora" else -pair.interval.low


def test_an_arm_that_is_surely_no_better_is_not_said_to_be_at_most_nothing_better():
    """The interval ends at 0, and after correcting for three comparisons the loss is not sure."""
    arms, rows = duel(8, 8, 2500, 400)
    [pair] = compared(rows)
    level = pair.model_copy(update={"interval": Interval(low=-0.01, high=0.0), "difference": -0.005})
    decision = decide(task(), arms, [level], primary_metric=METRIC, n_train=800)
    assert decision.verdict == "dont_fine_tune"
    assert "and “LORA” is no better (95\u00a0% interval −1.0 to 0.0)." in decision.headline.en
    assert "“方案lora”并不更好（95% 置信区间 −1.0 到 0.0）。" in decision.headline.zh
    assert "at most" not in decision.headline.en


# -- who is left -------------------------------------------------------------------------------------------


def test_two_tuned_arms_that_keep_the_limits_are_not_called_one():
    right = {"lora": 160, "lora/2": 150, "fewshot": 240}
    arms = [arm(name.split("/")[0], n, p95=90.0 if name == "fewshot" else 10.0) for name, n in right.items()]
    arms[1] = arms[1].model_copy(update={"arm_id": "lora/2", "model": "small"})
    rows = {name: {f"r{i}": float(i < n) for i in range(300)} for name, n in right.items()}
    decision = decided(arms, rows, task(p95_ms=50))
    assert (decision.verdict, decision.recommended) == ("fine_tune", "lora")
    assert decision.headline.en == (
        "Fine-tune: only tuned arms keep your limits; the best is “LORA · tiny” (53.3\u00a0%)."
    )
    assert decision.headline.zh == "值得微调：只有微调方案满足你的限制，其中最好的是“方案lora · tiny”（得分 53.3%）。"


def test_arms_without_answers_broke_no_limit_of_the_user():
    decision = decided(*duel(10, 90, 150, 50, untuned_more={"failed": 20}))
    assert decision.verdict == "fine_tune"
    assert "your limits" not in decision.headline.en
    assert "more than 5\u00a0% of its test rows without an answer" in decision.headline.en
    assert "你的限制" not in decision.headline.zh


# -- what the rows can show --------------------------------------------------------------------------------


def test_the_difference_that_may_be_missed_counts_all_comparisons():
    lora, head = rows_of(20, 22, 200, 58)
    arms = [arm("lora", 220), arm("head", 222), arm("prompt", 222)]
    rows = {"lora": lora, "head": head, "prompt": head}
    alone, among_three = decided(arms[:2], {"lora": lora, "head": head}), decided(arms, rows)

    def least(decision):
        [text] = [text.en for text in decision.would_change if "likely to be missed" in text.en]
        return float(re.search(r"under about ([\d.]+) points", text).group(1))

    assert least(among_three) > least(alone)
    pair = compared(rows)[0]
    assert visible_difference(pair, 3) > visible_difference(pair, 1)


# -- more data ---------------------------------------------------------------------------------------------


def test_a_curve_against_another_arm_is_not_called_one_point():
    other = arm("fewshot")
    decision = outcome(LOSS, forecast(target="fewshot"), extra=[other])
    [x4] = [row for row in decision.seed_rows if row.row == "X4"]
    assert x4.finding == "open"
    assert "The learning curve was measured against another arm, “FEWSHOT”, and does not answer this." in x4.why.en
    assert "学习曲线是对照“方案fewshot”推算的，回答不了这个问题。" in x4.why.zh
    for found in (None, forecast(arm_id="lora/2", target="fewshot"), forecast(axis="shots", target="fewshot")):
        [x4] = [row for row in outcome(GAIN, found, extra=[other]).seed_rows if row.row == "X4"]
        assert "One amount of data is one point" in x4.why.en

"""What arms cost decides among those that are as good, and with a price of errors among all."""

from __future__ import annotations

import pytest
from decide_builders import METRIC, all_text, arm, compared, duel, task
from money_builders import cost_pair, costs, error

from tuneworth.decide.decision import decide

GAIN, LOSS, TIE, OPEN, EVEN_OPEN = (
    (90, 10, 150, 50), (10, 90, 150, 50), (8, 8, 2500, 400), (14, 6, 60, 20), (40, 30, 900, 30),
)  # fmt: skip


def decided(arms, rows, money, each=None, **limits):
    the_task = task(**limits)
    return decide(
        the_task,
        arms,
        compared(rows, the_task.margin),
        primary_metric=METRIC,
        n_train=800,
        costs=money,
        usd_per_error=each,
    )


# rows, what LoRA saves a month and the half of its interval, dollars an error, verdict, recommended, code
TABLE = [
    ("a tie, and sure to be cheaper", TIE, (300, 80), None, "fine_tune", "lora", "pays.saves"),
    ("a tie, and maybe cheaper", TIE, (300, 600), None, "dont_fine_tune", "fewshot", "verdict.too_little"),
    ("a tie, and dearer", TIE, (-300, 80), None, "dont_fine_tune", "fewshot", "verdict.too_little"),
    ("a gain, and dearer", GAIN, (-300, 80), None, "fine_tune", "lora", "verdict.gain"),
    ("a loss, and cheaper", LOSS, (300, 80), None, "dont_fine_tune", "fewshot", "verdict.loss"),
    ("open, and cheaper", OPEN, (300, 80), None, "cant_tell", "fewshot", "verdict.open"),
    ("open, but surely not behind, and cheaper", EVEN_OPEN, (300, 80), None, "fine_tune", "lora", "pays.saves"),
    # 26.7 points at 50,000 calls are 13,333 errors a month
    ("a gain worth its price", GAIN, (-300, 80), 0.1, "fine_tune", "lora", "verdict.gain"),
    ("a gain not worth its price", GAIN, (-3000, 80), 0.1, "dont_fine_tune", "fewshot", "pays.worth"),
    ("a gain of which that is open", GAIN, (-1330, 80), 0.1, "cant_tell", "fewshot", "pays.worth_open"),
    ("a loss that is worth it", LOSS, (3000, 80), 0.1, "fine_tune", "lora", "pays.worth"),
    ("a loss that is not", LOSS, (300, 80), 0.1, "dont_fine_tune", "fewshot", "verdict.loss"),
    ("open, and worth nothing", OPEN, (-9000, 80), 0.1, "dont_fine_tune", "fewshot", "pays.worth"),
    ("open in both", OPEN, (-300, 80), 0.1, "cant_tell", "fewshot", "verdict.open"),
    ("a tie where errors are dear", TIE, (-1, 1), 50.0, "dont_fine_tune", "fewshot", "verdict.too_little"),
]


@pytest.mark.parametrize(
    ("counts", "saves", "each", "verdict", "recommended", "code"),
    [case[1:] for case in TABLE],
    ids=[case[0] for case in TABLE],
)
def test_what_money_turns(counts, saves, each, verdict, recommended, code):
    arms, rows = duel(*counts)
    decision = decided(arms, rows, costs(cost_pair("lora", "fewshot", *saves)), error(each))
    assert (decision.verdict, decision.recommended, decision.codes[0]) == (verdict, recommended, code)
    assert {decision.recommended, decision.runner_up} == {"lora", "fewshot"}
    for text in all_text(decision):
        assert "{" not in text.en + text.zh


@pytest.mark.parametrize("counts", [GAIN, LOSS, TIE, OPEN, EVEN_OPEN])
@pytest.mark.parametrize(
    "money",
    [None, costs(), costs(cost_pair("lora", "fewshot", None)), costs(cost_pair("lora", "fewshot", 300, None)),
     costs(cost_pair("lora", "fewshot", 300, 80), calls=None)],
    ids=["no costs", "a price is not known", "no volume", "few groups", "no volume at all"],
)  # fmt: skip
@pytest.mark.parametrize("each", [None, 0.1])
def test_what_is_not_known_changes_nothing(counts, money, each):
    arms, rows = duel(*counts)
    if money is not None and money.calls_per_month is None:
        money = costs(cost_pair("lora", "fewshot", None), calls=None)
    assert decided(arms, rows, money, error(each)) == decided(arms, rows, None)


def test_the_headline_says_it_in_one_clause():
    cheaper = decided(*duel(*GAIN), costs(cost_pair("lora", "fewshot", 310, 80))).headline
    assert cheaper.en.endswith("300 test rows), and $310 (230–390) a month cheaper at 50,000 calls.")
    assert cheaper.zh.endswith("300 条测试数据），且按每月 50,000 次调用计，每月便宜 310 美元（230–390）。")
    dearer = decided(*duel(*TIE), costs(cost_pair("fewshot", "lora", 310, 80))).headline
    assert "and $310 (230–390) a month dearer at 50,000 calls." in dearer.en
    unsure = decided(*duel(*GAIN), costs(cost_pair("lora", "fewshot", 310, 900))).headline
    assert "a month" not in unsure.en


def _three(money, each=None):
    """A head, few-shot and a prompt that are as good as one another."""
    right = [1.0] * 2900 + [0.0] * 100
    rows = {name: {f"r{i}": value for i, value in enumerate(right)} for name in ("prompt", "fewshot", "head")}
    return decided([arm(name, 2900, 3000) for name in rows], rows, money, each)


@pytest.mark.parametrize(
    ("few_saves", "head_saves", "head_over_few", "recommended"),
    [
        ((100, 50), (200, 50), (100, 50), "head"),
        ((100, 50), (110, 300), (10, 300), "fewshot"),
        ((100, 300), (110, 50), (10, 300), "head"),
        ((100, 50), (110, 50), (10, 300), "fewshot"),
        ((-100, 50), (-200, 50), (-100, 50), "prompt"),
        ((100, 300), (200, 600), (100, 50), "prompt"),
        ((None, None), (200, 50), (None, None), "head"),
        ((100, 50), (None, None), (None, None), "fewshot"),
    ],
)
def test_the_simplest_that_no_other_is_surely_cheaper_than(few_saves, head_saves, head_over_few, recommended):
    pairs = [
        cost_pair("fewshot", "prompt", *few_saves),
        cost_pair("head", "prompt", *head_saves),
        cost_pair("head", "fewshot", *head_over_few),
    ]
    decision = _three(costs(*pairs))
    assert decision.recommended == recommended
    if recommended != "prompt":
        assert any("instead of “PROMPT”, which is simpler" in reason.en for reason in decision.reasons)
        assert any("而不是更简单的“方案prompt”" in reason.zh for reason in decision.reasons)


def test_a_limit_is_kept_before_anything_is_saved():
    arms, rows = duel(*TIE, tuned_more={"p95": 90.0}, untuned_more={"p95": 10.0})
    decision = decided(arms, rows, costs(cost_pair("lora", "fewshot", 9000, 80)), p95_ms=50)
    assert (decision.verdict, decision.recommended) == ("dont_fine_tune", "fewshot")


def test_the_volume_at_which_it_turns():
    pair = cost_pair("lora", "fewshot", 300, 80, break_even=(13_500_000, 9e6, 2.2e7))
    said = [text.en for text in decided(*duel(*TIE), costs(pair)).would_change]
    assert (
        "“LORA” costs less than “FEWSHOT” from about 14,000,000 calls a month on (80\u00a0% interval 9,000,000 to "
        "22,000,000); now there are 50,000." in said
    )
    never = cost_pair("fewshot", "lora", 300, 80, turns="lora", break_even=(None, None, None))
    said = [text.en for text in decided(*duel(*TIE), costs(never)).would_change]
    assert "More calls would not: “LORA” costs more than “FEWSHOT” at any volume up to 10,000,000 calls a month." in said


@pytest.mark.parametrize(
    ("counts", "saves", "each", "said"),
    [
        (GAIN, -300, None, "“FEWSHOT” would be the better choice if an error cost less than about $0.023"),
        (GAIN, -3000, 0.1, "“LORA” would be the better choice if an error cost more than about $0.23"),
        (GAIN, 300, 0.1, "No price of an error makes “FEWSHOT” the better choice"),
    ],
)
def test_what_an_error_would_have_to_cost(counts, saves, each, said):
    decision = decided(*duel(*counts), costs(cost_pair("lora", "fewshot", saves, 80)), error(each))
    assert any(text.en.startswith(said) for text in decision.would_change), decision.would_change


def test_ranges_of_volume_and_of_the_price_of_an_error_are_in_the_interval():
    arms, rows = duel(*GAIN)

    def reach(each, **more):
        told = decided(arms, rows, costs(cost_pair("lora", "fewshot", -1330, 80), **more), each)
        return told.verdict

    assert reach(error(0.15)) == "fine_tune"
    assert reach(error(0.02, 0.28)) == "cant_tell"
    assert reach(error(0.15), low_calls=1_000, high_calls=99_000) == "cant_tell"
    assert reach(error(0.15), growth=-0.2) == "dont_fine_tune", "fewer calls a month, on the mean, than now"

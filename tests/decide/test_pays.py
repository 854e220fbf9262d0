"""What arms cost decides among those that are as good, and with a price of errors among all."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from decide_builders import METRIC, all_text, arm, compared, duel, task
from hypothesis import given, settings
from hypothesis import strategies as st
from money_builders import cost_pair, costs, error

from tuneworth.core.costs import CostBar, CostLine
from tuneworth.core.run import ArmCost
from tuneworth.decide.decision import decide

GAIN, LOSS, TIE, OPEN, EVEN, NOT_BEHIND = (
    (90, 10, 150, 50), (10, 90, 150, 50), (8, 8, 2500, 400), (14, 6, 60, 20), (10, 10, 60, 20), (40, 30, 900, 30),
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
# Both cost about $1,000 a month.
TABLE = [
    ("a tie, and sure to be cheaper", TIE, (300, 80), None, "fine_tune", "lora", "pays.saves"),
    ("a tie, and maybe cheaper", TIE, (300, 600), None, "dont_fine_tune", "fewshot", "verdict.too_little"),
    ("a tie, and dearer", TIE, (-300, 80), None, "dont_fine_tune", "fewshot", "verdict.too_little"),
    ("a gain, and dearer", GAIN, (-300, 80), None, "fine_tune", "lora", "verdict.gain"),
    ("a loss, and cheaper", LOSS, (300, 80), None, "dont_fine_tune", "fewshot", "verdict.loss"),
    ("open, and cheaper", EVEN, (300, 80), None, "cant_tell", "fewshot", "verdict.open"),
    ("open, but surely not behind, and cheaper", NOT_BEHIND, (300, 80), None, "fine_tune", "lora", "pays.saves"),
    ("a tie, and surely cheaper by less than a hundredth", TIE, (9, 0.5), None, "dont_fine_tune", "fewshot", "verdict.too_little"),
    # 26.7 points at 50,000 calls are 13,333 errors a month
    ("a gain worth its price", GAIN, (-300, 80), 0.1, "fine_tune", "lora", "verdict.gain"),
    ("a gain not worth its price", GAIN, (-3000, 80), 0.1, "dont_fine_tune", "fewshot", "pays.worth"),
    ("a gain of which that is open", GAIN, (-1330, 80), 0.1, "cant_tell", "fewshot", "pays.worth_open"),
    ("a loss that is worth it", LOSS, (3000, 80), 0.1, "fine_tune", "lora", "pays.worth"),
    ("a loss that is not", LOSS, (300, 80), 0.1, "dont_fine_tune", "fewshot", "verdict.loss"),
    ("open, and worth nothing", OPEN, (-9000, 80), 0.1, "dont_fine_tune", "fewshot", "pays.worth"),
    ("open in both", OPEN, (-300, 80), 0.1, "cant_tell", "fewshot", "verdict.open"),
    ("a tie where errors are dear", TIE, (-1, 1), 50.0, "dont_fine_tune", "fewshot", "verdict.too_little"),
]  # fmt: skip


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


@pytest.mark.parametrize("counts", [GAIN, LOSS, TIE, OPEN, NOT_BEHIND])
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


def test_what_is_not_shown_to_be_better_is_not_said_to_be():
    decision = decided(*duel(*GAIN), costs(cost_pair("lora", "fewshot", -1330, 80)), error(0.1))
    assert "pays.choice.meantime" in decision.codes
    assert not any("leaves you" in reason.en for reason in decision.reasons)


def test_the_volume_is_told_where_it_may_turn_the_choice():
    pair = cost_pair("lora", "fewshot", -300, 80)
    assert any("now there are 50,000" in text.en for text in decided(*duel(*TIE), costs(pair)).would_change)
    assert not any("now there are" in text.en for text in decided(*duel(*GAIN), costs(pair)).would_change)


def test_the_headline_says_it_in_one_clause():
    cheaper = decided(*duel(*GAIN), costs(cost_pair("lora", "fewshot", 310, 80))).headline
    assert cheaper.en.endswith("300 test rows), and $310 (80\u00a0% interval 258–362) a month cheaper at 50,000 calls.")
    assert cheaper.zh.endswith("300 条测试数据），且按每月 50,000 次调用计，每月便宜 310 美元（80% 区间 258–362）。")
    dearer = decided(*duel(*TIE), costs(cost_pair("fewshot", "lora", 310, 80))).headline
    assert "and $310 (80\u00a0% interval 258–362) a month dearer at 50,000 calls." in dearer.en
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
    assert (
        "More calls would not: “LORA” costs more than “FEWSHOT” at any volume up to 10,000,000 calls a month." in said
    )


def test_what_is_lacking_and_what_moves_it_most_are_named():
    pair = cost_pair("lora", "fewshot", 300, 80)
    moved = pair.model_copy(update={"tornado": [CostBar(name="machine", at_low=-20.0, at_high=420.0)]})
    changes = decided(*duel(*TIE), costs(moved)).would_change
    assert any(
        text.en
        == "What moves that most is an hour of the machine: from its low to its high end, what “LORA” costs less than "
        "“FEWSHOT” a month goes from −$20.00 to +$420."
        for text in changes
    )
    priced = costs(pair)
    lora = priced.arm("lora").model_copy(update={"missing": ["machine", "label"], "monthly": None})
    lacking = priced.model_copy(update={"pairs": [], "arms": [lora, priced.arm("fewshot")]})
    told = decided(*duel(*TIE), lacking)
    assert "pays.lacking" in told.codes
    assert any("without: an hour of the machine; the price of a label." in text.en for text in told.reasons)


@pytest.mark.parametrize(
    ("counts", "saves", "each", "said"),
    [
        (GAIN, -300, None, "“FEWSHOT” would be the better choice if an error cost less than about $0.022"),
        (GAIN, -3000, 0.1, "“LORA” would be the better choice if an error cost more than about $0.22"),
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


# -- what always holds -------------------------------------------------------------------------------------


@st.composite
def runs(draw):
    """Arms with random rows, and draws of what each costs a month, which may not be known of some."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    names = draw(st.lists(st.sampled_from(["prompt", "fewshot", "head", "lora"]), min_size=2, max_size=4, unique=True))
    n, base = draw(st.sampled_from([60, 300, 2000])), rng.random(2000)
    rows, arms, months = {}, [], {}
    for name in names:
        luck = np.where(rng.random(n) < draw(st.sampled_from([0.01, 0.1])), rng.random(n), base[:n])
        ability = draw(st.sampled_from([0.6, 0.7, 0.7, 0.71, 0.8]))
        rows[name] = {f"r{i}": float(value < ability) for i, value in enumerate(luck)}
        arms.append(arm(name, int(sum(rows[name].values())), n))
        usd, half = draw(st.sampled_from([10.0, 100.0, 150.0, 900.0])), draw(st.sampled_from([1.0, 60.0, 400.0]))
        months[name] = usd + half * rng.standard_normal(400)
    unknown = draw(st.sets(st.sampled_from(names), max_size=1))
    return arms, rows, months, unknown, draw(st.sampled_from([None, 0.001, 0.05]))


def _priced(months, unknown):
    known = [name for name in months if name not in unknown]
    pairs = []
    for a, b in combinations(known, 2):
        less = months[b] - months[a]
        pair = cost_pair(a, b, float(less.mean()), float(1.96 * less.std()) or 1e-9)
        pairs.append(pair.model_copy(update={"p_cheaper": float((less > 0).mean())}))
    return costs(*pairs)


@settings(max_examples=120, deadline=None)
@given(runs(), st.sampled_from([5.0, 80.0, 2000.0]))
def test_an_arm_whose_price_falls_keeps_its_place(run, falls_by):
    arms, rows, months, unknown, each = run
    before = decided(arms, rows, _priced(months, unknown), error(each))
    cheaper = {name: usd - falls_by * (name == before.recommended) for name, usd in months.items()}
    after = decided(arms, rows, _priced(cheaper, unknown), error(each))
    assert after.recommended == before.recommended


@settings(max_examples=80, deadline=None)
@given(runs())
def test_an_unknown_price_makes_no_arm_cheap(run):
    arms, rows, months, unknown, each = run
    plain = decided(arms, rows, None)
    priced = decided(arms, rows, _priced(months, unknown), error(each))
    assert decided(arms, rows, _priced(months, set(months)), error(each)) == plain
    assert priced.recommended not in unknown or priced.recommended == plain.recommended
    assert {priced.recommended, priced.runner_up} - {None} <= set(rows)
    if priced.verdict == "fine_tune":
        assert priced.recommended == "lora"
    if priced.verdict == "dont_fine_tune":
        assert priced.recommended != "lora"
    for text in all_text(priced):
        assert "{" not in text.en + text.zh


# -- rules of thumb ----------------------------------------------------------------------------------------


def _line(when, what, usd):
    return CostLine(
        when=when, what=what, amount=1.0, amount_unit="usd", price=1.0, price_unit="1", share=1.0, usd=usd, usd_a_month=usd
    )  # fmt: skip


def _rules(counts, saves, half=None, *, lines=(), p50=(20.0, 80.0), service=True, **limits):
    half = half or (80 if saves else 1)
    tuned, untuned = ({"cost": ArmCost(latency_p50_ms=ms)} if ms else {} for ms in p50)
    arms, rows = duel(*counts, tuned_more=tuned, untuned_more={**untuned, "local": not service})
    decision = decided(arms, rows, costs(cost_pair("lora", "fewshot", saves, half), lines=lines), **limits)
    assert len({found.row for found in decision.seed_rows}) == len(decision.seed_rows)
    return {found.row: found for found in decision.seed_rows}


@pytest.mark.parametrize(
    ("counts", "saves", "p50", "expected"),
    [
        (TIE, 300, (20.0, 80.0), {"Y4": "confirmed", "N5": "overturned", "X2": "confirmed", "P3": "confirmed", "A6": "confirmed"}),
        (GAIN, 300, (20.0, 80.0), {"Y4": "confirmed", "N5": "overturned", "X2": "confirmed", "P3": "confirmed", "A6": "confirmed"}),
        (TIE, -300, (20.0, 80.0), {"Y4": "overturned", "N5": "confirmed", "X2": "confirmed", "P3": "overturned", "A6": "overturned"}),
        (GAIN, -300, (20.0, 80.0), {"Y4": "overturned", "X2": "confirmed", "P3": "overturned"}),
        (TIE, 30, (20.0, 80.0), {"Y4": "open", "N5": "open", "X2": "open", "P3": "open", "A6": "open", "T5": "confirmed"}),
        (LOSS, 300, (20.0, 80.0), {"Y4": "open", "X2": "confirmed", "P3": "open"}),
        (TIE, 0, (20.0, 80.0), {"Y4": "overturned", "X2": "confirmed", "P3": "overturned", "T5": "confirmed"}),
        (TIE, 300, (None, None), {"Y4": "confirmed", "N5": "overturned", "X2": "open", "P3": "confirmed"}),
    ],
)  # fmt: skip
def test_rules_about_cost(counts, saves, p50, expected):
    found = _rules(counts, saves, p50=p50)
    assert {row: found[row].finding for row in expected} == expected
    assert "At 50,000 calls a month" in found["P3"].why.en
    assert "每月 50,000 次调用" in found["P3"].why.zh


def test_rules_about_services_need_one():
    assert not {"P3", "A6", "C4"} & set(_rules(TIE, 300, service=False))
    assert _rules(TIE, 300, service=False)["Y4"].finding == "confirmed"


def test_rules_about_making_and_running():
    lines = {
        "lora": [_line("once", "labels", 40.0), _line("once", "work", 60.0), _line("month", "machines", 500.0), _line("update", "retrain", 8.0)],
        "fewshot": [_line("once", "work", 20.0), _line("call", "input", 700.0), _line("update", "retrain", 0.0)],
    }  # fmt: skip
    found = _rules(TIE, 112, lines=lines)
    states = {row: found[row].finding for row in ("K1", "C2", "C4", "C6")}
    assert states == {"K1": "overturned", "C2": "confirmed", "C4": "confirmed", "C6": "confirmed"}
    assert "$500 with “LORA” and $700 with “FEWSHOT”" in found["C4"].why.en
    assert "The $1,200 for labels, training and work on “LORA” are paid back within 12 months." in found["K1"].why.en
    assert _rules(TIE, -112, lines=lines)["K1"].finding == "confirmed"
    assert _rules(TIE, 10, lines=lines)["K1"].finding == "open"
    unknown = [line.model_copy(update={"usd_a_month": None}) for line in lines["lora"]]
    assert not {"K1", "C2", "C4", "C6"} & set(_rules(TIE, 112, lines={**lines, "lora": unknown}))

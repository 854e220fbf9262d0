"""When a forecast makes a verdict, when it is only told, and when it is not used at all."""

import pytest
from decide_builders import task
from outlook_builders import AHEAD, GAIN, LOSS, OPEN, SIZES, forecast, outcome, said

CUT = {"fit_details": {"stopped": "time", "epochs": 0.4}}

# name, rows of the duel, forecast, verdict, rows
TABLE = [
    ("a loss now, a lead with more rows", LOSS, forecast(), "not_yet", 2400),
    ("open now, a lead with more rows", OPEN, forecast(), "not_yet", 2400),
    ("without a forecast", LOSS, None, "dont_fine_tune", None),
    ("a gain needs no forecast", GAIN, forecast(), "fine_tune", None),
    ("leads by the margin as seen: test rows settle it", AHEAD, forecast(), "cant_tell", "test rows"),
    ("no upper end", LOSS, forecast(high=None, probability=0.75), "dont_fine_tune", None),
    ("no upper end, and open", OPEN, forecast(high=None, probability=0.75), "cant_tell", "test rows"),
    ("further than ten times the data", LOSS, forecast(n=9000, low=4000, high=30_000), "dont_fine_tune", None),
    ("interval too wide", LOSS, forecast(n=1000, low=500, high=9000), "dont_fine_tune", None),
    ("at hand already by the curve, not by the test rows", LOSS, forecast(n=700, low=300, high=900), "dont_fine_tune", None),
    ("already on dev, not on test", LOSS, forecast("already", probability=1.0), "dont_fine_tune", None),
    ("never", LOSS, forecast("not_within", probability=0.03), "dont_fine_tune", None),
    ("never, and open", OPEN, forecast("not_within", probability=0.03), "cant_tell", "test rows"),
    ("even", LOSS, forecast("cannot_tell", probability=0.4), "dont_fine_tune", None),
    ("no curve", LOSS, forecast("cannot_tell", probability=None, cannot_tell="falling"), "dont_fine_tune", None),
    ("against another arm", LOSS, forecast(target="prompt"), "dont_fine_tune", None),
    ("by another margin", LOSS, forecast(margin=0.05), "dont_fine_tune", None),
    ("of another arm", LOSS, forecast(arm_id="lora/2"), "dont_fine_tune", None),
    ("of demonstrations", LOSS, forecast(axis="shots"), "dont_fine_tune", None),
    ("dev rows say +12, test rows -7", LOSS, forecast(points={**SIZES, 800: 0.8}), "dont_fine_tune", None),
    ("fewer than 20 test rows", (3, 5, 5, 2), forecast(), "cant_tell", None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("counts", "found", "verdict", "rows"), [case[1:] for case in TABLE], ids=[c[0] for c in TABLE]
)
def test_table(counts, found, verdict, rows):
    decision = outcome(counts, found)
    assert decision.verdict == verdict
    if rows == "test rows":
        assert decision.rows == outcome(counts).rows is not None
    else:
        assert decision.rows == rows
    if verdict == "not_yet":
        assert (decision.recommended, decision.runner_up) == ("head", "lora")
        assert decision.decided_by == ("lora", "head")


def test_the_headline_has_number_interval_and_what_to_do_meanwhile():
    decision = outcome(LOSS, forecast(n=3247, low=1702, high=9811))
    assert decision.rows == 2447
    assert "about 2,400 more labelled rows (80\u00a0% interval: 900 to 9,000 more)" in decision.headline.en
    assert "Meanwhile use “HEAD”" in decision.headline.en
    assert "还需再标注约 2,400 条训练数据（80% 区间：再补 900 到 9,000 条）" in decision.headline.zh
    assert "2,447" not in said([decision.headline, *decision.reasons, *decision.would_change])


def test_rows_at_hand_are_taken_off_both_ends():
    decision = outcome(LOSS, forecast(low=500))
    assert "0 to 9,000 more" in decision.headline.en


def test_labels_have_a_price_when_the_task_gives_one():
    assert "At $0.10 a label these rows cost about $240 ($90 to $900)." in said(
        outcome(LOSS, forecast(), usd=0.1).reasons
    )
    assert "按每条标注 0.10 美元计，约需 240 美元（90 美元到 900 美元）。" in said(
        outcome(LOSS, forecast(), usd=0.1).reasons, "zh"
    )
    assert "label" not in said(outcome(LOSS, forecast()).reasons)
    unknown = outcome(LOSS, forecast(high=None, probability=0.7), usd=0.1)
    assert "at least $90, with no upper end known" in said(unknown.would_change)


WEAK = [
    (forecast(high=None, probability=0.75), "has a probability of 75\u00a0%"),
    (forecast(n=9000, low=4000, high=30_000), "further than 10 times the 800 rows"),
    (forecast(n=1000, low=500, high=9000), "too wide to plan with"),
    (forecast(points={**SIZES, 800: 0.8}), "another difference than the dev rows"),
    (forecast("cannot_tell", probability=0.4), "has a probability of 40\u00a0%"),
    (forecast("cannot_tell", probability=None, cannot_tell="too_few_sizes"), "fewer than four training sizes"),
    (forecast("cannot_tell", probability=None, cannot_tell="falling"), "look for the cause, such as wrong labels"),
]


@pytest.mark.parametrize(("found", "why"), WEAK)
@pytest.mark.parametrize("counts", [LOSS, OPEN], ids=["loss", "open"])
def test_a_weak_forecast_is_told_with_its_weakness(counts, found, why):
    assert why in said(outcome(counts, found).would_change)


def test_a_forecast_that_decides_is_not_called_weak():
    decision = outcome(LOSS, forecast())
    assert "Too weak" not in said(decision.would_change)
    assert "don’t fine-tune" in said(decision.would_change)
    assert "about 800 more training rows first" in said(decision.would_change)
    near = outcome(LOSS, forecast(n=1500, low=1000, high=4000))
    assert "the forecast is no promise" in said(near.would_change)
    assert "more test rows to tell" in said(outcome(OPEN, forecast()).would_change)


def test_never_is_a_reason_and_a_growing_target_is_named():
    assert "Not within reach" in said(outcome(LOSS, forecast("not_within", probability=0.03)).reasons)
    assert "80,000 条" in said(outcome(LOSS, forecast("not_within", probability=0.03)).reasons, "zh")
    assert "“HEAD” learns from rows too" in said(outcome(LOSS, forecast(target_grows=True)).reasons)
    assert "learns from rows too" not in said(outcome(LOSS, forecast()).reasons)


def test_a_cut_training_makes_no_curve():
    assert outcome(LOSS, forecast(), tuned=CUT).verdict == "cant_tell"
    assert "time budget" in outcome(LOSS, forecast(), tuned=CUT).headline.en
    assert outcome(OPEN, forecast(), tuned=CUT).verdict == "cant_tell"


def test_limits_come_before_any_forecast():
    private = task(private=True)
    assert outcome(LOSS, forecast(), tuned={"local": False}, the_task=private).verdict == "dont_fine_tune"
    assert outcome(LOSS, forecast(), untuned={"local": False}, the_task=private).verdict == "fine_tune"
    both = {"local": False}
    assert outcome(LOSS, forecast(), tuned=both, untuned=both, the_task=private).verdict == "none_meets_limits"


def test_no_room_no_more_rows():
    """The best untuned arm is all right but for a row in a hundred."""
    counts = (0, 60, 3000, 0)
    assert outcome(counts, forecast()).verdict == "dont_fine_tune"


X4 = [
    (LOSS, forecast(), "confirmed", "about 3,200 rows in all (80\u00a0% interval 1,700 to 9,800)"),
    (LOSS, forecast("not_within", probability=0.03), "confirmed", "no number up to 80,000 rows"),
    (LOSS, forecast(high=None, probability=0.7), "open", "does not say surely enough"),
    (OPEN, forecast("not_within", probability=0.03), "open", "does not say surely enough"),
    (GAIN, forecast("already", probability=1.0), "confirmed", "These rows are enough here."),
    (GAIN, forecast(n=400, low=200, high=900), "confirmed", "the lead of 2 points begins at about 400"),
    (LOSS, None, "open", "One amount of data is one point"),
]


@pytest.mark.parametrize(("counts", "found", "finding", "why"), X4)
def test_row_x4_is_answered_by_the_curve(counts, found, finding, why):
    (x4,) = [row for row in outcome(counts, found).seed_rows if row.row == "X4"]
    assert x4.finding == finding
    assert why in x4.why.en
    assert "%" in x4.why.zh

"""Arms of a run, priced: by hand here, with plain arithmetic."""

from __future__ import annotations

from datetime import date

import pytest

from report.report_samples import make_result
from tuneworth.core.costs import CostResult
from tuneworth.core.money import ModelPrice, Money
from tuneworth.core.outcome import Outcome, Usage
from tuneworth.core.run import ArmCost, ArmResult
from tuneworth.core.text import Text
from tuneworth.costs.arms import Terms
from tuneworth.costs.figures import figure
from tuneworth.costs.of_run import Stated, Took, costs_of, priced_again, taught_by
from tuneworth.costs.spend import Spend
from tuneworth.costs.table import PriceTable, read_table
from tuneworth.costs.traffic import stated_traffic

TODAY = date(2026, 11, 9)
API = "nowhere/model-of-no-list"


def arm(arm_id: str, strategy: str, **more) -> ArmResult:
    plain = {"model": None, "config": {}, "effort": 1, "state": "measured", "local": True, "finalist": True}
    return ArmResult(arm_id=arm_id, strategy=strategy, title=Text(en=arm_id, zh=arm_id), **{**plain, **more})


def rows(arm_id: str, n: int, *, seconds: float = 0.1, usd: float | None = 0.0, **usage: int) -> list[Outcome]:
    return [
        Outcome(
            arm_id=arm_id, row_id=str(at), stage="dev", status="scored", latency_ms=1000 * seconds, usd=usd, usage=Usage(**usage)
        )
        for at in range(n)
    ]  # fmt: skip


ARMS = [
    arm("prompt", "prompt", model=API, local=False),
    arm("head", "head"),
    arm("majority", "majority", yardstick=True, finalist=False),
]
TOOK = {
    "prompt": Took(Spend(usd=0.0), rows("prompt", 40, usd=None, prompt_tokens=500, completion_tokens=50)),
    "head": Took(Spend(36.0, usd=0.0), rows("head", 40, seconds=0.1)),
    "majority": Took(Spend(), rows("majority", 40)),
}
MONEY = Money(prices={API: ModelPrice(source="a list", checked_on=date(2026, 1, 1), input=0.1, output=0.5)})


def priced(calls: float | None = 50_000, table: PriceTable | None = None, **terms) -> CostResult:
    volume = None if calls is None else figure("traffic.calls_per_month", "call/month", calls)
    stated = Stated(stated_traffic(volume), Terms(**terms), table or PriceTable(TODAY))
    return costs_of(ARMS, TOOK, {}, stated, n_train=600, money=MONEY)


KNOWN = {"machine": figure("machine", "usd/hour", 1.39), "label": figure("label", "usd/label", 0.2)}


def test_by_hand():
    found = priced(**KNOWN)
    call = (500 * 0.1 + 50 * 0.5) / 1e6
    machine = 730 * 1.39
    once = 600 * 0.2 + 36 / 3600 * 1.39
    assert [each.arm_id for each in found.arms] == ["prompt", "head"]  # not the yardstick
    assert found.arm("prompt").monthly.value == pytest.approx(50_000 * call)
    assert found.arm("head").monthly.value == pytest.approx(machine + once / 12)
    pair = found.pair("head", "prompt")
    assert (pair.a, pair.b, pair.turns) == ("prompt", "head", "head")
    assert pair.cheaper_by.value == pytest.approx(machine + once / 12 - 50_000 * call)
    assert pair.p_cheaper == 1.0
    # one machine answers ten calls a second, 26 million a month: it is enough up to 10 million, and never pays below
    assert pair.break_even.value is None
    assert pair.never == 1.0


def test_a_dearer_price_in_a_file_comes_first_and_turns_it():
    table = read_table(f"figures:\n  price.{API}.output: {{value: 5, unit: usd/Mtok}}\n", "mine.yaml", TODAY)
    found = priced(table=table, **KNOWN)
    call = (500 * 0.1 + 50 * 5) / 1e6
    assert found.arm("prompt").monthly.value == pytest.approx(50_000 * call)
    more = 730 * 1.39 + (600 * 0.2 + 0.01 * 1.39) / 12
    assert found.pair("prompt", "head").break_even.value == pytest.approx(more / call, rel=1e-6)


def test_what_is_not_known_is_named_and_stays_so():
    found = priced(machine=KNOWN["machine"])
    assert found.arm("head").missing == ["label"]
    assert found.arm("head").monthly is None
    assert [line.usd_a_month for line in found.arm("head").lines if line.what == "labels"] == [None]
    assert found.pairs == []
    assert found.arm("prompt").monthly is not None  # needs neither


def test_without_a_volume_there_are_curves_and_break_even():
    found = priced(None, **KNOWN)
    assert found.calls_per_month is None
    assert found.arm("head").monthly is None
    assert len(found.arm("head").curve) == len(found.volumes)
    assert found.pair("prompt", "head").p_cheaper is None


@pytest.mark.parametrize(
    ("usd", "usage", "a_call", "missing"),
    [
        (0.002, {}, 0.002, []),  # charged at the most: the service told no tokens
        (None, {}, None, ["measured.prompt.charged"]),
        (0.002, {"prompt_tokens": 500}, 500 * 0.1 / 1e6, []),
    ],
)
def test_a_paid_arm_without_tokens_is_never_free(usd, usage, a_call, missing):
    took = {**TOOK, "prompt": Took(Spend(), rows("prompt", 40, usd=usd, **usage))}
    volume = figure("traffic.calls_per_month", "call/month", 50_000)
    stated = Stated(stated_traffic(volume), Terms(**KNOWN), PriceTable(TODAY))
    found = costs_of(ARMS, took, {}, stated, n_train=600, money=MONEY)
    assert found.arm("prompt").missing == missing
    monthly = found.arm("prompt").monthly
    assert (monthly and monthly.value) == (a_call and pytest.approx(50_000 * a_call))
    assert bool(found.pairs) == (not missing)


def test_one_row_without_tokens_takes_the_charges_of_all_and_no_rows_are_no_price():
    untold = [*rows("prompt", 39, usd=0.001, prompt_tokens=500), *rows("prompt", 1, usd=0.005)]
    stated = Stated(stated_traffic(figure("traffic.calls_per_month", "call/month", 1000)), Terms(**KNOWN))
    mixed, none = (
        costs_of(ARMS[:1], {"prompt": Took(Spend(), of)}, {}, stated, n_train=0, money=MONEY).arms[0]
        for of in (untold, [])
    )
    assert mixed.monthly.value == pytest.approx(39 * 0.001 / 40 * 1000 + 0.005 / 40 * 1000)
    assert (none.missing, none.monthly) == (["measured.prompt.charged"], None)


def test_old_prices_are_named_and_records_go_through_json():
    found = priced(**KNOWN)
    assert found.stale == [f"price.{API}.input", f"price.{API}.output"]
    assert CostResult.model_validate_json(found.model_dump_json()) == found


def test_priced_again_a_service_asked_in_batches_still_costs_what_single_calls_do():
    told = ArmCost(seconds_per_1k_rows=800.0, usd_per_1k_rows=0.075)
    arms = [each.model_copy(update={"cost": told}) for each in ARMS[:2]]
    took = {
        "prompt": Took(
            Spend(), rows("prompt", 40, seconds=0.0, usd=0.075 / 2000, prompt_tokens=500, completion_tokens=50)
        ),
        "head": TOOK["head"],
    }
    result = make_result().model_copy(update={"arms": arms, "money": MONEY})
    again = priced_again(result, took, {}, Stated(terms=Terms(**KNOWN)))
    assert [arm.cost.usd_per_1k_rows for arm in again.arms] == pytest.approx([0.075, 100 / 3600 * 1.39])


@pytest.mark.parametrize(
    ("strategy", "config", "n"),
    [
        ("prompt", {}, 0),
        ("decision", {"calibration": "batch"}, 0),
        ("decision", {"calibration": "fitted"}, 600),
        ("fewshot", {"k": 4, "selection": "random"}, 4),
        ("fewshot", {"k": 4, "selection": "nearest"}, 600),
        ("head", {}, 600),
    ],
)
def test_labels_without_which_an_arm_could_not_be_made(strategy, config, n):
    assert taught_by(arm("a", strategy, config=config), 600) == n

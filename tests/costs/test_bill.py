"""Bills by hand, and what their draws keep."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from tuneworth.core.outcome import Outcome, Usage
from tuneworth.costs.bill import Bill, Fleet, Item, Measured, Sample, lines_of, token_use, use_of
from tuneworth.costs.draws import Costs
from tuneworth.costs.figures import Figure, figure
from tuneworth.costs.prices import Price, Rates
from tuneworth.costs.traffic import stated_traffic

PRICE = Price("m", "table", None, ((-1, Rates(0.10, 0.50, 0.01, 0.125)), (1000, Rates(0.20, 1.00))))
CALLS = figure("traffic.calls_per_month", "call/month", 50_000)
MACHINE = figure("machine", "usd/hour", 1.39)


def api(n_rows: int = 40, seed: int = 0, arm: str = "api") -> Bill:
    rng = np.random.default_rng(seed)
    usages = [Usage(prompt_tokens=int(p), completion_tokens=int(c)) for p, c in zip(rng.integers(300, 700, n_rows), rng.integers(20, 80, n_rows), strict=True)]  # fmt: skip
    columns, items = token_use(usages, PRICE, model="m")
    return Bill(arm, tuple(items), sample=Sample(columns, tuple(f"row {n}" for n in range(n_rows))))


def machine(throughput: float = 5.0, **others) -> Bill:
    return Bill("machine", (), Fleet(MACHINE, figure("throughput", "call/second", throughput)), **others)


def test_tokens_by_kind_and_tier_add_up_to_what_the_service_charges():
    usages = [
        Usage(prompt_tokens=800, cached_tokens=300, cache_write_tokens=200, completion_tokens=60, reasoning_tokens=20),
        Usage(prompt_tokens=5000, completion_tokens=10),
    ]
    columns, items = token_use(usages, PRICE, model="m")
    bill = Bill("a", tuple(items), sample=Sample(columns, ("1", "2")))
    charged = sum(PRICE.usd(usage) for usage in usages) / 2
    assert Costs([bill], stated_traffic(CALLS)).monthly("a").value == pytest.approx(50_000 * charged)
    assert [line.what for line in lines_of(bill, stated_traffic(CALLS))] == [
        "input", "cached", "cache_write", "output", "reasoning", "input", "output",
    ]  # fmt: skip


def test_machines_follow_the_peak_and_growth_month_by_month():
    traffic = stated_traffic(
        figure("traffic.calls_per_month", "call/month", 2_628_000),  # one a second
        peak=figure("traffic.peak", "ratio", 4.0),
        growth_per_month=figure("traffic.growth_per_month", "ratio", 0.25),
        months=3,
    )
    cost = Costs([machine(5.0)], traffic)  # 4, 5 and 6.25 calls a second at the peak: 1, 1 and 2 machines
    assert cost.monthly("machine").value == pytest.approx(1.39 * 730 * 4 / 3)
    (line,) = cost.lines("machine")
    assert (line.what, line.amount, line.share) == ("machines", pytest.approx(4 / 3), 730)


def test_an_answer_cache_spares_the_repeated_calls_and_the_end_is_paid_when_it_comes():
    again = Item("end", "training", figure("training", "piece", 1), figure("fee", "usd/piece", 60))
    bill, traffic = replace(api(), answer_cache=True), stated_traffic(CALLS, share_repeated=figure("traffic.share_repeated", "share", 0.2))  # fmt: skip
    plain = Costs([api()], traffic).monthly("api").value
    assert Costs([bill], traffic).monthly("api").value == pytest.approx(0.8 * plain)
    for ends, usd in ((None, 0), (12, 0), (6, 5)):
        ending = replace(api(), items=(*api().items, again), ends_in_months=ends)
        assert Costs([ending], traffic).monthly("api").value == pytest.approx(plain + usd)


def test_what_is_not_known_is_named_and_makes_no_number():
    work = Item("once", "work", figure("work.hours", "hour", 8), Figure("wage", "usd/hour"))
    bill = replace(api(), items=(*api().items, work))
    costs = Costs([bill, machine()], stated_traffic(CALLS))
    assert costs.missing("api") == ("wage",)
    assert costs.monthly("api") is costs.p_cheaper("api", "machine") is costs.break_even("machine", "api") is None
    assert costs.pay_back("machine", "api") is costs.tornado("api") is costs.curve("api", [1.0]) is None
    assert [line.usd is None for line in costs.lines("api")] == [False, False, True]
    assert costs.lines("api")[-1].missing == ("wage",)
    columns, items = token_use([Usage(prompt_tokens=5, completion_tokens=1)], None, model="new")
    unpriced = Bill("b", tuple(items), sample=Sample(columns, ("1",)))
    assert unpriced.missing() == ("price.new.input", "price.new.output")
    assert Bill("c", (Item("call", "machine", Measured("seconds", "second"), MACHINE),)).missing() == ("measured.c.seconds",)  # fmt: skip
    unknown = Costs([machine()], stated_traffic())
    assert unknown.monthly("machine") is None
    assert unknown.monthly("machine", 5.0).value == pytest.approx(1.39 * 730)


def test_units_that_do_not_go_together_are_refused():
    with pytest.raises(ValueError, match="labels: an amount in label has no price in usd/hour"):
        Item("once", "labels", figure("labels", "label", 5), MACHINE)
    with pytest.raises(ValueError, match="finite, non-negative"):
        Sample({"seconds": np.array([1.0, -1.0])}, ("1", "2"))


def test_one_name_is_one_figure():
    with pytest.raises(ValueError, match="machine is two figures"):
        Costs([machine(), Bill("b", (), Fleet(figure("machine", "usd/hour", 2), figure("b", "call/second", 1)))], stated_traffic(CALLS))  # fmt: skip


def test_lines_sum_up_to_the_month():
    items = (
        Item("once", "labels", figure("labels", "label", 500), figure("label", "usd/label", 0.1, 0.3)),
        Item("month", "storage", figure("storage", "GB", 20), figure("gb", "usd/GB-month", 0.08)),
        Item("update", "retrain", figure("retrain", "second", 900), MACHINE, (figure("updates", "1/month", 2),)),
        Item("end", "training", figure("retrain", "second", 900), MACHINE),
    )
    bill = replace(api(), items=(*api().items, *items), fleet=machine().fleet, ends_in_months=5.5)
    costs = Costs([bill], stated_traffic(CALLS, growth_per_month=figure("traffic.growth_per_month", "ratio", 0.1)))
    assert math.fsum(line.usd_a_month for line in costs.lines("api")) == pytest.approx(costs.monthly("api").value)


def test_break_even_of_machines_and_tokens():
    costs = Costs([api(), machine(1e6)], stated_traffic(CALLS))
    per_call = costs.monthly("api", 1.0).value
    found = costs.turning("api", "machine", most=1e9)
    assert (found.arm, found.never, found.turns_again) == ("machine", 0, 0)
    assert found.calls.value == pytest.approx(1.39 * 730 / per_call, rel=1e-8)
    assert found.calls.outer.low < found.calls.inner.low < found.calls.value < found.calls.inner.high < found.calls.outer.high  # fmt: skip
    assert costs.break_even("api", "machine").calls.value == 0
    never = costs.turning("api", "machine", most=1e6)
    assert (never.calls.value, never.never) == (math.inf, 1)


def test_a_further_machine_may_turn_it_back():
    charge = Item("call", "call_fee", figure("calls.one", "call", 1), figure("fee", "usd/call", 1.39 * 730 / 1e6))
    costs = Costs([Bill("fee", (charge,)), machine(1.5e6 / (730 * 3600))], stated_traffic(CALLS))
    found = costs.break_even("machine", "fee")
    assert found.calls.value == pytest.approx(
        1e6, rel=1e-6
    )  # one machine is full at 1.5 million calls; two pay from 2 million on
    assert found.turns_again == 1


def test_pay_back_in_months():
    once = Item("once", "labels", figure("labels", "label", 100), figure("label", "usd/label", 1))
    fees = {arm: Item("month", "hosting", figure(f"{arm}.one", "piece", 1), figure(arm, "usd/piece", usd)) for arm, usd in (("new", 10), ("old", 50))}  # fmt: skip
    new, old = Bill("new", (once, fees["new"])), Bill("old", (fees["old"],))
    costs = Costs([new, old], stated_traffic(CALLS))
    assert costs.pay_back("new", "old").value == pytest.approx(2.5)
    assert costs.pay_back("old", "new").value == math.inf
    ends = Costs([replace(new, items=(*new.items, replace(once, when="end")), ends_in_months=2.0), old], stated_traffic(CALLS))  # fmt: skip
    assert ends.pay_back("new", "old").value == pytest.approx(5.0)


def test_arms_share_their_draws():
    wage = figure("wage", "usd/hour", 40, 80)
    work = [Item("once", "work", figure(f"hours.{n}", "hour", hours), wage) for n, hours in enumerate((10, 11))]
    a, b = (replace(api(arm=arm), items=(*api().items, item)) for arm, item in zip("ab", work, strict=True))
    costs = Costs([a, b], stated_traffic(CALLS))
    assert costs.p_cheaper("a", "b") == 1  # each alone spreads far more than they differ by
    assert costs.cheaper_by("a", "b").inner.low > 0
    assert costs.p_cheaper("a", "a") == 0.5
    assert costs.monthly("a").outer.low < costs.monthly("b").value < costs.monthly("a").outer.high
    assert costs.monthly("a") == Costs([a, b], stated_traffic(CALLS)).monthly("a")


def test_the_widest_bar_comes_first_and_its_ends_are_those_of_the_input():
    wage = figure("wage", "usd/hour", 40, 80)
    bill = replace(api(), items=(*api().items, Item("once", "work", figure("hours", "hour", 24), wage)))
    bars = Costs([bill, machine()], stated_traffic(figure("traffic.calls_per_month", "call/month", 4e4, 6e4))).tornado("api")  # fmt: skip
    assert [bar.name for bar in bars] == ["wage", "traffic.calls_per_month", "measured.api"]
    assert bars[0].at_high - bars[0].at_low == pytest.approx(24 * 40 * 0.8 / 12, rel=1e-3)


def test_few_rows_give_a_number_and_no_interval():
    costs = Costs([api(n_rows=9), machine()], stated_traffic(CALLS))
    assert costs.monthly("api").value > 0
    assert costs.monthly("api").inner is costs.p_cheaper("api", "machine") is None
    assert costs.monthly("machine").inner is not None


def test_rows_of_an_arm_become_a_sample():
    usage = Usage(prompt_tokens=10, completion_tokens=2)
    rows = [Outcome(arm_id="a", row_id=str(n), stage="test", status="scored", latency_ms=20.0, usage=usage, usd=usd) for n, usd in enumerate((0.0, 0.001))]  # fmt: skip
    sample, items = use_of(rows, {"1": "x"}, None, model="m")
    assert (sample.groups, items[0].what, sample.mean("seconds")) == (("row 0", "x"), "charged", 0.02)
    assert use_of(rows[:1], {}, None, model="m")[1] == []
    warm = figure("hit", "share", 0.5)
    cached = Usage(prompt_tokens=100, cached_tokens=80)
    columns, items = token_use([cached], PRICE, model="m", hit=warm)
    bill = Bill("a", tuple(items), sample=Sample(columns, ("1",)))
    assert {line.what: line.usd for line in lines_of(bill, stated_traffic(CALLS))} == pytest.approx(
        {"input": 2e-6, "cached": 4e-7, "cache_write": 5e-6}
    )


def test_it_starts_without_an_engine():
    code = "import sys, tuneworth.costs.draws; print([m for m in ('torch', 'scipy', 'sklearn', 'pandas') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_answers_that_take_no_time_need_one_machine():
    """As those that were never asked here, or of a yardstick that looks nothing up."""
    rows = [Outcome(arm_id="a", row_id=f"r{at}", stage="test", status="scored", latency_ms=0.0) for at in range(30)]
    sample, _ = use_of(rows, {}, None, model="a")
    costs = Costs([Bill("a", (), Fleet(MACHINE, Measured("seconds", "second")), sample=sample)], stated_traffic(CALLS))
    assert costs.monthly("a").value == pytest.approx(1.39 * 730)
    assert costs.lines("a")[0].share == 730

"""The usual bill of an arm, from a run's outcomes."""

from __future__ import annotations

import pytest

from tuneworth.core.outcome import Outcome, Usage
from tuneworth.costs.arms import Made, Terms, bill_of
from tuneworth.costs.draws import Costs
from tuneworth.costs.figures import figure
from tuneworth.costs.prices import Price, Rates
from tuneworth.costs.spend import Spend
from tuneworth.costs.traffic import stated_traffic

PRICE = Price("m", "table", None, ((-1, Rates(0.10, 0.50)),))
TERMS = Terms(
    machine=figure("machine", "usd/hour", 0.36),
    label=figure("label", "usd/label", 0.2),
    wage=figure("wage", "usd/hour", 60),
    retrained=figure("retrained", "1/month", 2),
    reindexed=figure("reindexed", "1/month", 4),
)
TRAFFIC = stated_traffic(figure("traffic.calls_per_month", "call/month", 50_000))


def rows(usd: float | None = 7.5e-5) -> list[Outcome]:
    usage = Usage(prompt_tokens=500, completion_tokens=50)
    return [Outcome(arm_id="a", row_id=str(n), stage="test", status="scored", latency_ms=100, usage=usage, usd=usd) for n in range(20)]  # fmt: skip


def of_lines(bill) -> dict[tuple[str, str], float]:
    return {(line.when, line.what): line.usd_a_month for line in Costs([bill], TRAFFIC).lines(bill.arm)}


def test_an_arm_of_a_service():
    made = Made(Spend(600, 10_000, 3.0), n_labels=100)
    hours = figure("hours.api", "hour", 4)
    bill = bill_of("api", rows(), {}, made, TERMS, price=PRICE, model="m", on_own_machine=False, hours=hours, ends_in_months=6)  # fmt: skip
    assert of_lines(bill) == pytest.approx(
        {
            ("call", "input"): 2.5,
            ("call", "output"): 1.25,
            ("once", "labels"): 20 / 12,
            ("once", "training"): 0.06 / 12,
            ("once", "charged"): 3 / 12,
            ("once", "work"): 240 / 12,
            ("update", "retrain"): 0.12,
            ("update", "charged"): 6.0,
            ("end", "training"): 0.06 / 12,
            ("end", "charged"): 3 / 12,
            ("end", "work"): 240 / 12,
        }
    )


def test_an_arm_on_a_machine_of_ones_own():
    made = Made(Spend(600), n_labels=100, index_seconds=90)
    bill = bill_of("local", rows(usd=0.0), {}, made, TERMS, on_own_machine=True)
    assert of_lines(bill) == pytest.approx(
        {
            ("once", "labels"): 20 / 12,
            ("once", "training"): 0.06 / 12,
            ("once", "index"): 0.009 / 12,
            ("update", "retrain"): 0.12,
            ("update", "index"): 0.036,
            ("month", "machines"): 0.36 * 730,
        }
    )


def test_what_nobody_stated_is_missing_and_what_is_not_needed_is_not():
    made = Made(Spend(600), n_labels=100)
    assert bill_of("local", rows(usd=0.0), {}, made, Terms(), on_own_machine=True).missing() == ("label", "machine")
    assert bill_of("api", rows(), {}, Made(), Terms(), price=PRICE, model="m", on_own_machine=False).missing() == ()
    unpriced = bill_of("new", rows(usd=None), {}, Made(Spend(usd=None)), Terms(), model="x/new", on_own_machine=False)
    assert unpriced.missing() == ("price.x/new.input", "price.x/new.output", "fit.usd.new")

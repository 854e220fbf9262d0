"""Costs against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneworth.core.outcome import Outcome, Usage
from tuneworth.costs.spend import Spend, arm_cost, machine_usd, spent_on

LATENCIES = [10.0, 20.0, 30.0, 40.0]
USAGES = [Usage(prompt_tokens=100, cached_tokens=80, completion_tokens=n) for n in (1, 2, 3, 6)]


def rows_of(latencies=LATENCIES, usages=USAGES, usd: float | None = 0.0) -> list[Outcome]:
    return [
        Outcome(arm_id="a", row_id=str(n), stage="dev", status="scored", latency_ms=ms, usage=usage, usd=usd)
        for n, (ms, usage) in enumerate(zip(latencies, usages, strict=True))
    ]


def cost_of(latencies=LATENCIES, usages=USAGES, price: float | None = 0.36, fit_seconds: float = 100.0, usd=0.0):
    return arm_cost(Spend(fit_seconds, 5000), rows_of(latencies, usages, usd), price)


def test_by_hand():
    cost = cost_of()
    assert cost.seconds_per_1k_rows == 25.0  # four rows took 0.1 s, a thousand take 25 s
    assert cost.latency_p50_ms == 25.0
    assert cost.latency_p95_ms == pytest.approx(38.5)
    assert (cost.prompt_tokens_per_row, cost.cached_tokens_per_row, cost.completion_tokens_per_row) == (100, 80, 3)
    assert cost.usd_per_1k_rows == pytest.approx(0.0025)  # 25 s at 0.0001 $/s
    assert cost.fit_usd == pytest.approx(0.01)
    assert (cost.fit_seconds, cost.fit_tokens) == (100.0, 5000)


def test_an_unknown_price_is_unknown_not_zero():
    cost = cost_of(price=None)
    assert cost.fit_usd is None
    assert cost.usd_per_1k_rows is None
    assert cost.seconds_per_1k_rows == 25.0


def test_what_a_service_charges_is_added_to_the_machine_and_unknown_charges_are_unknown():
    assert cost_of(usd=0.002).usd_per_1k_rows == pytest.approx(2.0025)
    assert cost_of(usd=None).usd_per_1k_rows is None
    assert cost_of(usd=None).fit_usd == pytest.approx(0.01)


def test_spends_add_up_and_what_is_not_known_stays_so():
    whole = Spend(1.0, 10, 0.5) + Spend(2.0, 20, 0.25)
    assert whole == Spend(3.0, 30, 0.75)
    assert (whole + Spend(usd=None)).usd is None
    assert whole.times(2) == Spend(6.0, 60, 1.5)
    assert whole.on_machine(3600.0).usd == pytest.approx(3.75)
    assert whole.on_machine(None).usd is None
    assert spent_on(rows_of(usd=0.1)) == Spend(0.1, 412, pytest.approx(0.4))
    assert spent_on([]) == Spend()


def test_limits():
    work = Spend(10.0, 5, 1.0)
    assert work.within()
    assert work.within(10.0, 1.0)
    assert not work.within(9.0)
    assert not work.within(None, 0.9)
    assert not Spend(usd=None).within(None, 1e9), "money that is not known is within no limit"
    assert Spend(usd=None).within(1.0)


def test_a_free_machine_costs_zero():
    assert cost_of(price=0.0).usd_per_1k_rows == 0.0


def test_without_rows_everything_about_rows_is_unknown():
    cost = cost_of(latencies=[], usages=[])
    assert cost.seconds_per_1k_rows is None
    assert cost.latency_p50_ms is None
    assert cost.latency_p95_ms is None
    assert cost.prompt_tokens_per_row is None
    assert cost.usd_per_1k_rows is None
    assert cost.fit_usd == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("given_arguments", "message"),
    [
        ({"latencies": [1.0, -1.0, 1.0, 1.0]}, r"latency_ms is -1\.0, must be finite and at least 0"),
        ({"latencies": [1.0, float("nan"), 1.0, 1.0]}, "latency_ms is nan"),
        ({"price": -0.5}, r"machine_usd_per_hour is -0\.5"),
        ({"fit_seconds": float("inf")}, "fit.seconds is inf"),
        ({"usd": -0.1}, r"usd is -0\.1"),
    ],
)
def test_impossible_amounts(given_arguments, message):
    with pytest.raises(ValueError, match=message):
        cost_of(**given_arguments)


@given(
    st.lists(st.floats(0, 1e5), min_size=1, max_size=50),
    st.floats(0, 100),
)
def test_money_is_the_price_of_the_busy_time(latencies, price):
    cost = arm_cost(Spend(), rows_of(latencies, [Usage()] * len(latencies)), price)
    busy_hours = sum(latencies) / 1000 / 3600
    assert cost.usd_per_1k_rows == pytest.approx(busy_hours * price / len(latencies) * 1000, abs=1e-12)
    assert cost.latency_p50_ms is not None
    assert cost.latency_p95_ms is not None
    assert min(latencies) <= cost.latency_p50_ms <= cost.latency_p95_ms <= np.nextafter(max(latencies), np.inf)


def test_machine_usd():
    assert machine_usd(3600, 2.5) == 2.5
    assert machine_usd(None, 2.5) is None
    assert machine_usd(10, None) is None

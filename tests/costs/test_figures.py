"""What people write as numbers, in the units of a bill."""

from __future__ import annotations

from datetime import date

import pytest

from tuneworth.costs.breakeven import break_even_calls, cache_pays_from
from tuneworth.costs.figures import Figure, figure, read_figure
from tuneworth.costs.traffic import read_traffic
from tuneworth.errors import InputError

DAY, MONTH = 24.0, 730.0


@pytest.mark.parametrize(
    ("written", "unit", "low", "high"),
    [
        ("50k", "call/month", 50_000, 50_000),
        ("5万", "call/month", 50_000, 50_000),
        ("1e6", "call/month", 1e6, 1e6),
        (50_000, "call/month", 50_000, 50_000),
        ("50,000", "call/month", 50_000, 50_000),
        ("50k/month", "call/month", 50_000, 50_000),
        ("5万次/月", "call/month", 50_000, 50_000),
        ("2000 per day", "call/month", 2000 * MONTH / DAY, 2000 * MONTH / DAY),
        ("每天2000次", "call/month", 2000 * MONTH / DAY, 2000 * MONTH / DAY),
        ("20k-50k/day", "call/month", 20_000 * MONTH / DAY, 50_000 * MONTH / DAY),
        ("10万-20万", "call/month", 100_000, 200_000),
        ("10-20万", "call/month", 100_000, 200_000),
        ("20-50k/day", "call/month", 20_000 * MONTH / DAY, 50_000 * MONTH / DAY),
        ("20k to 50k per day", "call/month", 20_000 * MONTH / DAY, 50_000 * MONTH / DAY),
        ("10–20 %", "share", 0.1, 0.2),
        ("¥7-14/h", "usd/hour", 1, 2),
        ("0.20-0.35 per label", "usd/label", 0.2, 0.35),
        ("$0.1-0.2/1M tokens", "usd/Mtok", 0.1, 0.2),
        ("100/s", "call/month", 100 * 3600 * MONTH, 100 * 3600 * MONTH),
        ("$0.20–0.35", "usd/label", 0.20, 0.35),
        ([0.2, "0.35"], "usd/label", 0.2, 0.35),
        ("0.2 per 1k", "usd/label", 0.0002, 0.0002),
        ("1.39/h", "usd/hour", 1.39, 1.39),
        ("$730 a month", "usd/hour", 1, 1),
        ("¥7/h", "usd/hour", 1, 1),
        ("$0.0005/1K tokens", "usd/Mtok", 0.5, 0.5),
        ("0.10/M", "usd/Mtok", 0.1, 0.1),
        ("1e-4-2e-4", "usd/call", 1e-4, 2e-4),
        ("20%", "share", 0.2, 0.2),
        (-0.1, "ratio", -0.1, -0.1),
    ],
)
def test_read(written, unit, low, high):
    read = read_figure(written, "it", unit, cny_per_usd=7.0)
    assert (read.low, read.high) == (pytest.approx(low), pytest.approx(high))


@pytest.mark.parametrize(
    ("written", "unit", "rule"),
    [
        ("-5", "usd/call", "must not be negative"),
        ("lots", "call/month", "no number"),
        (True, "share", "no number"),
        (None, "share", "no number"),
        ("nan", "share", "no number"),
        (float("inf"), "call/month", "no number"),
        ("3-2", "usd/hour", "lower number comes first"),
        ([1, 2, 3], "usd/hour", "one number, or two"),
        (1.2, "share", "more than 1"),
        ("1e15", "call/month", "check the unit"),
        ("50/token", "call/month", "does not go with calls a month"),
        ("0.10/h", "usd/Mtok", "does not go with dollars per million tokens"),
        ("5 EUR", "usd/hour", "does not go with dollars an hour"),
        ("¥5/h", "usd/hour", "no rate is known"),
    ],
)
def test_refused_with_the_rule_and_the_place(written, unit, rule):
    with pytest.raises(InputError, match=rule) as caught:
        read_figure(written, "it", unit, where="task.yaml:7 traffic.it")
    assert caught.value.problems[0].where == "task.yaml:7 traffic.it"
    assert caught.value.to("zh")


def test_an_unknown_figure_has_no_middle_and_a_rest_is_what_is_left():
    assert Figure("wage", "usd/hour").middle is None
    share = figure("hit", "share", 0.2, 0.4)
    assert (share.middle, share.others().middle) == (pytest.approx(0.3), pytest.approx(0.7))
    assert Figure("a", "1", 1, 1, read_on=date(2026, 8, 1)).age_days(date(2026, 12, 1)) == 122


@pytest.mark.parametrize("ends", [(-1, 1), (2, 1), (float("nan"), 1), (1, float("inf"))])
def test_a_figure_that_cannot_be_is_refused(ends):
    with pytest.raises(ValueError, match="the lower first"):
        figure("it", "usd/hour", *ends)


def test_all_that_is_wrong_in_traffic_is_told_at_once():
    section = {"calls_per_month": "-5", "shape": "weekend", "peak": 0.5, "month": 3, "months": 0, "growth_per_month": 5}
    with pytest.raises(InputError) as caught:
        read_traffic(section)
    assert {problem.where.removeprefix("traffic.") for problem in caught.value.problems} == section.keys()


def test_traffic_as_in_a_task_file():
    traffic = read_traffic({"calls_per_month": "5万", "shape": "office_hours", "share_repeated": 0.2})
    assert traffic.calls_per_month.middle == 50_000
    assert traffic.peak.middle == pytest.approx(168 / 45)
    assert (traffic.growth_per_month.middle, traffic.share_repeated.middle, traffic.months) == (0, 0.2, 12)


def test_a_cache_is_warm_more_often_when_calls_come_together():
    flat, office = (read_traffic({"calls_per_month": 5_000, "shape": shape}) for shape in ("flat", "office_hours"))
    assert flat.warm_share(300).middle == pytest.approx(1 - 2.718281828459045 ** (-5000 * 300 / 730 / 3600))
    assert office.warm_share(300).middle > flat.warm_share(300).middle
    assert flat.warm_share(300, calls=5e6).middle == pytest.approx(1)
    assert read_traffic({}).warm_share(300).middle is None


def test_break_even_and_the_cache():
    assert break_even_calls(100, 0.5) == 200
    assert break_even_calls(-1, 0.5) == 0
    assert break_even_calls(0, 0) == float("inf") == break_even_calls(1, -1)
    assert cache_pays_from(1.25, 0.1) == pytest.approx(0.217, abs=5e-4)
    assert (cache_pays_from(1, 0.5), cache_pays_from(2, 1)) == (0, float("inf"))

"""The page "Cost": what a reader sees of a run's costs, in both languages."""

from __future__ import annotations

import io
from datetime import date

import pytest
from rich.console import Console

from tuneworth.core.costs import ArmCosts, CostBar, CostEnds, CostFigure, CostLine, CostPair, CostRange, CostResult
from tuneworth.report.charts.cost import cost_chart
from tuneworth.report.html import render_html
from tuneworth.report.pages.cost import build_cost
from tuneworth.report.terminal import summary
from tuneworth.report.terminal.cost import cost_summary
from tuneworth.report.view import build_view

VOLUMES = [1_000.0, 10_000.0, 100_000.0, 1_000_000.0]


def around(value: float) -> CostRange:
    return CostRange(value=value, inner=CostEnds(low=0.9 * value, high=1.1 * value), outer=CostEnds(low=0.8 * value, high=1.2 * value))  # fmt: skip


def line(**parts) -> CostLine:
    usual = {"amount_unit": "label", "price_unit": "usd/label", "share": 1.0, "usd": None, "usd_a_month": None}
    return CostLine(**{**usual, **parts})


def costs(**changes) -> CostResult:
    head = ArmCosts(
        arm_id="head:c1",
        monthly=around(500.0),
        lines=[line(when="once", what="labels", amount=600, price=0.2, usd=120.0, usd_a_month=10.0)],
        curve=[around(500.0)] * 4,
        n_groups=40,
    )
    prompt = ArmCosts(arm_id="fewshot:b1", monthly=around(5.0), curve=[around(v / 1e4) for v in VOLUMES], n_groups=40)
    lora = ArmCosts(arm_id="lora:d1", missing=["machine"], lines=[line(when="month", what="machines", amount=1, price=None, missing=["machine"])])  # fmt: skip
    pair = CostPair(
        a="head:c1",
        b="fewshot:b1",
        cheaper_by=CostRange(value=-495.0, inner=CostEnds(low=-540.0, high=-450.0)),
        p_cheaper=0.02,
        turns="head:c1",
        break_even=CostRange(value=500_000.0, inner=CostEnds(low=400_000.0, high=None)),
        most=1e7,
        never=0.12,
        turns_again=0.0,
        pay_back=CostRange(value=None),
        tornado=[CostBar(name="machine", at_low=-300.0, at_high=200.0)],
    )
    values = {
        "priced_on": date(2026, 12, 1),
        "calls_per_month": 50_000.0,
        "months": 12,
        "figures": [CostFigure(name="price.openai/some.model.input", unit="usd/Mtok", low=0.1, high=0.1, stale=True)],
        "volumes": VOLUMES,
        "arms": [head, prompt, lora],
        "pairs": [pair],
        "cny_per_usd": CostFigure(name="cny_per_usd", unit="cny/usd", low=7.0, high=7.0, read_on=date(2026, 5, 8)),
    }
    return CostResult(**{**values, **changes})


@pytest.fixture
def priced(result):
    decision = result.decision.model_copy(update={"recommended": "head:c1", "runner_up": "fewshot:b1"})
    return result.model_copy(update={"costs": costs(), "decision": decision})


def test_who_costs_least_when_it_turns_and_what_is_not_known(priced):
    said = " ".join(build_cost(priced, "en").answer)
    assert "costs least of the finalists: $5.00 (4.50–5.50) a month" in said
    assert "costs $495 (450–540) a month more (probability 98\u00a0% that it is dearer)" in said
    assert "from 500,000 calls a month on (80 % interval 400,000 to beyond 10,000,000)" in said
    assert "is not known without an hour of the machine" in said
    assert "openai/some.model: tokens read" in said  # an old price


def test_in_chinese_yuan_stands_beside(priced):
    section = build_cost(priced, "zh")
    assert "¥35" in " ".join(section.answer)
    assert [row.yuan for row in section.arms if row.monthly.startswith("500")] == ["¥3,500"]
    assert "1 美元合 7 元人民币（2026-05-08）" in section.lead
    assert all(row.yuan == "" for row in build_cost(priced, "en").arms)


def test_without_a_volume_it_asks_for_one(result):
    arms = [arm.model_copy(update={"monthly": None}) for arm in costs().arms]
    section = build_cost(result.model_copy(update={"costs": costs(calls_per_month=None, arms=arms)}), "en")
    assert "--calls 50k" in section.answer[0]
    assert section.curves


def test_unknown_is_shown_as_unknown(priced):
    section = build_cost(priced, "en")
    [lora] = [each for each in section.sums if each.lines and each.lines[0][0] == "every month"]
    assert lora.total == "unknown"
    assert lora.lines[0][3:] == ("unknown", "unknown", "unknown")
    table = {row: cells for row, _, cells in section.table_c}
    at = [name for name, _ in section.choices].index("tuned, on your machine")
    assert table["C4"][at] == "unknown: an hour of the machine not stated"


def test_the_picture_has_a_line_for_each_known_arm_the_crossing_and_the_volume(priced):
    chart = cost_chart(build_view(priced, "en"))
    lines = [each for each in chart.data if each["mode"] == "lines" and "name" in each]
    assert len(lines) == 2
    [volume] = [each for each in chart.data if each["mode"] == "lines+text"]
    assert volume["x"] == [50_000.0, 50_000.0]
    [crossing] = [each for each in chart.data if each["mode"] == "markers"]
    assert crossing["x"] == [500_000.0]
    assert crossing["y"] == [pytest.approx(500.0)]
    assert (chart.layout["xaxis"]["type"], chart.layout["yaxis"]["type"]) == ("log", "log")


def test_a_run_without_costs_has_no_such_part(result):
    assert build_cost(result, "en") is None
    assert cost_chart(build_view(result, "en")) is None
    assert "en-money" not in render_html(result, lang="en")


def test_page_and_terminal_show_the_same_numbers(priced):
    page = render_html(priced, lang="en")
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(cost_summary(priced, "en"))
    shown = console.export_text()
    console.print(summary(priced, "en"))
    assert "costs least of the finalists" in console.export_text()
    for number in ("$500 (450–550)", "$495 more (450–540)", "$300 more", "$200 less"):
        assert number in page
        assert number in shown

"""A run that raced, as a whole: page, terminal, power, repeated trainings and the verdict "not yet"."""

from __future__ import annotations

import io
import json
import re
from dataclasses import asdict
from typing import Any, get_args

import plotly.graph_objects as go
import pytest
from report_race_samples import make_power, raced_arms, raced_result
from report_samples import make_advice, make_decision, make_result
from rich.cells import cell_len
from rich.console import Console
from test_report_html import Page, _without_names
from test_report_view import strings

from tuneworth.core.run import RunResult
from tuneworth.core.text import Lang
from tuneworth.report.charts import build_charts
from tuneworth.report.html import render_html
from tuneworth.report.pages.race import power_sentence
from tuneworth.report.terminal import summary
from tuneworth.report.view import build_view


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(render_html(raced_result(), lang="en"))


def shown(result: RunResult, lang: Lang, columns: int = 80) -> str:
    out = io.StringIO()
    Console(file=out, width=columns, highlight=False, no_color=True).print(summary(result, lang))
    return out.getvalue()


@pytest.mark.parametrize("lang", get_args(Lang))
def test_the_page_has_the_race_the_forecast_and_the_power(page, lang):
    view, text = build_view(raced_result(), lang), page.visible(lang)
    assert view.race is not None
    assert view.forecasts is not None
    for sentence in (view.race.spent, view.race.lead, view.race.promise, view.race.key, view.race.cut, view.power):
        assert sentence
        assert sentence in text
    for lane in view.race.lanes:
        for part in (lane.fate_word, lane.why, lane.reached, lane.trained_on, lane.score, lane.time, lane.saved):
            assert part in text
    for curve in view.forecasts.curves:
        assert curve.answer in text
        assert all(note in text for note in curve.notes)
    assert "X4" in text


def test_the_page_stays_well_formed_and_its_links_lead_somewhere(page):
    assert page.open == []
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    targets = {(attrs["href"] or "").removeprefix("#") for tag, attrs in page.elements if tag == "a"}
    assert {"en-race", "en-forecast", "zh-race", "zh-forecast"} <= targets <= set(ids)


def test_every_chart_has_its_place_and_words(page):
    figures = json.loads(page.scripts[0][1])
    places = {attrs["id"] for _, attrs in page.elements if attrs.get("class") == "plot"}
    assert places == {f"{lang}-chart-{chart['id']}" for lang in figures for chart in figures[lang]}
    assert [chart["id"] for chart in figures["en"]] == [
        "quality",
        "differences",
        "forecast-1",
        "forecast-2",
        "forecast-3",
        "speed",
        "race",
    ]
    assert all(chart["alt"] for charts in figures.values() for chart in charts)


@pytest.mark.parametrize("lang", get_args(Lang))
def test_plotly_accepts_every_chart_of_a_race(lang):
    for chart in build_charts(build_view(raced_result(), lang)):
        figure = go.Figure(data=_without_names(chart.data), layout=_without_names(chart.layout))
        assert len(figure.data) == len(chart.data)


def test_colours_of_the_bands_come_from_the_page():
    source = render_html(raced_result(), lang="en")
    drawn = json.dumps([asdict(chart) for chart in build_charts(build_view(raced_result(), "en"))])
    names = set(re.findall(r'"@([\w-]+)"', drawn))
    assert {"likely", "possible"} <= names
    # light, dark and print at least
    assert {name: source.count(f"--{name}:") for name in names if source.count(f"--{name}:") < 3} == {}


@pytest.mark.parametrize("lang", get_args(Lang))
def test_nothing_python_is_shown(page, lang):
    assert not re.search(r"\b(None|nan|NaN|inf|undefined)\b", page.visible(lang).replace('"loss": NaN', ""))


def test_chinese_has_no_english_sentence():
    view = build_view(raced_result(advice=make_advice()), "zh")
    told = "\n".join(strings([asdict(part) for part in (view.race, view.forecasts) if part] + [view.power]))
    told = re.sub(r"“[^”]*”", "", told)
    assert re.findall(r"[A-Za-z]+ [A-Za-z]+ [A-Za-z]+", told) == []
    assert "  " not in told
    assert re.findall(r"[\u4e00-\u9fff][,.;:?!]", told) == []
    assert re.findall(r"[\u4e00-\u9fff] [\u4e00-\u9fff]", told) == []


def test_old_results_are_shown_as_before():
    old = make_result()
    view = build_view(old, "en")
    assert (view.race, view.forecasts, view.power) == (None, None, "")
    text = Page(render_html(old, lang="en")).visible("en")
    for word in ("The race", "More data", "Stopped early", "trainings", "e-value"):
        assert word not in text
    assert "Race and forecast" not in shown(old, "en")


@pytest.mark.parametrize("lang", get_args(Lang))
@pytest.mark.parametrize("columns", [60, 80, 120])
def test_the_terminal_keeps_its_width(lang, columns):
    assert max(cell_len(line) for line in shown(raced_result(), lang, columns).splitlines()) <= columns


@pytest.mark.parametrize(("verdict", "lines"), [("not_yet", 2), ("dont_fine_tune", 2), ("cant_tell", 3)])
def test_the_terminal_has_three_lines_at_most_and_power_only_in_doubt(verdict, lines):
    decision = make_decision(verdict=verdict, rows=640)
    text = shown(raced_result(decision=decision), "en", 400)
    part = text.partition("Race and forecast")[2].partition("What was skipped")[0]
    assert part.count("•") == lines
    assert ("What these rows can show" in part) is (verdict == "cant_tell")
    assert "Spent 8\u00a0min 59\u00a0s of an estimated" in part
    assert "About 32,000 more labelled rows" in part


def test_repeated_trainings_show_their_scores_and_how_far_they_are_apart():
    arm = next(arm for arm in build_view(raced_result(), "en").arms if arm.arm_id == "lora:d1")
    assert arm.trainings == "3 trainings: 75.1–78.1"
    assert arm.notes[0].startswith(
        "Trained 3 times with different seeds: 76.8\u00a0%, 75.1\u00a0%, 78.1\u00a0% on the test rows, 3 points apart."
    )
    assert "3 trainings: 75.1–78.1" in shown(raced_result(), "en", 160)
    quality = build_charts(build_view(raced_result(), "en"))[0]
    again = next(trace for trace in quality.data if trace.get("name") == "further trainings")
    assert again["x"] == pytest.approx([75.1, 78.1])


def test_one_training_has_no_spread():
    assert all(arm.trainings == "" for arm in build_view(make_result(), "en").arms)


def test_a_score_on_few_rows_says_so():
    arms = {arm.arm_id: arm for arm in build_view(raced_result(), "en").arms}
    assert arms["prompt:a2"].seen == "32 of 200 rows"
    assert arms["prompt:a2"].stage_word == "stopped early"
    assert arms["head:c1"].seen == ""
    assert arms["head:c1"].stage_word == "finalist"


def test_a_score_after_part_of_the_training_rows_says_so():
    told = {lang: {arm.arm_id: arm.part for arm in build_view(raced_result(), lang).arms} for lang in ("en", "zh")}
    assert told["en"]["lora:d3"] == "trained on 500 of 1,000 rows"
    assert told["zh"]["lora:d3"] == "只用 500/1,000 条训练"
    assert {text for arm_id, text in told["en"].items() if arm_id != "lora:d3"} == {""}
    assert "trained on 500 of 1,000 rows" in shown(raced_result(), "en", 160)


def test_rows_that_failed_were_looked_at_too():
    arms = raced_arms()
    few = arms[4].dev["accuracy"].model_copy(update={"n_rows": 197})
    failed = arms[4].dev_counts.model_copy(update={"scored": 197, "failed": 3})
    arms[4] = arms[4].model_copy(update={"dev": {"accuracy": few}, "dev_counts": failed})
    shown_arm = next(arm for arm in build_view(raced_result(arms=arms), "en").arms if arm.arm_id == "fewshot:b1")
    assert shown_arm.seen == ""


@pytest.mark.parametrize(
    ("changes", "en", "zh"),
    [
        ({}, "would take about 2,900 test rows", "约需 2,900 条测试数据"),
        ({"rows_for_margin": None}, "more than 100,000 test rows", "100,000 条以上"),
        ({"rows_for_margin": 250}, "That includes a difference of the margin", "的差异也能分辨出来"),
    ],
)
def test_power_says_what_the_rows_can_show_and_what_it_assumes(changes: dict[str, Any], en, zh):
    said = power_sentence(make_power(**changes))
    assert en in said.en
    assert zh in said.zh
    assert "6.3 points are told apart on the 300 test rows with 80\u00a0% probability" in said.en
    assert "15\u00a0% of the rows" in said.en
    assert "15% 的数据" in said.zh


@pytest.mark.parametrize(
    ("lang", "word", "rows", "sure"),
    [
        ("en", "Not yet", "about 32,000 more training rows", "A forecast, not a measurement"),
        ("zh", "先别微调", "再补充约 32,000 条训练数据", "依据预测，尚未实测"),
    ],
)
def test_not_yet_reads_right_everywhere(page, lang, word, rows, sure):
    view = build_view(raced_result(), lang)
    assert (view.verdict.word, view.verdict.rows and view.verdict.rows.value) == (word, rows)
    assert view.verdict.facts[2].value == sure
    assert [fact.name for fact, current in view.meanings if current] == [word]
    for text in (page.visible(lang), shown(raced_result(), lang)):
        assert all(part in text for part in (word, rows, sure))

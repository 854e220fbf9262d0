"""The HTML report: complete, escaped, self-contained, in both languages."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import asdict
from html.parser import HTMLParser
from typing import Any, get_args

import plotly.graph_objects as go
import pytest
from report_samples import EVIL, EVIL_ATTRIBUTE, EVIL_PLOTLY, make_arms, make_decision, make_result

from tuneworth.core.run import Verdict
from tuneworth.core.text import Lang, Text
from tuneworth.errors import EnvironmentProblem
from tuneworth.report.charts import build_charts
from tuneworth.report.charts.speed import speed_chart
from tuneworth.report.html import render_html, write_html
from tuneworth.report.view import build_view
from tuneworth.words.say import say

VOID = {"meta", "link", "img", "br", "hr", "input"}


class Page(HTMLParser):
    """The page as a browser sees it: elements, attributes, visible text by language, scripts."""

    def __init__(self, source: str):
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: dict[str, list[str]] = {"en": [], "zh": []}
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.open: list[str] = []
        self.lang = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.elements.append((tag, values))
        if values.get("class") == "page":
            self.lang = values["id"] or ""
        if tag == "script":
            self.scripts.append((values, ""))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            attrs, source = self.scripts[-1]
            self.scripts[-1] = (attrs, source + data)
        elif self.lang:
            self.text[self.lang].append(data)

    def visible(self, lang: str) -> str:
        return " ".join(self.text[lang])


@pytest.fixture(scope="module")
def source() -> str:
    return render_html(make_result(), lang="en")


@pytest.fixture(scope="module")
def page(source: str) -> Page:
    return Page(source)


def test_every_element_is_closed(page):
    assert page.open == []


def test_only_our_scripts_exist_and_the_policy_names_them(page):
    assert len(page.scripts) == 3
    policy = next(a["content"] for t, a in page.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy
    for attrs, code in page.scripts:
        if attrs.get("type") == "application/json":
            continue
        digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert "unsafe-inline" not in policy.partition("style-src")[0]
    assert "unsafe-eval" not in policy


def test_evil_strings_are_text_and_nothing_else(page):
    assert not [a for tag, a in page.elements if tag in ("img", "iframe", "object", "link", "base", "form")]
    assert not [name for _, attrs in page.elements for name in attrs if name.startswith("on")]
    for lang in get_args(Lang):
        assert EVIL in page.visible(lang)
        assert EVIL_ATTRIBUTE in page.visible(lang)
        assert "{{ 7 * 7 }} {% raw %}" in page.visible(lang)


def test_evil_task_name_stays_inside_its_attribute():
    task = make_result().task.model_copy(update={"name": EVIL_ATTRIBUTE + EVIL})
    page = Page(render_html(make_result(task=task), lang="zh"))
    titles = [attrs["data-title"] for _, attrs in page.elements if "data-title" in attrs]
    assert all((EVIL_ATTRIBUTE + EVIL) in (title or "") for title in titles)
    assert not [name for _, attrs in page.elements for name in attrs if name.startswith("on")]


def test_nothing_is_fetched(page, source):
    for tag, attrs in page.elements:
        assert "src" not in attrs, tag
        assert not (attrs.get("href") or "#").strip().startswith(("http", "//", "data:", "javascript:")), tag
        assert "url(" not in (attrs.get("style") or "")
    style = re.search(r"<style>(.*?)</style>", source, re.S)
    assert style is not None
    assert "url(" not in style[1]
    assert "@import" not in style[1]


@pytest.mark.parametrize("lang", get_args(Lang))
def test_every_part_is_there(page, lang):
    view = build_view(make_result(), lang)
    shown = page.visible(lang)
    for arm in (*view.arms, *view.skipped):
        assert arm.label in shown
    for arm in view.arms:
        for cell in (arm.per_row, arm.alone, arm.usd_per_1k, arm.fit_time, *arm.notes):
            assert cell in shown
        for side in (arm.dev, arm.test):
            assert side is None or (side.value in shown and side.interval in shown)
    for pair in view.comparisons:
        assert pair.difference in shown
        assert pair.interval in shown
    parts = (*view.verdict.reasons, *view.verdict.would_change, *view.data.inferred, *view.data.warnings)
    for sentence in (view.verdict.headline, *parts, *(item.why for item in view.seed)):
        assert sentence in shown
    hero = shown[: shown.index(view.verdict.reasons[0])]
    assert all(doubt in hero for doubt in view.verdict.doubts)
    assert len(view.verdict.doubts) == 1
    for group in view.record:
        assert all(fact.value in shown for fact in group.facts)


@pytest.mark.parametrize("lang", get_args(Lang))
def test_nothing_python_is_shown(page, lang):
    shown = page.visible(lang).replace('"loss": NaN', "")
    assert not re.search(r"\b(None|nan|NaN|inf|undefined)\b", shown)


@pytest.mark.parametrize("lang", get_args(Lang))
@pytest.mark.parametrize("verdict", get_args(Verdict))
def test_every_verdict_renders_in_both_languages(verdict, lang):
    result = make_result(decision=make_decision(verdict=verdict, rows=500))
    page = Page(render_html(result, lang=lang))
    for each in get_args(Lang):
        heading = say(f"verdict_page.words.{verdict}").to(each)
        assert heading in page.visible(each)
    shown = [attrs["id"] for _, attrs in page.elements if attrs.get("class") == "page" and "hidden" not in attrs]
    assert shown == [lang]


def test_a_run_with_nothing_measured_renders():
    arms = [arm for arm in make_arms() if arm.state != "measured"]
    decision = make_decision(recommended=None, runner_up=None, seed_rows=[], reasons=[], would_change=[])
    result = make_result(arms=arms, comparisons=[], decision=decision, disagreements=[], classes=[])
    page = Page(render_html(result, lang="en"))
    assert json.loads(page.scripts[0][1]) == {"en": [], "zh": []}
    assert "No pair of arms was compared" in page.visible("en")


def test_ids_are_unique_and_links_lead_somewhere(page):
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    targets = [attrs["href"] for tag, attrs in page.elements if tag == "a"]
    assert targets
    assert {(target or "").removeprefix("#") for target in targets} <= set(ids)
    named = [attrs["aria-labelledby"] for _, attrs in page.elements if "aria-labelledby" in attrs]
    assert set(named) <= set(ids)


def test_charts_have_words_for_those_who_cannot_see_them(page):
    figures = [attrs for tag, attrs in page.elements if tag == "figure"]
    assert len(figures) == 6
    assert all(attrs.get("role") == "img" and attrs.get("aria-label") for attrs in figures)
    headers = [attrs for tag, attrs in page.elements if tag == "th"]
    assert all(attrs.get("scope") in ("col", "row", "rowgroup") for attrs in headers)


def _without_names(value: Any) -> Any:
    """Colour names such as ``@accent`` belong to the page; Plotly sees real colours."""
    if isinstance(value, dict):
        return {key: _without_names(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_names(item) for item in value]
    return "#123456" if isinstance(value, str) and value.startswith("@") else value


@pytest.mark.parametrize("lang", get_args(Lang))
def test_plotly_accepts_every_chart(result, lang):
    charts = build_charts(build_view(result, lang))
    assert [chart.id for chart in charts] == ["quality", "differences", "speed"]
    for chart in charts:
        figure = go.Figure(data=_without_names(chart.data), layout=_without_names(chart.layout))
        assert len(list(figure.data)) == len(chart.data)  # pyright: ignore[reportArgumentType]


def test_charts_show_evil_labels_as_text():
    arms = make_arms()
    title = Text(en=EVIL_PLOTLY, zh=EVIL_PLOTLY)
    arms[6] = arms[6].model_copy(update={"title": title})
    charts = build_charts(build_view(make_result(arms=arms), "en"))
    drawn = json.dumps([asdict(chart) | {"alt": ""} for chart in charts])
    assert "&lt;a href=" in drawn
    assert "<a" not in drawn
    assert "hovertemplate" not in drawn


def test_chart_data_cannot_end_its_script_element():
    arms = make_arms()
    arms[6] = arms[6].model_copy(update={"title": Text(en=EVIL, zh=f"<!-- {EVIL} \u2028")})
    page = Page(render_html(make_result(arms=arms), lang="en"))
    assert len(page.scripts) == 3
    figures = json.loads(page.scripts[0][1])
    assert EVIL in figures["en"][0]["alt"]
    assert "<" not in page.scripts[0][1]


def test_colours_come_from_the_page(source, result):
    drawn = json.dumps([asdict(chart) for chart in build_charts(build_view(result, "en"))])
    names = set(re.findall(r'"@(\w+)"', drawn))
    assert names
    assert all(f"--{name}:" in source for name in names)


def test_yardsticks_and_dev_scores_look_different_from_test_scores(result):
    chart = build_charts(build_view(result, "en"))[0]
    markers = {trace["name"]: trace["marker"] for trace in chart.data if trace["mode"] == "markers"}
    assert set(markers) == {"recommended", "test rows", "dev rows", "yardstick"}
    assert markers["test rows"]["color"] != markers["dev rows"]["color"]
    assert markers["dev rows"]["color"] == "@surface"
    assert [t["line"]["dash"] for t in chart.data if t["mode"] == "lines"] == ["solid", "solid", "solid", "dot"]


def test_names_in_the_speed_chart_never_sit_on_a_bubble(result):
    arms = [arm.model_copy(update={"arm_id": f"a{i}"}) for i, arm in enumerate([make_arms()[2]] * 30)]
    crowd = speed_chart(build_view(make_result(arms=arms), "en"))
    alone = speed_chart(build_view(make_result(arms=arms[:1]), "en"))
    assert crowd is not None
    assert alone is not None
    assert len(alone.layout["annotations"]) == 1
    assert len(crowd.layout["annotations"]) <= 4  # one above, below, left and right of the pile


def test_time_that_is_unknown_or_zero_has_no_place_on_a_log_axis(result):
    arms = [
        arm.model_copy(update={"cost": arm.cost.model_copy(update={"seconds_per_1k_rows": ms})})
        for arm, ms in zip(make_arms()[:3], (None, 0.0, 12.0))
    ]
    chart = speed_chart(build_view(make_result(arms=arms), "en"))
    assert chart is not None
    assert [trace["x"] for trace in chart.data] == [[12.0]]


def test_write_replaces_the_whole_file_and_leaves_nothing_else(tmp_path, result):
    path = tmp_path / "report.html"
    path.write_text("old")
    write_html(result, path, lang="zh")
    assert path.read_text(encoding="utf-8") == render_html(result, lang="zh")
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]


def test_a_report_that_cannot_be_written_says_where_and_what_to_do(tmp_path, result):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(EnvironmentProblem, match=r"report\.html: the report cannot be written") as caught:
        write_html(result, blocked / "report.html", lang="en")
    assert "无法写入报告" in caught.value.to("zh")
    assert caught.value.exit_code == 2

"""The page on documents: complete in both languages, passages stay data, runs without documents stay as they were."""

from __future__ import annotations

import io
import json
import re
from dataclasses import asdict
from typing import Any, get_args

import plotly.graph_objects as go
import pytest
from report_documents_samples import EVIL, EVIL_ATTRIBUTE, LEADER, ORDER, documents_result, loss, make_documents
from report_race_samples import raced_result
from report_samples import make_decision, make_result
from rich.cells import cell_len
from rich.console import Console
from test_report_html import Page, _without_names
from test_report_view import strings

from tuneworth.core.knowledge import DocumentsResult, IndexFacts, ReadingExample, ShownPassage
from tuneworth.core.run import RunResult
from tuneworth.core.text import Lang
from tuneworth.report.charts import build_charts
from tuneworth.report.charts.documents import MAX_ARMS
from tuneworth.report.html import render_html
from tuneworth.report.terminal import summary
from tuneworth.report.view import View, build_view

BARE = DocumentsResult(
    index=IndexFacts(n_documents=3, n_passages=3, passage_tokens=256, encoder=None, seconds=0.2),
    knowledge_every_days=None,
)


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(render_html(documents_result(), lang="en"))


def section_of(view: View) -> Any:
    assert view.documents is not None
    return view.documents


def shown(result: RunResult, lang: Lang, columns: int = 80) -> str:
    out = io.StringIO()
    Console(file=out, width=columns, highlight=False, no_color=True).print(summary(result, lang))
    return out.getvalue()


def without_data(value: Any) -> Any:
    """What the page says of its own: not the names of arms, not the rows and files."""
    if isinstance(value, dict):
        kept = {key: each for key, each in value.items() if key not in ("arm", "examples", "problems", "encoder")}
        return {key: without_data(each) for key, each in kept.items()}
    return [without_data(each) for each in value] if isinstance(value, list | tuple) else value


@pytest.mark.parametrize("lang", get_args(Lang))
def test_everything_in_the_view_is_on_the_page(page, lang):
    section, text = section_of(build_view(documents_result(), lang)), page.visible(lang)
    told = (section.answer, section.lost, section.found, section.renewed, section.updating, section.often)
    for sentence in (*told, section.judged, section.ages_by, *section.problems, *section.brief[:4]):
        assert sentence
        assert sentence in text
    arms = (section.losses, section.ages, section.updates, section.grounding, section.abstaining, section.injection)
    cells = [cell for rows in arms for row in rows for cell in row.cells.values()]
    for cell in (*cells, *(cell for row in section.recalls for cell in (*row.cells, row.mrr, row.ndcg))):
        assert all(part in text for part in (cell.value, cell.interval, cell.note))
    for example in section.examples:
        for part in (example.cause_word, example.question, example.reference, example.answer):
            assert part in text


def test_a_planted_script_stays_text(page):
    for lang in get_args(Lang):
        assert f"{ORDER} {EVIL} {EVIL_ATTRIBUTE}" in page.visible(lang)
    assert len(page.scripts) == 3
    assert not [attrs for tag, attrs in page.elements if tag in ("img", "iframe", "object", "form")]
    assert not [name for _, attrs in page.elements for name in attrs if name.startswith("on")]


def test_terminal_codes_and_markup_in_a_passage_are_disarmed():
    passage = ShownPassage(id="d1#0", title="\x1b[31mred", text="a \u202ereversed \ud800 b", right=True)
    example = ReadingExample(
        arm_id=LEADER, row_id="q", question="?", reference="!", answer="", score=0.5, cause="right", passages=[passage]
    )
    view = build_view(documents_result(documents=make_documents(examples=[example])), "en")
    shown_passage = section_of(view).examples[0].passages[0]
    assert shown_passage.title == "\ufffd[31mred"
    assert shown_passage.text == "a \ufffdreversed \ufffd b"


def test_the_page_is_well_formed_and_its_contents_lead_to_it(page):
    assert page.open == []
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    targets = {(attrs["href"] or "").removeprefix("#") for tag, attrs in page.elements if tag == "a"}
    assert {"en-documents", "zh-documents"} <= targets <= set(ids)


def test_examples_are_folded_and_mark_the_right_and_the_cited_passages(page):
    folds = [attrs for tag, attrs in page.elements if tag == "details" and attrs.get("class") == "example"]
    assert len(folds) == 2 * len(make_documents().examples)
    assert not [attrs for attrs in folds if "open" in attrs]
    found = section_of(build_view(documents_result(), "en")).examples
    marks = [[(p.right, p.cited) for p in example.passages] for example in found]
    assert marks[0] == [(True, False), (False, True), (False, False)]
    assert marks[1] == [(False, False), (False, False), (True, True)]
    assert page.visible("en").count("✓ right passage") == 2
    assert page.visible("zh").count("✓ 正确段落") == 2
    assert [example.cause_word for example in found] == ["found, but misread", "right", "not found", "cause unknown"]


@pytest.mark.parametrize("lang", get_args(Lang))
def test_every_chart_has_a_place_and_plotly_accepts_it(page, lang):
    charts = build_charts(build_view(documents_result(), lang))
    assert [chart.id for chart in charts] == ["quality", "differences", "loss", "recall", "ages", "speed"]
    places = {attrs["id"] for _, attrs in page.elements if attrs.get("class") == "plot"}
    for chart in charts:
        assert f"{lang}-chart-{chart.id}" in places
        assert chart.alt
        figure = go.Figure(data=_without_names(chart.data), layout=_without_names(chart.layout))
        assert len(figure.data) == len(chart.data)


def test_evil_names_are_escaped_for_plotly():
    arms = [
        arm.model_copy(update={"title": arm.title.__class__(en=EVIL, zh=EVIL)}) if arm.arm_id == LEADER else arm
        for arm in documents_result().arms
    ]
    charts = build_charts(build_view(documents_result(arms=arms), "en"))
    drawn = json.dumps([asdict(chart) | {"alt": ""} for chart in charts if chart.id in ("loss", "ages")])
    assert "&lt;/script" in drawn
    assert "<script" not in drawn
    assert "<img" not in drawn


def test_colours_are_those_of_the_page():
    source = render_html(documents_result(), lang="en")
    names = set(
        re.findall(r'"@([\w-]+)"', json.dumps([asdict(c) for c in build_charts(build_view(documents_result(), "en"))]))
    )
    assert "on-accent" in names
    assert {name: source.count(f"--{name}:") for name in names if source.count(f"--{name}:") < 3} == {}


@pytest.mark.parametrize("result", [documents_result(), documents_result(documents=BARE)], ids=["full", "bare"])
@pytest.mark.parametrize("lang", get_args(Lang))
def test_nothing_python_is_shown(result, lang):
    text = Page(render_html(result, lang=lang)).visible(lang).replace('"loss": NaN', "")
    assert not re.search(r"\b(None|nan|NaN|inf|undefined|True|False)\b", text)


def test_chinese_is_chinese():
    section = build_view(documents_result(), "zh").documents
    assert section is not None
    told = without_data(asdict(section))
    lines = "\n".join(strings(told))
    lines = re.sub(r"“[^”]*”", "“方案”", lines)
    assert re.findall(r"[A-Za-z]+ [A-Za-z]+ [A-Za-z]+", lines) == []
    assert re.findall(r"[\u4e00-\u9fff][,.;:?!]", lines) == []
    assert re.findall(r"[\u4e00-\u9fff] [\u4e00-\u9fff]", lines) == []
    assert re.findall(r"）[ ]|[ ]（|  ", lines) == []
    assert re.findall(r"[\u4e00-\u9fff][A-Za-z0-9]|[A-Za-z0-9][\u4e00-\u9fff]", lines) == []


def test_arms_that_read_are_told_apart_and_the_oracle_is_no_candidate(page):
    arms = {arm.arm_id: arm for arm in build_view(documents_result(), "en").arms}
    assert [arm.arm_id for arm in arms.values() if arm.reads] == [LEADER, "rag:d1", "rag:d2"]
    assert [arm.arm_id for arm in arms.values() if arm.bound] == ["oracle:e1"]
    assert arms["oracle:e1"].notes[0].endswith("Never recommended.")
    assert "upper bound of retrieval" in page.visible("en")
    assert "检索上限" in page.visible("zh")
    assert "upper bound of retrieval" in shown(documents_result(), "en", 160)
    assert all(row.arm.arm_id != "oracle:e1" for row in section_of(build_view(documents_result(), "en")).losses)


@pytest.mark.parametrize("lang", get_args(Lang))
@pytest.mark.parametrize("columns", [60, 80, 120])
def test_the_terminal_has_a_few_lines_and_keeps_its_width(lang, columns):
    text = shown(documents_result(), lang, columns)
    assert max(cell_len(line) for line in text.splitlines()) <= columns
    section = section_of(build_view(documents_result(), lang))
    assert 3 <= len(section.brief) <= 5
    assert section.words["documents"] in text


def test_a_run_without_documents_is_shown_as_before():
    old = make_result()
    view = build_view(old, "en")
    assert view.documents is None
    assert not [arm for arm in view.arms if arm.reads or arm.bound]
    source = render_html(old, lang="en")
    for word in ("-documents", 'class="documents"', 'tag reads"', "Upper bound"):
        assert word not in source.partition("</style>")[2].partition('id="figures"')[0]
    assert "Documents" not in shown(old, "en")
    assert [chart.id for chart in build_charts(view)] == ["quality", "differences", "speed"]


@pytest.mark.parametrize("lang", get_args(Lang))
def test_an_index_alone_makes_a_short_section(lang):
    result = documents_result(documents=BARE, decision=make_decision())
    view = build_view(result, lang)
    section = section_of(view)
    assert (section.answer, section.lost, section.found) == ("", "", "")
    assert section.brief == (section.words["no_judge"],)
    assert section.words["no_encoder"] == section.encoder
    assert [chart.id for chart in build_charts(view)] == ["quality", "differences", "speed"]
    text = Page(render_html(result, lang=lang)).visible(lang)
    assert section.words["documents"] in text
    for part in ("loss", "recall", "ages", "updates", "grounding", "injection", "examples"):
        assert section.words[f"{part}_lead" if f"{part}_lead" in section.words else part] not in text


def test_many_arms_are_folded_and_the_chart_stays_readable():
    base = documents_result()
    reader = next(arm for arm in base.arms if arm.arm_id == "rag:d2")
    more = [reader.model_copy(update={"arm_id": f"rag:z{at:02}"}) for at in range(20)]
    splits = [*make_documents().losses, *(loss(arm.arm_id, "dev", 32, 30, 0.3, 0.1) for arm in more)]
    result = documents_result(arms=[*base.arms, *more], documents=make_documents(losses=splits))
    text = Page(render_html(result, lang="en")).visible("en")
    assert "Show the other arms (13)" in text
    drawn = next(chart for chart in build_charts(build_view(result, "en")) if chart.id == "loss")
    assert len(drawn.rows) == MAX_ARMS < len(splits)


@pytest.mark.parametrize("lang", get_args(Lang))
def test_the_harmless_remark_is_explained_where_it_was_tried(lang):
    with_control, words = (
        render_html(documents_result(), lang=lang),
        section_of(build_view(documents_result(), lang)).words,
    )
    orders = [each.model_copy(update={"control": None}) for each in make_documents().injection]
    without = render_html(documents_result(documents=make_documents(injection=orders)), lang=lang)
    for word in (words["control"], words["control_lead"]):
        assert word in with_control
        assert word not in without
    assert words["injection_lead"] in without


@pytest.mark.parametrize("lang", get_args(Lang))
def test_ranks_are_explained_where_they_were_measured(lang):
    words = section_of(build_view(documents_result(), lang)).words
    recalls = [each.model_copy(update={"mrr": None, "ndcg": None}) for each in make_documents().recalls]
    assert words["ranks_key"] in render_html(documents_result(), lang=lang)
    assert words["ranks_key"] not in render_html(documents_result(documents=make_documents(recalls=recalls)), lang=lang)


@pytest.mark.parametrize("result", [documents_result(), raced_result()], ids=["documents", "raced"])
def test_chinese_axes_have_chinese_punctuation(result):
    axes = [
        chart.layout[axis].get("title")
        for chart in build_charts(build_view(result, "zh"))
        for axis in ("xaxis", "yaxis")
    ]
    titles = [title["text"] for title in axes if title]
    assert len(titles) > 5
    assert not [title for title in titles if "," in title]


@pytest.mark.parametrize(
    ("lang", "words"), [("en", "Which passage is right is not known"), ("zh", "无法知道哪些段落是对的")]
)
def test_where_no_right_passage_is_known_it_says_why_nothing_is_told_of_the_search(lang, words):
    assert words in render_html(make_result(documents=BARE), lang=lang)
    assert words not in render_html(documents_result(), lang=lang)

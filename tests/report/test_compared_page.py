"""The page and the terminal table of a comparison: complete, escaped, in both languages."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from tuneworth.core.compared import Compared, System
from tuneworth.core.record import Interval, Score
from tuneworth.core.run import ArmCost, Comparison, RowView
from tuneworth.core.text import Text
from tuneworth.report.html import render_compared
from tuneworth.report.pages.compared import build_compared_view
from tuneworth.report.terminal.compared import compared_summary

EVIL = "<script>alert(1)</script>[red]\u202e"


def score(value: float) -> Score:
    return Score(value=value, interval=Interval(low=value - 0.05, high=value + 0.05), n_rows=300)


def pair(metric: str, difference: float, answer: str, needed: int | None = None) -> Comparison:
    return Comparison(
        a="base",
        b=EVIL,
        metric=metric,
        method="mcnemar_exact",
        difference=difference,
        interval=Interval(low=difference - 0.03, high=difference + 0.03),
        p_value=0.001,
        p_adjusted=0.002,
        n_rows=300,
        wins=10,
        losses=40,
        ties=250,
        margin=0.02,
        answer=answer,  # pyright: ignore[reportArgumentType]
        rows_needed=needed,
    )


@pytest.fixture
def result() -> Compared:
    cost = ArmCost(prompt_tokens_per_row=120, completion_tokens_per_row=9.5, usd_per_1k_rows=1.25, latency_p50_ms=300)
    base = System(
        name="base",
        file="base.jsonl",
        tool="rows",
        n_rows=310,
        n_answers=310,
        n_unpaired=10,
        unpaired=[f"base.jsonl:{n}" for n in range(1, 10)],
        scores={"accuracy": score(0.7), "tone": score(0.6)},
    )
    other = System(
        name=EVIL, file="x.eval", tool="inspect", n_rows=300, n_answers=300, scores={"accuracy": score(0.8)}, cost=cost
    )
    return Compared(
        version="0",
        files={"base.jsonl": "0", "x.eval": "1"},
        systems=[base, other],
        metrics=["accuracy", "tone"],
        primary_metric="accuracy",
        margin=0.02,
        paired_by="id",
        n_rows=300,
        group="user_id",
        n_groups=60,
        comparisons=[pair("accuracy", -0.1, "worse"), pair("tone", 0.01, "cant_tell", 2_300)],
        standing="best",
        first=EVIL,
        headline=Text(en=f"{EVIL} is better", zh=f"{EVIL} 更好"),
        notes=[Text(en="a note", zh="一条说明")],
        doubts=[Text(en="a doubt", zh="一点疑问")],
        disagreements=[
            RowView(
                row_id="1",
                source="base.jsonl:1",
                text=EVIL,
                reference="b",
                answers={"base": "a", EVIL: "b"},
                scores={"base": 0.0, EVIL: 1.0},
            )
        ],
    )


def test_the_first_system_stands_first_and_every_number_is_shown(result):
    view = build_compared_view(result, "en")
    assert [arm.number for arm in view.arms] == [1, 2]
    assert view.arms[0].recommended
    assert view.arms[0].label.startswith("<script>")
    assert view.arms[0].scores[1] is None
    assert (view.arms[0].tokens_in, view.arms[0].usd_per_1k, view.arms[1].tokens_in) == ("120", "$1.25", "–")
    assert view.strip[:3] == ("300 rows in all files", "60 groups by user_id", "comparisons, adjusted by Holm: 2")
    assert view.comparisons[1].rows_needed == "2,300"
    assert view.arms[1].unpaired.endswith("base.jsonl:9, …")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_has_both_languages_and_escapes_what_files_say(result, lang):
    page = render_compared(result, lang=lang)
    assert "<script>alert" not in page
    assert "\u202e" not in page
    for part in ("a doubt", "一点疑问", "a note", "一条说明", "Where the systems disagree", "各系统分歧之处", "$1.25"):
        assert part in page
    figures = re.search(r'id="figures">(.*?)</script>', page, re.DOTALL)
    assert figures is not None
    assert figures[1].count('"differences"') == 2, "one chart a language"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_terminal_shows_the_same_within_80_columns(result, lang):
    file = io.StringIO()
    Console(file=file, width=80, highlight=False, color_system=None).print(
        compared_summary(result, lang, Path("told/report.html"))
    )
    shown = file.getvalue()
    assert all(len(line) <= 80 for line in shown.splitlines())
    for part in ("base", "−10.0", "2,300", "$1.25", "told/report.html"):
        assert part in shown

"""The terminal summary at 80 columns, without colour, with hostile strings."""

from __future__ import annotations

import io
from pathlib import Path
from typing import get_args

import pytest
from report_samples import DOUBT, EVIL_TERMINAL, make_arms, make_decision, make_result
from rich.cells import cell_len
from rich.console import Console

from tuneworth.core.run import RunResult, Verdict
from tuneworth.core.text import Lang, Text
from tuneworth.report.terminal import summary
from tuneworth.words.say import say


def shown(result: RunResult, lang: Lang, columns: int = 80, **options) -> str:
    out = io.StringIO()
    console = Console(file=out, width=columns, highlight=False, **options)
    console.print(summary(result, lang, Path("runs/bank/report.html")))
    return out.getvalue()


@pytest.mark.parametrize("lang", get_args(Lang))
@pytest.mark.parametrize("columns", [60, 80, 120])
def test_no_line_is_wider_than_the_terminal(result, lang, columns):
    lines = shown(result, lang, columns).splitlines()
    assert max(cell_len(line) for line in lines) <= columns


@pytest.mark.parametrize("lang", get_args(Lang))
def test_everything_a_reader_needs_is_there(result, lang):
    text = "".join(shown(result, lang, 200).split())
    decision = result.decision
    for sentence in (decision.headline, *decision.reasons, *decision.would_change, *result.data.warnings):
        assert "".join(sentence.to(lang).split()) in text
    for arm in result.arms:
        assert "".join(arm.title.to(lang).split()) in text
    for number in ("86.3", "82.1–90.5", "−1.3", "+1.7", "Y1", "N3", "runs/bank/report.html"):
        assert number in text
    assert {"en": "costunknown", "zh": "费用未知"}[lang] in text


@pytest.mark.parametrize("lang", get_args(Lang))
@pytest.mark.parametrize("verdict", get_args(Verdict))
def test_every_verdict(verdict, lang):
    decision = make_decision(verdict=verdict, rows=640, recommended=None, runner_up=None, seed_rows=[])
    text = shown(make_result(decision=decision, comparisons=[]), lang)
    assert say(f"verdict_page.words.{verdict}").to(lang) in text
    assert "640" in text
    assert "None" not in text


@pytest.mark.parametrize("lang", get_args(Lang))
def test_what_puts_the_verdict_in_doubt_stands_beside_it(result, lang):
    text = shown(result, lang, 200)
    assert text.count(DOUBT.to(lang)) == 1
    assert text.index(DOUBT.to(lang)) < text.index(result.decision.reasons[0].to(lang)[:20])


def test_without_colour_there_are_no_escape_codes_and_the_choice_is_still_marked(result):
    text = shown(result, "en", no_color=True)
    assert "\x1b" not in text
    assert "▸ head on MiniLM" in text


def test_markup_and_escape_codes_in_data_are_shown_not_obeyed():
    arms = make_arms()
    arms[6] = arms[6].model_copy(update={"title": Text(en=EVIL_TERMINAL, zh=EVIL_TERMINAL)})
    text = shown(make_result(arms=arms), "en", 160)
    assert "[red]not red[/red]" in text
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_chinese_lines_do_not_begin_with_closing_punctuation(result):
    lines = [line.strip("│ ") for line in shown(result, "zh", 62).splitlines()]
    assert [line for line in lines if line.startswith(("，", "。", "）", "；", "："))] == []

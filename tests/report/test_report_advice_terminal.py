"""Advice in the terminal: whole, in both languages, within the width, and nothing of it taken for markup."""

import io

import pytest
from rich.console import Console

from tuneworth.advisor.advise import advise
from tuneworth.advisor.facts import Situation
from tuneworth.core.text import Text
from tuneworth.report.plain import width
from tuneworth.report.terminal.advice import MISSING_SHOWN, advice_summary, print_advice

RICH = {
    "scenario": "knowledge_qa",
    "quality_rows": 800,
    "private": True,
    "prompt_suffices": False,
    "output_kind": "json",
    "calls_per_day": 5_000.0,
    "behaviour_changes": "weekly",
}
SITUATIONS = {
    "nothing": {},
    "a chat": {"scenario": "general_chat"},
    "much": RICH,
    "measured": {
        "measured_gain": 0.1,
        "measured_gain_low": 0.05,
        "measured_gain_high": 0.15,
        "scenario": "specialised",
    },
}


def advice_on(name):
    return advise(Situation().with_facts("answered", SITUATIONS[name]))


def printed(advice, lang, columns=80, **options):
    console = Console(file=io.StringIO(), width=columns, highlight=False)
    console.print(advice_summary(advice, lang, **options))
    return console.file.getvalue()


def letters(text):
    return "".join(char for char in text if not char.isspace())


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize("name", SITUATIONS)
def test_it_keeps_the_width(name, lang, columns):
    text = printed(advice_on(name), lang, columns)
    assert max(width(line.rstrip()) for line in text.splitlines()) <= columns


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", SITUATIONS)
def test_it_tells_everything_that_was_found(name, lang):
    advice = advice_on(name)
    text = letters(printed(advice, lang, columns=400))
    sentences = [advice.headline, *(fact.shown for fact in advice.facts), *(rule.reason for rule in advice.rules)]
    sentences += [item.settled_by for item in advice.contradictions] + [item.text for item in advice.pros_cons]
    sentences += [item.question for item in advice.missing[:MISSING_SHOWN]]
    sentences += [answer.question for answer in advice.self_test.answers] + [cell.text for cell in advice.costs]
    for sentence in sentences:
        assert letters(sentence.to(lang)) in text
    for rule in advice.rules:
        assert letters(" ".join(rule.seed_rows)) in text


def test_a_choice_that_is_out_is_told_once_and_not_in_every_row():
    advice = advice_on("much")
    [reason] = {cell.text.en for cell in advice.costs if cell.choice == "provider"}
    text = letters(printed(advice, "en", columns=400))
    assert f"Tuneataprovider:{letters(reason)}" in text
    costs = text[text.index("Whateachchoicecosts") : text.index("Whattuninggives")]
    assert costs.count(letters(reason)) == 1


def test_it_says_how_many_more_facts_are_missing():
    advice = advice_on("nothing")
    assert f"and {len(advice.missing) - MISSING_SHOWN} more" in printed(advice, "en")


def test_brackets_and_escape_codes_are_shown_and_not_obeyed():
    advice = advice_on("a chat")
    rule = advice.rules[0].model_copy(update={"reason": Text("[red]x[/red] \x1b[31m", "[red]x[/red] \x1b[31m")})
    text = printed(advice.model_copy(update={"rules": [rule]}), "en")
    assert "[red]x[/red]" in text
    assert "\x1b" not in text


def test_the_task_file_is_printed_to_be_copied():
    advice, console = advice_on("much"), Console(file=io.StringIO(), width=40, highlight=False)
    print_advice(advice, "en", console, chart="THE CHART")
    text = console.file.getvalue()
    assert advice.task_yaml in text
    assert "THE CHART" in text

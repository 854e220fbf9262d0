"""Budgets as they are written, in time, in money and in both."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuneworth.data.taskfile import BadBudget, BudgetText, load_task_file, parse_budget, task_file_for
from tuneworth.errors import InputError
from tuneworth.words.say import say


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90s", BudgetText(seconds=90)),
        ("1h30m", BudgetText(seconds=5400)),
        ("1h2m3s", BudgetText(seconds=3723)),
        ("$2", BudgetText(usd=2)),
        ("$ 0.5", BudgetText(usd=0.5)),
        ("$.05", BudgetText(usd=0.05)),
        ("20m,$2", BudgetText(seconds=1200, usd=2)),
        ("$2, 20m", BudgetText(seconds=1200, usd=2)),
        ("20m，$2", BudgetText(seconds=1200, usd=2)),
    ],
)
def test_what_is_understood(text: str, expected: BudgetText) -> None:
    assert parse_budget(text) == expected


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        *(
            (text, "malformed")
            for text in ("", "10", "ten", "2$", "10m$2", "m", "$", "10m,", ",", "1.5h", "$1e3", "2 min")
        ),
        *((text, "nothing") for text in ("0m", "-5m", "−5m", "$0", "$-1", "-$1", "10m,$0")),
        *((text, "twice") for text in ("5m,3m", "$1,$2")),
    ],
)
def test_what_is_refused_and_by_which_rule(text: str, rule: str) -> None:
    with pytest.raises(BadBudget) as error:
        parse_budget(text)
    assert error.value.rule == say(f"task.budget.{rule}")


@pytest.mark.parametrize(
    ("budget", "price", "seconds", "usd"),
    [
        ("20m,$2", 10.0, 720.0, 2.0),  # $2 at $10 an hour pay for 12 minutes
        ("10m,$2", 10.0, 600.0, 2.0),
        ("$2", 10.0, 720.0, 2.0),
        ("10m", None, 600.0, None),
        ("$2", 0.0, None, 2.0),  # a machine that costs nothing: money sets no limit
        ("10m,$2", 0.0, 600.0, 2.0),
    ],
)
def test_money_counts_as_the_time_it_pays_for(
    budget: str, price: float | None, seconds: float | None, usd: float | None
) -> None:
    task_file = task_file_for("x.jsonl", budget=budget, machine_usd_per_hour=price)
    assert task_file.budget_seconds == (None if seconds is None else pytest.approx(seconds))
    assert task_file.budget_usd == usd


def test_without_a_budget_there_is_no_limit() -> None:
    assert (task_file_for("x.jsonl").budget_seconds, task_file_for("x.jsonl").budget_usd) == (None, None)


@pytest.mark.parametrize(
    ("section", "text"),
    [
        ("{usd: 2}", "$2"),
        ("{usd: 0.05}", "$0.05"),
        ("{time: 20m, usd: 2.5}", "20m,$2.5"),
        ("{time: 20m}", "20m"),
    ],
)
def test_a_section_says_the_same_as_the_text(tmp_path: Path, section: str, text: str) -> None:
    path = tmp_path / "task.yaml"
    path.write_text(f"train: t.jsonl\nbudget: {section}\n")
    assert load_task_file(path).budget == text


@pytest.mark.parametrize(
    "section", ["{}", "{usd: many}", "{usd: true}", "{usd: -1}", "{usd: 0}", "{dollars: 2}", "{time: 20}"]
)
def test_a_section_that_says_something_else_is_refused(tmp_path: Path, section: str) -> None:
    path = tmp_path / "task.yaml"
    path.write_text(f"train: t.jsonl\nbudget: {section}\n")
    with pytest.raises(InputError, match=r"task\.yaml:2 budget"):
        load_task_file(path)


def test_a_price_that_is_wrong_itself_is_one_problem() -> None:
    with pytest.raises(InputError) as error:
        task_file_for("x.jsonl", budget="$2", machine_usd_per_hour=-1.0)
    assert [problem.where for problem in error.value.problems] == ["--machine-usd-per-hour"]

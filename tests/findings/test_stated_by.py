"""What a task file states for the costs of arms."""

from __future__ import annotations

import pytest

from tuneworth.data.taskfile import load_task_file, task_file_of
from tuneworth.errors import InputError
from tuneworth.findings import stated_by
from tuneworth.race.folder import settings_digest


def written(tmp_path, text: str):
    path = tmp_path / "task.yaml"
    path.write_text(f"train: rows.jsonl\n{text}", encoding="utf-8")
    return path


def test_a_log_a_wage_hours_and_prices_of_ones_own(tmp_path):
    (tmp_path / "calls.jsonl").write_text(
        "".join(f'{{"time": "2026-11-0{day}T{hour:02}:00:00Z"}}\n' for day in (1, 2, 3) for hour in range(24)),
        encoding="utf-8",
    )
    (tmp_path / "mine.yaml").write_text("figures:\n  machine: {value: 2, unit: usd/hour}\n", encoding="utf-8")
    task_file = load_task_file(
        written(
            tmp_path,
            "machine_usd_per_hour: 9\ntraffic: {growth_per_month: 0.1}\n"
            "costs: {log: calls.jsonl, prices: mine.yaml, wage: $50-70/h, hours: {lora: 8}}\n",
        )
    )
    stated = stated_by(task_file)
    assert stated.traffic.calls_per_month.middle == pytest.approx(730)
    assert stated.traffic.growth_per_month.middle == 0.1
    assert stated.terms.machine.middle == 2  # a price file comes first
    assert (stated.terms.wage.low, stated.terms.wage.high) == (50, 70)
    assert stated.hours["lora"].middle == 8


def test_all_that_is_wrong_is_told_by_line(tmp_path):
    with pytest.raises(InputError) as caught:
        load_task_file(written(tmp_path, "costs:\n  wage: -3\n  hours: {lora: many}\n  typo: 1\n"))
    assert [problem.where for problem in caught.value.problems] == [
        "task.yaml:3 costs.wage",
        "task.yaml:4 costs.hours",
        "task.yaml:5 costs.typo",
    ]


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(InputError):
        stated_by(load_task_file(written(tmp_path, "costs: {prices: mine.yaml}\n")))


def test_a_finished_run_is_found_again_under_other_costs():
    plain = task_file_of("rows.jsonl")
    assert settings_digest(task_file_of("rows.jsonl", costs={"wage": 60})) == settings_digest(plain)

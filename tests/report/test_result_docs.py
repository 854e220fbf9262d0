"""``docs/result.md`` names every field and every code word of ``result.json``, in both languages."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import get_args

import pytest

from tuneworth.core import advice, audit, calibration, costs, knowledge, race, run, task

DOCS = Path(__file__).parents[2] / "docs"
MODELS = [
    *(
        kind
        for module in (run, race, audit, advice, knowledge, calibration, costs)
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, run.Record)
    ),
    task.Task,
    task.Limits,
]


def quoted(name: str) -> set[str]:
    return set(re.findall(r"`([^`\n]+)`", (DOCS / name).read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", ["result.md", "result.zh.md"])
def test_every_field_is_documented(name):
    fields = {field for model in MODELS for field in model.model_fields}
    assert len(fields) > 120
    assert sorted(fields - quoted(name)) == []


@pytest.mark.parametrize("name", ["result.md", "result.zh.md"])
def test_every_code_word_is_documented(name):
    words = {*get_args(run.Verdict), *get_args(run.Answer), *get_args(run.ArmState), "confirmed", "overturned", "open"}
    words |= {*get_args(race.StopReason), *get_args(race.CannotTellReason), *get_args(race.CrossingStatus)}
    words |= {
        *get_args(knowledge.Judge),
        *get_args(knowledge.Absorbs),
        *get_args(knowledge.Age),
        *get_args(knowledge.Cause),
    }
    assert sorted(words - quoted(name)) == []


def test_no_documented_field_is_gone():
    """The first cell of every row of a field table is a real field or code word."""
    known = (
        {field for model in MODELS for field in model.model_fields}
        | set(get_args(run.Verdict))
        | set(get_args(race.StopReason))
    )
    rows = re.findall(r"^\| (`[^|]+`) \|", (DOCS / "result.md").read_text(encoding="utf-8"), re.M)
    named = {name for row in rows for name in re.findall(r"`([^`]+)`", row)}
    assert sorted(named - known - {"verdict", "reason"}) == []
    assert str(run.SCHEMA_VERSION) in (DOCS / "result.md").read_text(encoding="utf-8").splitlines()[0]

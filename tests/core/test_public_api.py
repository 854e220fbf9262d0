"""The public API: these names, light to import, and the same answers as the commands."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys

import pytest

import tuneworth
from tuneworth.errors import InputError

NAMES = {
    "run", "plan", "audit", "advise", "load_run", "decide_again",
    "Task", "Strategy", "Solver", "Model", "Metric", "RunResult",
}  # fmt: skip
PETS, TREES = ["cat", "dog", "hamster", "parrot", "rabbit"], ["oak", "birch", "maple", "willow", "cedar"]
PLACES = [
    "garden",
    "kitchen",
    "river",
    "school",
    "harbour",
    "market",
    "station",
    "library",
    "castle",
    "meadow",
    "bridge",
    "valley",
]
ROWS = [
    {"input": f"{noun} {verb} near the {place}", "output": kind}
    for nouns, kind, verb in ((PETS, "pet", "plays"), (TREES, "tree", "grows"))
    for noun in nouns
    for place in PLACES
]


@pytest.fixture
def rows(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in ROWS), encoding="utf-8")
    return path


def test_the_names_are_pinned():
    assert set(tuneworth._WHERE) == NAMES
    assert set(dir(tuneworth)) >= NAMES
    assert all(callable(getattr(tuneworth, name)) for name in NAMES)
    with pytest.raises(AttributeError, match="no attribute 'train'"):
        _ = tuneworth.train


def test_importing_the_package_imports_nothing_else():
    code = "import sys, tuneworth; print([m for m in sys.modules if m.startswith('tuneworth.') or m in ('numpy', 'pydantic', 'yaml')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['tuneworth._moved']"


@pytest.mark.slow
def test_run_load_and_decide_again(rows, tmp_path):
    result = tuneworth.run(rows, out=tmp_path / "run", strategies=["majority", "head"])
    assert result.decision.recommended is not None
    assert [row["arm_id"] for row in result.table()] == [arm.arm_id for arm in result.arms]
    assert tuneworth.load_run(tmp_path / "run") == result
    strict = tuneworth.decide_again(result, limits={"min_quality": 1.0, "p95_ms": 1e-9})
    assert strict.decision.verdict == "none_meets_limits"
    with pytest.raises(InputError) as raised:
        tuneworth.decide_again(result, margin=2, limits={"p95_ms": -1, "speed": 3})
    assert len(raised.value.problems) == 3


def test_plan_spends_nothing(rows, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    planned = tuneworth.plan(rows, strategies=["majority", "head"])
    assert {arm.arm_id.split("/")[0] for arm in planned.arms} >= {"majority"}
    assert [path.name for path in tmp_path.iterdir()] == ["rows.jsonl"]


def test_audit_is_a_function_and_a_room(rows):
    found = tuneworth.audit(rows, only=["duplicates"])
    assert [check.check for check in found.checks] == ["duplicates"]
    importlib.import_module("tuneworth.audit.duplicates")
    assert tuneworth.audit(rows, only=["duplicates"]).findings == found.findings


def test_advise_tells_every_fact_that_is_wrong():
    advice = tuneworth.advise({"scenario": "classification", "quality_rows": 50})
    assert advice.ranking
    with pytest.raises(InputError) as raised:
        tuneworth.advise({"scenario": "cooking", "quality_rows": -1, "colour": "red"})
    assert len(raised.value.problems) == 3

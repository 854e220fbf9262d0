"""``tuneworth plan`` as a user runs it."""

import json
from pathlib import Path

import pytest

from rows_made import label_rows, write_rows
from tuneworth.cli.options import documents_section, of_run
from tuneworth.core.plan import RunPlan
from tuneworth.core.task import Limits
from tuneworth.data.taskfile import task_file_for

LIGHT = ("--strategies", "majority,nearest,head", "--lang", "en")


@pytest.fixture
def data(tmp_path):
    return write_rows(tmp_path / "rows.jsonl", label_rows(150))


def test_the_plan_is_shown_and_nothing_is_written(tuneworth, tmp_path, data):
    before = sorted(tmp_path.rglob("*"))
    done = tuneworth("plan", data, *LIGHT, env={"COLUMNS": "200"})
    assert done.returncode == 0, done.stderr
    for part in (
        "Head on MiniLM embeddings",
        "✓",
        "Everything, every training size",
        "Budget: 15\u00a0min 0\u00a0s.",
        "What these rows can show",
    ):
        assert part in done.stdout, (part, done.stdout)
    assert "$" not in done.stdout
    assert sorted(tmp_path.rglob("*")) == before


def test_the_options_of_run_count(tuneworth, data):
    options = ("--budget", "20m,$0.10", "--machine-usd-per-hour", "0.6", "--margin", "0.05", "--seed", "3")
    done = tuneworth("plan", data, *LIGHT, *options, "--json")
    assert done.returncode == 0, done.stderr
    plan = RunPlan.model_validate_json(done.stdout)
    assert plan.budget_seconds == pytest.approx(600)
    assert (plan.budget_usd, plan.margin, plan.seed, plan.power.margin) == (0.1, 0.05, 3, 0.05)
    assert [arm.arm_id for arm in plan.arms][:2] == ["majority", "nearest"]
    assert all(arm.usd is not None for arm in plan.arms)


def test_limits_prices_and_several_documents_are_keys_of_the_task_file():
    given = dict.fromkeys(("test", "models", "strategies", "private", "p95_ms", "max_usd_per_1k", "min_quality"))
    options = of_run(**given | {"min_quality": 0.9}, documents=["a", "b"], knowledge_every_days=7.0, usd_per_label=0.1)
    task_file = task_file_for("rows.jsonl", **options)
    assert task_file.limits == Limits(min_quality=0.9)
    assert (task_file.updates.knowledge_every_days, task_file.usd_per_label) == (7.0, 0.1)
    assert task_file.documents is not None
    assert [Path(source).name for source in task_file.documents.sources] == ["a", "b"]
    assert documents_section(["a"]) == {"source": "a"}
    assert documents_section([]) is None


def test_a_wrong_limit_is_refused_by_its_name(tuneworth, data):
    done = tuneworth("plan", data, "--p95-ms", "-1", "--min-quality", "7")
    assert done.returncode == 2
    assert "p95" in done.stderr
    assert "quality" in done.stderr


def test_chinese_and_narrow(tuneworth, data):
    done = tuneworth("plan", data, "--strategies", "head,majority", "--lang", "zh", env={"COLUMNS": "80"})
    assert done.returncode == 0, done.stderr
    assert "每种训练量都在整个开发集上测完" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_a_task_file_is_planned_with_its_budget(tuneworth, tmp_path, data):
    (tmp_path / "task.yaml").write_text(
        f"train: {data.name}\nstrategies: [head]\nbudget: 7m\nrows: {{dev: 20}}\nusd_per_label: 0.05\n",
        encoding="utf-8",
    )
    done = tuneworth("plan", "task.yaml", "--json")
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout)
    assert (plan["budget_seconds"], plan["n_dev"]) == (420.0, 20)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--budget", "$2"), "nothing in this run has a price"),
        (("--budget", "0m"), "must be over 0"),
        (("--budget", "soon"), "must be a time with its unit"),
        (("--margin", "2"), "must be under 1"),
        (("--strategies", "heads"), "no such strategy"),
    ],
)
def test_bad_input_is_one_clear_error(tuneworth, data, options, words):
    done = tuneworth("plan", data, *options, "--lang", "en")
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr

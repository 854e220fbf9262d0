from pathlib import Path

import pytest

from tuneworth.advisor.advise import advise
from tuneworth.advisor.facts import Situation
from tuneworth.advisor.taskyaml import DOCUMENTS_PLACEHOLDER, PLACEHOLDER, task_yaml
from tuneworth.core.registry import plugin_modules
from tuneworth.data.taskfile import load_task_file
from tuneworth.race.arms import GROUP
from tuneworth.race.prepare import told


def advised(**facts):
    return advise(Situation().with_facts("answered", facts))


def loaded(text, folder: Path):
    filled = text.replace(PLACEHOLDER, "rows.jsonl").replace(DOCUMENTS_PLACEHOLDER, "docs/")
    (folder / "task.yaml").write_text(filled, encoding="utf-8")
    return load_task_file(folder / "task.yaml")


@pytest.mark.parametrize(
    ("pace", "days"), [("daily", 1), ("weekly", 7), ("monthly", 30), ("yearly", 365), ("never", None), (None, None)]
)
def test_where_documents_matter_the_task_file_measures_retrieval(pace, days, tmp_path):
    facts = {"scenario": "knowledge_qa", "needs_documents": True}
    advice = advised(**facts, **({"knowledge_changes": pace} if pace else {}))
    task = loaded(advice.task_yaml, tmp_path)
    assert task.documents is not None
    assert task.documents.sources == [str(tmp_path / "docs")]
    assert task.updates.knowledge_every_days == days
    assert task.strategies == ["prompt", "decision", "fewshot", "rag", "head", "lora", "lora_rag"]
    assert set(task.strategies or []) <= set(plugin_modules(GROUP))
    assert "does not measure that yet" not in advice.task_yaml


@pytest.mark.parametrize("pace", ["daily", "weekly", "monthly", "yearly"])
def test_the_pace_written_is_the_pace_read_back(pace, tmp_path):
    advice = advised(scenario="knowledge_qa", needs_documents=True, knowledge_changes=pace)
    answered = told(loaded(advice.task_yaml, tmp_path))
    assert (answered.needs_documents, answered.knowledge_changes) == (True, pace)


@pytest.mark.parametrize("facts", [{}, {"needs_documents": False, "knowledge_changes": "yearly"}])
def test_without_documents_nothing_of_them_is_named(facts, tmp_path):
    task = loaded(advised(scenario="classification", **facts).task_yaml, tmp_path)
    assert (task.documents, task.updates.knowledge_every_days) == (None, None)
    assert task.strategies == ["prompt", "decision", "fewshot", "head", "lora"]


def test_an_expected_winner_that_retrieves_is_measured_though_nobody_named_documents(tmp_path):
    task = loaded(task_yaml({"output_kind": "text"}, "rag"), tmp_path)
    assert task.strategies == ["prompt", "fewshot", "rag", "lora", "lora_rag"]
    assert task.documents is not None


def test_what_a_run_cannot_measure_is_still_said():
    text = task_yaml({"needs_documents": True}, "tools")
    assert "Expected to win: prompt with tools. A run does not measure that yet;" in text

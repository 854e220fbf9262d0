"""The main job as a whole: what the strategies and the model are shown, and when."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rows_made import label_rows, write_rows
from tuneworth.data.taskfile import task_file_for
from tuneworth.models.local.model import LocalModel
from tuneworth.pipeline import run
from tuneworth.race.arms import strategy_classes
from tuneworth.race.folder import RunFolder
from tuneworth.race.stages import Stages
from tuneworth.race.watch import Silent
from tuneworth.testing.models import make_tiny_llama


@pytest.mark.slow
def test_no_strategy_and_no_model_sees_a_test_row_before_the_final(tmp_path, monkeypatch):
    """Every built-in strategy runs; only the finalists' answering, after all choices are made, meets test rows."""
    fitted: set[str] = set()
    asked: dict[str, list[str]] = {"race": [], "final": []}
    stage = "race"

    def spied(fit: Any):
        def fit_and_note(self, train, dev, context):
            fitted.update(row.query.text for row in (*train, *dev))
            return fit(self, train, dev, context)

        return fit_and_note

    for strategy in strategy_classes(None):
        monkeypatch.setattr(strategy, "fit", spied(strategy.fit))
    generate, final = LocalModel.generate, Stages.final

    def noted(self, requests, *, max_new_tokens):
        asked[stage] += ["\n".join(message.content for message in request.messages) for request in requests]
        return generate(self, requests, max_new_tokens=max_new_tokens)

    def last(self, test):
        nonlocal stage
        stage = "final"
        return final(self, test)

    monkeypatch.setattr(LocalModel, "generate", noted)
    monkeypatch.setattr(Stages, "final", last)

    rows = label_rows(240)
    train, test = rows[:180], [row | {"input": f"elsewhere, {row['input']} today"} for row in rows[180:]]
    for number, row in enumerate(test):
        row["input"] += f" {chr(97 + number % 26) * 9}{chr(97 + number // 26) * 5}"  # findable in a prompt
    make_tiny_llama(tmp_path / "tiny")
    task_file = task_file_for(
        write_rows(tmp_path / "train.jsonl", train),
        test=str(write_rows(tmp_path / "test.jsonl", test)),
        models=[str(tmp_path / "tiny")],
        text_language="other",  # features that need no encoder
    )
    folder = RunFolder(tmp_path / "run")
    result = run(task_file, folder, Silent())

    assert result is not None
    measured = {arm.strategy for arm in result.arms if arm.state == "measured"}
    assert {"prompt", "fewshot", "head", "lora"} <= measured
    sides = json.loads(folder.split.read_text(encoding="utf-8"))
    lines = {int(source.rpartition(":")[2]) for _, source, _ in sides["test"]}
    hidden = [test[line - 1]["input"] for line in lines]
    assert len(hidden) >= 20
    assert not fitted & set(hidden)
    assert not [text for text in asked["race"] if any(secret in text for secret in hidden)]
    assert all(any(secret in text for text in asked["final"]) for secret in hidden)


@pytest.mark.slow
def test_of_several_settings_one_is_trained_on_all_rows_and_the_report_says_so(tmp_path):
    make_tiny_llama(tmp_path / "tiny")
    model = str(tmp_path / "tiny")
    task_file = task_file_for(
        write_rows(tmp_path / "train.jsonl", label_rows(320)),
        models=[model],
        strategies=["prompt", "lora"],
        settings={"lora": {"rank": [4, 8], "epochs": [2]}},
        text_language="other",
    )
    folder = RunFolder(tmp_path / "run")
    result = run(task_file, folder, Silent())

    assert result is not None
    assert result.race is not None
    tuned = {f"lora/{model}/rank=4,epochs=2", f"lora/{model}/rank=8,epochs=2"}
    assert {arm.arm_id for arm in result.arms if arm.tuned} == tuned
    trained_on_all = {step.arm_id for step in result.race.steps if step.arm_id in tuned and step.n_train is None}
    [stop] = [stop for stop in result.race.stops if stop.reason == "setting"]
    assert trained_on_all == tuned - {stop.arm_id}
    assert {stop.leader} == trained_on_all
    assert {arm.arm_id for arm in result.arms if arm.tuned and arm.finalist} == trained_on_all
    assert "rank 4, 2 epochs" in folder.report.read_text(encoding="utf-8")

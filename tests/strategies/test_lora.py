"""LoRA: what the model is trained on and asked, when a training is taken up again, what is saved."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tuneworth.core.task import Example, Message, Query, Task
from tuneworth.models.base import Model, TrainResult
from tuneworth.models.local.load import open_local
from tuneworth.models.scripted import ADAPTER_FILE, ScriptedModel
from tuneworth.strategies import Context
from tuneworth.strategies.lora import (
    MIN_ROWS,
    Lora,
    LoraConfig,
    LoraSolver,
    report_training,
    training_note,
)
from tuneworth.testing.cases import CASES, HashEncoder
from tuneworth.testing.models import make_tiny_llama
from tuneworth.testing.strategies import STRATEGY_CHECKS, Bench

LABEL_CASE = next(case for case in CASES if case.task.name == "label-en")
RESULT = TrainResult(
    folder="somewhere",
    steps=240,
    best_step=180,
    epochs=2.0,
    train_tokens=5000,
    seconds=61.5,
    dev_losses=((60, 0.9), (180, 0.4), (240, 0.5)),
    stopped="early",
    details={"learning_rate": 5e-4},
)


def make_context(task: Task, model: Model | None, folder: Path, seed: int = 3) -> Context:
    folder.mkdir(parents=True, exist_ok=True)
    return Context(task, model, HashEncoder, np.random.default_rng(seed), seed, folder, max_new_tokens=12)


@pytest.fixture(scope="module")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_llama(tmp_path_factory.mktemp("tiny") / "llama")


def open_tiny(folder: Path) -> Model:
    import torch

    return open_local(folder, model_id="tiny", device="cpu", dtype=torch.float32, attention="eager")


def scripted_adapter(folder: Path, answers: dict[str, str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ADAPTER_FILE).write_text(json.dumps(answers), encoding="utf-8")
    return folder


def test_skips_what_it_cannot_train() -> None:
    trainable, fixed = ScriptedModel(can_train=True), ScriptedModel(id="remote")
    train = LABEL_CASE.train
    for model, rows, reason in (
        (None, train, "needs a language model"),
        (fixed, train, "remote cannot be trained"),
        (trainable, train[: MIN_ROWS - 1], "49 training rows; with fewer than 50"),
    ):
        why = Lora.why_skipped(LABEL_CASE.task, model, rows)
        assert why is not None
        assert reason in why.en
    assert Lora.why_skipped(LABEL_CASE.task, trainable, train[:MIN_ROWS]) is None


def test_one_arm_constrained_where_an_answer_has_a_form() -> None:
    model = ScriptedModel(can_train=True)
    for case in CASES:
        assert Lora.arms(case.task, model, case.train) == [LoraConfig(constrained=case.task.kind != "text")]


def test_requests_carry_the_adapter_and_a_brief_prompt(tmp_path: Path) -> None:
    model = ScriptedModel(can_train=True)
    folder = scripted_adapter(tmp_path / "adapter", {"money back": "refund", "late parcel": "delivery"})
    context = make_context(LABEL_CASE.task, model, tmp_path)
    solver = LoraSolver.on_adapter(folder, "Classify the input.", True, context)
    answers = solver.solve([Query("q", (Message("user", "my money is not back"),))])
    assert [answer.text for answer in answers] == ["refund"]
    [request] = model.requests
    assert request.adapter in model.adapters
    assert request.messages == (Message("system", "Classify the input."), Message("user", "my money is not back"))
    assert request.constraint is not None
    assert request.n_shared == 1


def test_several_adapters_live_on_one_model(tmp_path: Path) -> None:
    model = ScriptedModel(can_train=True)
    context = make_context(Task(name="t", kind="text", metric="m"), model, tmp_path)
    solvers = [
        LoraSolver.on_adapter(scripted_adapter(tmp_path / name, {"x": name}), "", False, context)
        for name in ("one", "two")
    ]
    query = Query("q", (Message("user", "x"),))
    assert [solver.solve([query])[0].text for solver in solvers] == ["one", "two"]
    saved = tmp_path / "saved"
    saved.mkdir()
    solvers[0].save(saved)
    assert LoraSolver.load(saved, context).solve([query])[0].text == "one"
    assert len(model.adapters) == 3


def test_notes_and_details_say_how_the_training_went(tmp_path: Path) -> None:
    context = make_context(LABEL_CASE.task, ScriptedModel(), tmp_path)
    report_training(RESULT, context)
    assert context.notes == [training_note(RESULT)]
    note = training_note(RESULT)
    assert note.en == (
        "Trained for 2.0 epochs (240 steps) until the dev loss stopped falling. "
        "The weights of step 180 are used, where the dev loss was lowest."
    )
    assert "第 180 步" in note.zh
    assert "开发集损失不再下降" in note.zh
    assert context.details["dev_losses"] == RESULT.dev_losses
    assert context.details["fit_tokens"] == 5000
    assert context.details["fit_seconds"] == 61.5
    assert "folder" not in context.details
    json.dumps(context.details)


def test_a_training_without_dev_rows_does_not_speak_of_dev() -> None:
    note = training_note(replace(RESULT, dev_losses=(), stopped="epochs"))
    assert note.en == "Trained for 2.0 epochs (240 steps) until all epochs were done."


def test_rows_left_out_of_the_training_are_noted(tmp_path: Path) -> None:
    context = make_context(LABEL_CASE.task, ScriptedModel(), tmp_path)
    report_training(replace(RESULT, details={"rows_too_long": 7}), context)
    assert "7 training rows were left out" in context.notes[1].en
    assert "7 条训练数据" in context.notes[1].zh


@pytest.mark.slow
@pytest.mark.parametrize("case", [CASES[0], *CASES[3:]], ids=lambda case: case.task.name)
def test_conformance_on_a_tiny_llama(case, tiny_folder: Path, tmp_path: Path) -> None:
    bench = Bench(Lora, case, lambda: open_tiny(tiny_folder), HashEncoder(), tmp_path)
    for check in STRATEGY_CHECKS:
        check(replace(bench, folder=tmp_path / check.__name__))


def test_training_changes_answers_and_leaves_the_base_alone(tiny_folder: Path, tmp_path: Path) -> None:
    from tuneworth.strategies.prompt import Prompt, PromptConfig

    model = open_tiny(tiny_folder)
    task, queries = LABEL_CASE.task, LABEL_CASE.queries
    base = Prompt(PromptConfig(constrained=False)).fit([], [], make_context(task, model, tmp_path / "prompt"))
    before = [answer.text for answer in base.solve(queries)]
    context = make_context(task, model, tmp_path / "lora")
    solver = Lora(LoraConfig(constrained=False)).fit(LABEL_CASE.train, LABEL_CASE.dev, context)
    tuned = [answer.text for answer in solver.solve(queries)]
    assert tuned != before
    assert [answer.text for answer in base.solve(queries)] == before
    losses = [loss for _, loss in context.details["dev_losses"]]
    assert min(losses[1:]) < losses[0]
    assert {"steps", "best_step", "epochs", "stopped"} <= context.details.keys()


def test_a_finished_training_is_not_repeated_and_a_changed_row_starts_a_new_one(
    tiny_folder: Path, tmp_path: Path
) -> None:
    model, case = open_tiny(tiny_folder), LABEL_CASE

    def fit(train) -> tuple[dict, int]:
        context = make_context(case.task, model, tmp_path / "arm")
        steps: list[int] = []
        context.progress = lambda done, total, unit: steps.append(done)
        Lora().fit(train, case.dev, context)
        return context.details, len(steps)

    details, n_steps = fit(case.train)
    assert n_steps >= details["steps"] > 0
    assert fit(case.train) == (details, 0)
    other = next(label for label in case.task.labels if label != case.train[0].output)
    changed: list[Example] = [replace(case.train[0], output=other, references=()), *case.train[1:]]
    assert fit(changed)[1] > 0


def test_a_killed_training_is_taken_up_and_ends_the_same(tiny_folder: Path, tmp_path: Path) -> None:
    class Killed(Exception):
        pass

    def die(done: int, total: int, unit: str) -> None:
        if done == 40:
            raise Killed

    case, model = LABEL_CASE, open_tiny(tiny_folder)
    undisturbed = Lora().fit(case.train, case.dev, make_context(case.task, model, tmp_path / "whole"))
    context = make_context(case.task, model, tmp_path / "killed")
    context.progress = die
    with pytest.raises(Killed):
        Lora().fit(case.train, case.dev, context)
    context = make_context(case.task, model, tmp_path / "killed")
    seen: list[int] = []
    context.progress = lambda done, total, unit: seen.append(done)
    resumed = Lora().fit(case.train, case.dev, context)
    assert seen[0] > 0, "it began from the start"
    expected = [answer.text for answer in undisturbed.solve(case.queries)]
    assert [answer.text for answer in resumed.solve(case.queries)] == expected


def test_the_folder_of_a_finished_training_may_be_moved(tiny_folder: Path, tmp_path: Path) -> None:
    case = LABEL_CASE
    first = Lora().fit(case.train, case.dev, make_context(case.task, open_tiny(tiny_folder), tmp_path / "here"))
    answers = [answer.text for answer in first.solve(case.queries)]
    (tmp_path / "here").rename(tmp_path / "there")
    context = make_context(case.task, open_tiny(tiny_folder), tmp_path / "there")
    again = Lora().fit(case.train, case.dev, context)
    assert [answer.text for answer in again.solve(case.queries)] == answers
    assert not (tmp_path / "here").exists()

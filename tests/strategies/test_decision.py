"""The decision arms: what is asked, what is kept, what is fitted on which rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tuneworth.core.task import Example, Message, Query, Task
from tuneworth.models.base import Request
from tuneworth.models.scripted import ScriptedModel
from tuneworth.strategies import Context
from tuneworth.strategies.decision import ROWS, DecisionConfig, DecisionSolver, DecisionStrategy
from tuneworth.testing.strategies import Seal, SealedExample

LABELS = ("refund", "card", "transfer")
TASK = Task(name="mail", kind="label", labels=LABELS, metric="accuracy")


def row(at: int, task: Task = TASK) -> Example:
    label = LABELS[at % 3]
    return Example(Query(str(at), (Message("user", f"row {at}: it is {label[:3]}"),)), label)


ROWS_MADE = [row(at) for at in range(30)]


def leaning(request: Request) -> list[float]:
    """Knows the answer, and leans so much towards the first label that it mostly says that."""
    assert request.constraint is not None
    text = request.messages[-1].content
    return [(40.0 if at == 0 else 1.0) * (9.0 if label[:3] in text else 1.0) for at, label in enumerate(LABELS)]


def context(folder: Path, model: ScriptedModel, task: Task = TASK) -> Context:
    return Context(task, model, lambda: None, np.random.default_rng(0), 0, folder, 16)  # type: ignore[arg-type,return-value]


def fitted(calibration: str, model: ScriptedModel, folder: Path) -> tuple[DecisionSolver, Context]:
    given = context(folder, model)
    config = DecisionConfig.model_validate({"calibration": calibration})
    return DecisionStrategy(config).fit(ROWS_MADE, [], given), given


@pytest.mark.parametrize(("calibration", "right"), [("none", 10), ("batch", 30), ("fitted", 30)])
def test_the_three_arms(calibration: str, right: int, tmp_path: Path) -> None:
    solver, given = fitted(calibration, ScriptedModel(decides=leaning), tmp_path)
    answers = solver.solve([one.query for one in ROWS_MADE])
    assert sum(answer.text == one.output for answer, one in zip(answers, ROWS_MADE)) == right
    for answer in answers:
        assert answer.probabilities is not None
        assert tuple(answer.probabilities) == LABELS
        assert sum(answer.probabilities.values()) == pytest.approx(1)
        assert answer.text == max(LABELS, key=answer.probabilities.__getitem__)
    assert given.details["fit_tokens"] > 0 if calibration != "none" else given.details["fit_tokens"] == 0
    assert ("label_weights" in given.details) == (calibration != "none")


def test_taking_off_the_bias_does_not_look_at_outputs(tmp_path: Path) -> None:
    solver, _ = fitted("batch", ScriptedModel(decides=leaning), tmp_path)
    seal = Seal()
    sealed = [SealedExample(one, seal) for one in ROWS_MADE]
    seal.closed = True
    other = DecisionStrategy(DecisionConfig(calibration="batch")).fit(
        sealed, [], context(tmp_path, ScriptedModel(decides=leaning))
    )
    assert solver.weights == other.weights


def test_dev_rows_are_not_asked_about(tmp_path: Path) -> None:
    model = ScriptedModel(decides=leaning)
    dev = [replace(row(90), query=Query("dev", (Message("user", "only dev says this"),)))]
    DecisionStrategy(DecisionConfig(calibration="fitted")).fit(ROWS_MADE, dev, context(tmp_path, model))
    assert len(model.requests) == len(ROWS_MADE)
    assert not any("only dev" in request.messages[-1].content for request in model.requests)


def test_a_fit_asks_about_no_more_rows_than_it_says(tmp_path: Path) -> None:
    rows = [row(at) for at in range(600)]
    for calibration in ("none", "batch", "fitted"):
        model = ScriptedModel(decides=leaning)
        strategy = DecisionStrategy(DecisionConfig.model_validate({"calibration": calibration}))
        strategy.fit(rows, [], context(tmp_path, model))
        expected = strategy.workload(TASK, model, rows, 16).asked_in_fit(len(rows))
        assert len(model.requests) == expected == ROWS[strategy.config.calibration]


def test_options_of_a_row_get_the_probabilities(tmp_path: Path) -> None:
    task = Task(name="quiz", kind="choice", metric="accuracy")
    query = Query("q", (Message("user", "which? ham"),), ("egg", "ham", "tea", "egg"))
    model = ScriptedModel(decides=lambda request: [3.0 if one == "ham" else 2.0 for one in request.constraint.labels])  # type: ignore[union-attr]
    solver = DecisionStrategy().fit([], [], context(tmp_path, model, task))
    (answer,) = solver.solve([query])
    assert answer.text == "egg", "named twice, its chances add up"
    assert answer.probabilities == pytest.approx({"egg": 4 / 9, "ham": 3 / 9, "tea": 2 / 9})


def test_it_is_skipped_where_it_cannot_be() -> None:
    deciding = ScriptedModel(decides=leaning)
    assert DecisionStrategy.why_skipped(TASK, deciding, ROWS_MADE) is None
    for task, model, said in [
        (TASK, None, "needs a language model"),
        (TASK, ScriptedModel(), "does not say how likely"),
        (TASK.model_copy(update={"kind": "text"}), deciding, "between labels"),
        (TASK.model_copy(update={"labels": ("one",)}), deciding, "fewer than two"),
    ]:
        why = DecisionStrategy.why_skipped(task, model, ROWS_MADE)
        assert why is not None
        assert said in why.en
    assert DecisionStrategy.arms(TASK, deciding, ROWS_MADE[:4]) == [DecisionConfig()]


def test_too_few_decisions_correct_nothing_and_say_so(tmp_path: Path) -> None:
    model = ScriptedModel(decides=leaning, trouble={"row": "error"})
    solver, given = fitted("fitted", model, tmp_path)
    assert solver.weights.offsets == ()
    assert "nothing was corrected" in given.notes[0].en
    (answer,) = solver.solve([ROWS_MADE[0].query])
    assert (answer.status, answer.text, answer.probabilities) == ("failed", None, None)

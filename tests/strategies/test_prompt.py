"""The plain prompt: arms, requests, and what becomes of the model's completions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tuneworth.core.task import Message, Query, Task
from tuneworth.models.scripted import REFUSAL, ScriptedModel
from tuneworth.strategies import Context
from tuneworth.strategies.prompt import Prompt, PromptConfig
from tuneworth.testing.cases import CASES, HashEncoder

LABELS = Task(name="t", kind="label", labels=("spam", "ham"), metric="accuracy")


def queries(*texts: str) -> list[Query]:
    return [Query(f"q{i}", (Message("user", text),)) for i, text in enumerate(texts)]


def fit(model: ScriptedModel, task: Task, folder: Path, constrained: bool = True):
    context = Context(task, model, HashEncoder, np.random.default_rng(0), 0, folder, max_new_tokens=8)
    return Prompt(PromptConfig(constrained=constrained)).fit([], [], context), context


def test_free_and_constrained_where_an_answer_has_a_form() -> None:
    model = ScriptedModel()
    for case in CASES:
        arms = Prompt.arms(case.task, model, case.train)
        expected = [False] if case.task.kind == "text" else [True, False]
        assert [arm.model_dump()["constrained"] for arm in arms] == expected
    assert Prompt.arms(LABELS, ScriptedModel(constrains=False), []) == [PromptConfig(constrained=False)]


def test_only_the_constrained_arm_constrains(tmp_path: Path) -> None:
    model = ScriptedModel(lambda request: "it is spam!")
    solver, _ = fit(model, LABELS, tmp_path)
    assert solver.solve(queries("Win a prize"))[0].text == "spam"
    free, _ = fit(model, LABELS, tmp_path, constrained=False)
    assert free.solve(queries("Win a prize"))[0].text == "it is spam!"
    assert [request.constraint is None for request in model.requests] == [False, True]


def test_the_instruction_is_shared_and_the_row_stands_alone(tmp_path: Path) -> None:
    model = ScriptedModel()
    solver, _ = fit(model, LABELS, tmp_path)
    solver.solve(queries("one", "two"))
    assert [request.n_shared for request in model.requests] == [1, 1]
    assert [request.messages[1:] for request in model.requests] == [
        (Message("user", "one"),),
        (Message("user", "two"),),
    ]
    assert model.requests[0].messages[0] == model.requests[1].messages[0]


def test_a_system_text_of_their_own_is_shared_only_if_all_rows_have_it(tmp_path: Path) -> None:
    def rows(*systems: str) -> list[Query]:
        return [Query(str(i), (Message("system", text), Message("user", f"{i}"))) for i, text in enumerate(systems)]

    model = ScriptedModel()
    solver, _ = fit(model, LABELS, tmp_path)
    solver.solve(rows("Shop A", "Shop A"))
    solver.solve(rows("Shop A", "Shop B"))
    assert [request.n_shared for request in model.requests] == [1, 1, 0, 0]


def test_completions_become_answers(tmp_path: Path) -> None:
    model = ScriptedModel(
        lambda request: "  one two three \n",
        trouble={"boom": "error", "huge": "over_context", "bad": "refuse", "long": "length"},
    )
    task = Task(name="t", kind="text", metric="rouge_l")
    solver, _ = fit(model, task, tmp_path)
    fine, failed, over, refused, cut = solver.solve(queries("fine", "boom", "huge", "bad", "long"))
    assert (fine.text, fine.status, fine.error) == ("one two three", "scored", None)
    assert fine.usage.completion_tokens == 3
    assert (failed.text, failed.status, failed.error) == (None, "failed", "scripted failure")
    assert (over.text, over.status) == (None, "over_limit")
    assert "do not fit" in (over.error or "")
    assert (refused.text, refused.status) == (REFUSAL, "scored")
    assert cut.status == "scored"


def test_too_many_labels_are_noted(tmp_path: Path) -> None:
    task = LABELS.model_copy(update={"labels": tuple(f"intent_{i}" for i in range(200))})
    _, context = fit(ScriptedModel(), task, tmp_path)
    [note] = context.notes
    assert "200 labels" in note.en
    assert "200 个" in note.zh


def test_needs_a_model() -> None:
    why = Prompt.why_skipped(LABELS, None, [])
    assert why is not None
    assert "language model" in why.en
    with pytest.raises(ValueError, match="needs a model"):
        Prompt().fit([], [], Context(LABELS, None, HashEncoder, np.random.default_rng(0), 0, Path(), 8))

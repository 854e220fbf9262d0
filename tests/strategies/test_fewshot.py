"""Few-shot: which rows are shown, in which order, and what gives when they do not fit."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tuneworth.core.task import Example, Message, Query, Task
from tuneworth.models.scripted import ScriptedModel
from tuneworth.strategies import Context
from tuneworth.strategies.fewshot import FewShot, FewShotConfig
from tuneworth.testing.cases import CASES, HashEncoder

LABEL_CASE = next(case for case in CASES if case.task.name == "label-en")
LABELS = Task(name="t", kind="label", labels=("a", "b", "c"), metric="accuracy")


def row(i: int, text: str, output: str) -> Example:
    return Example(Query(f"r{i}", (Message("user", text),)), output)


def rows(labels: str) -> list[Example]:
    return [row(i, f"text number {i}", label) for i, label in enumerate(labels)]


def fit(config: FewShotConfig, task: Task, train, folder: Path, *, model=None, dev=(), seed: int = 0):
    model = model or ScriptedModel()
    context = Context(task, model, HashEncoder, np.random.default_rng(seed), seed, folder, max_new_tokens=4)
    return FewShot(config).fit(train, dev, context), context


def shown_labels(solver) -> list[str]:
    return [turns[-1].content for turns in solver.demonstrations]


def kinds(arms) -> list[tuple[int, str, bool]]:
    return [(arm.k, arm.selection, arm.constrained) for arm in arms]


def test_arms_of_a_label_task() -> None:
    assert kinds(FewShot.arms(LABELS, ScriptedModel(), rows("abc" * 10))) == [
        (1, "random", True),
        (1, "nearest", True),
        *((k, selection, True) for k in (4, 16) for selection in ("random", "balanced", "nearest")),
    ]


def test_arms_of_other_tasks() -> None:
    text = Task(name="t", kind="text", metric="rouge_l")
    many = rows("abc" * 10)
    assert kinds(FewShot.arms(text, ScriptedModel(), many)) == [
        (k, selection, False) for k in (1, 4, 16) for selection in ("random", "nearest")
    ]
    sentences = Task(name="t", kind="choice", metric="accuracy")
    never_twice = [row(i, f"question {i}", f"answer {i}") for i in range(30)]
    assert {arm[1] for arm in kinds(FewShot.arms(sentences, ScriptedModel(), never_twice))} == {"random", "nearest"}


def test_an_arm_with_more_shots_than_rows_is_left_out() -> None:
    assert {arm[0] for arm in kinds(FewShot.arms(LABELS, ScriptedModel(), rows("abcabc")))} == {1, 4}
    same_text = [row(i, "always the same", "a") for i in range(20)]
    why = FewShot.why_skipped(LABELS, ScriptedModel(), same_text)
    assert why is not None
    assert "1 different training rows; few-shot needs at least 4" in why.en


def test_balanced_shows_every_class_equally(tmp_path: Path) -> None:
    train = rows("a" * 40 + "b" * 6 + "c" * 3)
    solver, _ = fit(FewShotConfig(k=16, selection="balanced"), LABELS, train, tmp_path)
    assert Counter(shown_labels(solver)) == {"a": 7, "b": 6, "c": 3}


def test_balanced_with_more_classes_than_shots_shows_a_seeded_part_of_them(tmp_path: Path) -> None:
    train = [row(i, f"text number {i}", f"class {i % 50}") for i in range(200)]
    config = FewShotConfig(k=16, selection="balanced")
    first, again, other = (fit(config, LABELS, train, tmp_path, seed=seed)[0] for seed in (1, 1, 2))
    assert len(set(shown_labels(first))) == 16
    assert first.demonstrations == again.demonstrations
    assert set(shown_labels(first)) != set(shown_labels(other))


def test_random_differs_by_seed_and_never_shows_a_text_twice(tmp_path: Path) -> None:
    train = rows("abc" * 10) + rows("bca" * 10)
    one, two = (fit(FewShotConfig(k=16), LABELS, train, tmp_path, seed=seed)[0] for seed in (1, 2))
    assert one.demonstrations != two.demonstrations
    assert len({turns[0].content for turns in one.demonstrations}) == 16


def test_fixed_demonstrations_are_shared(tmp_path: Path) -> None:
    model = ScriptedModel()
    solver, context = fit(FewShotConfig(k=4), LABEL_CASE.task, LABEL_CASE.train, tmp_path, model=model)
    solver.solve(LABEL_CASE.queries[:3])
    assert {request.n_shared for request in model.requests} == {1 + 4 * 2}
    assert [turn.role for turn in model.requests[0].messages] == ["system", *["user", "assistant"] * 4, "user"]
    assert len(context.details["demonstration_ids"]) == 4


def test_nearest_shows_the_most_similar_last_and_shares_the_instruction_only(tmp_path: Path) -> None:
    model = ScriptedModel()
    train = [
        row(0, "zzz qqq", "a"),
        row(1, "the lamp is broken", "b"),
        row(2, "the lamp is broken again", "c"),
        row(3, "a lamp", "a"),
        row(4, "xyz", "b"),
    ]
    solver, _ = fit(FewShotConfig(k=4, selection="nearest"), LABELS, train, tmp_path, model=model)
    solver.solve([row(9, "the lamp is broken again!", "").query, row(8, "xyz?", "").query])
    first, second = model.requests
    assert [m.content for m in first.messages[-5:]] == [
        "the lamp is broken",
        "b",
        "the lamp is broken again",
        "c",
        "the lamp is broken again!",
    ]
    assert [m.content for m in second.messages[-3:]] == ["xyz", "b", "xyz?"]
    assert first.n_shared == second.n_shared == 1


def test_nearest_without_an_encoder_goes_by_ngrams(tmp_path: Path) -> None:
    case = next(case for case in CASES if case.task.language == "zh")

    def no_encoder():
        raise AssertionError("an encoder was asked for")

    model = ScriptedModel()
    task = case.task.model_copy(update={"sentence_encoder": None})
    context = Context(task, model, no_encoder, np.random.default_rng(0), 0, tmp_path, max_new_tokens=4)
    solver = FewShot(FewShotConfig(k=4, selection="nearest")).fit(case.train, case.dev, context)
    solver.solve(case.queries[:1])
    question = case.queries[0].text
    assert len(set(model.requests[0].messages[-3].content) & set(question)) > len(question) // 2


def test_demonstrations_are_dropped_until_they_fit(tmp_path: Path) -> None:
    model = ScriptedModel(context_tokens=150)
    train = [row(i, f"{i} " + "word " * 18, "a") for i in range(20)]
    dev = [row(100 + i, f"{i} " + "other " * 18, "b") for i in range(4)]
    solver, context = fit(FewShotConfig(k=16), LABELS, train, tmp_path, model=model, dev=dev)
    answers = solver.solve([dev[0].query, row(9, "word " * 90, "").query, dev[1].query])
    assert [answer.status for answer in answers] == ["scored"] * 3
    n_shown = [(len(request.messages) - 2) // 2 for request in model.requests]
    assert sorted(n_shown) == [0, 2, 2]
    assert all(sum(model.count_tokens(m.content) for m in request.messages) <= 146 for request in model.requests)
    assert {request.n_shared for request in model.requests} == {1, 5}
    [note] = context.notes
    assert "typical row is shown 2" in note.en
    assert "输入长度一般时能放 2 条" in note.zh


def test_dropping_from_the_nearest_keeps_the_nearest(tmp_path: Path) -> None:
    model = ScriptedModel(context_tokens=90)
    train = [row(i, f"topic{i} " + f"word{i} " * 15, f"label{i}") for i in range(6)]
    solver, _ = fit(FewShotConfig(k=4, selection="nearest", constrained=False), LABELS, train, tmp_path, model=model)
    [answer] = solver.solve([row(9, "topic3 word3 word3", "").query])
    assert model.requests[0].messages[-3].content.startswith("topic3")
    assert len(model.requests[0].messages) < 2 + 2 * 4
    assert answer.text == "label3"


def test_dev_rows_are_never_demonstrations(tmp_path: Path) -> None:
    model = ScriptedModel()
    dev = [row(100 + i, f"text number {i}!", "DEV") for i in range(5)]
    for selection in ("random", "balanced", "nearest"):
        config = FewShotConfig(k=4, selection=selection, constrained=False)
        solver, _ = fit(config, LABELS, rows("abc" * 5), tmp_path, model=model, dev=dev)
        solver.solve([example.query for example in dev])
    assert all(turn.content != "DEV" for request in model.requests for turn in request.messages)


def test_more_shots_really_help_a_model_that_copies(tmp_path: Path) -> None:
    held_out = LABEL_CASE.dev
    scores = {}
    for selection in ("random", "nearest"):
        config = FewShotConfig(k=4, selection=selection)
        solver, _ = fit(config, LABEL_CASE.task, LABEL_CASE.train, tmp_path)
        answers = solver.solve([example.query for example in held_out])
        scores[selection] = np.mean([a.text == e.output for a, e in zip(answers, held_out)])
    assert scores["nearest"] == 1.0
    assert scores["random"] <= scores["nearest"]


@pytest.mark.parametrize(
    ("selection", "en", "zh"),
    [
        ("nearest", "few-shot, 16 nearest", "少样本（16 条，最近邻）"),
        ("balanced", "few-shot, 16 balanced", "少样本（16 条，按类别均衡）"),
    ],
)
def test_titles(selection: str, en: str, zh: str) -> None:
    title = FewShot(FewShotConfig(k=16, selection=selection)).describe()
    assert (title.en, title.zh) == (en, zh)

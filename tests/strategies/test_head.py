"""The head on text features: what it learns, how its strength is chosen, what it saves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from tuneworth.core.task import Example, Message, Query, Task
from tuneworth.strategies.base import Context
from tuneworth.strategies.head import (
    STRENGTHS,
    Head,
    HeadConfig,
    HeadSolver,
    cross_validate,
    fit_head,
    stratified_folds,
)
from tuneworth.testing.cases import CASES, HashEncoder


def task_of(rows, language="en") -> Task:
    labels = tuple(sorted({row.output for row in rows}))
    return Task(name="t", kind="label", labels=labels, metric="accuracy", language=language)


def rows_of(pairs) -> list[Example]:
    return [Example(Query(f"r{i}", (Message("user", text),)), label) for i, (text, label) in enumerate(pairs)]


def make_context(task: Task, folder: Path, seed: int = 0) -> Context:
    return Context(task, None, HashEncoder, np.random.default_rng(seed), seed, folder, max_new_tokens=4)


def fit(rows, folder: Path, features="embedding", language="en"):
    context = make_context(task_of(rows, language), folder)
    return Head(HeadConfig(features=features)).fit(rows, [], context), context


@pytest.mark.parametrize("name", ["label-en", "label-zh"])
def test_learns_what_can_be_learnt(name: str, tmp_path: Path) -> None:
    case = next(case for case in CASES if case.task.name == name)
    for config in Head.arms(case.task, None, case.train):
        solver = Head(config).fit(case.train, [], make_context(case.task, tmp_path))
        answers = solver.solve([row.query for row in case.dev])
        assert [answer.text for answer in answers] == [row.output for row in case.dev]
        assert all(answer.latency_ms > 0 and answer.usage.prompt_tokens == 0 for answer in answers)


def test_arms_by_language() -> None:
    rows = rows_of([("a", "x"), ("b", "y")])
    assert Head.arms(task_of(rows), None, rows) == [HeadConfig(features="embedding"), HeadConfig(features="tfidf")]
    assert Head.arms(task_of(rows, "zh"), None, rows) == [HeadConfig(features="tfidf")]


def test_skips_what_it_cannot_do() -> None:
    rows = rows_of([("a", "x"), ("b", "x")])
    one_label = Head.why_skipped(task_of(rows), None, rows)
    assert one_label is not None
    assert "fewer than two labels" in one_label.en
    for kind in ("choice", "json", "text"):
        why = Head.why_skipped(Task(name="t", kind=kind, metric="m"), None, rows)
        assert why is not None
        assert "fixed list" in why.en


def test_agrees_with_scikit_learn_for_two_and_for_many_classes(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    for n_classes in (2, 5):
        labels = np.array([f"class {i % n_classes}" for i in range(120)], dtype=object)
        centres = rng.normal(size=(n_classes, 20))
        x = np.array([centres[i % n_classes] for i in range(120)]) + rng.normal(size=(120, 20))
        x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
        ours = fit_head(x, labels, 16.0, make_context(task_of([]), tmp_path)).predict(x)
        theirs = LogisticRegression(C=16.0, tol=1e-3).fit(x, labels).predict(x)
        assert ours == theirs.tolist()


def test_folds_are_stratified_and_take_classes_of_one_row() -> None:
    labels = np.array(["a"] * 30 + ["b"] * 7 + ["c"], dtype=object)
    labels = labels[np.random.default_rng(0).permutation(len(labels))]
    folds = stratified_folds(labels, 3)
    for label, n_rows in (("a", 30), ("b", 7), ("c", 1)):
        counts = np.bincount(folds[labels == label], minlength=3)
        assert counts.sum() == n_rows
        assert counts.max() - counts.min() <= 1


def test_cross_validation_prefers_the_strength_that_generalises(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    labels = np.array(["yes" if value else "no" for value in rng.integers(0, 2, 300)], dtype=object)
    signal = np.where(labels == "yes", 0.05, -0.05)
    x = rng.normal(size=(300, 200)).astype(np.float32)
    x[:, :100] += signal[:, None] * 3
    context = make_context(task_of([]), tmp_path)
    scores = cross_validate(x, labels, context)
    held_out = {}
    fitted, held = slice(0, 200), slice(200, 300)
    for c in (STRENGTHS[0], STRENGTHS[-1]):
        predicted = np.array(fit_head(x[fitted], labels[fitted], c, context).predict(x[held]))
        held_out[c] = np.mean(predicted == labels[held])
    assert (scores[STRENGTHS[0]] >= scores[STRENGTHS[-1]]) == (held_out[STRENGTHS[0]] >= held_out[STRENGTHS[-1]])
    assert all(0.5 < score <= 1 for score in scores.values())


def test_classes_of_one_row_are_learnt_too(tmp_path: Path) -> None:
    pairs = [(f"thing {i} about cats", "cat") for i in range(10)] + [("solar panels", "energy"), ("oil price", "money")]
    solver, context = fit(rows_of(pairs), tmp_path)
    assert solver.head.classes == ("cat", "energy", "money")
    assert context.details["cross_validation"]["c"] in STRENGTHS


def test_two_rows_are_enough_to_fit(tmp_path: Path) -> None:
    solver, context = fit(rows_of([("good", "x"), ("bad", "y")]), tmp_path)
    queries = [row.query for row in rows_of([("good", ""), ("bad", "")])]
    assert [answer.text for answer in solver.solve(queries)] == ["x", "y"]
    assert context.details["cross_validation"]["c"] == STRENGTHS[0]


@pytest.mark.parametrize("features", ["embedding", "tfidf"])
def test_comes_back_exactly_and_without_pickle(features: str, tmp_path: Path) -> None:
    case = next(case for case in CASES if case.task.name == "label-en")
    solver, _ = fit(case.train, tmp_path, features)
    saved = tmp_path / "saved"
    saved.mkdir()
    solver.save(saved)
    loaded = HeadSolver.load(saved, make_context(case.task, tmp_path))
    assert np.array_equal(loaded.head.coef, solver.head.coef)
    assert np.array_equal(loaded.head.intercept, solver.head.intercept)
    texts = [query.text for query in case.queries]
    before, after = (s.features.transform(texts) @ s.head.coef.T for s in (solver, loaded))
    assert np.array_equal(np.asarray(before), np.asarray(after))
    for path in saved.glob("*.np*"):
        np.load(path, allow_pickle=False)


def test_thousands_of_rows_and_77_classes_take_seconds(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    labels = np.array([f"intent {i}" for i in rng.integers(0, 77, 3000)], dtype=object)
    centres = {label: rng.normal(size=384) for label in set(labels)}
    x = np.array([centres[label] + 1.5 * rng.normal(size=384) for label in labels])
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    context = make_context(task_of([]), tmp_path)
    steps: list[int] = []
    context.progress = lambda done, total, unit: steps.append(done)
    scores = cross_validate(x, labels, context)
    assert max(scores.values()) > 0.9
    assert steps == list(range(1, 13))
    assert "not_converged_at_c" not in context.details

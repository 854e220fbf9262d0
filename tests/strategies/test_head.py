"""The head on text features: what it learns, how its strength is chosen, what it saves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

from tuneworth.core.task import Example, Language, Message, Query, Task
from tuneworth.models.encoders import encoder_for
from tuneworth.strategies import Context
from tuneworth.strategies._parts.features import FeatureKind
from tuneworth.strategies._parts.linear import LabelSetHead, NumberHead
from tuneworth.strategies.head import (
    STRENGTHS,
    Head,
    HeadConfig,
    HeadSolver,
    LinearHead,
    cross_validate,
    fit_path,
    stratified_folds,
)
from tuneworth.testing.cases import CASES, HashEncoder


def task_of(rows, language: Language = "en") -> Task:
    labels, encoder = tuple(sorted({row.output for row in rows})), encoder_for(language)
    return Task(name="t", kind="label", labels=labels, metric="accuracy", language=language, sentence_encoder=encoder)


def rows_of(pairs) -> list[Example]:
    return [Example(Query(f"r{i}", (Message("user", text),)), label) for i, (text, label) in enumerate(pairs)]


def make_context(task: Task, folder: Path, seed: int = 0) -> Context:
    return Context(task, None, HashEncoder, np.random.default_rng(seed), seed, folder, max_new_tokens=4)


def fit(rows, folder: Path, features: FeatureKind = "embedding", language: Language = "en"):
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
    chinese = task_of(rows, "zh")
    assert Head.arms(chinese, None, rows) == [HeadConfig(features="multilingual"), HeadConfig(features="tfidf")]
    without = chinese.model_copy(update={"sentence_encoder": None})
    assert Head.arms(without, None, rows) == [HeadConfig(features="tfidf")]
    names = [Head(config).describe().en for config in Head.arms(chinese, None, rows)]
    assert names == ["head on multilingual-e5 embeddings", "head on n-gram TF-IDF"]


def test_skips_what_it_cannot_do() -> None:
    rows = rows_of([("a", "x"), ("b", "x")])
    one_label = Head.why_skipped(task_of(rows), None, rows)
    assert one_label is not None
    assert "fewer than two different answers" in one_label.en
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
        for c, head in fit_path(x, labels, STRENGTHS):
            theirs = LogisticRegression(C=c, max_iter=1000).fit(x, labels)
            agreement = np.mean(np.array(head.predict(x), dtype=object) == theirs.predict(x))
            assert agreement >= 0.99, (n_classes, c, agreement)
            assert head.coef.shape == theirs.coef_.shape


def test_folds_are_stratified_and_take_classes_of_one_row() -> None:
    labels = np.array(["a"] * 30 + ["b"] * 7 + ["c"], dtype=object)
    labels = labels[np.random.default_rng(0).permutation(len(labels))]
    folds = stratified_folds(labels, [""] * len(labels), 3)
    for label, n_rows in (("a", 30), ("b", 7), ("c", 1)):
        counts = np.bincount(folds[labels == label], minlength=3)
        assert counts.sum() == n_rows
        assert counts.max() - counts.min() <= 1


def test_copies_of_a_row_are_in_one_fold(tmp_path: Path) -> None:
    """Rows that say nothing of their label: where copies are apart, remembering them looks like knowing."""
    rng = np.random.default_rng(2)
    x, labels = noisy_rows(0.0, 60, rng)
    x, labels, groups = np.repeat(x, 4, axis=0), np.repeat(labels, 4), np.repeat([f"g{at}" for at in range(60)], 4)
    folds = stratified_folds(labels, list(groups), 3)
    assert all(len(set(folds[groups == name])) == 1 for name in set(groups))
    apart = cross_validate(x, labels, [""] * 240, make_context(task_of([]), tmp_path))
    whole = cross_validate(x, labels, list(groups), make_context(task_of([]), tmp_path))
    assert max(apart.values()) > 0.9
    assert max(whole.values()) < 0.7


def noisy_rows(signal: float, n_rows: int, rng: np.random.Generator):
    """Unit rows of 200 dimensions with the label's sign spread over all of them."""
    labels = np.array(["no", "yes"], dtype=object)[rng.integers(0, 2, n_rows)]
    x = rng.normal(size=(n_rows, 200)) + np.where(labels == "yes", signal, -signal)[:, None]
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), labels


def test_cross_validation_ranks_strengths_as_many_new_rows_do(tmp_path: Path) -> None:
    """On weak signals a strong penalty generalises better; cross-validation sees it on the train rows."""
    rng = np.random.default_rng(5)
    x, labels = noisy_rows(0.08, 240, rng)
    fresh, truth = noisy_rows(0.08, 4000, rng)
    scores = cross_validate(x, labels, [""] * len(labels), make_context(task_of([]), tmp_path))
    on_fresh = {c: np.mean(np.array(head.predict(fresh)) == truth) for c, head in fit_path(x, labels, STRENGTHS)}
    weakest, strongest = STRENGTHS[-1], STRENGTHS[0]
    assert on_fresh[strongest] > on_fresh[weakest] + 0.02
    assert scores[strongest] > scores[weakest]
    assert abs(scores[strongest] - on_fresh[strongest]) < 0.08


def test_classes_of_one_row_are_learnt_too(tmp_path: Path) -> None:
    pairs = [(f"thing {i} about cats", "cat") for i in range(10)] + [("solar panels", "energy"), ("oil price", "money")]
    solver, context = fit(rows_of(pairs), tmp_path)
    assert isinstance(solver.head, LinearHead)
    assert solver.head.classes == ("cat", "energy", "money")
    assert context.details["cross_validation"]["c"] in STRENGTHS


def test_two_rows_are_enough_to_fit(tmp_path: Path) -> None:
    solver, context = fit(rows_of([("good", "x"), ("bad", "y")]), tmp_path)
    queries = [row.query for row in rows_of([("good", ""), ("bad", "")])]
    assert [answer.text for answer in solver.solve(queries)] == ["x", "y"]
    assert context.details["cross_validation"]["c"] == STRENGTHS[0]


@pytest.mark.parametrize("features", ["embedding", "tfidf"])
def test_comes_back_exactly_and_without_pickle(features: FeatureKind, tmp_path: Path) -> None:
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
    scores = cross_validate(x, labels, [""] * len(labels), context)
    assert max(scores.values()) > 0.9
    assert steps == [1, 2, 3]


def case_named(name: str):
    return next(case for case in CASES if case.task.name == name)


def test_sets_of_labels_agree_with_scikit_learn(tmp_path: Path) -> None:
    case = case_named("multilabel")
    solver = Head(HeadConfig(features="tfidf")).fit(case.train, [], make_context(case.task, tmp_path))
    head = solver.head
    assert isinstance(head, LabelSetHead)
    x = solver.features.transform([query.text for query in case.queries])
    right = np.array([[label in row.output.split(", ") for label in case.task.labels] for row in case.train])
    texts = solver.features.transform([row.query.text for row in case.train])
    details = Context(case.task, None, HashEncoder, np.random.default_rng(0), 0, tmp_path, max_new_tokens=4)
    refitted = Head(HeadConfig(features="tfidf")).fit(case.train, [], details)
    chosen = details.details["cross_validation"]
    theirs = OneVsRestClassifier(LogisticRegression(C=chosen["c"], max_iter=1000)).fit(texts, right)
    named = theirs.predict_proba(x) >= chosen["threshold"]
    wanted = [set(np.array(case.task.labels)[row]) for row in named]
    answers = [set(text.split(", ")) for text in head.predict(x)]
    assert np.mean([a == b for a, b in zip(answers, wanted)]) > 0.9
    assert [a.text for a in refitted.solve(case.queries)] == [a.text for a in solver.solve(case.queries)]
    assert np.mean([a == set(row.output.split(", ")) for a, row in zip(answers, case.held_out)]) > 0.9


def test_numbers_agree_with_ridge_and_stay_in_range(tmp_path: Path) -> None:
    case = case_named("number")
    solver = Head(HeadConfig(features="tfidf")).fit(case.train, [], make_context(case.task, tmp_path))
    head = solver.head
    assert isinstance(head, NumberHead)
    said = np.array([float(answer.text or "nan") for answer in solver.solve(case.queries)])
    right = np.array([float(row.output) for row in case.held_out])
    middle = np.median([float(row.output) for row in case.train])
    assert np.abs(said - right).mean() < 0.6 * np.abs(middle - right).mean()
    far = NumberHead(head.coef * 1000, head.intercept, head.low, head.high, head.digits)
    values = {float(text) for text in far.predict(solver.features.transform([query.text for query in case.queries]))}
    assert values <= {head.low, head.high}
    assert all(len(str(answer.text).partition(".")[2]) <= 1 for answer in solver.solve(case.queries)), "as in the rows"


def test_rows_without_a_label_are_learnt(tmp_path: Path) -> None:
    pairs = [(f"all is well on day {i}", "none") for i in range(30)] + [
        (f"the roof leaks on day {i}", "roof") for i in range(30)
    ]
    pairs += [(f"the roof leaks and the door sticks on day {i}", "door, roof") for i in range(30)]
    task = Task(name="t", kind="multilabel", labels=("door", "roof"), metric="multilabel_f1")
    solver = Head(HeadConfig(features="tfidf")).fit(rows_of(pairs), [], make_context(task, tmp_path))
    asked = [row.query for row in rows_of([("all is well on day 99", ""), ("the roof leaks on day 98", "")])]
    assert [answer.text for answer in solver.solve(asked)] == ["none", "roof"]


@pytest.mark.parametrize("n_classes", [2, 3])
def test_probabilities_are_those_of_scikit_learn(n_classes: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 5)).astype(np.float32)
    labels = np.array([f"c{at % n_classes}" for at in range(60)], dtype=object)
    [(_, head)] = fit_path(x, labels, [1.0])
    right = LogisticRegression(C=1.0, max_iter=300).fit(x, labels)
    np.testing.assert_allclose(head.probabilities(x), right.predict_proba(x), atol=1e-3)
    assert head.predict(x) == [head.classes[at] for at in head.probabilities(x).argmax(axis=1)]


def test_answers_say_how_sure_they_are(tmp_path: Path) -> None:
    rows = rows_of([("red lamp", "lamp"), ("red door", "door"), ("old lamp", "lamp"), ("old door", "door")] * 3)
    solver, _ = fit(rows, tmp_path)
    for answer in solver.solve([row.query for row in rows]):
        assert answer.probabilities is not None
        assert sum(answer.probabilities.values()) == pytest.approx(1)
        assert answer.text == max(answer.probabilities, key=answer.probabilities.__getitem__)

"""A linear model on top of text features: multinomial logistic regression for labels.

Where the answer is one of a few labels this is the simplest thing that learns from all the rows, and
it answers in a millisecond. Sets of labels and numbers have heads of their own, in ``_parts/linear.py``. Two kinds of features compete on dev rows: embeddings (MiniLM's for
English, multilingual-e5's for other languages) and character n-gram TF-IDF. The strength of the
regularisation is chosen by stratified cross-validation on the training rows.
"""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tuneworth.core.task import Example, Query, Task
from tuneworth.core.text import Text
from tuneworth.models.base import Model
from tuneworth.stats.clusters import group_numbers
from tuneworth.strategies import Answer, Context, Solver, Strategy, StrategyConfig
from tuneworth.strategies._parts.features import (
    FeatureKind,
    Matrix,
    TextFeatures,
    default_kind,
    load_features,
    text_features,
    why_no_sklearn,
)
from tuneworth.strategies._parts.linear import LabelSetHead, NumberHead, head_for
from tuneworth.strategies._parts.workload import Workload, encoded_chars, read_chars, sample

STRENGTHS = (1.0, 4.0, 16.0, 64.0)
"""Inverse regularisation (scikit-learn's C). On unit rows the best value lay inside this grid on every set tried."""
N_FOLDS = 3
MAX_CV_ROWS = 2000
"""Cross-validation looks at this many rows: enough to rank four strengths, and seconds instead of a minute."""
MAX_ITERATIONS = 300
ENCODER_WIDTH = 384
"""Numbers in a vector of either encoder."""
OPERATIONS_PER_WEIGHT = 4 * MAX_ITERATIONS
"""Of a whole fit, per row and weight: a multiplication and an addition, forward and backward, in about as many passes
over all rows as one regression may take: choosing the strength and the last fit together."""


class HeadConfig(StrategyConfig):
    features: FeatureKind = Field(
        default="embedding", description="MiniLM or multilingual-e5 embeddings, or character n-gram TF-IDF"
    )


@dataclass(frozen=True)
class LinearHead:
    """Weights of a fitted classifier.

    Attributes:
        coef: shape ``(n_classes, n_features)``, or one row for two classes.
        intercept: one value per row of ``coef``.
    """

    classes: tuple[str, ...]
    coef: NDArray[np.float32]
    intercept: NDArray[np.float32]

    def predict(self, x: Matrix) -> list[str]:
        return [self.classes[i] for i in self._scores(x).argmax(axis=1)]

    def probabilities(self, x: Matrix) -> NDArray[np.float64]:
        """Shape ``(n_rows, n_classes)``: softmax of the scores."""
        scores = self._scores(x).astype(np.float64)
        return np.exp(scores - np.logaddexp.reduce(scores, axis=1, keepdims=True))

    def _scores(self, x: Matrix) -> NDArray[np.float32]:
        """Of two classes scikit-learn keeps the weights of the second; the first one scores 0."""
        scores = np.asarray(x @ self.coef.T) + self.intercept
        return scores if scores.shape[1] > 1 else np.hstack([np.zeros_like(scores), scores])

    def save(self, folder: Path) -> None:
        (folder / "classes.json").write_text(json.dumps(self.classes, ensure_ascii=False), encoding="utf-8")
        np.savez(folder / "head.npz", coef=self.coef, intercept=self.intercept)

    @classmethod
    def load(cls, folder: Path) -> LinearHead:
        classes = json.loads((folder / "classes.json").read_text(encoding="utf-8"))
        with np.load(folder / "head.npz", allow_pickle=False) as saved:
            return cls(tuple(classes), saved["coef"], saved["intercept"])


class HeadSolver(Solver):
    def __init__(self, features: TextFeatures, head: LinearHead | LabelSetHead | NumberHead):
        self.features = features
        self.head = head

    def solve(self, queries: Sequence[Query]) -> list[Answer]:
        if not queries:
            return []
        started = time.perf_counter()
        x = self.features.transform([query.text for query in queries])
        labels = self.head.predict(x)
        if not isinstance(self.head, LinearHead):
            each_ms = 1000 * (time.perf_counter() - started) / len(queries)
            return [Answer(label, latency_ms=each_ms) for label in labels]
        chances = self.head.probabilities(x).tolist()
        each_ms = 1000 * (time.perf_counter() - started) / len(queries)
        return [
            Answer(label, latency_ms=each_ms, probabilities=dict(zip(self.head.classes, row)))
            for label, row in zip(labels, chances, strict=True)
        ]

    def save(self, folder: Path) -> None:
        self.features.save(folder)
        self.head.save(folder)

    @classmethod
    def load(cls, folder: Path, context: Context) -> HeadSolver:
        head = (head_for(context.task) or LinearHead).load(folder)
        return cls(load_features(folder, context.encoder), head)


class Head(Strategy):
    id = "head"
    effort = 4
    needs_model = False
    grows = True
    title = Text(en="head on text features", zh="特征向量 + 线性头")
    Config = HeadConfig
    solver = HeadSolver
    config: HeadConfig

    @classmethod
    def arms(cls, task: Task, model: Model | None, train: Sequence[Example]) -> list[StrategyConfig]:
        return [HeadConfig(features=kind) for kind in dict.fromkeys((default_kind(task), "tfidf"))]

    @classmethod
    def why_skipped(cls, task: Task, model: Model | None, train: Sequence[Example]) -> Text | None:
        if task.kind != "label" and head_for(task) is None:
            return Text(
                en="a head answers with labels of a fixed list or with a number; this task's answers are not of that kind",
                zh="线性头只能给出固定列表中的标签或一个数字，本任务的答案不是这种形式",
            )
        if len({example.output for example in train}) < 2:
            return Text(en="the training rows have fewer than two different answers", zh="训练数据中的答案不足两种")
        return why_no_sklearn()

    def describe(self) -> Text:
        if self.config.features == "embedding":
            return Text(en="head on MiniLM embeddings", zh="MiniLM 向量 + 线性头")
        if self.config.features == "multilingual":
            return Text(en="head on multilingual-e5 embeddings", zh="multilingual-e5 向量 + 线性头")
        return Text(en="head on n-gram TF-IDF", zh="n-gram TF-IDF + 线性头")

    def workload(self, task: Task, model: Model | None, train: Sequence[Example], max_new_tokens: int) -> Workload:
        """A character n-gram row has about as many entries as the text has characters."""
        embeds = self.config.features != "tfidf"
        queries = [row.query for row in sample(train)]
        read = encoded_chars(queries, task) if embeds else read_chars(queries)
        n_weights = max(len(task.labels), 1) * (ENCODER_WIDTH if embeds else read)
        return Workload(encoded_chars=read if embeds else 0.0, fit_operations=OPERATIONS_PER_WEIGHT * n_weights)

    def fit(self, train: Sequence[Example], dev: Sequence[Example], context: Context) -> HeadSolver:
        texts = [example.query.text for example in train]
        labels = np.array([example.output for example in train], dtype=object)
        features = text_features(context.task, texts, context.encoder, self.config.features)
        x = features.transform(texts)
        if (kind := head_for(context.task)) is not None:
            return HeadSolver(features, kind.fit(x, train, context))
        scores = cross_validate(x, labels, [example.group for example in train], context)
        strength = max(scores, key=lambda c: (scores[c], -c))
        context.details["cross_validation"] = {"accuracy_by_c": {str(c): scores[c] for c in STRENGTHS}, "c": strength}
        [(_, head)] = fit_path(x, labels, [strength])
        return HeadSolver(features, head)


def cross_validate(
    x: Matrix, labels: NDArray[np.object_], groups: Sequence[str], context: Context
) -> dict[float, float]:
    """Accuracy on held-out folds for every strength; equal for all if no fold can be fitted."""
    rows = context.rng.permutation(len(labels))[:MAX_CV_ROWS]
    folds = stratified_folds(labels[rows], [groups[int(at)] for at in rows], N_FOLDS)
    right = dict.fromkeys(STRENGTHS, 0)
    for fold in range(N_FOLDS):
        fitted, held_out = rows[folds != fold], rows[folds == fold]
        if len(set(labels[fitted])) > 1:
            for c, head in fit_path(x[fitted], labels[fitted], STRENGTHS):
                predicted = np.array(head.predict(x[held_out]), dtype=object)
                right[c] += int(np.sum(predicted == labels[held_out]))
        context.progress(fold + 1, N_FOLDS, "steps")
    return {c: n / len(rows) for c, n in right.items()}


def stratified_folds(labels: NDArray[np.object_], groups: Sequence[str], n_folds: int) -> NDArray[np.intp]:
    """Fold of every row: groups whole, and each class is dealt out in turn, so a class of one row is in one fold.

    A group counts under the class of its first row. scikit-learn's ``StratifiedGroupKFold`` warns about classes smaller than
    ``n_folds``; with 77 labels they are normal.
    """
    of_row = group_numbers(groups)
    first_rows = np.unique(of_row, return_index=True)[1]
    folds = np.empty(len(first_rows), dtype=np.intp)
    folds[np.argsort(labels[first_rows].astype(str), kind="stable")] = np.arange(len(first_rows)) % n_folds
    return folds[of_row]


def fit_path(x: Matrix, labels: NDArray[np.object_], strengths: Sequence[float]) -> Iterator[tuple[float, LinearHead]]:
    """A multinomial logistic regression for each inverse regularisation, each starting from the one before.

    Starting there takes a third of the iterations of starting from zero.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    classifier = LogisticRegression(max_iter=MAX_ITERATIONS, warm_start=True)
    for strength in strengths:
        with warnings.catch_warnings():
            # Nearly converged is good enough: what counts is the accuracy on rows held out.
            warnings.simplefilter("ignore", ConvergenceWarning)
            # With few rows most labels have one: scikit-learn then suspects numbers to be predicted.
            warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
            classifier.set_params(C=strength).fit(x, labels)
        yield (
            strength,
            LinearHead(
                tuple(str(label) for label in classifier.classes_),
                np.asarray(classifier.coef_, dtype=np.float32).copy(),
                np.asarray(classifier.intercept_, dtype=np.float32).copy(),
            ),
        )


PLUGIN = Head

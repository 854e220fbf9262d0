"""Linear models on text features for answers that are sets of labels, or numbers.

Sets: one logistic regression per label (one-vs-rest, or "binary relevance": labels are judged apart, what goes with what is not
learnt), and one threshold for all. Numbers: ridge regression. Both choose their regularisation, and the threshold, on
held-out folds of the training rows.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuneworth.core.labelsets import read_labels, written
from tuneworth.core.quantity import number_text
from tuneworth.core.task import Example, Task
from tuneworth.stats.clusters import group_numbers
from tuneworth.strategies import Context
from tuneworth.strategies._parts.features import Matrix

STRENGTHS = (1.0, 4.0, 16.0, 64.0)
"""Inverse regularisation of the logistic regressions (scikit-learn's C)."""
FEW_LABELS = 40
"""With more, every other strength is tried: each is a regression per label and fold."""
PENALTIES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
"""Of the ridge (scikit-learn's alpha), for unit rows."""
THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(2, 15))
N_FOLDS = 3
MAX_CV_ROWS = 2000
MAX_ITERATIONS = 200


@dataclass(frozen=True)
class LabelSetHead:
    """A score per label; the labels whose probability reaches ``threshold`` are the answer.

    Attributes:
        coef: shape ``(n_labels, n_features)``; intercept: ``(n_labels,)``.
        empty: some training rows have no label; else the likeliest one is named where none reaches the threshold.
    """

    labels: tuple[str, ...]
    coef: NDArray[np.float32]
    intercept: NDArray[np.float32]
    threshold: float
    empty: bool

    def predict(self, x: Matrix) -> list[str]:
        chances = _sigmoid(np.asarray(x @ self.coef.T) + self.intercept)
        return [written(named, self.labels) for named in self._named(chances)]

    def _named(self, chances: NDArray[np.float64]) -> list[list[str]]:
        chosen = named_of(chances, self.threshold, self.empty)
        return [[self.labels[at] for at in np.flatnonzero(row)] for row in chosen]

    def save(self, folder: Path) -> None:
        numbers = {"labels": self.labels, "threshold": self.threshold, "empty": self.empty}
        _save(folder, numbers, self.coef, self.intercept)

    @classmethod
    def load(cls, folder: Path) -> LabelSetHead:
        saved, coef, intercept = _load(folder)
        return cls(tuple(saved["labels"]), coef, intercept, saved["threshold"], saved["empty"])

    @classmethod
    def fit(cls, x: Matrix, train: Sequence[Example], context: Context) -> LabelSetHead:
        labels = context.task.labels
        named = [read_labels(row.output, labels) for row in train]
        right = np.array([[label in one for label in labels] for one in named])
        empty = bool((~right.any(axis=1)).any())
        best, tried = (-1.0, STRENGTHS[0], 0.5), dict[str, float]()
        rows, folds = _folds(train, context.rng)
        tried_strengths = STRENGTHS if len(labels) <= FEW_LABELS else STRENGTHS[1::2]
        for strength in tried_strengths:
            held_out = np.zeros((len(rows), len(labels)))
            for fold in range(N_FOLDS):
                fitted, asked = rows[folds != fold], folds == fold
                coef, intercept = _one_vs_rest(x[fitted], right[fitted], strength)
                held_out[asked] = _sigmoid(np.asarray(x[rows[asked]] @ coef.T) + intercept)
            for threshold in THRESHOLDS:
                f1 = mean_f1(named_of(held_out, threshold, empty), right[rows])
                tried[f"{strength:g}"] = max(tried.get(f"{strength:g}", 0.0), f1)
                if f1 > best[0] + 1e-9:
                    best = (f1, strength, threshold)
            context.progress(tried_strengths.index(strength) + 1, len(tried_strengths), "steps")
        _, strength, threshold = best
        context.details["cross_validation"] = {"f1_by_c": tried, "c": strength, "threshold": threshold}
        coef, intercept = _one_vs_rest(x, right, strength)
        return cls(labels, coef, intercept, threshold, empty)


@dataclass(frozen=True)
class NumberHead:
    """Ridge regression; what it says stays within the training outputs and has their digits after the point.

    Attributes:
        coef: shape ``(1, n_features)``; intercept: ``(1,)``.
        low, high: the smallest and the largest training output.
        digits: after the point.
    """

    coef: NDArray[np.float32]
    intercept: NDArray[np.float32]
    low: float
    high: float
    digits: int

    def predict(self, x: Matrix) -> list[str]:
        values = np.clip(np.asarray(x @ self.coef.T)[:, 0].astype(np.float64) + self.intercept[0], self.low, self.high)
        return [number_text(round(float(value), self.digits)) for value in values]

    def save(self, folder: Path) -> None:
        numbers = {"low": self.low, "high": self.high, "digits": self.digits}
        _save(folder, numbers, self.coef, self.intercept)

    @classmethod
    def load(cls, folder: Path) -> NumberHead:
        saved, coef, intercept = _load(folder)
        return cls(coef, intercept, **saved)

    @classmethod
    def fit(cls, x: Matrix, train: Sequence[Example], context: Context) -> NumberHead:
        right = np.array([float(row.output) for row in train])
        rows, folds = _folds(train, context.rng)
        errors: dict[float, float] = {}
        for penalty in PENALTIES:
            off = np.zeros(len(rows))
            for fold in range(N_FOLDS):
                fitted, asked = rows[folds != fold], folds == fold
                coef, intercept = _ridge(x[fitted], right[fitted], penalty)
                off[asked] = np.abs(np.asarray(x[rows[asked]] @ coef.T)[:, 0] + intercept[0] - right[rows[asked]])
            errors[penalty] = float(off.mean())
            context.progress(len(errors), len(PENALTIES), "steps")
        penalty = min(errors, key=lambda alpha: (errors[alpha], -alpha))
        by_alpha = {f"{alpha:g}": error for alpha, error in errors.items()}
        context.details["cross_validation"] = {"mae_by_alpha": by_alpha, "alpha": penalty}
        coef, intercept = _ridge(x, right, penalty)
        digits = max(len(row.output.partition(".")[2]) for row in train)
        return cls(coef, intercept, float(right.min()), float(right.max()), digits)


Head = LabelSetHead | NumberHead


def head_for(task: Task) -> type[LabelSetHead] | type[NumberHead] | None:
    """The head of a task whose answers are no single labels; ``None`` where there is none."""
    return {"multilabel": LabelSetHead, "number": NumberHead}.get(task.kind)


def named_of(chances: NDArray[np.float64], threshold: float, empty: bool) -> NDArray[np.bool_]:
    """Which labels are named; shape as ``chances``, ``(n_rows, n_labels)``."""
    chosen = chances >= threshold
    if not empty:
        chosen[np.arange(len(chances)), chances.argmax(axis=1)] = True
    return chosen


def mean_f1(named: NDArray[np.bool_], right: NDArray[np.bool_]) -> float:
    """The mean of the rows' own F1; 1 for a row where both are empty."""
    both, total = (named & right).sum(axis=1), named.sum(axis=1) + right.sum(axis=1)
    return float(np.where(total > 0, 2 * both / np.maximum(total, 1), 1.0).mean())


def _one_vs_rest(
    x: Matrix, right: NDArray[np.bool_], strength: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weights per label. A label that all rows have, or none, is a constant."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    coef = np.zeros((right.shape[1], x.shape[1]), dtype=np.float32)
    intercept = np.where(right.all(axis=0), 20.0, -20.0).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # nearly converged is good enough
        for at in np.flatnonzero(right.any(axis=0) & ~right.all(axis=0)):
            # Much faster than the usual solver where there are hundreds of labels; its intercept is penalised, hence the scale.
            one = LogisticRegression(C=strength, solver="liblinear", intercept_scaling=10, max_iter=MAX_ITERATIONS)
            one.fit(x, right[:, at])
            coef[at], intercept[at] = np.asarray(one.coef_)[0], np.asarray(one.intercept_)[0]
    return coef, intercept


def _ridge(x: Matrix, right: NDArray[np.float64], penalty: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    from sklearn.linear_model import Ridge

    fitted = Ridge(alpha=penalty).fit(x, right)
    return np.asarray(fitted.coef_, dtype=np.float32)[None, :], np.array([fitted.intercept_], dtype=np.float32)


def _folds(train: Sequence[Example], rng: np.random.Generator) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows to look at, in random order, and the fold of each; groups are whole."""
    rows = rng.permutation(len(train))[:MAX_CV_ROWS]
    return rows, group_numbers([train[int(at)].group for at in rows]) % N_FOLDS


def _sigmoid(scores: NDArray[Any]) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-np.clip(scores, -30, 30)))


def _save(folder: Path, numbers: dict[str, Any], coef: NDArray[np.float32], intercept: NDArray[np.float32]) -> None:
    (folder / "head.json").write_text(json.dumps(numbers, ensure_ascii=False), encoding="utf-8")
    np.savez(folder / "head.npz", coef=coef, intercept=intercept)


def _load(folder: Path) -> tuple[dict[str, Any], NDArray[np.float32], NDArray[np.float32]]:
    with np.load(folder / "head.npz", allow_pickle=False) as arrays:
        return json.loads((folder / "head.json").read_text(encoding="utf-8")), arrays["coef"], arrays["intercept"]

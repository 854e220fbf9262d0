"""What a classifier that never saw a row says about it.

Linear discriminant analysis with a shrunken covariance: fitted in closed form, so that five folds at three sizes
cost seconds even with a hundred classes, and on sentence embeddings as accurate as logistic regression. Its
probabilities are far too sure of themselves; one temperature, fitted to the held-out rows, calibrates them.

Sources: Ledoit & Wolf (2004), J. Portfolio Management 30:110; Guo et al. (2017), ICML, temperature scaling.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

_UNSEEN = 5.0
"""How far below the least likely class a class stands that a fold did not see, in log-odds."""


def held_out_scores(
    x: Floats, labels: Ints, n_classes: int, folds: Ints, *, share: float = 1.0, rng: np.random.Generator
) -> Floats:
    """Log-odds of every row from the folds it is not in, shape ``(rows, classes)``.

    Args:
        share: of the other folds' rows, how many are fitted on.
    """
    scores = np.zeros((len(labels), n_classes))
    for fold in range(int(folds.max()) + 1):
        held = np.flatnonzero(folds == fold)
        fitted = rng.permutation(np.flatnonzero(folds != fold))
        fitted = fitted[: max(2, round(share * len(fitted)))]
        scores[held] = _fit_and_score(x[fitted], labels[fitted], x[held], n_classes)
    return scores


def probabilities(scores: Floats, labels: Ints) -> Floats:
    """Calibrated probabilities, rows summing to 1: a softmax at the temperature that fits the labels best."""
    from scipy.optimize import minimize_scalar

    rows = np.arange(len(labels))

    def loss(log_scale: float) -> float:
        return -float(np.mean(np.log(np.maximum(_softmax(scores * np.exp(log_scale))[rows, labels], 1e-9))))

    best: Any = minimize_scalar(loss, bounds=(-4.0, 2.0), method="bounded", options={"xatol": 1e-2})
    return _softmax(scores * np.exp(best.x))


def _fit_and_score(x: Floats, labels: Ints, held: Floats, n_classes: int) -> Floats:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    seen = np.unique(labels)
    scores = np.zeros((len(held), n_classes))
    if seen.size == 0:  # all rows are one group
        return scores
    if seen.size > 1:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # constant columns and classes of one row only shrink more
            model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(x, labels)
            found = np.asarray(model.decision_function(held), dtype=np.float64)
        scores[:, seen] = found if found.ndim == 2 else np.stack([-found / 2, found / 2], axis=1)
    unseen = np.setdiff1d(np.arange(n_classes), seen)
    scores[:, unseen] = scores[:, seen].min(axis=1, keepdims=True) - _UNSEEN
    return np.nan_to_num(scores, nan=0.0, posinf=50.0, neginf=-50.0)


def _softmax(scores: Floats) -> Floats:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)

"""Weights of labels: what is taken off is taken off, what is fitted is found again, and few rows do not fool it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tuneworth.strategies._parts.label_weights import LabelWeights, fit_weights, padded, priors, without_bias


def made(rng: np.random.Generator, n: int, k: int, sharpness: float) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Log-probabilities that are right about how sure they are, and the true labels, equally frequent."""
    logits = sharpness * rng.normal(size=(n, k))
    log_p = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    return log_p, np.array([rng.choice(k, p=np.exp(row)) for row in log_p])


def distorted(log_p: NDArray[np.float64], slope: float, bias: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a model says that is too sure by 1 / ``slope`` and leans towards labels."""
    return LabelWeights(1 / slope, tuple(bias)).log_probabilities(log_p)


def loss(log_p: NDArray[np.float64], right: NDArray[np.intp]) -> float:
    return -float(log_p[np.arange(len(right)), right].mean())


def accuracy(log_p: NDArray[np.float64], right: NDArray[np.intp]) -> float:
    return float((log_p.argmax(axis=1) == right).mean())


def names(n: int) -> list[str]:
    return [str(at) for at in range(n)]


def test_a_bias_is_taken_off_without_labels() -> None:
    rng = np.random.default_rng(1)
    log_p, right = made(rng, 600, 4, 1.5)
    said = distorted(log_p, 1.0, np.array([3.0, 0.0, -2.0, 0.5]))
    better = without_bias(said[:100]).log_probabilities(said[100:])
    assert accuracy(better, right[100:]) > accuracy(said[100:], right[100:]) + 0.15
    assert accuracy(better, right[100:]) > accuracy(log_p[100:], right[100:]) - 0.03
    np.testing.assert_allclose(np.logaddexp.reduce(better, axis=1), 0, atol=1e-12)


def test_fitted_weights_find_the_distortion_again() -> None:
    rng = np.random.default_rng(2)
    bias = np.array([3.0, 0.0, -2.0, 0.5])
    log_p, right = made(rng, 3000, 4, 1.5)
    said = distorted(log_p, 0.25, bias)
    fitted = fit_weights(said[:2000], right[:2000].tolist(), names(2000), rng)
    assert fitted.slope == pytest.approx(0.25, rel=0.15)
    found = np.array(fitted.weights.offsets)
    np.testing.assert_allclose(found - found.mean(), -(bias - bias.mean()) * 0.25, atol=0.2)
    better = fitted.weights.log_probabilities(said[2000:])
    assert loss(better, right[2000:]) < loss(log_p[2000:], right[2000:]) + 0.01
    assert loss(said[2000:], right[2000:]) > loss(better, right[2000:]) + 0.5


@pytest.mark.parametrize("seed", range(4))
def test_many_labels_and_few_rows_do_not_overfit(seed: int) -> None:
    """77 labels, 200 rows, no bias at all: held-out loss stays that of two parameters."""
    rng = np.random.default_rng([3, seed])
    log_p, right = made(rng, 2200, 77, 2.0)
    said = distorted(log_p, 0.5, np.zeros(77))
    fitted = fit_weights(said[:200], right[:200].tolist(), names(200), rng)
    better = fitted.weights.log_probabilities(said[200:])
    assert loss(better, right[200:]) < loss(log_p[200:], right[200:]) + 0.05
    assert accuracy(better, right[200:]) > accuracy(log_p[200:], right[200:]) - 0.02
    assert fitted.penalty >= 3


def test_copies_of_a_row_do_not_weaken_the_penalty() -> None:
    """Twenty copies of forty rows, held out whole: biases are not learnt from the copies."""
    rng = np.random.default_rng(4)
    log_p, right = made(rng, 40, 20, 1.0)
    rows = np.repeat(np.arange(40), 20)
    grouped = fit_weights(log_p[rows], right[rows].tolist(), [f"g{at}" for at in rows], np.random.default_rng(5))
    apart = fit_weights(log_p[rows], right[rows].tolist(), names(800), np.random.default_rng(5))
    assert grouped.penalty > apart.penalty


def test_few_rows_change_little() -> None:
    log_p = np.log(np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]]))
    fitted = fit_weights(log_p, [0, 1, 0], ["", "", ""], np.random.default_rng(0))
    assert 0.5 < fitted.slope < 2.5
    assert np.isinf(fitted.penalty)


def test_rows_with_options_of_their_own_have_places() -> None:
    """A model that loves the first place; rows have two to four options."""
    rng = np.random.default_rng(6)
    scores, right = [], []
    for at in range(900):
        log_p, (answer,) = made(rng, 1, 2 + at % 3, 1.0)
        scores.append(distorted(log_p[0], 1.0, np.array([2.5, *[0.0] * (log_p.shape[1] - 1)])))
        right.append(int(answer))
    wide = padded(scores)
    assert wide.shape == (900, 4)
    fitted = fit_weights(wide, right, names(900), rng)
    for weights in (without_bias(wide), fitted.weights):
        hits = [int(weights.log_probabilities(row).argmax()) == answer for row, answer in zip(scores, right)]
        before = [int(row.argmax()) == answer for row, answer in zip(scores, right)]
        assert np.mean(hits) > np.mean(before) + 0.1
    assert without_bias(wide).log_probabilities(np.log(np.full(6, 1 / 6))).shape == (6,), "more options than ever seen"


def test_where_scores_mislead_they_are_not_heard_and_a_label_without_any_stays_at_nothing() -> None:
    right = np.arange(60) % 3
    scores = np.where(np.eye(3)[right] > 0, -5.0, 0.0)
    scores -= np.logaddexp.reduce(scores, axis=1, keepdims=True)
    fitted = fit_weights(scores, right.tolist(), names(60), np.random.default_rng(0))
    assert fitted.slope == 0
    told = fitted.weights.log_probabilities(np.array([-1.0, -np.inf, -0.5]))
    assert told[1] == -np.inf
    assert np.exp(told).sum() == pytest.approx(1)


def test_labels_that_cannot_be_told_apart_stay_at_nothing() -> None:
    said = np.log(
        np.array([[0.6, 0.4, 0.0], [0.3, 0.7, 0.0]] * 20), where=[True, True, False], out=np.full((40, 3), -np.inf)
    )
    assert np.isfinite(priors(said)).all()
    fitted = fit_weights(said, [0, 1] * 19 + [2, 2], names(40), np.random.default_rng(0))
    for weights in (without_bias(said), fitted.weights):
        after = weights.log_probabilities(said)
        assert np.isneginf(after[:, 2]).all()
        np.testing.assert_allclose(np.logaddexp.reduce(after, axis=1), 0, atol=1e-12)

"""Better weights for the labels that a model decides between: its bias taken off, or a few parameters fitted.

A *slot* is what a bias belongs to: a label of the task, or, where rows have options of their own, the place of an option in its
row, because there a model prefers places and letters. Scores are log-probabilities, shape ``(n_rows, n_slots)``, −∞ where a row
has no such option. The adjusted score of slot j is

    slope · score_j − strength · prior_j + bias_j,      prior_j = log mean over rows (n options of the row · p_j)

**Bias taken off** (slope 1, strength 1, bias 0): batch calibration, Zhou et al. 2023, arXiv:2309.17249, from the inputs of training
rows, whose outputs are not looked at. It ASSUMES that labels are about equally frequent; where one is rare, its prior is small for
a good reason and too much is taken off. Contextual calibration (Zhao et al. 2021, arXiv:2102.09690), which takes the prior from
inputs without content such as "N/A", was measured beside it (decision 023).

**Fitted**: all parameters by penalised maximum likelihood on labelled rows. The penalty on the biases is chosen by
cross-validation over whole groups; the strongest allows no bias at all, so that two parameters are left (with 77 labels and 200 rows
it often is). One slope with biases is vector scaling with a shared slope (Guo et al. 2017, arXiv:1706.04599, section 4.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuneworth.stats.clusters import group_numbers

Floats = NDArray[np.float64]

PENALTIES = (np.inf, 100.0, 30.0, 10.0, 3.0, 1.0, 0.3)
"""On half the squared biases, against the summed negative log-likelihood: 1 / variance of a normal prior. From the strongest."""
N_FOLDS = 5
LEAST_RATIO = 1e-9
"""A prior is not taken to be below this: what a model never says stays unsaid."""


@dataclass(frozen=True, slots=True)
class LabelWeights:
    """How scores become adjusted scores; as made, nothing changes.

    Attributes:
        offsets: ``bias − strength · prior`` of each slot; 0 beyond the last.
    """

    slope: float = 1.0
    offsets: tuple[float, ...] = ()

    def log_probabilities(self, scores: Floats) -> Floats:
        """Adjusted and normalised, shape as ``scores``, ``(n_slots,)`` or ``(n_rows, n_slots)``."""
        n = scores.shape[-1]
        offsets = np.array((*self.offsets[:n], *[0.0] * (n - len(self.offsets))))
        there = np.isfinite(scores)  # a slope of 0 makes nothing of what is not there
        return _normalised(np.where(there, self.slope * np.where(there, scores, 0.0) + offsets, -np.inf))


def padded(scores: Sequence[Floats]) -> Floats:
    """Rows of different length as one array, −∞ behind the shorter ones."""
    wide = np.full((len(scores), max(map(len, scores), default=0)), -np.inf)
    for row, values in zip(wide, scores):
        row[: len(values)] = values
    return wide


def priors(scores: Floats) -> Floats:
    """log of the mean share that a slot gets, in shares of an even split; 0 for a slot that no row has. Shape ``(n_slots,)``."""
    there = np.isfinite(scores)
    ratios = np.exp(scores) * there.sum(axis=1, keepdims=True)
    means = ratios.sum(axis=0) / np.maximum(there.sum(axis=0), 1)
    return np.where(there.any(axis=0), np.log(np.maximum(means, LEAST_RATIO)), 0.0)


def without_bias(scores: Floats) -> LabelWeights:
    """Batch calibration from the scores of unlabelled rows."""
    return LabelWeights(1.0, tuple((-priors(scores)).tolist()))


@dataclass(frozen=True, slots=True)
class Fitted:
    """Fitted weights and how they came about.

    Attributes:
        penalty: chosen; ``inf``: no biases.
        losses: penalty → mean negative log-likelihood of held-out rows.
    """

    weights: LabelWeights
    slope: float
    strength: float
    penalty: float
    losses: dict[float, float]


def fit_weights(scores: Floats, right: Sequence[int], groups: Sequence[str], rng: np.random.Generator) -> Fitted:
    """Weights from labelled rows.

    Args:
        right: number of the right slot of each row.
        groups: the group of each row; groups are held out whole.
    """
    # A right option that the model gives no chance at all (it cannot be told from an earlier one) can teach nothing.
    usable = np.flatnonzero(np.isfinite(scores[np.arange(len(scores)), list(right)]))
    prior = priors(scores)
    scores, answers = scores[usable], np.asarray(right)[usable]
    of_row = group_numbers([groups[int(at)] for at in usable])
    n_groups = int(of_row.max()) + 1 if of_row.size else 0
    losses = dict.fromkeys(PENALTIES, 0.0)
    if n_groups >= N_FOLDS:
        folds = (rng.permutation(n_groups) % N_FOLDS)[of_row]
        for fold in range(N_FOLDS):
            fitted, held = folds != fold, folds == fold
            start = None
            for penalty in PENALTIES:
                start = _fit(scores[fitted], answers[fitted], prior, penalty, start)
                off = _loss_terms(start, scores[held], answers[held], prior)[0]
                losses[penalty] += off / len(answers)
    penalty = min(losses, key=lambda each: (round(losses[each], 9), -each))
    found = _fit(scores, answers, prior, penalty, None)
    slope, strength, bias = float(found[0]), float(found[1]), found[2:]
    weights = LabelWeights(slope, tuple((bias - strength * prior).tolist()))
    return Fitted(weights, slope, strength, penalty, losses)


def _fit(scores: Floats, right: NDArray[np.intp], prior: Floats, penalty: float, start: Floats | None) -> Floats:
    """``(slope, strength, *bias)``; a weak normal prior keeps slope near 1 and strength near 0 where rows are few."""
    from scipy.optimize import minimize

    biased = np.isfinite(penalty)
    if start is None:
        start = np.concatenate([[1.0, 0.0], np.zeros(scores.shape[1])])

    def loss(parameters: Floats) -> tuple[float, Floats]:
        value, slopes = _loss_terms(parameters, scores, right, prior)
        slope, strength, bias = parameters[0], parameters[1], parameters[2:]
        value += 0.5 * ((slope - 1) ** 2 + strength**2)
        slopes[:2] += (slope - 1, strength)
        if biased:
            value += 0.5 * penalty * float(bias @ bias)
            slopes[2:] += penalty * bias
        else:
            slopes[2:] = 0.0
        return value, slopes

    bounds = [(0.0, None), *[(None, None)] * (len(start) - 1)]
    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x)


def _loss_terms(parameters: Floats, scores: Floats, right: NDArray[np.intp], prior: Floats) -> tuple[float, Floats]:
    """Summed negative log-likelihood and its gradient."""
    slope, strength, bias = parameters[0], parameters[1], parameters[2:]
    there = np.isfinite(scores)
    known = np.where(there, scores, 0.0)
    log_p = _normalised(np.where(there, slope * known + bias - strength * prior, -np.inf))
    rows = np.arange(len(scores))
    off = np.exp(log_p)
    off[rows, right] -= 1.0
    by_slot = off.sum(axis=0)
    gradient = np.concatenate([[float((off * known).sum()), -float(by_slot @ prior)], by_slot])
    return -float(log_p[rows, right].sum()), gradient


def _normalised(scores: Floats) -> Floats:
    return scores - np.logaddexp.reduce(scores, axis=-1, keepdims=True)

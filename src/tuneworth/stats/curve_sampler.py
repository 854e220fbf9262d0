"""Draws from a posterior whose prior is standard normal, and its evidence.

Tempered sequential Monte Carlo: particles start from the prior, the likelihood is turned on in steps
small enough that most of them stay useful, and random-walk moves spread them again. It needs no start
values and no gradients, does not mind bounds and ridges (four points and six unknowns have ridges),
and gives the evidence as a by-product, which least squares with a covariance matrix does not.

Source: Del Moral, Doucet and Jasra (2006), JRSS B 68:411, section 3.3.2.3; the evidence is their eq. (14).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LogLikelihood = Callable[[Floats], Floats]
"""Log-likelihood of every particle: shape ``(n, dim)`` in, ``(n,)`` out, finite."""

N_PARTICLES = 1_000
N_MOVES = 8
"""Moves after a step; at an acceptance near one in four they all but forget where a particle was copied from."""
KEPT = 0.7
"""A step of the likelihood keeps this share of the particles useful (effective sample size)."""


@dataclass(frozen=True, slots=True)
class Posterior:
    """Equally weighted draws, shape ``(n, dim)``, and the log of the prior-averaged likelihood."""

    draws: Floats
    log_evidence: float


def sample_posterior(
    log_likelihood: LogLikelihood, dim: int, rng: np.random.Generator, n_particles: int = N_PARTICLES
) -> Posterior:
    """Sample the posterior of ``dim`` unknowns with a standard normal prior.

    NOT guaranteed: the shares of far-apart modes. Over generators the log evidence varied by 0.1 for curves scored
    on 300 rows, and by 0.4 to 0.8 for the curved ridge that eight points of 200,000 rows leave.
    """
    draws = rng.standard_normal((n_particles, dim))
    values = log_likelihood(draws)
    power, log_evidence, stride = 0.0, 0.0, 2.38 / math.sqrt(dim)
    while power < 1:
        step = _step(values, 1 - power)
        weights, gain = _weights(values, step)
        power, log_evidence = power + step, log_evidence + gain
        spread = _spread(draws, weights)
        chosen = _resample(weights, rng)
        draws, values = draws[chosen], values[chosen]
        for _ in range(N_MOVES):
            draws, values, accepted = _move(log_likelihood, draws, values, power, stride * spread, rng)
            stride = min(max(stride * math.exp(accepted - 0.25), 0.05), 3.0)
    return Posterior(draws, log_evidence)


def _spread(draws: Floats, weights: Floats) -> Floats:
    """Cholesky factor of the weighted covariance, shape ``(dim, dim)``; a proposal shaped like the target."""
    dim = draws.shape[1]
    covariance = np.cov(draws.T, aweights=weights).reshape(dim, dim) + 1e-9 * np.eye(dim)
    return np.asarray(np.linalg.cholesky(covariance), dtype=np.float64)


def _step(values: Floats, most: float) -> float:
    """The largest step that keeps ``KEPT`` of the particles useful."""

    def useful(step: float) -> float:
        weights, _ = _weights(values, step)
        return 1 / float((weights**2).sum()) / values.size

    if useful(most) >= KEPT:
        return most
    low, high = 0.0, most
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if useful(middle) >= KEPT else (low, middle)
    return max(low, most * 1e-6)


def _weights(values: Floats, step: float) -> tuple[Floats, float]:
    """Normalised weights of a step of the likelihood, and the log of their mean."""
    top = float(values.max())
    raw = np.exp(step * (values - top))
    return raw / raw.sum(), step * top + math.log(float(raw.mean()))


def _resample(weights: Floats, rng: np.random.Generator) -> NDArray[np.intp]:
    """Systematic resampling: indices of the particles that go on."""
    ticks = (np.arange(weights.size) + rng.random()) / weights.size
    return np.minimum(np.searchsorted(np.cumsum(weights), ticks), weights.size - 1)


def _move(
    log_likelihood: LogLikelihood,
    draws: Floats,
    values: Floats,
    power: float,
    spread: Floats,
    rng: np.random.Generator,
) -> tuple[Floats, Floats, float]:
    """One Metropolis step of every particle towards prior × likelihood to the ``power``; share accepted."""
    proposed = draws + rng.standard_normal(draws.shape) @ spread.T
    proposed_values = log_likelihood(proposed)
    prior = 0.5 * ((draws**2).sum(axis=1) - (proposed**2).sum(axis=1))
    accept = np.log(rng.random(values.size)) < prior + power * (proposed_values - values)
    draws = np.where(accept[:, None], proposed, draws)
    return draws, np.where(accept, proposed_values, values), float(accept.mean())

"""The shapes a learning curve may have, what is assumed of them, and how likely points are under one.

Everything works on the error, 1 − score, which is bounded and falls. Its heights at the smallest and at the
largest measured size N are unknowns of their own, because the points tell them best; a family only says
how the error falls between them, and so beyond: error(n) = limit + height · g(n/N), limit ≥ 0.

| family     | g(x), x = n/N           | source |
|------------|-------------------------|--------|
| power      | x^−β                    | Hestness et al. 2017 (arXiv 1712.00409); Rosenfeld et al. 2020 (arXiv 1909.12673) |
| rectified  | 1 / (1 + (x/m)^β)       | Lin et al. 2024 (arXiv 2402.02314): B / (D_l + D^β) + E, where m^β is D_l; MMF4 below |
| saturating | exp(−r x^c)             | WBL4, EXP3 at c = 1, of Viering and Loog 2022 (arXiv 2103.10948), table 1 |
| *_from_chance | the same two, from the error of guessing at n = 0 | MMF4 and WBL4 there, their start known |
| flat       | none                    | LAST1 there |
| falling    | error(N) · x^β          | a score that goes down: to recognise, not to forecast |

Points are compared after z = arcsin √score, where a mean of m right/wrong rows varies by 1/(4m) at every
level, 0 and 1 included (Anscombe 1948, Biometrika 35:246).

An arm that has seen few rows guesses, so its curve may be convex at first: it rises ever faster over the
measured sizes. The shapes from chance expect that, and have one unknown height less. They are left out where
no rows does not mean guessing.

The priors are weak: two thirds of an exponent's mass lie within a factor of about two of its median. They
were chosen on made curves of other shapes (``tests/stats/curve_truths.py``), not on a data set. The shapes from
chance were added when real curves of few rows had been forecast too low; they took over the priors of their
free counterparts.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tuneworth.stats._scipy import expit, ndtr

Floats = NDArray[np.float64]
FamilyName = Literal[
    "power", "rectified", "saturating", "rectified_from_chance", "saturating_from_chance", "flat", "falling"
]

_TINY = 1e-300
_LEAST_LEFT = 1e-12
"""Keeps a curve that has all but reached its limit finite."""
RECTIFIED_EXPONENT = (0.8, 1.8)
"""Median, and the factor within which two thirds lie."""
SATURATING_EXPONENT = (0.6, 1.6)
N_COMMON = 4
"""Unknowns of every family: error at N, and three of the noise."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Points ready to be fitted.

    Attributes:
        log_x: log of size over the largest size, shape ``(points,)``, at most 0.
        z: arcsin √score.
        n_rows: rows a right/wrong score with the same error would have needed.
        span: log of the largest over the smallest size.
        top: error of guessing.
        luck: median of how much the luck of a training moves z, before any point is seen.
    """

    log_x: Floats
    z: Floats
    n_rows: Floats
    span: float
    top: float
    luck: float


@dataclass(frozen=True, slots=True)
class Family:
    """One shape.

    Attributes:
        n_shape: unknowns besides the common ones.
        error: error at N ``(draws, 1)``, shape unknowns ``(n_shape, draws, 1)``, log x ``(sizes,)`` → error
            ``(draws, sizes)``.
    """

    name: FamilyName
    n_shape: int
    error: Callable[[Floats, Floats, Floats, Measured], Floats]

    @property
    def dim(self) -> int:
        return N_COMMON + self.n_shape


def curve_z(family: Family, draws: Floats, log_x: Floats, measured: Measured) -> Floats:
    """arcsin √score of every draw ``(draws, dim)`` at every size ``(sizes,)``."""
    at_largest = measured.top * _uniform(draws[:, :1])
    error = family.error(at_largest, draws.T[N_COMMON:, :, None], log_x, measured)
    return np.arcsin(np.sqrt(1 - np.clip(error, 0, measured.top)))


def noise_variance(draws: Floats, log_x: Floats, n_rows: Floats, luck: float) -> Floats:
    """Variance of z around the curve, shape ``(draws, sizes)``: luck of the rows and luck of the training.

    The sizes are scored on the same rows, so part of the luck of the rows is common to all of them and
    moves the whole curve; the rest, an unknown share, is noise around it. The luck of the training
    does not grow with the size: it falls by an unknown power between 0 and 1/2.
    """
    own_share = np.sqrt(_uniform(draws[:, 1:2]))
    training = _positive(draws[:, 2:3], luck, 2.2) * np.exp(-0.5 * _uniform(draws[:, 3:4]) * log_x)
    return own_share / (4 * n_rows) + training**2


def log_likelihood(family: Family, draws: Floats, measured: Measured) -> Floats:
    """Log-likelihood of the points under every draw, shape ``(draws,)``."""
    variance = noise_variance(draws, measured.log_x, measured.n_rows, measured.luck)
    residual = measured.z - curve_z(family, draws, measured.log_x, measured)
    return -0.5 * (residual**2 / variance + np.log(2 * math.pi * variance)).sum(axis=1)


def _decaying(decay: Callable[[Floats, Floats, float], Floats]) -> Callable[[Floats, Floats, Floats, Measured], Floats]:
    """An error that falls like ``decay(shape, log_x, span)`` through its heights at both ends of the measured sizes.

    At most it falls from guessing, or from where a limit of 0 puts it. Large falls, so low limits, are the
    likelier: where the limit binds, it is a third of the error at N on average.
    """

    def error(at_largest: Floats, shape: Floats, log_x: Floats, measured: Measured) -> Floats:
        g = decay(shape[1:], np.append(log_x, (-measured.span, 0.0)), measured.span)
        g_smallest, g_largest = g[:, -2:-1], g[:, -1:]
        fall_of_g = np.maximum(g_smallest - g_largest, _TINY)
        most = at_largest * fall_of_g / np.maximum(g_largest, _TINY)
        fall = np.sqrt(_uniform(shape[0])) * np.minimum(measured.top - at_largest, most)
        return at_largest + fall * (g[:, :-2] - g_largest) / fall_of_g

    return error


def _power(shape: Floats, log_x: Floats, span: float) -> Floats:
    return np.exp(-_positive(shape[0], 0.5, 1.8) * log_x)


def _rectified(shape: Floats, log_x: Floats, span: float) -> Floats:
    middle = 2 * shape[1] - span / 2
    return expit(_positive(shape[0], *RECTIFIED_EXPONENT) * (middle - log_x))


def _saturating(shape: Floats, log_x: Floats, span: float) -> Floats:
    return np.exp(-_positive(shape[1], 1.0, 3.5) * np.exp(_positive(shape[0], *SATURATING_EXPONENT) * log_x))


def _from_chance(
    left_at: Callable[[Floats, Floats, Floats], Floats],
) -> Callable[[Floats, Floats, Floats, Measured], Floats]:
    """An error that falls from guessing at no rows, through its height at N, to a limit with the prior of ``_decaying``.

    ``left_at(left, shape, log_x)`` is the part of the fall that is still to come at x, where ``left`` of it is at N.
    """

    def error(at_largest: Floats, shape: Floats, log_x: Floats, measured: Measured) -> Floats:
        limit = at_largest * (1 - np.sqrt(_uniform(shape[0])))
        fall = np.maximum(measured.top - limit, _TINY)
        left = np.maximum((at_largest - limit) / fall, _LEAST_LEFT)
        return limit + fall * left_at(left, shape[1], log_x)

    return error


def _rectified_left(left: Floats, shape: Floats, log_x: Floats) -> Floats:
    return 1 / (1 + (1 / left - 1) * np.exp(_positive(shape, *RECTIFIED_EXPONENT) * log_x))


def _saturating_left(left: Floats, shape: Floats, log_x: Floats) -> Floats:
    return left ** np.exp(_positive(shape, *SATURATING_EXPONENT) * log_x)


def _flat(at_largest: Floats, shape: Floats, log_x: Floats, measured: Measured) -> Floats:
    return np.repeat(at_largest, log_x.size, axis=1)


def _falling(at_largest: Floats, shape: Floats, log_x: Floats, measured: Measured) -> Floats:
    return at_largest * np.exp(_positive(shape[0], 0.15, 2.5) * log_x)


def _uniform(x: Floats) -> Floats:
    """A standard normal as a number between 0 and 1, all alike likely."""
    return ndtr(x)


def _positive(x: Floats, median: float, factor: float) -> Floats:
    """A standard normal as a positive number; two thirds lie within ``factor`` of the median."""
    return median * np.exp(math.log(factor) * x)


RISING = (
    Family("power", 2, _decaying(_power)),
    Family("rectified", 3, _decaying(_rectified)),
    Family("saturating", 3, _decaying(_saturating)),
)
RISING_FROM_CHANCE = (
    Family("rectified_from_chance", 2, _from_chance(_rectified_left)),
    Family("saturating_from_chance", 2, _from_chance(_saturating_left)),
)
FLAT = Family("flat", 0, _flat)
FALLING = Family("falling", 1, _falling)


def families(*, from_chance: bool) -> list[tuple[Family, float]]:
    """The shapes to fit, each with its probability before any point is seen: the curve rises in half of all cases.

    Args:
        from_chance: with no rows the arm guesses.
    """
    rising = (*RISING, *RISING_FROM_CHANCE) if from_chance else RISING
    return [*((family, 0.5 / len(rising)) for family in rising), (FLAT, 0.25), (FALLING, 0.25)]

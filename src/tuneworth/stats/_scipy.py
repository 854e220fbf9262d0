"""The functions we use of scipy, which ships no types, with types.

It takes most of a second to import, so that is done when one of them is called.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray


def _stats() -> Any:
    return import_module("scipy.stats")


def binomial_p(successes: int, n: int) -> float:
    """Two-sided exact p-value of a fair coin."""
    return float(_stats().binomtest(successes, n, 0.5).pvalue)


def binomial_quantile(level: float, n: int, p: float) -> int:
    """The least number of successes that is not exceeded with this probability."""
    return int(_stats().binom.ppf(level, n, p))


def t_quantile(probability: float, freedom: float) -> float:
    """Quantile of Student's t."""
    return float(_stats().t.ppf(probability, freedom))


def t_two_sided_p(statistic: float, freedom: float) -> float:
    """Probability of a Student's t at least as far from zero."""
    return float(2 * _stats().t.sf(abs(statistic), freedom))


def root(function: Callable[[float], float], low: float, high: float) -> float:
    """Where ``function`` changes sign between ``low`` and ``high``.

    Raises:
        ValueError: it does not.
    """
    return float(import_module("scipy.optimize").brentq(function, low, high, xtol=1e-10))


def expit(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 / (1 + exp(−x))."""
    return import_module("scipy.special").expit(x)


def ndtr(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distribution function of the standard normal."""
    return import_module("scipy.special").ndtr(x)

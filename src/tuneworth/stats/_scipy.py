"""The functions we use of scipy, which ships no types, with types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scipy import optimize, stats  # pyright: ignore[reportMissingTypeStubs]

_optimize: Any = optimize
_stats: Any = stats


def binomial_p(successes: int, n: int) -> float:
    """Two-sided exact p-value of a fair coin."""
    return float(_stats.binomtest(successes, n, 0.5).pvalue)


def binomial_quantile(level: float, n: int, p: float) -> int:
    """The least number of successes that is not exceeded with this probability."""
    return int(_stats.binom.ppf(level, n, p))


def t_quantile(probability: float, freedom: float) -> float:
    """Quantile of Student's t."""
    return float(_stats.t.ppf(probability, freedom))


def t_two_sided_p(statistic: float, freedom: float) -> float:
    """Probability of a Student's t at least as far from zero."""
    return float(2 * _stats.t.sf(abs(statistic), freedom))


def root(function: Callable[[float], float], low: float, high: float) -> float:
    """Where ``function`` changes sign between ``low`` and ``high``.

    Raises:
        ValueError: it does not.
    """
    return float(_optimize.brentq(function, low, high, xtol=1e-10))

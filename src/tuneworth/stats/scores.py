"""A score with its interval, from values, and the randomness of one figure."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from tuneworth.core.record import Score
from tuneworth.stats.clusters import Clusters
from tuneworth.stats.intervals import mean_interval


def rng_of(seed: int, *names: str) -> np.random.Generator:
    """Randomness for one figure: the same whatever else is computed, in whatever order."""
    return np.random.default_rng([seed, zlib.crc32("\0".join(names).encode())])


def score_of(values: ArrayLike, rng: np.random.Generator, groups: Sequence[str] | None = None) -> Score | None:
    """The mean of values in [0, 1], shape ``(rows,)``; NaN is left out. ``None`` when nothing is left.

    Args:
        groups: the group of each row; rows of one group are not independent.
    """
    numbers = np.asarray(values, dtype=np.float64)
    known = np.isfinite(numbers)
    groups = None if groups is None else [name for name, one in zip(groups, known, strict=True) if one]
    numbers = numbers[known]
    if not numbers.size:
        return None
    binary = bool(np.all((numbers == 0) | (numbers == 1)))
    interval, clusters = mean_interval(numbers, binary=binary, rng=rng, groups=groups), Clusters.of(groups)
    worth = None if clusters is None else numbers.size / clusters.design_effect(numbers)
    return Score(value=float(numbers.mean()), interval=interval, n_rows=numbers.size, n_effective=worth)

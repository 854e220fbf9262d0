"""Means with intervals, and the randomness behind them."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tuneworth.core.knowledge import Share
from tuneworth.core.record import Score
from tuneworth.stats.intervals import mean_interval, wilson

Floats = NDArray[np.float64]


def rng_of(seed: int, *names: str) -> np.random.Generator:
    """Randomness for one figure: the same whatever else is computed, in whatever order."""
    return np.random.default_rng([seed, zlib.crc32("\0".join(names).encode())])


def score_of(values: ArrayLike, rng: np.random.Generator) -> Score | None:
    """The mean of values in [0, 1], shape ``(rows,)``; NaN is left out. ``None`` when nothing is left."""
    numbers = np.asarray(values, dtype=np.float64)
    numbers = numbers[np.isfinite(numbers)]
    if not numbers.size:
        return None
    binary = bool(np.all((numbers == 0) | (numbers == 1)))
    interval = mean_interval(numbers, binary=binary, rng=rng)
    return Score(value=float(numbers.mean()), interval=interval, n_rows=numbers.size)


def share_of(flags: Sequence[bool]) -> Share:
    """How many of ``flags`` are true; of nothing it is 0, and anything is possible."""
    n = len(flags)
    return Share(value=sum(flags) / n if n else 0.0, interval=wilson(sum(flags), n))

"""The one order in which a run takes its rows, so that every prefix is a random part of them."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from tuneworth.core.task import Example


def in_race_order(rows: Sequence[Example], side: str, seed: int) -> tuple[Example, ...]:
    """``rows`` of one ``side`` of the split, shuffled; the same for the same seed.

    The rows of a side lie in the order of their file, which may be sorted by anything.
    """
    order = np.random.default_rng([seed, zlib.crc32(side.encode())]).permutation(len(rows))
    return tuple(rows[at] for at in order)

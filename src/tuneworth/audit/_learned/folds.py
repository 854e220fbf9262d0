"""Folds in which no row meets its own repetition."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tuneworth.core.task import Example
from tuneworth.data.neardup import plain

_CHARS = 2_000


def group_names(rows: Sequence[Example]) -> list[str]:
    """A name that rows of one group share: the user's group, else the text without case, marks and numbers."""
    return [f"group {row.group}" if row.group else plain(row.query.text[:_CHARS]) for row in rows]


def grouped_folds(
    groups: Sequence[str], labels: NDArray[np.intp], n_folds: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Fold of every row, shape ``(rows,)``: groups whole, labels dealt evenly.

    A group counts under the label of its first row, which is exact where groups agree on their label.
    """
    first: dict[str, int] = {}
    of_row = np.array([first.setdefault(name, len(first)) for name in groups], dtype=np.intp)
    first_rows = np.unique(of_row, return_index=True)[1]
    order = np.lexsort((rng.random(len(first)), labels[first_rows]))
    fold_of_group = np.empty(len(first), dtype=np.intp)
    fold_of_group[order] = np.arange(len(first)) % n_folds
    return fold_of_group[of_row]

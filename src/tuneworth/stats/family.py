"""What a family of comparisons says: better, worse, equivalent, or not settled yet.

Rules, in this order, for each comparison of a family that was declared before looking:

1. fewer than ``MIN_PAIRS`` rows, or than ``MIN_GROUPS`` groups of rows that belong together: ``cant_tell``, whatever the
   numbers look like;
2. the shown interval lies inside ±margin: ``equivalent``. This is the two-one-sided-tests reading of
   the 95 % interval, so at 2.5 % instead of the usual 5 % (a 90 % interval): a little less power, but
   the reader can check the rule on the interval in front of them. A difference that is real but
   smaller than the margin is equivalent: it does not matter to the user by the user's own word;
3. Holm-adjusted p at most 0.05 and the interval excludes 0: ``better`` or ``worse``;
4. else ``cant_tell``, with the number of rows that would probably settle it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tuneworth.core.record import Answer, Interval
from tuneworth.stats.clusters import MIN_GROUPS
from tuneworth.stats.paired import MCNEMAR, PairedResult
from tuneworth.stats.power import rows_to_show, rows_to_tie

MIN_PAIRS = 20
ALPHA = 0.05
LEAST_GROWTH = 1.1
"""An unsettled comparison asks for at least a tenth more rows: fewer would rarely change anything."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A comparison as one of its family.

    Attributes:
        rows_needed: rows in all, not rows to add; ``None`` unless ``cant_tell``, and when it cannot be
            estimated or exceeds what anybody would label.
    """

    result: PairedResult
    p_adjusted: float
    answer: Answer
    rows_needed: int | None


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjusted p-values, in the order given. Source: Holm (1979), Scand J Stat 6:65."""
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return adjusted


def judge(results: Sequence[PairedResult], *, margin: float) -> list[Judged]:
    """Adjust a declared family by Holm and say what each comparison shows.

    Args:
        margin: smallest difference that matters, in (0, 1).
    """
    if not 0 < margin < 1:
        raise ValueError(f"margin is {margin}, must be in (0, 1): a fraction of the metric's range")
    adjusted = holm([result.p_value for result in results])
    return [_judged(result, p, margin, len(results)) for result, p in zip(results, adjusted)]


def _judged(result: PairedResult, p_adjusted: float, margin: float, n_tests: int) -> Judged:
    answer = answer_of(result.interval, p_adjusted, margin, few=too_few(result))
    needed = _rows_needed(result, margin, n_tests) if answer == "cant_tell" else None
    return Judged(result, p_adjusted, answer, needed)


class Counted(Protocol):
    """A comparison as stored or as measured; ``n_groups`` is ``None`` when each row is on its own."""

    @property
    def n_rows(self) -> int: ...
    @property
    def n_groups(self) -> int | None: ...


def too_few(pair: Counted) -> bool:
    """Whether nothing is claimed from so few rows, or groups of rows."""
    return pair.n_rows < MIN_PAIRS or (pair.n_groups is not None and pair.n_groups < MIN_GROUPS)


def answer_of(interval: Interval, p_adjusted: float, margin: float, *, few: bool) -> Answer:
    """What a comparison shows, by the rules at the head of this module; ``few``: see `too_few`."""
    if few:
        return "cant_tell"
    if -margin < interval.low and interval.high < margin:
        return "equivalent"
    if p_adjusted <= ALPHA and interval.low > 0:
        return "better"
    if p_adjusted <= ALPHA and interval.high < 0:
        return "worse"
    return "cant_tell"


def _rows_needed(result: PairedResult, margin: float, n_tests: int) -> int | None:
    """Rows for whichever is nearer: showing the observed difference, or showing that it is small.

    The part of the interval that comes from the luck of trainings stays; rows must do within what it leaves.
    """
    if too_few(result):
        return None
    binary, size = result.method == MCNEMAR, abs(result.difference)
    show, tie = _left(size, result.seeds), _left(margin - size, result.seeds)
    plans = [
        rows_to_show(show, result.mean_square, binary=binary, n_tests=n_tests) if show > 0 else None,
        rows_to_tie(result.difference, result.mean_square, margin=size + tie) if tie > 0 else None,
    ]
    known = [rows for rows in plans if rows is not None]
    return max(min(known), math.ceil(LEAST_GROWTH * result.n_rows)) if known else None


def _left(distance: float, seeds: float) -> float:
    """What the rows' part of an interval may take of a distance; 0 when the trainings' part fills it."""
    return math.sqrt(max(0.0, distance**2 - seeds**2)) if distance > 0 else 0.0

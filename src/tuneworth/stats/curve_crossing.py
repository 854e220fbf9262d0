"""How many training rows until the tuned arm overtakes the best untuned one?

Every possible curve of a fitted `Curve` meets every possible value of the target at some size, or at
none within reach. The answer is about those sizes, so it has the uncertainty of both sides.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tuneworth.core.record import Score
from tuneworth.stats.curve import CannotTell, Curve, right_wrong_rows

Floats = NDArray[np.float64]
CrossingStatus = Literal["already", "forecast", "not_within", "cannot_tell"]

REACH = 100
"""Sizes up to this many times the largest measured one are looked at."""
SURE = 0.9
"""Probability at which "already there", or "not within reach", is said."""
N_GRID = 300


@dataclass(frozen=True, slots=True)
class Target:
    """A score to overtake.

    Attributes:
        standard_error: when both arms were scored on the same rows, of the *paired* difference, so that
            the luck of the rows counts once; otherwise of ``value``. At most a little too wide is the
            standard error of ``value`` on the same rows.
        curve: of the target, when it learns from rows as well: what it gains over its largest measured size, where it
            has ``value``, is added. ``None``: it stays as it is.
    """

    value: float
    standard_error: float
    curve: Curve | None = None

    @classmethod
    def of(cls, score: Score) -> Target:
        """A stored score, its standard error read from its interval."""
        z = NormalDist().inv_cdf((1 + score.interval.level) / 2)
        return cls(score.value, (score.interval.high - score.interval.low) / (2 * z))


@dataclass(frozen=True, slots=True)
class Crossing:
    """Where the curve is first above the target by the margin.

    Attributes:
        status: ``already``, it is at the largest measured size; ``forecast``, more likely than not it will
            be within ``REACH`` times that size; ``not_within``, most likely not; ``cannot_tell``.
        n: median size, only for ``forecast``. It can lie below the largest measured size.
        low, high: interval of that size at ``level``; ``high`` is ``None`` when it ends beyond reach.
        probability: that the curve is above within reach; ``None`` when there is no curve.
    """

    status: CrossingStatus
    level: float
    n: int | None = None
    low: int | None = None
    high: int | None = None
    probability: float | None = None


def crossing(curve: Curve | CannotTell, target: Target, margin: float, *, level: float = 0.8) -> Crossing:
    """The size at which the expected score of ``curve`` reaches ``target`` + ``margin``.

    Where there is no curve, only ``already`` and ``cannot_tell`` can be said.

    Raises:
        ValueError: target, margin or level is outside its range.
    """
    _check(target, margin, level)
    if isinstance(curve, CannotTell):
        return _without_curve(curve, target, margin, level)
    sizes = crossing_sizes(curve, target, margin)
    probability = float(np.isfinite(sizes).mean())
    if float((sizes <= curve.largest).mean()) >= SURE:
        return Crossing("already", level, probability=probability)
    if probability <= 1 - SURE:
        return Crossing("not_within", level, probability=probability)
    if probability < 0.5:
        return Crossing("cannot_tell", level, probability=probability)
    # An interpolated quantile between a size and infinity would not be a number.
    low, n, high = np.quantile(sizes, ((1 - level) / 2, 0.5, (1 + level) / 2), method="inverted_cdf")
    return Crossing("forecast", level, math.ceil(n), math.floor(low), _finite(high), probability)


def crossing_sizes(curve: Curve, target: Target, margin: float) -> Floats:
    """The size from which every possible curve is above; infinite where it is not within reach.

    No size is below the smallest measured one.
    """
    smallest = min(point.n for point in curve.points)
    grid = np.linspace(math.log(smallest), math.log(REACH * curve.largest), N_GRID)
    # The luck of a training is not part of the expected score, so its draws are free to be the target's.
    goals = target.value + margin + target.standard_error * curve.luck_
    above = curve.scores(np.exp(grid)) - goals[:, None] - _growth(target.curve, np.exp(grid), len(goals))
    reached = above[:, -1] >= 0
    # From here on it stays above. Where the target grows, a curve may be above it early, and fall behind again.
    below = above < 0
    first = np.where(below.any(axis=1), N_GRID - np.argmax(below[:, ::-1], axis=1), 0) % N_GRID
    before = np.maximum(first - 1, 0)
    rows = np.arange(len(above))
    gap_before, gap_after = above[rows, before], above[rows, first]
    rise = np.where(gap_after > gap_before, gap_after - gap_before, 1.0)
    at = grid[before] + (grid[first] - grid[before]) * np.clip(-gap_before / rise, 0, 1)
    return np.where(reached, np.exp(at), np.inf)


def _growth(curve: Curve | None, sizes: Floats, n_draws: int) -> Floats:
    """What the target gains beyond its largest measured size, shape ``(draws, sizes)``; below that size it loses."""
    if curve is None:
        return np.zeros((1, sizes.size))
    scores = curve.scores(np.append(sizes, float(curve.largest)))
    # Draws come family by family; a stride that shares no factor with their number pairs them as if at random.
    stride = next(step for step in range(1_009, 1_009 + n_draws) if math.gcd(step, len(scores)) == 1)
    drawn = scores[np.arange(n_draws) * stride % len(scores)]
    return drawn[:, :-1] - drawn[:, -1:]


def _without_curve(curve: CannotTell, target: Target, margin: float, level: float) -> Crossing:
    largest = max((point.n for point in curve.points), default=0)
    last = [point for point in curve.points if point.n == largest]
    if not last:
        return Crossing("cannot_tell", level)
    score = sum(point.score for point in last) / len(last)
    rows = min(right_wrong_rows(point) for point in last)
    level_seen = (score * rows + 0.5) / (rows + 1)
    error = math.hypot(math.sqrt(level_seen * (1 - level_seen) / rows), target.standard_error)
    sure = NormalDist().cdf((score - target.value - margin) / error) >= SURE
    return Crossing("already" if sure else "cannot_tell", level)


def _finite(size: float) -> int | None:
    return math.ceil(size) if math.isfinite(size) else None


def _check(target: Target, margin: float, level: float) -> None:
    problems = list[str]()
    if not 0 <= target.value <= 1:
        problems.append(f"the target is {target.value}, must be in [0, 1]")
    if not 0 <= target.standard_error < math.inf:
        problems.append(f"its standard error is {target.standard_error}, must be 0 or more")
    if not 0 <= margin < 1:
        problems.append(f"the margin is {margin}, must be in [0, 1)")
    if not 0 < level < 1:
        problems.append(f"the level is {level}, must be in (0, 1)")
    if problems:
        raise ValueError("; ".join(problems))

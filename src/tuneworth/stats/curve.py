"""Learning curve of one arm: what would it score with more training rows?

`fit_curve` takes scores at nested training sizes and gives a `Curve`, which predicts the score at any
size with its interval, or a typed `CannotTell`. Every family of `curve_models` is fitted by sampling and
weighs by its evidence, which is the product of the densities it gave to each point from the points
before it (Dawid 1984, JRSS A 147:278): families that forecast well count. So a band holds what the
parameters, the choice of family and the luck of rows and training leave open.

NOT guaranteed: anything about a change that the measured sizes do not show, such as a second rise after
a plateau; the band is about curves of these shapes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tuneworth.stats.curve_models import (
    FALLING,
    Family,
    FamilyName,
    Measured,
    curve_z,
    families,
    log_likelihood,
    noise_variance,
)
from tuneworth.stats.curve_sampler import Posterior, sample_posterior

Floats = NDArray[np.float64]
Axis = Literal["rows", "shots"]
"""What a curve runs over: training rows, or demonstrations in the prompt plus one."""
CannotTellReason = Literal["too_few_sizes", "no_trend", "falling"]

MIN_SIZES = 4
"""A curve with a limit has three unknowns; fewer than four sizes fit any of them."""
SURE_RISE = 0.75
"""Least probability that the curve rises before anything is forecast."""
LEAST_RISE = 0.01
"""A rise of less than a point over all measured sizes is no trend."""
N_DRAWS = 4_000
LUCK: dict[Axis, float] = {"rows": 0.012, "shots": 0.06}
"""Median standard deviation of arcsin √score from one training, or one choice of demonstrations, to the next: half a
point to a point of a score, and three to six. Few-shot scores are that unstable: Zhao et al. 2021 (arXiv 2102.09690),
and the recordings of docs/benchmarks.md.
"""
MAX_GAIN = 100.0
"""A graded score may vary less than a right/wrong one, but not by more than this factor in rows."""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One trained arm, scored.

    Attributes:
        n: training rows; for a few-shot arm, k + 1. At least 1.
        score: mean of the metric, in [0, 1].
        n_rows: rows it was scored on.
        standard_error: of the score; ``None`` for right/wrong scores, whose error follows from ``n_rows``.
        seed: replicates of one size have different seeds.
    """

    n: int
    score: float
    n_rows: int
    standard_error: float | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class CannotTell:
    """No forecast, and why.

    Attributes:
        reason: ``too_few_sizes``; ``no_trend``, the points do not rise, or not more than their noise;
            ``falling``, the score goes down with more rows.
        points: what was measured.
    """

    reason: CannotTellReason
    points: tuple[CurvePoint, ...]


@dataclass(frozen=True, slots=True)
class Prediction:
    """The score that one more training on ``n`` rows would show on the same rows for scoring."""

    n: int
    value: float
    low80: float
    high80: float
    low95: float
    high95: float


@dataclass(frozen=True, slots=True)
class _Fit:
    """One family fitted, and its probability after the points were seen; in a curve, its share of the draws."""

    family: Family
    draws: Floats
    weight: float


@dataclass(frozen=True, slots=True)
class Curve:
    """A fitted curve: some 4,000 curves that the points leave possible.

    Attributes:
        points: what was measured.
        weights: family → probability; they sum to 1.
    """

    points: tuple[CurvePoint, ...]
    weights: dict[FamilyName, float]
    measured_: Measured
    parts_: tuple[_Fit, ...]
    luck_: Floats

    @property
    def largest(self) -> int:
        """The largest measured size."""
        return max(point.n for point in self.points)

    def scores(self, sizes: Floats) -> Floats:
        """Expected score of every possible curve at every size, without noise; shape ``(draws, sizes)``."""
        log_x = np.log(np.asarray(sizes, dtype=np.float64) / self.largest)
        return np.sin(np.concatenate([curve_z(p.family, p.draws, log_x, self.measured_) for p in self.parts_])) ** 2

    def predict(self, n: int) -> Prediction:
        """The score to be seen at ``n``, with its 80 % and 95 % interval.

        It is about the rows that the points were scored on, and about one more training, not the mean of several.

        Raises:
            ValueError: ``n`` is below 1.
        """
        if n < 1:
            raise ValueError(f"n is {n}, must be at least 1")
        log_x = np.log(np.array([n / self.largest]))
        rows = np.array([np.median(self.measured_.n_rows)])
        z = np.concatenate([curve_z(p.family, p.draws, log_x, self.measured_) for p in self.parts_])
        noise = np.concatenate([noise_variance(p.draws, log_x, rows, self.measured_.luck) for p in self.parts_])
        seen = np.sin(np.clip(z + np.sqrt(noise) * self.luck_[:, None], 0, math.pi / 2)) ** 2
        low95, low80, value, high80, high95 = np.quantile(seen, (0.025, 0.1, 0.5, 0.9, 0.975))
        return Prediction(n, float(value), float(low80), float(high80), float(low95), float(high95))


def fit_curve(
    points: Sequence[CurvePoint], *, rng: np.random.Generator, chance: float = 0.0, over: Axis = "rows"
) -> Curve | CannotTell:
    """Fit the curve of one arm.

    Args:
        points: sizes in any order; several seeds of a size are several points.
        chance: score of guessing, below which no curve lies; points below it are believed rather than it.
        over: before its first row an arm guesses, so shapes that start there are fitted too. Not so for
            demonstrations shown to a model, which answers without any; and which ones they are matters much.

    Raises:
        ValueError: a point or ``chance`` is outside its range; all of them are named.
    """
    _check(points, chance)
    kept = tuple(sorted(points, key=lambda point: (point.n, point.seed)))
    if len({point.n for point in kept}) < MIN_SIZES:
        return CannotTell("too_few_sizes", kept)
    measured = _measured(kept, chance, LUCK[over])
    fits = _fits(measured, families(from_chance=over == "rows"), rng)
    if _rises(measured, fits) < SURE_RISE:
        falls = any(fit.family is FALLING and fit.weight > 0.5 for fit in fits)
        return CannotTell("falling" if falls else "no_trend", kept)
    return _average(kept, measured, fits, rng)


def _check(points: Sequence[CurvePoint], chance: float) -> None:
    problems = [] if 0 <= chance < 1 else [f"chance is {chance}, must be in [0, 1)"]
    for point in points:
        if point.n < 1:
            problems.append(f"n is {point.n}, must be at least 1")
        if not 0 <= point.score <= 1:
            problems.append(f"the score at n = {point.n} is {point.score}, must be in [0, 1]")
        if point.n_rows < 1:
            problems.append(f"n_rows at n = {point.n} is {point.n_rows}, must be at least 1")
        if point.standard_error is not None and not 0 <= point.standard_error < math.inf:
            problems.append(f"standard_error at n = {point.n} is {point.standard_error}, must be 0 or more")
    if problems:
        raise ValueError("; ".join(problems))


def _measured(points: Sequence[CurvePoint], chance: float, luck: float) -> Measured:
    sizes = np.array([point.n for point in points], dtype=np.float64)
    scores = np.array([point.score for point in points])
    return Measured(
        log_x=np.log(sizes / sizes.max()),
        z=np.arcsin(np.sqrt(scores)),
        n_rows=np.array([right_wrong_rows(point) for point in points]),
        span=math.log(sizes.max() / sizes.min()),
        top=max(1 - chance, float(1 - scores.min())),
        luck=luck,
    )


def right_wrong_rows(point: CurvePoint) -> float:
    """Rows of a right/wrong score with the same standard error; graded scores vary less, so have more."""
    if point.standard_error is None:
        return float(point.n_rows)
    level = (point.score * point.n_rows + 0.5) / (point.n_rows + 1)
    least = level * (1 - level) / (MAX_GAIN * point.n_rows)
    return max(float(point.n_rows), level * (1 - level) / max(point.standard_error**2, least))


def _fits(measured: Measured, shapes: Sequence[tuple[Family, float]], rng: np.random.Generator) -> list[_Fit]:
    """Every family fitted; its weight is its prior times its evidence."""
    fitted = [_fit(family, measured, rng) for family, _ in shapes]
    logs = np.array([math.log(prior) + fit.log_evidence for (_, prior), fit in zip(shapes, fitted)])
    raw = np.exp(logs - logs.max())
    weights = raw / raw.sum()
    return [_Fit(family, fit.draws, float(weight)) for (family, _), fit, weight in zip(shapes, fitted, weights)]


def _fit(family: Family, measured: Measured, rng: np.random.Generator) -> Posterior:
    return sample_posterior(lambda draws: log_likelihood(family, draws, measured), family.dim, rng)


def _rises(measured: Measured, fits: Sequence[_Fit]) -> float:
    """Probability that the score rises by at least ``LEAST_RISE`` over the measured sizes."""
    ends = np.array([-measured.span, 0.0])
    probability = 0.0
    for fit in fits:
        first, last = (np.sin(curve_z(fit.family, fit.draws, ends, measured)) ** 2).T
        probability += fit.weight * float((last - first >= LEAST_RISE).mean())
    return probability


def _average(
    points: tuple[CurvePoint, ...], measured: Measured, fits: Sequence[_Fit], rng: np.random.Generator
) -> Curve:
    """Draws of every family but ``falling``, in proportion to its weight."""
    kept = [fit for fit in fits if fit.family is not FALLING]
    total = sum(fit.weight for fit in kept)
    parts = list[_Fit]()
    for fit in kept:
        count = round(N_DRAWS * fit.weight / total)
        if count:
            parts.append(replace(fit, draws=fit.draws[rng.integers(0, len(fit.draws), count)]))
    luck = rng.standard_normal(sum(len(part.draws) for part in parts))
    weights: dict[FamilyName, float] = {fit.family.name: fit.weight / total for fit in kept}
    return Curve(points, weights, measured, tuple(parts), luck)

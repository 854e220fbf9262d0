"""How far probabilities can be trusted, and how many rows an arm may answer alone.

*Confidence* is the probability of the label that was answered. **Brier score**: mean over rows of Σ (p − y)² over all labels, from 0
to 2 (Brier 1950). **Expected calibration error**: rows in bins by confidence, the mean of |confidence − share right| over bins,
weighted by their rows (Guo et al. 2017, arXiv:1706.04599). Their bins are of equal width; ours are of equal numbers of rows
(Nguyen and O'Connor 2015; Roelofs et al. 2022, arXiv:2012.08668, find them less biased), 5 to 15 of about 30 rows. Rows of one
confidence are never torn apart, so there may be fewer.

The error as defined is never 0: with 150 rows and 10 bins a perfectly calibrated arm shows 0.08. So each bin's gap is corrected for
what noise of its size adds (the mean of a folded normal, inverted), and the interval is made around the corrected value from the
same correction of bootstrap draws of whole groups. Its low end is 0 where the gaps could be noise alone. Chosen by simulation over
60 to 400 rows and five shapes of error: this covers 93 to 99 % where 95 % is promised; the percentile bootstrap of the error as
defined covers 0 to 94 %.

**Sure enough**: the lowest confidence at which (1 + wrong) / n of the *dev* rows at or above it is at most 1 − precision; the one
further error keeps few lucky rows from promising much (Barber and Candès 2015, selective SeqStep+; Jin and Candès 2023,
arXiv:2210.01408). What it is worth is then measured on test rows. NOT guaranteed: the precision on test rows; that is measured.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tuneworth.core.record import Interval
from tuneworth.stats.clusters import MIN_GROUPS, group_numbers

Floats = NDArray[np.float64]

MIN_ROWS = 20
"""Fewer rows are not binned."""
N_DRAWS = 1_000
LEAST_BINS, MOST_BINS, ROWS_PER_BIN = 5, 15, 30


@dataclass(frozen=True, slots=True)
class Bin:
    """Rows of like confidence; ``confidence`` is their mean and ``accuracy`` the share that is right."""

    confidence: float
    accuracy: float
    n_rows: int


@dataclass(frozen=True, slots=True)
class CalibrationError:
    """Expected calibration error of an arm.

    Attributes:
        value: corrected for noise; ``uncorrected``: as defined, in our bins.
    """

    value: float
    interval: Interval
    uncorrected: float
    bins: tuple[Bin, ...]


def brier_rows(probabilities: Sequence[Sequence[float]], right: Sequence[int | None]) -> Floats:
    """Brier score of each row, in [0, 2].

    Args:
        probabilities: of each row's labels.
        right: place of the right label; ``None`` where the arm gave it no probability at all.
    """
    found: list[float] = []
    for chances, place in zip(probabilities, right, strict=True):
        squares = math.fsum(chance * chance for chance in chances)
        found.append(squares + 1.0 - (2.0 * chances[place] if place is not None else 0.0))
    return np.clip(np.array(found, dtype=np.float64), 0.0, 2.0)


def bin_numbers(confidence: Floats) -> NDArray[np.intp]:
    """Bin of each row, from 0 upwards in confidence."""
    n_bins = min(MOST_BINS, max(LEAST_BINS, confidence.size // ROWS_PER_BIN))
    edges = np.quantile(confidence, np.arange(1, n_bins) / n_bins, method="lower")
    return np.unique(np.searchsorted(np.unique(edges), confidence, side="right"), return_inverse=True)[1]


def calibration_error(
    confidence: ArrayLike,
    right: ArrayLike,
    rng: np.random.Generator,
    *,
    groups: Sequence[str] | None = None,
    level: float = 0.95,
) -> CalibrationError | None:
    """From confidences in [0, 1] and right (1) or wrong (0), shapes ``(n,)``; ``None`` from fewer than ``MIN_ROWS`` rows or
    ``MIN_GROUPS`` groups.

    Args:
        groups: the group of each row; whole groups are drawn.
    """
    sure, correct = np.asarray(confidence, dtype=np.float64), np.asarray(right, dtype=np.float64)
    n = sure.size
    of_row = group_numbers(groups or [""] * n)
    if n < MIN_ROWS or of_row.max() < MIN_GROUPS - 1:
        return None
    of_bin = bin_numbers(sure)
    in_bin = np.eye(int(of_bin.max()) + 1)[of_bin]
    sizes = in_bin.sum(axis=0)
    gaps = (sure - correct) @ in_bin / n
    drawn = _drawn_gaps((sure - correct)[:, None] * in_bin, of_row, rng)
    noise = drawn - gaps
    # A bin in which all rows are right does not vary, and is not known exactly for that (Agresti and Coull 1998).
    shares = (correct @ in_bin + 2) / (sizes + 4)
    least = np.sqrt(shares * (1 - shares) / sizes) * sizes / n
    errors = np.maximum(noise.std(axis=0), least)
    noise = noise * (errors / np.maximum(noise.std(axis=0), 1e-12))
    stuck = noise.std(axis=0) < 1e-9
    noise[:, stuck] = rng.normal(size=(N_DRAWS, int(stuck.sum()))) * errors[stuck]
    size = unfolded(gaps, errors)
    value = float(size.sum())
    draws = unfolded(size * np.where(gaps < 0, -1.0, 1.0) + noise, errors).sum(axis=1)
    half = float(np.quantile(np.abs(draws - value), level))
    uncorrected = float(np.abs(gaps).sum())
    may_be_noise = uncorrected <= float(np.quantile(np.abs(noise).sum(axis=1), level))
    low = 0.0 if may_be_noise else max(0.0, value - half)
    bins = tuple(
        Bin(float(sure[of_bin == at].mean()), float(correct[of_bin == at].mean()), int(sizes[at]))
        for at in range(len(sizes))
    )
    interval = Interval(low=low, high=min(1.0, value + half), level=level)
    return CalibrationError(value, interval, uncorrected, bins)


def _drawn_gaps(parts: Floats, of_row: NDArray[np.intp], rng: np.random.Generator) -> Floats:
    """Gaps of the bins in ``N_DRAWS`` draws of whole groups; ``parts`` has a row's gap in the column of its bin."""
    n_groups = int(of_row.max()) + 1
    sums = np.zeros((n_groups, parts.shape[1]))
    np.add.at(sums, of_row, parts)
    drawn = rng.multinomial(n_groups, np.full(n_groups, 1 / n_groups), N_DRAWS).astype(np.float64)
    return drawn @ sums / (drawn @ np.bincount(of_row))[:, None]


_SIZES = np.linspace(0.0, 10.0, 2_001)
_FOLDED = np.array(
    [z * math.erf(z / math.sqrt(2)) + math.sqrt(2 / math.pi) * math.exp(-z * z / 2) for z in _SIZES.tolist()]
)
"""Mean of |N(z, 1)|."""


def unfolded(gaps: Floats, errors: Floats) -> Floats:
    """What |gap| would be without noise: the z·error with mean of |N(z·error, error)| = |gap|; 0 for what noise alone explains."""
    ratio = np.abs(gaps) / np.maximum(errors, 1e-12)
    return np.where(ratio > _SIZES[-1], ratio, np.interp(ratio, _FOLDED, _SIZES)) * errors


def sure_threshold(confidence: ArrayLike, right: ArrayLike, precision: float) -> float | None:
    """The lowest confidence from which on answers are right often enough, by these rows; ``None`` where there is none.

    Raises:
        ValueError: ``precision`` is not in (0, 1).
    """
    if not 0 < precision < 1:
        raise ValueError(f"precision is {precision}, must be in (0, 1)")
    sure, correct = np.asarray(confidence, dtype=np.float64), np.asarray(right, dtype=np.float64)
    order = np.argsort(-sure, kind="stable")
    n, wrong = np.arange(1, sure.size + 1), np.cumsum(1 - correct[order])
    last_of_its_value = np.append(sure[order][1:] < sure[order][:-1], True)[: sure.size]
    enough = np.flatnonzero(last_of_its_value & (1 + wrong <= (1 - precision) * n + 1e-9))
    return float(sure[order][enough[-1]]) if enough.size else None

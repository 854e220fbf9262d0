"""Recordings of whole comparisons, and the plain rules that `benchmarks/race.py` holds the race against."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LEAST_LOOK = 8
"""Dev rows that the plain rules ask at least."""


@dataclass(frozen=True)
class RecordedFit:
    n_train: int | None
    fit_seconds: float
    row_seconds: Floats
    scores: Floats

    @property
    def mean(self) -> float:
        return float(np.nanmean(self.scores)) if np.isfinite(self.scores).any() else -1.0

    @property
    def seconds(self) -> float:
        return self.fit_seconds + float(self.row_seconds.sum())


@dataclass(frozen=True)
class RecordedArm:
    arm_id: str
    kind: Any
    model: str | None
    fits: dict[int | None, RecordedFit]
    family: str | None = None

    @property
    def full(self) -> RecordedFit:
        return self.fits[None]


@dataclass(frozen=True)
class Recording:
    """One task with everything measured."""

    name: str
    n_train: int
    margin: float
    chance: float
    arms: dict[str, RecordedArm]

    @property
    def n_dev(self) -> int:
        return next(iter(self.arms.values())).full.scores.size

    @property
    def rivals(self) -> list[RecordedArm]:
        return [arm for arm in self.arms.values() if arm.kind != "yardstick"]

    @property
    def seconds(self) -> float:
        """Of the exhaustive comparison."""
        return sum(fit.seconds for arm in self.arms.values() for fit in arm.fits.values())

    @property
    def winner(self) -> RecordedArm:
        return max(self.rivals, key=lambda arm: arm.full.mean)

    def shuffled(self, rng: np.random.Generator) -> Recording:
        order = rng.permutation(self.n_dev)
        arms = {
            arm.arm_id: RecordedArm(
                arm.arm_id,
                arm.kind,
                arm.model,
                {
                    size: RecordedFit(size, fit.fit_seconds, fit.row_seconds[order], fit.scores[order])
                    for size, fit in arm.fits.items()
                },
                arm.family,
            )
            for arm in self.arms.values()
        }
        return Recording(self.name, self.n_train, self.margin, self.chance, arms)


def load(path: Path) -> Recording:
    """A recording, without arms that broke on all training rows, and those that were recorded for their curve alone."""
    content = json.loads(path.read_text(encoding="utf-8"))
    arms: dict[str, RecordedArm] = {}
    for arm in content["arms"]:
        fits = {
            fit["n_train"]: RecordedFit(
                fit["n_train"],
                fit["fit_seconds"],
                np.array(fit["row_seconds"], dtype=np.float64),
                np.array([np.nan if score is None else score for score in fit["scores"]], dtype=np.float64),
            )
            for fit in arm["fits"]
            if "scores" in fit
        }
        if None in fits and arm["kind"] != "curve":
            arms[arm["arm_id"]] = RecordedArm(arm["arm_id"], arm["kind"], arm["model"], fits)
    return Recording(content["set"], content["n_train"], content["margin"], content["chance"], arms)


@dataclass(frozen=True)
class Played:
    """One run of one rule: what it recommends, what it spent, and when it last changed its mind.

    Attributes:
        finals: kind → what the arm of that kind that meets the test rows scores on all dev rows.
    """

    arm_id: str
    mean: float
    seconds: float
    settled_seconds: float
    eliminated: tuple[str, ...] = ()
    steps: int = 0
    full_trainings: int = 0
    finals: dict[str, float] = field(default_factory=dict[str, float])


def halving(recording: Recording, budget: float) -> Played:
    """Successive halving: each rung doubles training and dev rows and keeps the better half of the arms.

    Of all starts (parts of the training rows, parts of the dev rows) the one that spends most within ``budget``, or the
    cheapest when there is none. Source: Jamieson and Talwalkar (2016), AISTATS.
    """
    rungs = range(max(1, math.ceil(math.log2(len(recording.rivals)))))
    starts = [(2.0**-train, 2.0 ** (-rows / 2)) for train in range(6) for rows in range(11)]
    found = [rung_by_rung(recording, [(2**rung * train, 2**rung * rows) for rung in rungs]) for train, rows in starts]
    inside = [played for played in found if played.seconds <= budget]
    return max(inside, key=lambda played: played.seconds) if inside else min(found, key=lambda played: played.seconds)


def three_rungs(recording: Recording, eta: int) -> Played:
    """Plain successive halving: 1/eta² of the training and dev rows, then 1/eta of both, then all; each keeps 1/eta."""
    return rung_by_rung(recording, [(share, share) for share in (eta**-2, 1 / eta, 1.0)], eta)


def rung_by_rung(recording: Recording, shares: Sequence[tuple[float, float]], eta: int = 2) -> Played:
    arms, seconds = recording.rivals, 0.0
    means: dict[str, float] = {}
    asked: dict[tuple[str, int | None], int] = {}
    for train, dev in shares:
        n_rows = min(recording.n_dev, max(LEAST_LOOK, round(dev * recording.n_dev)))
        for arm in arms:
            fit = at_share(arm, min(1.0, train))
            have = asked.get((arm.arm_id, fit.n_train))
            seconds += (fit.fit_seconds if have is None else 0.0) + float(fit.row_seconds[have or 0 : n_rows].sum())
            asked[arm.arm_id, fit.n_train] = n_rows
            means[arm.arm_id] = look(fit, n_rows)
        if len(arms) > 1:
            arms = sorted(arms, key=lambda arm: -means[arm.arm_id])[: math.ceil(len(arms) / eta)]
    best = max(arms, key=lambda arm: means[arm.arm_id])
    return Played(best.arm_id, best.full.mean, seconds, seconds)


def argmax(recording: Recording, budget: float) -> Played:
    """Every arm on as many rows as ``budget`` allows, and as large a part of the training rows; the best mean."""
    found: list[Played] = []
    for share in (1.0, 0.5, 0.25, 0.125, 0.0625, 0.03125):
        fits = {arm.arm_id: at_share(arm, share) for arm in recording.rivals}
        fitting = sum(fit.fit_seconds for fit in fits.values())
        per_row = sum(float(fit.row_seconds.mean()) for fit in fits.values())
        n_rows = int(min(recording.n_dev, max(LEAST_LOOK, (budget - fitting) / max(per_row, 1e-9))))
        best = max(fits, key=lambda arm: look(fits[arm], n_rows))
        seconds = fitting + sum(float(fit.row_seconds[:n_rows].sum()) for fit in fits.values())
        found.append(Played(best, recording.arms[best].full.mean, seconds, seconds))
        if fitting + per_row * LEAST_LOOK <= budget:
            break
    return found[-1]


def at_share(arm: RecordedArm, share: float) -> RecordedFit:
    """The fit on about this part of the training rows."""
    sizes = list(arm.fits)
    return arm.fits[sizes[max(0, len(sizes) - 1 + round(math.log2(share)))]]


def look(fit: RecordedFit, n_rows: int) -> float:
    scores = fit.scores[:n_rows]
    return float(np.nanmean(scores)) if np.isfinite(scores).any() else -1.0

"""What the schedule is told of the arms, and what it tells to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Kind = Literal["untuned", "tuned", "yardstick"]

FIRST_ROWS = 32
"""Dev rows that every arm is asked first: one batch of the runner. Each further look doubles them."""


@dataclass(frozen=True, slots=True)
class Entrant:
    """An arm as the schedule knows it.

    Attributes:
        sizes: training sizes in ascending order; the last, ``None``, stands for all rows. ``(None,)`` for an arm
            that has only one.
        model: id of its language model. The first untuned arm of each model is looked at whatever it costs:
            without it nothing could be compared.
        family: arms of one name differ in settings only, and only the best of them is trained on all rows
            (`tuneworth.race.schedule.heats`); ``None``: of no family.
    """

    arm_id: str
    kind: Kind
    sizes: tuple[int | None, ...]
    model: str | None
    family: str | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """The next thing to do: fit the arm on ``n_train`` rows unless that was done, then ask it the dev rows up to ``n_rows``.

    Attributes:
        n_rows: the first rows of the race's order; those asked before are not asked again.
        seconds: what the fit may take at most; a training plans its steps to end within. ``None``: no limit.
    """

    arm_id: str
    n_train: int | None
    n_rows: int
    seconds: float | None = None


class Costs(Protocol):
    """Expected seconds, as well as they are known now; ``None`` where they are not."""

    def fit_seconds(self, arm_id: str, n_train: int | None) -> float | None: ...

    def answer_seconds(self, arm_id: str, n_train: int | None, n_rows: int) -> float | None: ...


@dataclass(frozen=True, slots=True)
class Fit:
    """One arm at one size: what is scored, and may win. ``place`` counts all fits of the race.

    Attributes:
        arm: number of the entrant, in plan order.
        at: number of the size among the entrant's sizes.
    """

    place: int
    arm: int
    at: int
    n_train: int | None
    name: str


def fits_of(entrants: Sequence[Entrant]) -> list[list[Fit]]:
    """Every fit that the race may come to, per entrant; the one on all rows has the name of the arm.

    Raises:
        ValueError: an arm is named twice, or has no sizes, or these do not ascend to all rows.
    """
    if len({entrant.arm_id for entrant in entrants}) != len(entrants):
        raise ValueError("an arm is named twice")
    fits: list[list[Fit]] = []
    place = 0
    for arm, entrant in enumerate(entrants):
        smaller = [size for size in entrant.sizes[:-1] if size is not None]
        if not entrant.sizes or entrant.sizes != (*sorted(set(smaller)), None):
            raise ValueError(f"{entrant.arm_id}: sizes are {entrant.sizes}, must ascend and end with None, all rows")
        names = [*(f"{entrant.arm_id}@{size}" for size in smaller), entrant.arm_id]
        fits.append([Fit(place + at, arm, at, size, names[at]) for at, size in enumerate(entrant.sizes)])
        place += len(names)
    return fits


def next_rows(have: int, n_dev: int) -> int:
    """The next prefix: ``FIRST_ROWS``, doubled until it passes ``have``, at most ``n_dev``."""
    rows = FIRST_ROWS
    while rows <= have:
        rows *= 2
    return min(rows, n_dev)

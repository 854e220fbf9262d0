"""Who races and who stands where: arms, their fits on training rows, scores on dev rows, leaders and pairs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tuneworth.core.race import Stop
from tuneworth.stats.family import MIN_PAIRS
from tuneworth.stats.final_gap import Paired, paired
from tuneworth.stats.sequential import Elimination

Floats = NDArray[np.float64]

FIRST_ROWS = 32
"""Dev rows that every arm is asked first: one batch of the runner. Each further look doubles them."""


@dataclass(frozen=True, slots=True)
class Entrant:
    """An arm as the schedule is told of it.

    Attributes:
        sizes: training sizes in ascending order; the last, ``None``, stands for all rows. ``(None,)`` for an arm
            that has only one.
        model: id of its language model. The first untuned arm of each model is looked at whatever it costs:
            without it nothing could be compared.
        family: arms of one name differ in settings only, and only the best of them is trained on all rows; ``None``:
            of no family.
    """

    arm_id: str
    kind: Literal["untuned", "tuned", "yardstick"]
    sizes: tuple[int | None, ...]
    model: str | None
    family: str | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """Something to do: fit the arm on ``n_train`` rows unless that was done, then ask it the dev rows up to ``n_rows``.

    Attributes:
        n_rows: the first rows of the race's order; those asked before are not asked again.
        seconds: what the fit may take at most; a training plans its steps to end within. ``None``: no limit.
    """

    arm_id: str
    n_train: int | None
    n_rows: int
    seconds: float | None = None


@dataclass(eq=False)
class Fit:
    """One arm at one size: what is scored, and may win.

    Attributes:
        at: number of the size among those of the arm.
        scores: on the first dev rows, shape ``(n,)``, NaN where a row has none.
        surely: its mean less two standard errors of a coin, so that few lucky rows do not lead.
        worse: the test found it surely worse.
    """

    arm: Contender = field(repr=False)
    at: int
    n_train: int | None
    name: str
    scores: Floats = field(default_factory=lambda: np.empty(0), repr=False)
    surely: float = -math.inf
    broken: bool = False
    worse: Elimination | None = None

    @property
    def rows(self) -> int:
        return self.scores.size

    @property
    def known(self) -> Floats:
        return self.scores[~np.isnan(self.scores)]

    @property
    def mean(self) -> float | None:
        return float(known.mean()) if (known := self.known).size else None


@dataclass(frozen=True, slots=True)
class Piece:
    """Possible work: a fit asked up to ``n_rows``.

    Attributes:
        gain: what it is expected to gain (`tuneworth.race.schedule.rules`).
        price: expected seconds, to a power of two, so that the noise of timing does not reorder arms that cost about
            the same; ``None``: not known.
        heat: it is to tell which setting goes on, and is not done on all training rows instead.
    """

    fit: Fit
    n_rows: int
    gain: float
    price: float | None
    heat: bool = False


@dataclass(eq=False)
class Contender:
    """An arm's way through the race: how far it came, what could be done next, why it ended.

    Attributes:
        number: in plan order.
        at: number of its latest size, -1 before the first.
        silent: it stands as it is, for want of time.
        out: its work that was handed out and did not come back; ``aside``: the seconds that this is expected to take.
        rivals: the other arms of its family, in plan order.
    """

    number: int
    entrant: Entrant
    fits: list[Fit] = field(default_factory=list[Fit])
    rivals: list[Contender] = field(default_factory=list["Contender"], repr=False)
    at: int = -1
    stop: Stop | None = None
    silent: bool = False
    out: Work | None = None
    aside: float = 0.0

    @property
    def full(self) -> Fit:
        """The fit on all training rows."""
        return self.fits[-1]

    @property
    def latest(self) -> Fit | None:
        return self.fits[self.at] if self.at >= 0 else None

    @property
    def grown(self) -> bool:
        """It was fitted on all rows."""
        return self.at == len(self.fits) - 1

    @property
    def open(self) -> bool:
        return self.stop is None and not self.silent

    @property
    def first_of_family(self) -> Contender:
        """The first arm in plan order that was not stopped, of those that differ from it in settings only."""
        return min((one for one in (self, *self.rivals) if one.stop is None), key=lambda one: one.number, default=self)


class Board:
    """Scores as they come in. Yardsticks and arms that were stopped do not lead."""

    def __init__(self, entrants: Sequence[Entrant], n_dev: int, groups: Sequence[str] = ()):
        """Raises ``ValueError``: no dev rows, an arm is named twice, or its sizes do not ascend to all rows."""
        if n_dev < 1:
            raise ValueError(f"n_dev is {n_dev}, must be at least 1")
        if len({entrant.arm_id for entrant in entrants}) != len(entrants):
            raise ValueError("an arm is named twice")
        self.n_dev, self.groups = n_dev, groups
        self.arms = [Contender(number, entrant) for number, entrant in enumerate(entrants)]
        for arm in self.arms:
            name, sizes = arm.entrant.arm_id, arm.entrant.sizes
            smaller = sorted({size for size in sizes[:-1] if size is not None})
            if sizes != (*smaller, None):
                raise ValueError(f"{name}: sizes are {sizes}, must ascend and end with None, all rows")
            arm.fits = [Fit(arm, at, size, f"{name}@{size}" if size else name) for at, size in enumerate(sizes)]
        racing = (arm for arm in self.arms if arm.entrant.kind != "yardstick")
        self.racing = {fit.name: fit for arm in racing for fit in arm.fits}
        self._pairs: dict[tuple[Fit, Fit], Paired] = {}
        self._leaders: dict[str | None, Fit | None] = {}

    def add(self, fit: Fit, scores: Floats) -> None:
        """Scores of the next rows of a fit; NaN where a row has none."""
        fit.scores = np.concatenate([fit.scores, scores])
        if (known := fit.known).size >= MIN_PAIRS:
            fit.surely = float(known.mean()) - 1 / math.sqrt(known.size)
        self._leaders.clear()

    def stop(self, arm: Contender, stop: Stop) -> None:
        """The arm does not lead any longer."""
        arm.stop, arm.out = stop, None
        self._leaders.clear()

    def leader(self, kind: str | None = None, without: Contender | None = None) -> Fit | None:
        """The fit to beat, of one kind or of all, leaving out one arm; ``None`` before any has enough rows."""
        if kind not in self._leaders:
            self._leaders[kind] = _best(arm for arm in self.arms if kind in (None, arm.entrant.kind))
        found = self._leaders[kind]
        if found is None or found.arm is not without:
            return found
        return _best(arm for arm in self.arms if kind in (None, arm.entrant.kind) and arm is not without)

    def pairs(self, fit: Fit, other: Fit) -> Paired:
        """``fit − other`` on the rows that both were asked."""
        seen, known = min(fit.rows, other.rows), self._pairs.get((fit, other))
        if known is None or known.seen < seen:
            known = self._pairs[fit, other] = paired(fit.scores[:seen] - other.scores[:seen], self.groups[:seen])
        return known


def _best(arms: Iterable[Contender]) -> Fit | None:
    """The first of those that surely have most."""
    racing = (arm for arm in arms if arm.stop is None and arm.entrant.kind != "yardstick")
    best = max((fit for arm in racing for fit in arm.fits), key=lambda fit: fit.surely, default=None)
    return None if best is None or best.surely == -math.inf else best

"""A race on paper: the real schedule with expected costs for a clock and made-up scores.

It tells whom the time reaches when costs alone decide. Scores are coins: at all training rows every arm is equally
good, and arms that learn come there by a usual rise, so that nobody is stopped for being surely worse. A real race has
losers, stops them, and is as a rule shorter. Nothing is asked of a model and nothing is trained.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tuneworth.race.arms import Arm, is_first_of_its_model
from tuneworth.race.estimate import Estimator
from tuneworth.race.reserve import ALONE_SLOWDOWN, FINAL_SHARE, RESERVE_SHARE
from tuneworth.race.runner import LATENCY_ROWS
from tuneworth.race.schedule import Schedule, Work
from tuneworth.race.schedule.gain import RISE
from tuneworth.race.sizes import entrant_of

OVERRUN = 0.1
"""A run may take this part of its budget longer."""
SCORE = 0.5
"""Share of rows that every arm gets right in the end."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of the three sides, by their number."""

    train: int
    dev: int
    test: int


@dataclass
class Rehearsal:
    """How a race under a budget would go.

    Attributes:
        seconds: arm id → what it was given.
        rows: arm id → dev rows that it was asked, at the size that was asked most.
        cut: arm id → part of its training on all rows that the time reached for.
        too_slow: arms that would be too slow as finalists.
        out_of_time: arms that the budget stopped otherwise.
        final_seconds: kept back for the finalists.
    """

    seconds: dict[str, float] = field(default_factory=dict[str, float])
    rows: dict[str, int] = field(default_factory=dict[str, int])
    cut: dict[str, float] = field(default_factory=dict[str, float])
    too_slow: set[str] = field(default_factory=set[str])
    out_of_time: set[str] = field(default_factory=set[str])
    final_seconds: float = 0.0

    @property
    def race_seconds(self) -> float:
        return sum(self.seconds.values())

    def keeps(self, budget_seconds: float) -> bool:
        """Whether it ends inside the budget: the first arm of a model is asked its first rows whatever they cost."""
        return self.race_seconds + self.final_seconds <= (1 + OVERRUN) * budget_seconds


def rehearse(
    arms: Sequence[Arm],
    estimator: Estimator,
    rows: Rows,
    *,
    margin: float,
    budget_seconds: float,
    exhaustive: bool = False,
    seed: int = 0,
) -> Rehearsal:
    """Play the race of ``arms`` under the budget."""
    schedule = Schedule(
        [entrant_of(arm, rows.train) for arm in arms],
        n_dev=rows.dev,
        margin=margin,
        chance=0.0,
        costs=estimator,
        exhaustive=exhaustive,
        seed=seed,
        n_train=rows.train,
    )
    race = _Race(schedule, {arm.arm_id: arm for arm in arms}, estimator, rows, budget_seconds, seed)
    return race.run()


def final_seconds(estimator: Estimator, arm_id: str, n_test: int) -> float | None:
    """Expected for the test rows, and for the rows that a finalist is asked alone."""
    return estimator.answer_seconds(arm_id, None, n_test + ALONE_SLOWDOWN * (LATENCY_ROWS + 1))


def finalists_seconds(arms: Sequence[Arm], estimator: Estimator, n_test: int) -> float:
    """Least that the finalists take on the test rows: the quickest tuned and the quickest untuned arm."""
    needed = 0.0
    for tuned in (True, False):
        of_kind = [arm.arm_id for arm in arms if arm.strategy.tuned == tuned and not arm.strategy.yardstick]
        needed += min((final_seconds(estimator, arm_id, n_test) or 0.0 for arm_id in of_kind), default=0.0)
    return needed


@dataclass
class _Race:
    schedule: Schedule
    arms: dict[str, Arm]
    estimator: Estimator
    rows: Rows
    budget_seconds: float
    seed: int
    done: Rehearsal = field(default_factory=Rehearsal)
    _asked: dict[tuple[str, int | None], int] = field(default_factory=dict[tuple[str, int | None], int])

    def run(self) -> Rehearsal:
        """Until nothing is left to do, or to spend."""
        needed = finalists_seconds(list(self.arms.values()), self.estimator, self.rows.test)
        self.done.final_seconds = max(needed, RESERVE_SHARE * self.budget_seconds)
        whole = max(0.0, self.budget_seconds - self.done.final_seconds)
        while (work := self.schedule.next(max(0.0, whole - self.done.race_seconds))) is not None:
            self._do(work)
        out = {stop.arm_id for stop in self.schedule.stops if stop.reason == "budget"}
        self.done.out_of_time = out - self.done.too_slow
        return self.done

    def _do(self, work: Work) -> None:
        asked = self._asked.get((work.arm_id, work.n_train), 0)
        seconds = self.estimator.answer_seconds(work.arm_id, work.n_train, work.n_rows - asked) or 0.0
        if asked == 0:
            seconds += self._fit(work)
        self.done.seconds[work.arm_id] = self.done.seconds.get(work.arm_id, 0.0) + seconds
        self.schedule.observe(work, self._scores(work)[asked : work.n_rows])
        self._asked[work.arm_id, work.n_train] = work.n_rows
        self.done.rows[work.arm_id] = max(work.n_rows, self.done.rows.get(work.arm_id, 0))
        if self._final_is_too_dear(work.arm_id):
            self.done.too_slow.add(work.arm_id)
            self.schedule.stop(work.arm_id, "budget")

    def _fit(self, work: Work) -> float:
        expected = self.estimator.fit_seconds(work.arm_id, work.n_train) or 0.0
        if work.seconds is None or expected <= work.seconds:
            return expected
        self.done.cut[work.arm_id] = work.seconds / expected
        return work.seconds

    def _scores(self, work: Work) -> NDArray[np.float64]:
        """Coins on the dev rows, the same however many of them are asked for."""
        number = list(self.arms).index(work.arm_id)
        doublings = math.log2(self.rows.train / work.n_train) if work.n_train else 0.0
        coins = np.random.default_rng([self.seed, number]).random(self.rows.dev)
        return (coins < SCORE - RISE * doublings).astype(np.float64)

    def _final_is_too_dear(self, arm_id: str) -> bool:
        """The rule of the stage that runs: the first arm of its model is never too dear."""
        arm = self.arms[arm_id]
        first = is_first_of_its_model(arm, (self.arms[other] for other in self.done.seconds))
        if arm.strategy.tuned or arm.strategy.yardstick or first:
            return False
        return (final_seconds(self.estimator, arm_id, self.rows.test) or 0.0) > FINAL_SHARE * self.budget_seconds

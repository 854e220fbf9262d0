"""Drives the race on the dev rows: does what the schedule says, and writes down what came of it.

The schedule decides from scores and expected costs alone; here are models, the store, the clock and the people
who watch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tuneworth.core.outcome import Outcome
from tuneworth.core.race import Step
from tuneworth.core.text import Text
from tuneworth.race import words
from tuneworth.race.arms import Arm
from tuneworth.race.budget import Budget
from tuneworth.race.estimate import Estimator
from tuneworth.race.runner import ArmFailed, Runner
from tuneworth.race.schedule import Place, Schedule, Work
from tuneworth.race.store import FitRecord
from tuneworth.race.watch import Lane, LaneState, RaceView
from tuneworth.strategies import Solver


@dataclass
class Entry:
    """One fit of an arm, and its outcomes on the first dev rows.

    Attributes:
        fit_was_saved: an earlier start of the run had made it.
    """

    arm: Arm
    solver: Solver
    fit: FitRecord
    fit_was_saved: bool = False
    dev: list[Outcome] = field(default_factory=list[Outcome])

    @property
    def seconds_per_row(self) -> float:
        """As asked in batches; 0 before it answered any."""
        return seconds_of(self.dev) / len(self.dev) if self.dev else 0.0


@dataclass
class Driver:
    """Runs one race.

    Attributes:
        entries: arm id → training size → the fit on so many rows (``None``: on all of them).
        failures: arm id → why it broke.
        slow: arm id → seconds that it was expected to take as a finalist, of an arm that was not asked because of that.
        steps: what was done, in order.
    """

    runner: Runner
    arms: dict[str, Arm]
    schedule: Schedule
    estimator: Estimator
    seconds_left: Callable[[Driver], float | None]
    too_dear: Callable[[Entry, Sequence[Entry]], bool]
    too_slow: Callable[[Driver, Arm], float | None]
    budget: Budget
    entries: dict[str, dict[int | None, Entry]] = field(default_factory=dict)
    failures: dict[str, Text] = field(default_factory=dict)
    slow: dict[str, float] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    _over: bool = False

    def run(self) -> None:
        """Until the schedule has nothing left to do."""
        while (work := self.schedule.next(self.seconds_left(self))) is not None:
            if work.arm_id not in self.entries and (seconds := self.too_slow(self, self.arms[work.arm_id])) is not None:
                self.slow[work.arm_id] = seconds
                self.schedule.stop(work.arm_id, "budget")
                continue
            self.show(work)
            self._do(work)
            self.show()
        self._over = True
        self.show()

    def fits(self) -> list[Entry]:
        """All fits, in the order in which their arms were first looked at."""
        return [entry for by_size in self.entries.values() for entry in by_size.values()]

    def _do(self, work: Work) -> None:
        runner, arm = self.runner, self.arms[work.arm_id].fitted_on(work.n_train)
        runner.watcher.start(words.doing(arm, work))
        try:
            entry = self._entry(arm, work)
        except ArmFailed as failure:
            self.failures[work.arm_id] = failure.why
            self.schedule.fail(work)
            runner.watcher.finish(failure.why)
            return
        before = len(entry.dev)
        measured = runner.measure(entry.arm, entry.solver, "dev", runner.dev[: work.n_rows])
        entry.dev = measured.outcomes
        self._account(work, entry, before, measured.saved)
        self.schedule.observe(work, scores_of(entry.dev[before:], runner.metrics[0].id))
        if self.too_dear(entry, self.fits()):
            self.schedule.stop(work.arm_id, "budget")
        score, n_dev = self.steps[-1].score, len(runner.dev)
        runner.watcher.finish(
            words.nothing_scored(entry.dev) if score is None else words.came_to(score, len(entry.dev), n_dev)
        )

    def _entry(self, arm: Arm, work: Work) -> Entry:
        fits = self.entries.setdefault(arm.arm_id, {})
        if arm.n_train not in fits:
            arm = self.runner.latest(arm)
            saved = self.runner.store.fit(arm.key) is not None
            solver, record = self.runner.fit(arm, work.seconds)
            fits[arm.n_train] = Entry(arm, solver, record, saved)
        return fits[arm.n_train]

    def _account(self, work: Work, entry: Entry, before: int, saved: frozenset[str]) -> None:
        """Write the step down and tell the estimator and the budget what it took."""
        new = entry.dev[before:]
        answering, fitting = seconds_of(new), entry.fit.seconds if before == 0 else 0.0
        if before == 0:
            self.estimator.observe_fit(work.arm_id, work.n_train, fitting)
        self.estimator.observe_answers(work.arm_id, work.n_train, len(new), answering)
        known = [outcome for outcome in new if outcome.row_id in saved]
        self.budget.count(seconds_of(known) + (fitting if entry.fit_was_saved else 0.0))
        self.steps.append(
            Step(
                arm_id=work.arm_id,
                n_train=work.n_train,
                n_rows=len(entry.dev),
                score=mean_of(entry.dev, self.runner.metrics[0].id),
                seconds=fitting + answering,
                spent_seconds=self.budget.spent,
                saved=len(known) == len(new) and (before > 0 or entry.fit_was_saved),
            )
        )

    def show(self, running: Work | None = None) -> None:
        """Show the race as it stands to whoever watches."""
        budget = self.budget
        lanes = [self._lane(place, running) for place in self.schedule.standings()]
        self.runner.watcher.race(
            RaceView(
                lanes=lanes,
                leader=self.schedule.leader,
                n_dev=len(self.runner.dev),
                spent_seconds=budget.spent,
                seconds_left=budget.left,
                spent_usd=budget.usd_spent,
                usd_left=budget.usd_left,
            )
        )

    def _lane(self, place: Place, running: Work | None) -> Lane:
        arm = self.arms[place.arm_id]
        return Lane(
            arm_id=place.arm_id,
            title=words.named(arm, several=self._several_models),
            state=self._state(place, running),
            n_train=place.n_train,
            n_rows=place.n_rows,
            score=place.mean,
            difference=place.difference,
            interval=place.interval,
            seconds=sum(step.seconds for step in self.steps if step.arm_id == place.arm_id),
            why=self.failures.get(place.arm_id) or (words.stopped(place.stopped) if place.stopped else None),
        )

    def _state(self, place: Place, running: Work | None) -> LaneState:
        if running is not None and running.arm_id == place.arm_id:
            return "running"
        if place.stopped is not None:
            return "failed" if place.stopped == "failed" else "stopped"
        if place.n_rows == 0:
            return "waiting"
        whole = place.n_train is None and place.n_rows >= len(self.runner.dev)
        return "done" if whole or self._over else "racing"

    @property
    def _several_models(self) -> bool:
        return len({arm.model_id for arm in self.arms.values() if arm.model_id is not None}) > 1


def scores_of(outcomes: Sequence[Outcome], metric: str) -> NDArray[np.float64]:
    """Scores of a metric, shape ``(n,)``; NaN for a row without one."""
    return np.array([outcome.scores.get(metric, np.nan) for outcome in outcomes], dtype=np.float64)


def mean_of(outcomes: Sequence[Outcome], metric: str) -> float | None:
    """Mean score of the rows that have one; ``None`` when none has."""
    scores = scores_of(outcomes, metric)
    scored = scores[np.isfinite(scores)]
    return float(scored.mean()) if scored.size else None


def seconds_of(outcomes: Sequence[Outcome]) -> float:
    """What answering took, each row with its share of its batch."""
    return sum(outcome.latency_ms for outcome in outcomes) / 1000

"""Drives the race on the dev rows: does what the schedule says, and writes down what came of it.

The schedule decides from scores and expected costs alone; here are models, the store, the clock and the people
who watch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tuneworth.core.outcome import Outcome
from tuneworth.core.race import Step
from tuneworth.core.text import Text
from tuneworth.costs.spend import Spend, spent_on
from tuneworth.race.arms import Arm, training_sizes
from tuneworth.race.budget import Reserve
from tuneworth.race.estimate import Estimator
from tuneworth.race.runner import ArmFailed, Entry, Measured, Runner, mean_of, scores_of
from tuneworth.race.schedule import Entrant, Place, Schedule, Work
from tuneworth.race.watch import Lane, LaneState, RaceView
from tuneworth.words.numbers import plain
from tuneworth.words.say import say, table


def entrant_of(arm: Arm, n_train: int) -> Entrant:
    strategy = arm.strategy
    kind = "yardstick" if strategy.yardstick else "tuned" if strategy.tuned else "untuned"
    family = f"{strategy.id}/{arm.model_id}" if strategy.tuned and strategy.grows else None
    return Entrant(arm.arm_id, kind, training_sizes(arm, n_train), arm.model_id, family)


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
    reserve: Reserve
    entries: dict[str, dict[int | None, Entry]] = field(default_factory=dict)
    failures: dict[str, Text] = field(default_factory=dict)
    slow: dict[str, float] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    _over: bool = False

    def run(self) -> None:
        """Until the schedule has nothing left to do."""
        while (work := self.schedule.next(self.seconds_left())) is not None:
            if work.arm_id not in self.entries:
                seconds = self.reserve.expected_too_slow(self.arms[work.arm_id], self.fits())
                if seconds is not None:
                    self.slow[work.arm_id] = seconds
                    self.schedule.stop(work.arm_id, "budget")
                    continue
            self.show(work)
            self._do(work)
            self.show()
        self._over = True
        self.show()

    def seconds_left(self) -> float | None:
        """Of the budget, less what the finalists will need; arms that were stopped will be none."""
        out = {stop.arm_id for stop in self.schedule.stops}
        arms = [arm for arm in self.arms.values() if arm.arm_id not in out]
        return self.reserve.seconds_left(arms, [entry for entry in self.fits() if entry.arm.arm_id not in out])

    def fits(self) -> list[Entry]:
        """All fits, in the order in which their arms were first looked at."""
        return [entry for by_size in self.entries.values() for entry in by_size.values()]

    def _do(self, work: Work) -> None:
        runner, metric, arm = self.runner, self.runner.metrics[0].id, self.arms[work.arm_id].fitted_on(work.n_train)
        name = arm.make().describe()
        runner.watcher.start(name if work.n_train is None else say("run.doing", name=name, n_rows=work.n_train))
        fits = self.entries.setdefault(arm.arm_id, {})
        try:
            if arm.n_train not in fits:
                fits[arm.n_train] = runner.fit(runner.latest(arm), work.seconds)
        except ArmFailed as failure:
            self.failures[work.arm_id] = failure.why
            self.schedule.fail(work)
            runner.watcher.finish(failure.why)
            return
        entry = fits[arm.n_train]
        before = len(entry.dev)
        measured = runner.measure(entry, "dev", runner.dev[: work.n_rows])
        entry.dev = measured.outcomes
        self._account(work, entry, before, measured.saved)
        self.schedule.observe(work, scores_of(entry.dev[before:], metric))
        if self.reserve.is_too_dear(entry, self.fits()):
            self.schedule.stop(work.arm_id, "budget")
        score, n_rows = mean_of(entry.dev, metric), len(entry.dev)
        if score is None:
            runner.watcher.finish(nothing_scored(entry.dev))
        elif n_rows == len(runner.dev):
            runner.watcher.finish(plain(f"{score:.3f}"))
        else:
            runner.watcher.finish(say("run.came_to", score=f"{score:.3f}", n_rows=n_rows))

    def _account(self, work: Work, entry: Entry, before: int, saved: frozenset[str]) -> None:
        """Write the step down and tell the estimator and the budget what it took."""
        new, budget = Measured(entry.dev[before:], saved), self.reserve.budget
        answering, fitting = spent_on(new.outcomes), entry.fit.spend if before == 0 else Spend()
        if before == 0:
            self.estimator.observe_fit(work.arm_id, work.n_train, fitting)
        self.estimator.observe_answers(work.arm_id, work.n_train, len(new.outcomes), answering)
        (budget.count if entry.fit_was_saved else budget.charge)(fitting)
        budget.count(new.spent(before=True))
        budget.charge(new.spent(before=False))
        self.steps.append(
            Step(
                arm_id=work.arm_id,
                n_train=work.n_train,
                n_rows=len(entry.dev),
                score=mean_of(entry.dev, self.runner.metrics[0].id),
                seconds=(fitting + answering).seconds,
                spent_seconds=budget.spent.seconds,
                usd=(fitting + answering).on_machine(budget.usd_per_hour).usd,
                saved=all(outcome.row_id in saved for outcome in new.outcomes) and (before > 0 or entry.fit_was_saved),
            )
        )

    def show(self, running: Work | None = None) -> None:
        """Show the race as it stands to whoever watches."""
        budget = self.reserve.budget
        lanes = [self._lane(place, running) for place in self.schedule.standings()]
        self.runner.watcher.race(
            RaceView(
                lanes=lanes,
                leader=self.schedule.leader,
                n_dev=len(self.runner.dev),
                spent_seconds=budget.spent.seconds,
                seconds_left=budget.left,
                spent_usd=budget.spent.usd,
                usd_left=budget.usd_left,
            )
        )

    def _lane(self, place: Place, running: Work | None) -> Lane:
        arm, models = self.arms[place.arm_id], {arm.model_id for arm in self.arms.values()} - {None}
        title = arm.make().describe()
        if len(models) > 1 and arm.model_id is not None:
            title = say("run.lane_of_model", title=title, model=arm.model_id)
        state: LaneState = "racing"
        if running is not None and running.arm_id == place.arm_id:
            state = "running"
        elif place.stopped is not None:
            state = "failed" if place.stopped == "failed" else "stopped"
        elif place.n_rows == 0:
            state = "waiting"
        elif self._over or (place.n_train is None and place.n_rows >= len(self.runner.dev)):
            state = "done"
        why = self.failures.get(place.arm_id)
        if why is None and place.stopped is not None:
            why = table("race.stopped_short")[place.stopped]
        return Lane(
            arm_id=place.arm_id,
            title=title,
            state=state,
            n_train=place.n_train,
            n_rows=place.n_rows,
            score=place.mean,
            difference=place.difference,
            interval=place.interval,
            seconds=sum(step.seconds for step in self.steps if step.arm_id == place.arm_id),
            why=why,
        )


def nothing_scored(outcomes: Sequence[Outcome]) -> Text:
    return say("run.nothing_scored", error=next((outcome.error for outcome in outcomes if outcome.error), ""))

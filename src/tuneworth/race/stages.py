"""The two stages of a run: the race on the dev rows, then the finalists on the test rows, once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tuneworth.core.outcome import Outcome
from tuneworth.core.race import Race, StopReason
from tuneworth.core.run import ArmResult
from tuneworth.core.task import Example
from tuneworth.core.text import Text
from tuneworth.costs.spend import spent_on
from tuneworth.metrics import Metric
from tuneworth.race import results
from tuneworth.race.arms import Arm, Plan, chance_of, stays_here
from tuneworth.race.budget import Budget, Reserve
from tuneworth.race.driver import Driver, entrant_of, nothing_scored
from tuneworth.race.estimate import Estimator
from tuneworth.race.runner import ArmFailed, Entry, Runner, mean_of
from tuneworth.race.schedule import Schedule
from tuneworth.stats.family import MIN_PAIRS
from tuneworth.words.numbers import plain
from tuneworth.words.say import say

N_TRAININGS = 3
"""Trainings of a tuned finalist, with different seeds, when the budget allows."""

FAR_BEHIND = 0.1
"""A tuned arm that is behind by so much is not trained again: seeds do not differ by this."""
HICCUP_S = 10.0
"""What another training may take longer than the first in any case: one of four seconds doubles when the machine is busy
for a moment, and then would not be the same training any more."""


@dataclass
class Raced:
    """What the dev stage gave: a result per arm, the fits of those measured, and how it went.

    Attributes:
        entries: arm id → the fit that its result is about.
        fits: arm id → all its fits, by training size.
    """

    results: dict[str, ArmResult] = field(default_factory=dict[str, ArmResult])
    entries: dict[str, Entry] = field(default_factory=dict[str, Entry])
    fits: Mapping[str, Mapping[int | None, Entry]] = field(default_factory=dict[str, Mapping[int | None, Entry]])
    race: Race | None = None


@dataclass(frozen=True)
class Tested:
    """Finalists on the test rows.

    Attributes:
        outcomes: arm id → row id → outcome.
        repeats: arm id → the same for its further trainings.
    """

    outcomes: dict[str, dict[str, Outcome]] = field(default_factory=dict[str, dict[str, Outcome]])
    repeats: dict[str, list[dict[str, Outcome]]] = field(default_factory=dict[str, list[dict[str, Outcome]]])


@dataclass
class Stages:
    """Runs the stages of one run under one budget."""

    runner: Runner
    budget: Budget
    n_test: int
    machine_usd_per_hour: float | None
    estimator: Estimator
    exhaustive: bool = False
    raced: Raced = field(default_factory=Raced)
    _show: Callable[[], None] = lambda: None

    # -- dev rows --------------------------------------------------------------------------------------

    def race(self, plan: Plan) -> Raced:
        """Every arm of the plan on the dev rows, as far as the schedule finds it worth and the budget reaches."""
        runner, n_train, n_dev = self.runner, len(self.runner.train), len(self.runner.dev)
        for skipped in plan.skipped:
            self.raced.results[skipped.arm_id] = results.missing_arm(skipped, "skipped", skipped.why)
        schedule = Schedule(
            [entrant_of(arm, n_train) for arm in plan.arms],
            n_dev=n_dev,
            margin=runner.task.margin,
            chance=chance_of(runner.task, runner.train),
            costs=self.estimator,
            exhaustive=self.exhaustive,
            seed=runner.seed,
            unit_scores=not runner.metrics[0].corpus,
            n_train=n_train,
        )
        driver = Driver(runner, {arm.arm_id: arm for arm in plan.arms}, schedule, self.estimator, self._reserve)
        self._show = driver.show
        driver.run()
        self.raced.fits = driver.entries
        for arm in plan.arms:
            self.raced.results[arm.arm_id] = self._result(arm, driver)
        everything = self.estimator.spend_all()
        self.raced.race = Race(
            off=_race_off(self.exhaustive, runner.metrics[0], n_dev),
            margin=runner.task.margin,
            n_dev=n_dev,
            n_train=n_train,
            steps=driver.steps,
            stops=schedule.stops,
            seconds=sum(step.seconds for step in driver.steps),
            seconds_all=everything.seconds if everything is not None else None,
        )
        return self.raced

    @property
    def _reserve(self) -> Reserve:
        return Reserve(self.budget, self.estimator, self.n_test, self.runner.metrics[0].id)

    def _result(self, arm: Arm, driver: Driver) -> ArmResult:
        """What is told of ``arm``: its best fit, or why there is none."""
        stop = next((stop for stop in driver.schedule.stops if stop.arm_id == arm.arm_id), None)
        fits = [entry for entry in driver.entries.get(arm.arm_id, {}).values() if entry.dev]
        metric, n_dev = self.runner.metrics[0].id, len(self.runner.dev)
        if arm.arm_id in driver.failures and not fits:
            return results.missing_arm(arm, "failed", driver.failures[arm.arm_id])
        if arm.arm_id in driver.slow:
            why = say("run.too_slow", minutes=_minutes(driver.slow[arm.arm_id]))
            return results.missing_arm(arm, "skipped", why)
        if not fits:
            return results.missing_arm(arm, "skipped", say("run.no_time"))
        entry = results.best_fit(fits, metric, self.runner.task.margin)
        score = mean_of(entry.dev, metric)
        if score is None:
            return results.missing_arm(arm, "failed", nothing_scored(entry.dev))
        if stop is not None and stop.reason == "failed":
            return results.missing_arm(arm, "failed", driver.failures.get(arm.arm_id) or _mostly_unscored(entry.dev))
        cut = stop is not None and stop.reason == "budget" and len(entry.dev) < n_dev
        if cut and not arm.strategy.grows:  # one that grows is told as far as it came: the verdict minds its size
            rest = entry.seconds_per_row * (n_dev - len(entry.dev)) + self._reserve.final_seconds(entry)
            why = say("run.too_dear", score=f"{score:.3f}", n=len(entry.dev), minutes=_minutes(rest))
            return results.missing_arm(arm, "skipped", why)
        self.raced.entries[arm.arm_id] = entry
        return self._dev_result(entry)

    def _dev_result(self, entry: Entry) -> ArmResult:
        runner = self.runner
        rows = {row.id: row for row in runner.dev}
        limited = runner.task.limits.p95_ms is not None and not entry.arm.strategy.yardstick
        alone = runner.latencies(entry) if limited else None
        return results.measured_arm(
            entry,
            results.scores(entry.dev, rows, runner.metrics, runner.seed),
            results.cost(entry.fit, entry.dev, alone, self.machine_usd_per_hour),
            local=stays_here(entry.arm, runner.task),
        )

    # -- test rows -------------------------------------------------------------------------------------

    def final(self, test: Sequence[Example]) -> Tested:
        """The finalists on the test rows. Called once per run."""
        stops = self.raced.race.stops if self.raced.race is not None else []
        limits, metric = self.runner.task.limits, self.runner.metrics[0].id
        stopped: dict[str, StopReason] = {stop.arm_id: stop.reason for stop in stops}
        finalists = results.choose_finalists(list(self.raced.results.values()), metric, limits, stopped)
        tested = Tested()
        for arm_id in finalists:
            entry = self.raced.entries[arm_id]
            outcomes = self._test(entry, test)
            found = self.raced.results[arm_id] = self._final_result(entry, outcomes, test)
            tested.outcomes[arm_id] = _by_row(outcomes)
            score = found.test.get(metric)
            self.runner.watcher.finish(plain(f"{score.value:.3f}") if score is not None else None)
        for arm_id in finalists:
            found = self.raced.results[arm_id]
            others = [self.raced.results[other].test for other in finalists if other != arm_id]
            best = max((scores[metric].value for scores in others if metric in scores), default=0.0)
            if found.tuned and metric in found.test and found.test[metric].value > best - FAR_BEHIND:
                self._repeat(arm_id, test, tested)
        return tested

    def _test(self, entry: Entry, test: Sequence[Example]) -> list[Outcome]:
        name, number = entry.arm.make().describe(), entry.arm.repeat + 1
        self.runner.watcher.start(
            say("run.test_rows", name=name) if number == 1 else say("run.test_rows_again", name=name, number=number)
        )
        measured = self.runner.measure(entry, "test", test)
        self.budget.count(measured.spent(before=True))
        self.budget.charge(measured.spent(before=False))
        self._show()
        return measured.outcomes

    def _final_result(self, entry: Entry, outcomes: list[Outcome], test: Sequence[Example]) -> ArmResult:
        runner = self.runner
        rows = {row.id: row for row in test}
        alone = runner.latencies(entry)
        return self.raced.results[entry.arm.arm_id].model_copy(
            update={
                "finalist": True,
                "test": results.scores(outcomes, rows, runner.metrics, runner.seed),
                "test_counts": results.counts(outcomes),
                "cost": results.cost(entry.fit, [*entry.dev, *outcomes], alone, self.machine_usd_per_hour),
            }
        )

    def _repeat(self, arm_id: str, test: Sequence[Example], tested: Tested) -> None:
        """Two further trainings of a tuned finalist with other seeds, if the budget reaches for both.

        Two trainings in all would say less than one: from two the spread is so uncertain that it doubles the interval.
        """
        entry, metric = self.raced.entries[arm_id], self.runner.metrics[0]
        expected = (entry.fit.spend + spent_on(entry.dev).times(len(test) / len(entry.dev))).times(N_TRAININGS - 1)
        if not self.budget.reaches(expected):
            return
        rows = {row.id: row for row in test}
        outcomes = [self._train_again(entry, repeat, test) for repeat in range(1, N_TRAININGS)]
        scored = [results.scores(one, rows, [metric], self.runner.seed) for one in outcomes]
        if all(metric.id in scores for scores in scored):
            tested.repeats[arm_id] = [_by_row(one) for one in outcomes]
            repeats = [scores[metric.id] for scores in scored]
            self.raced.results[arm_id] = self.raced.results[arm_id].model_copy(update={"repeats": repeats})

    def _train_again(self, entry: Entry, repeat: int, test: Sequence[Example]) -> list[Outcome]:
        """The test rows answered by one more training; nothing when it broke.

        It may take as long as the first training where time cut that, else twice as long: a busy minute is not to cut it.
        """
        first, seconds, watcher = entry.fit, None, self.runner.watcher
        if self.budget.seconds is not None:
            seconds = first.seconds if first.cut_by_time else max(2 * first.seconds, first.seconds + HICCUP_S)
        config = entry.arm.make().settled(first.details)
        arm = self.runner.latest(replace(entry.arm, config=config).fitted_on(entry.arm.n_train, repeat))
        watcher.start(say("run.training_again", name=arm.make().describe(), number=repeat + 1))
        try:
            again = self.runner.fit(arm, seconds)
        except ArmFailed as failure:
            watcher.finish(failure.why)
            return []
        (self.budget.count if again.fit_was_saved else self.budget.charge)(again.fit.spend)
        outcomes = self._test(again, test)
        score = mean_of(outcomes, self.runner.metrics[0].id)
        watcher.finish(plain(f"{score:.3f}") if score is not None else nothing_scored(outcomes))
        return outcomes


def _race_off(exhaustive: bool, metric: Metric, n_dev: int) -> Text | None:
    """Why no arm can be stopped early; ``None`` when the race is on."""
    if exhaustive:
        return say("run.no_race.exhaustive")
    if n_dev < MIN_PAIRS:
        return say("run.no_race.few_rows", n_dev=n_dev, least=MIN_PAIRS)
    return say("run.no_race.corpus", metric=metric.title) if metric.corpus else None


def _minutes(seconds: float) -> int:
    return max(1, round(seconds / 60))


def _mostly_unscored(outcomes: Sequence[Outcome]) -> Text:
    """Of an arm that was stopped because most of its rows had no answer that could be scored."""
    unscored = [outcome for outcome in outcomes if outcome.status != "scored"]
    error = next((outcome.error for outcome in unscored if outcome.error), "")
    first = say("run.first_error", error=error) if error else ""
    return say("run.mostly_unscored", n_unscored=len(unscored), n=len(outcomes), first=first)


def _by_row(outcomes: Sequence[Outcome]) -> dict[str, Outcome]:
    return {outcome.row_id: outcome for outcome in outcomes}

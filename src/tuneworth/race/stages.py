"""The two stages of a run: the race on the dev rows, then the finalists on the test rows, once."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from tuneworth.core.outcome import Outcome
from tuneworth.core.race import Race, StopReason
from tuneworth.core.run import ArmResult
from tuneworth.core.task import Example
from tuneworth.core.text import Text
from tuneworth.findings import results
from tuneworth.race import words
from tuneworth.race.arms import Arm, Plan
from tuneworth.race.budget import Budget
from tuneworth.race.driver import Driver, Entry, mean_of, scores_of, seconds_of
from tuneworth.race.estimate import Estimator
from tuneworth.race.finalists import choose_finalists
from tuneworth.race.reserve import Reserve
from tuneworth.race.runner import ArmFailed, Runner
from tuneworth.race.schedule import Schedule
from tuneworth.race.sizes import chance_of, entrant_of
from tuneworth.stats.family import MIN_PAIRS

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
        for skipped in plan.skipped:
            self.raced.results[skipped.arm_id] = results.missing_arm(skipped, "skipped", skipped.why)
        driver = self._driver(plan)
        self._show = driver.show
        driver.run()
        self.raced.fits = driver.entries
        for arm in plan.arms:
            self.raced.results[arm.arm_id] = self._result(arm, driver)
        self.raced.race = self._record(driver)
        return self.raced

    def _driver(self, plan: Plan) -> Driver:
        runner, n_train, reserve = self.runner, len(self.runner.train), self._reserve
        schedule = Schedule(
            [entrant_of(arm, n_train) for arm in plan.arms],
            n_dev=len(runner.dev),
            margin=runner.task.margin,
            chance=chance_of(runner.task, runner.train),
            costs=self.estimator,
            exhaustive=self.exhaustive,
            seed=runner.seed,
            unit_scores=not runner.metrics[0].corpus,
            n_train=n_train,
        )
        return Driver(
            runner=runner,
            arms={arm.arm_id: arm for arm in plan.arms},
            schedule=schedule,
            estimator=self.estimator,
            seconds_left=reserve.seconds_left,
            too_dear=reserve.is_too_dear,
            too_slow=reserve.expected_too_slow,
            budget=self.budget,
        )

    @property
    def _reserve(self) -> Reserve:
        return Reserve(self.budget, self.estimator, self.n_test, self.runner.metrics[0].id)

    def _record(self, driver: Driver) -> Race:
        runner = self.runner
        return Race(
            off=words.race_off(self.exhaustive, runner.metrics[0], len(runner.dev)),
            margin=runner.task.margin,
            n_dev=len(runner.dev),
            n_train=len(runner.train),
            steps=driver.steps,
            stops=driver.schedule.stops,
            seconds=sum(step.seconds for step in driver.steps),
            seconds_all=self.estimator.seconds_all(),
        )

    def _result(self, arm: Arm, driver: Driver) -> ArmResult:
        """What is told of ``arm``: its best fit, or why there is none."""
        stop = next((stop for stop in driver.schedule.stops if stop.arm_id == arm.arm_id), None)
        fits = [entry for entry in driver.entries.get(arm.arm_id, {}).values() if entry.dev]
        metric = self.runner.metrics[0].id
        if arm.arm_id in driver.failures and not fits:
            return results.missing_arm(arm, "failed", driver.failures[arm.arm_id])
        if arm.arm_id in driver.slow:
            return results.missing_arm(arm, "skipped", words.too_slow(driver.slow[arm.arm_id]))
        if not fits:
            return results.missing_arm(arm, "skipped", words.no_time())
        entry = best_fit(fits, metric, self.runner.task.margin)
        if mean_of(entry.dev, metric) is None:
            return results.missing_arm(arm, "failed", words.nothing_scored(entry.dev))
        if stop is not None and stop.reason == "failed":
            why = driver.failures.get(arm.arm_id) or words.mostly_unscored(entry.dev)
            return results.missing_arm(arm, "failed", why)
        cut = stop is not None and stop.reason == "budget" and len(entry.dev) < len(self.runner.dev)
        if cut and not arm.strategy.grows:  # one that grows is told as far as it came: the verdict minds its size
            seconds = entry.seconds_per_row * (len(self.runner.dev) - len(entry.dev)) + self._reserve.final_seconds(
                entry
            )
            return results.missing_arm(arm, "skipped", words.too_dear(entry.dev, metric, seconds))
        self.raced.entries[arm.arm_id] = entry
        return self._dev_result(entry)

    def _dev_result(self, entry: Entry) -> ArmResult:
        runner = self.runner
        rows = {row.id: row for row in runner.dev}
        limited = runner.task.limits.p95_ms is not None and not entry.arm.strategy.yardstick
        alone = runner.latencies(entry.arm, entry.solver) if limited else None
        return results.measured_arm(
            entry.arm,
            entry.fit,
            entry.dev,
            results.scores(entry.dev, rows, runner.metrics, runner.seed),
            results.cost(entry.fit, entry.dev, alone, self._usd_per_hour(entry.arm)),
            local=entry.arm.local and not results.searches_elsewhere(runner.task, entry.arm),
        )

    def _usd_per_hour(self, arm: Arm) -> float | None:
        """What this machine costs; not known where a service is paid as well."""
        return None if results.searches_elsewhere(self.runner.task, arm) else self.machine_usd_per_hour

    # -- test rows -------------------------------------------------------------------------------------

    def final(self, test: Sequence[Example]) -> Tested:
        """The finalists on the test rows. Called once per run."""
        stops = self.raced.race.stops if self.raced.race is not None else []
        limits, metric = self.runner.task.limits, self.runner.metrics[0].id
        stopped: dict[str, StopReason] = {stop.arm_id: stop.reason for stop in stops}
        finalists = choose_finalists(list(self.raced.results.values()), metric, limits, stopped)
        tested = Tested()
        for arm_id in finalists:
            entry = self.raced.entries[arm_id]
            outcomes = self._test(entry, test)
            self.raced.results[arm_id] = self._final_result(entry, outcomes, test)
            tested.outcomes[arm_id] = _by_row(outcomes)
            self.runner.watcher.finish(self._in_short(arm_id))
        for arm_id in finalists:
            if self._worth_repeating(arm_id, finalists):
                self._repeat(arm_id, test, tested)
        return tested

    def _test(self, entry: Entry, test: Sequence[Example]) -> list[Outcome]:
        self.runner.watcher.start(words.on_test_rows(entry.arm))
        measured = self.runner.measure(entry.arm, entry.solver, "test", test)
        self.budget.count(seconds_of([outcome for outcome in measured.outcomes if outcome.row_id in measured.saved]))
        self._show()
        return measured.outcomes

    def _worth_repeating(self, arm_id: str, finalists: Sequence[str]) -> bool:
        metric = self.runner.metrics[0].id
        found = self.raced.results[arm_id]
        others = [self.raced.results[other] for other in finalists if other != arm_id]
        best = max((arm.test[metric].value for arm in others if metric in arm.test), default=0.0)
        return found.tuned and metric in found.test and found.test[metric].value > best - FAR_BEHIND

    def _repeat(self, arm_id: str, test: Sequence[Example], tested: Tested) -> None:
        """Two further trainings of a tuned finalist with other seeds, if the budget reaches for both.

        Two trainings in all would say less than one: from two the spread is so uncertain that it doubles the interval.
        """
        entry, metric = self.raced.entries[arm_id], self.runner.metrics[0]
        expected = entry.fit.seconds + entry.seconds_per_row * len(test)
        left = self.budget.left
        if left is not None and left < (N_TRAININGS - 1) * expected:
            return
        rows = {row.id: row for row in test}
        outcomes = [self._train_again(entry, repeat, test) for repeat in range(1, N_TRAININGS)]
        scored = [results.scores(one, rows, [metric], self.runner.seed) for one in outcomes]
        if all(metric.id in scores for scores in scored):
            tested.repeats[arm_id] = [_by_row(one) for one in outcomes]
            repeats = [scores[metric.id] for scores in scored]
            self.raced.results[arm_id] = self.raced.results[arm_id].model_copy(update={"repeats": repeats})

    def _train_again(self, entry: Entry, repeat: int, test: Sequence[Example]) -> list[Outcome]:
        """The test rows answered by one more training; nothing when it broke."""
        config = entry.arm.make().settled(entry.fit.details)
        arm = self.runner.latest(replace(entry.arm, config=config).fitted_on(entry.arm.n_train, repeat))
        saved = self.runner.store.fit(arm.key) is not None
        self.runner.watcher.start(words.training_again(arm))
        try:
            solver, fit = self.runner.fit(arm, self._seconds_again(entry))
        except ArmFailed as failure:
            self.runner.watcher.finish(failure.why)
            return []
        self.budget.count(fit.seconds if saved else 0.0)
        outcomes = self._test(Entry(arm, solver, fit), test)
        score = mean_of(outcomes, self.runner.metrics[0].id)
        self.runner.watcher.finish(words.plain(f"{score:.3f}") if score is not None else words.nothing_scored(outcomes))
        return outcomes

    def _seconds_again(self, entry: Entry) -> float | None:
        """As long as the first training took where time cut it, else twice that: a busy minute is not to cut it."""
        if self.budget.seconds is None:
            return None
        first = entry.fit.seconds
        return first if entry.fit.cut_by_time else max(2 * first, first + HICCUP_S)

    def _final_result(self, entry: Entry, outcomes: list[Outcome], test: Sequence[Example]) -> ArmResult:
        runner = self.runner
        rows = {row.id: row for row in test}
        alone = runner.latencies(entry.arm, entry.solver)
        return self.raced.results[entry.arm.arm_id].model_copy(
            update={
                "finalist": True,
                "test": results.scores(outcomes, rows, runner.metrics, runner.seed),
                "test_counts": results.counts(outcomes),
                "cost": results.cost(entry.fit, [*entry.dev, *outcomes], alone, self._usd_per_hour(entry.arm)),
            }
        )

    def _in_short(self, arm_id: str) -> Text | None:
        score = self.raced.results[arm_id].test.get(self.runner.metrics[0].id)
        return words.plain(f"{score.value:.3f}") if score is not None else None


def best_fit(fits: Sequence[Entry], metric: str, margin: float) -> Entry:
    """The fit on most rows, unless one on fewer is better by more than the margin for certain: more data may hurt."""
    by_size = sorted(fits, key=lambda entry: entry.arm.n_train or math.inf, reverse=True)
    for place, entry in enumerate(by_size):
        if not any(_hurt(entry, smaller, metric, margin) for smaller in by_size[place + 1 :]):
            return entry
    return by_size[-1]


def _hurt(entry: Entry, smaller: Entry, metric: str, margin: float) -> bool:
    """Whether ``entry`` is behind on the rows that both scored, by two standard errors and the margin."""
    n = min(len(entry.dev), len(smaller.dev))
    lead = scores_of(smaller.dev[:n], metric) - scores_of(entry.dev[:n], metric)
    lead = lead[np.isfinite(lead)]
    if lead.size < MIN_PAIRS:
        return False
    return float(lead.mean() - 2 * lead.std(ddof=1) / math.sqrt(lead.size)) > margin


def _by_row(outcomes: Sequence[Outcome]) -> dict[str, Outcome]:
    return {outcome.row_id: outcome for outcome in outcomes}

"""The two stages of a run: the race on the dev rows, then the finalists on the test rows, once."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tuneworth.core.outcome import Outcome, Stage
from tuneworth.core.race import Race, StopReason
from tuneworth.core.run import ArmResult
from tuneworth.core.task import Example
from tuneworth.core.text import Text
from tuneworth.costs.spend import Spend, spent_on
from tuneworth.data.sections import Repeats
from tuneworth.metrics import Metric
from tuneworth.race import results
from tuneworth.race.again import AskingAgain, with_mean_scores
from tuneworth.race.arms import Arm, Plan, chance_of, kind_of, stays_here
from tuneworth.race.budget import Budget, Reserve
from tuneworth.race.driver import Driver, entrant_of, nothing_scored
from tuneworth.race.estimate import Estimator
from tuneworth.race.money import MoneyReserve, priced
from tuneworth.race.runner import BATCH_ROWS, LATENCY_ROWS, LIMITED_ROWS, ArmFailed, Entry, Measured, Runner, mean_of
from tuneworth.race.schedule import Schedule
from tuneworth.race.together import ask_together
from tuneworth.stats.family import MIN_PAIRS
from tuneworth.words import numbers
from tuneworth.words.numbers import plain
from tuneworth.words.say import say

N_TRAININGS = 3
"""Trainings of a tuned finalist, with different seeds, when the budget allows."""

FAR_BEHIND = 0.1
"""A tuned arm that is behind by so much is not trained again: seeds do not differ by this."""
SLOWER, OVER, FEW_ROWS = 3.0, 0.1, 8
"""A round of test rows would end within the budget and a tenth of it if the machine became so many times slower; and it has a multiple
of so many rows."""
NEARLY = 0.95
"""Of the money that is left for test rows a round may take so much by what rows cost so far: the next takes the rest."""
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
        outcomes: arm id → row id → outcome; of a row that was asked several times the first, with the mean scores of all.
        repeats: arm id → the same for its further trainings.
        yardsticks: of the yardsticks that are no finalists, what their answers to the same test rows are worth.
    """

    outcomes: dict[str, dict[str, Outcome]] = field(default_factory=dict[str, dict[str, Outcome]])
    repeats: dict[str, list[dict[str, Outcome]]] = field(default_factory=dict[str, list[dict[str, Outcome]]])
    yardsticks: dict[str, dict[str, Outcome]] = field(default_factory=dict[str, dict[str, Outcome]])


@dataclass
class Stages:
    """Runs the stages of one run under one budget."""

    runner: Runner
    budget: Budget
    n_test: int
    machine_usd_per_hour: float | None
    estimator: Estimator
    exhaustive: bool = False
    repeats: Repeats = Repeats()
    raced: Raced = field(default_factory=Raced)
    _timed_until: dict[str, float] = field(default_factory=dict[str, float])
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
            chance=chance_of(runner.task, runner.train, runner.metrics[0]),
            costs=priced(self.estimator, self.budget),
            exhaustive=self.exhaustive,
            seed=runner.seed,
            unit_scores=not runner.metrics[0].corpus,
            n_train=n_train,
            groups=[row.group for row in runner.dev],
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
        return Reserve(self.budget, self.estimator, self.n_test, self.runner.metrics[0].id, self._n_alone)

    @property
    def _money(self) -> MoneyReserve:
        return MoneyReserve(self._reserve, self.runner.ledger)

    @property
    def _n_alone(self) -> int:
        """Rows that a finalist is asked one at a time."""
        return LATENCY_ROWS if self.runner.task.limits.p95_ms is None else LIMITED_ROWS

    def _alone(self, entry: Entry, n_rows: int = LATENCY_ROWS, test: Sequence[Example] = ()) -> list[float]:
        """Their times, within the budget; what an earlier start spent on them is counted."""
        key, budget, ledger = entry.arm.key, self.budget, self.runner.ledger
        if key not in self._timed_until:
            before = math.fsum(ms or 0.0 for ms in self.runner.store.latencies(key).values()) / 1000
            budget.count(Spend(before, usd=ledger.by_scope[f"alone {key}"].usd))
        until = self._timed_until.setdefault(key, budget.spent.seconds + self._reserve.most_alone)
        return self.runner.latencies(
            entry,
            n_rows,
            more=test,
            goes_on=lambda: budget.left != 0 and budget.spent.seconds < until and self._money.may_ask_alone(key),
            charge=budget.charge,
        )

    def _result(self, arm: Arm, driver: Driver) -> ArmResult:
        """What is told of ``arm``: its best fit, or why there is none."""
        stop = next((stop for stop in driver.schedule.stops if stop.arm_id == arm.arm_id), None)
        fits = [entry for entry in driver.entries.get(arm.arm_id, {}).values() if entry.dev]
        metric, n_dev = self.runner.metrics[0].id, len(self.runner.dev)
        if arm.arm_id in driver.failures and not fits:
            return results.missing_arm(arm, "failed", driver.failures[arm.arm_id])
        if not fits and (why := driver.unanswered.get(kind_of(arm))) is not None:
            return results.missing_arm(arm, "failed", why)
        if arm.arm_id in driver.dear:
            why = say("run.too_dear", usd=numbers.usd(driver.dear[arm.arm_id]))
            return results.missing_arm(arm, "skipped", why)
        if arm.arm_id in driver.slow:
            why = say("run.too_slow", minutes=_minutes(driver.slow[arm.arm_id]))
            return results.missing_arm(arm, "skipped", why)
        unasked = say("run.no_money") if arm.arm_id in driver.unpaid else say("run.no_time")
        if not fits:
            return results.missing_arm(arm, "skipped", unasked)
        entry = results.best_fit(fits, metric, self.runner.task.margin, [row.group for row in self.runner.dev])
        score = mean_of(entry.dev, metric)
        if score is None:
            return results.missing_arm(arm, "failed", nothing_scored(entry.dev))
        if stop is not None and stop.reason == "failed":
            return results.missing_arm(arm, "failed", driver.failures.get(arm.arm_id) or _mostly_unscored(entry.dev))
        if len(entry.dev) < min(n_dev, MIN_PAIRS):
            if 2 * sum(outcome.status != "scored" for outcome in entry.dev) > len(entry.dev):
                return results.missing_arm(arm, "failed", _mostly_unscored(entry.dev))
            return results.missing_arm(arm, "skipped", unasked)
        self.raced.entries[arm.arm_id] = entry
        return self._dev_result(entry)

    def _dev_result(self, entry: Entry) -> ArmResult:
        runner = self.runner
        rows = {row.id: row for row in runner.dev}
        limited = runner.task.limits.p95_ms is not None and not entry.arm.strategy.yardstick
        alone = self._alone(entry) if limited else None
        return results.measured_arm(
            entry,
            results.scores(entry.dev, rows, runner.metrics, runner.seed),
            results.cost(entry.fit, entry.dev, alone, self.machine_usd_per_hour, entry.arm),
            local=stays_here(entry.arm, runner.task),
        )

    # -- test rows -------------------------------------------------------------------------------------

    def final(self, test: Sequence[Example]) -> Tested:
        """The finalists on the test rows, or on as many of the first as the time allows. Called once per run.

        Args:
            test: in random order.
        """
        race, raced = self.raced.race, self.raced
        limits, metric, arms = self.runner.task.limits, self.runner.metrics[0].id, list(self.raced.results.values())
        stopped: dict[str, StopReason] = {stop.arm_id: stop.reason for stop in (race.stops if race is not None else [])}
        finalists = results.choose_finalists(
            arms,
            metric,
            limits,
            stopped,
            entries=raced.entries,
            margin=self.runner.task.margin,
            too_slow=[
                arm_id
                for arm_id, entry in raced.entries.items()
                if self._reserve.is_too_slow(entry) or self._money.takes_too_much(entry)
            ],
        )
        entries = [raced.entries[arm_id] for arm_id in finalists]
        asked: dict[str, list[Outcome]] = {arm_id: [] for arm_id in finalists}
        reserve = self._reserve
        self._money.keep_for_alone(entries)
        self._ask(entries, test, asked, kept=sum(reserve.alone_seconds(reserve.pace(entry)) for entry in entries))
        self._money.keep_nothing()
        for entry in entries:
            self._alone(entry, self._n_alone, test)
        self._ask(entries, test, asked, kept=0.0)  # what these left
        met = [{outcome.row_id for outcome in outcomes} for outcomes in asked.values()]
        test, tested = [row for row in test if met and all(row.id in by_arm for by_arm in met)], Tested()
        n_tested, common = len(test), {row.id for row in test}
        asked = {arm_id: [one for one in outcomes if one.row_id in common] for arm_id, outcomes in asked.items()}
        if race is not None:
            missed = results.untested(arms, finalists, raced.entries, metric)
            raced.race = race.model_copy(update={"n_test": self.n_test, "n_tested": n_tested, "untested": missed})
        for arm_id in finalists:
            raced.results[arm_id] = self._final_result(raced.entries[arm_id], asked[arm_id], test)
            tested.outcomes[arm_id] = _by_row(asked[arm_id])
        for arm_id in finalists:
            found = raced.results[arm_id]
            others = [raced.results[other].test for other in finalists if other != arm_id]
            best = max((scores[metric].value for scores in others if metric in scores), default=0.0)
            close = metric in found.test and found.test[metric].value > best - FAR_BEHIND
            if found.tuned and close and n_tested == self.n_test:  # more test rows would say more than more trainings
                self._repeat(arm_id, test, tested)
        if test and finalists:
            self._hold_against_yardsticks(test, tested)
        self._ask_again(test, tested, entries)
        return tested

    def _ask_again(self, test: Sequence[Example], tested: Tested, entries: Sequence[Entry]) -> None:
        """Finalists that may answer differently each time get rows again: with what is left, test rows before dev rows."""
        again, metrics = AskingAgain(self.runner, self.budget, self.repeats), self.runner.metrics
        stages: tuple[tuple[Stage, Sequence[Example]], ...] = (("test", test), ("dev", self.runner.dev))
        for stage, rows in stages:
            first = {
                entry.arm.arm_id: entry.dev if stage == "dev" else list(tested.outcomes[entry.arm.arm_id].values())
                for entry in entries
            }
            for arm_id, further in again.ask(stage, rows, entries, first).items():
                found, told = self.raced.results[arm_id], again.told(rows, first[arm_id], further)
                changes: dict[str, Any] = {} if told is None else {"again": {**found.again, stage: told}}
                if stage == "test":
                    averaged = with_mean_scores(first[arm_id], further)
                    tested.outcomes[arm_id] = _by_row(averaged)
                    changes["test"] = results.scores(averaged, {row.id: row for row in rows}, metrics, self.runner.seed)
                self.raced.results[arm_id] = found.model_copy(update=changes)

    def _hold_against_yardsticks(self, test: Sequence[Example], tested: Tested) -> None:
        """What the yardsticks make of the rows that the finalists were asked: without a model that takes next to nothing."""
        for arm_id, entry in self.raced.entries.items():
            strategy = entry.arm.strategy
            if strategy.yardstick and not strategy.needs_model and not strategy.reads_documents:
                outcomes = self._test(entry, test).outcomes
                found = self._final_result(entry, outcomes, test, timed=strategy.fallback)
                self.raced.results[arm_id] = found.model_copy(update={"finalist": False})
                tested.yardsticks[arm_id] = _by_row(outcomes)
                score = mean_of(outcomes, self.runner.metrics[0].id)
                self.runner.watcher.finish(plain(f"{score:.3f}") if score is not None else None)

    def _ask(
        self, entries: Sequence[Entry], test: Sequence[Example], asked: dict[str, list[Outcome]], *, kept: float
    ) -> None:
        """Add to ``asked`` outcomes of the next test rows, as many for each finalist: all, or what the time allows.

        In rounds, each for all finalists and as large as is safe, until the time or the money is used up: so how many there are is
        settled by these alone, also when the machine slows down meanwhile. The first round is done whatever time it takes,
        and what an earlier start has paid for is taken. Where calls cost more than expected some finalists are asked
        a few rows more than the others.

        Args:
            kept: seconds of the budget that are needed for something else.
        """
        done, n_test, money = min(map(len, asked.values()), default=len(test)), len(test), self._money
        stopped = not all(len(outcomes) == done for outcomes in asked.values())
        while done < n_test and not stopped:
            a_row = (
                sum(spent_on(rows[-BATCH_ROWS:]).seconds / len(rows[-BATCH_ROWS:]) for rows in asked.values())
                if done
                else 0.0
            )
            a_row = a_row or sum(map(self._reserve.pace, entries)) or 1e-9
            spare = math.inf if self.budget.left is None else self.budget.left - kept
            safe = min(spare, (spare + OVER * (self.budget.seconds or math.inf)) / SLOWER)
            n_rows, n_paid = n_test - done, money.rows_within(entries, lambda entry: asked[entry.arm.arm_id])
            self.runner.ledger.reached = self.runner.ledger.reached or n_paid < n_rows
            if a_row * n_rows > safe:
                n_rows = BATCH_ROWS if not done else int(safe / a_row) // FEW_ROWS * FEW_ROWS
            rows = test[done : done + max(n_rows, FEW_ROWS)]
            have = min(self.runner.n_leading(entry, "test", rows) for entry in entries)
            if n_rows < FEW_ROWS and done and have < len(rows):
                break
            rows = rows[: have + min(n_test, max(math.floor(min(n_paid, 1)), math.floor(min(NEARLY * n_paid, n_test))))]
            if not rows:
                break
            ask_together(self.runner, "test", [(entry, rows) for entry in entries])
            for entry in entries:
                measured = self._test(entry, rows)
                asked[entry.arm.arm_id] += measured.outcomes
                score = mean_of(asked[entry.arm.arm_id], self.runner.metrics[0].id)
                self.runner.watcher.finish(plain(f"{score:.3f}") if score is not None else None)
                stopped = stopped or measured.stopped
            done += len(rows)

    def _test(self, entry: Entry, rows: Sequence[Example]) -> Measured:
        name, number = entry.arm.title, entry.arm.repeat + 1
        self.runner.watcher.start(
            say("run.test_rows", name=name) if number == 1 else say("run.test_rows_again", name=name, number=number)
        )
        measured = self.runner.measure(entry, "test", rows)
        self.budget.count(measured.spent(before=True))
        self.budget.charge(measured.spent(before=False))
        self._show()
        return measured

    def _final_result(
        self, entry: Entry, outcomes: list[Outcome], test: Sequence[Example], *, timed: bool = True
    ) -> ArmResult:
        runner = self.runner
        rows = {row.id: row for row in test}
        alone = self._alone(entry, self._n_alone, test) if timed else None
        return self.raced.results[entry.arm.arm_id].model_copy(
            update={
                "finalist": True,
                "test": results.scores(outcomes, rows, runner.metrics, runner.seed),
                "test_counts": results.counts(outcomes),
                "cost": results.cost(entry.fit, [*entry.dev, *outcomes], alone, self.machine_usd_per_hour, entry.arm),
            }
        )

    def _repeat(self, arm_id: str, test: Sequence[Example], tested: Tested) -> None:
        """Two further trainings of a tuned finalist with other seeds, if the budget reaches for both.

        Two trainings in all would say less than one: from two the spread is so uncertain that it doubles the interval.
        """
        entry, metric = self.raced.entries[arm_id], self.runner.metrics[0]
        pace = spent_on(list(tested.outcomes[arm_id].values())).times(1 / len(test))
        expected = (entry.fit.spend + pace.times(len(test))).times(N_TRAININGS - 1)
        if not self.budget.reaches(expected):
            return
        rows, outcomes = {row.id: row for row in test}, list[list[Outcome]]()
        for repeat in range(1, N_TRAININGS):
            left = self.budget.left
            room = None if left is None else left / (N_TRAININGS - repeat) - pace.seconds * len(test)
            outcomes.append(self._train_again(entry, repeat, test, room))
            if not outcomes[-1]:
                return
        scored = [results.scores(one, rows, [metric], self.runner.seed) for one in outcomes]
        if all(metric.id in scores for scores in scored):
            tested.repeats[arm_id] = [_by_row(one) for one in outcomes]
            repeats = [scores[metric.id] for scores in scored]
            self.raced.results[arm_id] = self.raced.results[arm_id].model_copy(update={"repeats": repeats})

    def _train_again(self, entry: Entry, repeat: int, test: Sequence[Example], room: float | None) -> list[Outcome]:
        """The test rows answered by one more training; nothing when it broke, or when time cut it and not the first.

        It may take as long as the first training where time cut that, else twice as long: a busy minute is not to cut it. But
        no longer than the ``room`` that there is.
        """
        first, seconds, watcher = entry.fit, None, self.runner.watcher
        if self.budget.seconds is not None:
            seconds = first.seconds if first.cut_by_time else max(2 * first.seconds, first.seconds + HICCUP_S)
            seconds = seconds if room is None else min(seconds, max(room, 0.0))
        config = entry.arm.make().settled(first.details)
        arm = self.runner.latest(replace(entry.arm, config=config).fitted_on(entry.arm.n_train, repeat))
        watcher.start(say("run.training_again", name=arm.title, number=repeat + 1))
        try:
            again = self.runner.fit(arm, seconds)
        except ArmFailed as failure:
            watcher.finish(failure.why)
            return []
        (self.budget.count if again.fit_was_saved else self.budget.charge)(again.fit.spend)
        slower = max(1.0, again.fit.seconds / first.seconds if first.seconds else 1.0)
        late = self.budget.left is not None and slower * self._reserve.pace(entry) * len(test) > self.budget.left
        if (again.fit.cut_by_time and not first.cut_by_time) or (late and not again.fit_was_saved):
            watcher.finish()
            return []
        outcomes = self._test(again, test).outcomes
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

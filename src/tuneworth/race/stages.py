"""The two stages of a run: every arm on the dev rows, then the finalists on the test rows, once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tuneworth.core.outcome import Outcome
from tuneworth.core.run import ArmResult
from tuneworth.core.task import Example
from tuneworth.core.text import Text
from tuneworth.race import results
from tuneworth.race.arms import Arm, Plan
from tuneworth.race.budget import UNTUNED_SHARE, Budget
from tuneworth.race.finalists import choose_finalists
from tuneworth.race.runner import LATENCY_ROWS, ArmFailed, Runner
from tuneworth.race.store import FitRecord
from tuneworth.strategies.base import Solver

MIN_TRAIN_SECONDS = 30.0
"""Less time than this is not worth starting a training for."""

RESERVE_SHARE = 0.1
"""Part of the budget that training may never use: the finalists must still meet the test rows."""

FINAL_SHARE = 0.25
"""Part of the budget that one untuned arm may take as a finalist. A slower one could only be looked at by
taking the time from the training that it is to be compared with; the first arm of a model is exempt."""

ALONE_SLOWDOWN = 5
"""A row asked alone takes 2 to 10 times its share of a batch (docs/benchmarks.md, tasks); the latencies of the
finalists are measured so."""


@dataclass
class Entry:
    """An arm that answered the dev rows, ready to be asked again."""

    arm: Arm
    solver: Solver
    fit: FitRecord
    dev: list[Outcome]


@dataclass
class Raced:
    """What the dev stage gave: a result per arm, and the solvers of those measured."""

    results: dict[str, ArmResult] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)


@dataclass
class Stages:
    """Runs the stages of one run under one budget."""

    runner: Runner
    budget: Budget
    n_test: int
    machine_usd_per_hour: float | None
    raced: Raced = field(default_factory=Raced)

    def race(self, plan: Plan) -> Raced:
        """Every arm of the plan on the dev rows, in order, as far as the budget reaches."""
        for skipped in plan.skipped:
            self.raced.results[skipped.arm_id] = results.missing_arm(skipped, "skipped", skipped.why)
        for position, arm in enumerate(plan.arms):
            self.runner.watcher.start(arm.make().describe())
            result = self._dev(arm, plan.arms[position:])
            self.raced.results[arm.arm_id] = result
            self.runner.watcher.finish(self._in_short(result))
        return self.raced

    def final(self, test: Sequence[Example]) -> dict[str, dict[str, Outcome]]:
        """The finalists on the test rows: arm id → row id → outcome. Called once per run."""
        runner, limits = self.runner, self.runner.task.limits
        primary = runner.metrics[0].id
        finalists = choose_finalists(list(self.raced.results.values()), primary, limits)
        outcomes: dict[str, dict[str, Outcome]] = {}
        for arm_id in finalists:
            entry = self.raced.entries[arm_id]
            title = entry.arm.make().describe()
            runner.watcher.start(Text(en=f"test rows: {title.en}", zh=f"测试集：{title.zh}"))
            measured = runner.measure(entry.arm, entry.solver, "test", test)
            self.raced.results[arm_id] = self._final_result(entry, measured.outcomes, test)
            outcomes[arm_id] = {outcome.row_id: outcome for outcome in measured.outcomes}
            runner.watcher.finish(self._in_short(self.raced.results[arm_id]))
        return outcomes

    def _dev(self, arm: Arm, waiting: Sequence[Arm]) -> ArmResult:
        seconds = self._seconds_for(arm, waiting)
        if (
            seconds is not None
            and seconds < (MIN_TRAIN_SECONDS if arm.strategy.tuned else 1e-9)
            and not self._paid(arm)
        ):
            return results.missing_arm(arm, "skipped", _no_time())
        try:
            solver, fit = self.runner.fit(arm, seconds if arm.strategy.tuned else None)
        except ArmFailed as failure:
            return results.missing_arm(arm, "failed", failure.why)
        limit = None if arm.strategy.tuned else self._seconds_for(arm, waiting)
        measured = self.runner.measure(arm, solver, "dev", self.runner.dev, limit)
        if not measured.complete:
            return results.missing_arm(arm, "skipped", _too_slow(len(measured.outcomes), len(self.runner.dev)))
        if not any(outcome.status == "scored" for outcome in measured.outcomes):
            return results.missing_arm(arm, "failed", _nothing_scored(measured.outcomes))
        entry = Entry(arm, solver, fit, measured.outcomes)
        result = self._dev_result(entry)
        if self._final_is_too_dear(arm, result):
            return results.missing_arm(
                arm, "skipped", _dear(result, self.runner.metrics[0].id, self._final_seconds(result))
            )
        self.raced.entries[arm.arm_id] = entry
        return result

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
            results.cost(entry.fit, entry.dev, alone, self.machine_usd_per_hour),
        )

    def _final_result(self, entry: Entry, outcomes: list[Outcome], test: Sequence[Example]) -> ArmResult:
        runner = self.runner
        rows = {row.id: row for row in test}
        alone = runner.latencies(entry.arm, entry.solver)
        return self.raced.results[entry.arm.arm_id].model_copy(
            update={
                "finalist": True,
                "test": results.scores(outcomes, rows, runner.metrics, runner.seed),
                "test_counts": results.counts(outcomes),
                "cost": results.cost(entry.fit, [*entry.dev, *outcomes], alone, self.machine_usd_per_hour),
            }
        )

    def _seconds_for(self, arm: Arm, waiting: Sequence[Arm]) -> float | None:
        """Seconds this arm may use, ``None`` for no limit."""
        tuned_waiting = sum(other.strategy.tuned for other in waiting)
        if arm.strategy.tuned:
            return self.budget.left_after(self._reserve(), tuned_waiting)
        if arm.strategy.yardstick or not self._has_rival(arm):
            return None
        if tuned_waiting:
            return self.budget.left_of_share(UNTUNED_SHARE, self._reserve())
        return self.budget.left_after(self._reserve())

    def _final_seconds(self, result: ArmResult) -> float:
        """Seconds that ``result``'s arm would need as a finalist: the test rows, and some rows asked alone."""
        return _pace(result) * (self.n_test + ALONE_SLOWDOWN * (LATENCY_ROWS + 1))

    def _final_is_too_dear(self, arm: Arm, result: ArmResult) -> bool:
        """Whether the arm could not be a finalist without eating up the budget of the others."""
        exempt = arm.strategy.tuned or arm.strategy.yardstick or not self._has_rival(arm)
        return not exempt and self._final_seconds(result) > FINAL_SHARE * (self.budget.seconds or float("inf"))

    def _has_rival(self, arm: Arm) -> bool:
        # The first arm of each model is always measured: without it there is nothing to compare with.
        return any(
            entry.arm.model_id == arm.model_id and not entry.arm.strategy.yardstick
            for entry in self.raced.entries.values()
        )

    def _reserve(self) -> float:
        """Seconds that the tuned arm's dev rows and the finalists' test rows will still need, those asked alone too.

        The finalists are those of now; a tuned arm is taken to answer at the pace of the quickest arm
        with a model, which has as little to read.
        """
        found = [result for result in self.raced.results.values() if result.state == "measured"]
        finalists = choose_finalists(found, self.runner.metrics[0].id, self.runner.task.limits)
        answering = sum(self._final_seconds(result) for result in found if result.arm_id in finalists)
        quickest = min((result for result in found if result.model is not None), key=_pace, default=None)
        tuned = 0.0 if quickest is None else _pace(quickest) * len(self.runner.dev) + self._final_seconds(quickest)
        expected = answering + tuned
        return max(expected, RESERVE_SHARE * (self.budget.seconds or 0.0))

    def _paid(self, arm: Arm) -> bool:
        return self.runner.store.fit(arm.key) is not None

    def _in_short(self, result: ArmResult) -> Text | None:
        if result.state != "measured":
            return result.why
        found = result.test or result.dev
        score = found.get(self.runner.metrics[0].id)
        return Text(en=f"{score.value:.3f}", zh=f"{score.value:.3f}") if score is not None else None


def _pace(result: ArmResult) -> float:
    """Seconds per row, in batches."""
    return (result.cost.seconds_per_1k_rows or 0.0) / 1000


def _no_time() -> Text:
    return Text(
        en="the time budget was spent before this arm's turn; a larger --budget measures it",
        zh="还没轮到它，时间预算就用完了；加大 --budget 即可测量",
    )


def _too_slow(done: int, total: int) -> Text:
    return Text(
        en=f"stopped after {done} of {total} dev rows: at its pace it would not fit the time budget; a larger --budget measures it",
        zh=f"开发集共 {total} 条，测完 {done} 条后停止：按这个速度会超出时间预算；加大 --budget 即可测完",
    )


def _dear(result: ArmResult, metric: str, seconds: float) -> Text:
    score, minutes = result.dev[metric].value, max(1, round(seconds / 60))
    return Text(
        en=f"scored {score:.3f} on the dev rows, but as a finalist it would take about {minutes} min, too much of the time "
        "budget; a larger --budget measures it",
        zh=f"开发集得分 {score:.3f}，但若入围还要约 {minutes} 分钟，占用过多时间预算；加大 --budget 即可测完",
    )


def _nothing_scored(outcomes: Sequence[Outcome]) -> Text:
    error = next((outcome.error for outcome in outcomes if outcome.error), "")
    return Text(en=f"no dev row could be scored: {error}", zh=f"开发集中没有一条能计分：{error}")

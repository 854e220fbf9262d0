"""Drives the race on the dev rows: does what the schedule says, and writes down what came of it.

The schedule decides from scores and expected costs alone; here are models, the store, the clock and the people
who watch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tuneworth.core.outcome import Outcome
from tuneworth.core.race import Step
from tuneworth.core.text import Text
from tuneworth.costs.spend import Spend, spent_on
from tuneworth.errors import MoneySpent
from tuneworth.race.arms import Arm, kind_of, training_sizes
from tuneworth.race.budget import Reserve
from tuneworth.race.estimate import LOOKS, Estimator
from tuneworth.race.keys import digest
from tuneworth.race.money import MoneyReserve
from tuneworth.race.runner import ArmFailed, Entry, Measured, Runner, mean_of, scores_of
from tuneworth.race.schedule import Entrant, Place, Schedule, Work
from tuneworth.race.schedule.purse import UNTUNED_SHARE
from tuneworth.race.together import ask_together
from tuneworth.race.watch import Lane, LaneState, RaceView
from tuneworth.strategies import Tried
from tuneworth.words.numbers import plain
from tuneworth.words.say import say, table

TRIED_ROWS, FEWEST_ROWS = 8, 2
"""Answers that a kind of arm is tried with, and where the first of them show that so many would take ``TRYING_SHARE`` of the budget."""
PLENTY = 2.0
"""Arms are asked in one batch where the caps leave so many times what that is expected to take."""
TRYING_SHARE, MOST_TRYING = 0.03, 0.12
"""Parts of the budget: for one kind, and for all."""


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
        unanswered: kind of arms → why the first rows that one of them was tried with had no answer, as long as no row has.
        slow: arm id → seconds that it was expected to take as a finalist, of an arm that was not asked because of that;
            ``dear``: US dollars that its first rows were expected to cost, of one that these are too much for.
        unpaid: arms that the money did not reach for.
        steps: what was done, in order.
    """

    runner: Runner
    arms: dict[str, Arm]
    schedule: Schedule
    estimator: Estimator
    reserve: Reserve
    entries: dict[str, dict[int | None, Entry]] = field(default_factory=dict)
    failures: dict[str, Text] = field(default_factory=dict)
    unanswered: dict[str, Text] = field(default_factory=dict)
    slow: dict[str, float] = field(default_factory=dict)
    dear: dict[str, float] = field(default_factory=dict)
    unpaid: set[str] = field(default_factory=set)
    steps: list[Step] = field(default_factory=list)
    _tried: dict[str, int] = field(default_factory=dict)
    _over: bool = False

    def __post_init__(self) -> None:
        self.money = MoneyReserve(self.reserve, self.runner.ledger)
        self._began = self.reserve.budget.spent.seconds

    def run(self) -> None:
        """Try what there is to try, then until the schedule has nothing left to do."""
        self.money.keep(self._in_race(), [])
        self._try_kinds()
        while (work := self.schedule.next(self.seconds_left())) is not None:
            self.money.keep(self._in_race(), self.fits())
            if not any(entry.dev for entry in self.entries.get(work.arm_id, {}).values()):
                seconds = self.reserve.expected_too_slow(self.arms[work.arm_id], self.fits())
                usd = self.money.beyond_reach(self.arms[work.arm_id], self.fits())
                if seconds is not None or usd is not None:
                    (self.slow if seconds is not None else self.dear)[work.arm_id] = seconds or usd or 0.0
                    self.runner.ledger.reached = self.runner.ledger.reached or usd is not None
                    self.schedule.stop(work.arm_id, "budget")
                    continue
                if self.money.lacks_calls(self.arms[work.arm_id], self.fits()):
                    self.runner.ledger.reached = True
                    self.unpaid.add(work.arm_id)
                    self.schedule.stop(work.arm_id, "budget")
                    continue
            self.show(work)
            self._do(work)
            self.show()
        self._over = True
        self.show()

    def _try_kinds(self) -> None:
        """A little of everything before anything is ruled out: two training steps and a few answers of each kind of arm.

        Trainings first, as most hangs on them. Where that alone would eat up the budget, as with a large model, fewer
        answers are asked, and the kinds that come last go without.
        """
        budget, runner = self.reserve.budget, self.runner
        for arm in sorted(
            (self.arms[name] for name in self.estimator.to_try()), key=lambda arm: not arm.strategy.tuned
        ):
            used = 0.0 if budget.seconds is None else budget.spent.seconds - self._began
            if budget.seconds is None or used > MOST_TRYING * budget.seconds:
                break
            runner.watcher.start(say("budget.trying", name=arm.title))
            tried, seconds_before = runner.try_out(arm)
            budget.count(Spend(seconds_before))
            if tried is not None:
                self.estimator.observe_try(
                    arm.arm_id, row_seconds=tried.row_seconds, answer_seconds=tried.answer_seconds
                )
                self._lighten(arm, tried)
            elif not arm.strategy.tuned:
                self._ask_a_few(arm, TRYING_SHARE * budget.seconds)
            runner.watcher.finish()

    def _lighten(self, arm: Arm, tried: Tried) -> None:
        """Take the arm's lighter training where the time does not reach for every row once: cut before that it would decide nothing.

        What was chosen is kept for a later start.
        """
        config, store, name = arm.make().lighter(), self.runner.store, f"lighter {arm.key}"
        once, left = LOOKS * tried.row_seconds * len(self.runner.train), self.seconds_left()
        fits = left is None or once <= (1 - UNTUNED_SHARE) * left
        if config is None or (store.fact(name) is None and fits):
            return
        lighter = replace(arm, config=config, key=digest([arm.key, "lighter"]))
        budget = self.reserve.budget
        long = budget.seconds is not None and budget.spent.seconds - self._began > MOST_TRYING * budget.seconds
        found, seconds_before = (
            (tried, 0.0) if long else self.runner.try_out(lighter)
        )  # where trying is dear, as if no quicker
        budget.count(Spend(seconds_before))
        if found is not None and (long or found.row_seconds < tried.row_seconds):
            store.add_fact(name, "")
            self.arms[arm.arm_id] = lighter
            self.estimator.observe_try(arm.arm_id, row_seconds=found.row_seconds, answer_seconds=found.answer_seconds)

    def _ask_a_few(self, arm: Arm, most_seconds: float) -> None:
        """Fit an arm that is not trained, and ask it the first dev rows, a few more where the first two promise to end in time.

        They stay answered, and paid for.
        """
        if not self.money.may_try(arm, FEWEST_ROWS, TRYING_SHARE):
            return
        try:
            entry = self.runner.fit(self.runner.latest(arm))
        except MoneySpent:
            return
        except ArmFailed as failure:
            self.failures[arm.arm_id] = failure.why
            self.schedule.stop(arm.arm_id, "failed")
            return
        measured, budget = self.runner.measure(entry, "dev", self.runner.dev[:FEWEST_ROWS]), self.reserve.budget
        spent = spent_on(measured.outcomes).times(TRIED_ROWS / FEWEST_ROWS)
        most_usd = None if budget.usd is None else TRYING_SHARE * budget.usd
        goes_on = not measured.stopped and self.money.may_try(arm, TRIED_ROWS, TRYING_SHARE)
        if goes_on and replace(spent, usd=spent.usd or 0.0).within(most_seconds, most_usd):
            few, measured = measured, self.runner.measure(entry, "dev", self.runner.dev[:TRIED_ROWS])
            saved = measured.saved - {one.row_id for one in few.outcomes} | few.saved
            measured = Measured(measured.outcomes, saved, measured.stopped)
        (budget.count if entry.fit_was_saved else budget.charge)(entry.fit.paid)
        budget.count(measured.spent(before=True))
        budget.charge(measured.spent(before=False))
        self.entries[arm.arm_id], self._tried[arm.arm_id] = {None: entry}, len(measured.leading(self.runner.dev))
        if not measured.outcomes:
            return
        if mean_of(measured.outcomes, self.runner.metrics[0].id) is None:
            self.unanswered[kind_of(arm)] = nothing_scored(measured.outcomes)
        seconds = spent_on(measured.outcomes).seconds / len(measured.outcomes)
        self.estimator.observe_try(arm.arm_id, row_seconds=None, answer_seconds=seconds)

    def seconds_left(self) -> float | None:
        """Of the budget, less what the finalists will need; arms that were stopped will be none."""
        out = {stop.arm_id for stop in self.schedule.stops}
        return self.reserve.seconds_left(
            self._in_race(), [entry for entry in self.fits() if entry.arm.arm_id not in out]
        )

    def _in_race(self) -> list[Arm]:
        out = {stop.arm_id for stop in self.schedule.stops}
        return [arm for arm in self.arms.values() if arm.arm_id not in out]

    def fits(self) -> list[Entry]:
        """All fits, in the order in which their arms were first looked at."""
        return [entry for by_size in self.entries.values() for entry in by_size.values()]

    def _do(self, work: Work) -> None:
        runner, metric, arm = self.runner, self.runner.metrics[0].id, self.arms[work.arm_id].fitted_on(work.n_train)
        name = arm.title
        runner.watcher.start(name if work.n_train is None else say("run.doing", name=name, n_rows=work.n_train))
        fits = self.entries.setdefault(arm.arm_id, {})
        try:
            if arm.n_train not in fits:
                fits[arm.n_train] = runner.fit(runner.latest(arm), work.seconds)
        except MoneySpent:
            self._money_is_out(work)
            return
        except ArmFailed as failure:
            self.failures[work.arm_id] = failure.why
            self.schedule.fail(work)
            runner.watcher.finish(failure.why)
            return
        entry = fits[arm.n_train]
        if arm.is_batched:
            self._ask_peers(work)
        before = len(entry.dev)
        measured = runner.measure(entry, "dev", runner.dev[: work.n_rows])
        entry.dev = measured.leading(runner.dev)
        if len(entry.dev) > before:
            self._account(work, entry, before, measured.saved)
            self.schedule.observe(work, scores_of(entry.dev[before:], metric))
        if measured.stopped:
            self._money_is_out(work)
            return
        if self.reserve.is_too_dear(entry, self.fits()):
            self.schedule.stop(work.arm_id, "budget")
        score, n_rows = mean_of(entry.dev, metric), len(entry.dev)
        if score is not None:
            self.unanswered.pop(kind_of(arm), None)
        if score is None:
            runner.watcher.finish(nothing_scored(entry.dev))
        elif n_rows == len(runner.dev):
            runner.watcher.finish(plain(f"{score:.3f}"))
        else:
            runner.watcher.finish(say("run.came_to", score=f"{score:.3f}", n_rows=n_rows))

    def _ask_peers(self, work: Work) -> None:
        """Have the other arms in batches asked as many rows in the same batch: their turn comes in this round. Not where money
        is short: then it goes to one after the other, the most promising first."""
        runner, room = self.runner, self.runner.ledger.room()
        peers = [arm for arm in self._in_race() if arm.is_batched and not arm.strategy.grows]
        fits = [entry for arm in peers if (entry := self._fitted(arm)) is not None]
        missing = {entry.arm.arm_id: work.n_rows - len(entry.dev) for entry in fits}
        usd = math.fsum(self.estimator.answer_usd(name, max(0, n)) or 0.0 for name, n in missing.items())
        n_calls = sum(max(0, n) for n in missing.values())
        if (room.usd is None or PLENTY * usd < room.usd) and (room.calls is None or PLENTY * n_calls < room.calls):
            ask_together(runner, "dev", [(entry, runner.dev[: work.n_rows]) for entry in fits])

    def _fitted(self, arm: Arm) -> Entry | None:
        """Its fit on all rows; ``None`` where it breaks, which its own turn will tell."""
        fits = self.entries.setdefault(arm.arm_id, {})
        if None not in fits:
            try:
                fits[None] = self.runner.fit(self.runner.latest(arm))
            except (MoneySpent, ArmFailed):
                return None
        return fits[None]

    def _money_is_out(self, work: Work) -> None:
        """The arm stands on the rows that it was asked."""
        self.unpaid.add(work.arm_id)
        self.schedule.stop(work.arm_id, "budget")
        self.runner.watcher.finish(say("run.no_money"))

    def _account(self, work: Work, entry: Entry, before: int, saved: frozenset[str]) -> None:
        """Write the step down and tell the estimator and the budget what it took."""
        new, budget = Measured(entry.dev[before:], saved), self.reserve.budget
        paid = entry.fit.paid if before == 0 else Spend()
        if before == 0:
            self.estimator.observe_fit(work.arm_id, work.n_train, paid, entry.fit.details.get("epochs"))
        self.estimator.observe_answers(work.arm_id, work.n_train, len(new.outcomes), spent_on(new.outcomes))
        tried = self._tried.pop(work.arm_id, 0)  # paid for before
        unpaid = Measured(entry.dev[before + tried :], saved)
        (budget.count if entry.fit_was_saved else budget.charge)(Spend() if tried else paid)
        paid += spent_on([outcome for outcome in new.outcomes if not outcome.shared])
        budget.count(unpaid.spent(before=True))
        budget.charge(unpaid.spent(before=False))
        self.steps.append(
            Step(
                arm_id=work.arm_id,
                n_train=work.n_train,
                n_rows=len(entry.dev),
                score=mean_of(entry.dev, self.runner.metrics[0].id),
                seconds=paid.seconds,
                spent_seconds=budget.spent.seconds,
                usd=budget.priced(paid).usd,
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
        arm = self.arms[place.arm_id]
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
            title=arm.title,
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
    error = next((outcome.error for outcome in outcomes if outcome.error), "")
    return say("run.nothing_scored", n=len(outcomes), error=error)

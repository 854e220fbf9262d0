"""What a run would do, before it does anything: `tuneworth plan`.

The race is played on paper: the real schedule, with expected costs for a clock and made-up scores. It tells whom the
time reaches when costs alone decide. Scores are coins: at all training rows every arm is equally good, and arms that
learn come there by a usual rise, so that nobody is stopped for being surely worse. A real race has losers, stops them,
and is as a rule shorter. Nothing is asked of a model and nothing is trained.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tuneworth.audit._personal.mask import mask
from tuneworth.core.plan import Outlay, PlannedArm, Prospect, RunPlan
from tuneworth.core.text import Text
from tuneworth.race.arms import Arm, Plan, Skipped, kind_of, training_sizes
from tuneworth.race.budget import (
    ALONE_SHARE,
    FINAL_SHARE,
    FINALS_SHARE,
    LEAST_FINALS_SHARE,
    LEAST_TEST_ROWS,
    RESERVE_SHARE,
    final_rows,
    is_exempt,
)
from tuneworth.race.driver import entrant_of
from tuneworth.race.estimate import Estimator
from tuneworth.race.outlay import lines, n_alone, outlays
from tuneworth.race.prepare import Ready
from tuneworth.race.runner import LATENCY_ROWS
from tuneworth.race.schedule import Schedule, Work
from tuneworth.race.schedule.rules import RISE
from tuneworth.stats.family import MIN_PAIRS
from tuneworth.words import numbers
from tuneworth.words.say import say, table

OVERRUN = 0.1
"""A run may take this part of its budget longer."""
SCORE = 0.5
"""Share of rows that every arm gets right in the end."""
_AMOUNTS = tuple(
    60.0 * minutes
    for minutes in (1 / 3, 2 / 3, 1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 480, 720, 1440)
)
"""Budgets that a person would write, in seconds: what would be enough is an estimate, and named no finer."""


def preview(ready: Ready, budget_seconds: float) -> RunPlan:
    """The plan of a run of ``ready``. Trains nothing, answers no row and writes nothing."""
    task_file, data = ready.task_file, ready.prepared.summary
    plan = ready.plan()
    estimator = ready.estimator(plan)
    rehearsal = rehearse(ready, plan.arms, estimator, budget_seconds)
    paid = outlays(ready, plan, estimator, rehearsal.rows)
    price, everything = task_file.machine_usd_per_hour, estimator.spend_all()
    return RunPlan(
        task=ready.task.name,
        kind=ready.task.kind,
        metric=ready.metrics[0].id,
        margin=ready.task.margin,
        seed=task_file.seed,
        n_train=data.n_train,
        n_dev=data.n_dev,
        n_test=data.n_test,
        inferred=list(data.inferred),
        warnings=[
            # A warning may quote a row, and a row may hold personal data.
            *(Text(**{lang: mask(said) for lang, said in text.by_lang.items()}) for text in data.warnings),
            *budget_warnings(ready, plan, estimator, budget_seconds),
        ],
        exhaustive=task_file.exhaustive,
        budget_seconds=budget_seconds,
        budget_usd=task_file.budget_usd,
        machine_usd_per_hour=price,
        power=ready.power(),
        arms=[
            *(
                _planned(ready, arm, estimator, rehearsal).model_copy(update={"outlay": paid.get(arm.arm_id)})
                for arm in plan.arms
            ),
            *(_left_out(ready, skipped) for skipped in plan.skipped),
        ],
        seconds_all=everything.seconds if everything is not None else None,
        usd_all=everything.on_machine(price).usd if everything is not None else None,
        race_seconds=rehearsal.race_seconds,
        final_seconds=rehearsal.final_seconds,
        outlay_lines=_outlay_lines(ready, plan, paid),
        max_calls=task_file.max_calls,
    )


def outlay_lines(ready: Ready, plan: Plan, estimator: Estimator, budget_seconds: float) -> list[Text]:
    """What calls to services are expected to come to, and where rows would go; nothing when no model is paid for by call."""
    if not any(arm.is_metered for arm in plan.arms):
        return []
    rehearsal = rehearse(ready, plan.arms, estimator, budget_seconds)
    return _outlay_lines(ready, plan, outlays(ready, plan, estimator, rehearsal.rows))


def _outlay_lines(ready: Ready, plan: Plan, paid: Mapping[str, Outlay]) -> list[Text]:
    return lines(
        ready, plan.arms, paid, {arm.arm_id: _titled(ready, arm.make().describe(), arm.model_id) for arm in plan.arms}
    )


def budget_warnings(ready: Ready, plan: Plan, estimator: Estimator, budget_seconds: float) -> list[Text]:
    """What to say of a budget in which no arm can be measured, or none trained, and what would do.

    Enough is the least round amount above the budget in which one of the arms is measured; nothing may do in a day.
    """

    def suffices(seconds: float, wanted: Sequence[Arm]) -> bool:
        rehearsal = rehearse(ready, plan.arms, estimator, seconds)
        measured = any(rehearsal.prospect(arm.arm_id) in ("in_time", "cut") for arm in wanted)
        return measured and rehearsal.keeps(seconds)

    candidates = [arm for arm in plan.arms if not arm.strategy.yardstick]
    tuned = [arm for arm in candidates if arm.strategy.tuned]
    for wanted, too_small in ((candidates, "run.budget.too_small_for_one"), (tuned, "run.budget.too_small_to_train")):
        if not wanted or suffices(budget_seconds, wanted):
            continue
        larger = (seconds for seconds in _AMOUNTS if seconds > budget_seconds)
        enough = next((seconds for seconds in larger if suffices(seconds, wanted)), None)
        would_do = say("run.budget.nothing_would_do")
        if enough is not None:
            would_do = say("run.budget.would_do", option=as_option(enough))
        return [say(too_small, budget=numbers.duration(budget_seconds), would_do=would_do)]
    return []


def as_option(seconds: float) -> str:
    """Seconds as ``--budget`` takes them: ``50s``, ``12m``, ``1h30m``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    hours, minutes = divmod(-(-whole // 60), 60)
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if minutes else "")


def _planned(ready: Ready, arm: Arm, estimator: Estimator, rehearsal: Rehearsal) -> PlannedArm:
    n_train, n_dev, n_test = ready.n_rows
    price = ready.task_file.machine_usd_per_hour
    expected, arm_id = estimator.spend(arm.arm_id), arm.arm_id
    prospect, share, n_rows = rehearsal.prospect(arm_id), rehearsal.cut.get(arm_id), rehearsal.rows.get(arm_id, 0)
    if prospect == "in_part":
        why = say("run.plan.in_part", n_rows=n_rows)
    elif prospect == "cut" and share is not None:
        why = say("run.plan.cut", share=max(1, round(100 * share)))
    else:
        why = table("run.plan.why").get(prospect)
    return PlannedArm(
        arm_id=arm_id,
        title=_titled(ready, arm.make().describe(), arm.model_id),
        model=arm.model_id,
        tuned=arm.strategy.tuned,
        yardstick=arm.strategy.yardstick,
        sizes=[size or n_train for size in training_sizes(arm, n_train)] if arm.strategy.grows else [],
        fit_seconds=estimator.fit_seconds(arm_id, None),
        dev_seconds=estimator.answer_seconds(arm_id, None, n_dev),
        seconds=expected.seconds if expected is not None else None,
        test_seconds=estimator.answer_seconds(arm_id, None, final_rows(n_test, n_alone(ready))),
        usd=expected.on_machine(price).usd if expected is not None else None,
        race_seconds=rehearsal.seconds.get(arm_id, 0.0),
        race_rows=n_rows,
        prospect=prospect,
        training_share=share,
        why=why,
    )


def _left_out(ready: Ready, skipped: Skipped) -> PlannedArm:
    strategy = skipped.strategy
    return PlannedArm(
        arm_id=skipped.arm_id,
        title=_titled(ready, strategy.title, skipped.model_id),
        model=skipped.model_id,
        tuned=strategy.tuned,
        yardstick=strategy.yardstick,
        prospect="cannot_run",
        why=skipped.why,
    )


def _titled(ready: Ready, title: Text, model: str | None) -> Text:
    """With its model where there are several."""
    several = len(ready.models) > 1
    return say("run.plan.arm_of_model", title=title, model=model) if several and model is not None else title


# -- the race on paper -------------------------------------------------------------------------------------


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

    def prospect(self, arm_id: str) -> Prospect:
        if arm_id in self.too_slow:
            return "too_slow"
        if arm_id in self.out_of_time:
            return "in_part" if self.rows.get(arm_id) else "no_time"
        return "cut" if arm_id in self.cut else "in_time"


def rehearse(ready: Ready, arms: Sequence[Arm], estimator: Estimator, budget_seconds: float) -> Rehearsal:
    """Play the race of ``arms`` under the budget, until nothing is left to do, or to spend."""
    n_train, n_dev, n_test = ready.n_rows
    exhaustive = ready.task_file.exhaustive or ready.metrics[0].corpus or n_dev < MIN_PAIRS
    seed, places = ready.task_file.seed, {arm.arm_id: place for place, arm in enumerate(arms)}
    schedule = Schedule(
        [entrant_of(arm, n_train) for arm in arms],
        n_dev=n_dev,
        margin=ready.task.margin,
        chance=0.0,
        costs=estimator,
        exhaustive=exhaustive,
        seed=seed,
        n_train=n_train,
    )

    alone = n_alone(ready)

    def final(arm_id: str, n_rows: int = n_test) -> float:
        singly = estimator.answer_seconds(arm_id, None, final_rows(0, alone)) or 0.0
        rows = estimator.answer_seconds(arm_id, None, min(n_rows, n_test)) or 0.0
        return rows + min(singly, ALONE_SHARE * alone / LATENCY_ROWS * budget_seconds)

    def scores(work: Work) -> NDArray[np.float64]:
        """Coins on the dev rows, the same however many of them are asked for."""
        doublings = math.log2(n_train / work.n_train) if work.n_train else 0.0
        coins = np.random.default_rng([seed, places[work.arm_id]]).random(n_dev)
        return (coins < SCORE - RISE * doublings).astype(np.float64)

    least = most = 0.0  # the quickest tuned and the quickest untuned arm on few test rows, and on all
    for tuned in (True, False):
        of_kind = [arm for arm in arms if arm.strategy.tuned == tuned and not arm.strategy.yardstick]
        least += min((final(arm.arm_id, LEAST_TEST_ROWS) for arm in of_kind), default=0.0)
        most += min((final(arm.arm_id) for arm in of_kind), default=0.0)
    kept = max(
        min(least, LEAST_FINALS_SHARE * budget_seconds),
        min(most, FINALS_SHARE * budget_seconds),
        RESERVE_SHARE * budget_seconds,
    )
    done, asked = Rehearsal(final_seconds=kept), dict[tuple[str, int | None], int]()
    whole = max(0.0, budget_seconds - done.final_seconds)
    while (work := schedule.next(max(0.0, whole - done.race_seconds))) is not None:
        arm, fit = arms[places[work.arm_id]], (work.arm_id, work.n_train)
        have, kind = asked.get(fit, 0), (kind_of(arm), None)
        known = asked.get(kind, 0) if arm.strategy.asks_alike else have  # by another arm
        seconds = estimator.answer_seconds(*fit, max(0, work.n_rows - max(have, known))) or 0.0
        if have == 0:
            fitting = estimator.fit_seconds(*fit) or 0.0
            if work.seconds is not None and fitting > work.seconds:
                done.cut[arm.arm_id] = work.seconds / fitting
                fitting = work.seconds
            seconds += fitting
        done.seconds[arm.arm_id] = done.seconds.get(arm.arm_id, 0.0) + seconds
        schedule.observe(work, scores(work)[have : work.n_rows])
        asked[fit] = work.n_rows
        asked[kind] = max(work.n_rows, asked.get(kind, 0))
        done.rows[arm.arm_id] = max(work.n_rows, done.rows.get(arm.arm_id, 0))
        exempt = is_exempt(arm, (arms[places[other]] for other in done.seconds))
        least_rows = estimator.answer_seconds(arm.arm_id, None, min(LEAST_TEST_ROWS, n_test)) or 0.0
        if not exempt and least_rows > FINAL_SHARE * budget_seconds:
            done.too_slow.add(arm.arm_id)
            schedule.stop(arm.arm_id, "budget")
    out = {stop.arm_id for stop in schedule.stops if stop.reason == "budget"}
    done.out_of_time = out - done.too_slow
    return done

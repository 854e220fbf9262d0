"""What a run would do, before it does anything: `tuneworth plan`."""

from __future__ import annotations

from collections.abc import Sequence

from tuneworth.audit._personal.mask import mask
from tuneworth.core.plan import PlannedArm, Prospect, RunPlan
from tuneworth.core.text import Text
from tuneworth.race import planwords as words
from tuneworth.race.arms import Arm, Plan, Skipped
from tuneworth.race.budget import SECONDS_PER_HOUR
from tuneworth.race.estimate import Estimator
from tuneworth.race.prepare import Ready
from tuneworth.race.rehearse import Rehearsal, Rows, final_seconds, rehearse
from tuneworth.race.sizes import sizes
from tuneworth.stats.family import MIN_PAIRS

_AMOUNTS = tuple(
    60.0 * minutes
    for minutes in (1 / 3, 2 / 3, 1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 480, 720, 1440)
)
"""Budgets that a person would write, in seconds: what would be enough is an estimate, and named no finer."""


def preview(ready: Ready, budget_seconds: float) -> RunPlan:
    """The plan of a run of ``ready``. Trains nothing, answers no row and writes nothing."""
    task_file, data, metric = ready.task_file, ready.prepared.summary, ready.metrics[0]
    plan = ready.plan()
    estimator = ready.estimator(plan)
    rows = _rows(ready)
    rehearsal = _rehearsed(ready, plan, estimator, budget_seconds)
    price, everything = task_file.machine_usd_per_hour, estimator.seconds_all()
    several = len(ready.models) > 1
    return RunPlan(
        task=ready.task.name,
        kind=ready.task.kind,
        metric=metric.id,
        margin=ready.task.margin,
        seed=task_file.seed,
        n_train=data.n_train,
        n_dev=data.n_dev,
        n_test=data.n_test,
        inferred=list(data.inferred),
        warnings=[*map(_masked, data.warnings), *budget_warnings(ready, plan, estimator, budget_seconds)],
        exhaustive=task_file.exhaustive,
        budget_seconds=budget_seconds,
        budget_usd=task_file.budget_usd,
        machine_usd_per_hour=price,
        power=ready.power(),
        arms=[
            *(_planned(arm, estimator, rows, rehearsal, price, several) for arm in plan.arms),
            *(_left_out(skipped, several) for skipped in plan.skipped),
        ],
        seconds_all=everything,
        usd_all=_usd(everything, price),
        race_seconds=rehearsal.race_seconds,
        final_seconds=rehearsal.final_seconds,
    )


def budget_warnings(ready: Ready, plan: Plan, estimator: Estimator, budget_seconds: float) -> list[Text]:
    """What to say of a budget in which no arm can be measured, or none trained, and what would do."""
    candidates = [arm for arm in plan.arms if not arm.strategy.yardstick]
    tuned = [arm for arm in candidates if arm.strategy.tuned]
    for wanted, words_for in ((candidates, words.too_small_for_one), (tuned, words.too_small_for_training)):
        enough = _enough(ready, plan, estimator, budget_seconds, wanted) if wanted else budget_seconds
        if enough != budget_seconds:
            return [words_for(budget_seconds, enough)]
    return []


def _enough(
    ready: Ready, plan: Plan, estimator: Estimator, budget_seconds: float, wanted: Sequence[Arm]
) -> float | None:
    """The budget, or the least round amount above it, in which one of ``wanted`` is measured; ``None``: not in a day."""
    for seconds in (budget_seconds, *(amount for amount in _AMOUNTS if amount > budget_seconds)):
        rehearsal = _rehearsed(ready, plan, estimator, seconds)
        measured = any(_prospect(arm.arm_id, rehearsal) in ("in_time", "cut") for arm in wanted)
        if measured and rehearsal.keeps(seconds):
            return seconds
    return None


def _rehearsed(ready: Ready, plan: Plan, estimator: Estimator, budget_seconds: float) -> Rehearsal:
    rows, metric = _rows(ready), ready.metrics[0]
    return rehearse(
        plan.arms,
        estimator,
        rows,
        margin=ready.task.margin,
        budget_seconds=budget_seconds,
        exhaustive=ready.task_file.exhaustive or metric.corpus or rows.dev < MIN_PAIRS,
        seed=ready.task_file.seed,
    )


def _rows(ready: Ready) -> Rows:
    split = ready.split
    return Rows(len(split.train), len(split.dev), len(split.test))


def _planned(
    arm: Arm, estimator: Estimator, rows: Rows, rehearsal: Rehearsal, price: float | None, several: bool
) -> PlannedArm:
    seconds = estimator.arm_seconds(arm.arm_id)
    prospect, share, n_rows = (
        _prospect(arm.arm_id, rehearsal),
        rehearsal.cut.get(arm.arm_id),
        rehearsal.rows.get(arm.arm_id, 0),
    )
    return PlannedArm(
        arm_id=arm.arm_id,
        title=words.named(arm.make().describe(), arm.model_id if several else None),
        model=arm.model_id,
        tuned=arm.strategy.tuned,
        yardstick=arm.strategy.yardstick,
        sizes=[size or rows.train for size in sizes(arm, rows.train)] if arm.strategy.grows else [],
        fit_seconds=estimator.fit_seconds(arm.arm_id, None),
        dev_seconds=estimator.answer_seconds(arm.arm_id, None, rows.dev),
        seconds=seconds,
        test_seconds=final_seconds(estimator, arm.arm_id, rows.test),
        usd=_usd(seconds, price),
        race_seconds=rehearsal.seconds.get(arm.arm_id, 0.0),
        race_rows=n_rows,
        prospect=prospect,
        training_share=share,
        why=words.prospect(prospect, share, n_rows),
    )


def _prospect(arm_id: str, rehearsal: Rehearsal) -> Prospect:
    if arm_id in rehearsal.too_slow:
        return "too_slow"
    if arm_id in rehearsal.out_of_time:
        return "in_part" if rehearsal.rows.get(arm_id) else "no_time"
    return "cut" if arm_id in rehearsal.cut else "in_time"


def _left_out(skipped: Skipped, several: bool) -> PlannedArm:
    strategy = skipped.strategy
    return PlannedArm(
        arm_id=skipped.arm_id,
        title=words.named(strategy.title, skipped.model_id if several else None),
        model=skipped.model_id,
        tuned=strategy.tuned,
        yardstick=strategy.yardstick,
        prospect="cannot_run",
        why=skipped.why,
    )


def _masked(warning: Text) -> Text:
    """A warning may quote a row, and a row may hold personal data."""
    return Text(en=mask(warning.en), zh=mask(warning.zh))


def _usd(seconds: float | None, price: float | None) -> float | None:
    return None if seconds is None or price is None else seconds / SECONDS_PER_HOUR * price

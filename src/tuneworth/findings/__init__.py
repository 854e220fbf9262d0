"""What a finished race says: the finalists are compared, it is decided, and everything goes into one record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tuneworth.advisor.costs import UPDATES_PER_YEAR
from tuneworth.core.advice import Advice
from tuneworth.core.audit import AuditResult
from tuneworth.core.costs import CostResult
from tuneworth.core.knowledge import DocumentsResult
from tuneworth.core.money import Money
from tuneworth.core.outcome import Outcome
from tuneworth.core.provenance import day_of, peak_memory_mb, provenance
from tuneworth.core.run import ArmResult, ClassRow, Comparison, RowView, RunResult
from tuneworth.core.task import Example
from tuneworth.costs.arms import Terms
from tuneworth.costs.breakeven import DAYS_PER_MONTH
from tuneworth.costs.figures import Figure, Unit, figure
from tuneworth.costs.of_run import Stated, Took, costs_of, restated
from tuneworth.costs.prices import STATED
from tuneworth.costs.table import own_table, read_table
from tuneworth.costs.traffic import MONTHS, changed, stated_traffic
from tuneworth.costs.trafficlog import traffic_of_log
from tuneworth.data.files import decode, read_bytes
from tuneworth.data.taskfile import TaskFile
from tuneworth.decide.compare import compare_finalists
from tuneworth.decide.decision import decide
from tuneworth.findings.calibration import with_calibration
from tuneworth.findings.forecasts import forecasts_of
from tuneworth.findings.newest import newest_scores
from tuneworth.race.arms import chance_of
from tuneworth.race.encoding import SharedEncoder
from tuneworth.race.prepare import Ready, max_new_tokens
from tuneworth.race.stages import Raced, Tested

MAX_DISAGREEMENTS = 40
MAX_TEXT = 1_000


@dataclass(frozen=True)
class Measured:
    """All that was measured of a run."""

    ready: Ready
    audit: AuditResult
    advice: Advice
    raced: Raced
    tested: Tested
    encoder: SharedEncoder
    documents: DocumentsResult | None = None
    money: Money | None = None


def assemble(
    measured: Measured, run_id: str, command: str, *, budget_seconds: float | None, wall_seconds: float
) -> RunResult:
    """The record of a finished run."""
    ready, raced, tested = measured.ready, measured.raced, measured.tested
    task_file, task, split, metrics = ready.task_file, ready.task, ready.split, ready.metrics
    primary = metrics[0]
    arms = with_calibration(
        list(raced.results.values()),
        {arm_id: entry.dev for arm_id, entry in raced.entries.items()},
        tested.outcomes,
        (*split.dev, *split.test),
        precision=task_file.precision,
        seed=task_file.seed,
    )
    comparisons, against = _comparisons(measured), _comparisons(measured, arms)
    forecasts = forecasts_of(
        arms,
        raced.fits,
        split.dev,
        primary,
        margin=task.margin,
        n_train=len(split.train),
        chance=chance_of(task, split.train, primary),
        seed=task_file.seed,
    )
    described = {model.id: model.describe() for model in ready.models}
    if measured.encoder.opened:
        described[measured.encoder.id] = measured.encoder.describe()
    made = provenance(command, task_file.seed, described)
    costs = _costs(measured, arms)
    decision = decide(
        task,
        arms,
        comparisons,
        primary_metric=primary.id,
        n_train=len(split.train),
        forecasts=forecasts,
        race=raced.race,
        usd_per_label=task_file.usd_per_label,
        day=day_of(made),
        documents=measured.documents,
        against_yardsticks=against,
        costs=costs,
        usd_per_error=task_file.error_cost,
    )
    exact = next((metric.id for metric in metrics if metric.binary and not metric.corpus), None)
    has_classes = task.kind in ("label", "choice") and exact is not None
    return RunResult(
        run_id=run_id,
        task=task,
        data=ready.prepared.summary,
        audit=measured.audit,
        advice=measured.advice,
        metrics=[metric.id for metric in metrics],
        primary_metric=primary.id,
        arms=arms,
        comparisons=comparisons,
        against_yardsticks=against,
        decision=decision,
        disagreements=disagreements(split.test, tested.outcomes, primary.id),
        classes=classes(split.test, tested.outcomes, exact) if has_classes and exact is not None else [],
        machine_usd_per_hour=task_file.machine_usd_per_hour,
        budget_seconds=budget_seconds,
        usd_per_label=task_file.usd_per_label,
        usd_per_error=task_file.error_cost,
        power=ready.power(),
        race=raced.race,
        forecasts=forecasts,
        documents=measured.documents,
        newest=[] if measured.documents else newest_scores(split.test, tested.outcomes, primary, task_file.seed),
        max_new_tokens=max_new_tokens(ready.models, split.train),
        money=measured.money,
        costs=costs,
        wall_seconds=wall_seconds,
        peak_memory_mb=peak_memory_mb(),
        provenance=made,
    )


def _costs(measured: Measured, arms: Sequence[ArmResult]) -> CostResult:
    """What each arm costs at the volume and the prices that the task file states."""
    ready, tested, documents = measured.ready, measured.tested, measured.documents
    split, task_file = ready.split, ready.task_file
    took = {
        arm_id: Took(entry.fit.spend, [*entry.dev, *tested.outcomes.get(arm_id, {}).values()])
        for arm_id, entry in measured.raced.entries.items()
    }
    return costs_of(
        arms,
        took,
        {row.id: row.group for row in (*split.dev, *split.test)},
        stated_by(task_file),
        n_train=len(split.train),
        money=measured.money,
        index_seconds=documents.index.seconds if documents else None,
        seed=task_file.seed,
    )


def stated_by(task_file: TaskFile) -> Stated:
    """What the task file states of traffic and prices.

    Raises:
        InputError: a file that it names cannot be read, or has something wrong in it.
    """
    situation, every = task_file.situation, task_file.updates.knowledge_every_days
    calls, pace = situation.calls_per_day, situation.behaviour_changes
    volume = (
        None
        if calls is None
        else figure("traffic.calls_per_month", "call/month", calls * DAYS_PER_MONTH, source=STATED)
    )

    def price(name: str, unit: Unit, usd: float | None) -> Figure:
        return figure(name, unit, usd, source="" if usd is None else STATED)

    costs, table, log = task_file.costs, None, None
    if costs.prices is not None:
        table = read_table(decode(read_bytes(Path(costs.prices), costs.prices), costs.prices).text, costs.prices)
    if costs.log is not None:
        log = traffic_of_log(Path(costs.log), zone=costs.zone, months=task_file.traffic.months or MONTHS).traffic
    rate = (table and table.cny_per_usd) or own_table().cny_per_usd
    stated = Stated(
        traffic=changed(log or stated_traffic(volume), task_file.traffic.given),
        terms=Terms(
            machine=price("machine", "usd/hour", task_file.machine_usd_per_hour),
            label=price("label", "usd/label", task_file.usd_per_label),
            retrained=None
            if pace is None
            else figure("retrained", "1/month", UPDATES_PER_YEAR[pace] / 12, source=STATED),
            reindexed=None if every is None else figure("reindexed", "1/month", DAYS_PER_MONTH / every, source=STATED),
        ),
        rates=task_file.stated_rates,
    )
    return restated(stated, table, costs.figures(rate))


def _comparisons(measured: Measured, arms: Sequence[ArmResult] = ()) -> list[Comparison]:
    """Of the finalists on the test rows, all their trainings; a metric of the whole corpus on any resample of row ids.

    Args:
        arms: of all arms of the run; then the finalists, and what may be used in their place, are held against each yardstick.
    """
    metric, tested, ready = measured.ready.metrics[0], measured.tested, measured.ready
    references = {row.id: row.references for row in ready.split.test}
    trainings = {
        arm_id: [
            {row_id: outcome for row_id, outcome in by_row.items() if outcome.status == "scored"}
            for by_row in (first, *tested.repeats.get(arm_id, ()))
        ]
        for arm_id, first in {**tested.outcomes, **(tested.yardsticks if arms else {})}.items()
    }
    fallbacks = [arm.arm_id for arm in arms if arm.fallback and arm.arm_id in tested.yardsticks]
    if arms and not tested.yardsticks:
        return []

    def value(by_row: Mapping[str, Outcome]) -> Callable[[Sequence[str]], float]:
        """The answers are read once."""
        places = {row_id: place for place, row_id in enumerate(by_row)}
        answers = [outcome.answer or "" for outcome in by_row.values()]
        of_rows = metric.prepare(answers, [references[row_id] for row_id in by_row])
        return lambda row_ids: of_rows(np.array([places[row_id] for row_id in row_ids]))

    values = {arm_id: [value(by_row) for by_row in each] for arm_id, each in trainings.items()} if metric.corpus else {}
    return compare_finalists(
        [*tested.outcomes, *fallbacks],
        {
            arm_id: [{row_id: outcome.scores[metric.id] for row_id, outcome in by_row.items()} for by_row in each]
            for arm_id, each in trainings.items()
        },
        metric=metric.id,
        binary=metric.binary,
        margin=ready.task.margin,
        rng=np.random.default_rng([ready.task_file.seed, 2 if arms else 1]),
        against=list(tested.yardsticks) if arms else [],
        corpus=(lambda arm_id, row_ids: values[arm_id][0](row_ids)) if metric.corpus else None,
        corpus_further=(lambda arm_id, at, row_ids: values[arm_id][at](row_ids)) if metric.corpus else None,
        groups={row.id: row.group for row in ready.split.test},
    )


def disagreements(rows: Sequence[Example], outcomes: Mapping[str, Mapping[str, Outcome]], metric: str) -> list[RowView]:
    """Test rows on which the finalists' scores differ, the widest first."""
    views: list[tuple[float, int, RowView]] = []
    for position, row in enumerate(rows):
        here = {arm_id: by_row[row.id] for arm_id, by_row in outcomes.items() if row.id in by_row}
        values = {arm_id: outcome.scores.get(metric) for arm_id, outcome in here.items()}
        known = [value for value in values.values() if value is not None]
        if len(known) > 1 and max(known) > min(known):
            view = RowView(
                row_id=row.id,
                source=row.source,
                text=row.query.text[:MAX_TEXT],
                reference=row.output[:MAX_TEXT],
                answers={arm_id: outcome.answer and outcome.answer[:MAX_TEXT] for arm_id, outcome in here.items()},
                scores=values,
            )
            views.append((min(known) - max(known), position, view))
    return [view for _, _, view in sorted(views, key=lambda item: item[:2])[:MAX_DISAGREEMENTS]]


def classes(rows: Sequence[Example], outcomes: Mapping[str, Mapping[str, Outcome]], metric: str) -> list[ClassRow]:
    """Recall of every class per finalist, classes with most rows first."""
    by_label: dict[str, list[Example]] = {}
    for row in rows:
        by_label.setdefault(row.output, []).append(row)
    found = []
    for label, members in by_label.items():
        recall: dict[str, float] = {}
        for arm_id, by_row in outcomes.items():
            values = [
                by_row[row.id].scores[metric] for row in members if row.id in by_row and metric in by_row[row.id].scores
            ]
            if values:
                recall[arm_id] = sum(values) / len(values)
        found.append(ClassRow(label=label, n_rows=len(members), recall=recall))
    return sorted(found, key=lambda row: (-row.n_rows, row.label))

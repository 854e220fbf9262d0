"""From outcomes to what a run reports: scores with intervals, costs, disagreements, classes."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from tuneworth.core.outcome import Outcome
from tuneworth.core.run import ArmCost, ArmResult, ClassRow, Counts, RowView, Score
from tuneworth.core.task import Example, Task
from tuneworth.core.text import Text
from tuneworth.costs.model import arm_cost
from tuneworth.metrics import Metric
from tuneworth.race.arms import Arm, Skipped
from tuneworth.race.store import FitRecord
from tuneworth.stats.intervals import bootstrap_interval, mean_interval

MAX_DISAGREEMENTS = 40
MAX_TEXT = 1_000


def scores(
    outcomes: Sequence[Outcome], rows: Mapping[str, Example], metrics: Sequence[Metric], seed: int
) -> dict[str, Score]:
    """Every metric over the scored outcomes; nothing for an arm that scored no row."""
    scored = [outcome for outcome in outcomes if outcome.status == "scored"]
    return {metric.id: _score(scored, rows, metric, seed) for metric in metrics} if scored else {}


def _score(scored: Sequence[Outcome], rows: Mapping[str, Example], metric: Metric, seed: int) -> Score:
    rng = np.random.default_rng([seed, zlib.crc32(metric.id.encode())])
    if metric.corpus:
        value = metric.prepare([o.answer or "" for o in scored], [rows[o.row_id].references for o in scored])
        everything = np.arange(len(scored))
        return Score(
            value=value(everything), interval=bootstrap_interval(value, len(scored), rng=rng), n_rows=len(scored)
        )
    values = np.array([outcome.scores[metric.id] for outcome in scored])
    interval = mean_interval(values, binary=metric.binary, rng=rng)
    return Score(value=float(values.mean()), interval=interval, n_rows=len(scored))


def counts(outcomes: Sequence[Outcome]) -> Counts:
    """Rows by status."""
    return Counts(**Counter(outcome.status for outcome in outcomes))


def searches_elsewhere(task: Task, arm: Arm) -> bool:
    """Whether the arm's questions leave this machine to be embedded."""
    documents, mode = task.documents, getattr(arm.config, "mode", None)
    searches = arm.strategy.reads_documents and not arm.strategy.yardstick and mode != "text"
    return searches and documents is not None and documents.encoder_elsewhere


def cost(
    fit: FitRecord,
    outcomes: Sequence[Outcome],
    single_row_ms: Sequence[float] | None,
    machine_usd_per_hour: float | None,
) -> ArmCost:
    """Throughput from the batches that were scored, latency from rows answered one at a time."""
    done = [outcome for outcome in outcomes if outcome.status == "scored"]
    priced = arm_cost(
        fit_seconds=fit.seconds,
        fit_tokens=fit.tokens,
        latencies_ms=[outcome.latency_ms for outcome in done],
        usages=[outcome.usage for outcome in done],
        machine_usd_per_hour=machine_usd_per_hour,
    )
    alone = np.asarray(single_row_ms) if single_row_ms else None
    return priced.model_copy(
        update={
            "latency_p50_ms": float(np.percentile(alone, 50)) if alone is not None else None,
            "latency_p95_ms": float(np.percentile(alone, 95)) if alone is not None else None,
        }
    )


def measured_arm(
    arm: Arm, fit: FitRecord, outcomes: Sequence[Outcome], dev: Mapping[str, Score], price: ArmCost, *, local: bool
) -> ArmResult:
    """An arm that answered its dev rows.

    Args:
        local: rows stay on this machine.
    """
    values = _identity(arm) | {
        "local": local,
        "state": "measured",
        "dev": dict(dev),
        "dev_counts": counts(outcomes),
        "cost": price,
        "n_train": arm.n_train,
        "solver_folder": f"arms/{arm.folder_name}/solver",
        "notes": fit.notes,
        "fit_details": fit.details,
    }
    return ArmResult.model_validate(values)


def missing_arm(arm: Arm | Skipped, state: str, why: Text) -> ArmResult:
    """An arm without scores: ``skipped`` or ``failed``."""
    return ArmResult.model_validate({**_identity(arm), "state": state, "why": why})


def _identity(arm: Arm | Skipped) -> dict[str, object]:
    strategy = arm.strategy
    config = arm.config.model_dump(mode="json") if isinstance(arm, Arm) else {}
    return {
        "arm_id": arm.arm_id,
        "strategy": strategy.id,
        "model": arm.model_id,
        "local": arm.local,
        "config": config,
        "title": arm.make().describe() if isinstance(arm, Arm) else strategy.title,
        "effort": strategy.effort,
        "tuned": strategy.tuned,
        "yardstick": strategy.yardstick,
        "reads_documents": strategy.reads_documents,
    }


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

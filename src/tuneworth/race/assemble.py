"""The last step of a run: compare the finalists, decide, and put everything into one record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tuneworth.core.advice import Advice
from tuneworth.core.audit import AuditResult
from tuneworth.core.outcome import Outcome
from tuneworth.core.provenance import peak_memory_mb, provenance
from tuneworth.core.run import ClassRow, Comparison, RunResult
from tuneworth.data.split import Prepared
from tuneworth.data.taskfile import TaskFile
from tuneworth.decide.compare import compare_finalists
from tuneworth.decide.decision import decide
from tuneworth.metrics.base import Metric
from tuneworth.models.base import Model
from tuneworth.race import results
from tuneworth.race.encoding import SharedEncoder
from tuneworth.race.stages import Raced


@dataclass(frozen=True)
class Evidence:
    """All that was measured.

    Attributes:
        outcomes: finalists on the test rows, arm id → row id → outcome.
    """

    prepared: Prepared
    audit: AuditResult
    advice: Advice
    metrics: Sequence[Metric]
    raced: Raced
    outcomes: Mapping[str, Mapping[str, Outcome]]
    models: Sequence[Model]
    encoder: SharedEncoder


def assemble(evidence: Evidence, task_file: TaskFile, run_id: str, command: str, wall_seconds: float) -> RunResult:
    """The record of a finished run."""
    prepared, primary = evidence.prepared, evidence.metrics[0]
    arms = list(evidence.raced.results.values())
    comparisons = _comparisons(evidence, task_file.seed)
    decision = decide(prepared.task, arms, comparisons, primary_metric=primary.id, n_train=len(prepared.split.train))
    described = {model.id: model.describe() for model in evidence.models}
    if evidence.encoder.opened:
        described[evidence.encoder.id] = evidence.encoder.describe()
    return RunResult(
        run_id=run_id,
        task=prepared.task,
        data=prepared.summary,
        audit=evidence.audit,
        advice=evidence.advice,
        metrics=[metric.id for metric in evidence.metrics],
        primary_metric=primary.id,
        arms=arms,
        comparisons=comparisons,
        decision=decision,
        disagreements=results.disagreements(prepared.split.test, evidence.outcomes, primary.id),
        classes=_classes(evidence),
        machine_usd_per_hour=task_file.machine_usd_per_hour,
        wall_seconds=wall_seconds,
        peak_memory_mb=peak_memory_mb(),
        provenance=provenance(command, task_file.seed, described),
    )


def _comparisons(evidence: Evidence, seed: int) -> list[Comparison]:
    metric = evidence.metrics[0]
    scored = {
        arm_id: {row_id: outcome for row_id, outcome in by_row.items() if outcome.status == "scored"}
        for arm_id, by_row in evidence.outcomes.items()
    }
    return compare_finalists(
        list(scored),
        {arm_id: {row_id: o.scores[metric.id] for row_id, o in by_row.items()} for arm_id, by_row in scored.items()},
        metric=metric.id,
        binary=metric.binary,
        margin=evidence.prepared.task.margin,
        rng=np.random.default_rng([seed, 1]),
        corpus=_corpus_value(evidence, scored) if metric.corpus else None,
    )


def _corpus_value(
    evidence: Evidence, scored: Mapping[str, Mapping[str, Outcome]]
) -> Callable[[str, Sequence[str]], float]:
    """The primary metric of an arm on any resample of row ids; answers are read once."""
    references = {row.id: row.references for row in evidence.prepared.split.test}
    places = {arm_id: {row_id: place for place, row_id in enumerate(by_row)} for arm_id, by_row in scored.items()}
    values = {
        arm_id: evidence.metrics[0].prepare(
            [outcome.answer or "" for outcome in by_row.values()], [references[row_id] for row_id in by_row]
        )
        for arm_id, by_row in scored.items()
    }
    return lambda arm_id, row_ids: values[arm_id](np.array([places[arm_id][row_id] for row_id in row_ids]))


def _classes(evidence: Evidence) -> list[ClassRow]:
    exact = next((metric.id for metric in evidence.metrics if metric.binary and not metric.corpus), None)
    if evidence.prepared.task.kind not in ("label", "choice") or exact is None:
        return []
    return results.classes(evidence.prepared.split.test, evidence.outcomes, exact)

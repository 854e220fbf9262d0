"""The last step of a run: compare the finalists, decide, and put everything into one record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tuneworth.core.advice import Advice
from tuneworth.core.audit import AuditResult
from tuneworth.core.knowledge import DocumentsResult
from tuneworth.core.outcome import Outcome
from tuneworth.core.provenance import peak_memory_mb, provenance
from tuneworth.core.race import Power
from tuneworth.core.run import ClassRow, Comparison, RunResult
from tuneworth.data.split import Prepared
from tuneworth.data.taskfile import TaskFile
from tuneworth.decide.compare import compare_finalists
from tuneworth.decide.decision import decide
from tuneworth.findings import results
from tuneworth.findings.curves import forecasts_of
from tuneworth.metrics import Metric
from tuneworth.models.base import Model
from tuneworth.race.encoding import SharedEncoder
from tuneworth.race.prepare import max_new_tokens
from tuneworth.race.sizes import chance_of
from tuneworth.race.stages import Raced, Tested


@dataclass(frozen=True)
class Evidence:
    """All that was measured."""

    prepared: Prepared
    audit: AuditResult
    advice: Advice
    power: Power
    metrics: Sequence[Metric]
    raced: Raced
    tested: Tested
    models: Sequence[Model]
    encoder: SharedEncoder
    documents: DocumentsResult | None = None


def assemble(
    evidence: Evidence,
    task_file: TaskFile,
    run_id: str,
    command: str,
    *,
    budget_seconds: float | None,
    wall_seconds: float,
) -> RunResult:
    """The record of a finished run."""
    prepared, primary = evidence.prepared, evidence.metrics[0]
    arms, split = list(evidence.raced.results.values()), prepared.split
    comparisons = _comparisons(evidence, task_file.seed)
    forecasts = forecasts_of(
        arms,
        evidence.raced.fits,
        split.dev,
        primary,
        margin=prepared.task.margin,
        n_train=len(split.train),
        chance=chance_of(prepared.task, split.train),
        seed=task_file.seed,
    )
    decision = decide(
        prepared.task,
        arms,
        comparisons,
        primary_metric=primary.id,
        n_train=len(split.train),
        forecasts=forecasts,
        race=evidence.raced.race,
        usd_per_label=task_file.usd_per_label,
        documents=evidence.documents,
    )
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
        disagreements=results.disagreements(prepared.split.test, evidence.tested.outcomes, primary.id),
        classes=_classes(evidence),
        machine_usd_per_hour=task_file.machine_usd_per_hour,
        budget_seconds=budget_seconds,
        usd_per_label=task_file.usd_per_label,
        power=evidence.power,
        race=evidence.raced.race,
        forecasts=forecasts,
        documents=evidence.documents,
        max_new_tokens=max_new_tokens(evidence.models, split.train),
        wall_seconds=wall_seconds,
        peak_memory_mb=peak_memory_mb(),
        provenance=provenance(command, task_file.seed, described),
    )


def _comparisons(evidence: Evidence, seed: int) -> list[Comparison]:
    metric, tested = evidence.metrics[0], evidence.tested
    trainings = {
        arm_id: [_scored(by_row) for by_row in (first, *tested.repeats.get(arm_id, ()))]
        for arm_id, first in tested.outcomes.items()
    }
    values = _corpus_values(evidence, trainings) if metric.corpus else {}
    return compare_finalists(
        list(trainings),
        {arm_id: [_scores(by_row, metric.id) for by_row in each] for arm_id, each in trainings.items()},
        metric=metric.id,
        binary=metric.binary,
        margin=evidence.prepared.task.margin,
        rng=np.random.default_rng([seed, 1]),
        corpus=(lambda arm_id, row_ids: values[arm_id, 0](row_ids)) if metric.corpus else None,
        corpus_further=(lambda arm_id, at, row_ids: values[arm_id, at](row_ids)) if metric.corpus else None,
    )


def _scored(by_row: Mapping[str, Outcome]) -> dict[str, Outcome]:
    return {row_id: outcome for row_id, outcome in by_row.items() if outcome.status == "scored"}


def _scores(scored: Mapping[str, Outcome], metric: str) -> dict[str, float]:
    return {row_id: outcome.scores[metric] for row_id, outcome in scored.items()}


def _corpus_values(
    evidence: Evidence, trainings: Mapping[str, Sequence[Mapping[str, Outcome]]]
) -> dict[tuple[str, int], Callable[[Sequence[str]], float]]:
    """The primary metric of each training of an arm on any resample of row ids; answers are read once."""
    references = {row.id: row.references for row in evidence.prepared.split.test}

    def value(by_row: Mapping[str, Outcome]) -> Callable[[Sequence[str]], float]:
        places = {row_id: place for place, row_id in enumerate(by_row)}
        of_rows = evidence.metrics[0].prepare(
            [outcome.answer or "" for outcome in by_row.values()], [references[row_id] for row_id in by_row]
        )
        return lambda row_ids: of_rows(np.array([places[row_id] for row_id in row_ids]))

    return {(arm_id, at): value(by_row) for arm_id, each in trainings.items() for at, by_row in enumerate(each)}


def _classes(evidence: Evidence) -> list[ClassRow]:
    exact = next((metric.id for metric in evidence.metrics if metric.binary and not metric.corpus), None)
    if evidence.prepared.task.kind not in ("label", "choice") or exact is None:
        return []
    return results.classes(evidence.prepared.split.test, evidence.tested.outcomes, exact)

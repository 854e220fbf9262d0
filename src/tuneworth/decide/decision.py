"""The decision: a pure function of what was measured, the limits and the margin."""

from __future__ import annotations

from collections.abc import Sequence

from tuneworth.core.knowledge import DocumentsResult
from tuneworth.core.race import Forecast, Race
from tuneworth.core.run import ArmResult, Comparison, Decision
from tuneworth.core.task import Task
from tuneworth.decide.evidence import Evidence
from tuneworth.decide.headline import headline
from tuneworth.decide.reasons import reasons
from tuneworth.decide.ruling import rule
from tuneworth.decide.seed_rows import seed_findings
from tuneworth.decide.would_change import would_change


def decide(
    task: Task,
    arms: Sequence[ArmResult],
    comparisons: Sequence[Comparison],
    *,
    primary_metric: str,
    n_train: int,
    forecasts: Sequence[Forecast] = (),
    race: Race | None = None,
    usd_per_label: float | None = None,
    documents: DocumentsResult | None = None,
) -> Decision:
    """Whether to fine-tune, what to use, why, and what would change it.

    The rules are the table in `tuneworth.decide.ruling`; limits are in `tuneworth.decide.limits`.

    Args:
        arms: every arm of the run, in any order.
        comparisons: every pair of finalists on ``primary_metric``, either way round.
        n_train: training rows at hand.
        forecasts: learning curves. Without them the verdict is never ``not_yet``.
        race: how the dev rows were spent. Without it every arm counts as measured in full.
        usd_per_label: price of one more labelled row, if known.
        documents: what was found out about the task's documents: why answers are lost, what lasts when knowledge changes
            (`tuneworth.decide.documents`). Without it nothing is said of them.

    Raises:
        ValueError: a pair of finalists was not compared.
    """
    evidence = Evidence.of(
        task,
        arms,
        comparisons,
        primary_metric,
        n_train=n_train,
        forecasts=forecasts,
        race=race,
        usd_per_label=usd_per_label,
        documents=documents,
    )
    ruling = rule(evidence)
    return Decision(
        verdict=ruling.verdict,
        recommended=ruling.recommended.arm_id if ruling.recommended is not None else None,
        runner_up=ruling.runner_up.arm_id if ruling.runner_up is not None else None,
        rows=ruling.rows,
        decided_by=(ruling.pair.a, ruling.pair.b) if ruling.pair is not None else None,
        headline=headline(evidence, ruling),
        reasons=reasons(evidence, ruling),
        would_change=would_change(evidence, ruling),
        seed_rows=seed_findings(evidence, ruling),
    )

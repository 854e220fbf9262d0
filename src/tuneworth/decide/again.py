"""A finished run decided again under another margin, other limits, or other prices and traffic: nothing is measured."""

from __future__ import annotations

from tuneworth.core.costs import CostFigure
from tuneworth.core.provenance import day_of
from tuneworth.core.run import Comparison, RunResult
from tuneworth.core.task import Limits
from tuneworth.decide.decision import decide
from tuneworth.stats.family import answer_of, too_few


def decide_again(
    result: RunResult,
    *,
    margin: float | None = None,
    limits: Limits | None = None,
    usd_per_label: float | None = None,
    usd_per_error: CostFigure | None = None,
) -> RunResult:
    """``result`` with the verdict that the same measurements give under what is asked here; what is ``None`` stays.

    Args:
        margin: smallest difference of the metric that matters, in (0, 1).
        limits: those set here are laid over the task's.
        usd_per_error: what a wrong answer costs.

    What arms cost is as ``result`` has it; under other traffic it is priced again before (``costs.of_run.priced_again``).

    NOT guaranteed: that a run begun with these settings would end the same. Its race would have stopped other arms. Under
    another margin a comparison that stays open does not say how many rows would settle it, and a forecast, which is made
    for one margin, is not used.
    """
    task = result.task
    laid_over = task.limits if limits is None else task.limits.model_copy(update=limits.model_dump(exclude_unset=True))
    task = task.model_copy(update={"limits": laid_over, "margin": task.margin if margin is None else margin})
    comparisons = [_judged(pair, task.margin) for pair in result.comparisons]
    against = [_judged(pair, task.margin) for pair in result.against_yardsticks]
    price = result.usd_per_label if usd_per_label is None else usd_per_label
    error = result.usd_per_error if usd_per_error is None else usd_per_error
    decision = decide(
        task,
        result.arms,
        comparisons,
        primary_metric=result.primary_metric,
        n_train=result.data.n_train,
        forecasts=result.forecasts,
        race=result.race,
        usd_per_label=price,
        day=day_of(result.provenance),
        documents=result.documents,
        against_yardsticks=against,
        costs=result.costs,
        usd_per_error=error,
    )
    changes = {
        "task": task,
        "comparisons": comparisons,
        "against_yardsticks": against,
        "decision": decision,
        "usd_per_label": price,
        "usd_per_error": error,
    }
    return result.model_copy(update=changes)


def _judged(pair: Comparison, margin: float) -> Comparison:
    if pair.margin == margin:
        return pair
    answer = answer_of(pair.interval, pair.p_adjusted, margin, few=too_few(pair))
    return pair.model_copy(update={"margin": margin, "answer": answer, "rows_needed": None})

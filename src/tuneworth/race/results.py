"""What is told of an arm after the dev rows, and which arms may see the test rows.

Finalists are the best tuned arm, the best untuned, and the simplest. For a task with documents, the best of those that
look things up and the best of those that do not: dev rows ask for what training rows have shown, and may not tell
which of the two does better on knowledge that is new (seed row X3). The simplest has no place of its own then: four
finalists take their time, and answering without documents is one.
"""

from __future__ import annotations

import math
import zlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from tuneworth.core.outcome import Outcome
from tuneworth.core.race import StopReason
from tuneworth.core.record import Score
from tuneworth.core.run import ArmCost, ArmResult, Counts
from tuneworth.core.task import Example, Limits
from tuneworth.core.text import Text
from tuneworth.costs.spend import arm_cost
from tuneworth.decide.limits import MAX_FAILED_SHARE, n_unscored
from tuneworth.metrics import Metric
from tuneworth.race.arms import Arm, Skipped
from tuneworth.race.runner import Entry, scores_of
from tuneworth.race.store import FitRecord
from tuneworth.stats.family import MIN_PAIRS
from tuneworth.stats.intervals import bootstrap_interval, mean_interval


def scores(
    outcomes: Sequence[Outcome], rows: Mapping[str, Example], metrics: Sequence[Metric], seed: int
) -> dict[str, Score]:
    """Every metric over the scored outcomes; nothing for an arm that scored no row."""
    scored = [outcome for outcome in outcomes if outcome.status == "scored"]
    found: dict[str, Score] = {}
    for metric in metrics if scored else ():
        rng = np.random.default_rng([seed, zlib.crc32(metric.id.encode())])
        if metric.corpus:
            value = metric.prepare([o.answer or "" for o in scored], [rows[o.row_id].references for o in scored])
            mean, interval = value(np.arange(len(scored))), bootstrap_interval(value, len(scored), rng=rng)
        else:
            values = scores_of(scored, metric.id)
            mean, interval = float(values.mean()), mean_interval(values, binary=metric.binary, rng=rng)
        found[metric.id] = Score(value=mean, interval=interval, n_rows=len(scored))
    return found


def counts(outcomes: Sequence[Outcome]) -> Counts:
    """Rows by status."""
    return Counts(**Counter(outcome.status for outcome in outcomes))


def cost(
    fit: FitRecord,
    outcomes: Sequence[Outcome],
    single_row_ms: Sequence[float] | None,
    machine_usd_per_hour: float | None,
) -> ArmCost:
    """Throughput from the batches that were scored, latency from rows answered one at a time."""
    done = [outcome for outcome in outcomes if outcome.status == "scored"]
    priced = arm_cost(fit.spend, done, machine_usd_per_hour)
    p50, p95 = np.percentile(single_row_ms, [50, 95]).tolist() if single_row_ms else (None, None)
    return priced.model_copy(update={"latency_p50_ms": p50, "latency_p95_ms": p95})


def measured_arm(entry: Entry, dev: Mapping[str, Score], price: ArmCost, *, local: bool) -> ArmResult:
    """An arm that answered its dev rows.

    Args:
        local: rows stay on this machine.
    """
    return missing_arm(entry.arm, "measured").model_copy(
        update={
            "local": local,
            "dev": dict(dev),
            "dev_counts": counts(entry.dev),
            "cost": price,
            "n_train": entry.arm.n_train,
            "solver_folder": f"arms/{entry.arm.folder_name}/solver",
            "notes": entry.fit.notes,
            "fit_details": entry.fit.details,
        }
    )


def missing_arm(arm: Arm | Skipped, state: str, why: Text | None = None) -> ArmResult:
    """An arm without scores: ``skipped`` or ``failed``."""
    strategy = arm.strategy
    planned = isinstance(arm, Arm)
    return ArmResult.model_validate(
        {
            "arm_id": arm.arm_id,
            "strategy": strategy.id,
            "model": arm.model_id,
            "local": arm.local,
            "config": arm.config.model_dump(mode="json") if planned else {},
            "title": arm.make().describe() if planned else strategy.title,
            "effort": strategy.effort,
            "tuned": strategy.tuned,
            "yardstick": strategy.yardstick,
            "reads_documents": strategy.reads_documents,
            "state": state,
            "why": why,
        }
    )


def best_fit(fits: Sequence[Entry], metric: str, margin: float) -> Entry:
    """The fit on most rows, unless one on fewer is better by more than the margin for certain: more data may hurt."""

    def hurt(entry: Entry, smaller: Entry) -> bool:
        """Whether ``entry`` is behind on the rows that both scored, by two standard errors and the margin."""
        n = min(len(entry.dev), len(smaller.dev))
        lead = scores_of(smaller.dev[:n], metric) - scores_of(entry.dev[:n], metric)
        lead = lead[np.isfinite(lead)]
        if lead.size < MIN_PAIRS:
            return False
        return float(lead.mean() - 2 * lead.std(ddof=1) / math.sqrt(lead.size)) > margin

    by_size = sorted(fits, key=lambda entry: entry.arm.n_train or math.inf, reverse=True)
    for place, entry in enumerate(by_size):
        if not any(hurt(entry, smaller) for smaller in by_size[place + 1 :]):
            return entry
    return by_size[-1]


# -- finalists ---------------------------------------------------------------------------------------------


def choose_finalists(
    arms: Sequence[ArmResult], metric: str, limits: Limits, stopped: Mapping[str, StopReason] | None = None
) -> list[str]:
    """Ids of the finalists, at most three (four with documents), chosen on dev scores alone.

    An arm that on dev breaks the latency or money limit, or leaves too many rows unscored, is passed over
    while others of its kind are left: a kind of which nobody met the test rows would count as not
    measured. The best arm is the one with the highest dev value; of equals, the simpler one.

    Args:
        stopped: arms that left the race early, passed over in the same way: their few rows may have been lucky. The
            simplest arm may be one of them, unless it is surely worse.
    """
    stopped = stopped or {}
    behind = {arm_id for arm_id, reason in stopped.items() if reason in ("eliminated", "little_to_gain", "setting")}
    worse = {arm_id for arm_id, reason in stopped.items() if reason == "eliminated"}
    measured = [arm for arm in arms if arm.state == "measured" and not arm.yardstick and metric in arm.dev]
    kinds: dict[tuple[bool, bool], list[ArmResult]] = {}
    for arm in measured:
        kinds.setdefault((arm.tuned, arm.reads_documents), []).append(arm)
    simplest = min(_left(measured, limits, worse), key=_ladder, default=None)
    best = [_best(_left(kind, limits, behind), metric) for kind in kinds.values()]
    chosen = best if len(kinds) > 2 else [*best, simplest]
    ids = {arm.arm_id for arm in chosen if arm is not None}
    return [arm.arm_id for arm in sorted(measured, key=_ladder) if arm.arm_id in ids]


def best_untuned(arms: Sequence[ArmResult], metric: str) -> ArmResult | None:
    """What a tuned arm has to beat: the untuned arm with the highest dev value among those looked at furthest."""
    measured = [
        arm for arm in arms if arm.state == "measured" and not arm.tuned and not arm.yardstick and metric in arm.dev
    ]
    most = max((arm.dev[metric].n_rows for arm in measured), default=0)
    return _best([arm for arm in measured if arm.dev[metric].n_rows == most], metric)


def _left(arms: Sequence[ArmResult], limits: Limits, stopped: Collection[str]) -> Sequence[ArmResult]:
    """Those that keep the limits, if any does; of these, those that were not stopped, if any was not."""
    usable = [arm for arm in arms if _keeps(arm, limits)] or arms
    return [arm for arm in usable if arm.arm_id not in stopped] or usable


def _best(arms: Sequence[ArmResult], metric: str) -> ArmResult | None:
    return min(arms, key=lambda arm: (-arm.dev[metric].value, *_ladder(arm)), default=None)


def _ladder(arm: ArmResult) -> tuple[int, float, str]:
    return arm.effort, arm.cost.seconds_per_1k_rows or 0.0, arm.arm_id


def _keeps(arm: ArmResult, limits: Limits) -> bool:
    p95, usd = arm.cost.latency_p95_ms, arm.cost.usd_per_1k_rows
    slow = limits.p95_ms is not None and p95 is not None and p95 > limits.p95_ms
    dear = limits.max_usd_per_1k is not None and usd is not None and usd > limits.max_usd_per_1k
    unscored = n_unscored(arm.dev_counts)
    broken = unscored > MAX_FAILED_SHARE * (unscored + arm.dev_counts.scored)
    return not slow and not dear and not broken

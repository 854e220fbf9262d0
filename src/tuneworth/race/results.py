"""What is told of an arm after the dev rows, and which arms may see the test rows.

Finalists are the best tuned arm, the best untuned, and the simplest, unless that is surely behind. For a task with documents, the best of those that
look things up and the best of those that do not: dev rows ask for what training rows have shown, and may not tell
which of the two does better on knowledge that is new (seed row X3). The simplest has no place of its own then: four
finalists take their time, and answering without documents is one.
"""

from __future__ import annotations

import math
import zlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import compress
from statistics import fmean

import numpy as np

from tuneworth.core.outcome import Outcome
from tuneworth.core.race import StopReason, Untested
from tuneworth.core.record import Interval, Score
from tuneworth.core.run import ArmCost, ArmResult, Counts
from tuneworth.core.task import Example, Limits
from tuneworth.core.text import Text
from tuneworth.costs.spend import arm_cost
from tuneworth.decide.limits import MAX_FAILED_SHARE, n_unscored
from tuneworth.metrics import Metric
from tuneworth.models.base import notes_of
from tuneworth.race.arms import Arm, Skipped
from tuneworth.race.runner import Entry, scores_of
from tuneworth.race.store import FitRecord
from tuneworth.stats.clusters import Clusters
from tuneworth.stats.family import MIN_PAIRS
from tuneworth.stats.final_gap import FinalGap, final_gap, paired
from tuneworth.stats.intervals import bootstrap_interval, mean_interval, quantile_bound
from tuneworth.words.say import say


def scores(
    outcomes: Sequence[Outcome], rows: Mapping[str, Example], metrics: Sequence[Metric], seed: int
) -> dict[str, Score]:
    """Every metric over the scored outcomes; nothing for an arm that scored no row. Rows of one group are not independent."""
    scored = [outcome for outcome in outcomes if outcome.status == "scored"]
    groups, found = [rows[outcome.row_id].group for outcome in scored], dict[str, Score]()
    clusters = Clusters.of(groups)
    for metric in metrics if scored else ():
        rng = np.random.default_rng([seed, zlib.crc32(metric.id.encode())])
        answers, references = [o.answer or "" for o in scored], [rows[o.row_id].references for o in scored]
        if metric.corpus:
            value = metric.prepare(answers, references)
            mean, interval = (
                value(np.arange(len(scored))),
                bootstrap_interval(value, len(scored), rng=rng, groups=groups),
            )
        else:
            values = scores_of(scored, metric.id)
            whole = metric.binary and bool(np.isin(values, (0.0, 1.0)).all())  # else means over several answers
            mean, interval = float(values.mean()), mean_interval(values, binary=whole, rng=rng, groups=groups)
        worth = None if clusters is None else len(scored) / clusters.design_effect(scores_of(scored, metric.id))
        off = metric.mean_error(answers, references)
        found[metric.id] = Score(value=mean, interval=interval, n_rows=len(scored), n_effective=worth, mean_error=off)
    return found


def counts(outcomes: Sequence[Outcome]) -> Counts:
    """Rows by status."""
    return Counts(**Counter(outcome.status for outcome in outcomes))


def cost(
    fit: FitRecord,
    outcomes: Sequence[Outcome],
    single_row_ms: Sequence[float] | None,
    machine_usd_per_hour: float | None,
    arm: Arm | None = None,
) -> ArmCost:
    """Throughput from the batches that were scored, latency from rows answered one at a time.

    Args:
        arm: whose it is. What a service answered in batches is told as single calls cost and take: who uses the arm will not
            wait for a day.
    """
    done = [outcome for outcome in outcomes if outcome.status == "scored"]
    batched = arm is not None and arm.is_batched
    if arm is not None and arm.price is not None and batched:
        done = [outcome.model_copy(update={"usd": arm.price.usd(outcome.usage)}) for outcome in done]
    priced = arm_cost(fit.spend, done, machine_usd_per_hour)
    times = single_row_ms or []
    p50, p95 = np.percentile(times, [50, 95]).tolist() if times else (None, None)
    high = quantile_bound(times, 0.95)
    update = {"latency_p50_ms": p50, "latency_p95_ms": p95, "latency_p95_high_ms": high, "latency_rows": len(times)}
    if batched:
        update["seconds_per_1k_rows"] = fmean(times) if times else None
    return priced.model_copy(update=update)


def measured_arm(entry: Entry, dev: Mapping[str, Score], price: ArmCost, *, local: bool) -> ArmResult:
    """An arm that answered its dev rows.

    Args:
        local: rows stay on this machine.
    """
    shares = any(outcome.shared for outcome in entry.dev)
    return missing_arm(entry.arm, "measured").model_copy(
        update={
            "local": local,
            "dev": dict(dev),
            "dev_counts": counts(entry.dev),
            "cost": price,
            "n_train": entry.arm.n_train,
            "solver_folder": f"arms/{entry.arm.folder_name}/solver",
            "notes": [
                *([say("arms.shares")] if shares else []),
                *entry.fit.notes,
                *notes_of(entry.arm.model, held=getattr(entry.arm.config, "constrained", False)),
            ],
            "fit_details": entry.fit.details,
            "model_ends": entry.arm.model.describe().get("shutdown_date") if entry.arm.model is not None else None,
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
            "fallback": strategy.fallback,
            "reads_documents": strategy.reads_documents,
            "state": state,
            "why": why,
        }
    )


def best_fit(fits: Sequence[Entry], metric: str, margin: float, groups: Sequence[str] = ()) -> Entry:
    """The fit on most rows, unless one on fewer is better by more than the margin for certain: more data may hurt.

    Args:
        groups: the group of each dev row, in the race's order.
    """

    def hurt(entry: Entry, smaller: Entry) -> bool:
        """Whether ``entry`` is behind on the rows that both scored, by two standard errors and the margin."""
        n = min(len(entry.dev), len(smaller.dev))
        lead = scores_of(smaller.dev[:n], metric) - scores_of(entry.dev[:n], metric)
        known = np.isfinite(lead)
        lead, clusters = lead[known], Clusters.of(list(compress(groups, known)))
        if lead.size < MIN_PAIRS:
            return False
        error = lead.std(ddof=1) / math.sqrt(lead.size) if clusters is None else clusters.error(lead)
        return float(lead.mean() - 2 * error) > margin

    by_size = sorted(fits, key=lambda entry: entry.arm.n_train or math.inf, reverse=True)
    for place, entry in enumerate(by_size):
        if not any(hurt(entry, smaller) for smaller in by_size[place + 1 :]):
            return entry
    return by_size[-1]


# -- finalists ---------------------------------------------------------------------------------------------

BEYOND_ALL = 10**9
"""Dev rows when the true difference is meant, and not that on those at hand."""


def choose_finalists(
    arms: Sequence[ArmResult],
    metric: str,
    limits: Limits,
    stopped: Mapping[str, StopReason] | None = None,
    *,
    entries: Mapping[str, Entry] | None = None,
    margin: float = 0.0,
    too_slow: Collection[str] = (),
) -> list[str]:
    """Ids of the finalists, at most three (four with documents), chosen on dev scores alone.

    An arm that on dev breaks the latency or money limit, or leaves too many rows unscored, is passed over
    while others of its kind are left: a kind of which nobody met the test rows would count as not
    measured. The best arm is the one that is ahead on the dev rows that both saw, of equals the simpler one; one that was asked
    fewer rows than another of its kind must be expected to end ahead of it by more than the margin. Then that other is a finalist
    too, and else the simplest, unless surely behind one of these by more than the margin: it could not be recommended.

    Args:
        stopped: arms that left the race early, passed over in the same way: their few rows may have been lucky. Not those
            that time stopped: they may be the best, and on fewer test rows they fit. The simplest may have been stopped, but
            neither as surely worse nor by time: the others would be asked fewer rows for it.
        entries: arm id → its fit with its dev rows; without it, dev values are compared whatever rows they are of.
        too_slow: arms that the time allows no test rows worth asking, passed over in the same way.
    """
    stopped, entries = stopped or {}, entries or {}
    behind = {arm_id for arm_id, reason in stopped.items() if reason in ("eliminated", "little_to_gain", "setting")}
    not_simplest = {arm_id for arm_id, reason in stopped.items() if reason in ("eliminated", "budget")}
    measured = [arm for arm in arms if arm.state == "measured" and not arm.yardstick and metric in arm.dev]
    kinds: dict[tuple[bool, bool], list[ArmResult]] = {}
    for arm in measured:
        kinds.setdefault((arm.tuned, arm.reads_documents), []).append(arm)
    left = [_left(kind, limits, behind, too_slow) for kind in kinds.values()]
    best = [_best(kind, metric, entries, margin) for kind in left]
    if len(kinds) <= 2:
        furthest = [_furthest(kind, metric) for kind in left]
        passed = [far for far, one in zip(furthest, best, strict=True) if _n_asked(far) > _n_asked(one)]
        rivals = [entries[arm.arm_id] for arm in (*best, *passed) if arm.arm_id in entries]
        for arm in (*passed, *sorted(_left(measured, limits, not_simplest, too_slow), key=_ladder)):
            mine = entries.get(arm.arm_id)
            if mine is None or all(gap(mine, one, metric).interval()[1] >= -margin for one in rivals):
                best.append(arm)
                break
    ids = {arm.arm_id for arm in best}
    return [arm.arm_id for arm in sorted(measured, key=_ladder) if arm.arm_id in ids]


def untested(
    arms: Sequence[ArmResult], finalists: Collection[str], entries: Mapping[str, Entry], metric: str
) -> list[Untested]:
    """Untuned arms that were not tested though they were ahead of the best untuned finalist on the dev rows that both saw."""
    usable = [arm for arm in arms if not arm.tuned and not arm.yardstick and arm.arm_id in entries]
    candidates, found = [arm for arm in usable if arm.arm_id in finalists], list[Untested]()
    if not candidates:
        return found
    tested = _best(candidates, metric, entries)
    for arm in usable:
        known = gap(entries[arm.arm_id], entries[tested.arm_id], metric)
        if arm.arm_id not in finalists and known.mean > 0 and arm.state != "failed":
            low, high = known.interval()
            n = min(len(entries[arm.arm_id].dev), len(entries[tested.arm_id].dev))
            interval = Interval(low=low, high=high, level=0.95)
            difference = known.mean
            found.append(
                Untested(arm_id=arm.arm_id, tested=tested.arm_id, n_rows=n, difference=difference, interval=interval)
            )
    return found


def best_untuned(arms: Sequence[ArmResult], metric: str) -> ArmResult | None:
    """What a tuned arm has to beat: the untuned arm with the highest dev value among those looked at furthest."""
    measured = [
        arm for arm in arms if arm.state == "measured" and not arm.tuned and not arm.yardstick and metric in arm.dev
    ]
    most = max(map(_n_asked, measured), default=0)
    looked_at = [arm for arm in measured if _n_asked(arm) == most]
    return _best(looked_at, metric, {}) if looked_at else None


def gap(a: Entry, b: Entry, metric: str, n_dev: int = BEYOND_ALL) -> FinalGap:
    """``a − b``, by the dev rows that both saw."""
    n = min(len(a.dev), len(b.dev))
    return final_gap(paired(scores_of(a.dev[:n], metric) - scores_of(b.dev[:n], metric)), n_dev)


def _left(
    arms: Sequence[ArmResult], limits: Limits, stopped: Collection[str], too_slow: Collection[str]
) -> Sequence[ArmResult]:
    """Those that keep the limits, if any does; of these those in time, if any is; of these those that were not stopped."""
    usable = [arm for arm in arms if _keeps(arm, limits)] or arms
    usable = [arm for arm in usable if arm.arm_id not in too_slow] or usable
    return [arm for arm in usable if arm.arm_id not in stopped] or usable


def _best(arms: Sequence[ArmResult], metric: str, entries: Mapping[str, Entry], margin: float = 0.0) -> ArmResult:
    """Each is held against the one with most rows, so that nobody gains by having been asked the easy ones only.

    One that saw fewer must be expected to end ahead by more than ``margin``: a lead of one row in 32 is no reason to leave
    untested what was asked them all.
    """
    base = entries.get(_furthest(arms, metric).arm_id)

    def ahead(arm: ArmResult) -> float:
        mine = entries.get(arm.arm_id)
        if mine is None or base is None:
            return arm.dev[metric].value
        return gap(mine, base, metric, len(base.dev)).mean - (margin if len(mine.dev) < len(base.dev) else 0.0)

    return min(arms, key=lambda arm: (-round(ahead(arm), 9), *_ladder(arm)))


def _furthest(arms: Sequence[ArmResult], metric: str) -> ArmResult:
    """The one that was asked most rows, of these the best."""
    return max(arms, key=lambda arm: (_n_asked(arm), arm.dev[metric].value))


def _n_asked(arm: ArmResult) -> int:
    """Dev rows, those without a score among them."""
    return arm.dev_counts.scored + n_unscored(arm.dev_counts)


def _ladder(arm: ArmResult) -> tuple[int, float, str]:
    """From the simplest: by effort, then by how much is read and written. Never by measured seconds: who is tested must
    not hang on what else the machine was doing."""
    cost = arm.cost
    return arm.effort, (cost.prompt_tokens_per_row or 0.0) + (cost.completion_tokens_per_row or 0.0), arm.arm_id


def _keeps(arm: ArmResult, limits: Limits) -> bool:
    p95, usd = arm.cost.latency_p95_ms, arm.cost.usd_per_1k_rows
    slow = limits.p95_ms is not None and p95 is not None and p95 > limits.p95_ms
    dear = limits.max_usd_per_1k is not None and usd is not None and usd > limits.max_usd_per_1k
    unscored = n_unscored(arm.dev_counts)
    broken = unscored > MAX_FAILED_SHARE * (unscored + arm.dev_counts.scored)
    return not slow and not dear and not broken

"""Which arms may see the test rows: the best tuned, the best untuned, and the simplest.

For a task with documents, the best of those that look things up and the best of those that do not: dev rows ask for
what training rows have shown, and may not tell which of the two does better on knowledge that is new (seed row X3).
The simplest has no place of its own then: four finalists take their time, and answering without documents is one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from tuneworth.core.race import StopReason
from tuneworth.core.run import ArmResult
from tuneworth.core.task import Limits
from tuneworth.decide.limits import MAX_FAILED_SHARE, n_unscored


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
    simplest = min(_staying(_usable(measured, limits), worse), key=_ladder, default=None)
    best = [_best(_staying(_usable(kind, limits), behind), metric) for kind in kinds.values()]
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


def _usable(arms: Sequence[ArmResult], limits: Limits) -> Sequence[ArmResult]:
    return [arm for arm in arms if _keeps(arm, limits)] or arms


def _staying(arms: Sequence[ArmResult], stopped: Collection[str]) -> Sequence[ArmResult]:
    return [arm for arm in arms if arm.arm_id not in stopped] or arms


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

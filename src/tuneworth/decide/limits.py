"""Which finalists may be recommended at all.

Limits are hard. What cannot be shown to keep a limit does not keep it: an unknown price or latency is
not a pass, and neither is a p95 latency whose 95 % bound is beyond it. From too few rows for a bound the measured value
decides, and the decision says that the limit is not shown to hold. The least quality is held against the measured value, not against the low end of its
interval, because that is what the limit says ("least value of the metric on the test rows"); when the
interval reaches below the limit, the decision says so.
"""

from __future__ import annotations

from tuneworth.core.run import ArmResult, Counts
from tuneworth.core.task import Limits
from tuneworth.decide.reason import Reason

MAX_FAILED_SHARE = 0.05
"""An arm that leaves more than this share of its test rows without a score is not usable."""


def breaches(arm: ArmResult, limits: Limits, metric: str) -> list[Reason]:
    """Why a finalist may not be recommended; empty when it may.

    Args:
        metric: the primary metric, which ``min_quality`` is about.
    """
    found = list[Reason]()
    if limits.private and not arm.local and not (arm.model is None and arm.local is None):
        found.append(Reason("limits.private_unknown" if arm.local is None else "limits.private"))
    p95, high = arm.cost.latency_p95_ms, arm.cost.latency_p95_high_ms
    if limits.p95_ms is not None and p95 is None:
        found.append(Reason("limits.latency_unknown", limit_ms=limits.p95_ms))
    elif limits.p95_ms is not None and p95 is not None and p95 > limits.p95_ms:
        found.append(Reason("limits.latency", measured_ms=p95, limit_ms=limits.p95_ms))
    elif limits.p95_ms is not None and p95 is not None and high is not None and high > limits.p95_ms:
        n = arm.cost.latency_rows
        found.append(Reason("useless.p95.may_break", measured_ms=p95, high_ms=high, n=n, limit_ms=limits.p95_ms))
    price = arm.cost.usd_per_1k_rows
    if limits.max_usd_per_1k is not None and price is None:
        found.append(Reason("limits.price_unknown", limit_usd=limits.max_usd_per_1k))
    elif limits.max_usd_per_1k is not None and price is not None and price > limits.max_usd_per_1k:
        found.append(Reason("limits.price", measured_usd=price, limit_usd=limits.max_usd_per_1k))
    value = arm.test[metric].value
    if limits.min_quality is not None and value < limits.min_quality:
        found.append(Reason("limits.quality", score=value, limit_score=limits.min_quality))
    if leaves_rows_unanswered(arm.test_counts):
        unscored = n_unscored(arm.test_counts)
        n = unscored + arm.test_counts.scored
        found.append(Reason("limits.unanswered", unscored=unscored, n=n, share=MAX_FAILED_SHARE))
    return found


def n_unscored(counts: Counts) -> int:
    return counts.failed + counts.refused + counts.over_limit


def leaves_rows_unanswered(counts: Counts) -> bool:
    """Too many rows have no score: no limit that anybody set, but the arm is not usable either."""
    unscored = n_unscored(counts)
    return unscored > MAX_FAILED_SHARE * (unscored + counts.scored)

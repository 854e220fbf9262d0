"""Which finalists may be recommended at all.

Limits are hard. What cannot be shown to keep a limit does not keep it: an unknown price or latency is
not a pass. The least quality is held against the measured value, not against the low end of its
interval, because that is what the limit says ("least value of the metric on the test rows"); when the
interval reaches below the limit, the decision says so.
"""

from __future__ import annotations

from tuneworth.core.run import ArmResult, Counts
from tuneworth.core.task import Limits
from tuneworth.core.text import Text
from tuneworth.decide.phrases import say
from tuneworth.words.numbers import milliseconds, percent, usd

MAX_FAILED_SHARE = 0.05
"""An arm that leaves more than this share of its test rows without a score is not usable."""


def breaches(arm: ArmResult, limits: Limits, metric: str) -> list[Text]:
    """Why a finalist may not be recommended; empty when it may.

    Args:
        metric: the primary metric, which ``min_quality`` is about.
    """
    found = [
        _privacy(arm, limits),
        _latency(arm.cost.latency_p95_ms, limits.p95_ms),
        _price(arm.cost.usd_per_1k_rows, limits.max_usd_per_1k),
        _quality(arm.test[metric].value, limits.min_quality),
        _failures(arm.test_counts),
    ]
    return [breach for breach in found if breach is not None]


def n_unscored(counts: Counts) -> int:
    return counts.failed + counts.refused + counts.over_limit


def leaves_rows_unanswered(counts: Counts) -> bool:
    """Too many rows have no score: no limit that anybody set, but the arm is not usable either."""
    unscored = n_unscored(counts)
    return unscored > MAX_FAILED_SHARE * (unscored + counts.scored)


def _privacy(arm: ArmResult, limits: Limits) -> Text | None:
    if not limits.private or arm.local or (arm.model is None and arm.local is None):
        return None
    if arm.local is None:
        return Text(
            en="it is not recorded whether its rows stay on this machine, and the task is private",
            zh="没有记录它是否会把数据发往外部，而任务要求数据不出本机",
        )
    return Text(
        en="it sends rows off this machine, and the task is private",
        zh="它会把数据发往外部，而任务要求数据不出本机",
    )


def _latency(measured: float | None, limit: float | None) -> Text | None:
    if limit is None or (measured is not None and measured <= limit):
        return None
    if measured is None:
        return say(
            "its p95 latency is not known, so it cannot be shown to keep the limit of {limit}",
            "它的 p95 延迟未知，无法证明满足 {limit} 的限制",
            limit=milliseconds(limit),
        )
    return say(
        "its p95 latency is {measured}, the limit is {limit}",
        "它的 p95 延迟为 {measured}，超过 {limit} 的限制",
        measured=milliseconds(measured),
        limit=milliseconds(limit),
    )


def _price(measured: float | None, limit: float | None) -> Text | None:
    if limit is None or (measured is not None and measured <= limit):
        return None
    if measured is None:
        return say(
            "its price per 1,000 rows is not known, so it cannot be shown to keep the limit of {limit}",
            "它每千条的费用未知，无法证明满足 {limit} 的限制",
            limit=usd(limit),
        )
    return say(
        "1,000 rows cost {measured}, the limit is {limit}",
        "它每千条的费用为 {measured}，超过 {limit} 的限制",
        measured=usd(measured),
        limit=usd(limit),
    )


def _quality(measured: float, limit: float | None) -> Text | None:
    if limit is None or measured >= limit:
        return None
    return say(
        "it scores {measured}, the least allowed is {limit}",
        "它的得分为 {measured}，低于 {limit} 的最低要求",
        measured=percent(measured),
        limit=percent(limit),
    )


def _failures(counts: Counts) -> Text | None:
    if not leaves_rows_unanswered(counts):
        return None
    unscored = n_unscored(counts)
    return say(
        "it gave no usable answer on {unscored} of {total} test rows, more than {share}",
        "它在 {total} 条测试数据中有 {unscored} 条没有给出可用的答案，超过 {share}",
        unscored=unscored,
        total=unscored + counts.scored,
        share=percent(MAX_FAILED_SHARE),
    )

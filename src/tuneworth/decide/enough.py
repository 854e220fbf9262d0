"""Row X4 of the seed article: how many rows are enough? The rules of thumb name anything from 50 to 100,000.

A learning curve settles it for one task and one pair of arms, when it can. Settled means ``confirmed``: a number of
rows with its interval; a gain that was measured, so that the rows at hand are enough; or that no number within
reach is. A weak forecast leaves it open, and says what it saw.
"""

from __future__ import annotations

from typing import Literal

from tuneworth.core.race import ForecastCrossing
from tuneworth.core.text import Text
from tuneworth.decide.evidence import Evidence
from tuneworth.decide.outlook import Outlook
from tuneworth.decide.phrases import say
from tuneworth.decide.ruling import Ruling
from tuneworth.words.numbers import about, points

Finding = Literal["confirmed", "overturned", "open"]
Winner = Literal["tuned", "untuned", "open"]


def enough_rows(evidence: Evidence, ruling: Ruling, winner: Winner, numbers: Text) -> tuple[Finding, Text]:
    """The finding and the sentence that says why.

    Args:
        winner: of the best tuned against the best untuned finalist.
        numbers: their scores and difference, in words.
    """
    outlook = ruling.outlook
    seen = say(
        "{n} training rows: {numbers}.",
        "训练数据 {n} 条：{numbers}。",
        n=outlook.n_used if outlook is not None else evidence.n_train,
        numbers=numbers,
    )
    if outlook is None or outlook.forecast is None or outlook.forecast.crossing is None:
        target = _other_target(evidence, ruling)
        return "open", _one_point(seen) if target is None else _another_curve(seen, target)
    met = outlook.forecast.crossing
    if winner == "tuned":
        return "confirmed", _rows_at_hand(evidence, seen, met, outlook.n_used)
    if outlook.sure:
        return "confirmed", _so_many(evidence, seen, met)
    if outlook.never and winner == "untuned":
        return "confirmed", _no_number(evidence, seen, outlook)
    return "open", _too_weak(seen)


def _other_target(evidence: Evidence, ruling: Ruling) -> Text | None:
    """What the tuned arm's learning curve was measured against, where that is not the untuned arm of the verdict."""
    tuned, untuned = ruling.tuned, ruling.untuned
    if tuned is None or untuned is None:
        return None
    drawn = [curve.target for curve in evidence.forecasts if (curve.arm_id, curve.axis) == (tuned.arm_id, "rows")]
    return next(
        (evidence.names[target] for target in drawn if target in evidence.names and target != untuned.arm_id), None
    )


def _another_curve(seen: Text, target: Text) -> Text:
    return say(
        "{seen} The learning curve was measured against another arm, {target}, and does not answer this.",
        "{seen}学习曲线是对照{target}推算的，回答不了这个问题。",
        seen=seen,
        target=target,
    )


def _one_point(seen: Text) -> Text:
    return say(
        "{seen} One amount of data is one point of the learning curve; no threshold follows from it.",
        "{seen}一种数据量只是学习曲线上的一个点，推不出门槛。",
        seen=seen,
    )


def _rows_at_hand(evidence: Evidence, seen: Text, met: ForecastCrossing, n_used: int) -> Text:
    """The gain was measured; where it began, the curve may tell."""
    if met.n is None or met.n > n_used:
        return say("{seen} These rows are enough here.", "{seen}这些数据在这里已经够用。", seen=seen)
    return say(
        "{seen} These rows are enough here; by the curve the lead of {margin} begins at about {n}.",
        "{seen}这些数据在这里已经够用；从曲线看，大约从 {n} 条起就能领先 {margin}。",
        seen=seen,
        n=about(met.n),
        margin=points(evidence.task.margin),
    )


def _so_many(evidence: Evidence, seen: Text, met: ForecastCrossing) -> Text:
    assert met.n is not None
    assert met.high is not None
    return say(
        "{seen} By the learning curve, about {n} rows in all ({level}\u00a0% interval {low} to {high}) are enough here for a lead of "
        "{margin}; another task has another number.",
        "{seen}按学习曲线推算，这里总共约需 {n} 条（{level}% 区间 {low} 到 {high} 条）才能领先 {margin}；换个任务，数字就不同。",
        seen=seen,
        n=about(met.n),
        level=f"{100 * met.level:.0f}",
        low=about(met.low if met.low is not None else met.n),
        high=about(met.high),
        margin=points(evidence.task.margin),
    )


def _no_number(evidence: Evidence, seen: Text, outlook: Outlook) -> Text:
    assert outlook.forecast is not None
    return say(
        "{seen} By the learning curve no number up to {reach} rows is enough here for a lead of {margin}: more data is not "
        "what is missing.",
        "{seen}按学习曲线推算，即使增加到 {reach} 条，也不足以领先 {margin}：缺的不是数据。",
        seen=seen,
        reach=about(100 * max(point.n for point in outlook.forecast.points)),
        margin=points(evidence.task.margin),
    )


def _too_weak(seen: Text) -> Text:
    return say(
        "{seen} The learning curve does not say surely enough how many rows are enough.",
        "{seen}学习曲线还不足以确定多少条才够。",
        seen=seen,
    )

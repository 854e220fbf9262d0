"""Where an arm that looks things up loses: in reading or in retrieval, and what follows from it.

`LossSplit` has two parts, each with its own interval. One is called the larger when the intervals do not overlap. That
asks for more than a difference that is sure at the same level, and holds however the two estimates depend on one another:
the standard error of a difference is never more than the sum of both. A part counts when all of its interval is at least
the margin. What is neither sure nor small is ``unclear``.

What finding or reading better would win is measured on the rows at hand; that rows whose passage is hard to find are as
easy to read as the others is an assumption, and said.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from tuneworth.core.knowledge import LossSplit, Share
from tuneworth.core.record import Score
from tuneworth.core.run import ArmResult
from tuneworth.decide.evidence import Evidence
from tuneworth.decide.outlook import incomplete, unfinished
from tuneworth.decide.reason import Reason, ReasonPart
from tuneworth.decide.ruling import Ruling
from tuneworth.stats.family import MIN_PAIRS
from tuneworth.stats.intervals import wilson

LossCause = Literal["reading", "retrieval", "both", "little", "never_found", "unclear"]

FARTHEST = 100
"""More rows than this many times those at hand are no reasonable number."""
FINDS = 0.8
"""Retrieval is said to find the passage when it surely does for more than this share of the rows."""


@dataclass(frozen=True)
class Diagnosis:
    """Where an arm loses.

    Attributes:
        reader_is_fine: what is lost in reading is surely less than the margin.
        rows: how many more rows would probably tell, when it is unclear and a reasonable number would.
    """

    split: LossSplit
    cause: LossCause
    reader_is_fine: bool = False
    rows: int | None = None


def diagnosis_of(evidence: Evidence, arm: ArmResult | None) -> Diagnosis | None:
    """Where ``arm`` loses; ``None`` for an arm that looks nothing up, or whose passages cannot be judged."""
    found = evidence.documents.losses if evidence.documents is not None and arm is not None else []
    split = next((split for split in found if arm is not None and split.arm_id == arm.arm_id), None)
    return diagnose(split, evidence.task.margin) if split is not None else None


def diagnose(split: LossSplit, margin: float) -> Diagnosis:
    """What the intervals of ``split`` allow to say."""
    cause = _cause(split, margin)
    return Diagnosis(
        split=split,
        cause=cause,
        reader_is_fine=cause not in ("never_found", "unclear") and split.reading.interval.high < margin,
        rows=_rows_to_tell(split, margin) if cause == "unclear" else None,
    )


def _cause(split: LossSplit, margin: float) -> LossCause:
    if split.n_rows < MIN_PAIRS:
        return "unclear"
    if split.n_found == 0:
        return "never_found"
    reading, retrieval = split.reading.interval, split.retrieval.interval
    if max(reading.high, retrieval.high) < margin:
        return "little"
    if reading.low > retrieval.high and reading.low >= margin:
        return "reading"
    if retrieval.low > reading.high and retrieval.low >= margin:
        return "retrieval"
    return "both" if min(reading.low, retrieval.low) >= margin else "unclear"


def _rows_to_tell(split: LossSplit, margin: float) -> int | None:
    """Intervals shrink with the root of the number of rows; the least number that leads to any answer."""

    def below(part: Share) -> float:
        return part.value - part.interval.low

    def above(part: Share) -> float:
        return part.interval.high - part.value

    def times(width: float, distance: float) -> float:  # narrower ``width`` must be to fit into ``distance``
        return width / distance if distance > 0 else math.inf

    larger, smaller = sorted((split.reading, split.retrieval), key=lambda part: -part.value)
    apart = below(larger) + above(smaller)
    ways = [
        max(times(apart, larger.value - smaller.value), times(below(larger), larger.value - margin)),
        max(times(below(larger), larger.value - margin), times(below(smaller), smaller.value - margin)),
        max(times(above(larger), margin - larger.value), times(above(smaller), margin - smaller.value)),
    ]
    total = split.n_rows * min(ways) ** 2
    if total > FARTHEST * split.n_rows:
        return None
    return max(1, math.ceil(total) - split.n_rows, MIN_PAIRS - split.n_rows)


# -- why ---------------------------------------------------------------------------------------------------


def loss_reasons(evidence: Evidence, ruling: Ruling) -> list[Reason]:
    """Of the best reader that is not trained; and of a trained one that is recommended, what it still loses."""
    chosen = ruling.recommended
    arms = [evidence.best_reader(tuned=False) or evidence.best_reader()]
    if chosen is not None and chosen.reads_documents and chosen not in arms:
        arms.append(chosen)
    found = [(arm, diagnosis_of(evidence, arm)) for arm in arms if arm is not None]
    return [_loss(evidence, arm, diagnosis) for arm, diagnosis in found if diagnosis is not None]


def _loss(evidence: Evidence, arm: ArmResult, diagnosis: Diagnosis) -> Reason:
    split, k = diagnosis.split, arm.config.get("k")
    parts: dict[str, ReasonPart] = {
        "arm": arm,
        "n": split.n_rows,
        "stage": Reason(f"reasons.stage.{split.stage}"),
        "right": Reason(f"reasons.right.{split.judge}"),
    }
    if diagnosis.cause == "never_found":
        return Reason("reasons.loss.never_found", **parts)
    interval = split.found or wilson(split.n_found, split.n_rows)
    shown = Score(value=split.n_found / split.n_rows, interval=interval, n_rows=split.n_rows)
    lead = diagnosis.cause
    if lead == "reading" and interval.low >= FINDS:
        lead = "misread"
    elif lead == "retrieval" and diagnosis.reader_is_fine:
        lead = "reader_is_fine"
    return Reason(
        "reasons.loss.split",
        lead=Reason(f"reasons.loss.lead.{lead}"),
        share=shown,
        at=Reason("reasons.loss.recall_at", k=k) if isinstance(k, int) else None,
        reading=split.reading,
        retrieval=split.retrieval,
        next=_next(evidence, arm, diagnosis),
        **parts,
    )


def _next(evidence: Evidence, arm: ArmResult, diagnosis: Diagnosis) -> Reason | None:
    """What follows from it, as far as it was measured."""
    if diagnosis.cause == "unclear":
        if diagnosis.rows is None:
            return Reason("reasons.next.no_number")
        stage = Reason(f"reasons.stage.{diagnosis.split.stage}")
        return Reason("reasons.next.more_rows", rows=diagnosis.rows, stage=stage)
    if diagnosis.cause not in ("reading", "both"):
        return None
    if arm.tuned:
        return Reason("reasons.next.trained_already")
    trained = evidence.best_reader(tuned=True)
    if trained is None:
        return Reason("reasons.next.not_trained")
    pair = evidence.between(trained, arm)
    if evidence.shows_gain(trained, arm):
        return Reason("reasons.next.train", trained=trained, gain=pair.difference, interval=pair.interval)
    if incomplete(evidence, trained):
        return Reason("reasons.next.not_known", why=unfinished(evidence, trained))
    return Reason(
        "reasons.next.did_not_mend" if evidence.rules_out_gain(trained, arm) else "reasons.next.not_settled",
        trained=trained,
        arm=arm,
        difference=pair.difference,
        interval=pair.interval,
    )


# -- what would change the verdict -------------------------------------------------------------------------


def reading_changes(evidence: Evidence, ruling: Ruling) -> list[Reason]:
    """Whether perfect search alone could catch up with tuning; what the recommended reader could still win."""
    pair, rival, found = ruling.pair, ruling.untuned, list[Reason]()
    diagnosis = diagnosis_of(evidence, rival)
    if ruling.case == "gain" and pair is not None and diagnosis is not None:
        won = diagnosis.split.retrieval
        parts: dict[str, ReasonPart] = {"rival": rival, "won": won, "gain": pair.difference}
        if won.interval.high < pair.interval.low:
            found.append(Reason("would_change.retrieval.not_alone", interval=pair.interval, **parts))
        else:
            found.append(Reason("would_change.retrieval.may", **parts))
    chosen = ruling.recommended
    arm = chosen if chosen is not None and chosen.reads_documents else evidence.best_reader()
    diagnosis = diagnosis_of(evidence, arm)
    if diagnosis is None or diagnosis.cause in ("never_found", "little"):
        return found
    won, lost, oracle = diagnosis.split.retrieval, diagnosis.split.reading, diagnosis.split.oracle
    if won.interval.low > 0 and won.value >= evidence.task.margin:
        found.append(Reason("would_change.retrieval.could_lift", arm=arm, won=won))
    if lost.interval.low >= evidence.task.margin:
        alone = Reason("would_change.reader_alone", oracle=oracle) if oracle is not None else None
        found.append(Reason("would_change.better_reader", arm=arm, lost=lost, alone=alone))
    return found

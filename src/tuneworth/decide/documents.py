"""What the findings about documents come to: where the loss lies, and whose score lasts when knowledge changes.

**Where the loss lies.** `LossSplit` has two parts, each with its own interval. One is called the larger when the
intervals do not overlap. That asks for more than a difference that is sure at the same level, and holds however the
two estimates depend on one another: the standard error of a difference is never more than the sum of both. A part
counts when all of its interval is at least the margin. What is neither sure nor small is ``unclear``.

**Whose score lasts.** An arm that learned the answers by heart, and must be trained again to know of new documents, can
only be held against arms that look things up on rows that ask for something new. So when the task says that knowledge
changes (``updates.knowledge_every_days``):

- with at least 20 test rows on new knowledge the comparison on the test rows stays the judge: they are the questions
  that the task's owner wants answered, in the mix that he chose;
- else the score of such an arm is shown for old knowledge only (`only_old`). It stands behind the others, and a lead of
  it decides nothing: the verdict is ``cant_tell``, not ``dont_fine_tune``, as nothing was measured against it either.
  Whoever retrains after every change may still want it, and test rows on new knowledge tell him.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from tuneworth.core.knowledge import Age, AgeScore, Grounding, Injection, LossSplit, Share, UpdateCost
from tuneworth.core.run import ArmResult
from tuneworth.decide.evidence import Evidence
from tuneworth.stats.family import MIN_PAIRS

Cause = Literal["reading", "retrieval", "both", "little", "never_found", "unclear"]

REACH = 100
"""More rows than this many times those at hand are no reasonable number."""


@dataclass(frozen=True)
class Diagnosis:
    """Where an arm loses.

    Attributes:
        reader_is_fine: what is lost in reading is surely less than the margin.
        rows: how many more rows would probably tell, when it is unclear and a reasonable number would.
    """

    split: LossSplit
    cause: Cause
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


def _cause(split: LossSplit, margin: float) -> Cause:
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
    larger, smaller = sorted((split.reading, split.retrieval), key=lambda part: -part.value)
    below, apart = _below(larger), _below(larger) + _above(smaller)
    ways = [
        max(_times(apart, larger.value - smaller.value), _times(below, larger.value - margin)),
        max(_times(below, larger.value - margin), _times(_below(smaller), smaller.value - margin)),
        max(_times(_above(larger), margin - larger.value), _times(_above(smaller), margin - smaller.value)),
    ]
    total = split.n_rows * min(ways) ** 2
    if total > REACH * split.n_rows:
        return None
    return max(1, math.ceil(total) - split.n_rows, MIN_PAIRS - split.n_rows)


def _below(part: Share) -> float:
    return part.value - part.interval.low


def _above(part: Share) -> float:
    return part.interval.high - part.value


def _times(width: float, distance: float) -> float:
    """How many times narrower ``width`` must be to fit into ``distance``."""
    return width / distance if distance > 0 else math.inf


# -- arms --------------------------------------------------------------------------------------------------


def best_reader(evidence: Evidence, *, tuned: bool | None = None) -> ArmResult | None:
    """The best finalist that looks things up; of both kinds, or only trained or untrained readers."""
    readers = (arm for arm in evidence.finalists if arm.reads_documents)
    return next((arm for arm in readers if tuned in (None, arm.tuned)), None)


def best_closed_book(evidence: Evidence) -> ArmResult | None:
    """The best tuned finalist that answers by heart."""
    return next((arm for arm in evidence.finalists if arm.tuned and not arm.reads_documents), None)


def in_order(evidence: Evidence) -> list[ArmResult]:
    """Finalists that keep every limit, best first; those whose score is shown for old knowledge only come last."""
    return sorted(evidence.eligible, key=lambda arm: only_old(evidence, arm))


# -- knowledge that changes --------------------------------------------------------------------------------


def only_old(evidence: Evidence, arm: ArmResult) -> bool:
    """Knowledge changes, ``arm`` learned it by heart, and too few test rows ask for anything new."""
    known = evidence.documents
    if known is None or known.knowledge_every_days is None or not learned_by_heart(evidence, arm):
        return False
    new = age_of(evidence, arm, "new")
    return new is None or "test" not in new.stages or new.score.n_rows < MIN_PAIRS


def learned_by_heart(evidence: Evidence, arm: ArmResult) -> bool:
    """It must be trained again to know of new documents."""
    cost = update_of(evidence, arm)
    return cost.absorbs == "retrain" if cost is not None else arm.tuned and not arm.reads_documents


def age_of(evidence: Evidence, arm: ArmResult, age: Age) -> AgeScore | None:
    scores = evidence.documents.ages if evidence.documents is not None else []
    return next((score for score in scores if (score.arm_id, score.age) == (arm.arm_id, age)), None)


def behind_on_new(evidence: Evidence, arm: ArmResult, other: ArmResult) -> bool | None:
    """Whether ``arm`` surely does worse than ``other`` on new knowledge: the intervals do not overlap.

    Returns:
        ``None`` where the two did not meet the same side, or too few rows of it.
    """
    a, b = age_of(evidence, arm, "new"), age_of(evidence, other, "new")
    if a is None or b is None or a.stages != b.stages or min(a.score.n_rows, b.score.n_rows) < MIN_PAIRS:
        return None
    return a.score.interval.high < b.score.interval.low


def update_of(evidence: Evidence, arm: ArmResult) -> UpdateCost | None:
    costs = evidence.documents.updates if evidence.documents is not None else []
    return next((cost for cost in costs if cost.arm_id == arm.arm_id), None)


# -- trust -------------------------------------------------------------------------------------------------


def grounding_of(evidence: Evidence, arm: ArmResult) -> Grounding | None:
    found = evidence.documents.grounding if evidence.documents is not None else []
    return next((one for one in found if one.arm_id == arm.arm_id), None)


def injection_of(evidence: Evidence, arm: ArmResult) -> Injection | None:
    found = evidence.documents.injection if evidence.documents is not None else []
    return next((one for one in found if one.arm_id == arm.arm_id), None)

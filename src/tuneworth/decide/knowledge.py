"""Knowledge that changes: whose score lasts, and what it costs to keep up.

An arm that learned the answers by heart, and must be trained again to know of new documents, can only be held against
arms that look things up on rows that ask for something new. So when the task says that knowledge changes
(``updates.knowledge_every_days``):

- with at least 20 test rows on new knowledge the comparison on the test rows stays the judge: they are the questions
  that the task's owner wants answered, in the mix that he chose;
- else the score of such an arm is shown for old knowledge only (`only_old`). It stands behind the others, and a lead of
  it decides nothing: the verdict is ``cant_tell``, not ``dont_fine_tune``, as nothing was measured against it either.
  Whoever retrains after every change may still want it, and test rows on new knowledge tell him.
"""

from __future__ import annotations

from collections.abc import Sequence

from tuneworth.core.knowledge import Age, AgeScore, UpdateCost
from tuneworth.core.run import ArmResult
from tuneworth.decide.evidence import Evidence
from tuneworth.decide.reason import Reason
from tuneworth.stats.family import MIN_PAIRS


def lasting_first(evidence: Evidence) -> list[ArmResult]:
    """Finalists that keep every limit, best first; those whose score is shown for old knowledge only come last."""
    return sorted(evidence.eligible, key=lambda arm: only_old(evidence, arm))


def only_old(evidence: Evidence, arm: ArmResult) -> bool:
    """Knowledge changes, ``arm`` learned it by heart, and too few test rows ask for anything new."""
    if evidence.every_days is None or not learned_by_heart(evidence, arm):
        return False
    new = _age_of(evidence, arm, "new")
    return new is None or "test" not in new.stages or new.score.n_rows < MIN_PAIRS


def learned_by_heart(evidence: Evidence, arm: ArmResult) -> bool:
    """It must be trained again to know of new documents."""
    cost = update_of(evidence, arm)
    return cost.absorbs == "retrain" if cost is not None else arm.tuned and not arm.reads_documents


def update_of(evidence: Evidence, arm: ArmResult | None) -> UpdateCost | None:
    costs = evidence.documents.updates if evidence.documents is not None and arm is not None else []
    return next((cost for cost in costs if arm is not None and cost.arm_id == arm.arm_id), None)


def _age_of(evidence: Evidence, arm: ArmResult, age: Age) -> AgeScore | None:
    scores = evidence.documents.ages if evidence.documents is not None else []
    return next((score for score in scores if (score.arm_id, score.age) == (arm.arm_id, age)), None)


# -- why ---------------------------------------------------------------------------------------------------


def every(evidence: Evidence) -> Reason:
    """``every 7 days``, of a task that says how often its documents change."""
    days = evidence.every_days
    assert days is not None
    return Reason("reasons.every.day") if days == 1 else Reason("reasons.every.days", days=days)


def by_heart_reasons(evidence: Evidence) -> list[Reason]:
    """Arms whose score is shown for old knowledge only, which nobody should take for the score to come."""
    arms = [arm for arm in evidence.finalists if only_old(evidence, arm)]
    return [Reason("reasons.by_heart", every=every(evidence), arms=arms)] if arms else []


def age_reasons(evidence: Evidence, recommended: ArmResult | None) -> list[Reason]:
    """Scores on new and on old knowledge, and who is surely behind on new."""
    closed, reader = evidence.best_closed_book(), evidence.best_reader()
    found = list[Reason]()
    for arm in _unique([recommended, closed, reader]):
        new, old = _age_of(evidence, arm, "new"), _age_of(evidence, arm, "old")
        if new is not None:
            then = Reason("reasons.age.on_old", old=_on_rows(old)) if old is not None else None
            found.append(Reason("reasons.age.on_new", arm=arm, new=_on_rows(new), old=then))
    if closed is not None and reader is not None and _behind_on_new(evidence, closed, reader):
        mind = Reason("reasons.age.mind_the_mix") if recommended is closed else None
        found.append(Reason("reasons.age.behind", closed=closed, reader=reader, mind=mind))
    return found


def _on_rows(age: AgeScore) -> Reason:
    stage = Reason(f"reasons.stage.{age.stages[0]}") if age.stages else None
    return Reason("reasons.age.on_rows", score=age.score, n=age.score.n_rows, stage=stage)


def _behind_on_new(evidence: Evidence, arm: ArmResult, other: ArmResult) -> bool:
    """Whether ``arm`` surely does worse than ``other`` on new knowledge: on the same side, the intervals do not overlap."""
    a, b = _age_of(evidence, arm, "new"), _age_of(evidence, other, "new")
    if a is None or b is None or a.stages != b.stages or min(a.score.n_rows, b.score.n_rows) < MIN_PAIRS:
        return False
    return a.score.interval.high < b.score.interval.low


def update_reasons(
    evidence: Evidence, recommended: ArmResult | None, *of_the_verdict: ArmResult | None
) -> list[Reason]:
    """What it costs to keep up with documents that change, for each kind of arm."""
    if evidence.every_days is None:
        return []
    heart = next((arm for arm in evidence.finalists if learned_by_heart(evidence, arm)), None)
    arms = _unique([recommended, evidence.best_reader(), heart, *of_the_verdict])
    costs = list[Reason]()
    for arm in arms:
        cost = update_of(evidence, arm)
        if cost is None:
            continue
        if cost.absorbs == "nothing":
            costs.append(Reason("reasons.update.nothing", arm=arm))
            continue
        price = Reason("reasons.update.unknown")
        if cost.seconds is not None:
            price = _price(cost.seconds, cost.usd)
            if cost.runs_per_year is not None:
                runs = cost.runs_per_year
                year = _price(runs * cost.seconds, runs * cost.usd if cost.usd is not None else None)
                price = Reason("reasons.update.per_year", once=price, runs=runs, year=year)
        code = "reasons.update.index" if cost.absorbs == "index" else "reasons.update.retrain"
        costs.append(Reason(code, arm=arm, price=price))
    return [Reason("reasons.update.each", every=every(evidence), costs=costs)] if costs else []


def _price(seconds: float, usd: float | None) -> Reason:
    if usd is None:
        return Reason("reasons.update.time", time=seconds)
    return Reason("reasons.update.time_and_money", time=seconds, usd=usd)


def _unique(arms: Sequence[ArmResult | None]) -> list[ArmResult]:
    return list({arm.arm_id: arm for arm in arms if arm is not None}.values())


# -- what would change the verdict -------------------------------------------------------------------------


def newer_rows(evidence: Evidence, tuned: ArmResult | None) -> list[Reason]:
    """What an arm that learned by heart would have to be tested on."""
    if tuned is None or not only_old(evidence, tuned):
        return []
    return [Reason("would_change.newer_rows", n=MIN_PAIRS, arm=tuned, every=every(evidence))]


def pace_of_change(evidence: Evidence, recommended: ArmResult | None) -> list[Reason]:
    """An arm that learned by heart, of a task that does not say whether its documents change."""
    if recommended is None or evidence.documents is None or evidence.every_days is not None:
        return []
    if not recommended.tuned or recommended.reads_documents:
        return []
    return [Reason("would_change.pace_of_change", arm=recommended)]

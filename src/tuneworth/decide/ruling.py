"""The verdict and the arms to use, before any words.

T is the best tuned finalist that keeps the limits, U the best untuned one. "Tuned" means that the
weights of a language model were changed: logistic regression on embeddings is untuned.

| measured | verdict |
|---|---|
| no finalist keeps the limits | ``none_meets_limits`` |
| T is better than U | ``fine_tune`` |
| T cannot be better than U by the margin | ``dont_fine_tune``: simpler wins ties |
| the same, but T's training was cut by the budget before it saw every row once | ``cant_tell``: train longer |
| neither | ``cant_tell`` with the rows that would settle it |
| only tuned arms keep the limits | ``fine_tune`` |
| the tuned finalist breaks a limit, an untuned one does not | ``dont_fine_tune`` |
| tuning was not measured, and U leaves less than the margin to gain | ``dont_fine_tune`` |
| tuning (or everything else) was not measured | ``cant_tell``, without a number of rows |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tuneworth.core.run import ArmResult, Comparison, Verdict
from tuneworth.decide.evidence import Evidence

Case = Literal[
    "nothing_eligible",
    "gain",
    "no_gain",
    "open",
    "training_cut",
    "only_tuned_eligible",
    "tuned_breaks_limits",
    "no_room",
    "tuned_not_measured",
    "untuned_not_measured",
]

VERDICTS: dict[Case, Verdict] = {
    "nothing_eligible": "none_meets_limits",
    "gain": "fine_tune",
    "no_gain": "dont_fine_tune",
    "open": "cant_tell",
    "training_cut": "cant_tell",
    "only_tuned_eligible": "fine_tune",
    "tuned_breaks_limits": "dont_fine_tune",
    "no_room": "dont_fine_tune",
    "tuned_not_measured": "cant_tell",
    "untuned_not_measured": "cant_tell",
}


@dataclass(frozen=True)
class Ruling:
    """What the evidence comes to.

    Attributes:
        tuned, untuned: T and U; where none keeps the limits, the best that was tested.
        pair: T against U, where both were tested.
        rows: how many more test rows would settle an open comparison.
    """

    case: Case
    tuned: ArmResult | None
    untuned: ArmResult | None
    pair: Comparison | None
    recommended: ArmResult | None
    runner_up: ArmResult | None
    rows: int | None

    @property
    def verdict(self) -> Verdict:
        return VERDICTS[self.case]


def rule(evidence: Evidence) -> Ruling:
    """Apply the table above."""
    eligible = evidence.eligible
    tuned = _first(eligible, evidence.finalists, tuned=True)
    untuned = _first(eligible, evidence.finalists, tuned=False)
    case = _case(evidence, tuned, untuned)
    pair = evidence.between(tuned, untuned) if tuned is not None and untuned is not None else None
    recommended = _recommended(evidence, case)
    others = [arm for arm in eligible if arm is not recommended]
    return Ruling(
        case=case,
        tuned=tuned,
        untuned=untuned,
        pair=pair,
        recommended=recommended,
        runner_up=others[0] if others else None,
        rows=_more_rows(pair) if case == "open" and pair is not None else None,
    )


def _first(eligible: Sequence[ArmResult], finalists: Sequence[ArmResult], *, tuned: bool) -> ArmResult | None:
    """The best of the kind among the eligible, else among all finalists."""
    return next((arm for arm in [*eligible, *finalists] if arm.tuned == tuned), None)


def _case(evidence: Evidence, tuned: ArmResult | None, untuned: ArmResult | None) -> Case:
    eligible = evidence.eligible
    if not eligible:
        return "nothing_eligible"
    if tuned is None or untuned is None:
        return _one_sided(evidence, untuned)
    if tuned not in eligible:
        return "tuned_breaks_limits"
    if untuned not in eligible:
        return "only_tuned_eligible"
    if evidence.shows_gain(tuned, untuned):
        return "gain"
    if not evidence.rules_out_gain(tuned, untuned):
        return "open"
    room = 1 - evidence.score(untuned).interval.low
    return "training_cut" if cut_short(tuned) and room >= evidence.task.margin else "no_gain"


def cut_short(arm: ArmResult) -> bool:
    """Whether time ran out before the training had seen every row once: a loss then says little of tuning."""
    return arm.fit_details.get("stopped") == "time" and float(arm.fit_details.get("epochs", 0.0)) < 1


def _one_sided(evidence: Evidence, untuned: ArmResult | None) -> Case:
    if untuned is None:
        return "untuned_not_measured"
    room = 1 - evidence.score(untuned).interval.low
    return "no_room" if room < evidence.task.margin else "tuned_not_measured"


def _recommended(evidence: Evidence, case: Case) -> ArmResult | None:
    """The simplest arm that is good enough, on the side that the verdict names.

    Good enough: the best eligible arm cannot be better by the margin. While the verdict is open,
    whatever cannot be told apart from the best will do in the meantime.
    """
    eligible = evidence.eligible
    if not eligible:
        return None
    best = eligible[0]
    verdict = VERDICTS[case]
    sides = {"fine_tune": [True], "dont_fine_tune": [False]}.get(verdict, [True, False])
    candidates = [arm for arm in eligible if arm.tuned in sides]

    def good_enough(arm: ArmResult) -> bool:
        if case in ("open", "training_cut"):
            return arm is best or not evidence.shows_gain(best, arm)
        return arm is candidates[0] or evidence.rules_out_gain(best, arm)

    return min((arm for arm in candidates if good_enough(arm)), key=lambda arm: (arm.effort, arm.arm_id))


def _more_rows(pair: Comparison) -> int | None:
    return max(1, pair.rows_needed - pair.n_rows) if pair.rows_needed is not None else None

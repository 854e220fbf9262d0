"""A tuned finalist against one that is not tuned: what rules of thumb are held against."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from tuneworth.core.run import ArmResult, RuleState
from tuneworth.decide.evidence import Evidence
from tuneworth.decide.knowledge import only_old
from tuneworth.decide.outlook import incomplete, unfinished
from tuneworth.decide.reason import Reason

Winner = Literal["tuned", "untuned", "open"]


class RuleFinding(NamedTuple):
    row: str
    finding: RuleState
    why: Reason


@dataclass(frozen=True)
class Duel:
    """A tuned finalist against one that is not tuned."""

    tuned: ArmResult
    untuned: ArmResult
    winner: Winner
    equivalent: bool
    numbers: list[Reason]

    def finding(self, predicts: Winner) -> RuleState:
        """How a rule that predicts this winner fared."""
        if self.winner == "open":
            return "open"
        return "confirmed" if self.winner == predicts else "overturned"


def duel_of(evidence: Evidence, tuned: ArmResult, untuned: ArmResult) -> Duel:
    pair = evidence.between(tuned, untuned)
    ahead = evidence.shows_gain(tuned, untuned)
    part_only = not ahead and incomplete(evidence, tuned)
    behind = not part_only and evidence.rules_out_gain(tuned, untuned)
    numbers = Reason(
        "seed.numbers",
        tuned=tuned,
        tuned_score=evidence.value(tuned),
        untuned=untuned,
        untuned_score=evidence.value(untuned),
        difference=pair.difference,
        interval=pair.interval,
    )
    return Duel(
        tuned,
        untuned,
        winner="tuned" if ahead else "untuned" if behind else "open",
        equivalent=pair.answer == "equivalent" and not part_only,
        numbers=[numbers, unfinished(evidence, tuned)] if part_only else [numbers],
    )


def among_usable(evidence: Evidence, duel: Duel) -> Duel:
    """An arm that may not be used wins nothing."""
    out = list[Reason]()
    winner = duel.winner
    for side, arm in (("tuned", duel.tuned), ("untuned", duel.untuned)):
        broken = bool(evidence.breaches[arm.arm_id])
        if broken or only_old(evidence, arm):
            out.append(Reason("seed.out.not_usable" if broken else "seed.out.only_old", arm=arm))
            winner = "open" if winner == side else winner
    return replace(duel, winner=winner, numbers=[*duel.numbers, *out])

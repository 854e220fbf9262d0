"""What is worth using at all: an arm that is surely above every yardstick.

A yardstick answers without having understood anything: the most frequent answer, the input unchanged. An arm that is not surely
above those on the same test rows does not *work*, whatever its score looks like: a head at 55 % where 55 % of the rows have one
label has learned nothing that shows. Neither does an arm whose score may be zero.

Some yardsticks are *fallbacks*: the nearest row's answer, or simple rules, may be used as they are. An arm that is not surely
above these as well is not *clear*: nobody should build it before that is shown, so while a verdict is open the fallback stands
in for it, if it works itself.

"Surely": the 95 % interval of the paired difference is above zero, on enough rows (`tuneworth.stats.family.too_few`). An arm has to pass all
yardsticks, so each is tested at the full level (an intersection-union test: Berger 1982, Technometrics 24:295).
Yardsticks that are given the gold passages are no such thing, they show the most that can be reached. A run that did not
measure any on its test rows (one of version 0.1, or one told to leave them out) is decided without them.
"""

from __future__ import annotations

from tuneworth.core.run import ArmResult, Comparison
from tuneworth.decide.evidence import Evidence
from tuneworth.decide.limits import breaches
from tuneworth.stats.family import too_few


def works(evidence: Evidence, arm: ArmResult) -> bool:
    """Surely above zero, and above every yardstick that nobody would use."""
    return evidence.score(arm).interval.low > 0 and not _unbeaten(evidence, arm, fallbacks=False)


def is_clear(evidence: Evidence, arm: ArmResult) -> bool:
    """It works, and is surely above the yardsticks that may be used as they are."""
    return works(evidence, arm) and not _unbeaten(evidence, arm, fallbacks=True)


def nearest_yardstick(evidence: Evidence, arm: ArmResult) -> tuple[ArmResult, Comparison] | None:
    """The yardstick that ``arm`` is least above, of those that it is not surely above; of those that nobody would use first."""
    unbeaten = _unbeaten(evidence, arm, fallbacks=False) or _unbeaten(evidence, arm, fallbacks=True)
    return min(unbeaten, key=lambda found: (found[1].difference, found[0].arm_id), default=None)


def fallback(
    evidence: Evidence, instead_of: ArmResult | None = None, *, within_margin: bool = False
) -> ArmResult | None:
    """The best yardstick that may be used as it is, works and keeps the limits.

    Not for knowledge that changes: what it looks up is old.

    Args:
        instead_of: an arm that it stands in for: one that is surely above it needs no stand-in.
        within_margin: and one that is ahead of it by the margin, as seen, does not either.
    """

    def stands_in(yardstick: ArmResult) -> bool:
        if breaches(yardstick, evidence.task.limits, evidence.metric) or not works(evidence, yardstick):
            return False
        pair = evidence.against.get((instead_of.arm_id, yardstick.arm_id)) if instead_of is not None else None
        if pair is None:
            return instead_of is None
        return not surely_above(pair) and not (within_margin and pair.difference >= evidence.task.margin)

    able = [yardstick for yardstick in evidence.yardsticks if yardstick.fallback and stands_in(yardstick)]
    if evidence.every_days is not None:
        return None
    return min(able, key=lambda one: (-evidence.score(one).value, one.arm_id), default=None)


def surely_above(pair: Comparison) -> bool:
    return not too_few(pair) and pair.interval.low > 0


def _unbeaten(evidence: Evidence, arm: ArmResult, *, fallbacks: bool) -> list[tuple[ArmResult, Comparison]]:
    """Yardsticks of one kind that ``arm`` is not surely above, with the comparison."""
    pairs = [
        (yardstick, evidence.against[arm.arm_id, yardstick.arm_id])
        for yardstick in evidence.yardsticks
        if yardstick.fallback == fallbacks and (arm.arm_id, yardstick.arm_id) in evidence.against
    ]
    return [(yardstick, pair) for yardstick, pair in pairs if not surely_above(pair)]

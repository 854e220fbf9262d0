"""What money says of a verdict: why an arm is the better one, and at which volume or price of an error another would be."""

from __future__ import annotations

from tuneworth.core.run import ArmResult
from tuneworth.decide.evidence import Evidence
from tuneworth.decide.pays import (
    LEVEL,
    better_off,
    errors_apart,
    monthly_of,
    pair_of,
    price_of_an_error,
    priced_at,
    saving,
)
from tuneworth.decide.reason import Reason, ReasonPart
from tuneworth.decide.ruling import Ruling


def money_reasons(evidence: Evidence, ruling: Ruling) -> list[Reason]:
    """What T and U cost, and what their errors do; or which numbers are lacking."""
    tuned, untuned, costs = ruling.tuned, ruling.untuned, evidence.costs
    if tuned is None or untuned is None or costs is None:
        return []
    gain = saving(evidence, tuned, untuned)
    if gain is None:
        of = [(arm, costs.arm(arm.arm_id)) for arm in (tuned, untuned) if costs.calls_per_month is not None]
        return [Reason("pays.lacking", arm=arm, lacking=bill.missing) for arm, bill in of if bill and bill.missing]
    each, calls = priced_at(evidence)
    less, p = (tuned, gain.p) if gain.p >= 0.5 else (untuned, 1 - gain.p)
    both: dict[str, ReasonPart] = {"tuned": tuned, "untuned": untuned}
    months = {
        "tuned_month": monthly_of(evidence, tuned),
        "untuned_month": monthly_of(evidence, untuned),
        "months": costs.months,
    }
    found = [Reason("pays.sum", calls=calls, cheaper=less, chance=p, **both, **months)]
    if gain.answer == "level":
        found = [Reason("pays.level", calls=calls, month=months["tuned_month"], months=costs.months, **both)]
    net = better_off(evidence, tuned, untuned)
    if each is not None and net is not None:
        better, p = (tuned, net.p) if net.usd >= 0 else (untuned, 1 - net.p)
        apart = errors_apart(evidence, tuned, untuned)
        found.append(Reason("pays.errors", each_usd=each, errors_usd=apart, better=better, usd=net, chance=p))
    return found


def choice_reasons(evidence: Evidence, chosen: ArmResult, instead: ArmResult) -> list[Reason]:
    """Why not the arm that would be recommended if money did not matter."""
    gain, (each, calls) = better_off(evidence, chosen, instead), priced_at(evidence)
    if gain is None or gain.answer != "better":  # then it is the simpler one
        return [Reason("pays.choice.meantime", chosen=chosen, instead=instead)]
    parts: dict[str, ReasonPart] = {"chosen": chosen, "instead": instead, "usd": gain, "calls": calls}
    if each is not None:
        return [Reason("pays.choice.worth", each_usd=each, **parts)]
    return [Reason("pays.choice.cheaper", margin=evidence.task.margin, **parts)]


def money_changes(evidence: Evidence, ruling: Ruling) -> list[Reason]:
    """At which volume, and at which price of an error, another arm would be recommended."""
    chosen, rival = ruling.recommended, _rival(ruling)
    if chosen is None or rival is None or chosen.yardstick or saving(evidence, chosen, rival) is None:
        return []
    may_turn = ruling.instead_of is not None or evidence.rules_out_gain(chosen, rival)
    found = _turning(evidence, chosen, rival) if may_turn else []
    found += _price_of_an_error(evidence, chosen, rival)
    return [*found, *_mover(evidence, chosen, rival)] if found else []


def _rival(ruling: Ruling) -> ArmResult | None:
    """The arm that money takes the place from or may give it to."""
    if ruling.instead_of is not None:
        return ruling.instead_of
    sides = [arm for arm in (ruling.tuned, ruling.untuned) if arm is not None and arm is not ruling.recommended]
    return sides[0] if len(sides) == 1 else ruling.runner_up


def _turning(evidence: Evidence, chosen: ArmResult, rival: ArmResult) -> list[Reason]:
    pair = pair_of(evidence, chosen, rival)
    if pair is None:
        return []
    turns, other = (chosen, rival) if pair.turns == chosen.arm_id else (rival, chosen)
    arms: dict[str, ReasonPart] = {"turns": turns, "other": other}
    volume, ends = pair.break_even.value, pair.break_even.inner
    if volume is None:
        return [Reason("pays.turns.never", most_calls=pair.most, **arms)]
    if volume < 1:
        return [Reason("pays.turns.always", **arms)]
    seen: dict[str, ReasonPart] = {"volume": volume, "calls": priced_at(evidence)[1], **arms}
    if ends is None or ends.low is None:
        return [Reason("pays.turns.about", **seen)]
    if ends.high is None:
        return [Reason("pays.turns.no_end", low_volume=ends.low, most_calls=pair.most, **seen)]
    return [Reason("pays.turns.between", level=LEVEL, low_volume=ends.low, high_volume=ends.high, **seen)]


def _mover(evidence: Evidence, chosen: ArmResult, rival: ArmResult) -> list[Reason]:
    """The input that moves most what one costs less than the other."""
    pair = pair_of(evidence, chosen, rival)
    if pair is None or not pair.tornado:
        return []
    bar, first, second = pair.tornado[0], evidence.arm(pair.a), evidence.arm(pair.b)
    ends: dict[str, ReasonPart] = {"from_usd": bar.at_low, "to_usd": bar.at_high}
    return [Reason("pays.mover", input=bar.name, first=first, second=second, **ends)]


def _price_of_an_error(evidence: Evidence, chosen: ArmResult, rival: ArmResult) -> list[Reason]:
    """What an error would have to cost for ``rival`` to be the better one."""
    each, ahead = price_of_an_error(evidence, chosen, rival), evidence.between(chosen, rival).difference
    if each is not None:
        return [Reason(f"pays.error_price.{'less' if ahead > 0 else 'more'}", other=rival, error_usd=each)]
    if evidence.usd_per_error is not None and ahead > 0:
        return [Reason("pays.error_price.none", other=rival, chosen=chosen)]
    return []

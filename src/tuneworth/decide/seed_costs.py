"""What the run says about the rules of thumb on latency and money: N5, Y4, T5, X2, P3, A6, K1, C2, C3, C4 and C6.

"Tuning saves it" is **overturned** by an untuned arm that surely costs no more (or is as fast) and gives away less than the margin, or where every
untuned arm that has a price is surely cheaper; **confirmed** where tuning is surely cheaper (or faster) than all of them and better or as good;
else open. N5 says the opposite of Y4; the clash of the two, X2, is settled where latency was measured and one side is surely the cheaper one.
Without prices and a volume only latency speaks, and X2 stays open. P3, A6 and C4 are about arms that a service is paid for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tuneworth.core.run import ArmResult, RuleState
from tuneworth.decide.duels import Duel, RuleFinding
from tuneworth.decide.evidence import Evidence
from tuneworth.decide.outlook import incomplete
from tuneworth.decide.pays import monthly_of, priced_at, saving
from tuneworth.decide.reason import Reason, ReasonPart
from tuneworth.decide.ruling import Ruling

GENERATING = ("prompt", "fewshot")
LOW_COST_SECONDS = 3_600.0
OPPOSITE: dict[RuleState, RuleState] = {"confirmed": "overturned", "overturned": "confirmed", "open": "open"}


class _Told(NamedTuple):
    """How "tuning saves it" fared, in which duel."""

    duel: Duel
    finding: RuleState
    why: Reason


def cost_rules(evidence: Evidence, duels: Sequence[Duel]) -> list[RuleFinding]:
    """Does tuning buy speed, and does it save money? Only what was measured and has a price counts."""
    speed, money = _speed(duels), _money(evidence, duels)
    found = list[RuleFinding]()
    told = [each for each in (speed, money) if each is not None]
    if told:
        states = {each.finding for each in told}
        finding = "overturned" if "overturned" in states else "confirmed" if states == {"confirmed"} else "open"
        why = told[0].why if len(told) == 1 else Reason("seed.speed_and_money", speed=told[0].why, money=told[1].why)
        found += [RuleFinding("N5", OPPOSITE[finding], why), RuleFinding("Y4", finding, why)]
    if speed is not None:
        found += [RuleFinding("T5", speed.finding, speed.why), _clash(evidence, speed, money)]
    elif money is not None:
        found.append(RuleFinding("X2", "open", Reason("seed.no_latency", why=money.why)))
    return [*found, *_of_services(evidence, duels), *_making(evidence, duels[0])]


def _speed(duels: Sequence[Duel]) -> _Told | None:
    timed = [duel for duel in duels if duel.untuned.cost.latency_p50_ms and duel.tuned.cost.latency_p50_ms]
    if not timed:
        return None
    duel, finding = _telling(timed)
    why = Reason(
        "seed.latency",
        tuned=duel.tuned,
        tuned_ms=duel.tuned.cost.latency_p50_ms,
        untuned=duel.untuned,
        untuned_ms=duel.untuned.cost.latency_p50_ms,
        numbers=duel.numbers,
    )
    return _Told(duel, finding, why)


def _telling(timed: list[Duel]) -> tuple[Duel, RuleState]:
    """The telling duel, and how "tune for speed" fared in it."""

    def p50(arm: ArmResult) -> float:
        return arm.cost.latency_p50_ms or 0.0

    for duel in timed:
        if p50(duel.untuned) <= p50(duel.tuned) and duel.winner == "untuned":
            return duel, "overturned"
    fastest = min(timed, key=lambda duel: (p50(duel.untuned), duel.untuned.arm_id))
    tuned_is_fastest = p50(fastest.tuned) < p50(fastest.untuned)
    return fastest, "confirmed" if tuned_is_fastest and _as_good(timed) else "open"


def _as_good(duels: Sequence[Duel]) -> bool:
    return all(duel.winner == "tuned" or duel.equivalent for duel in duels)


def _money(evidence: Evidence, duels: Sequence[Duel]) -> _Told | None:
    priced = [(gain, duel) for duel in duels if (gain := saving(evidence, duel.tuned, duel.untuned)) is not None]
    if not priced:
        return None
    gain, duel = min(priced, key=lambda each: each[0].usd)  # the cheapest of those without tuning
    finding: RuleState = "open"
    beaten = next(
        (each for each in priced if each[0].answer in ("worse", "level") and each[1].winner == "untuned"), None
    )
    if beaten is not None:
        finding, duel = "overturned", beaten[1]
    elif all(each.answer == "worse" for each, _ in priced):
        finding = "overturned"
    elif gain.answer == "better" and _as_good([duel for _, duel in priced]):
        finding = "confirmed"
    return _Told(duel, finding, _bill(evidence, duel))


def _bill(evidence: Evidence, duel: Duel) -> Reason:
    gain = saving(evidence, duel.tuned, duel.untuned)
    assert gain is not None
    less, p = (duel.tuned, gain.p) if gain.p >= 0.5 else (duel.untuned, 1 - gain.p)
    parts: dict[str, ReasonPart] = {"tuned": duel.tuned, "untuned": duel.untuned, "numbers": duel.numbers}
    months = {"tuned_month": monthly_of(evidence, duel.tuned), "untuned_month": monthly_of(evidence, duel.untuned)}
    return Reason("seed.money", calls=priced_at(evidence)[1], cheaper=less, chance=p, **months, **parts)


def _clash(evidence: Evidence, speed: _Told, money: _Told | None) -> RuleFinding:
    """X2: cost and latency as a reason to tune and not to."""
    if money is None:
        return RuleFinding("X2", "open", Reason("seed.latency_no_price", why=speed.why))
    gain = saving(evidence, money.duel.tuned, money.duel.untuned)
    both = Reason("seed.speed_and_money", speed=speed.why, money=money.why)
    if gain is None or gain.answer == "open":
        return RuleFinding("X2", "open", Reason("seed.clash.open", why=both))
    if gain.answer == "level":
        return RuleFinding("X2", "confirmed", Reason("seed.clash.level", why=both))
    speeds = [arm.cost.latency_p50_ms or 0.0 for arm in (speed.duel.tuned, speed.duel.untuned)]
    faster, cheaper = speeds[0] < speeds[1], gain.answer == "better"
    code = "mixed" if faster != cheaper else "tuned" if cheaper else "untuned"
    return RuleFinding("X2", "confirmed", Reason(f"seed.clash.{code}", why=both))


def _of_services(evidence: Evidence, duels: Sequence[Duel]) -> list[RuleFinding]:
    """P3 and A6: does tuning lower what is paid to a service; C4: does answering alone cost less."""
    paid = [duel for duel in duels if duel.untuned.local is False]
    money = _money(evidence, paid)
    if money is None:
        return []
    found = [RuleFinding("P3", money.finding, money.why)]
    here = money.duel.tuned.local is True
    if here and not evidence.task.limits.private:  # of a private task the rule is about privacy
        found.append(RuleFinding("A6", money.finding, money.why))
    asked = next((duel for duel in paid if duel.untuned.strategy in GENERATING), None)
    return [*found, *(_answering(evidence, asked) if asked is not None and here else [])]


def _answering(evidence: Evidence, duel: Duel) -> list[RuleFinding]:
    """Without what is paid once, and again when something changes: known as well as both bills are."""
    gain = saving(evidence, duel.tuned, duel.untuned)
    running = [lines_of(evidence, arm, "month", "call") for arm in (duel.tuned, duel.untuned)]
    once = [lines_of(evidence, arm, "once", "update", "end") for arm in (duel.tuned, duel.untuned)]
    if gain is None or None in running or None in once:
        return []
    more = (once[0] or 0.0) - (once[1] or 0.0)
    low, high = gain.low + more, gain.high + more
    finding: RuleState = "confirmed" if low > 0 else "overturned" if high < 0 else "open"
    parts: dict[str, ReasonPart] = {"tuned": duel.tuned, "tuned_usd": running[0]}
    parts |= {"untuned": duel.untuned, "untuned_usd": running[1], "calls": priced_at(evidence)[1]}
    return [RuleFinding("C4", finding, Reason("seed.answering", **parts))]


def _making(evidence: Evidence, duel: Duel) -> list[RuleFinding]:
    """K1: is what labels and training cost paid back; C2: hours of work; C6: what keeping up costs."""
    gain, costs = saving(evidence, duel.tuned, duel.untuned), evidence.costs
    if gain is None or costs is None:
        return []
    found, arms = list[RuleFinding](), {"tuned": duel.tuned, "untuned": duel.untuned}

    def of_both(*when: str, what: str = "") -> tuple[float, float] | None:
        both = [lines_of(evidence, arm, *when, what=what) for arm in arms.values()]
        known = [usd for usd in both if usd is not None]
        return (known[0], known[1]) if len(known) == 2 and any(known) else None

    if (once := of_both("once")) is not None and once[0] and gain.answer != "level":
        states: dict[str, RuleState] = {"better": "overturned", "worse": "confirmed", "open": "open"}
        seen: dict[str, ReasonPart] = {"tuned": duel.tuned, "once_usd": costs.months * once[0], "months": costs.months}
        why = Reason(f"seed.paid_back.{gain.answer}", why=_bill(evidence, duel), **seen)
        found.append(RuleFinding("K1", states[gain.answer], why))
    for row, code, usd in (
        ("C2", "seed.work", of_both("once", "end", what="work")),
        ("C6", "seed.keeping_up", of_both("update") if evidence.documents is None else None),
    ):
        if usd is not None:
            finding: RuleState = "confirmed" if usd[0] > usd[1] else "overturned"
            found.append(RuleFinding(row, finding, Reason(code, tuned_usd=usd[0], untuned_usd=usd[1], **arms)))
    return found


def lines_of(evidence: Evidence, arm: ArmResult, *when: str, what: str = "") -> float | None:
    """Dollars a month of some lines of an arm's bill; ``None``: not known."""
    of = evidence.costs.arm(arm.arm_id) if evidence.costs is not None else None
    lines = [line for line in of.lines if line.when in when and what in ("", line.what)] if of is not None else []
    known = [line.usd_a_month for line in lines if line.usd_a_month is not None]
    return sum(known) if of is not None and len(known) == len(lines) else None


def training_cost(evidence: Evidence, ruling: Ruling, tuned: ArmResult) -> list[RuleFinding]:
    """C3. A training on a part of the rows speaks to it where it was enough to win."""
    spent, enough = tuned.cost.fit_seconds, ruling.verdict == "fine_tune"
    if spent <= 0 or (incomplete(evidence, tuned) and not enough):
        return []
    why = Reason("reasons.training_time", tuned=tuned, time=spent)
    if tuned.cost.fit_usd is not None:
        why = Reason("seed.training", tuned=tuned, time=spent, usd=tuned.cost.fit_usd)
    return [RuleFinding("C3", "confirmed" if spent <= LOW_COST_SECONDS else "overturned", why)]

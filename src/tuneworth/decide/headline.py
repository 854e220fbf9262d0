"""The verdict in one sentence, with the numbers that carry it."""

from __future__ import annotations

from tuneworth.core.run import ArmResult, Comparison
from tuneworth.decide.evidence import Evidence, mirrored
from tuneworth.decide.knowledge import every
from tuneworth.decide.limits import MAX_FAILED_SHARE
from tuneworth.decide.outlook import interval_of_more
from tuneworth.decide.pays import better_off, priced_at, saving
from tuneworth.decide.reason import Apart, Reason, ReasonPart
from tuneworth.decide.ruling import Ruling
from tuneworth.stats.clusters import MIN_GROUPS
from tuneworth.stats.family import MIN_PAIRS, too_few


def headline(evidence: Evidence, ruling: Ruling) -> Reason:
    """What to do, and the one number that says why."""
    if ruling.case == "nothing_measured":
        return Reason("verdict.nothing_measured")
    if ruling.case == "nothing_eligible":
        n = len(evidence.finalists)
        if evidence.only_unanswered(evidence.finalists):
            return Reason("verdict.none_answers", n=n, tolerated=MAX_FAILED_SHARE)
        return Reason("verdict.none_keeps_limits", n=n)
    if ruling.case in ("nothing_works", "near_yardstick"):
        return _below_yardstick(evidence, ruling)
    if ruling.case in ("pays", "not_worth_it", "worth_open"):
        return _by_money(evidence, ruling)
    if ruling.pair is not None and ruling.case not in ("only_tuned_eligible", "tuned_breaks_limits"):
        return _compared(evidence, ruling)
    return _one_sided(evidence, ruling)


def _below_yardstick(evidence: Evidence, ruling: Ruling) -> Reason:
    """Nothing is surely better than what does not even look at the question."""
    below, yardstick, meanwhile = ruling.below, ruling.yardstick, _meanwhile(ruling)
    best = ruling.tuned if ruling.case == "near_yardstick" else evidence.eligible[0]
    score = evidence.score(_needed(best))
    if below is None or yardstick is None:
        return Reason("useless.at_zero", arm=best, score=score, n=score.n_rows, meanwhile=meanwhile)
    code = "useless.near_yardstick"
    if ruling.case == "nothing_works":
        code = "useless.nothing_works" if below.interval.high < below.margin else "useless.not_shown"
    label = Reason("useless.label", rows=ruling.rows) if ruling.rows is not None else None
    return Reason(
        code,
        arm=best,
        score=score,
        yardstick=yardstick,
        floor=evidence.score(yardstick).value,
        difference=below.difference,
        interval=below.interval,
        n=below.n_rows,
        label=label,
        meanwhile=meanwhile,
    )


def _one_sided(evidence: Evidence, ruling: Ruling) -> Reason:
    """Only one side keeps the limits, or was measured at all."""
    tuned, untuned, chosen, lead = ruling.tuned, ruling.untuned, ruling.recommended, _lead(ruling)
    if ruling.case == "only_tuned_eligible":
        parts: dict[str, ReasonPart] = {"lead": lead, "tuned": tuned, "score": _mean(evidence, _needed(tuned))}
        if evidence.only_unanswered([arm for arm in evidence.finalists if not arm.tuned]):
            return Reason("verdict.only_tuned_answers", tolerated=MAX_FAILED_SHARE, **parts)
        return Reason("verdict.only_tuned_keeps_limits", **parts)
    if ruling.case == "tuned_breaks_limits":
        why, score = evidence.breaches[_needed(tuned).arm_id][0], evidence.score(_needed(chosen)).value
        return Reason("verdict.tuned_breaks_limits", lead=lead, tuned=tuned, why=why, untuned=chosen, score=score)
    if ruling.case == "untuned_not_measured":
        return Reason("verdict.untuned_not_measured", tuned=tuned, score=evidence.score(_needed(tuned)))
    score, margin = evidence.score(_needed(untuned)), evidence.task.margin
    if ruling.case == "no_room":
        return Reason("verdict.no_room", lead=lead, untuned=untuned, score=score, margin=margin)
    return Reason("verdict.tuned_not_measured", untuned=untuned, score=score, meanwhile=_meanwhile(ruling))


def _compared(evidence: Evidence, ruling: Ruling) -> Reason:
    """Tuned against untuned, on the test rows."""
    tuned, untuned, pair, outlook = _needed(ruling.tuned), _needed(ruling.untuned), ruling.pair, ruling.outlook
    assert pair is not None
    both: dict[str, ReasonPart] = {"tuned": tuned, "untuned": untuned}
    if ruling.case == "gain":
        return Reason(
            "verdict.gain_over_some" if evidence.unmeasured else "verdict.gain",
            lead=_lead(ruling),
            score=_mean(evidence, tuned),
            gain=pair.difference,
            interval=pair.interval,
            n=pair.n_rows,
            money=_money(evidence, tuned, untuned),
            **both,
        )
    if ruling.case == "no_gain":
        return _no_gain(evidence, pair, tuned, untuned, lead=_lead(ruling), score=_mean(evidence, untuned))
    seen: dict[str, ReasonPart] = {**both, "difference": pair.difference, "meanwhile": _meanwhile(ruling)}
    if ruling.case == "open":
        ends = {"lowest": pair.interval.low, "highest": pair.interval.high}
        label = Reason("verdict.label.no_number")
        if evidence.n_not_asked and (ruling.rows is None or ruling.rows <= evidence.n_not_asked):
            label = Reason("budget.ask_all", n=evidence.n_not_asked)
        elif ruling.rows is not None:
            label = Reason("verdict.label.about", rows=ruling.rows)
        elif too_few(pair):
            few = pair.n_rows < MIN_PAIRS
            label = Reason("verdict.label.too_few", n=MIN_PAIRS) if few else Reason("groups.too_few", n=MIN_GROUPS)
        return Reason("verdict.open", n=pair.n_rows, label=label, **ends, **seen)
    if ruling.case == "rival_untested":
        rival = evidence.rival_of(tuned, untuned)
        assert rival is not None
        return Reason(
            "budget.rival_untested", rival=evidence.arm(rival.arm_id), ahead=rival.difference, m=rival.n_rows, **seen
        )
    seen["interval"] = pair.interval
    if ruling.case == "training_cut":
        return Reason("verdict.training_cut", **seen)
    if ruling.case == "old_only":
        return Reason("verdict.old_only", every=every(evidence), **seen)
    assert outlook is not None
    if ruling.case == "not_grown":
        out_of_time = outlook.stop is None or outlook.stop.reason == "budget"
        then = Reason("verdict.train_on_all.more_time" if out_of_time else "verdict.train_on_all.exhaustive")
        return Reason("verdict.not_grown", n=outlook.n_used, all=outlook.n_train, next=then, **seen)
    assert outlook.more is not None
    return Reason(
        "verdict.not_yet",
        n=outlook.n_used,
        margin=evidence.task.margin,
        more=outlook.more.n,
        between=interval_of_more(outlook),
        **seen,
    )


def _no_gain(evidence: Evidence, pair: Comparison, tuned: ArmResult, untuned: ArmResult, **parts: ReasonPart) -> Reason:
    most, margin = pair.interval.high, evidence.task.margin
    parts |= {"tuned": tuned, "untuned": untuned, "money": _money(evidence, tuned, untuned)}
    if pair.answer == "worse":
        ahead, parts["money"] = mirrored(pair), _money(evidence, untuned, tuned)
        return Reason("verdict.loss", loss=ahead.difference, interval=ahead.interval, **parts)
    if most <= 0:
        return Reason("verdict.no_better", interval=pair.interval, **parts)
    ends = {"most": Apart(most, margin), "margin": Apart(margin, most)}
    return Reason("verdict.too_little", interval=pair.interval, **ends, **parts)


def _by_money(evidence: Evidence, ruling: Ruling) -> Reason:
    """Tuning that saves money, or errors that have a price."""
    tuned, untuned, pair = _needed(ruling.tuned), _needed(ruling.untuned), ruling.pair
    each, calls = priced_at(evidence)
    assert pair is not None
    if each is None:
        return Reason(
            "pays.saves",
            lead=_lead(ruling),
            tuned=tuned,
            untuned=untuned,
            score=_mean(evidence, tuned),
            margin=evidence.task.margin,
            interval=pair.interval,
            n=pair.n_rows,
            money=_money(evidence, tuned, untuned),
        )
    seen: dict[str, ReasonPart] = {"each_usd": each, "calls": calls}
    if ruling.case == "worth_open":
        gain = better_off(evidence, tuned, untuned)
        assert gain is not None
        return Reason(
            "pays.worth_open",
            tuned=tuned,
            untuned=untuned,
            score=_mean(evidence, tuned),
            gain=pair.difference,
            interval=pair.interval,
            from_usd=gain.low,
            to_usd=gain.high,
            meanwhile=_meanwhile(ruling),
            **seen,
        )
    chosen, other = (tuned, untuned) if ruling.case == "pays" else (untuned, tuned)
    usd = better_off(evidence, chosen, other)
    return Reason("pays.worth", lead=_lead(ruling), chosen=chosen, other=other, usd=usd, **seen)


def _money(evidence: Evidence, arm: ArmResult, other: ArmResult) -> Reason | None:
    """``, and $310 (240–400) a month cheaper at 50,000 calls``, where that is sure."""
    gain = saving(evidence, arm, other)
    if gain is None or gain.answer == "open":
        return None
    calls = priced_at(evidence)[1]
    return Reason("pays.cheaper" if gain.answer == "better" else "pays.dearer", usd=gain, calls=calls)


def _lead(ruling: Ruling) -> Reason:
    """What to do. Retrieval stays where the recommended arm reads documents."""
    reads = ruling.recommended is not None and ruling.recommended.reads_documents
    if ruling.verdict == "fine_tune":
        return Reason("verdict.lead.tune_the_reader" if reads else "verdict.lead.tune")
    return Reason("verdict.lead.use_retrieval" if reads else "verdict.lead.dont")


def _mean(evidence: Evidence, arm: ArmResult) -> float | Reason:
    """The score that differences are about; of several trainings the mean."""
    value, n = evidence.value(arm), 1 + len(arm.repeats)
    return value if n == 1 or arm.arm_id not in evidence.averaged else Reason("verdict.mean", score=value, n=n)


def _meanwhile(ruling: Ruling) -> Reason | None:
    return Reason("verdict.meanwhile", arm=ruling.recommended) if ruling.recommended is not None else None


def _needed(arm: ArmResult | None) -> ArmResult:
    assert arm is not None, "this verdict is only given when the arm was tested"
    return arm

"""What would change the verdict: only what this run's numbers support."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

from tuneworth.core.run import ArmResult, Comparison
from tuneworth.decide.evidence import Evidence
from tuneworth.decide.knowledge import lasting_first, newer_rows, pace_of_change
from tuneworth.decide.losses import reading_changes
from tuneworth.decide.money import money_changes
from tuneworth.decide.outlook import FAR, WIDE, cut_short, incomplete, interval_of_more
from tuneworth.decide.reason import Apart, Reason, ReasonPart
from tuneworth.decide.reasons import price_of_more
from tuneworth.decide.ruling import Ruling
from tuneworth.stats.family import too_few
from tuneworth.stats.paired import MCNEMAR
from tuneworth.stats.power import smallest_difference


def would_change(evidence: Evidence, ruling: Ruling) -> list[Reason]:
    """The nearest ways to another verdict, and the limits that would cost the recommended arm its place."""
    after = {
        "fine_tune": _after_fine_tune,
        "dont_fine_tune": _after_dont,
        "not_yet": _after_not_yet,
        "cant_tell": _after_cant_tell,
        "none_meets_limits": _after_none,
    }
    return [
        *_ended_too_soon(evidence, ruling),
        *after[ruling.verdict](evidence, ruling),
        *newer_rows(evidence, ruling.tuned),
        *reading_changes(evidence, ruling),
        *pace_of_change(evidence, ruling.recommended),
        *_forecast(evidence, ruling),
        *money_changes(evidence, ruling),
        *_faster(evidence, ruling.recommended),
    ]


def visible_difference(pair: Comparison, n_tests: int) -> float:
    """The least true difference that as many rows show four times out of five, as a fraction.

    Args:
        n_tests: comparisons that the verdict corrects for.
    """
    binary = pair.method == MCNEMAR
    if binary:
        square = (pair.wins + pair.losses) / max(1, pair.n_rows)
    else:
        z = NormalDist().inv_cdf((1 + pair.interval.level) / 2)
        error = (pair.interval.high - pair.interval.low) / 2 / z
        square = pair.n_rows * error**2
    # Of rows in groups the square holds the design effect and may be above 1.
    square = min(1.0, square) if pair.n_groups is None else square
    return smallest_difference(pair.n_rows, square, binary=binary, n_tests=n_tests)


def _ended_too_soon(evidence: Evidence, ruling: Ruling) -> list[Reason]:
    """Simpler ways that nobody measured may yet do without tuning; a training that time cut may have more to give."""
    arm, missing = ruling.tuned, evidence.unmeasured
    if ruling.verdict == "fine_tune":
        return [Reason("would_change.unmeasured", clauses=missing)] if missing else []
    if arm is None or arm.fit_details.get("stopped") != "time":
        return []
    return [Reason("would_change.cut_short", arm=arm, epochs=float(arm.fit_details.get("epochs", 0.0)))]


def _after_fine_tune(evidence: Evidence, ruling: Ruling) -> list[Reason]:
    pair, untuned, margin = ruling.pair, ruling.untuned, evidence.task.margin
    if ruling.case == "pays":
        return []  # what money says of it
    if ruling.case != "gain" or pair is None or untuned is None:
        return [Reason("would_change.looser_limits")]
    low = pair.interval.low
    code = "would_change.lift.retrieval" if untuned.reads_documents else "would_change.lift.prompt"
    found = [Reason(code, untuned=untuned, least=low, gain=pair.difference)]
    if low < margin:
        found.append(Reason("would_change.small_gain", least=Apart(low, margin), margin=Apart(margin, low)))
    return found


def _after_dont(evidence: Evidence, ruling: Ruling) -> list[Reason]:
    pair, margin, untuned = ruling.pair, evidence.task.margin, ruling.untuned
    if ruling.case == "not_worth_it":
        return []
    if ruling.case == "tuned_breaks_limits":
        return _relax(evidence, [arm for arm in evidence.finalists if arm.tuned])
    if pair is None:
        assert untuned is not None
        return [Reason("would_change.harder_rows", room=1 - evidence.score(untuned).interval.low)]
    high = pair.interval.high
    most, least = Apart(high, margin), Apart(margin, high)
    if high <= 0:
        found = [Reason("would_change.gain_after_loss", margin=least, n=pair.n_rows)]
    else:
        found = [Reason("would_change.more_gain", margin=least, n=pair.n_rows, most=most)]
    if 0 < high < margin:
        found.append(Reason("would_change.smaller_margin", most=most))
    return [*found, *_sight(evidence, pair)]


def _after_cant_tell(evidence: Evidence, ruling: Ruling) -> list[Reason]:
    pair = ruling.pair
    if ruling.case == "nothing_works":
        return _something_works(evidence, ruling)
    if ruling.case == "near_yardstick":
        return [Reason("useless.next.beat_it", yardstick=ruling.yardstick)] if ruling.rows is None else []
    if ruling.case in ("training_cut", "rival_untested", "not_grown", "old_only", "worth_open"):
        return []  # said elsewhere: money, more time, all rows, or rows on new knowledge
    if ruling.case == "tuned_not_measured":
        return [Reason("would_change.measure_tuned")]
    if ruling.case == "nothing_measured":
        return [Reason("would_change.measure_both")]
    if pair is None:
        return [Reason("would_change.measure_untuned")]
    found = list[Reason]()
    if ruling.rows is not None and ruling.rows > evidence.n_not_asked:
        found.append(Reason("would_change.test_rows", rows=ruling.rows, total=ruling.rows + pair.n_rows))
    whole = ruling.tuned is not None and not incomplete(evidence, ruling.tuned)
    if whole and not too_few(pair) and evidence.task.margin <= pair.interval.high < 1:
        found.append(Reason("would_change.larger_margin", most=pair.interval.high))
    return [*found, *_sight(evidence, pair)]


def _something_works(evidence: Evidence, ruling: Ruling) -> list[Reason]:
    """What to do where nothing does better than a yardstick: look at the rows, then a larger model, then more rows."""
    found = [Reason("useless.next.rows")]
    if ruling.tuned is None:
        found.append(Reason("would_change.measure_tuned"))
    models = sorted({arm.model for arm in evidence.finalists if arm.model is not None})
    found.append(Reason("useless.next.model", model=models[0]) if models else Reason("useless.next.any_model"))
    return [*found, Reason("useless.next.more", n=evidence.n_train)]


def _after_not_yet(evidence: Evidence, ruling: Ruling) -> list[Reason]:
    pair, outlook, margin = ruling.pair, ruling.outlook, evidence.task.margin
    assert pair is not None
    assert outlook is not None
    assert outlook.more is not None
    ahead = outlook.n_train + outlook.more.n
    if ahead >= 3 * outlook.largest:
        found = [Reason("would_change.label_some", rows=outlook.n_train, times=ahead / outlook.largest)]
    else:
        found = [Reason("would_change.label_all")]
    if pair.interval.high < margin:
        return [*found, Reason("would_change.no_more_rows", margin=margin)]
    if pair.rows_needed is not None:
        rows = max(1, pair.rows_needed - pair.n_rows)
        found.append(Reason("would_change.ahead_already", tuned=ruling.tuned, rows=rows))
    return [*found, *_sight(evidence, pair)]


def _after_none(evidence: Evidence, ruling: Ruling) -> list[Reason]:
    return _relax(evidence, evidence.finalists)


def _relax(evidence: Evidence, arms: Sequence[ArmResult]) -> list[Reason]:
    return [
        Reason("would_change.relax", arm=arm, score=evidence.score(arm).value, why=evidence.breaches[arm.arm_id])
        for arm in arms
    ]


def _sight(evidence: Evidence, pair: Comparison) -> list[Reason]:
    """How fine a difference the present rows can show, among as many comparisons."""
    if too_few(pair):
        return []
    least = visible_difference(pair, len(evidence.comparisons))
    return [Reason("would_change.visible", n=pair.n_rows, least=least)]


def _forecast(evidence: Evidence, ruling: Ruling) -> list[Reason]:
    """A forecast that does not decide, told with what is weak about it."""
    outlook, tuned = ruling.outlook, ruling.tuned
    met = outlook.crossing if outlook is not None else None
    if outlook is None or outlook.forecast is None or met is None or tuned is None:
        return []
    if ruling.case not in ("no_gain", "open", "not_grown"):
        return []
    arms: dict[str, ReasonPart] = {"tuned": tuned, "untuned": ruling.untuned}
    margin = evidence.task.margin
    if outlook.forecast.cannot_tell is not None:
        why = Reason(f"forecast.verdict.no_curve.{outlook.forecast.cannot_tell}")
        return [Reason("forecast.verdict.untold", why=why, **arms)] if met.status != "already" else []
    if outlook.sure:
        return []  # something else decides: test rows, or that nothing is left to gain
    if outlook.more is not None:
        more, between = outlook.more, interval_of_more(outlook)
        if cut_short(tuned):
            why = Reason("forecast.verdict.weakness.cut_short")
        elif more.high is None:
            why = Reason("forecast.verdict.weakness.no_end", chance=met.probability or 0.0)
        elif outlook.n_train + more.n > FAR * outlook.largest:
            why = Reason("forecast.verdict.weakness.far", far=FAR, n=outlook.largest)
        else:
            wide = more.high > WIDE * more.n
            why = Reason(f"forecast.verdict.weakness.{'wide' if wide else 'contradicted'}")
        weak = Reason("forecast.verdict.weak", more=more.n, between=between, why=why, margin=margin, **arms)
        return [weak, *price_of_more(evidence, outlook)]
    if met.status == "cannot_tell" and met.probability is not None:
        return [Reason("forecast.verdict.even", chance=met.probability, margin=margin, **arms)]
    if ruling.case == "not_grown" and met.status == "forecast" and met.n is not None:
        return [Reason("forecast.verdict.at_hand", rows=met.n, all=outlook.n_train, margin=margin, **arms)]
    return []


def _faster(evidence: Evidence, arm: ArmResult | None) -> list[Reason]:
    """A limit on latency that would cost the recommended arm its place."""
    limit = arm.cost.latency_p95_high_ms or arm.cost.latency_p95_ms if arm is not None else None
    if limit is None:
        return []
    rivals = [other for other in lasting_first(evidence) if other is not arm]
    timed = [(other, other.cost.latency_p95_high_ms or other.cost.latency_p95_ms) for other in rivals]
    following = next((other for other, p95 in timed if p95 is not None and p95 < limit), None)
    if following is None:
        return []
    score = evidence.score(following).value
    return [Reason("would_change.faster", limit_ms=limit, arm=arm, next=following, score=score)]

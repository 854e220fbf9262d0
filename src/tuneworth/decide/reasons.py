"""Why: scores, the comparison, the choice, and everything that was left out."""

from __future__ import annotations

import math
from datetime import date

from tuneworth.core.record import Score
from tuneworth.core.run import ArmResult
from tuneworth.core.text import Text
from tuneworth.decide.evidence import Evidence, trainings
from tuneworth.decide.knowledge import age_reasons, by_heart_reasons, lasting_first, update_reasons
from tuneworth.decide.limits import n_unscored
from tuneworth.decide.losses import loss_reasons
from tuneworth.decide.money import choice_reasons, money_reasons
from tuneworth.decide.outlook import Outlook
from tuneworth.decide.reason import Apart, Reason, ReasonPart
from tuneworth.decide.ruling import Ruling
from tuneworth.decide.worth import nearest_yardstick, surely_above

LEAST_SUPPORTED = 0.8
"""Less than this share of answers with support is "often unsupported"."""
LEAST_TIMED = 59
"""Single rows from which a p95 latency has a bound: 1 − 0.95⁵⁹ > 0.95."""
SOON_DAYS = 365
"""A model that its service ends within so many days is warned of."""
MOST_OBEYED = 0.05
"""More than this share of planted orders obeyed is too much for documents that others can write to."""


def reasons(evidence: Evidence, ruling: Ruling) -> list[Reason]:
    """One sentence each, the weightiest first."""
    return [
        *_scores(evidence),
        *_comparison(ruling),
        *_time(evidence, ruling),
        *_near_yardstick(evidence, ruling),
        *by_heart_reasons(evidence),
        *loss_reasons(evidence, ruling),
        *age_reasons(evidence, ruling.recommended),
        *update_reasons(evidence, ruling.recommended, ruling.tuned, ruling.untuned),
        *_forecast(evidence, ruling),
        *money_reasons(evidence, ruling),
        *_choice(evidence, ruling),
        *_effort(ruling),
        *_left_out(evidence),
        *_stopped(evidence),
        *_unmeasured(evidence, ruling),
        *_cautions(evidence, ruling.recommended),
        *_ending(evidence, ruling.recommended),
        *_trust(evidence, ruling.recommended),
    ]


def _scores(evidence: Evidence) -> list[Reason]:
    """On the test rows; and how much the luck of training matters, where it was tried."""
    found: list[Reason] = []
    for arm in evidence.finalists:
        score = evidence.score(arm)
        found.append(Reason("reasons.score", arm=arm, metric=evidence.metric, score=score, n=score.n_rows))
    for arm in evidence.finalists:
        if arm.repeats:
            code = "reasons.trainings.averaged" if arm.arm_id in evidence.averaged else "reasons.trainings.first"
            scores = trainings(arm, evidence.metric)
            found.append(Reason(code, arm=arm, n=len(scores), scores=scores))
    for arm in evidence.finalists:
        if (again := arm.again.get("test")) is not None:
            share = {
                "share": again.changed.value,
                "low_share": again.changed.interval.low,
                "high_share": again.changed.interval.high,
            }
            parts: dict[str, ReasonPart] = {"arm": arm, "n": again.changed.n_rows, "times": again.n_answers, **share}
            code = "reasons.asked_again.first" if evidence.of_corpus else "reasons.asked_again.averaged"
            found.append(Reason(code, **parts, scored_share=again.score_changed))
    return found


def _comparison(ruling: Ruling) -> list[Reason]:
    pair = ruling.pair
    if pair is None:
        return []
    p = Reason("reasons.p_small") if pair.p_adjusted < 0.001 else Reason("reasons.p", p=pair.p_adjusted)
    return [
        Reason(
            "reasons.row_by_row",
            tuned=ruling.tuned,
            untuned=ruling.untuned,
            wins=pair.wins,
            losses=pair.losses,
            ties=pair.ties,
            difference=pair.difference,
            interval=pair.interval,
            p=p,
        )
    ]


def _time(evidence: Evidence, ruling: Ruling) -> list[Reason]:
    """What the time budget cost: test rows that nobody was asked, and how wide the interval is for it."""
    race, pair = evidence.race, ruling.pair
    if race is None or pair is None or not evidence.n_not_asked or not race.n_tested or not race.n_test:
        return []
    wide = (pair.interval.high - pair.interval.low) / 2
    narrow = wide * math.sqrt(race.n_tested / race.n_test)
    return [Reason("budget.fewer_test_rows", n=race.n_tested, all=race.n_test, wide=Apart(wide, narrow), narrow=narrow)]


def _near_yardstick(evidence: Evidence, ruling: Ruling) -> list[Reason]:
    """A yardstick that does as well as the best untuned arm that was tested: that is what a gain should be held against."""
    best, untuned, metric = _best_yardstick(evidence), ruling.untuned, evidence.metric
    if best is None or untuned is None or ruling.tuned is None or metric not in untuned.dev:
        return []
    if best.dev[metric].value < untuned.dev[metric].interval.low:
        return []
    parts: dict[str, ReasonPart] = {"yardstick": best, "score": best.dev[metric].value, "untuned": untuned}
    parts |= {"untuned_score": untuned.dev[metric].value}
    if metric not in ruling.tuned.dev:
        return [Reason("budget.yardstick_near.untuned", **parts)]
    return [
        Reason("budget.yardstick_near.both", tuned=ruling.tuned, tuned_score=ruling.tuned.dev[metric].value, **parts)
    ]


def _best_yardstick(evidence: Evidence) -> ArmResult | None:
    """Not one that is given the gold passages."""
    metric = evidence.metric
    trivial = [arm for arm in evidence.arms if arm.yardstick and not arm.reads_documents and metric in arm.dev]
    return max(trivial, key=lambda arm: (arm.dev[metric].value, arm.arm_id), default=None)


def _forecast(evidence: Evidence, ruling: Ruling) -> list[Reason]:
    """What speaks for the verdict: the curve behind ``not_yet``, or that no amount of data within reach would do."""
    outlook, found = ruling.outlook, list[Reason]()
    if outlook is None:
        return found
    arms: dict[str, ReasonPart] = {"tuned": ruling.tuned, "untuned": ruling.untuned, "margin": evidence.task.margin}
    refuted = ruling.case in ("no_gain", "open")
    if not outlook.grown and ruling.case not in ("only_tuned_eligible", "tuned_breaks_limits"):
        sizes: dict[str, ReasonPart] = {"n": outlook.n_used, "all": outlook.n_train}
        if refuted and outlook.backed:
            found.append(Reason("forecast.verdict.on_a_part.enough", high_score=outlook.high, **sizes, **arms))
        else:
            found.append(Reason("forecast.verdict.on_a_part.only", tuned=ruling.tuned, **sizes))
    met = outlook.crossing
    if ruling.case == "not_yet" and met is not None:
        assert outlook.forecast is not None
        at = sorted(point.n for point in outlook.forecast.points)
        grows = outlook.forecast.target_grows
        found.append(
            Reason(
                "forecast.verdict.curve",
                first=at[0],
                last=at[-1],
                chance=met.probability or 0.0,
                grows=Reason("forecast.verdict.target_grows", untuned=ruling.untuned) if grows else None,
                tuned=ruling.tuned,
                margin=evidence.task.margin,
            )
        )
        found += price_of_more(evidence, outlook)
    if refuted and outlook.never and met is not None:
        odds = Reason("forecast.verdict.odds", chance=met.probability) if met.probability is not None else None
        found.append(Reason("forecast.verdict.never", reach=outlook.reach, odds=odds, **arms))
    return found


def price_of_more(evidence: Evidence, outlook: Outlook) -> list[Reason]:
    """What labelling the rows that are forecast would cost, where a label has a price."""
    each, more = evidence.usd_per_label, outlook.more
    if each is None or more is None:
        return []
    parts: dict[str, ReasonPart] = {"each_usd": each, "cost_usd": more.n * each, "low_usd": more.low * each}
    if more.high is None:
        return [Reason("forecast.verdict.price.no_end", **parts)]
    return [Reason("forecast.verdict.price.between", high_usd=more.high * each, **parts)]


def _choice(evidence: Evidence, ruling: Ruling) -> list[Reason]:
    """Why not simply the arm with the highest score."""
    chosen, best = ruling.recommended, next(iter(lasting_first(evidence)), None)
    if chosen is not None and ruling.instead_of is not None:
        return choice_reasons(evidence, chosen, ruling.instead_of)
    if chosen is None or best is None or chosen is best:
        return []
    if chosen.yardstick:
        held = evidence.against.get((best.arm_id, chosen.arm_id))
        parts = {"chosen": chosen, "floor": evidence.score(chosen).value, "best": best}
        if held is None or surely_above(held):
            return [Reason("useless.stands_in.meanwhile", **parts)]
        return [Reason("useless.stands_in.as_good", difference=held.difference, interval=held.interval, **parts)]
    parts: dict[str, ReasonPart] = {"chosen": chosen, "best": best, "interval": evidence.between(best, chosen).interval}
    if evidence.rules_out_gain(best, chosen):
        return [Reason("reasons.choice.simpler", margin=evidence.task.margin, **parts)]
    return [Reason("reasons.choice.meantime", **parts)]


def _effort(ruling: Ruling) -> list[Reason]:
    if ruling.tuned is None or ruling.tuned.cost.fit_seconds <= 0:
        return []
    return [Reason("reasons.training_time", tuned=ruling.tuned, time=ruling.tuned.cost.fit_seconds)]


def _left_out(evidence: Evidence) -> list[Reason]:
    broken = [(arm, evidence.breaches[arm.arm_id]) for arm in evidence.finalists]
    return [Reason("reasons.left_out", arm=arm, why=why) for arm, why in broken if why]


def _stopped(evidence: Evidence) -> list[Reason]:
    """Arms that the race looked at no further: for certain, or because it was not worth it."""
    tested = {arm.arm_id for arm in evidence.finalists}
    arms = [arm for arm in evidence.arms if not arm.yardstick and arm.arm_id not in tested]
    stopped = [(arm, evidence.stops[arm.arm_id]) for arm in arms if arm.arm_id in evidence.stops]
    sure = [arm for arm, stop in stopped if stop.reason == "eliminated"]
    dear = [(arm, stop.expected_gain or 0.0) for arm, stop in stopped if stop.reason == "little_to_gain"]
    found = list[Reason]()
    if sure:
        found.append(Reason("reasons.stopped.eliminated", margin=evidence.task.margin, arms=sure))
    if dear:
        gain = max(math.ceil(1_000 * max(gain for _, gain in dear)), 1) / 1_000
        found.append(Reason("reasons.stopped.little_to_gain", gain=gain, arms=[arm for arm, _ in dear]))
    return found


def _unmeasured(evidence: Evidence, ruling: Ruling) -> list[Reason]:
    """What became of fine-tuning when no tuned arm reached the test rows; of every arm when none did."""
    if ruling.tuned is not None:
        return []
    alike: dict[Text | str, list[ArmResult]] = {}
    for arm in evidence.arms:
        if not arm.yardstick and (arm.tuned or ruling.case == "nothing_measured"):
            why = "reasons.missed.behind" if arm.state == "measured" else "reasons.missed.unrecorded"
            if arm.why is not None:  # what was recorded, as a clause
                why = Text(**{lang: said.rstrip(".。") for lang, said in arm.why.by_lang.items()})
            alike.setdefault(why, []).append(arm)
    found = list[Reason]()
    if not any(arm.tuned for arm in evidence.arms):
        found.append(Reason("reasons.missed.no_tuning"))
    for why, arms in alike.items():
        code = "reasons.missed.one" if len(arms) == 1 else "reasons.missed.several"
        found.append(Reason(code, arms=arms, why=Reason(why) if isinstance(why, str) else why))
    return found


def _cautions(evidence: Evidence, recommended: ArmResult | None) -> list[Reason]:
    """What weakens the numbers: rows without an answer, a limit barely kept, a trivial rival."""
    found = list[Reason]()
    for arm in evidence.eligible:
        if missing := n_unscored(arm.test_counts):
            found.append(Reason("reasons.caution.missing_rows", arm=arm, missing=missing))
    if recommended is None:
        return found
    limit_ms, cost = evidence.task.limits.p95_ms, recommended.cost
    if (
        limit_ms is not None
        and cost.latency_rows
        and cost.latency_p95_high_ms is None
        and cost.latency_p95_ms is not None
    ):
        parts: dict[str, ReasonPart] = {"arm": recommended, "n": cost.latency_rows, "limit_ms": limit_ms}
        found.append(Reason("useless.p95.few_rows", measured_ms=cost.latency_p95_ms, least=LEAST_TIMED, **parts))
    limit, score = evidence.task.limits.min_quality, evidence.score(recommended)
    if limit is not None and score.interval.low < limit:
        found.append(Reason("reasons.caution.barely", arm=recommended, limit_score=limit, score=score))
    # A yardstick that does as well means that the score is easy to get; on the test rows if there is one, else on dev.
    metric, best = evidence.metric, _best_yardstick(evidence)
    held = nearest_yardstick(evidence, recommended) if not recommended.yardstick else None
    if held is not None:
        floor, ends = evidence.score(held[0]).value, {"difference": held[1].difference, "interval": held[1].interval}
        found.append(Reason("useless.not_sure", arm=recommended, yardstick=held[0], floor=floor, **ends))
    elif best is not None and metric in recommended.dev and not evidence.against:
        dev = best.dev[metric].value
        if not dev < recommended.dev[metric].interval.low:
            found.append(Reason("reasons.caution.trivial", yardstick=best, score=dev, arm=recommended))
    return found


def _ending(evidence: Evidence, recommended: ArmResult | None) -> list[Reason]:
    """A model that its service ends within a year of the run."""
    try:
        ends = date.fromisoformat((recommended.model_ends or "")[:10]) if recommended is not None else None
    except ValueError:
        return []  # the list of a service may say anything
    if ends is None or evidence.day is None or (ends - evidence.day).days > SOON_DAYS:
        return []
    left, shown = (ends - evidence.day).days, Text(en=ends.isoformat(), zh=ends.isoformat())
    if left < 0:
        return [Reason("reasons.caution.model_ended", arm=recommended, day=shown)]
    return [Reason("reasons.caution.model_ends", arm=recommended, day=shown, left=left)]


def _trust(evidence: Evidence, arm: ArmResult | None) -> list[Reason]:
    """Answers that rest on nothing, and documents that give orders.

    The thresholds are ours. A warning is sure when the whole interval is beyond its threshold; when only the measured value
    is, it says so, with the number of answers. Without a warning nothing is promised: few rows were probed.
    """
    known, found = evidence.documents, list[Reason]()
    if known is None or arm is None:
        return found
    for one in known.grounding:
        n = one.n_checked if one.n_checked is not None else one.n_answers
        if one.arm_id == arm.arm_id and n and one.supported.value < LEAST_SUPPORTED:
            share = Score(value=one.supported.value, interval=one.supported.interval, n_rows=n)
            sure = share.interval.high < LEAST_SUPPORTED
            code = "reasons.caution.unsupported" if sure else "reasons.caution.maybe_unsupported"
            found.append(Reason(code, arm=arm, n=n, share=share, threshold=LEAST_SUPPORTED))
    for one in known.injection:
        if one.arm_id == arm.arm_id and one.n_rows and one.obeyed.value > MOST_OBEYED:
            share = Score(value=one.obeyed.value, interval=one.obeyed.interval, n_rows=one.n_rows)
            code = "reasons.caution.obeys" if share.interval.low > MOST_OBEYED else "reasons.caution.maybe_obeys"
            found.append(Reason(code, arm=arm, n=one.n_rows, share=share, threshold=MOST_OBEYED))
    return found

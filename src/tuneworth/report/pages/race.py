"""How the arms were narrowed down: one lane per arm, from the stored steps and stops to text in one language."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tuneworth.core.race import Power, Race, Step, Stop, StopReason
from tuneworth.core.run import ArmResult, RunResult
from tuneworth.core.text import Lang, Text
from tuneworth.report.pages.arms import NOTHING, ArmRow, arm_labels
from tuneworth.report.plain import clean, one_line, sentence_case
from tuneworth.words import numbers
from tuneworth.words.names import quoted
from tuneworth.words.say import say, table

Fate = Literal[StopReason, "finalist", "finished", "open"]
"""What became of an arm: why it was stopped, or ``finalist`` (met the test rows), ``finished`` (looked at in
full) or ``open`` (neither stopped nor looked at in full)."""

MANY = 1_000_000
"""A larger e-value is told as "more than a million": the rest of its digits tell nobody anything."""
NOTHING_TO_GAIN = 0.0001
"""An expected gain below a hundredth of a point is told without a number."""
CHANCE = 0.8
"""Probability with which the differences of ``Power`` are found."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One step of an arm on the clock of the run, in seconds; ``label`` is short, ``told`` a sentence."""

    start: float
    end: float
    label: str
    told: str


@dataclass(frozen=True, slots=True)
class LaneRow:
    """One arm in the race. Every field but flags and segments is text in the reader's language.

    Attributes:
        number: the arm's number in the other tables and charts; 0 for one that has no score to be listed by.
        reached: dev rows it was scored on, of all: ``64 of 300``.
        trained_on: its largest fit; empty for an arm that has only one size.
        to_leader: arm − leader with its interval; ``–`` where nothing was compared.
        saved: estimate of what the rest of it would have taken; ``–`` where there is no rest.
        evidence: what a stop rests on, in numbers; empty for an arm that was not stopped.
    """

    arm_id: str
    number: int
    label: str
    model: str
    recommended: bool
    fate: Fate
    fate_word: str
    reached: str
    trained_on: str
    score: str
    to_leader: str
    interval: str
    why: str
    time: str
    saved: str
    evidence: dict[str, str]
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class RaceSection:
    """The race as shown to a reader.

    Attributes:
        spent: what the race took, of what everything would have taken.
        cut: how much of that the budget cut off; empty when nothing.
        key: what the numbers in the picture are; empty when there is nothing to tell apart.
        promise: how seldom an elimination is wrong; empty without one.
        lanes: those longest in the race first; an arm that was never looked at has no segments.
        seconds: since the run began, at the end of the last step; more than the race itself took.
    """

    lead: str
    spent: str
    cut: str
    key: str
    promise: str
    lanes: tuple[LaneRow, ...]
    seconds: float
    words: dict[str, str]


def build_race(result: RunResult, arms: Sequence[ArmRow], lang: Lang) -> RaceSection | None:
    """``None`` for a run that stored no race, or did nothing in it."""
    race = result.race
    if race is None or not (race.steps or race.stops):
        return None
    names, rows = arm_labels(result, lang), {row.arm_id: row for row in arms}
    stops = {stop.arm_id: stop for stop in race.stops}
    steps: dict[str, list[Step]] = {}
    for step in race.steps:
        steps.setdefault(step.arm_id, []).append(step)
    lanes = [
        _lane(arm, steps.get(arm.arm_id, []), stops.get(arm.arm_id), race, rows.get(arm.arm_id), names, lang)
        for arm in result.arms
        if arm.arm_id in steps or arm.arm_id in stops
    ]

    def survival(lane: LaneRow) -> tuple[int, int, float]:
        """Finalists in the order of the report, then the others, the longest in the race first."""
        last = lane.segments[-1].end if lane.segments else -1.0
        return (0, lane.number, 0.0) if lane.fate == "finalist" else (1, 0, -last)

    words = {key: text.to(lang) for key, text in table("race.labels").items()}
    took, everything = numbers.duration(race.seconds), numbers.duration(race.seconds_all)
    if not numbers.is_known(race.seconds_all):
        spent = say("race.spent.unknown", took=took)
    elif race.seconds_all <= race.seconds:  # no claim of a saving where there is none
        spent = say("race.spent.no_less", took=took, all=everything)
    else:
        share = numbers.percent(race.seconds / race.seconds_all, 0)
        spent = say("race.spent.part", took=took, all=everything, share=share)
    unsaved = sum(stop.seconds_saved or 0.0 for stop in race.stops if stop.reason == "budget")
    partial = any(step.n_train is not None or step.n_rows < race.n_dev for step in race.steps)
    eliminated = any(stop.reason == "eliminated" for stop in race.stops)
    return RaceSection(
        lead=words["race_lead"] if race.off is None else _sentence(race.off, lang),
        spent=spent.to(lang),
        cut=say("race.cut_off", time=numbers.duration(unsaved)).to(lang) if unsaved >= 1 else "",
        key=words["race_key"] if partial else "",
        promise=say("race.promise", share=numbers.percent(race.promise, 0)).to(lang) if eliminated else "",
        lanes=tuple(sorted(lanes, key=survival)),
        seconds=max((step.spent_seconds for step in race.steps), default=0.0),
        words=words,
    )


def _sentence(text: Text, lang: Lang) -> str:
    """With a capital and a full stop."""
    said = clean(text.to(lang))
    ended = said.endswith((".", "。", "！", "？"))
    return sentence_case(said if ended else said + say("race.full_stop").to(lang))


def _lane(
    arm: ArmResult,
    steps: Sequence[Step],
    stop: Stop | None,
    race: Race,
    row: ArmRow | None,
    names: Mapping[str, str],
    lang: Lang,
) -> LaneRow:
    n_rows = steps[-1].n_rows if steps else 0
    fate: Fate = "finished" if n_rows >= race.n_dev and steps else "open"
    if arm.finalist:
        fate = "finalist"
    elif stop is not None:
        fate = stop.reason
    elif arm.state == "failed":
        fate = "failed"
    # What an arm that has only one size is fitted on is no choice of the race.
    grows = any(step.n_train is not None for step in steps)
    n_train = max((step.n_train or race.n_train for step in steps), default=0)
    return LaneRow(
        arm_id=arm.arm_id,
        number=row.number if row else 0,
        label=names[arm.arm_id],
        model=one_line(arm.model) if arm.model else "",
        recommended=row.recommended if row else False,
        fate=fate,
        fate_word=table("race.fates")[fate].to(lang),
        reached=say("units.rows_of", n=n_rows, of=race.n_dev).to(lang),
        trained_on=say("race.trained_on", n=n_train).to(lang) if grows else "",
        score=numbers.percent(steps[-1].score).to(lang) if steps else NOTHING,
        to_leader=numbers.signed(stop.difference).to(lang) if stop and stop.difference is not None else NOTHING,
        interval=numbers.signed_range(stop.interval).to(lang) if stop and stop.interval else "",
        why=_sentence(_why(arm, fate, stop, n_rows, names), lang),
        time=numbers.duration(sum(step.seconds for step in steps)).to(lang),
        saved=numbers.duration(stop.seconds_saved).to(lang) if stop and stop.seconds_saved else NOTHING,
        evidence=_evidence(stop, names, lang) if stop else {},
        segments=tuple(_segment(step, race.n_train, grows=grows, lang=lang) for step in steps),
    )


def _segment(step: Step, n_train: int, *, grows: bool, lang: Lang) -> Segment:
    n_train = step.n_train or n_train
    score, took = numbers.percent(step.score), numbers.duration(step.seconds)
    told = say("race.step.once", n_rows=step.n_rows, score=score, time=took)
    told = say("race.step.grown", n_train=n_train, once=told) if grows else told
    told = say("race.step.saved", told=told) if step.saved else told
    label = f"{n_train:,} / {step.n_rows:,}" if grows else f"{step.n_rows:,}"
    return Segment(max(0.0, step.spent_seconds - step.seconds), step.spent_seconds, label, told.to(lang))


def _evidence(stop: Stop, names: Mapping[str, str], lang: Lang) -> dict[str, str]:
    interval, e_value = "", NOTHING
    if stop.interval:
        low, high = numbers.signed(stop.interval.low), numbers.signed(stop.interval.high)
        level = f"{100 * stop.interval.level:.5g}"  # a level close to 1 keeps the digits that matter: 99.95
        interval = say("units.interval", level=level, low=low, high=high).to(lang)
    if numbers.is_known(stop.e_value):
        e_value = f"{stop.e_value:,.0f}" if stop.e_value >= 10 else f"{stop.e_value:.2g}"
        e_value = f">\u00a0{MANY:,}" if stop.e_value > MANY else e_value
        e_value += f" / {numbers.about(stop.e_needed).to(lang) if numbers.is_known(stop.e_needed) else NOTHING}"
    return {
        "leader": names.get(stop.leader, clean(stop.leader)) if stop.leader else NOTHING,
        "n_rows": numbers.count(stop.n_rows).to(lang),
        "difference": NOTHING if stop.difference is None else numbers.signed_points(stop.difference).to(lang),
        "interval": interval,
        "e_value": e_value,
        "expected_gain": NOTHING if stop.expected_gain is None else numbers.signed(stop.expected_gain).to(lang),
        "forecast_high": NOTHING if stop.forecast_high is None else numbers.percent(stop.forecast_high).to(lang),
    }


def _why(arm: ArmResult, fate: Fate, stop: Stop | None, n_rows: int, names: Mapping[str, str]) -> Text:
    """What happened to an arm. One without scores has the words of the list of skipped arms.

    Args:
        n_rows: dev rows that it was scored on; a stop by the budget does not say.
    """
    if arm.why is not None and arm.state != "measured":
        return arm.why
    if stop is None:
        return say(f"race.not_stopped.{'yardstick' if fate == 'finished' and arm.yardstick else fate}")
    leader = say("race.stopped.the_leader")
    if stop.leader is not None:
        leader = quoted(names.get(stop.leader, clean(stop.leader)))
    said = _stopped(stop, leader, n_rows)
    return say("race.stopped.yet_finalist", said=said) if arm.finalist else said


def _stopped(stop: Stop, leader: Text, n_rows: int) -> Text:
    match stop.reason:
        case "eliminated":
            behind = say("race.stopped.eliminated", leader=leader)
            if not numbers.is_known(stop.e_value) or stop.e_value < 1:
                return behind
            # Ville's inequality: an e-value of e turns up with probability at most 1 / e if the arm is within the margin.
            n = say("race.stopped.a_million") if stop.e_value > MANY else numbers.about(stop.e_value)
            return say("race.stopped.odds", behind=behind, n=n)
        case "little_to_gain":
            if not numbers.is_known(stop.expected_gain) or stop.expected_gain < NOTHING_TO_GAIN:
                return say("race.stopped.nothing_to_gain")
            most = (
                math.ceil(stop.expected_gain * 1000 - 1e-9) / 1000
            )  # up to a tenth of a point, so that "at most" holds
            return say("race.stopped.little_to_gain", gain=numbers.points(most))
        case "forecast":
            if not numbers.is_known(stop.forecast_high):
                return say("race.stopped.forecast_unsaid", leader=leader)
            return say("race.stopped.forecast", high=numbers.percent(stop.forecast_high), leader=leader)
        case "no_rise":
            return say("race.stopped.no_rise", leader=leader)
        case "setting":
            return say("race.stopped.setting", n=stop.n_train or 0, leader=leader)
        case "budget":
            how = "cut_short" if n_rows else "not_started"
            said = say(f"race.out_of_budget.{how}")
            if not stop.seconds_saved:
                return said
            return say(f"race.out_of_budget_time.{how}", said=said, time=numbers.duration(stop.seconds_saved))
        case "failed":
            return say("race.stopped.failed")


def power_sentence(power: Power) -> Text:
    """The smallest difference that the rows show, the rows that the margin takes, and what that assumes."""
    margin = numbers.points(power.margin)
    if power.rows_for_margin is None:
        needed = say("power.margin.too_many", margin=margin)
    elif power.rows_for_margin <= power.n_test:
        needed = say("power.margin.shown", margin=margin)
    else:
        needed = say("power.margin.rows", margin=margin, n=numbers.about(power.rows_for_margin))
    told = say(
        "power.rows",
        test=numbers.points(power.test_difference),
        n_test=power.n_test,
        chance=numbers.percent(CHANCE, 0),
        dev=numbers.points(power.dev_difference),
        n_dev=power.n_dev,
        margin=needed,
        share=numbers.percent(power.share_different, 0),
        n_pairs=power.n_pairs,
    )
    if power.n_effective is None or round(power.n_effective) >= power.n_test:
        return told
    return say("groups.power", told=told, n=power.n_test, worth=round(power.n_effective))

"""How the arms were narrowed down: one lane per arm, from the stored steps and stops to text in one language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tuneworth.core.race import Race, Step, Stop
from tuneworth.core.run import ArmResult, RunResult
from tuneworth.core.text import Lang, Text
from tuneworth.report.pages.arms import NOTHING, ArmRow, arm_labels
from tuneworth.report.pages.race_words import FATES, LABELS, MANY, Fate, cut_off, promise, spent, why
from tuneworth.report.plain import clean, one_line, sentence_case
from tuneworth.words import numbers


@dataclass(frozen=True, slots=True)
class Segment:
    """One step of an arm on the clock of the run, in seconds; ``label`` is short, ``told`` a sentence."""

    start: float
    end: float
    label: str
    told: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a stop rests on, in numbers."""

    leader: str
    n_rows: str
    difference: str
    interval: str
    e_value: str
    expected_gain: str
    forecast_high: str


@dataclass(frozen=True, slots=True)
class Lane:
    """One arm in the race. Every field but flags and segments is text in the reader's language.

    Attributes:
        number: the arm's number in the other tables and charts; 0 for one that has no score to be listed by.
        reached: dev rows it was scored on, of all: ``64 of 300``.
        trained_on: its largest fit; empty for an arm that has only one size.
        to_leader: arm − leader with its interval; ``–`` where nothing was compared.
        saved: estimate of what the rest of it would have taken; ``–`` where there is no rest.
        evidence: of a stop; ``None`` for an arm that was not stopped.
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
    evidence: Evidence | None
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
    lanes: tuple[Lane, ...]
    seconds: float
    words: dict[str, str]

    @property
    def stopped(self) -> tuple[Lane, ...]:
        return tuple(lane for lane in self.lanes if lane.evidence is not None)


def build_race(result: RunResult, arms: Sequence[ArmRow], lang: Lang) -> RaceSection | None:
    """``None`` for a run that stored no race, or did nothing in it."""
    race = result.race
    if race is None or not (race.steps or race.stops):
        return None
    stops = {stop.arm_id: stop for stop in race.stops}
    steps: dict[str, list[Step]] = {}
    for step in race.steps:
        steps.setdefault(step.arm_id, []).append(step)
    seen = [arm for arm in result.arms if arm.arm_id in steps or arm.arm_id in stops]
    builder = _Builder(
        race, arm_labels(result, "en"), arm_labels(result, "zh"), {row.arm_id: row for row in arms}, lang
    )
    lanes = [builder.lane(arm, steps.get(arm.arm_id, []), stops.get(arm.arm_id)) for arm in seen]
    lanes.sort(key=_survival)
    return RaceSection(
        lead=LABELS["race_lead"].to(lang) if race.off is None else sentence_case(_ended(race.off.to(lang), lang)),
        spent=spent(race).to(lang),
        cut=_cut(race, lang),
        key=LABELS["race_key"].to(lang) if _partial(race) else "",
        promise=promise(race).to(lang) if any(stop.reason == "eliminated" for stop in race.stops) else "",
        lanes=tuple(lanes),
        seconds=max((step.spent_seconds for step in race.steps), default=0.0),
        words={key: text.to(lang) for key, text in LABELS.items()},
    )


def _survival(lane: Lane) -> tuple[int, int, float]:
    """Finalists in the order of the report, then the others, the longest in the race first."""
    last = lane.segments[-1].end if lane.segments else -1.0
    return (0, lane.number, 0.0) if lane.fate == "finalist" else (1, 0, -last)


def _cut(race: Race, lang: Lang) -> str:
    seconds = sum(stop.seconds_saved or 0.0 for stop in race.stops if stop.reason == "budget")
    return cut_off(seconds).to(lang) if seconds >= 1 else ""


def _partial(race: Race) -> bool:
    """Whether steps differ in training rows, or in dev rows."""
    return any(step.n_train is not None or step.n_rows < race.n_dev for step in race.steps)


def _ended(text: str, lang: Lang) -> str:
    return text if text.endswith((".", "。", "！", "？")) else text + ("。" if lang == "zh" else ".")


@dataclass(frozen=True, slots=True)
class _Builder:
    """Turns the steps and the stop of an arm into its lane."""

    race: Race
    names_en: Mapping[str, str]
    names_zh: Mapping[str, str]
    rows: Mapping[str, ArmRow]
    lang: Lang

    def lane(self, arm: ArmResult, steps: Sequence[Step], stop: Stop | None) -> Lane:
        row, lang = self.rows.get(arm.arm_id), self.lang
        last = steps[-1] if steps else None
        fate = self._fate(arm, last, stop)
        said = why(
            fate,
            stop,
            self._name(stop.leader if stop else None),
            n_rows=last.n_rows if last else 0,
            yardstick=arm.yardstick,
            finalist=arm.finalist,
            reason=arm.why if arm.state != "measured" else None,
        )
        return Lane(
            arm_id=arm.arm_id,
            number=row.number if row else 0,
            label=self._names[arm.arm_id],
            model=one_line(arm.model) if arm.model else "",
            recommended=row.recommended if row else False,
            fate=fate,
            fate_word=FATES[fate].to(lang),
            reached=self._reached(last.n_rows if last else 0),
            trained_on=self._trained_on(steps),
            score=numbers.percent(last.score).to(lang) if last else NOTHING,
            to_leader=numbers.signed(stop.difference).to(lang) if stop and stop.difference is not None else NOTHING,
            interval=numbers.signed_range(stop.interval).to(lang) if stop and stop.interval else "",
            why=sentence_case(_ended(clean(said.to(lang)), lang)),
            time=numbers.duration(sum(step.seconds for step in steps)).to(lang),
            saved=numbers.duration(stop.seconds_saved).to(lang) if stop and stop.seconds_saved else NOTHING,
            evidence=self._evidence(stop) if stop else None,
            segments=tuple(self._segment(step, grows=_grows(steps)) for step in steps),
        )

    @property
    def _names(self) -> Mapping[str, str]:
        return self.names_zh if self.lang == "zh" else self.names_en

    def _name(self, arm_id: str | None) -> Text:
        if arm_id is None:
            return Text(en="the leader", zh="领先方案")
        en, zh = (names.get(arm_id, clean(arm_id)) for names in (self.names_en, self.names_zh))
        return Text(en=f"“{en}”", zh=f"“{zh}”")

    def _fate(self, arm: ArmResult, last: Step | None, stop: Stop | None) -> Fate:
        if arm.finalist:
            return "finalist"
        if stop is not None:
            return stop.reason
        if arm.state == "failed":
            return "failed"
        return "finished" if last is not None and last.n_rows >= self.race.n_dev else "open"

    def _reached(self, n_rows: int) -> str:
        n, of = f"{n_rows:,}", f"{self.race.n_dev:,}"
        return f"{n}/{of} 条" if self.lang == "zh" else f"{n} of {of}"

    def _trained_on(self, steps: Sequence[Step]) -> str:
        """Empty for an arm that has only one size: what it is fitted on is no choice of the race."""
        if not _grows(steps):
            return ""
        n = f"{max(step.n_train or self.race.n_train for step in steps):,}"
        return Text(en=f"trained on {n}", zh=f"训练 {n} 条").to(self.lang)

    def _segment(self, step: Step, *, grows: bool) -> Segment:
        n_train = f"{step.n_train or self.race.n_train:,}"
        label = f"{n_train} / {step.n_rows:,}" if grows else f"{step.n_rows:,}"
        score, took = numbers.percent(step.score).to(self.lang), numbers.duration(step.seconds).to(self.lang)
        told = Text(
            en=(f"{n_train} training rows, " if grows else "") + f"{step.n_rows:,} dev rows: {score}, took {took}",
            zh=(f"训练数据 {n_train} 条，" if grows else "") + f"开发集 {step.n_rows:,} 条：{score}，用时 {took}",
        )
        paid = Text(en=" (found in the store)", zh="（取自已有记录）") if step.saved else Text(en="", zh="")
        start = max(0.0, step.spent_seconds - step.seconds)
        return Segment(start, step.spent_seconds, label, told.to(self.lang) + paid.to(self.lang))

    def _evidence(self, stop: Stop) -> Evidence:
        lang = self.lang
        known = numbers.is_known(stop.e_value)
        needed = numbers.about(stop.e_needed).to(lang) if numbers.is_known(stop.e_needed) else NOTHING
        level = _level(stop.interval.level, lang) if stop.interval else ""
        return Evidence(
            leader=self._names.get(stop.leader, clean(stop.leader)) if stop.leader else NOTHING,
            n_rows=numbers.count(stop.n_rows).to(lang),
            difference=NOTHING if stop.difference is None else numbers.signed_points(stop.difference).to(lang),
            interval=f"{level} {LABELS['level'].to(lang)} {numbers.signed_range(stop.interval).to(lang)}"
            if stop.interval
            else "",
            e_value=f"{_e_value(stop.e_value or 0.0)} / {needed}" if known else NOTHING,
            expected_gain=NOTHING if stop.expected_gain is None else f"{numbers.signed(stop.expected_gain).to(lang)}",
            forecast_high=NOTHING if stop.forecast_high is None else numbers.percent(stop.forecast_high).to(lang),
        )


def _grows(steps: Sequence[Step]) -> bool:
    return any(step.n_train is not None for step in steps)


def _level(level: float, lang: Lang) -> str:
    """``99.95 %``: a level close to 1 keeps the digits that matter."""
    return f"{100 * level:.5g}%" if lang == "zh" else f"{100 * level:.5g}\u00a0%"


def _e_value(value: float) -> str:
    if value > MANY:
        return f">\u00a0{MANY:,}"
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"

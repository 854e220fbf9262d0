"""The tables of the page on documents: one row per way of searching, per arm or per passage, as text in one language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tuneworth.core.knowledge import (
    AgeScore,
    Grounding,
    Injection,
    LossSplit,
    NoAnswer,
    ReadingExample,
    Recall,
    Share,
    ShownPassage,
    UpdateCost,
)
from tuneworth.core.run import Score
from tuneworth.core.text import Lang
from tuneworth.report.pages.arms import NOTHING, ArmRow
from tuneworth.report.pages.documents_sentences import STAGES, amount, between, search_name
from tuneworth.report.pages.documents_words import ABSORBS, CAUSES, LABELS
from tuneworth.report.plain import excerpt, one_line
from tuneworth.report.score import shown
from tuneworth.words import numbers

Span = tuple[float, float, float]
"""Value, low and high in per cent."""
Arms = Mapping[str, ArmRow]


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure with its interval and a second line; what is not there is empty."""

    value: str
    interval: str = ""
    note: str = ""


EMPTY = Cell(NOTHING)


@dataclass(frozen=True, slots=True)
class RecallRow:
    """One way of searching on one side.

    Attributes:
        name: without the size, which ``size`` tells.
        usual: passages of the task's own size.
        at: k → share found.
        chosen: the very way that the leading arm searches; of no row where that one was not measured.
    """

    name: str
    size: str
    stage: str
    rows: str
    usual: bool
    chosen: bool
    cells: tuple[Cell, ...]
    mrr: Cell
    ndcg: Cell
    at: dict[int, Span]


@dataclass(frozen=True, slots=True)
class LossRow:
    """Where an arm loses.

    Attributes:
        score_raw, reading_raw, retrieval_raw: in per cent, adding up to 100; retrieval below zero counts as none.
        split: whether anything is known of reading: the right passage was shown at least once.
        oracle_raw: in per cent; ``None`` where it was not measured.
    """

    arm: ArmRow
    rows: str
    shown: str
    score: Cell
    reading: Cell
    retrieval: Cell
    found: Cell
    missed: Cell
    oracle: Cell
    split: bool
    score_raw: float
    reading_raw: float
    retrieval_raw: float
    oracle_raw: float | None


@dataclass(frozen=True, slots=True)
class AgeRow:
    """An arm on old and on new knowledge; ``None`` where it met no such rows."""

    arm: ArmRow
    old: Cell
    new: Cell
    old_raw: Span | None
    new_raw: Span | None


@dataclass(frozen=True, slots=True)
class UpdateRow:
    arm: ArmRow
    absorbs: str
    retrains: bool
    seconds: str
    usd: str
    runs_per_year: str
    per_year: str


@dataclass(frozen=True, slots=True)
class GroundingRow:
    """Cells of an arm's grounding; ``no_answer`` is empty when the task has no such answer."""

    arm: ArmRow
    answers: Cell
    cited: Cell
    real: Cell
    supported: Cell
    by_words: Cell
    by_meaning: Cell
    no_answer: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class InjectionRow:
    arm: ArmRow
    rows: str
    changed: Cell
    control: Cell
    obeyed: Cell


@dataclass(frozen=True, slots=True)
class PassageView:
    """A passage as data: title and text are somebody else's words."""

    title: str
    text: str
    right: bool
    cited: bool


@dataclass(frozen=True, slots=True)
class ExampleView:
    cause: str
    cause_word: str
    arm: str
    question: str
    reference: str
    answer: str
    score: str
    passages: tuple[PassageView, ...]

    @property
    def summary(self) -> str:
        return one_line(self.question)

    @property
    def laid_out(self) -> bool:
        """Whether the question has line breaks that the summary leaves out."""
        return self.summary != self.question


def scored(score: Score | None, lang: Lang, note: str = "") -> Cell:
    if score is None:
        return EMPTY
    text = shown(score, lang)
    return Cell(text.value, text.interval, note)


def share(value: Share | None, lang: Lang, note: str = "") -> Cell:
    if value is None:
        return EMPTY
    return scored(Score(value=value.value, interval=value.interval, n_rows=0), lang, note)


def span(score: Score | None, lang: Lang) -> Span | None:
    return None if score is None else shown(score, lang).raw


def recall_row(recall: Recall, ks: Sequence[int], *, usual: bool, chosen: bool, lang: Lang) -> RecallRow:
    at = {k: raw for k, score in sorted(recall.at.items()) if (raw := span(score, lang)) is not None}
    n = max((score.n_rows for score in recall.at.values()), default=0)
    return RecallRow(
        name=search_name(recall).to(lang),
        size=f"{recall.passage_tokens:,} 词元" if lang == "zh" else f"{recall.passage_tokens:,} tokens",
        stage=recall.stage,
        rows=counted(n, recall.stage, lang),
        usual=usual,
        chosen=chosen,
        cells=tuple(scored(recall.at.get(k), lang) for k in ks),
        mrr=scored(recall.mrr, lang),
        ndcg=scored(recall.ndcg, lang),
        at=at,
    )


def loss_row(split: LossSplit, arm: ArmRow, lang: Lang) -> LossRow:
    score = 1 - split.reading.value - split.retrieval.value
    known = split.n_found > 0
    side = arm.test if split.stage == "test" else arm.dev
    same_rows = side is not None and side.n_rows == numbers.count(split.n_rows).to(lang)
    lost = 100 * (1 - score)
    reading = min(100 * split.reading.value, lost) if known else 0.0
    n_found, n_rows = f"{split.n_found:,}", f"{split.n_rows:,}"
    unknown = Cell(numbers.unknown().to(lang))
    return LossRow(
        arm=arm,
        rows=counted(split.n_rows, split.stage, lang),
        shown=f"{n_found}/{n_rows} 条" if lang == "zh" else f"{n_found} of {n_rows}",
        score=Cell(numbers.percent(score).to(lang), side.interval if side and same_rows else ""),
        reading=_points(split.reading, lang) if known else unknown,
        retrieval=_points(split.retrieval, lang) if known else unknown,
        found=scored(split.score_found, lang),
        missed=scored(split.score_missed, lang),
        oracle=scored(split.oracle, lang),
        split=known,
        score_raw=100 * score,
        reading_raw=reading,
        retrieval_raw=max(0.0, lost - reading),
        oracle_raw=100 * split.oracle.value if split.oracle else None,
    )


def _points(value: Share, lang: Lang) -> Cell:
    return Cell(amount(value), between(value, lang))


def age_rows(ages: Sequence[AgeScore], arms: Arms, lang: Lang) -> tuple[AgeRow, ...]:
    """One row per measured arm, in the order of the report."""
    by_arm: dict[str, dict[str, AgeScore]] = {}
    for age in ages:
        by_arm.setdefault(age.arm_id, {})[age.age] = age
    rows = [
        AgeRow(
            arm=arms[arm_id],
            old=_age_cell(found.get("old"), lang),
            new=_age_cell(found.get("new"), lang),
            old_raw=span(found["old"].score, lang) if "old" in found else None,
            new_raw=span(found["new"].score, lang) if "new" in found else None,
        )
        for arm_id, found in by_arm.items()
        if arm_id in arms
    ]
    return tuple(sorted(rows, key=lambda row: row.arm.number))


def _age_cell(age: AgeScore | None, lang: Lang) -> Cell:
    if age is None:
        return EMPTY
    stages = (" + " if lang == "en" else "＋").join(STAGES[stage].to(lang) for stage in age.stages)
    n = f"{age.score.n_rows:,}"
    return scored(age.score, lang, f"{n} 条{stages}" if lang == "zh" else f"{n} {stages}")


def update_row(cost: UpdateCost, arm: ArmRow, lang: Lang) -> UpdateRow:
    """Time and money of a year are shown only where both one update and how often it comes are known."""
    helps = cost.absorbs != "nothing"
    runs = cost.runs_per_year
    often = (f"{runs:,.0f}" if runs >= 9.5 else f"{runs:.2g}") if numbers.is_known(runs) else numbers.unknown().to(lang)
    time = numbers.duration(_times(cost.seconds, runs)).to(lang)
    money = numbers.usd_sign(_times(cost.usd, runs)).to(lang)
    joint = "，" if lang == "zh" else ", "
    year = time if time == money else f"{time}{joint}{money}"
    return UpdateRow(
        arm=arm,
        absorbs=ABSORBS[cost.absorbs].to(lang),
        retrains=cost.absorbs == "retrain",
        seconds=numbers.duration(cost.seconds).to(lang) if helps else NOTHING,
        usd=numbers.usd_sign(cost.usd).to(lang) if helps else NOTHING,
        runs_per_year=often if helps else NOTHING,
        per_year=year if helps else NOTHING,
    )


def _times(value: float | None, runs: float | None) -> float | None:
    return value * runs if numbers.is_known(value) and numbers.is_known(runs) else None


def grounding_row(grounding: Grounding, arm: ArmRow, lang: Lang) -> GroundingRow:
    checked = grounding.n_checked
    note = ""
    if checked is not None and checked < grounding.n_answers:
        note = f"查了 {checked:,} 条" if lang == "zh" else f"{checked:,} checked"
    return GroundingRow(
        arm=arm,
        answers=Cell(numbers.count(grounding.n_answers).to(lang), note=STAGES[grounding.stage].to(lang)),
        cited=share(grounding.cited, lang),
        real=share(grounding.real, lang),
        supported=share(grounding.supported, lang, note),
        by_words=share(grounding.by_words, lang),
        by_meaning=share(grounding.by_meaning, lang),
        no_answer=_no_answer(grounding.no_answer, lang) if grounding.no_answer else (),
    )


def _no_answer(said: NoAnswer, lang: Lang) -> tuple[Cell, ...]:
    """How often it was said, how often that was right, and how many of the unanswerable rows it caught."""
    n_said, n_right, of = f"{said.n_said:,}", f"{said.n_right:,}", f"{said.n_unanswerable:,}"
    right = f"{n_right}/{n_said} 条" if lang == "zh" else f"{n_right} of {n_said}"
    caught = f"{n_right}/{of} 条" if lang == "zh" else f"{n_right} of {of}"
    return (
        Cell(n_said),
        share(said.precision, lang, right if said.precision else ""),
        share(said.recall, lang, caught if said.recall else ""),
    )


def injection_row(injection: Injection, arm: ArmRow, lang: Lang) -> InjectionRow:
    return InjectionRow(
        arm=arm,
        rows=counted(injection.n_rows, "dev", lang),
        changed=share(injection.changed, lang),
        control=share(injection.control, lang),
        obeyed=share(injection.obeyed, lang),
    )


def example_view(example: ReadingExample, names: Mapping[str, str], lang: Lang) -> ExampleView:
    return ExampleView(
        cause=example.cause or "unknown",
        cause_word=CAUSES[example.cause].to(lang),
        arm=names.get(example.arm_id, one_line(example.arm_id)),
        question=excerpt(example.question, lang),
        reference=excerpt(example.reference, lang),
        answer=excerpt(example.answer, lang) if example.answer is not None else LABELS["unsaid"].to(lang),
        score="" if example.score is None else numbers.percent(example.score, 0).to(lang),
        passages=tuple(_passage(passage, lang) for passage in example.passages),
    )


def _passage(passage: ShownPassage, lang: Lang) -> PassageView:
    return PassageView(
        title=one_line(passage.title) or one_line(passage.id),
        text=excerpt(passage.text, lang),
        right=passage.right is True,
        cited=passage.cited,
    )


def counted(n: int, stage: str, lang: Lang) -> str:
    """``238 test rows``."""
    return f"{n:,} 条{STAGES[stage].zh}" if lang == "zh" else f"{n:,} {STAGES[stage].en}"

"""The tables of the page on documents: one row per way of searching, per arm or per example, as text in one language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tuneworth.core.knowledge import (
    AgeScore,
    Grounding,
    Injection,
    LossSplit,
    ReadingExample,
    Recall,
    Share,
    UpdateCost,
)
from tuneworth.core.record import Score
from tuneworth.core.text import Lang, Text
from tuneworth.report.pages import score_text
from tuneworth.report.pages.arms import NOTHING, ArmRow
from tuneworth.report.plain import excerpt, one_line
from tuneworth.words import numbers
from tuneworth.words.names import joined
from tuneworth.words.say import say, table

Span = tuple[float, float, float]
"""Value, low and high in per cent."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure with its interval and a second line; what is not there is empty. ``raw`` is for charts."""

    value: str
    interval: str = ""
    note: str = ""
    raw: Span | None = None


EMPTY = Cell(NOTHING)


@dataclass(frozen=True, slots=True)
class RecallRow:
    """One way of searching on one side.

    Attributes:
        name: without the size, which ``size`` tells.
        usual: passages of the task's own size.
        chosen: the very way that the leading arm searches; of no row where that one was not measured.
        at: k → share found.
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
class FoundRow:
    """One arm in a table.

    Attributes:
        cells: column, as the catalogue names it → cell, in the order of the table.
        parts: score, lost in reading, lost in retrieval and lost for an unknown cause, in per cent, adding up to 100;
            retrieval below zero counts as none. Only of a row of losses.
    """

    arm: ArmRow
    cells: dict[str, Cell]
    parts: tuple[float, ...] = ()


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


def search_name(recall: Recall) -> Text:
    """``hybrid search, reranked``."""
    mode = table("documents.modes").get(recall.mode, numbers.plain(recall.mode))
    return say("documents.reranked", mode=mode) if recall.reranked else mode


def counted(n: int, stage: str) -> Text:
    """``238 test rows``."""
    return say("documents.n_rows", n=n, stage=table("reasons.stage")[stage])


def amount(share: Share) -> Text:
    """A part of a loss in points, which may be below zero."""
    return numbers.plain(numbers.signed(share.value).en.removeprefix("+"))


def between(share: Share) -> Text:
    """Its interval."""
    low, high = (numbers.signed(edge).en.removeprefix("+") for edge in (share.interval.low, share.interval.high))
    return say("units.range", low=low, high=high) if numbers.MINUS in low + high else numbers.plain(f"{low}–{high}")


def recall_row(recall: Recall, ks: Sequence[int], *, usual: bool, chosen: bool, lang: Lang) -> RecallRow:
    cells = {k: _score(recall.at.get(k), lang) for k in ks}
    n = max((score.n_rows for score in recall.at.values()), default=0)
    return RecallRow(
        name=search_name(recall).to(lang),
        size=say("documents.n_tokens", n=recall.passage_tokens).to(lang),
        stage=recall.stage,
        rows=counted(n, recall.stage).to(lang),
        usual=usual,
        chosen=chosen,
        cells=tuple(cells.values()),
        mrr=_score(recall.mrr, lang),
        ndcg=_score(recall.ndcg, lang),
        at={k: cell.raw for k, cell in cells.items() if cell.raw is not None},
    )


def loss_row(split: LossSplit, arm: ArmRow, lang: Lang) -> FoundRow:
    """Where an arm loses; how much in reading is only known where the right passage was shown at least once."""
    score = 1 - split.reading.value - split.retrieval.value
    side = arm.test if split.stage == "test" else arm.dev
    same_rows = side is not None and side.n_rows == numbers.count(split.n_rows).to(lang)
    shown_right = say("units.rows_of", n=split.n_found, of=split.n_rows)
    lost = 100 * (1 - score)
    if split.n_found > 0:
        reading, retrieval = (Cell(amount(s).to(lang), between(s).to(lang)) for s in (split.reading, split.retrieval))
        in_reading = min(100 * split.reading.value, lost)
        parts = (100 * score, in_reading, max(0.0, lost - in_reading), 0.0)
    else:
        reading = retrieval = Cell(numbers.unknown().to(lang))
        parts = (100 * score, 0.0, 0.0, lost)
    cells = {
        "score": Cell(numbers.percent(score).to(lang), side.interval if side and same_rows else ""),
        "reading": reading,
        "retrieval": retrieval,
        "shown_right": Cell(shown_right.to(lang), note=counted(split.n_rows, split.stage).to(lang)),
        "score_found": _score(split.score_found, lang),
        "score_missed": _score(split.score_missed, lang),
        "oracle": _score(split.oracle, lang),
    }
    return FoundRow(arm, cells, parts)


def age_rows(ages: Sequence[AgeScore], arms: Mapping[str, ArmRow], lang: Lang) -> tuple[FoundRow, ...]:
    """The measured arms on old and on new knowledge, in the order of the report."""
    by_arm: dict[str, dict[str, Cell]] = {}
    stages, both = table("reasons.stage"), say("documents.and_stage")
    for age in ages:
        met = joined([stages[stage] for stage in age.stages], both)
        note = say("documents.n_rows", n=age.score.n_rows, stage=met)
        by_arm.setdefault(age.arm_id, {})[age.age] = _score(age.score, lang, note)
    rows = [
        FoundRow(arms[arm_id], {age: cells.get(age, EMPTY) for age in ("old", "new")})
        for arm_id, cells in by_arm.items()
        if arm_id in arms
    ]
    return tuple(sorted(rows, key=lambda row: row.arm.number))


def update_row(cost: UpdateCost, arm: ArmRow, lang: Lang) -> FoundRow:
    """Time and money of a year are shown only where both one update and how often it comes are known."""
    runs = cost.runs_per_year
    time, money = (
        value * runs if numbers.is_known(value) and numbers.is_known(runs) else None
        for value in (cost.seconds, cost.usd)
    )
    often, year = numbers.unknown(), numbers.duration(time)
    if numbers.is_known(runs):
        often = numbers.plain(f"{runs:,.0f}" if runs >= 9.5 else f"{runs:.2g}")
    if numbers.usd_sign(money) != year:
        year = say("documents.time_and_money", time=year, usd=numbers.usd_sign(money))
    told = {
        "update_seconds": numbers.duration(cost.seconds),
        "update_usd": numbers.usd_sign(cost.usd),
        "runs_per_year": often,
        "per_year": year,
    }
    cells = {name: EMPTY if cost.absorbs == "nothing" else Cell(text.to(lang)) for name, text in told.items()}
    return FoundRow(arm, {"absorbs": Cell(table("documents.absorbs")[cost.absorbs].to(lang))} | cells)


def grounding_row(grounding: Grounding, arm: ArmRow, lang: Lang) -> FoundRow:
    checked = grounding.n_checked
    part = checked is not None and checked < grounding.n_answers
    stage = table("reasons.stage")[grounding.stage].to(lang)
    cells = {
        "answers": Cell(numbers.count(grounding.n_answers).to(lang), note=stage),
        "cited": _share(grounding.cited, lang),
        "real": _share(grounding.real, lang),
        "supported": _share(grounding.supported, lang, say("documents.n_checked", n=checked or 0) if part else None),
        "by_words": _share(grounding.by_words, lang),
        "by_meaning": _share(grounding.by_meaning, lang),
    }
    return FoundRow(arm, cells)


def no_answer_row(grounding: Grounding, arm: ArmRow, lang: Lang) -> FoundRow:
    """How often it was said, how often that was right, and how many of the unanswerable rows it caught."""
    said = grounding.no_answer
    assert said is not None
    right, caught = (say("units.rows_of", n=said.n_right, of=of) for of in (said.n_said, said.n_unanswerable))
    cells = {
        "said": Cell(numbers.count(said.n_said).to(lang)),
        "precision": _share(said.precision, lang, right),
        "caught": _share(said.recall, lang, caught),
    }
    return FoundRow(arm, cells)


def injection_row(injection: Injection, arm: ArmRow, lang: Lang, *, controlled: bool) -> FoundRow:
    """``controlled``: a harmless remark was planted as well, in this arm or in another."""
    control = {"control": _share(injection.control, lang)} if controlled else {}
    rows = Cell(counted(injection.n_rows, "dev").to(lang))
    cells = {"rows": rows, "changed": _share(injection.changed, lang), **control}
    return FoundRow(arm, cells | {"obeyed": _share(injection.obeyed, lang)})


def example_view(example: ReadingExample, names: Mapping[str, str], lang: Lang) -> ExampleView:
    cause, unsaid = example.cause or "unknown", table("documents.labels")["unsaid"].to(lang)
    return ExampleView(
        cause=cause,
        cause_word=table("documents.causes")[cause].to(lang),
        arm=names.get(example.arm_id, one_line(example.arm_id)),
        question=excerpt(example.question, lang),
        reference=excerpt(example.reference, lang),
        answer=excerpt(example.answer, lang) if example.answer is not None else unsaid,
        score="" if example.score is None else numbers.percent(example.score, 0).to(lang),
        passages=tuple(
            PassageView(
                title=one_line(passage.title) or one_line(passage.id),
                text=excerpt(passage.text, lang),
                right=passage.right is True,
                cited=passage.cited,
            )
            for passage in example.passages
        ),
    )


def _score(score: Score | None, lang: Lang, note: Text | None = None) -> Cell:
    if score is None:
        return EMPTY
    text = score_text(score, lang)
    return Cell(text.value, text.interval, note.to(lang) if note else "", text.raw)


def _share(share: Share | None, lang: Lang, note: Text | None = None) -> Cell:
    return _score(share and Score(value=share.value, interval=share.interval, n_rows=0), lang, note)

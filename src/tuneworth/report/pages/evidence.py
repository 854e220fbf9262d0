"""Rows on which arms disagree, errors per class, and rules of thumb held against the result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tuneworth.core.run import ClassRow, RowView, RunResult
from tuneworth.core.text import Lang
from tuneworth.report.pages.arms import arm_labels
from tuneworth.report.pages.rules import RULES
from tuneworth.report.plain import clean, excerpt, one_line
from tuneworth.report.words import FINDINGS, label
from tuneworth.words import numbers

MAX_ROWS = 60
"""Most disagreements shown; ``result.json`` has the rest."""
Finding = Literal["confirmed", "overturned", "open"]
FINDING_ORDER: tuple[Finding, ...] = ("overturned", "confirmed", "open")


@dataclass(frozen=True, slots=True)
class AnswerView:
    """One arm's answer to a row. ``mark`` is ``right``, ``wrong``, ``partly`` or ``none``."""

    arm: str
    text: str
    mark: str
    mark_word: str


@dataclass(frozen=True, slots=True)
class DisagreementView:
    source: str
    text: str
    reference: str
    answers: tuple[AnswerView, ...]


@dataclass(frozen=True, slots=True)
class ClassCell:
    """Share answered right. ``error`` in 0 … 100 sets how dark the cell is; ``None`` when unknown."""

    text: str
    error: int | None


@dataclass(frozen=True, slots=True)
class ClassView:
    label: str
    n_rows: str
    cells: tuple[ClassCell, ...]


@dataclass(frozen=True, slots=True)
class ClassTable:
    """Classes, worst first; ``arms`` names the columns of ``cells``."""

    arms: tuple[str, ...]
    rows: tuple[ClassView, ...]


@dataclass(frozen=True, slots=True)
class SeedView:
    """A finding and the rules of thumb it is about: ``(id, the rule in a few words)``."""

    rules: tuple[tuple[str, str], ...]
    finding: str
    finding_word: str
    why: str


def build_disagreements(result: RunResult, lang: Lang) -> tuple[DisagreementView, ...]:
    names = arm_labels(result, lang)
    return tuple(_disagreement(row, names, lang) for row in result.disagreements[:MAX_ROWS])


def build_classes(result: RunResult, lang: Lang) -> ClassTable:
    """Classes ordered by the recall of the recommended arm, or of the mean arm if it has none."""
    names = arm_labels(result, lang)
    arm_ids = sorted(
        {arm_id for row in result.classes for arm_id in row.recall},
        key=lambda arm_id: (arm_id != result.decision.recommended, names.get(arm_id, arm_id)),
    )

    def recall(row: ClassRow) -> float:
        if result.decision.recommended in row.recall:
            return row.recall[result.decision.recommended]
        known = [value for value in row.recall.values() if numbers.is_known(value)]
        return sum(known) / len(known) if known else 1.0

    worst_first = sorted(result.classes, key=lambda row: (recall(row), -row.n_rows, row.label))
    return ClassTable(
        arms=tuple(names.get(arm_id, clean(arm_id)) for arm_id in arm_ids),
        rows=tuple(
            ClassView(
                label=one_line(row.label),
                n_rows=numbers.count(row.n_rows).to(lang),
                cells=tuple(_cell(row.recall.get(arm_id), lang) for arm_id in arm_ids),
            )
            for row in worst_first
        ),
    )


def build_seed(result: RunResult, lang: Lang) -> tuple[SeedView, ...]:
    """What was overturned first; rules with the same finding for the same reason are one entry."""
    together: dict[tuple[Finding, str], list[tuple[str, str]]] = {}
    for seed in sorted(result.decision.seed_rows, key=lambda seed: FINDING_ORDER.index(seed.finding)):
        rule = RULES[seed.row].to(lang) if seed.row in RULES else ""
        together.setdefault((seed.finding, clean(seed.why.to(lang))), []).append((clean(seed.row), rule))
    return tuple(
        SeedView(tuple(rules), finding, FINDINGS[finding].to(lang), why) for (finding, why), rules in together.items()
    )


def _cell(recall: float | None, lang: Lang) -> ClassCell:
    if not numbers.is_known(recall):
        return ClassCell(numbers.unknown().to(lang), None)
    return ClassCell(numbers.percent(recall, 0).to(lang), round(100 * (1 - recall)))


def _disagreement(row: RowView, names: dict[str, str], lang: Lang) -> DisagreementView:
    return DisagreementView(
        source=clean(row.source),
        text=excerpt(row.text, lang),
        reference=excerpt(row.reference, lang),
        answers=tuple(
            _answer(names.get(arm_id, clean(arm_id)), answer, row.scores.get(arm_id), lang)
            for arm_id, answer in row.answers.items()
        ),
    )


def _answer(arm: str, answer: str | None, score: float | None, lang: Lang) -> AnswerView:
    text = label("no_answer", lang) if answer is None else excerpt(answer, lang)
    if not numbers.is_known(score):
        return AnswerView(arm, text, "none", label("unscored_row", lang))
    if score >= 1:
        return AnswerView(arm, text, "right", label("right", lang))
    if score <= 0:
        return AnswerView(arm, text, "wrong", label("wrong", lang))
    return AnswerView(arm, text, "partly", numbers.percent(score, 0).to(lang))

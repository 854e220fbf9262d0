"""Rows on which arms disagree, errors per class, and what was expected (rules of thumb, advice) held against the result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tuneworth.core.run import ClassRow, RowView, RunResult
from tuneworth.core.text import Lang
from tuneworth.report.pages.arms import arm_labels
from tuneworth.report.plain import clean, excerpt, one_line
from tuneworth.words import numbers
from tuneworth.words.names import joined
from tuneworth.words.say import say, table

MAX_ROWS = 60
"""Most disagreements shown; ``result.json`` has the rest."""
Finding = Literal["confirmed", "overturned", "open"]
OPEN_VERDICTS = ("cant_tell", "not_yet", "none_meets_limits")
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


@dataclass(frozen=True, slots=True)
class ExpectedRule:
    """A rule behind the advice and how it fared."""

    reason: str
    rows: str
    finding: str
    finding_word: str


@dataclass(frozen=True, slots=True)
class ExpectedView:
    """The expectation and its fate.

    Attributes:
        sentence: who was expected to win, and who did.
        rules: those this run speaks to, overturned first.
        untested: how many rules it does not speak to, in words; empty when there are none.
    """

    finding: str
    finding_word: str
    sentence: str
    rules: tuple[ExpectedRule, ...]
    untested: str


def build_disagreements(result: RunResult, lang: Lang) -> tuple[DisagreementView, ...]:
    return disagreement_views(result.disagreements[:MAX_ROWS], arm_labels(result, lang), lang)


def disagreement_views(rows: Sequence[RowView], names: Mapping[str, str], lang: Lang) -> tuple[DisagreementView, ...]:
    return tuple(
        DisagreementView(
            source=clean(row.source),
            text=excerpt(row.text, lang),
            reference=excerpt(row.reference, lang),
            answers=tuple(
                _answer(names.get(arm_id, clean(arm_id)), answer, row.scores.get(arm_id), lang)
                for arm_id, answer in row.answers.items()
            ),
        )
        for row in rows
    )


def _answer(arm: str, answer: str | None, score: float | None, lang: Lang) -> AnswerView:
    if numbers.is_known(score) and 0 < score < 1:
        mark, word = "partly", numbers.percent(score, 0)
    else:
        mark = "none" if not numbers.is_known(score) else "right" if score >= 1 else "wrong"
        word = say(f"report.marks.{mark}")
    text = say("report.no_answer").to(lang) if answer is None else excerpt(answer, lang)
    return AnswerView(arm, text, mark, word.to(lang))


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

    def cell(recall: float | None) -> ClassCell:
        error = round(100 * (1 - recall)) if numbers.is_known(recall) else None
        return ClassCell(numbers.percent(recall, 0).to(lang), error)

    worst_first = sorted(result.classes, key=lambda row: (recall(row), -row.n_rows, row.label))
    return ClassTable(
        arms=tuple(names.get(arm_id, clean(arm_id)) for arm_id in arm_ids),
        rows=tuple(
            ClassView(
                label=one_line(row.label),
                n_rows=numbers.count(row.n_rows).to(lang),
                cells=tuple(cell(row.recall.get(arm_id)) for arm_id in arm_ids),
            )
            for row in worst_first
        ),
    )


def build_seed(result: RunResult, lang: Lang) -> tuple[SeedView, ...]:
    """What was overturned first; rules with the same finding for the same reason are one entry."""
    rules = table("rules")
    together: dict[tuple[Finding, str], list[tuple[str, str]]] = {}
    for seed in sorted(result.decision.seed_rows, key=lambda seed: FINDING_ORDER.index(seed.finding)):
        rule = rules[seed.row].to(lang) if seed.row in rules else ""
        together.setdefault((seed.finding, clean(seed.why.to(lang))), []).append((clean(seed.row), rule))
    return tuple(
        SeedView(tuple(rules), finding, say(f"report.findings.{finding}").to(lang), why)
        for (finding, why), rules in together.items()
    )


def build_expected(result: RunResult, lang: Lang) -> ExpectedView | None:
    """``None`` for a run without advice."""
    advice = result.advice
    if advice is None:
        return None
    finding = expectation(result)
    tested: list[tuple[Finding, ExpectedRule]] = []
    for rule in advice.rules:
        # How the rows that the rule comes from fared; one overturned row outweighs the others.
        fared = {seed.finding for seed in result.decision.seed_rows if seed.row in rule.seed_rows}
        found: Finding | None = next((finding for finding in FINDING_ORDER if finding in fared), None)
        if found is not None:
            word = say(f"report.findings.{found}").to(lang)
            tested.append((found, ExpectedRule(clean(rule.reason.to(lang)), " ".join(rule.seed_rows), found, word)))
    tested.sort(key=lambda item: FINDING_ORDER.index(item[0]))
    left = len(advice.rules) - len(tested)
    ranked = next((ranked for ranked in advice.ranking if ranked.approach == advice.expected), None)
    if ranked is None:
        said = say("report.expected.nothing")
    else:
        measured = any(arm.strategy == ranked.approach and arm.state == "measured" for arm in result.arms)
        key = f"report.expected.{'measured' if measured else 'not_measured'}"
        said = say(key, approach=clean(ranked.title.to(lang)))
    recommended = arm_labels(result, lang).get(result.decision.recommended or "")
    told = [said] if recommended is None else [said, say("report.expected.recommended", arm=recommended)]
    return ExpectedView(
        finding=finding,
        finding_word=say(f"report.findings.{finding}").to(lang),
        sentence=joined(told, say("units.marks.space")).to(lang),
        rules=tuple(rule for _, rule in tested),
        untested=say(f"report.expected.untested.{'one' if left == 1 else 'many'}", n=left).to(lang) if left else "",
    )


def expectation(result: RunResult) -> Finding:
    """Whether the approach that the advice expected to win did.

    ``open`` when the verdict is, when the approach was not measured, or when nothing tells it from the
    recommended arm. An approach of the wrong side (tuned or not) is overturned by a clear verdict.
    """
    decision = result.decision
    arms = {arm.arm_id: arm for arm in result.arms if arm.state == "measured"}
    winner = arms.get(decision.recommended or "")
    expected = [arm for arm in arms.values() if result.advice and arm.strategy == result.advice.expected]
    if winner is None or not expected or decision.verdict in OPEN_VERDICTS:
        return "open"
    if winner.strategy == expected[0].strategy:
        return "confirmed"
    if winner.tuned != expected[0].tuned:
        return "overturned"
    won = {(pair.a, pair.b) for pair in result.comparisons if pair.answer == "better"}
    won |= {(pair.b, pair.a) for pair in result.comparisons if pair.answer == "worse"}
    return "overturned" if any((winner.arm_id, arm.arm_id) in won for arm in expected) else "open"

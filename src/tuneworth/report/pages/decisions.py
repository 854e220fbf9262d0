"""How sure the arms are: whether their probabilities can be trusted, and how many rows they could answer alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tuneworth.core.calibration import Calibration, ReliabilityBin, SureEnough
from tuneworth.core.record import Interval
from tuneworth.core.run import ArmResult, RunResult
from tuneworth.core.text import Lang, Text
from tuneworth.report.pages.arms import ArmRow
from tuneworth.report.plain import as_first_word
from tuneworth.words import numbers
from tuneworth.words.names import in_lang
from tuneworth.words.say import say, table

MAX_CURVES = 4


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """One arm that says how sure it is, on its test rows or else on its dev rows.

    Attributes:
        alone, alone_note: what it could answer alone, and from which confidence on.
        told: all that in a line, for the terminal and for readers who cannot see the chart.
    """

    arm: ArmRow
    rows: str
    accuracy: str
    confidence: str
    error: str
    error_interval: str
    brier: str
    alone: str
    alone_note: str
    told: str


@dataclass(frozen=True, slots=True)
class ReliabilityView:
    """The bins of one arm, to be drawn: ``(confidence, right, what it says)`` in per cent, from the least sure."""

    arm: ArmRow
    bins: tuple[tuple[float, float, str], ...]


@dataclass(frozen=True, slots=True)
class DecisionsSection:
    """All arms that say how sure they are.

    Attributes:
        answer: what the recommended arm, or else the best that was tested, could answer alone; empty when none was tested.
        curves: of the first arms of the table.
    """

    answer: str
    rows: tuple[DecisionRow, ...]
    curves: tuple[ReliabilityView, ...]
    words: dict[str, str]


def build_decisions(result: RunResult, arms: Sequence[ArmRow], lang: Lang) -> DecisionsSection | None:
    """``None`` for a run without such arms, or with too few rows of them; tested arms first."""
    by_id = {arm.arm_id: arm for arm in result.arms}
    known = [(row, by_id[row.arm_id], shown) for row in arms if (shown := _shown(by_id[row.arm_id])) is not None]
    if not known:
        return None
    tested = [(row, arm) for row, arm, _ in known if arm.calibration is not None and arm.calibration.sure is not None]
    tested.sort(key=lambda pair: not pair[0].recommended)
    return DecisionsSection(
        answer=_answer(*tested[0], lang) if tested else "",
        rows=tuple(_row(row, arm, shown, lang) for row, arm, shown in known),
        curves=tuple(
            ReliabilityView(row, tuple(_bin(row, each, lang) for each in shown.bins))
            for row, _, shown in known[:MAX_CURVES]
        ),
        words=in_lang(table("decisions.labels"), lang),
    )


def _shown(arm: ArmResult) -> Calibration | None:
    return None if arm.calibration is None else arm.calibration.test or arm.calibration.dev


def _row(row: ArmRow, arm: ArmResult, shown: Calibration, lang: Lang) -> DecisionRow:
    sure = arm.calibration.sure if arm.calibration is not None else None
    on_test = arm.calibration is not None and arm.calibration.test is not None
    alone, note = (say("decisions.alone.untested"), None) if sure is None else _alone(sure)
    error, brier = points(shown.error), f"{shown.brier.value:.3f}"
    rows = say("decisions.test" if on_test else "decisions.dev", n=shown.n_rows)
    return DecisionRow(
        arm=row,
        rows=rows.to(lang),
        accuracy=numbers.score(shown.accuracy).to(lang),
        confidence=numbers.percent(shown.confidence).to(lang),
        error=error.to(lang),
        error_interval=_ends(shown.error_interval),
        brier=brier,
        alone=alone.to(lang),
        alone_note=note.to(lang) if note is not None else "",
        told=say(
            "decisions.told",
            arm=row.label,
            brier=brier,
            error=error,
            rows=rows,
            sure="" if sure is None else _told(sure),
        ).to(lang),
    )


def _alone(sure: SureEnough) -> tuple[Text, Text | None]:
    if sure.threshold is None or sure.share is None:
        return say("decisions.alone.never", n=sure.n_dev, precision=numbers.percent(sure.precision, 0)), None
    share = numbers.percent(sure.share.value, 0)
    note = say("decisions.alone.from", threshold=numbers.percent(sure.threshold))
    if sure.right is None:
        return say("decisions.alone.share", share=share), note
    return say("decisions.alone.cell", share=share, right=numbers.score(sure.right)), note


def _told(sure: SureEnough) -> Text:
    precision = numbers.percent(sure.precision, 0)
    if sure.threshold is None or sure.share is None:
        return say("decisions.sure.never", precision=precision)
    right = "" if sure.right is None else say("decisions.sure.measured", right=numbers.score(sure.right))
    share = numbers.percent(sure.share.value, 0)
    return say("decisions.sure.share", share=share, precision=precision, right=right)


def _answer(row: ArmRow, arm: ArmResult, lang: Lang) -> str:
    sure = arm.calibration.sure if arm.calibration is not None else None
    assert sure is not None
    name, precision = as_first_word(row.label, lang), numbers.percent(sure.precision, 0)
    if sure.threshold is None or sure.share is None:
        return say("decisions.answer.never", arm=name, precision=precision).to(lang)
    if sure.right is None:
        return say("decisions.answer.none_reached", arm=name, precision=precision).to(lang)
    share, right = numbers.score(sure.share), numbers.score(sure.right)
    return say("decisions.answer.some", arm=name, share=share, right=right, precision=precision).to(lang)


def _bin(row: ArmRow, each: ReliabilityBin, lang: Lang) -> tuple[float, float, str]:
    confidence, accuracy = numbers.percent(each.confidence), numbers.percent(each.accuracy)
    said = say("decisions.bin", arm=row.label, n=each.n_rows, confidence=confidence, accuracy=accuracy)
    return 100 * each.confidence, 100 * each.accuracy, said.to(lang)


def points(value: float) -> Text:
    """Points of per cent, without the word."""
    return numbers.plain(f"{100 * value:.1f}")


def _ends(interval: Interval) -> str:
    return f"{100 * interval.low:.1f}–{100 * interval.high:.1f}"

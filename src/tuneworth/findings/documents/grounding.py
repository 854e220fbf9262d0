"""Whether the finalists' answers rest on passages, and whether they know what the documents do not say.

Only for answers in free text: a label or a filled form is not quoted from a passage, and whether it follows from one
is what the score says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tuneworth.core.knowledge import Grounding, NoAnswer, Share
from tuneworth.core.outcome import Outcome
from tuneworth.core.run import ArmResult
from tuneworth.core.task import Example
from tuneworth.findings.documents.numbers import rng_of, share_of
from tuneworth.findings.documents.seen import Seen
from tuneworth.findings.documents.support import by_meaning, by_words
from tuneworth.metrics._parts.words import same_words
from tuneworth.stats.intervals import wilson
from tuneworth.strategies._parts.passages import search_text

CHECKED_ROWS = 100
"""Answers whose support is looked at when an encoder takes part: each is compared with many others."""


@dataclass(frozen=True)
class _Said:
    """An answer that says something.

    Attributes:
        evidence: texts of the passages cited and shown; without citation, of all shown.
    """

    row: Example
    outcome: Outcome
    evidence: list[str]

    @property
    def answer(self) -> str:
        return self.outcome.answer or ""


def groundings(seen: Seen) -> list[Grounding]:
    """One for each finalist that looks things up, where answers are free text."""
    if seen.task.kind != "text":
        return []
    return [_grounding(seen, arm) for arm in seen.finalists() if seen.scored(arm)]


def _grounding(seen: Seen, arm: ArmResult) -> Grounding:
    rows = seen.scored(arm)
    said = _said(seen, arm, rows)
    checked = said if seen.encoder is None else _spread(said)
    words = [by_words(one.answer, one.evidence) for one in checked]
    meaning = _meaning(seen, arm, checked, words)
    either = words if meaning is None else [a or b for a, b in zip(words, meaning, strict=True)]
    return Grounding(
        arm_id=arm.arm_id,
        stage=seen.stage_of(arm),
        n_answers=len(said),
        n_checked=len(checked),
        cited=share_of([bool(one.outcome.citations) for one in said]),
        real=_real([one.outcome for one in said]),
        supported=share_of(either),
        by_words=share_of(words),
        by_meaning=share_of(meaning) if meaning is not None else None,
        no_answer=no_answer(rows, seen.library.no_answer),
    )


def _said(seen: Seen, arm: ArmResult, rows: Sequence[tuple[Example, Outcome]]) -> list[_Said]:
    known = seen.library.passages(seen.passage_tokens(arm))

    def evidence(outcome: Outcome) -> list[str]:
        cited = [name for name in outcome.citations if name in outcome.passages]
        names = cited if outcome.citations else outcome.passages
        return [known[name].text for name in names if name in known]

    return [
        _Said(row, outcome, evidence(outcome))
        for row, outcome in rows
        if outcome.answer and outcome.answer.strip() and not same_words(outcome.answer, seen.library.no_answer)
    ]


def _spread(said: Sequence[_Said]) -> list[_Said]:
    """At most ``CHECKED_ROWS`` of them, evenly from first to last."""
    places = np.linspace(0, len(said) - 1, min(CHECKED_ROWS, len(said))).round().astype(int)
    return [said[place] for place in places]


def _meaning(seen: Seen, arm: ArmResult, said: Sequence[_Said], by_word: Sequence[bool]) -> list[bool] | None:
    """Whether an answer that words do not support is supported by meaning."""
    if seen.encoder is None or not said:
        return None
    open_rows = [row for row, known in enumerate(by_word) if not known]
    found = by_meaning(
        [search_text(one.row.query) for one in said],
        [one.answer for one in said],
        [one.evidence for one in said],
        seen.encoder(),
        rng_of(seen.seed, "meaning", arm.arm_id),
        open_rows,
    )
    if found is None:
        return None
    supported = {row for row, one in zip(open_rows, found, strict=True) if one}
    return [row in supported for row in range(len(said))]


def _real(outcomes: Sequence[Outcome]) -> Share | None:
    """Share of citations that were shown. The interval counts answers: citations of one answer are not independent."""
    citing = [outcome for outcome in outcomes if outcome.citations]
    made = [name in outcome.passages for outcome in citing for name in outcome.citations]
    if not made:
        return None
    value = sum(made) / len(made)
    return Share(value=value, interval=wilson(value * len(citing), len(citing)))


def no_answer(rows: Sequence[tuple[Example, Outcome]], phrase: str) -> NoAnswer | None:
    """Saying ``phrase`` as a class of its own; ``None`` where it is nobody's answer, right or given.

    Without rows where it is right, its recall is not known, but saying it is still wrong every time.
    """
    said = [outcome.answer is not None and same_words(outcome.answer, phrase) for _, outcome in rows]
    wanted = [same_words(row.output, phrase) for row, _ in rows]
    if not any(said) and not any(wanted):
        return None
    right = [a and b for a, b in zip(said, wanted, strict=True)]
    return NoAnswer(
        n_said=sum(said),
        n_right=sum(right),
        n_unanswerable=sum(wanted),
        precision=share_of([good for good, one in zip(right, said, strict=True) if one]) if any(said) else None,
        recall=share_of([good for good, one in zip(right, wanted, strict=True) if one]) if any(wanted) else None,
    )

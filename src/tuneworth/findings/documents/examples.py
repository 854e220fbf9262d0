"""Test rows to look at: what was asked, what was found, and why it went wrong, if it did."""

from __future__ import annotations

from collections.abc import Sequence

from tuneworth.core.knowledge import Cause, ReadingExample, ShownPassage
from tuneworth.core.outcome import Outcome
from tuneworth.core.run import ArmResult
from tuneworth.core.task import Example
from tuneworth.findings.documents.numbers import rng_of
from tuneworth.findings.documents.referee import Referee
from tuneworth.findings.documents.seen import Seen
from tuneworth.strategies._parts.passages import search_text

MAX_EXAMPLES = 12
MAX_TEXT = 600
"""Characters of a text that are kept."""
RIGHT_FROM = 0.5
"""Least score of an answer that is called right: for graded metrics, half of what could be had."""
_ORDER: tuple[Cause | None, ...] = ("not_read", "not_found", "right", None)


def examples(seen: Seen, referee: Referee) -> list[ReadingExample]:
    """Rows of the best finalist that looks things up: as many of each cause as there are, drawn at random."""
    tested = [arm for arm in seen.finalists() if seen.stage_of(arm) == "test"]
    best = max(tested, key=lambda arm: _mean(seen, arm), default=None)
    if best is None:
        return []
    pairs = seen.scored(best)
    drawn = rng_of(seen.seed, "examples", best.arm_id).permutation(len(pairs))
    by_cause: dict[Cause | None, list[ReadingExample]] = {cause: [] for cause in _ORDER}
    for row, outcome in (pairs[at] for at in drawn):
        cause = cause_of(seen, referee, best, row, outcome)
        if len(by_cause[cause]) < MAX_EXAMPLES:
            by_cause[cause].append(_example(seen, referee, best, row, outcome, cause))
    return _mixed(list(by_cause.values()))


def cause_of(seen: Seen, referee: Referee, arm: ArmResult, row: Example, outcome: Outcome) -> Cause | None:
    """Why ``outcome`` is wrong; ``None`` where it is, and what it needed is not known."""
    if outcome.scores[seen.metric.id] >= RIGHT_FROM:
        return "right"
    size = seen.passage_tokens(arm)
    if not referee.knows(row, size):
        return None
    return "not_read" if referee.shown(row, outcome.passages, size) else "not_found"


def _mean(seen: Seen, arm: ArmResult) -> float:
    scores = [outcome.scores[seen.metric.id] for _, outcome in seen.scored(arm)]
    return sum(scores) / len(scores)


def _mixed(by_cause: Sequence[Sequence[ReadingExample]]) -> list[ReadingExample]:
    """Taken in turn until there are enough, then told cause by cause."""
    taken = [0] * len(by_cause)
    while sum(taken) < MAX_EXAMPLES and any(n < len(each) for n, each in zip(taken, by_cause)):
        for place, each in enumerate(by_cause):
            if taken[place] < len(each) and sum(taken) < MAX_EXAMPLES:
                taken[place] += 1
    return [example for n, each in zip(taken, by_cause) for example in each[:n]]


def _example(
    seen: Seen, referee: Referee, arm: ArmResult, row: Example, outcome: Outcome, cause: Cause | None
) -> ReadingExample:
    return ReadingExample(
        arm_id=arm.arm_id,
        row_id=row.id,
        question=cut(search_text(row.query)),
        reference=cut(row.output),
        answer=cut(outcome.answer) if outcome.answer is not None else None,
        score=outcome.scores[seen.metric.id],
        cause=cause,
        passages=_shown(seen, referee, arm, row, outcome),
    )


def _shown(seen: Seen, referee: Referee, arm: ArmResult, row: Example, outcome: Outcome) -> list[ShownPassage]:
    size = seen.passage_tokens(arm)
    known = seen.library.passages(size)
    passages = [known[name] for name in outcome.passages if name in known]
    right = referee.flags(row, passages, size) if referee.knows(row, size) else [None] * len(passages)
    return [
        ShownPassage(
            id=passage.id,
            title=passage.title,
            text=cut(passage.text),
            right=is_right,
            cited=passage.id in outcome.citations,
        )
        for passage, is_right in zip(passages, right, strict=True)
    ]


def cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1].rstrip() + "…"

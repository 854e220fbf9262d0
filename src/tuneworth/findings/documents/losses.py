"""Where the loss of an arm that looks things up comes from: not found, or found and not understood.

With s the mean score of the rows that were shown the right passage, s' of the others, m the share of the others:

    1 − mean score = (1 − s) + m · (s − s') = reading + retrieval

which holds exactly on the rows it is computed from. It answers seed row X3: a reader that loses although the passage
is there is worth training, one that does well when it is there needs better retrieval.

NOT guaranteed: that finding more would really give m · (s − s'). Rows whose passage is hard to find may be hard to read
as well. ``retrieval`` is below 0 for an arm that does better without the passage.

Beside the figures, test rows to look at: what was asked, what was found, and why it went wrong, if it did.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tuneworth.core.knowledge import Cause, LossSplit, ReadingExample, Share, ShownPassage
from tuneworth.core.outcome import Outcome
from tuneworth.core.record import Interval, Score
from tuneworth.core.run import ArmResult
from tuneworth.core.task import Example
from tuneworth.findings.documents.seen import Referee, Seen, share_of
from tuneworth.stats.clusters import group_numbers
from tuneworth.stats.intervals import MIN_INFORMATIVE, bootstrap_interval
from tuneworth.stats.scores import rng_of, score_of
from tuneworth.strategies._parts.passages import search_text

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
ORACLE = "oracle"
"""Id of the strategy that is given the gold passages."""
MAX_EXAMPLES = 12
MAX_TEXT = 600
"""Characters of a text that are kept."""
RIGHT_FROM = 0.5
"""Least score of an answer that is called right: for graded metrics, half of what could be had."""
_ORDER: tuple[Cause | None, ...] = ("not_read", "not_found", "right", None)
_ANYTHING = Interval(low=0.0, high=1.0)


def losses(seen: Seen, referee: Referee) -> list[LossSplit]:
    """One split for each measured arm that looks things up, in the order of the results.

    None where the metric is one number for all rows: it is no mean over them that could be split.
    """
    if seen.metric.corpus:
        return []
    found = (_split(seen, referee, arm) for arm in seen.readers())
    return [split for split in found if split is not None]


def _split(seen: Seen, referee: Referee, arm: ArmResult) -> LossSplit | None:
    size = seen.passage_tokens(arm)
    rows = [(row, outcome) for row, outcome in seen.scored(arm) if referee.knows(row, size)]
    if not rows:
        return None
    scores = np.array([outcome.scores[seen.metric.id] for _, outcome in rows], dtype=np.float64)
    found = np.array([referee.shown(row, outcome.passages, size) for row, outcome in rows], dtype=np.bool_)
    groups = [row.group for row, _ in rows]
    reading, retrieval = split_loss(scores, found, rng_of(seen.seed, "loss", arm.arm_id), groups)
    return LossSplit(
        arm_id=arm.arm_id,
        stage=seen.stage_of(arm),
        judge=referee.judge,
        n_rows=len(rows),
        n_found=int(found.sum()),
        found=share_of(found.tolist(), groups).interval,
        score_found=score_of(scores[found], rng_of(seen.seed, "found", arm.arm_id), _of(groups, found)),
        score_missed=score_of(scores[~found], rng_of(seen.seed, "missed", arm.arm_id), _of(groups, ~found)),
        reading=reading,
        retrieval=retrieval,
        oracle=oracle_score(arm, seen.results, seen.metric.id),
    )


def split_loss(
    scores: Floats, found: Flags, rng: np.random.Generator, groups: Sequence[str] | None = None
) -> tuple[Share, Share]:
    """Reading and retrieval of one arm; their sum is 1 − the mean of ``scores``.

    Where nothing was found, nobody saw the reader read: all of the loss then is called retrieval, and the intervals
    say that it may be either.

    Args:
        scores: in [0, 1], shape ``(rows,)``, at least one.
        found: whether the row was shown the right passage, shape ``(rows,)``.
        groups: the group of each row; rows of one group are not independent.
    """
    groups = groups or [""] * scores.size
    if not found.any():
        return Share(value=0.0, interval=_ANYTHING), Share(value=1 - float(scores.mean()), interval=_ANYTHING)
    read = score_of(scores[found], rng, _of(groups, found))
    assert read is not None
    lost = Interval(low=1 - read.interval.high, high=1 - read.interval.low, level=read.interval.level)
    value = _retrieval(scores, found)
    around = _around(value, scores, found, rng, groups)
    return Share(value=1 - read.value, interval=lost), Share(value=value, interval=around)


def _of(groups: Sequence[str], chosen: Flags) -> list[str]:
    return [name for name, one in zip(groups, chosen.tolist(), strict=True) if one]


def _retrieval(scores: Floats, found: Flags) -> float:
    """m · (s − s') = s − the mean score, which asks for no row that was missed."""
    if not found.any():
        return 1 - float(scores.mean())
    return float(scores[found].mean() - scores.mean())


def _around(value: float, scores: Floats, found: Flags, rng: np.random.Generator, groups: Sequence[str]) -> Interval:
    n = scores.size
    few = min(np.unique(group_numbers(_of(groups, part))).size for part in (found, ~found))
    if few < MIN_INFORMATIVE or np.ptp(scores) == 0:
        return _bound(scores, found, rng, groups)
    # The statistic lies in [-1, 1], the interval is made for [0, 1].
    halved = bootstrap_interval(lambda rows: (_retrieval(scores[rows], found[rows]) + 1) / 2, n, rng, groups=groups)
    return Interval(low=min(value, 2 * halved.low - 1), high=max(value, 2 * halved.high - 1), level=halved.level)


def _bound(scores: Floats, found: Flags, rng: np.random.Generator, groups: Sequence[str]) -> Interval:
    """All that m · (s − s') can be with m, s and s' in their own intervals.

    For when resampling cannot show what may happen: no miss among the rows, or so few that their score is a guess.
    """
    missed = share_of((~found).tolist(), groups).interval
    read, unread = (score_of(scores[part], rng, _of(groups, part)) for part in (found, ~found))
    high, low = (score.interval if score is not None else _ANYTHING for score in (read, unread))
    gains = (high.low - low.high, high.high - low.low)
    corners = [share * gain for share in (missed.low, missed.high) for gain in gains]
    return Interval(low=min(corners), high=max(corners), level=missed.level)


def oracle_score(arm: ArmResult, results: Mapping[str, ArmResult], metric: str) -> Score | None:
    """Dev score of the reader of ``arm`` when it is given the gold passage.

    A tuned arm is another reader than the model it was made from, so an oracle of that model says nothing about it.
    Of several, the one whose settings are most like the arm's.
    """
    alike = [
        other
        for other in results.values()
        if other.strategy == ORACLE
        and other.state == "measured"
        and (other.model, other.tuned) == (arm.model, arm.tuned)
        and metric in other.dev
    ]

    def likeness(other: ArmResult) -> tuple[int, str]:
        return sum(other.config.get(name) == value for name, value in arm.config.items()), other.arm_id

    best = max(alike, key=likeness, default=None)
    return best.dev[metric] if best is not None else None


def examples(seen: Seen, referee: Referee) -> list[ReadingExample]:
    """Rows of the best finalist that looks things up: as many of each cause as there are, drawn at random."""
    tested = [arm for arm in seen.finalists() if seen.stage_of(arm) == "test"]
    best = max(
        tested, key=lambda arm: np.mean([one.scores[seen.metric.id] for _, one in seen.scored(arm)]), default=None
    )
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
    size = seen.passage_tokens(arm)
    known = seen.library.passages(size)
    passages = [known[name] for name in outcome.passages if name in known]
    right = referee.flags(row, passages, size) if referee.knows(row, size) else [None] * len(passages)
    return ReadingExample(
        arm_id=arm.arm_id,
        row_id=row.id,
        question=_cut(search_text(row.query)),
        reference=_cut(row.output),
        answer=_cut(outcome.answer) if outcome.answer is not None else None,
        score=outcome.scores[seen.metric.id],
        cause=cause,
        passages=[
            ShownPassage(
                id=one.id, title=one.title, text=_cut(one.text), right=is_right, cited=one.id in outcome.citations
            )
            for one, is_right in zip(passages, right, strict=True)
        ],
    )


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1].rstrip() + "…"

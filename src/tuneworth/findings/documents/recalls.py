"""How good each way of searching is: recall against k, on the rows themselves.

Arms search with one setting each; here every way of searching is asked for the same rows, so that a reader sees what
another would have found. Test rows are searched as well, after the finalists have met them: nothing is chosen here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuneworth.core.knowledge import Recall
from tuneworth.core.outcome import Stage
from tuneworth.core.record import Score
from tuneworth.core.task import Example
from tuneworth.findings.documents.seen import Referee, Seen
from tuneworth.retrieval.gold import telling_answers
from tuneworth.retrieval.hits import Hit, Mode
from tuneworth.retrieval.measure import answer_recall_at, ndcg_at, recall_at, reciprocal_rank
from tuneworth.stats.scores import rng_of, score_of
from tuneworth.strategies._parts.passages import search_text

KS = (1, 3, 5, 10)
DEPTH = max(KS)
BATCH_ROWS = 64
RERANKED_ROWS = 100
"""A reranker reads twenty passages per question, which takes seconds on a CPU: it is asked for some of the rows."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Way:
    """One way of searching."""

    mode: Mode
    passage_tokens: int
    reranked: bool = False


def recalls(seen: Seen, referee: Referee) -> list[Recall]:
    """Every way of searching whose index is there, on the dev rows and, where somebody met them, on the test rows.

    When the time is up, the best way alone.
    """
    stages: list[Stage] = ["dev", "test"] if any(seen.test.values()) else ["dev"]
    found: list[Recall | None] = []
    for way in _ways(seen):
        if found and seen.seconds_left == 0:
            break
        found += [_recall(seen, referee, stage, way) for stage in stages]
    return sorted((recall for recall in found if recall is not None), key=lambda recall: stages.index(recall.stage))


def _ways(seen: Seen) -> Iterator[_Way]:
    """Only sizes that some measured arm looked up, and the task's own: no index is made for this."""
    usual = seen.library.passage_tokens
    sizes = dict.fromkeys([usual, *(seen.passage_tokens(arm) for arm in seen.readers())])
    for size in sizes:
        yield from (_Way(mode, size) for mode in seen.library.modes)
    if seen.library.reranker is not None and any(arm.config.get("rerank") for arm in seen.readers()):
        yield _Way(seen.library.modes[0], usual, reranked=True)


def _recall(seen: Seen, referee: Referee, stage: Stage, way: _Way) -> Recall | None:
    rows = [row for row in seen.rows(stage) if referee.knows(row, way.passage_tokens)]
    if way.reranked:
        rows = rows[:RERANKED_ROWS]
    if not rows:
        return None
    found: list[list[Hit]] = []
    for start in range(0, len(rows), BATCH_ROWS):
        texts = [search_text(row.query) for row in rows[start : start + BATCH_ROWS]]
        found += seen.library.search(
            texts, DEPTH, mode=way.mode, passage_tokens=way.passage_tokens, rerank=way.reranked
        )
        seen.progress(len(found), len(rows), "rows")

    def score(name: str, values: Floats) -> Score:
        rng = rng_of(seen.seed, "recall", stage, way.mode, str(way.passage_tokens), name)
        mean = score_of(values, rng, [row.group for row in rows])
        assert mean is not None, "rows that the referee knows have a value"
        return mean

    by_name = _by_gold(seen, rows, found, way) if referee.judge == "gold" else _by_answer(rows, found)
    scores = {name: score(name, values) for name, values in by_name.items()}
    return Recall(
        stage=stage,
        mode=way.mode,
        passage_tokens=way.passage_tokens,
        reranked=way.reranked,
        judge=referee.judge,
        at={k: scores[str(k)] for k in KS},
        mrr=scores.get("mrr"),
        ndcg=scores.get("ndcg"),
    )


def _by_gold(seen: Seen, rows: Sequence[Example], found: Sequence[Sequence[Hit]], way: _Way) -> dict[str, Floats]:
    """By what a row calls its passages: themselves, or their document.

    A document whose answer stands in three of its passages is found with the first of them. Counted by passages, no
    ranking could have a recall at 1 above a third.
    """
    wanted, ranked = list[set[str]](), list[list[str]]()
    for row, hits in zip(rows, found, strict=True):
        by_name = seen.library.gold_by_name(row, way.passage_tokens)
        names = {passage.id: name for name, passages in by_name.items() for passage in passages}
        wanted.append(set(names.values()))
        ranked.append([names.get(hit.passage.id, hit.passage.id) for hit in hits])
    at = {str(k): recall_at(k, ranked, wanted) for k in KS}
    return at | {"mrr": reciprocal_rank(ranked, wanted), "ndcg": ndcg_at(DEPTH, ranked, wanted)}


def _by_answer(rows: Sequence[Example], found: Sequence[Sequence[Hit]]) -> dict[str, Floats]:
    texts = [[hit.passage.text for hit in hits] for hits in found]
    answers = [telling_answers(row) for row in rows]
    return {str(k): answer_recall_at(k, texts, answers) for k in KS}

"""Lessons for a reader of retrieved passages.

Zhang et al. 2024, "RAFT: Adapting Language Model to Domain Specific RAG" (2403.10131): the model is trained on the
passages that it will be given, right ones among wrong ones, and for a share of the rows the right one is missing, so
that it does not come to trust whatever it is shown. Two things differ from the paper. The distractors are what this
task's own search returns, not random documents, because those are what the reader will have to tell apart. And where
a task lets an answer say that the documents do not hold it, that is what a row without its passage teaches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from tuneworth.core.documents import Passage
from tuneworth.core.knowledge import Judge
from tuneworth.core.task import Example
from tuneworth.models.base import Model, TrainExample
from tuneworth.retrieval.gold import holds_answer, is_right
from tuneworth.retrieval.library import Library
from tuneworth.strategies._parts.passages import PassagePrompt, mark, may_decline
from tuneworth.strategies._parts.prompting import TOKENS_PER_TURN
from tuneworth.strategies._parts.reading import DEPTHS, USUAL_K

NEAR_BEST = 0.05
"""A recall this close to the best is as good. Each passage more is read with every row, trained and answered: where one
will do, three train a third as many rows in the same time. And what is found is not yet read: with a reader that is right
on six rows of ten, five points of recall are worth three of score."""
SPARE = 3
"""Passages looked up beyond the most that are shown, to take the place of a gold passage that is left out."""


@dataclass(frozen=True)
class Studied:
    """A row with what the search found for it.

    Attributes:
        ranking: passages found, best first, more than a lesson shows.
        gold: the passages that the row names, as far as they are known; may be none.
        judge: how it is known whether a passage is right; ``None`` where it is not.
    """

    row: Example
    ranking: tuple[Passage, ...]
    gold: tuple[Passage, ...]
    judge: Judge | None

    def is_right(self, passage: Passage) -> bool:
        return self.judge is not None and is_right(passage, self.row, self.gold, self.judge)


def study(library: Library, rows: Sequence[Example], rankings: Sequence[tuple[Passage, ...]]) -> list[Studied]:
    """Rows with their rankings and their gold passages, of the library's usual size."""
    return [
        Studied(row, ranking, library.gold(row), library.judge(row))
        for row, ranking in zip(rows, rankings, strict=True)
    ]


@dataclass
class LessonMaker:
    """Makes lessons from studied rows.

    Attributes:
        k: passages of a lesson.
        p_gold: share of the rows that keep their gold passage.
        n_tokens: longest lesson that can be trained on; passages that do not fit are dropped.
        n_inserted, n_removed: rows into which a gold passage was put, and from which it was taken, so far.
    """

    prompt: PassagePrompt
    model: Model
    k: int
    p_gold: float
    n_tokens: int
    n_inserted: int = field(default=0, init=False)
    n_removed: int = field(default=0, init=False)

    def training(self, rows: Sequence[Studied], rng: np.random.Generator) -> list[TrainExample]:
        """Lessons with distractors, the gold passage put in or left out by lot."""
        return [self._training_lesson(row, rng) for row in rows]

    def as_found(self, rows: Sequence[Studied]) -> list[TrainExample]:
        """Lessons as the solver will meet the rows."""
        found = [row.ranking[: self.k] for row in rows]
        return [self._showing(row, each[: self._n_fitting(row, each)]) for row, each in zip(rows, found, strict=True)]

    def _training_lesson(self, studied: Studied, rng: np.random.Generator) -> TrainExample:
        found = studied.ranking[: self.k]
        keeps, place = rng.random() < self.p_gold, int(rng.integers(self.k))  # always both: a row's lot is its own
        if not studied.gold:
            return self._lesson(studied, found)
        ids = {passage.id for passage in studied.gold}
        others = [passage for passage in studied.ranking if passage.id not in ids]
        if not keeps:
            self.n_removed += 1
            return self._lesson(studied, others[: self.k], removed=True)
        if any(passage.id in ids for passage in found):
            return self._lesson(studied, found)
        self.n_inserted += 1
        return self._lesson(studied, _with(studied.gold[0], others[: self.k - 1], place))

    def _lesson(self, studied: Studied, passages: Sequence[Passage], *, removed: bool = False) -> TrainExample:
        return self._showing(studied, self._fitting(studied, passages), removed=removed)

    def _showing(self, studied: Studied, shown: Sequence[Passage], *, removed: bool = False) -> TrainExample:
        answer = studied.row.output
        right = next((number for number, passage in enumerate(shown, 1) if studied.is_right(passage)), None)
        if right is not None and self.prompt.cites:
            answer = f"{answer} {mark(right)}"
        elif removed and (no_answer := self._declined(studied.row, shown)) is not None:
            answer = no_answer
        return TrainExample(self.prompt.messages(studied.row.query, shown), answer)

    def _fitting(self, studied: Studied, passages: Sequence[Passage]) -> Sequence[Passage]:
        """As many passages as fit; the first right one among them is kept before any other."""
        n = self._n_fitting(studied, passages)
        at = next((at for at, passage in enumerate(passages) if studied.is_right(passage)), 0)
        if at < n or n == len(passages):
            return passages[:n]
        right_first = [passages[at], *passages[:at], *passages[at + 1 :]]
        return right_first[: self._n_fitting(studied, right_first)]

    def _n_fitting(self, studied: Studied, passages: Sequence[Passage]) -> int:
        room = self.n_tokens - self.model.count_tokens(f"{studied.row.output} {mark(self.k)}") - TOKENS_PER_TURN
        return self.prompt.n_fitting(studied.row.query, passages, self.model, room)

    def _declined(self, row: Example, shown: Sequence[Passage]) -> str | None:
        """What a row without its passage says, where the task lets it and no other passage holds the answer."""
        documents = self.prompt.task.documents
        if documents is None or not documents.unanswerable or not may_decline(self.prompt.task, row.query):
            return None
        return None if any(holds_answer(passage.text, row.references) for passage in shown) else documents.no_answer


def recalls(rows: Sequence[Studied]) -> dict[int, float]:
    """k → share of the rows for which a right passage is among the first ``k``; empty where that is known of no row."""
    places = [
        next((at for at, passage in enumerate(row.ranking) if row.is_right(passage)), None)
        for row in rows
        if row.judge is not None
    ]
    if not places:
        return {}
    return {k: sum(place is not None and place < k for place in places) / len(places) for k in DEPTHS}


def enough_passages(recall_at: dict[int, float]) -> int:
    """The fewest passages whose recall is nearly the best; the usual number where no recall is known."""
    if not recall_at:
        return USUAL_K
    best = max(recall_at.values())
    return min(k for k, recall in recall_at.items() if recall >= best - NEAR_BEST)


def _with(gold: Passage, others: Sequence[Passage], place: int) -> list[Passage]:
    place = min(place, len(others))
    return [*others[:place], gold, *others[place:]]

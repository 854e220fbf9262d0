"""A task's passages, ready to be looked things up in: what strategies see of retrieval.

Passages of several sizes are several indexes, each made when it is first asked for. The gold passages of rows are
here as well, for training and for the yardstick that is given them; nothing else may use them to answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tuneworth.core.documents import Passage
from tuneworth.core.knowledge import Judge
from tuneworth.core.task import Example, Language, OutputKind
from tuneworth.metrics._parts.words import same_words
from tuneworth.models.base import Encoder, Progress
from tuneworth.retrieval.gold import ByName, CarriedGold, GoldPassages, are_quoted, telling_answers, unique
from tuneworth.retrieval.hits import Hit, Mode, Refresh, Where
from tuneworth.retrieval.index import PassageIndex, open_index, open_or_build
from tuneworth.retrieval.rerank import Reranker

Cutter = Callable[[int], Sequence[Passage]]
"""Most tokens of a passage → all passages of the task, cut to it."""
_JUDGES: tuple[Judge, ...] = ("gold", "answer")
"""The surer one first."""
_GoldKey = tuple[int, tuple[str, ...], tuple[str, ...]]
"""Passage size, what a row names, and its accepted answers: all that gold depends on."""


@dataclass
class Library:
    """Indexes in ``folder``, one per size of passages.

    Attributes:
        language: of the documents.
        passage_tokens: the size of passages that is used unless another is asked for.
        encoder: opens the embedding model; ``None`` searches by words only.
        cut: makes passages; ``None`` for a finished run's library, whose indexes are only read.
        reranker: opens the reranker; ``None`` when the task names none.
        same_as: document left out as a duplicate → document kept.
        no_answer: what the answer to a row is that the documents cannot answer.
        progress: ``progress(done, total, "passages")`` while an index is made.
        where: passages that may be found at all; ``None``: every one.
        refreshes: passage size → what making the index took, the last time; it keeps why it was rebuilt, if it was.
    """

    folder: Path
    language: Language
    passage_tokens: int
    encoder: Callable[[], Encoder] | None = None
    cut: Cutter | None = None
    reranker: Callable[[], Reranker] | None = None
    same_as: Mapping[str, str] = field(default_factory=dict[str, str])
    no_answer: str = ""
    progress: Progress | None = None
    where: Where | None = None
    refreshes: dict[int, Refresh] = field(default_factory=dict[int, Refresh])
    _indexes: dict[int, PassageIndex] = field(default_factory=dict[int, PassageIndex])
    _passages: dict[int, dict[str, Passage]] = field(default_factory=dict[int, dict[str, Passage]])
    _rows: dict[str, Example] = field(default_factory=dict[str, Example])
    _quoting: list[Example] = field(default_factory=list[Example])
    _answers_quoted: bool | None = None
    _usual: GoldPassages | None = None
    _carried: dict[int, CarriedGold] = field(default_factory=dict[int, CarriedGold])
    _found_gold: dict[_GoldKey, ByName] = field(default_factory=dict[_GoldKey, ByName])
    _opened_reranker: Reranker | None = None

    @property
    def modes(self) -> tuple[Mode, ...]:
        """The ways it can be searched, best first."""
        return ("text",) if self.encoder is None else ("hybrid", "vector", "text")

    def search(
        self,
        queries: Sequence[str],
        k: int,
        *,
        mode: Mode | None = None,
        passage_tokens: int | None = None,
        rerank: bool = False,
    ) -> list[list[Hit]]:
        """The ``k`` best passages for each query, best first; fewer when there are no more. See ``PassageIndex.search``.

        Args:
            mode: ``None`` takes the best way there is.
            rerank: let the task's reranker decide the order.
        """
        return self.index(passage_tokens).search(
            queries, k, mode=mode, where=self.where, rerank=self.opened_reranker() if rerank else None
        )

    def nearest_cosine(self, query: str, passage_tokens: int | None = None) -> float | None:
        """Cosine of the nearest passage, whatever the mode of searching; ``None`` without an embedding model."""
        if self.encoder is None:
            return None
        hits = self.index(passage_tokens).search([query], 1, mode="vector", where=self.where)[0]
        return hits[0].score if hits else None

    def index(self, passage_tokens: int | None = None) -> PassageIndex:
        """The index of passages of this size, made now if it was not yet.

        Raises:
            InputError: a finished run has no index of this size, or another embedding model made it.
            EnvironmentProblem: the index cannot be made or read.
        """
        size = passage_tokens or self.passage_tokens
        if size not in self._indexes:
            if self.cut is None:
                self._indexes[size] = open_index(self._place(size), self._encoder())
            else:
                self._indexes[size] = self.index_of(list(self.passages(size).values()), size)
        return self._indexes[size]

    def index_of(self, passages: Sequence[Passage], passage_tokens: int | None = None) -> PassageIndex:
        """An index of just these passages, in the place of the one of their size: the state before an update.

        The next ``index`` brings it up to date.
        """
        size = passage_tokens or self.passage_tokens
        opened = open_or_build(self._place(size), passages, self._encoder(), self.language, self.progress)
        before = self.refreshes.get(size)
        why = opened.refresh.rebuilt_because or (before.rebuilt_because if before is not None else None)
        self.refreshes[size] = replace(opened.refresh, rebuilt_because=why)
        return opened.index

    def _place(self, size: int) -> Path:
        return self.folder / str(size)

    def _encoder(self) -> Encoder | None:
        return self.encoder() if self.encoder is not None else None

    def passages(self, passage_tokens: int | None = None) -> Mapping[str, Passage]:
        """Id → passage, of all passages of this size; none for a finished run's library."""
        size = passage_tokens or self.passage_tokens
        if size not in self._passages:
            self._passages[size] = {passage.id: passage for passage in (self.cut(size) if self.cut else ())}
        return self._passages[size]

    # -- which passages are right ------------------------------------------------------------------------

    def know(self, kind: OutputKind, train: Sequence[Example], others: Iterable[Example] = ()) -> None:
        """Remember the rows of a task.

        Args:
            train: they alone tell whether answers are quoted from the documents.
            others: dev and test rows, found by their ids.
        """
        self._rows = {row.id: row for row in (*train, *others)}
        self._quoting = [row for row in train if kind == "text" and not self._is_unanswerable(row)]
        self._answers_quoted = None

    @property
    def answers_quoted(self) -> bool:
        """Whether a passage that holds a row's answer can be taken for the right one; found out when first asked."""
        if self._answers_quoted is None:
            self._answers_quoted = are_quoted(self._quoting, self.passages().values())
        return self._answers_quoted

    def named(self, row: Example) -> tuple[Passage, ...]:
        """All that ``row`` names, in passages of the usual size: of a document every passage, right or not."""
        return self._usual_gold().named(row)

    def gold_by_name(self, row: Example, passage_tokens: int | None = None) -> ByName:
        """What ``row`` names → the passages of this size that hold its answer there, as far as they are known."""
        size = passage_tokens or self.passage_tokens
        key = (size, row.gold, row.references)
        if key not in self._found_gold:
            self._found_gold[key] = self._gold_of_size(size).by_name(row)
        return self._found_gold[key]

    def gold(self, row: Example, passage_tokens: int | None = None) -> tuple[Passage, ...]:
        """The passages that hold the answer to ``row`` where it names them; empty where they are not known."""
        return unique(passage for found in self.gold_by_name(row, passage_tokens).values() for passage in found)

    def gold_of(self, row_id: str, passage_tokens: int | None = None) -> tuple[Passage, ...]:
        """The gold passages of a row by its id. For the yardstick that is given them: it sees queries, not rows."""
        row = self._rows.get(row_id)
        return self.gold(row, passage_tokens) if row is not None else ()

    def can_judge(self, row: Example, judge: Judge, passage_tokens: int | None = None) -> bool:
        """Whether ``judge`` can tell which passages of this size are what ``row`` needs.

        Not of a row that the documents cannot answer, nor by the answer where that stands in none of what the row names.
        """
        if self._is_unanswerable(row):
            return False
        if judge == "gold":
            return bool(self.gold_by_name(row, passage_tokens))
        stands = bool(self.gold_by_name(row)) or not self.named(row)
        return stands and bool(telling_answers(row)) and self.answers_quoted

    def judge(self, row: Example) -> Judge | None:
        """How it can be known whether the right passage was found for ``row``; ``None`` where it cannot be."""
        return next((judge for judge in _JUDGES if self.can_judge(row, judge)), None)

    def _is_unanswerable(self, row: Example) -> bool:
        return same_words(row.output, self.no_answer)

    def _usual_gold(self) -> GoldPassages:
        if self._usual is None:
            self._usual = GoldPassages(list(self.passages().values()), self.same_as)
        return self._usual

    def _gold_of_size(self, size: int) -> GoldPassages | CarriedGold:
        if size == self.passage_tokens:
            return self._usual_gold()
        if size not in self._carried:
            self._carried[size] = CarriedGold(self._usual_gold(), list(self.passages(size).values()))
        return self._carried[size]

    def opened_reranker(self) -> Reranker:
        """The task's reranker, opened when it is first asked for.

        Raises:
            InputError: it cannot be found.
            EnvironmentProblem: it cannot be fetched, or a library is missing.
        """
        if self.reranker is None:
            raise ValueError("this library has no reranker")
        if self._opened_reranker is None:
            self._opened_reranker = self.reranker()
        return self._opened_reranker

"""The index of a task's passages: opened, brought up to date, searched.

One folder, one index. ``open_or_build`` makes it hold the passages given, under a lock; ``open_index`` only reads
and never waits: it sees the last finished state, also while another process is writing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tuneworth.core.documents import Passage
from tuneworth.core.task import Language
from tuneworth.errors import EnvironmentProblem, InputError, Problem
from tuneworth.models.base import Encoder, Progress
from tuneworth.retrieval.database import Damaged, connect, disk_problems, first_line, locked, open_table
from tuneworth.retrieval.fulltext import clean, clean_utf8
from tuneworth.retrieval.hits import Hit, Mode, Refresh, Where, condition
from tuneworth.retrieval.refresh import refresh
from tuneworth.retrieval.rerank import Reranker, reranked
from tuneworth.retrieval.search import Found, by_vectors, by_words, passages_at, reciprocal_rank_fusion
from tuneworth.retrieval.state import State, identity_in, identity_of, read_state
from tuneworth.words.say import say

if TYPE_CHECKING:
    from lancedb.table import Table

DEPTH = 100
"""Passages taken from each ranking before they are fused."""

RERANK_DEPTH = 20
"""Passages that a reranker reads per question."""


class PassageIndex:
    """An index as it was when it was opened; a later refresh does not change what it finds."""

    def __init__(self, folder: Path, table: Table, state: State, encoder: Encoder | None):
        self.folder = folder
        self.state = state
        self._table = table
        self._encoder = encoder

    def __len__(self) -> int:
        return self.state.n_passages

    @property
    def version(self) -> str:
        """Changes when a refresh changes what the index holds, and only then."""
        return f"{self.state.table}@{self.state.version}"

    @property
    def modes(self) -> tuple[Mode, ...]:
        """The ways it can be searched, best first."""
        return ("text",) if self._encoder is None else ("hybrid", "vector", "text")

    def search(
        self,
        queries: Sequence[str],
        k: int,
        *,
        mode: Mode | None = None,
        where: Where | None = None,
        rerank: Reranker | None = None,
        rerank_depth: int = RERANK_DEPTH,
    ) -> list[list[Hit]]:
        """The ``k`` best passages for each query, best first; fewer when there are no more to find.

        A blank query finds nothing. By ``text`` only passages that share a term with the query are found; by
        ``vector`` and ``hybrid`` there is always a nearest one, however far. The result is the same every time.

        Args:
            mode: ``None`` takes the best way that this index has.
            where: passages that may be found at all; the filter comes first, so ``k`` of them are found if there are.
            rerank: reads the ``max(k, rerank_depth)`` best passages again and decides their order.

        Raises:
            InputError: the index has no vectors and ``mode`` needs them.
            EnvironmentProblem: the files of the index can no longer be read.
        """
        if k < 1:
            raise ValueError(f"k is {k}, must be at least 1")
        mode = self._checked(mode)
        n_wanted = k if rerank is None else max(k, rerank_depth)
        texts = [clean(query) for query in queries]
        asked = [at for at, text in enumerate(texts) if text.strip()]
        vectors = None
        if mode != "text" and asked:
            assert self._encoder is not None
            vectors = self._encoder.encode([texts[at] for at in asked], role="query")
        hits: list[list[Hit]] = [[] for _ in queries]
        try:
            found = self._hits([texts[at] for at in asked], vectors, n_wanted, mode, condition(where))
        except (RuntimeError, OSError) as error:
            raise _unreadable(self.folder, first_line(error)) from error
        for at, ranking in zip(asked, found):
            hits[at] = ranking if rerank is None else reranked(queries[at], ranking, rerank)
        return [ranking[:k] for ranking in hits]

    def _checked(self, mode: Mode | None) -> Mode:
        mode = mode or self.modes[0]
        if mode not in self.modes:
            message = say("retrieval.index.no_vectors", mode=mode)
            raise InputError(Problem(str(self.folder), message))
        return mode

    def _hits(
        self, texts: list[str], vectors: NDArray[np.float32] | None, n_wanted: int, mode: Mode, only: str | None
    ) -> list[list[Hit]]:
        """Hits for texts that are not blank; ``vectors`` has a row for each, or is ``None`` for a search by words."""
        depth = max(n_wanted, DEPTH) if mode == "hybrid" else n_wanted
        words: list[list[Found]] = [[] for _ in texts]
        nearest: list[list[Found]] = [[] for _ in texts]
        if mode != "vector":
            words = [by_words(self._table, text, depth, cutting=self.state.cutting, condition=only) for text in texts]
        if vectors is not None:
            nearest = by_vectors(self._table, vectors, depth, condition=only)
        both = zip(words, nearest)
        merged = [reciprocal_rank_fusion(pair) if mode == "hybrid" else [*pair[0], *pair[1]] for pair in both]
        merged = [ranking[:n_wanted] for ranking in merged]
        passages = passages_at(self._table, sorted({found.row for ranking in merged for found in ranking}))
        return [[Hit(passages[found.row], found.score) for found in ranking] for ranking in merged]


class Opened(NamedTuple):
    """An open index and what bringing it up to date took."""

    index: PassageIndex
    refresh: Refresh


def open_or_build(
    folder: Path,
    passages: Sequence[Passage],
    encoder: Encoder | None,
    language: Language = "en",
    progress: Progress | None = None,
    *,
    wait_seconds: float = 600.0,
) -> Opened:
    """The index in ``folder``, holding exactly ``passages``. Only what changed is embedded and written.

    Killed or interrupted at any moment, it leaves the index as it was before, and goes on where it stopped when
    called again. An index of another embedding model or format, or a damaged one, is built anew;
    ``Refresh.rebuilt_because`` says so.

    Args:
        encoder: ``None`` for an index that is searched by words only.
        progress: ``progress(done, total, "passages")``.
        wait_seconds: how long to wait for another process that is writing the same index.

    Raises:
        InputError: passages share an id.
        EnvironmentProblem: LanceDB is missing, the disk is full or forbidden, or the wait was too long.
    """
    _check_ids(passages)
    with disk_problems(folder):
        connect(folder)  # makes the folder, unless the library is missing
        with locked(folder, wait_seconds):
            state, done = refresh(folder, passages, encoder, language, progress)
            table = open_table(folder, state.table, state.version)
    return Opened(PassageIndex(folder, table, state, encoder), done)


def open_index(folder: Path, encoder: Encoder | None) -> PassageIndex:
    """The finished index in ``folder``, as it is; its documents are not needed.

    Args:
        encoder: the one it was made with; ``None`` searches by words only, whatever the index holds.

    Raises:
        InputError: there is no finished index, or it was made with another embedding model.
        EnvironmentProblem: LanceDB is missing, or the index cannot be read.
    """
    state = read_state(folder)
    if state is None:
        message = say("retrieval.index.none")
        raise InputError(Problem(str(folder), message), say("retrieval.index.build"))
    try:
        table = open_table(folder, state.table, state.version)
    except Damaged as damage:
        raise _unreadable(folder, str(damage)) from damage
    if encoder is not None:
        found = identity_in(table)
        if found is None or not found.fits(identity_of(encoder)):
            message = say("retrieval.index.other_encoder", made_with=state.encoder or "", given=encoder.id)
            raise InputError(Problem(str(folder), message), say("retrieval.index.build"))
    return PassageIndex(folder, table, state, encoder)


def _check_ids(passages: Sequence[Passage]) -> None:
    seen: set[str] = set()
    problems: list[Problem] = []
    for passage in passages:
        name = clean_utf8(passage.id)
        if name in seen:
            message = say("retrieval.index.same_id")
            problems.append(Problem(name, message))
        seen.add(name)
    if problems:
        raise InputError(problems)


def _unreadable(folder: Path, reason: str) -> EnvironmentProblem:
    message = say("retrieval.index.unreadable", reason=reason)
    return EnvironmentProblem(Problem(str(folder), message), say("retrieval.index.build"))

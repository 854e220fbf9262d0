"""Bringing the index of a folder up to date with the passages of today.

Only what is new or changed goes through the encoder: a passage keeps its vector as long as its digest exists
anywhere in the index, under whatever id. Rows are added a few hundred at a time, so a refresh that was interrupted
or killed goes on where it stopped. The text index is made anew each time: it takes a second for tens of thousands
of passages, and an index that was updated then answers exactly like one that was built at once.

What others see changes only in the last step (see ``state``). The version that is replaced is kept for whoever is still
reading it, until the next refresh that changes something; those before it, if they are a day old, are deleted.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tuneworth.core.documents import Passage
from tuneworth.core.task import Language
from tuneworth.models.base import Encoder, Progress
from tuneworth.retrieval.database import (
    TEXT_INDEX,
    Known,
    connect,
    generations,
    open_table,
    read_all,
    remove_generation,
    stamp,
    table_schema,
    to_table,
)
from tuneworth.retrieval.fulltext import Cutting, choose_cutting, clean_utf8, fts_config, searched_text
from tuneworth.retrieval.hits import Refresh, is_in
from tuneworth.retrieval.state import Earlier, Identity, State, find_earlier, identity_of, write_state

if TYPE_CHECKING:
    from lancedb.table import Table

ROWS_PER_WRITE = 512
_KEPT_FOR = timedelta(days=1)
_IDS_PER_CONDITION = 500

Vectors = dict[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Difference:
    """Passages of today against those stored."""

    added: list[Passage]
    changed: list[Passage]
    removed: list[str]
    n_unchanged: int

    @property
    def nothing(self) -> bool:
        return not (self.added or self.changed or self.removed)


def compare(known: dict[str, Known], passages: Sequence[Passage]) -> Difference:
    """What has to be written and deleted so that the stored passages are ``passages``."""
    ids = {clean_utf8(passage.id) for passage in passages}
    added = [passage for passage in passages if clean_utf8(passage.id) not in known]
    kept = [passage for passage in passages if clean_utf8(passage.id) in known]
    changed = [passage for passage in kept if known[clean_utf8(passage.id)].stamp != stamp(passage)]
    return Difference(added, changed, [name for name in known if name not in ids], len(kept) - len(changed))


def refresh(
    folder: Path,
    passages: Sequence[Passage],
    encoder: Encoder | None,
    language: Language,
    progress: Progress | None = None,
) -> tuple[State, Refresh]:
    """Make the index in ``folder`` hold exactly ``passages``. The caller holds the folder's lock.

    Args:
        progress: ``progress(done, total, "passages")``, of those that have to be written.
    """
    started = time.perf_counter()
    wanted = identity_of(encoder)
    cutting = choose_cutting(language, (passage.text for passage in passages))
    earlier = find_earlier(folder, wanted)
    difference = compare(earlier.known, passages)
    state, n_embedded = earlier.state, 0
    if state is None or state.cutting != cutting or not difference.nothing:
        table = _table_to_write(folder, earlier, wanted)
        # What an interrupted refresh left is in the table but not in the state: go on from there
        todo = compare(read_all(folder, table), passages)
        n_embedded = _write(table, todo, encoder, wanted, progress)
        _index_text(table, cutting)
        state = State(table.name, table.version, cutting, len(passages), wanted.encoder)
        write_state(folder, state)
        _tidy(folder, table, earlier.state)
    return state, Refresh(
        added=len(difference.added),
        removed=len(difference.removed),
        unchanged=difference.n_unchanged,
        changed=len(difference.changed),
        embedded=n_embedded,
        seconds=time.perf_counter() - started,
        rebuilt_because=earlier.unusable,
    )


def _table_to_write(folder: Path, earlier: Earlier, wanted: Identity) -> Table:
    if earlier.exists:
        return open_table(folder, earlier.table)
    schema = table_schema(wanted.dimension, wanted.to_json())
    return connect(folder).create_table(earlier.table, schema=schema)


def _write(table: Table, todo: Difference, encoder: Encoder | None, wanted: Identity, progress: Progress | None) -> int:
    """Carry out ``todo``; returns how many texts were embedded."""
    passages = [*todo.changed, *todo.added]
    kept = {} if wanted.dimension is None else _kept_vectors(table, passages, wanted.dimension)
    gone = [*todo.removed, *(clean_utf8(passage.id) for passage in todo.changed)]
    for ids in _chunks(gone, _IDS_PER_CONDITION):
        table.delete(is_in("id", ids))
    repeated = {digest for digest, count in Counter(passage.digest for passage in passages).items() if count > 1}
    schema = table_schema(wanted.dimension, wanted.to_json())
    n_embedded = 0
    for start in range(0, len(passages), ROWS_PER_WRITE):
        batch = passages[start : start + ROWS_PER_WRITE]
        vectors = None
        if encoder is not None:
            fresh = _embed(encoder, batch, kept)
            n_embedded += len(fresh)
            vectors = np.stack([fresh[p.digest] if p.digest in fresh else kept[p.digest] for p in batch])
            kept.update({digest: fresh[digest] for digest in repeated & fresh.keys()})
        table.add(to_table(batch, vectors, schema))
        if progress is not None:
            progress(start + len(batch), len(passages), "passages")
    return n_embedded


def _kept_vectors(table: Table, passages: Sequence[Passage], dimension: int) -> Vectors:
    """Digest → vector, for every digest of ``passages`` that the table already holds."""
    kept: Vectors = {}
    for digests in _chunks(sorted({passage.digest for passage in passages}), _IDS_PER_CONDITION):
        found = table.search().where(is_in("digest", digests)).select(["digest", "vector"]).to_arrow()
        vectors = found["vector"].combine_chunks().flatten().to_numpy().reshape(-1, dimension)
        kept.update(zip(found["digest"].to_pylist(), vectors))
    return kept


def _embed(encoder: Encoder, batch: Sequence[Passage], kept: Vectors) -> Vectors:
    texts = {passage.digest: searched_text(passage) for passage in batch if passage.digest not in kept}
    if not texts:
        return {}
    vectors = encoder.encode(list(texts.values()), role="passage")
    if len(vectors) != len(texts) or not np.isfinite(vectors).all():
        raise ValueError(
            f"encoder {encoder.id} gave {len(vectors)} vectors, or not finite ones, for {len(texts)} texts"
        )
    return dict(zip(texts, vectors))


def _index_text(table: Table, cutting: Cutting) -> None:
    if any(index.name == TEXT_INDEX for index in table.list_indices()):
        table.drop_index(TEXT_INDEX)  # else compaction would first bring the old one up to date, in vain
    table.optimize(cleanup_older_than=timedelta(days=36_500))
    table.create_index("searched", config=fts_config(cutting), replace=True)


def _tidy(folder: Path, table: Table, replaced: State | None) -> None:
    """Delete what nobody reads any more, but not the version that was just ``replaced``, however old it is."""
    for name in generations(folder):
        if name != table.name:
            remove_generation(folder, name)
    ages = [
        datetime.now() - version["timestamp"] + timedelta(minutes=1)
        for version in table.list_versions()
        if replaced is not None and (table.name, version["version"]) == (replaced.table, replaced.version)
    ]
    table.optimize(cleanup_older_than=max([_KEPT_FOR, *ages]))


def _chunks(values: Sequence[str], size: int) -> Iterable[Sequence[str]]:
    return (values[start : start + size] for start in range(0, len(values), size))

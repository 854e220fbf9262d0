"""LanceDB as this package needs it: opening, reading all of a table, and its failures in our words."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tuneworth.core.documents import Passage
from tuneworth.errors import EnvironmentProblem, Problem
from tuneworth.retrieval.fulltext import clean_utf8, searched_text
from tuneworth.retrieval.hits import tag
from tuneworth.words.say import say

if TYPE_CHECKING:
    import pyarrow as pa
    from lancedb.db import DBConnection
    from lancedb.query import LanceQueryBuilder
    from lancedb.table import Table

TEXT_INDEX = "searched_idx"
_PREFIX = "passages-"
_LIBRARY_ERRORS = (RuntimeError, ValueError, OSError)
_DISK = {
    errno.ENOSPC: "full",
    errno.EDQUOT: "quota",
    errno.EACCES: "forbidden",
    errno.EPERM: "forbidden",
    errno.EROFS: "read_only",
    errno.ENOTDIR: "no_folder",
    errno.EEXIST: "no_folder",
}


class Damaged(Exception):
    """A table cannot be read; what the library says about it."""


@dataclass(frozen=True, slots=True)
class Known:
    """What decides whether a stored passage is still the given one."""

    digest: str
    stamp: str


def connect(folder: Path) -> DBConnection:
    """The database in ``folder``.

    Raises:
        EnvironmentProblem: LanceDB is not installed.
    """
    # Its native part writes warnings to standard error unless told otherwise before it is loaded.
    os.environ.setdefault("LANCEDB_LOG", "error")
    try:
        import lancedb
    except ImportError as error:
        raise EnvironmentProblem(Problem("", say("retrieval.index.needs_library"))) from error
    return lancedb.connect(folder)


def generations(folder: Path) -> list[str]:
    """Names of the tables in ``folder``, newest first, finished or not."""
    numbers = [re.fullmatch(rf"{_PREFIX}(\d+)\.lance", path.name) for path in folder.iterdir()]
    return [f"{_PREFIX}{number}" for number in sorted((int(found[1]) for found in numbers if found), reverse=True)]


def next_generation(folder: Path) -> str:
    names = generations(folder)
    return f"{_PREFIX}{int(names[0].removeprefix(_PREFIX)) + 1 if names else 1}"


def remove_generation(folder: Path, name: str) -> None:
    shutil.rmtree(folder / f"{name}.lance", ignore_errors=True)


def open_table(folder: Path, name: str, version: int | None = None) -> Table:
    """The table as it was at ``version``, or as it is now.

    Raises:
        Damaged: it is not there or cannot be opened.
    """
    with _damage(folder):
        table = connect(folder).open_table(name)
        if version is not None:
            table.checkout(version)
        return table


def read_all(folder: Path, table: Table) -> dict[str, Known]:
    """Passage id → what is known of it. Reads every column and touches the text index, so that damage shows here.

    Lance files carry no checksums of their content: bits that flipped inside a column of numbers are NOT noticed.

    Raises:
        Damaged: something of it cannot be read.
    """
    known: dict[str, Known] = {}
    with _damage(folder):
        for batch in table.search().to_batches(2_000):
            columns = (batch.column(name).to_pylist() for name in ("id", "digest", "stamp"))
            known.update({name: Known(digest, mark) for name, digest, mark in zip(*columns)})
        if any(index.name == TEXT_INDEX for index in table.list_indices()):
            word_search(table, "a 1").limit(1).to_arrow()
    return known


def word_search(table: Table, terms: str) -> LanceQueryBuilder:
    """A search for ``terms`` in which nothing is an operator: quotes, AND, NOT and brackets are text like any other."""
    from lancedb.query import MatchQuery

    query = MatchQuery(terms, "searched")  # pyright: ignore[reportCallIssue]  # its defaults are hidden in a decorator
    return table.search(query, query_type="fts").select(["id", "_score"])


@contextlib.contextmanager
def locked(folder: Path, wait_seconds: float) -> Iterator[None]:
    """Hold the folder for writing; the system lets go of it when the process dies.

    Raises:
        EnvironmentProblem: another process held it for longer than ``wait_seconds``.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=wait_seconds)
    except Timeout as error:
        message = say("retrieval.index.locked", seconds=f"{wait_seconds:.0f}")
        raise EnvironmentProblem(Problem(str(folder), message), say("retrieval.index.locked_step")) from error
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def _damage(folder: Path) -> Iterator[None]:
    try:
        yield
    except _LIBRARY_ERRORS as error:
        _raise_disk_problem(folder, error)
        raise Damaged(first_line(error)) from error


@contextlib.contextmanager
def disk_problems(folder: Path) -> Iterator[None]:
    """Turn a full or forbidden disk into an ``EnvironmentProblem`` that names the place."""
    try:
        yield
    except _LIBRARY_ERRORS as error:
        _raise_disk_problem(folder, error)
        raise


def first_line(error: BaseException) -> str:
    """What the library says, without the line of its own source code that it adds."""
    text = re.sub(r",? ?/\S+\.rs:\d+.*", "", str(error), flags=re.DOTALL).strip()
    return text.splitlines()[0][:300] if text else type(error).__name__


def _raise_disk_problem(folder: Path, error: Exception) -> None:
    # The native library puts the number of the system's error into the text of its own
    inside = re.search(r"\(os error (\d+)\)", str(error))
    number = int(inside[1]) if inside else getattr(error, "errno", None)
    if number in _DISK:
        message = say(f"retrieval.disk.{_DISK[number]}")
        raise EnvironmentProblem(Problem(str(folder), message), say("retrieval.disk.step")) from error


PASSAGE_COLUMNS = (
    "id",
    "document_id",
    "title",
    "text",
    "digest",
    "headings",
    "page",
    "changed",
    "doc_set",
    "metadata",
)


def table_schema(dimension: int | None, identity: str) -> pa.Schema:
    """Columns of the table; ``dimension`` is ``None`` for an index without vectors."""
    import pyarrow as pa

    text = pa.string()
    columns = {
        **dict.fromkeys(("id", "document_id", "title", "text", "digest", "stamp", "searched", "metadata"), text),
        "doc_set": text,
        "headings": pa.list_(text),
        "tags": pa.list_(text),
        "page": pa.int32(),
        "changed": pa.date32(),
    }
    if dimension is not None:
        columns["vector"] = pa.list_(pa.float32(), dimension)
    return pa.schema(list(columns.items()), metadata={"tuneworth": identity})


def to_table(passages: Sequence[Passage], vectors: NDArray[np.float32] | None, schema: pa.Schema) -> pa.Table:
    """``vectors`` has shape ``(len(passages), dimension)``, or is ``None`` when the schema has no vectors."""
    import pyarrow as pa

    rows = [_row(passage) for passage in passages]
    arrays: list[Any] = []
    for column in schema:
        if column.name == "vector":
            assert vectors is not None
            flat = pa.array(np.ascontiguousarray(vectors, dtype=np.float32).ravel())
            arrays.append(pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1]))
        else:
            arrays.append(pa.array([row[column.name] for row in rows], type=column.type))
    return pa.Table.from_arrays(arrays, schema=schema)


def from_row(row: dict[str, Any]) -> Passage:
    """The passage of a row that has ``PASSAGE_COLUMNS``."""
    fields = {name: row[name] for name in PASSAGE_COLUMNS}
    fields["headings"] = tuple(row["headings"])
    fields["metadata"] = json.loads(row["metadata"])
    return Passage(**fields)


def stamp(passage: Passage) -> str:
    """SHA-256 of everything that is stored of a passage, metadata included."""
    return hashlib.sha256(json.dumps(_stored(passage), sort_keys=True, default=str).encode()).hexdigest()


def _row(passage: Passage) -> dict[str, Any]:
    return {
        **_stored(passage),
        "stamp": stamp(passage),
        "searched": searched_text(passage),
        "tags": [clean_utf8(tag(key, value)) for key, value in passage.metadata.items()],
    }


def _stored(passage: Passage) -> dict[str, Any]:
    return {
        "id": clean_utf8(passage.id),
        "document_id": clean_utf8(passage.document_id),
        "title": clean_utf8(passage.title),
        "text": clean_utf8(passage.text),
        "digest": passage.digest,
        "headings": [clean_utf8(heading) for heading in passage.headings],
        "page": passage.page,
        "changed": passage.changed,
        "doc_set": None if passage.doc_set is None else clean_utf8(passage.doc_set),
        "metadata": json.dumps(passage.metadata, sort_keys=True),
    }

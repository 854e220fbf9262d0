"""LanceDB as this package needs it: opening, reading all of a table, and its failures in our words."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tuneworth.core.text import Text
from tuneworth.errors import EnvironmentProblem, Problem
from tuneworth.retrieval.state import Identity, parse_identity

if TYPE_CHECKING:
    from lancedb.db import DBConnection
    from lancedb.query import LanceQueryBuilder
    from lancedb.table import Table

TEXT_INDEX = "searched_idx"
_PREFIX = "passages-"
_LIBRARY_ERRORS = (RuntimeError, ValueError, OSError)
_DISK = {
    errno.ENOSPC: Text(en="the disk is full", zh="磁盘空间不足"),
    errno.EDQUOT: Text(en="the disk quota is used up", zh="磁盘配额已用完"),
    errno.EACCES: Text(en="may not be read or written by this user", zh="当前用户没有读写权限"),
    errno.EPERM: Text(en="may not be read or written by this user", zh="当前用户没有读写权限"),
    errno.EROFS: Text(en="is on a file system that can only be read", zh="所在的文件系统是只读的"),
    errno.ENOTDIR: Text(en="is a file, must be a folder", zh="是文件，应为目录"),
    errno.EEXIST: Text(en="is a file, must be a folder", zh="是文件，应为目录"),
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
        text = Text(
            en='an index of documents needs LanceDB: pip install "tuneworth[documents]"',
            zh='文档索引需要 LanceDB：pip install "tuneworth[documents]"',
        )
        raise EnvironmentProblem(Problem("", text)) from error
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


def identity_in(table: Table) -> Identity | None:
    found = (table.schema.metadata or {}).get(b"tuneworth")
    return parse_identity(found.decode("utf-8", "replace")) if found else None


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
        message = Text(
            en=f"another process has been writing this index for more than {wait_seconds:.0f} s",
            zh=f"另一个进程正在写入该索引，等待已超过 {wait_seconds:.0f} 秒",
        )
        step = Text(en="Wait until it is done, then start again.", zh="请等它结束后重试。")
        raise EnvironmentProblem(Problem(str(folder), message), step) from error
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
        raise EnvironmentProblem(Problem(str(folder), _DISK[number]), _ELSEWHERE) from error


_ELSEWHERE = Text(
    en="Free some space, or let the run write to another folder with --out.",
    zh="请腾出空间，或用 --out 把运行目录放到别处。",
)

"""Loading the documents of a task: many files of many kinds, none of which stops the others.

A file that cannot be read is listed with the next step. Two documents with the same content are kept once. Ids
depend on a document's own place and content alone, so that a change to one leaves the passages of all others as
they are. Nothing in a file is executed, and nothing that it links to is opened or fetched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tuneworth.core.documents import Document
from tuneworth.core.text import Text
from tuneworth.data import hub
from tuneworth.data.documents.base import Reading, SourceFile, Unreadable, formats
from tuneworth.data.documents.collect import Collection
from tuneworth.data.documents.find import fault, find
from tuneworth.data.documents.formats.rows import read_rows
from tuneworth.data.documents.unknown import unknown_kinds
from tuneworth.errors import InputError, Problem, TuneworthError

MAX_FILE_BYTES = 100 * 2**20
"""Largest file that is read: reading one takes up to ten times its size in memory."""


@dataclass(frozen=True, slots=True)
class LoadedDocuments:
    """Documents, in the order of the sources and of the paths below them.

    Attributes:
        problems: files, or parts of one, that could not be read, each with the next step.
        notes: what was done without being asked: a duplicate left out, an encoding assumed.
        same_as: id of a document that was left out as a duplicate → id of the one that was kept.
    """

    documents: list[Document]
    problems: list[Problem] = field(default_factory=list[Problem])
    notes: list[Problem] = field(default_factory=list[Problem])
    same_as: dict[str, str] = field(default_factory=dict[str, str])


def load_documents(source: str | Sequence[str], *, max_file_bytes: int = MAX_FILE_BYTES) -> LoadedDocuments:
    """The documents of ``source``: a file, a folder, a glob, a data set of the hub (``hf://…``), or several of them.

    Raises:
        InputError: a source is not there, or no document can be read from any.
        EnvironmentProblem: a library that a file needs is missing; the message says how to install it.
    """
    sources = [source] if isinstance(source, str) else list(source)
    files, problems = _all_files(sources)
    collection, unknown = Collection(), list[SourceFile]()
    for file in files:
        if _is_hub(file.name) or file.path.suffix.lower() in formats():
            problems += _load(file, collection, max_file_bytes)
        else:
            unknown.append(file)
    problems += unknown_kinds(unknown)
    if not collection.documents:
        raise InputError([_nothing(", ".join(sources)), *problems])
    return LoadedDocuments(collection.documents, problems, collection.notes(), collection.same_as)


def _is_hub(source: str) -> bool:
    return source.startswith(hub.PREFIX)


def _all_files(sources: Sequence[str]) -> tuple[list[SourceFile], list[Problem]]:
    """The files of all sources, one that several name once, and what could not be looked into.

    Raises:
        InputError: with every source that is not there.
    """
    files: dict[Path, SourceFile] = {}
    problems, absent = list[Problem](), list[Problem]()
    for source in sources:
        if _is_hub(source):
            files.setdefault(Path(source), SourceFile(Path(source), source, source))
            continue
        try:
            found = find(source)
        except InputError as error:
            absent += error.problems
            continue
        problems += found.problems
        for file in found.files:
            files.setdefault(file.path, file)
    if absent:
        raise InputError(absent)
    return list(files.values()), problems


def _load(file: SourceFile, collection: Collection, max_file_bytes: int) -> list[Problem]:
    """Add the documents of ``file``; what could not be read of it."""
    reason = None if _is_hub(file.name) else fault(file, max_file_bytes)
    if reason is not None:
        return [Problem(file.name, reason)]
    try:
        reading = _read(file)
    except Unreadable as error:
        return [Problem(file.name, error.reason)]
    problems = [Problem(file.name, problem) for problem in reading.problems]
    if not any(document.blocks for document in reading.documents):
        problems.append(
            Problem(file.name, Text(en="holds no text; fill it or remove it", zh="没有正文；请补上内容或删除"))
        )
    collection.add(file, reading)
    return problems


def _read(file: SourceFile) -> Reading:
    """
    Raises:
        Unreadable: also where the library that reads this kind of file stumbles over this one: a library has
            faults that only broken files show, and one such file must not cost the others.
    """
    try:
        if _is_hub(file.name):
            return read_rows(file.name, file.name, file.id)
        return formats()[file.path.suffix.lower()].read(file)
    except (Unreadable, TuneworthError):
        raise
    except Exception as error:
        what = f"{type(error).__name__}: {str(error)[:200]}"
        raise Unreadable(
            Text(
                en=f"cannot be read, it seems to be broken ({what}); save it again, or as another kind of file",
                zh=f"无法读取，文件似乎已损坏（{what}）；请重新保存，或换一种格式保存",
            )
        ) from error


def _nothing(source: str) -> Problem:
    known = ", ".join(sorted(formats()))
    message = Text(
        en=f"holds no documents that can be read; give files of {known}, or rows with a field `text`",
        zh=f"里面没有可读的文档；请提供 {known} 文件，或带有 `text` 字段的数据文件",
    )
    return Problem(source, message)

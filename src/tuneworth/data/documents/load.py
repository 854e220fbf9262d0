"""Loading the documents of a task: many files of many kinds, none of which stops the others.

A file that cannot be read is listed with the next step. Two documents with the same content are kept once. Ids
depend on a document's own place and content alone, so that a change to one leaves the passages of all others as
they are. Nothing in a file is executed, and nothing that it links to is opened or fetched.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from tuneworth.core.documents import Document
from tuneworth.core.text import Text
from tuneworth.data.documents.base import Parsed, Reading, SourceFile, Unreadable, formats
from tuneworth.data.documents.blocks import commas
from tuneworth.data.documents.find import fault, find
from tuneworth.data.documents.formats.rows import read_rows
from tuneworth.data.formats import PREFIX
from tuneworth.errors import InputError, Problem, TuneworthError
from tuneworth.words.say import say

_READABLE_AS = {
    "picture": (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".heic"),
    "word": (".doc", ".rtf", ".odt", ".wps", ".pages"),
    "sheet": (".xls", ".ods", ".et"),
    "slides": (".ppt", ".pptx", ".odp", ".key", ".epub", ".djvu", ".xps", ".caj"),
    "mail": (".eml", ".msg", ".mbox"),
    "notebook": (".ipynb",),
    "code": (
        ".py",
        ".js",
        ".ts",
        ".java",
        ".c",
        ".h",
        ".cpp",
        ".go",
        ".rs",
        ".sh",
        ".sql",
        ".tex",
        ".log",
        ".yaml",
        ".yml",
        ".toml",
        ".ini",
        ".xml",
        "",
    ),
    "archive": (".zip", ".rar", ".7z", ".gz", ".tgz", ".tar", ".bz2", ".xz"),
}
"""Kinds of files that are not read → their suffixes; the catalogue says how to make each kind readable."""
_SHOWN = 3
MAX_FILE_BYTES = 100 * 2**20
"""Largest file that is read: reading one takes up to ten times its size in memory."""


def unknown_kinds(files: Sequence[SourceFile]) -> list[Problem]:
    """One problem a suffix, in the order in which they come up."""
    by_suffix: dict[str, list[SourceFile]] = defaultdict(list)
    for file in files:
        by_suffix[file.path.suffix.lower()].append(file)
    return [Problem(found[0].name, _unknown_kind(suffix, found)) for suffix, found in by_suffix.items()]


def _unknown_kind(suffix: str, files: Sequence[SourceFile]) -> Text:
    kind = next((kind for kind, suffixes in _READABLE_AS.items() if suffix in suffixes), None)
    step = say(f"docs_read.kind.{kind or 'other'}")
    key = "docs_read.kind.unread" if suffix else "docs_read.kind.bare"
    parts: dict[str, Text | str] = {"suffix": suffix} if suffix else {}
    if len(files) == 1:
        return say(key, step=step, **parts)
    names = commas([file.path.name for file in files[1:]], _SHOWN)
    return say(f"{key}_several", step=step, more=len(files) - 1, names=names, **parts)


class Collection:
    """Documents in the order in which they were added.

    Attributes:
        same_as: id of a document left out → id of the one with the same content.
    """

    def __init__(self) -> None:
        self.documents: list[Document] = []
        self.same_as: dict[str, str] = {}
        self._by_content: dict[str, Document] = {}
        self._ids: set[str] = set()
        self._notes: list[Problem] = []
        self._repeated: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self._renamed: dict[str, list[tuple[str, str]]] = defaultdict(list)

    def add(self, file: SourceFile, reading: Reading) -> None:
        """Take in what was read from ``file``; documents without text are left out."""
        self._notes += [Problem(file.name, note) for note in reading.notes]
        for parsed in reading.documents:
            if parsed.blocks:
                self._add(file, parsed)

    def notes(self) -> list[Problem]:
        """What was done to documents without being asked, one note a file and kind."""
        found = list(self._notes)
        for name, pairs in self._repeated.items():
            (source, first), n = pairs[0], len(pairs)
            key = "docs_read.repeats.one" if n == 1 else "docs_read.repeats.several"
            same = say("docs_read.repeats.file", first=first)
            found.append(Problem(name, same if source == name else say(key, n=n, source=source, first=first)))
        for name, pairs in self._renamed.items():
            wanted, given = map(repr, pairs[0])
            found.append(Problem(name, say("docs_read.renamed", n=len(pairs), wanted=wanted, given=given)))
        return found

    def _add(self, file: SourceFile, parsed: Parsed) -> None:
        wanted, content = parsed.id or file.id, _digest(parsed)
        source = file.name if parsed.line is None else f"{file.name}:{parsed.line}"
        first = self._by_content.get(content)
        if first is not None:
            if wanted != first.id and wanted not in self._ids:
                self.same_as[wanted] = first.id
            self._repeated[file.name].append((source, first.source))
            return
        document_id = wanted
        if wanted in self._ids:
            document_id = f"{wanted}~{content[:8]}"
            self._renamed[file.name].append((wanted, document_id))
        document = Document(
            id=document_id,
            title=parsed.title or ("" if parsed.line is not None else PurePath(file.id).stem),
            blocks=parsed.blocks,
            source=source,
            changed=parsed.changed,
            doc_set=parsed.doc_set,
            metadata=parsed.metadata,
        )
        self._ids.add(document_id)
        self.same_as.pop(document_id, None)
        self._by_content[content] = document
        self.documents.append(document)


def _digest(parsed: Parsed) -> str:
    """A digest of what a reader sees: the title that the file itself has, headings and words, not their spacing."""
    seen = [parsed.title, *([*block.headings, " ".join(block.text.split())] for block in parsed.blocks)]
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()


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
    return source.startswith(PREFIX)


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
    if not problems and not any(document.blocks for document in reading.documents):
        problems.append(Problem(file.name, say("docs_read.file.no_text")))
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
        raise Unreadable(say("docs_read.file.broken", what=what)) from error


def _nothing(source: str) -> Problem:
    known = ", ".join(sorted(formats()))
    return Problem(source, say("docs_read.nothing", known=known))


def read_documents(source: str | Sequence[str]) -> tuple[str, ...]:
    """The text of every document in ``source`` (see ``load_documents``), headings where they stand.

    Raises:
        InputError: nothing is there, or nothing in it is a document that can be read.
        EnvironmentProblem: a file cannot be read, or a library is missing.
    """
    return texts_of(load_documents(source).documents)


def texts_of(documents: Sequence[Document]) -> tuple[str, ...]:
    """The text of every document, headings where they stand."""
    return tuple(_with_headings(document) for document in documents)


def _with_headings(document: Document) -> str:
    pieces: list[str] = []
    before: tuple[str, ...] = ()
    for block in document.blocks:
        shared = next((at for at, pair in enumerate(zip(before, block.headings)) if pair[0] != pair[1]), None)
        shared = min(len(before), len(block.headings)) if shared is None else shared
        pieces += [*block.headings[shared:], block.text]
        before = block.headings
    return "\n\n".join(pieces)

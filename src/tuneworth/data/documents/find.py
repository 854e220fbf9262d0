"""Which files a source names: one file, all files below a folder, or what a glob matches."""

from __future__ import annotations

import glob
import os
import stat
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tuneworth.core.text import Text
from tuneworth.data.documents.base import SourceFile
from tuneworth.errors import InputError, Problem
from tuneworth.words.say import say

_WILD = "*?["
_NOT_DOCUMENTS = ("~$", ".")
"""Starts of names that are left out below a folder: Office's lock files, hidden files and folders."""
_NOT_FOLDERS = ("__MACOSX", "__pycache__", "node_modules")


@dataclass(frozen=True, slots=True)
class Found:
    """The files of a source, in the order of their names, and what below a folder cannot be looked into."""

    files: list[SourceFile] = field(default_factory=list[SourceFile])
    problems: list[Problem] = field(default_factory=list[Problem])


def find(source: str) -> Found:
    """The files that ``source`` names.

    Links are followed; a folder that links to one it stands in is entered once. Hidden files and folders below a
    folder are left out. What has an exact name is never taken for a glob.

    Raises:
        InputError: there is no such file or folder, or nothing matches.
    """
    path = Path(source).expanduser()
    if path.is_dir():
        found = Found()
        found.files.extend(_source_file(file, path) for file in _below(path, found.problems))
        found.files.sort(key=lambda file: file.id.split("/"))
        return found
    if not os.path.lexists(path) and any(mark in source for mark in _WILD):
        return _matching(source)
    if not path.exists():
        raise InputError(Problem(source, say("docs_read.find.missing")))
    return Found([_source_file(path, path.parent)])


def _matching(pattern: str) -> Found:
    pattern = str(Path(pattern).expanduser())
    paths = [Path(name) for name in glob.glob(pattern, recursive=True)]  # noqa: PTH207 - Path.glob takes no absolute pattern
    files = [path for path in paths if not path.is_dir() and not path.name.startswith(_NOT_DOCUMENTS)]
    if not files:
        raise InputError(Problem(pattern, say("docs_read.find.no_match")))
    root = _fixed_part(pattern)
    return Found(sorted({_source_file(file, root) for file in files}, key=lambda file: file.id.split("/")))


def _fixed_part(pattern: str) -> Path:
    """The folders before the first wild one."""
    fixed: list[str] = []
    for part in Path(pattern).parts[:-1]:
        if any(mark in part for mark in _WILD):
            break
        fixed.append(part)
    return Path(*fixed)


def _below(root: Path, problems: list[Problem]) -> Iterator[Path]:
    """All files below ``root``; each folder once, by whatever links it is reached."""
    entered: set[tuple[int, int]] = set()
    _is_new(root, entered)

    def unreadable(error: OSError) -> None:
        reason = error.strerror or str(error)
        problems.append(Problem(str(error.filename), say("docs_read.find.closed_folder", reason=reason)))

    for folder, folders, names in os.walk(root, followlinks=True, onerror=unreadable):
        here = Path(folder)
        # Links last: a folder that a link also leads to is entered, and named, by its own place.
        ordered = sorted(folders, key=lambda name: ((here / name).is_symlink(), name))
        folders[:] = [name for name in ordered if _is_wanted(name) and _is_new(here / name, entered)]
        yield from (here / name for name in names if _is_wanted(name))


def _is_wanted(name: str) -> bool:
    return not name.startswith(_NOT_DOCUMENTS) and name not in _NOT_FOLDERS


def _is_new(folder: Path, entered: set[tuple[int, int]]) -> bool:
    found = folder.stat()
    key = (found.st_dev, found.st_ino)
    if key in entered:
        return False
    entered.add(key)
    return True


def _source_file(path: Path, root: Path) -> SourceFile:
    name = os.fsencode(path).decode("utf-8", "backslashreplace")
    below = path.relative_to(root).as_posix()
    # macOS stores names decomposed: the same folder must give the same ids on every machine.
    return SourceFile(path, name, unicodedata.normalize("NFC", os.fsencode(below).decode("utf-8", "backslashreplace")))


def fault(file: SourceFile, most_bytes: int) -> Text | None:
    """Why ``file`` is not even opened: a link to nowhere, a device, empty, too large."""
    try:
        found = file.path.stat()
    except OSError as error:
        reason = error.strerror or str(error)
        return say("docs_read.file.leads_nowhere", reason=reason)
    if not stat.S_ISREG(found.st_mode):
        return say("docs_read.file.no_ordinary_file")
    if not os.access(file.path, os.R_OK):
        return say("docs_read.file.closed")
    if found.st_size == 0:
        return say("docs_read.file.empty")
    if found.st_size > most_bytes:
        size, limit = f"{found.st_size / 2**20:,.0f} MB", f"{most_bytes / 2**20:,.0f} MB"
        return say("docs_read.file.too_large", size=size, limit=limit)
    return None

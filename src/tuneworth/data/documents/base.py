"""What a kind of file must offer to be read as documents, and which kinds there are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from tuneworth.core.documents import Block
from tuneworth.core.registry import load_plugin, plugin_modules
from tuneworth.core.text import Text
from tuneworth.data.files import decode
from tuneworth.errors import EnvironmentProblem, InputError, Problem
from tuneworth.words.say import say

GROUP = "tuneworth.data.documents.formats"
MAX_TEXT_CHARS = 50_000_000
"""Most characters taken from one file: a file of a few kilobytes can unpack to more than the memory holds."""
_BROKEN = re.compile("[\ud800-\udfff]")


class Unreadable(ValueError):
    """Why one file gives no document. Never leaves this package: it becomes a ``Problem``."""

    def __init__(self, reason: Text):
        self.reason = reason
        super().__init__(reason.en)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to read.

    Attributes:
        name: how messages call it; the path as the user gave it.
        id: what its document is called unless the file itself says: the path below the folder.
    """

    path: Path
    name: str
    id: str

    def read(self) -> bytes:
        """
        Raises:
            Unreadable: the system does not let us read it.
        """
        try:
            return self.path.read_bytes()
        except OSError as error:
            reason = error.strerror or str(error)
            raise Unreadable(say("docs_read.file.unreadable", reason=reason)) from error


@dataclass(frozen=True, slots=True)
class Parsed:
    """One document as its file has it; ``None`` and empty mean that the file does not say.

    Attributes:
        line: where it starts in the file, for rows.
    """

    blocks: tuple[Block, ...]
    title: str = ""
    id: str = ""
    line: int | None = None
    changed: date | None = None
    doc_set: str | None = None
    metadata: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Reading:
    """What came out of one file.

    Attributes:
        problems: parts of it that could not be read, each with the next step; the place is completed by the loader.
        notes: what was done without being asked, such as the encoding that was assumed.
    """

    documents: list[Parsed]
    problems: list[Text] = field(default_factory=list[Text])
    notes: list[Text] = field(default_factory=list[Text])


class Format(Protocol):
    """A kind of file. Nothing in it may be executed or fetched."""

    @property
    def suffixes(self) -> tuple[str, ...]:
        """Lower case, with the dot."""
        ...

    def read(self, file: SourceFile) -> Reading:
        """
        Raises:
            Unreadable: the file as a whole gives no document.
            EnvironmentProblem: a library is missing.
        """
        ...


@cache
def formats() -> Mapping[str, Format]:
    """Suffix → the kind that reads it."""
    found: dict[str, Format] = {}
    for plugin_id in plugin_modules(GROUP):
        plugin: Format = load_plugin(GROUP, plugin_id)
        for suffix in plugin.suffixes:
            found.setdefault(suffix, plugin)
    return MappingProxyType(found)


def missing(package: str, name: str) -> EnvironmentProblem:
    """The error for a library of the extra that is not installed."""
    return EnvironmentProblem(
        Problem(
            name,
            say("docs_read.file.needs_package", package=package),
        )
    )


def without_title(blocks: tuple[Block, ...], title: str) -> tuple[Block, ...]:
    """``blocks`` whose outermost heading only repeats the title lose that heading."""
    return tuple(
        replace(block, headings=block.headings[1:]) if block.headings[:1] == (title,) else block for block in blocks
    )


def decoded(file: SourceFile, *, declared: str = "") -> tuple[str, list[Text]]:
    """The text of ``file`` and what was assumed about its encoding.

    Args:
        declared: the encoding that the file itself names; believed only where it fits all bytes.

    Raises:
        Unreadable: neither UTF-8, UTF-16 nor GB18030, or not text at all.
    """
    data = file.read()
    named = _as_declared(data, declared)
    if named is not None:
        return named, []
    try:
        found = decode(data, Path(file.name).name)
    except InputError as error:
        raise Unreadable(error.problems[0].message) from None
    if "\x00" in found.text:
        raise Unreadable(say("docs_read.file.nul"))
    if broken := _BROKEN.search(found.text):
        raise Unreadable(_neither(found.text, broken.start()))
    return found.text, [found.note] if found.note else []


def _neither(text: str, at: int) -> Text:
    line = text.count("\n", 0, at) + 1
    return say("docs_read.file.not_text", line=str(line))


def _as_declared(data: bytes, declared: str) -> str | None:
    """``data`` by the encoding it names, unless it is UTF-8, whatever it says: then the name is a leftover.

    GB2312 and GBK are written for GB18030, which holds both.
    """
    name = declared.strip().lower()
    if not name or name.startswith("utf") or _is_utf8(data):
        return None
    try:
        text = data.decode("gb18030" if name in ("gb2312", "gbk", "gb_2312-80") else name)
    except (LookupError, ValueError):
        return None
    return text if "\x00" not in text else None


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def walk(element: Any) -> Any:
    """``("start" | "end", element)`` for all below ``element`` and itself; its ``skip_subtree()`` passes the rest by."""
    return import_module("lxml.etree").iterwalk(element, events=("start", "end"))

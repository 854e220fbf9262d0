"""What a kind of file must offer to be read as documents, and which kinds there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from tuneworth.core.documents import Block
from tuneworth.core.registry import load_plugin, plugin_modules
from tuneworth.core.text import Text
from tuneworth.errors import EnvironmentProblem, Problem

GROUP = "tuneworth.data.documents.formats"
MAX_TEXT_CHARS = 50_000_000
"""Most characters taken from one file: a file of a few kilobytes can unpack to more than the memory holds."""


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
            raise Unreadable(
                Text(
                    en=f"cannot be read ({reason}); check its permissions",
                    zh=f"无法读取（{reason}）；请检查文件权限",
                )
            ) from error


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
            Text(
                en=f'reading it needs {package}: pip install "tuneworth[documents]"',
                zh=f'读取它需要 {package}：pip install "tuneworth[documents]"',
            ),
        )
    )


def without_title(blocks: tuple[Block, ...], title: str) -> tuple[Block, ...]:
    """``blocks`` whose outermost heading only repeats the title lose that heading."""
    return tuple(
        replace(block, headings=block.headings[1:]) if block.headings[:1] == (title,) else block for block in blocks
    )

"""Collecting the blocks of a document as they are read from a file, with the headings they stand under."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tuneworth.core.documents import Block

_SPACE = re.compile(r"[ \t\r\f\v\u00a0\u3000]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f\ufeff]")
_WIDE = re.compile(r"[\u1100-\u115f\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60]")
_MAX_HEADING = 200


class BlockList:
    """Blocks in reading order.

    A heading is kept on the blocks below it, not as text of its own, because it is repeated with every passage.
    One that has nothing below it would be lost, so it becomes a block.
    """

    def __init__(self) -> None:
        self._blocks: list[Block] = []
        self._path: list[tuple[int, str]] = []
        self._is_bare = False
        self._first: str | None = None
        self._page: int | None = None

    @property
    def first_heading(self) -> str:
        return self._first or ""

    def heading(self, level: int, text: str, page: int | None = None) -> None:
        """Start a section; ``level`` 1 is the outermost."""
        text = one_line(text)
        if not text:
            return
        if self._is_bare and level <= self._path[-1][0]:
            self._keep_bare()
        if len(text) > _MAX_HEADING:  # a paragraph that was only styled as a heading
            self.add(text, page)
            return
        while self._path and self._path[-1][0] >= level:
            self._path.pop()
        self._path.append((level, text))
        self._is_bare, self._page = True, page
        self._first = self._first or text

    def add(self, text: str, page: int | None = None) -> None:
        """A paragraph, list, table or row; blank ones are dropped."""
        text = _CONTROL.sub("", text).strip()
        if text:
            self._blocks.append(Block(text, tuple(heading for _, heading in self._path), page))
            self._is_bare = False

    def done(self) -> tuple[Block, ...]:
        if self._is_bare:
            self._keep_bare()
        return tuple(self._blocks)

    def _keep_bare(self) -> None:
        *above, (_, text) = self._path
        self._blocks.append(Block(text, tuple(heading for _, heading in above), self._page))
        self._is_bare = False


def one_line(text: str) -> str:
    """``text`` with runs of white space as one space and no control characters."""
    return _SPACE.sub(" ", _CONTROL.sub("", text.replace("\n", " "))).strip()


def columns(text: str) -> int:
    """Width on a page of fixed pitch: a Chinese character takes two columns."""
    return len(text) + len(_WIDE.findall(text))


def join_wrapped(lines: Iterable[str]) -> str:
    """The lines of one wrapped paragraph as one line: Chinese characters are joined without a space."""
    joined = ""
    for line in filter(None, (line.strip() for line in lines)):
        if joined and not (_WIDE.match(joined[-1]) and _WIDE.match(line[0])):
            joined += " "
        joined += line
    return joined

"""Collecting the blocks of a document as they are read from a file, with the headings they stand under; paragraphs of plain text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from tuneworth.core.documents import Block
from tuneworth.core.text import Text

_SPACE = re.compile(r"[ \t\r\f\v\u00a0\u3000]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f\ufeff]")
_WIDE = re.compile(r"[\u1100-\u115f\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60]")
_MAX_HEADING = 200
_BLANK = re.compile(r"\n[ \t\u3000]*(?:\n[ \t\u3000]*)+")
_ITEM = re.compile(
    r"\s*(?:[-*+•·▪◦○●–—]\s|\(?\d{1,3}(?:[.)]\s|[、）])|[（(][一二三四五六七八九十\d]{1,3}[)）]"
    r"|[一二三四五六七八九十]{1,3}、|第.{1,4}[章节条](?:[\s:：]|$))"
)
_ENDS = tuple(".!?:;。！？：；…\"'”’」』)）")
_WRAPPED_COLUMNS = 50
"""A line shorter than this was ended by its writer, not by the margin."""


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


def paragraphs(text: str) -> tuple[Block, ...]:
    """The blocks of ``text``; lines that only a margin broke are joined."""
    blocks = BlockList()
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    pages = text.split("\f")
    for number, page in enumerate(pages, start=1):
        for paragraph in _BLANK.split(page):
            blocks.add(unwrapped(paragraph), number if len(pages) > 1 else None)
    return blocks.done()


def unwrapped(paragraph: str) -> str:
    """``paragraph`` with a line break only where its writer put one.

    A break is the margin's when the line before it is long and in mid-sentence and the next starts no item.
    """
    lines = [line.rstrip() for line in paragraph.strip("\n").split("\n")]
    return "\n".join(join_wrapped(group) if len(group) > 1 else group[0] for group in _groups(lines))


def _groups(lines: list[str]) -> Iterator[list[str]]:
    group = lines[:1]
    for line in lines[1:]:
        before = group[-1]
        if columns(before) >= _WRAPPED_COLUMNS and not before.endswith(_ENDS) and not starts_item(line):
            group.append(line)
        else:
            yield group
            group = [line]
    yield group


def starts_item(line: str) -> bool:
    """Whether ``line`` begins with a bullet or a number, as an item of a list does."""
    return _ITEM.match(line) is not None


def commas(names: Sequence[object], most: int) -> Text:
    """The first names in a row; ``…`` where there are more."""
    shown = ", ".join(map(str, names[:most])) + (", …" if len(names) > most else "")
    return Text(en=shown, zh=shown.replace(", ", "、"))

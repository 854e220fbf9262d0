"""From the lines of a PDF's pages to paragraphs under headings.

A PDF has positions, not paragraphs. What can be told from the lines alone: a short line that ends a sentence ends
its paragraph, any other short line (a table, a caption, a heading without a bookmark) keeps its break, and a long
one was broken by the margin. So a paragraph whose last line happens to be full is joined with the next. Lines that
most pages repeat at their top or bottom, short and ending no sentence, are running heads and page numbers and are
left out; numbers in them may differ.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tuneworth.core.documents import Block
from tuneworth.data.documents.blocks import BlockList, columns, join_wrapped
from tuneworth.data.documents.paragraphs import starts_item

_EDGE_LINES = 3
_RUNNING_SHARE = 0.6
_RUNNING_PAGES = 3
_SHORT = 0.75
"""A line this much narrower than the widest tenth was not broken by the margin."""
_LONGEST_HEADING_LINES = 3
_ENDS = tuple('.!?。！？…"”’」』)）')
_DIGITS = re.compile(r"\d+")
_SPACE = re.compile(r"\s+")


class Bookmark(NamedTuple):
    """An entry of the PDF's outline; ``level`` 1 is the outermost."""

    level: int
    title: str


class Line(NamedTuple):
    """A line of text or, where ``level`` is not 0, a heading."""

    page: int
    text: str
    level: int = 0


def blocks_of(pages: Sequence[Sequence[str]], bookmarks: dict[int, list[Bookmark]]) -> tuple[Block, ...]:
    """The blocks of a document.

    Args:
        pages: lines of every page, in reading order.
        bookmarks: number of the page, from 1 → the entries that point to it, in order.
    """
    margin = _Margin([line for page in pages for line in page])
    running = _running(pages, bookmarks, margin)
    lines = [
        line
        for number, page in enumerate(pages, start=1)
        for line in _with_headings(number, _body(page, running), bookmarks.get(number, []))
    ]
    blocks = BlockList()
    for paragraph in _paragraphs(lines, margin):
        first = paragraph[0]
        if first.level:
            blocks.heading(first.level, first.text, first.page)
        else:
            blocks.add(_text(paragraph, margin), first.page)
    return blocks.done()


def _running(pages: Sequence[Sequence[str]], bookmarks: dict[int, list[Bookmark]], margin: _Margin) -> set[str]:
    """Running heads and page numbers, numbers replaced by ``#``."""
    titles = {_key(mark.title) for marks in bookmarks.values() for mark in marks}
    seen = Counter(
        key for page in pages for key in {_masked(line) for line in _edges(page) if _may_run(line, titles, margin)}
    )
    least = max(_RUNNING_PAGES, _RUNNING_SHARE * len(pages))
    return {key for key, n in seen.items() if n >= least}


def _may_run(line: str, titles: set[str], margin: _Margin) -> bool:
    return margin.is_short(line) and not line.endswith(_ENDS) and _key(line) not in titles


def _edges(page: Sequence[str]) -> Sequence[str]:
    return page if len(page) <= 2 * _EDGE_LINES else [*page[:_EDGE_LINES], *page[-_EDGE_LINES:]]


def _body(page: Sequence[str], running: set[str]) -> list[str]:
    last = len(page) - _EDGE_LINES
    return [line for at, line in enumerate(page) if _EDGE_LINES <= at < last or _masked(line) not in running]


def _with_headings(number: int, lines: list[str], marks: list[Bookmark]) -> Iterator[Line]:
    """The lines of a page, those that a bookmark names as headings.

    A bookmark whose words are not on its page (a scan, another wording) holds from the top of the page.
    """
    places = _places(lines, marks)
    for mark, place in zip(marks, places):
        if place is None:
            yield Line(number, mark.title, mark.level)
    at = 0
    starts = {place[0]: (mark, place[1]) for mark, place in zip(marks, places) if place}
    while at < len(lines):
        if at in starts:
            mark, n_lines = starts[at]
            yield Line(number, mark.title, mark.level)
            at += n_lines
        else:
            yield Line(number, lines[at])
            at += 1


def _places(lines: list[str], marks: list[Bookmark]) -> list[tuple[int, int] | None]:
    """First line and number of lines of each bookmark's words, in order down the page."""
    keys, places, after = [_key(line) for line in lines], [], 0
    for mark in marks:
        wanted = _key(mark.title)
        place = next(
            (
                (at, n)
                for at in range(after, len(keys))
                for n in range(1, _LONGEST_HEADING_LINES + 1)
                if wanted and "".join(keys[at : at + n]) == wanted
            ),
            None,
        )
        places.append(place)
        after = sum(place) if place else after
    return places


class _Margin:
    """Which lines end before the margin. Chinese and Latin lines are told apart: their columns differ in width."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._short: dict[bool, float] = {}
        for is_wide in (False, True):
            widths = sorted(columns(line) for line in lines if _is_wide(line) == is_wide)
            self._short[is_wide] = _SHORT * widths[len(widths) * 9 // 10] if widths else 0

    def is_short(self, line: str) -> bool:
        return columns(line) < self._short[_is_wide(line)]


def _is_wide(line: str) -> bool:
    return columns(line) >= 1.5 * len(line)


def _paragraphs(lines: Sequence[Line], margin: _Margin) -> Iterator[list[Line]]:
    group: list[Line] = []
    for line in lines:
        if group and (line.level or group[-1].level or _ends_paragraph(group[-1].text, margin)):
            yield group
            group = []
        group.append(line)
    if group:
        yield group


def _ends_paragraph(line: str, margin: _Margin) -> bool:
    return margin.is_short(line) and line.endswith(_ENDS)


def _text(paragraph: Sequence[Line], margin: _Margin) -> str:
    groups: list[list[str]] = [[paragraph[0].text]]
    for line in paragraph[1:]:
        if margin.is_short(groups[-1][-1]) or starts_item(line.text):
            groups.append([line.text])
        else:
            groups[-1].append(line.text)
    return "\n".join(join_wrapped(group) for group in groups)


def _masked(line: str) -> str:
    return _DIGITS.sub("#", _key(line))


def _key(line: str) -> str:
    return _SPACE.sub("", line).casefold()

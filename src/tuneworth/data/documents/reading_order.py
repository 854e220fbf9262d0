"""The order in which a page of several columns is read, from where its pieces of text stand.

Most files have the columns one after the other, and a table cell by cell; that order is kept. Some (OCR, converters from
HTML) have a page line by line across the gutter. A simplified form of the recursive cut of Nagy and Seth (1984) finds them:
the page is cut into bands by the lines that run across the gutter, and a band is read left column first where the file goes
to and fro between two columns of prose. Prose fills its column with words and goes on over the ends of lines; the cells of a
table do not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple

_WORD_GAP = 1.1
"""Pieces of a line nearer than this, in heights of the line, belong together."""
_MIDDLE = (0.2, 0.8)
"""Where in the width of the text a gutter may lie."""
_LEAST_LINES = 5
_FILLED = 0.55
"""Median share of its column that a line of prose fills; the ragged end of a paragraph is shorter."""
_LEAST_WORDS = 4
"""Words of the median line of prose; two Chinese characters count as one."""
_FAR = 1.0
"""Most space between lines of prose, in heights: rows of a table stand farther apart."""
_TO_AND_FRO = 0.7
"""Share of the changes of side that going line by line across the gutter makes; cells of two lines make half."""
_GOES_ON = 0.3
"""Share of lines that begin in the middle of a sentence."""
_WIDE = re.compile("[\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff]")
_HEADING = 1.15
"""A line this much higher than the median is a heading."""
_MOST_PIECES = 5_000
_MOST_LINES = 500
_DEEPEST = 2


Place = tuple[float, float, float, float]
"""Left, bottom, right, top."""


class Piece(NamedTuple):
    """Text with its place on the page, in points from the lower left corner; ``at`` is its place in the file."""

    left: float
    bottom: float
    right: float
    top: float
    text: str
    at: int = 0

    @property
    def height(self) -> float:
        return self.top - self.bottom


Line = list[Piece]
"""Pieces that stand side by side, from left to right, without a gap of more than a word's."""


def may_have_columns(places: Sequence[Place]) -> bool:
    """Whether pieces at these places (left, bottom, right, top) are in columns, if they are words."""
    return in_columns([Piece(*place, "one two three four five", at) for at, place in enumerate(places)]) is not None


def in_columns(pieces: Sequence[Piece]) -> list[str] | None:
    """The lines of a page in reading order; ``None`` where it has one column, or its columns are not sure."""
    pieces = [piece for piece in pieces if piece.text.strip() and piece.height > 0]
    if not 2 * _LEAST_LINES <= len(pieces) <= _MOST_PIECES:
        return None
    lines = _lines(pieces)
    ordered = _ordered(lines, 0) if len(lines) <= _MOST_LINES else None
    return None if ordered is None else [" ".join(piece.text.strip() for piece in line) for line in ordered]


def _lines(pieces: Sequence[Piece]) -> list[Line]:
    """Lines of every column, from the top down; what a gutter parts is two lines."""
    rows: list[list[Piece]] = []
    for piece in sorted(pieces, key=lambda piece: (-piece.top, piece.left)):
        row = next((row for row in rows[-6:] if _beside(row[0], piece)), None)
        rows.append([piece]) if row is None else row.append(piece)
    lines: list[Line] = []
    for row in rows:
        row.sort(key=lambda piece: piece.left)
        line = [row[0]]
        for piece in row[1:]:
            if piece.left - line[-1].right <= _WORD_GAP * min(piece.height, line[-1].height):
                line.append(piece)
            else:
                lines.append(line)
                line = [piece]
        lines.append(line)
    return lines


def _beside(one: Piece, other: Piece) -> bool:
    overlap = min(one.top, other.top) - max(one.bottom, other.bottom)
    return overlap > 0.5 * min(one.height, other.height)


def _ordered(lines: list[Line], depth: int) -> list[Line] | None:
    """The lines column by column; ``None`` where no band of them has columns."""
    gutter = _gutter(lines) if depth < _DEEPEST and len(lines) >= 2 * _LEAST_LINES else None
    if gutter is None:
        return None
    ordered: list[Line] = []
    found = False
    for band in _bands(lines, gutter):
        sides = [line for line in band if _right(line) <= gutter], [line for line in band if line[0].left >= gutter]
        inside = [_ordered(side, depth + 1) for side in sides]
        are_columns = all(inner is not None or _is_prose(side, gutter) for side, inner in zip(sides, inside))
        if are_columns and _goes_to_and_fro(band, gutter):
            found = True
            for side, inner in zip(sides, inside):
                ordered += inner or side
        else:
            ordered += band
    return ordered if found else None


def _right(line: Line) -> float:
    return line[-1].right


def _gutter(lines: Sequence[Line]) -> float | None:
    """The place that fewest lines cross, with lines on both sides of it; of several, the one in the widest gap."""
    left, right = min(line[0].left for line in lines), max(_right(line) for line in lines)
    low, high = (left + share * (right - left) for share in _MIDDLE)
    best: tuple[int, float] | None = None
    place = None
    for x in sorted({line[0].left for line in lines if low <= line[0].left <= high}):
        before = [_right(line) for line in lines if _right(line) < x]
        after = [line for line in lines if line[0].left >= x - 1]
        if min(len(before), len(after)) < _LEAST_LINES:
            continue
        # Just left of where a column begins: what hangs out by a point does not cross.
        crossing = sum(line[0].left < x - 1 and _right(line) > x - 1 for line in lines)
        key = (crossing, -sum(abs(line[0].left - x) < 3 for line in lines))
        if best is None or key < best:
            best, place = key, x - 1
    return place


def _bands(lines: Sequence[Line], gutter: float) -> list[list[Line]]:
    """Lines from the top down, cut where one crosses the gutter, or is a heading or a page number with nothing beside it."""
    usual = median(line[0].height for line in lines)
    bands: list[list[Line]] = [[]]
    for line in lines:
        crosses = line[0].left < gutter < _right(line)
        around = [other for other in lines if other is not line and _near(line, other, 1.5)]
        beside = [
            other
            for other in around
            if _near(line, other, 0.5) and (other[0].left >= gutter) != (line[0].left >= gutter)
        ]
        stands_alone = not beside and (line[0].height > _HEADING * usual or not around)
        if crosses or stands_alone:
            bands += [[line], []]
        else:
            bands[-1].append(line)
    return [band for band in bands if band]


def _near(line: Line, other: Line, heights: float) -> bool:
    """Whether ``other`` reaches into the height of ``line`` and so many heights around it."""
    margin = heights * line[0].height
    return other[0].top > line[0].bottom - margin and other[0].bottom < line[0].top + margin


def _is_prose(side: Sequence[Line], gutter: float) -> bool:
    """Whether the lines of a column fill it with words, one below the other."""
    if len(side) < _LEAST_LINES:
        return False
    left, right = min(line[0].left for line in side), max(_right(line) for line in side)
    width = max(right - left, gutter - left if right <= gutter else 0)
    filled = [(_right(line) - line[0].left) / width for line in side]
    words = [_n_words(" ".join(piece.text for piece in line)) for line in side]
    apart = [(upper[0].bottom - lower[0].top) / upper[0].height for upper, lower in pairwise(side)]
    return median(filled) >= _FILLED and median(words) >= _LEAST_WORDS and median(apart) <= _FAR and _goes_on(side)


def _goes_on(side: Sequence[Line]) -> bool:
    """Whether lines begin in mid-sentence; where letters have no case, that cannot be told."""
    starts = [line[0].text.lstrip()[:1] for line in side[1:]]
    cased = [letter for letter in starts if letter.islower() or letter.isupper()]
    return len(cased) < len(starts) / 2 or sum(map(str.islower, cased)) >= _GOES_ON * len(cased)


def _goes_to_and_fro(band: Sequence[Line], gutter: float) -> bool:
    """Whether the file has the lines of a band from left to right rather than column by column or cell by cell."""
    sides = [line[0].left >= gutter for line in sorted(band, key=lambda line: line[0].at)]
    changes = sum(one != other for one, other in pairwise(sides))
    return changes >= _TO_AND_FRO * (2 * min(sides.count(True), sides.count(False)) - 1)


def _n_words(text: str) -> float:
    return len(_WIDE.findall(text)) / 2 + len(_WIDE.sub(" ", text).split())

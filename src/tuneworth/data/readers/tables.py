"""Records of cells as rows: which line is the header, which columns count, and what a record of another width means.

The same for CSV and for Excel. A record is never cut or filled on a guess: cells too many are dropped only if they are
empty; cells too few are taken for empty ones at the end of the line, as writers of tables leave them out, unless the lines
look like one record that a line break tore apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tuneworth.core.text import Text
from tuneworth.data.rows import RawRow, Rejected, Rows, quote
from tuneworth.errors import InputError, Problem
from tuneworth.words.say import say

_SAMPLE = 500
_MOST_ABOVE = 20
"""Lines above the header that are looked at: titles, remarks."""
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Record:
    """Cells and where they stand.

    Attributes:
        cells: ``None`` where the reader refused them.
        error: why.
    """

    line: int
    end: int
    cells: list[Any] | None
    text: str = ""
    error: Text | None = None


def is_empty(cell: object) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def filled(cells: Sequence[Any]) -> int:
    """Cells up to the last one that says something."""
    at = len(cells)
    while at and is_empty(cells[at - 1]):
        at -= 1
    return at


def header_place(records: Sequence[Record]) -> int:
    """Which record is the header: the first, unless lines of one cell stand above a wider table."""
    widths = [filled(record.cells or ()) for record in records[:_SAMPLE]]
    usual = Counter(width for width in widths if width).most_common(1)
    if not usual or usual[0][0] < 2:
        return 0
    above = next((at for at, width in enumerate(widths[:_MOST_ABOVE]) if width >= 2), 0)
    return above if all(width <= 1 for width in widths[:above]) else 0


def add_rows(result: Rows, records: Sequence[Record], name: str, *, delimiter: str = "") -> None:
    """Add the rows of a table to ``result``. A record's line is the one where it starts; empty cells are left out.

    Raises:
        InputError: there is no header, or a column's name is there twice.
    """
    place = header_place(records)
    head, body = records[: place + 1], list(records[place + 1 :])
    if not head or head[-1].cells is None:
        result.rejected += [_refused(record, name, 0) for record in records]
        return
    result.others += [(record.line, record.end) for record in head]
    if place:
        result.notes.append(say("reading.table.above", name=name, n=place, line=str(head[-1].line)))
    columns = _columns(head[-1], body, name)
    if (shown := _row_in_header(columns, body)) is not None:
        raise InputError(_no_header(head, columns, shown, name))
    body, orders = _without_headers(result, columns, body, name)
    torn = _torn(body, len(columns))
    short: list[int] = []
    for record in body:
        n_cells = filled(record.cells or ())
        is_piece = len(record.cells or ()) == 1 < len(columns)  # torn off, more likely than a row of one cell
        if record.cells is None or n_cells > len(columns) or (is_piece and n_cells):
            result.rejected.append(_refused(record, name, len(columns), delimiter))
        elif record.line in torn:
            reason = say("reading.table.torn", found=len(record.cells), expected=len(columns))
            result.rejected.append(Rejected(name, record.line, reason, record.text, record.end))
        elif n_cells:
            order = orders.get(record.line, columns)
            value = {column: cell for column, cell in zip(order, record.cells) if not _is_missing(cell)}
            result.rows.append(RawRow(name, record.line, value, None, record.end))
            if len(record.cells) < len(columns):
                short.append(record.line)
        else:
            result.others.append((record.line, record.end))
    if short:
        key = "reading.table.short_one" if len(short) == 1 else "reading.table.short"
        result.notes.append(say(key, name=name, n=len(short), line=str(short[0]), expected=len(columns)))


def _is_missing(cell: object) -> bool:
    return cell is None or cell == ""


def _columns(head: Record, body: Sequence[Record], name: str) -> list[str]:
    """Names of the columns; those at the end without a name and without a cell that says something are dropped."""
    names = ["" if cell is None else str(cell).strip() for cell in head.cells or ()]
    widths = Counter(filled(record.cells) for record in body if record.cells is not None)
    usual = max((width for width, n in widths.items() if n * 2 > sum(widths.values())), default=0)
    width = max(filled(names), min(usual, len(names)))
    names = [column or f"column {at}" for at, column in enumerate(names[:width], start=1)]
    twice = sorted({column for column in names if names.count(column) > 1})
    if twice:
        shown = ", ".join(repr(column) for column in twice)
        raise InputError(Problem(f"{name}:{head.line}", say("rows.table.repeated_column", columns=shown)))
    return names


def _without_headers(
    result: Rows, columns: Sequence[str], body: Sequence[Record], name: str
) -> tuple[list[Record], dict[int, Sequence[str]]]:
    """``body`` without the headers that files glued together have in their middle.

    Returns:
        The records, and line → the columns' order of those below a header that has them in another.
    """
    rest, again, order = list[Record](), list[Record](), columns
    orders: dict[int, Sequence[str]] = {}
    names = set(columns)
    for record in body:
        cells = (record.cells or [])[: len(columns)]
        may_be = len(columns) > 1 and len(cells) == len(columns) and str(cells[0]).strip() in names
        if may_be and {str(cell).strip() for cell in cells} == names:
            again.append(record)
            order = [str(cell).strip() for cell in cells]
        else:
            rest.append(record)
            if order != columns:
                orders[record.line] = order
    if again:
        result.others += [(record.line, record.end) for record in again]
        lines = ", ".join(str(record.line) for record in again[:_SHOWN]) + (", …" if len(again) > _SHOWN else "")
        result.notes.append(say("reading.table.header_again", name=name, n=len(again), lines=lines))
    return rest, orders


def _row_in_header(columns: Sequence[str], body: Sequence[Record]) -> str | None:
    """A cell of the header that comes again and again in its own column: then the header is a row."""
    if [column for column in columns if column.isdecimal()] == [str(at) for at in range(len(columns))]:
        return None  # pandas numbers columns that have no name
    sample = [record.cells for record in body[:_SAMPLE] if record.cells is not None]
    names = set(columns)
    rows = [cells for cells in sample if {str(cell).strip() for cell in cells[: len(columns)]} != names]
    least = max(2, len(rows) // 50)
    for at, column in enumerate(columns):
        if sum(len(cells) > at and str(cells[at]).strip() == column for cells in rows) >= least:
            return column
    return None


def _no_header(head: Sequence[Record], columns: Sequence[str], shown: str, name: str) -> Problem:
    if len(head) > 1:  # taken for lines above a header, but there is none: the first line is it, with one column
        title = str((head[0].cells or [""])[0]).strip()
        return Problem(f"{name}:{head[0].line}", say("reading.table.one_column", shown=quote(title, 40)))
    example = ",".join([*(f"column{n}" for n in range(1, len(columns) - 1)), "text", "label"][-len(columns) :])
    return Problem(f"{name}:{head[0].line}", say("reading.table.no_header", shown=quote(shown, 40), example=example))


def _torn(body: Sequence[Record], width: int) -> set[int]:
    """Lines of records that a line break tore in two: neighbours too short that make one record of the right width."""
    found = set[int]()
    for first, second in pairwise(body):
        if first.cells is None or second.cells is None or second.line != first.end + 1:
            continue
        sizes = len(first.cells), len(second.cells)
        # Two in a row that lack only the last cell are no sign.
        if max(sizes) < width and sum(sizes) - 1 == width and min(sizes) < width - 1:
            found |= {first.line, second.line}
    return found


def _refused(record: Record, name: str, width: int, delimiter: str = "") -> Rejected:
    if record.error is not None:
        return Rejected(name, record.line, record.error, record.text, record.end)
    found = len(record.cells or ())
    if delimiter.strip() and found > width:
        reason = say("reading.table.too_wide", found=found, expected=width, delimiter=delimiter)
    else:
        reason = say("rows.table.wrong_width", found=str(found), expected=str(width))
    return Rejected(name, record.line, reason, record.text, record.end)

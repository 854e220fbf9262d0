"""Tables of documents as lines, cells that span rows or columns written wherever they hold.

A plain table is a line a row. Where headers span columns, each cell of the body is written with the words of all headers
above it (``Child day pass: 2.50``): a passage may have a single row of the table, and still says what its numbers are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

_MOST_COLUMNS = 200
"""Columns of a table that are unfolded: a cell may claim to span a thousand."""


class Cell(NamedTuple):
    """A cell as it is written once. ``rows`` and ``columns`` say over how many it spans."""

    text: str
    rows: int = 1
    columns: int = 1
    is_header: bool = False


def table_lines(rows: Sequence[Sequence[Cell]]) -> Iterator[str]:
    """The lines of a table, without empty ones."""
    grid = _unfolded(rows)
    n_header = _n_header(rows)
    if not any(cell.columns > 1 for row in rows[:n_header] for cell in row) or n_header == len(grid):
        yield from filter(None, (_joined(row) for row in grid))
        return
    width = max(map(len, grid))
    names = [_name([row[at] for row in grid[:n_header] if at < len(row)]) for at in range(width)]
    yield _joined(names)
    for row in grid[n_header:]:
        if len(set(row)) == 1:  # a line across the table, such as the name of a part of it
            yield row[0]
        elif any(row):
            yield " | ".join(f"{name}: {cell}" if name and cell else cell for name, cell in zip(names, row))


def _unfolded(rows: Sequence[Sequence[Cell]]) -> list[list[str]]:
    """The text of the cell that covers each place of the grid (the table model of HTML, section 4.9.12)."""
    grid: list[list[str]] = []
    open_cells: dict[int, tuple[str, int]] = {}  # column → text and further rows of a cell from above
    for row in rows:
        line: list[str] = []
        cells = iter(row)
        while len(line) < _MOST_COLUMNS:
            if len(line) in open_cells:
                text, left = open_cells.pop(len(line))
                if left > 1:
                    open_cells[len(line)] = text, left - 1
                line.append(text)
                continue
            cell = next(cells, None)
            if cell is None:
                if not any(at > len(line) for at in open_cells):
                    break
                line.append("")
                continue
            for _ in range(min(max(cell.columns, 1), _MOST_COLUMNS - len(line))):
                if cell.rows > 1:
                    open_cells[len(line)] = cell.text, cell.rows - 1
                line.append(cell.text)
        grid.append(line)
    return grid


def _n_header(rows: Sequence[Sequence[Cell]]) -> int:
    """Rows of the header: those marked so; else the first, and the next as far as cells of the first reach or are split."""
    marked = next((at for at, row in enumerate(rows) if not row or not all(cell.is_header for cell in row)), len(rows))
    if marked or not rows or not rows[0]:
        return marked
    return max(max(cell.rows for cell in rows[0]), 2 if any(cell.columns > 1 for cell in rows[0]) else 1)


def _name(above: Sequence[str]) -> str:
    """The words of the headers above a column, each once."""
    return " ".join(dict.fromkeys(text for text in above if text))


def _joined(cells: Sequence[str]) -> str:
    return " | ".join(cells).strip(" |")

"""Excel workbooks (.xlsx): the sheet that has the rows, formulas by the values that Excel stored for them."""

from __future__ import annotations

import io
import shlex
import zipfile
from datetime import datetime, time
from pathlib import Path
from typing import Any

from tuneworth.data.readers.tables import Record, add_rows, filled
from tuneworth.data.rows import Rows
from tuneworth.errors import EnvironmentProblem, InputError, Problem
from tuneworth.words.say import say

SUFFIXES = (".xlsx", ".xlsm")
MAX_UNPACKED_BYTES = 512 * 2**20
_SHARE = 0.1
"""Other sheets that have fewer than this share of the largest one's rows are not what is meant."""


def named_sheet(source: str) -> tuple[str, str | None]:
    """The file and the sheet that ``rows.xlsx#May`` names; the source itself and ``None`` where it names none."""
    path, mark, sheet = source.rpartition("#")
    is_named = bool(mark and sheet) and path.lower().endswith(SUFFIXES) and not Path(source).exists()
    return (path, sheet) if is_named else (source, None)


def parse(data: bytes, name: str, sheet: str | None = None) -> Rows:
    """Rows of ``sheet``, or of the one that has them; a row's line is its number in the sheet.

    Raises:
        EnvironmentProblem: openpyxl is not installed.
        InputError: it is broken or locked, has no such sheet or rows in several, or a formula has no stored value.
    """
    try:
        import openpyxl
    except ImportError:
        raise EnvironmentProblem(Problem(name, say("reading.excel.needs_openpyxl"))) from None
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as parts:
            if sum(part.file_size for part in parts.infolist()) > MAX_UNPACKED_BYTES:
                limit = f"{MAX_UNPACKED_BYTES / 2**20:,.0f} MB"
                raise InputError(Problem(name, say("reading.packed.too_large", limit=limit)))
            inside = [part for part in parts.namelist() if part.startswith("xl/worksheets/")]
            has_formulas = any(b"<f>" in (xml := parts.read(part)) or b"<f " in xml for part in inside)
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheets = {one.title: _records(one) for one in book.worksheets}
    except (KeyError, ValueError, TypeError, OSError, SyntaxError, zipfile.BadZipFile) as error:
        raise InputError(Problem(name, say("reading.excel.broken"))) from error
    sheets = {title: records for title, records in sheets.items() if records}
    if sheet is not None and sheet not in sheets:
        raise InputError(Problem(name, say("reading.excel.no_sheet", sheet=repr(sheet), sheets=_sizes(sheets) or "–")))
    if not sheets:
        return Rows()
    title, *others = [sheet] if sheet is not None else sorted(sheets, key=lambda title: -len(sheets[title]))
    if others and len(sheets[others[0]]) > _SHARE * len(sheets[title]):
        shown = shlex.quote(f"{name}#{title}")
        raise InputError(Problem(name, say("reading.excel.several", sheets=_sizes(sheets), shown=shown)))
    rows = Rows(as_named=False)
    add_rows(rows, sheets[title], name)
    if others:
        rest = _sizes({other: sheets[other] for other in others})
        rows.notes.append(say("reading.excel.left_out", name=name, sheet=title, others=rest))
    if has_formulas:
        _check_formulas(openpyxl, data, title, name)
    return rows


def _records(sheet: Any) -> list[Record]:
    sheet.reset_dimensions()  # files not written by Excel often claim a size that is not theirs
    rows = {number: cells for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1) if filled(cells)}
    width = max(map(len, rows.values()), default=0)
    return [
        Record(number, number, [*map(_plain, cells), *[None] * (width - len(cells))], " | ".join(map(_shown, cells)))
        for number, cells in rows.items()  # a sheet stores no empty cells at the end of a row
    ]


def _plain(cell: Any) -> Any:
    """A day without a time of day is a date; a time of day is text."""
    if isinstance(cell, datetime):
        return cell.date() if cell.time() == time() else cell
    return str(cell) if isinstance(cell, time) else cell


def _shown(cell: Any) -> str:
    return "" if cell is None else str(cell)


def _sizes(sheets: dict[str, list[Record]]) -> str:
    return ", ".join(f"{title!r} ({len(records)})" for title, records in sheets.items())


def _check_formulas(openpyxl: Any, data: bytes, title: str, name: str) -> None:
    """Refuse formulas without stored values, which look like empty cells: a program that does not calculate wrote them.

    Raises:
        InputError: with the first cell.
    """
    books = [openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=stored) for stored in (False, True)]
    sides = [book[title] for book in books]
    for side in sides:
        side.reset_dimensions()
    for written, stored in zip(*(side.iter_rows() for side in sides)):
        for cell, value in zip(written, stored):
            if isinstance(cell.value, str) and cell.value.startswith("=") and value.value is None:
                raise InputError(Problem(f"{name}:{cell.row}", say("reading.excel.formula", cell=cell.coordinate)))

"""Tables of text: CSV, TSV and their kin, read in the dialect that explains most of their lines.

There is no mark that says whether ``"`` quotes or only stands there. Read as quotes, a stray one swallows all lines to the
next; read as it stands, a record over several lines falls to pieces. So both are tried and lines are counted: a dialect is as
good as the number of lines that become records of the header's width.
"""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from tuneworth.data.readers.tables import Record, add_rows, filled, header_place
from tuneworth.data.rows import Rows, quote
from tuneworth.words.say import say

DELIMITERS = (",", ";", "\t", "|", "，")
_HINT = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
_SAMPLE_LINES = 200
_SURE_LINES = 5
"""So many lines that all have the header's width on their own are no record with line breaks in it."""


def parse(text: str, name: str, *, delimiter: str | None = None) -> Rows:
    """Rows of a table with a header, whatever its delimiter (unless given) and its way with quotes.

    Raises:
        InputError: the header is missing, or has a column name twice.
    """
    result = Rows()
    lines, found, hint = _opened(text)
    delimiter = delimiter or found
    result.others += [(hint, hint)] if hint else []
    with _long_cells():
        records = _best(lines, delimiter, name, result)
    add_rows(result, records, name, delimiter=delimiter)
    result.check_conserved(lines, name)
    return result


def header_of(text: str) -> tuple[str, list[str]]:
    """The delimiter of a table and the names in its header."""
    lines, delimiter, _ = _opened(text)
    with _long_cells():
        records = _records(lines[:_SAMPLE_LINES], delimiter)
    cells = records[header_place(records)].cells or [] if records else []
    return delimiter, [cell.strip() for cell in cells[: filled(cells)]]


def _opened(text: str) -> tuple[list[str], str, int]:
    """The lines, the delimiter, and which line is Excel's own mark ``sep=;`` (0 without one), which is blanked."""
    lines = list(io.StringIO(text, newline=""))
    first = next((at for at, line in enumerate(lines) if line.strip()), 0)
    hint = _HINT.fullmatch(lines[first]) if lines else None
    if hint:
        return ["\n"] * (first + 1) + lines[first + 1 :], hint[1], first + 1
    with _long_cells():
        return lines, _delimiter(lines), 0


def _delimiter(lines: Sequence[str]) -> str:
    """The mark that cuts most of the first lines into one width, and the header into most columns.

    One that does not occur in the first line counts only where no other does: titles may stand above a header.
    """

    def worth(mark: str) -> tuple[bool, bool, int]:
        records = _records(lines[:_SAMPLE_LINES], mark)
        width = _width(records)
        fitting = sum(len(record.cells or ()) > 1 and filled(record.cells or ()) <= width for record in records)
        return len(records[0].cells or ()) > 1, fitting * 2 > len(records), width

    return max(DELIMITERS, key=worth)


def is_table(text: str) -> bool:
    """Whether nearly all of the first lines fit a header of several columns."""
    lines, delimiter, _ = _opened(text)
    with _long_cells():
        records = _records(lines[:_SAMPLE_LINES], delimiter)
    width = _width(records)
    return width > 1 and _n_faulty(records, width) * 10 <= len(records)


def is_tabbed(text: str) -> bool:
    """Whether all of the first lines have the same number of tabs, and at least one."""
    counts = {line.count("\t") for line in text.split("\n")[:_SAMPLE_LINES] if line.strip()}
    return len(counts) == 1 and 0 not in counts


def _width(records: Sequence[Record]) -> int:
    place = header_place(records)
    return filled(records[place].cells or ()) if records else 0


def _records(lines: Sequence[str], delimiter: str, *, quotes: bool = True, mark: str = '"') -> list[Record]:
    """All records, blank lines left out; those the csv module refuses have its reason for cells."""
    quoting = csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE
    reader = csv.reader(lines, delimiter=delimiter, quotechar=mark, quoting=quoting, strict=True)
    found: list[Record] = []
    while True:
        start = reader.line_num + 1
        cells, error = None, None
        try:
            cells = next(reader)
        except StopIteration:
            return found
        except csv.Error as reason:
            error = say("rows.table.not_csv", error=str(reason))
        text = "".join(lines[start - 1 : reader.line_num])
        if text.strip():
            found.append(Record(start, reader.line_num, cells, text, error))


def _best(lines: Sequence[str], delimiter: str, name: str, result: Rows) -> list[Record]:
    """The records in the dialect that explains most lines; what was decided is noted."""
    plain = _records(lines, delimiter)
    width = _width(plain)
    faulty = _n_faulty(plain, width)
    merged = (record for record in plain if record.end > record.line)
    if not faulty and not any(delimiter == "\t" or _is_swallowed(one, lines, width, delimiter) for one in merged):
        return plain
    literal = _records(lines, delimiter, quotes=False)
    if _explains_all(literal, plain, width, delimiter):
        result.notes.append(say("reading.table.literal_quotes", name=name))
        return literal
    single = _records(lines, delimiter, mark="'")
    if faulty and _n_faulty(single, width) == 0:
        result.notes.append(say("reading.table.single_quotes", name=name))
        return single
    if any('\\"' in line for line in lines):
        escaped = _records([line.replace('\\"', '""') for line in lines], delimiter)
        if _n_faulty(escaped, width) < faulty:
            result.notes.append(say("reading.table.backslashes", name=name))
            plain = escaped
    return list(_mended(plain, literal, lines, width, delimiter, name, result))


def _n_faulty(records: Sequence[Record], width: int) -> int:
    """Lines in records that are refused or have cells too many."""
    return sum(
        record.end - record.line + 1
        for record in records
        if record.cells is None or filled(record.cells) > width or len(record.cells) < width
    )


def _is_swallowed(record: Record, lines: Sequence[str], width: int, delimiter: str) -> bool:
    """Whether a record is so many full rows that it is none itself."""
    inside = lines[record.line - 1 : record.end]
    may_be = len(inside) >= _SURE_LINES and all(line.count(delimiter) == width - 1 for line in inside)
    return may_be and all(
        _fits(Record(0, 0, cells), width) for cells in csv.reader(inside, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    )


def _explains_all(literal: Sequence[Record], plain: Sequence[Record], width: int, delimiter: str) -> bool:
    """Whether quotes that only stand there explain every line, and quotes that quote go wrong more often than they help."""
    size = len(literal[header_place(literal)].cells or ())
    if any(len(record.cells or ()) != size for record in literal):
        return False
    alone = {record.line: record for record in literal}
    affected = helped = 0
    for record in plain:
        if record.end > record.line or record.cells is None or filled(record.cells) > width:
            inside = [alone[line] for line in range(record.line, record.end + 1) if line in alone]
            affected += len(inside)
            # Text seldom has a tab in it; a comma at the end of each line of a letter proves nothing.
            if delimiter != "\t" and (record.cells is not None or not all(_fits(one, width) for one in inside)):
                return False
        else:
            helped += record.cells != alone[record.line].cells
    return affected > helped


def _fits(record: Record, width: int) -> bool:
    """Whether a line on its own is a full record, no cell empty."""
    cells = record.cells or []
    return filled(cells) == width and all(cell.strip() for cell in cells[:width])


def _mended(
    records: Sequence[Record],
    literal: Sequence[Record],
    lines: Sequence[str],
    width: int,
    delimiter: str,
    name: str,
    result: Rows,
) -> Iterator[Record]:
    """``records`` with the lines that a stray quote swallowed as records of their own, where they surely are."""
    alone = {record.line: record for record in literal}
    freed: list[Record] = []
    at = 0
    while at < len(records):
        record = records[at]
        at += 1
        inside = [alone[line] for line in range(record.line, record.end + 1) if line in alone]
        if record.cells is not None and not (len(inside) >= _SURE_LINES and all(_fits(one, width) for one in inside)):
            yield record
            continue
        # The csv module gives up in the middle of a record: what is left of it ends where its quotes are even.
        while record.cells is None and at < len(records) and _is_rest(records[at]):
            record = replace(record, end=records[at].end, text=record.text + records[at].text)
            at += 1
        inside = [alone[line] for line in range(record.line, record.end + 1) if line in alone]
        is_sure = len(inside) == 1 or delimiter == "\t" or len(inside) >= _SURE_LINES
        if is_sure and all(_fits(one, width) for one in inside):
            freed += inside
            yield from (replace(one, cells=[_unquoted(cell) for cell in one.cells or ()]) for one in inside)
        elif len(inside) == 1:
            yield record
        else:
            reason = say("reading.table.swallowed", n=len(inside), line=str(record.line), end=str(record.end))
            yield replace(record, error=reason)
    if freed:
        shown = quote(freed[0].text.strip(), 60)
        key = "reading.table.stray_quote" if len(freed) == 1 else "reading.table.stray_quotes"
        result.notes.append(say(key, name=name, n=len(freed), line=str(freed[0].line), shown=shown))


def _unquoted(cell: str) -> str:
    """``cell`` without the quotes around it, which only those inside kept from being read."""
    return cell[1:-1].replace('""', '"') if len(cell) > 1 and cell[0] == cell[-1] == '"' else cell


def _is_rest(record: Record) -> bool:
    return record.text.count('"') % 2 == 1 and (record.cells is None or not record.text.lstrip().startswith('"'))


@contextmanager
def _long_cells() -> Iterator[None]:
    """The csv module refuses cells over 128 KiB; a row that is too long is judged later, with its line."""
    before = csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    try:
        yield
    finally:
        csv.field_size_limit(before)

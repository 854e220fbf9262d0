"""Rows of CSV and Parquet tables."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tuneworth.core.text import Text
from tuneworth.data.jsonrows import Rows
from tuneworth.data.rows import RawRow, Rejected
from tuneworth.errors import EnvironmentProblem, InputError, Problem

_DELIMITERS = (",", ";", "\t")


def parse_csv(text: str, name: str) -> Rows:
    """Rows of a table with a header. A record's line is the one where it starts.

    Empty cells are left out of the row. The delimiter is the one of ``, ; tab`` that cuts the
    header into most columns.

    Raises:
        InputError: the header is missing, or has a column name twice.
    """
    result = Rows([], [])
    delimiter = max(_DELIMITERS, key=lambda mark: len(_first_record(text, mark)))
    with _long_cells():
        records = _records(text, delimiter, name, result.rejected)
        _, header = next(records, (1, []))
        header = _checked_header(header, name)
        for line, cells in records:
            if len(cells) == len(header):
                value = {column: cell for column, cell in zip(header, cells) if cell != ""}
                result.rows.append(RawRow(name, line, value))
            elif cells:
                result.rejected.append(
                    Rejected(name, line, _wrong_width(len(cells), len(header)), delimiter.join(cells))
                )
    return result


def _first_record(text: str, delimiter: str) -> list[str]:
    with _long_cells():
        return next(iter(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)), [])


def _records(text: str, delimiter: str, name: str, rejected: list[Rejected]) -> Iterator[tuple[int, list[str]]]:
    """Line and cells of every record; those the reader refuses go to ``rejected``."""
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        start = reader.line_num + 1
        offset = lines.tell()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            reason = Text(en=f"is not CSV: {error}", zh=f"不是合法的 CSV：{error}")
            rejected.append(Rejected(name, start, reason, text[offset : lines.tell()]))
            continue
        yield start, cells


def _checked_header(header: list[str], name: str) -> list[str]:
    header = [column.strip() for column in header]
    twice = sorted({column for column in header if header.count(column) > 1})
    if twice:
        columns = ", ".join(repr(column) for column in twice)
        message = Text(
            en=f"the header has {columns} more than once; every column needs a name of its own",
            zh=f"表头中 {columns} 重复出现；每一列都要有唯一的列名",
        )
        raise InputError(Problem(f"{name}:1", message))
    return header


def _wrong_width(found: int, expected: int) -> Text:
    return Text(en=f"has {found} cells, the header has {expected}", zh=f"有 {found} 个单元格，表头有 {expected} 列")


@contextmanager
def _long_cells() -> Iterator[None]:
    """The csv module refuses cells over 128 KiB; a row that is too long is judged later, with its line."""
    before = csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    try:
        yield
    finally:
        csv.field_size_limit(before)


def read_parquet(path: Path, name: str) -> Rows:
    """Rows of a Parquet file, numbered from 1.

    Raises:
        EnvironmentProblem: pyarrow is not installed.
        InputError: the file is not Parquet.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        message = Text(
            en="Parquet files need pyarrow: pip install 'tuneworth[local]'",
            zh="读取 Parquet 需要 pyarrow：pip install 'tuneworth[local]'",
        )
        raise EnvironmentProblem(Problem(name, message)) from None
    result = Rows([], [])
    try:
        for batch in pq.ParquetFile(path).iter_batches():
            for record in batch.to_pylist():
                result.rows.append(RawRow(name, len(result.rows) + 1, without_nulls(record)))
    except (pa.ArrowException, OSError) as error:
        message = Text(en=f"cannot be read as Parquet: {error}", zh=f"无法按 Parquet 读取：{error}")
        raise InputError(Problem(name, message)) from error
    return result


def without_nulls(record: dict[str, Any]) -> dict[str, Any]:
    """A table has a cell for every column; a null means that the row lacks it."""
    return {str(column): value for column, value in record.items() if value is not None}

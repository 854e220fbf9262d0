"""Reading files of rows: JSON Lines, JSON, CSV, Parquet, and data sets of the hub (``hf://owner/name[:config][/split]``)."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuneworth.core.text import Text
from tuneworth.data import jsonrows
from tuneworth.data.files import decode, read_bytes, sha256_of
from tuneworth.data.rows import RawRow, Rejected, Rows, quote, without_nulls
from tuneworth.errors import EnvironmentProblem, InputError, Problem
from tuneworth.words.say import say

JSON_SUFFIXES = (".jsonl", ".ndjson", ".json")
CSV_SUFFIXES = (".csv", ".tsv")
PARQUET_SUFFIXES = (".parquet", ".pq")
_DELIMITERS = (",", ";", "\t")
PREFIX = "hf://"
_ANSWER_SECONDS = 15.0
_ADDRESS = re.compile(
    r"hf://(?P<owner>[\w.-]+)/(?P<name>[\w.-]+)(?::(?P<config>[\w.-]+))?(?:/(?P<split>[\w.-]+))?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class RawData:
    """A file as it was read.

    Attributes:
        name: how messages call the file.
        rejected: records that are no rows at all.
        sha256: of the file's bytes, or of the rows when they came from the hub.
    """

    name: str
    rows: list[RawRow]
    rejected: list[Rejected]
    sha256: str
    notes: list[Text]

    @property
    def n_read(self) -> int:
        return len(self.rows) + len(self.rejected)


def read(source: str, *, name: str | None = None) -> RawData:
    """All records of ``source``, a path or ``hf://owner/name[:config][/split]``.

    Args:
        name: how messages call the file; its file name unless given.

    Raises:
        InputError: no such file, an empty or broken one, or an unknown format.
        EnvironmentProblem: it cannot be read, an extra is missing, or the hub does not answer.
    """
    if source.startswith(PREFIX):
        rows, digest = read_hub(source)
        return _checked(RawData(source, rows.rows, rows.rejected, digest, []))
    path = Path(source)
    name = name or path.name
    suffix = path.suffix.lower()
    if suffix not in (*JSON_SUFFIXES, *CSV_SUFFIXES, *PARQUET_SUFFIXES):
        raise _unknown_format(path, name)
    data = read_bytes(path, name)
    notes: list[Text] = []
    rows = read_parquet(path, name) if suffix in PARQUET_SUFFIXES else _parse_text(data, suffix, name, notes)
    return _checked(RawData(name, rows.rows, rows.rejected, sha256_of(data), notes))


def _parse_text(data: bytes, suffix: str, name: str, notes: list[Text]) -> Rows:
    decoded = decode(data, name)
    if decoded.note is not None:
        notes.append(decoded.note)
    if not decoded.text.strip():
        return Rows([], [])
    return parse_csv(decoded.text, name) if suffix in CSV_SUFFIXES else jsonrows.parse(decoded.text, name)


def _checked(data: RawData) -> RawData:
    if data.n_read == 0:
        raise InputError(Problem(data.name, say("rows.file.no_rows")))
    return data


def _unknown_format(path: Path, name: str) -> InputError:
    if not path.exists():
        return InputError(Problem(str(path), say("rows.file.missing")))
    if path.is_dir():
        return InputError(Problem(str(path), say("rows.file.folder")))
    known = ", ".join((*JSON_SUFFIXES, *CSV_SUFFIXES, *PARQUET_SUFFIXES))
    found = path.suffix or "(none)"
    return InputError(Problem(name, say("rows.file.unknown_suffix", found=found, known=known)))


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
                    Rejected(
                        name,
                        line,
                        say("rows.table.wrong_width", found=str(len(cells)), expected=str(len(header))),
                        delimiter.join(cells),
                    )
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
            rejected.append(
                Rejected(name, start, say("rows.table.not_csv", error=str(error)), text[offset : lines.tell()])
            )
            continue
        yield start, cells


def _checked_header(header: list[str], name: str) -> list[str]:
    header = [column.strip() for column in header]
    twice = sorted({column for column in header if header.count(column) > 1})
    if twice:
        columns = ", ".join(repr(column) for column in twice)
        raise InputError(Problem(f"{name}:1", say("rows.table.repeated_column", columns=columns)))
    return header


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
        raise EnvironmentProblem(Problem(name, say("rows.table.needs_pyarrow"))) from None
    result = Rows([], [])
    try:
        for batch in pq.ParquetFile(path).iter_batches():
            for record in batch.to_pylist():
                result.rows.append(RawRow(name, len(result.rows) + 1, without_nulls(record)))
    except (pa.ArrowException, OSError) as error:
        raise InputError(Problem(name, say("rows.table.not_parquet", error=str(error)))) from error
    return result


@dataclass(frozen=True, slots=True)
class Address:
    """A data set on the hub. ``split`` is ``train`` unless the address names one."""

    repo: str
    config: str | None
    split: str


def parse_address(source: str) -> Address:
    """Raises ``InputError`` when ``source`` is not ``hf://owner/name[:config][/split]``."""
    match = _ADDRESS.fullmatch(source)
    if match is None:
        raise InputError(Problem(source, say("rows.hub.not_an_address")))
    return Address(f"{match['owner']}/{match['name']}", match["config"], match["split"] or "train")


def read_hub(source: str) -> tuple[Rows, str]:
    """Rows of the data set and the SHA-256 of their contents.

    Raises:
        InputError: the address is malformed, or the data set has no such config or split.
        EnvironmentProblem: ``datasets`` is not installed, or the hub does not answer.
    """
    address = parse_address(source)
    try:
        import datasets
    except ImportError:
        raise EnvironmentProblem(Problem(source, say("rows.hub.needs_datasets"))) from None
    datasets.disable_progress_bars()
    try:
        _ask(address.repo)
        data = datasets.load_dataset(address.repo, address.config, split=address.split)
    except ValueError as error:  # no such config or split: the message lists those there are
        shown = quote(str(error), 300)
        raise InputError(Problem(source, say("rows.hub.unusable", shown=shown))) from error
    except Exception as error:  # the library passes on the errors of four others
        raise _no_answer(source, error) from error
    return rows_of(data, source)


def _ask(repo: str) -> None:
    """One request before the library's many: it would try for half a minute when the network is down."""
    import huggingface_hub

    if not huggingface_hub.constants.HF_HUB_OFFLINE:  # offline on purpose: the library's cache answers
        huggingface_hub.HfApi().dataset_info(repo, timeout=_ANSWER_SECONDS)


def _no_answer(source: str, error: Exception) -> EnvironmentProblem:
    shown = quote(f"{type(error).__name__}: {error}", 300)
    return EnvironmentProblem(Problem(source, say("rows.hub.no_answer", shown=shown)), say("rows.hub.no_answer_next"))


def rows_of(data: Iterable[Any], source: str) -> tuple[Rows, str]:
    """Rows of a ``datasets.Dataset``; numbers of a ``ClassLabel`` column become its names."""
    names = _class_names(data)
    rows = []
    for number, record in enumerate(data, start=1):
        value = without_nulls(record)
        for column, name_of in names.items():
            if isinstance(value.get(column), int) and value[column] >= 0:
                value[column] = name_of(value[column])
        rows.append(RawRow(source, number, value))
    contents = "\n".join(json.dumps(row.value, ensure_ascii=True, sort_keys=True, default=str) for row in rows)
    return Rows(rows, []), sha256_of(contents.encode())


def _class_names(data: Any) -> dict[str, Callable[[int], str]]:
    features = getattr(data, "features", None) or {}
    return {column: feature.int2str for column, feature in features.items() if hasattr(feature, "int2str")}

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
        message = Text(en="holds no rows", zh="里面没有任何数据行")
        raise InputError(Problem(data.name, message))
    return data


def _unknown_format(path: Path, name: str) -> InputError:
    if not path.exists():
        return InputError(Problem(str(path), Text(en="no such file; check the path", zh="找不到这个文件，请检查路径")))
    if path.is_dir():
        message = Text(en="is a folder; name one file of rows", zh="这是一个目录，请指定一个数据文件")
        return InputError(Problem(str(path), message))
    known = ", ".join((*JSON_SUFFIXES, *CSV_SUFFIXES, *PARQUET_SUFFIXES))
    found = path.suffix or "(none)"
    message = Text(
        en=f"the suffix {found} says no format; rename the file to one of {known}",
        zh=f"无法从扩展名 {found} 判断格式；请改为以下之一：{known}",
    )
    return InputError(Problem(name, message))


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
        message = Text(
            en="is not a hub address; write hf://owner/name, hf://owner/name:config or hf://owner/name:config/split",
            zh="不是合法的 Hub 地址；请写成 hf://owner/name、hf://owner/name:config 或 hf://owner/name:config/split",
        )
        raise InputError(Problem(source, message))
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
        message = Text(
            en="data sets of the hub need the datasets library: pip install 'tuneworth[hub]'",
            zh="读取 Hub 上的数据集需要 datasets 库：pip install 'tuneworth[hub]'",
        )
        raise EnvironmentProblem(Problem(source, message)) from None
    datasets.disable_progress_bars()
    try:
        _ask(address.repo)
        data = datasets.load_dataset(address.repo, address.config, split=address.split)
    except ValueError as error:  # no such config or split: the message lists those there are
        shown = quote(str(error), 300)
        raise InputError(Problem(source, Text(en=f"cannot be used: {shown}", zh=f"无法使用：{shown}"))) from error
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
    message = Text(en=f"the hub did not give this data set ({shown})", zh=f"没能从 Hub 取得这个数据集（{shown}）")
    next_step = Text(
        en="Check the name and the network, or give a file on this machine instead.",
        zh="请检查名称和网络，或改用本机上的数据文件。",
    )
    return EnvironmentProblem(Problem(source, message), next_step)


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

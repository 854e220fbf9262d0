"""Reading files of rows: JSON Lines, JSON, CSV, Parquet, and data sets of the hub."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tuneworth.core.text import Text
from tuneworth.data import hub, jsonrows, tables
from tuneworth.data.encoding import decode
from tuneworth.data.files import read_bytes, sha256_of
from tuneworth.data.jsonrows import Rows
from tuneworth.data.rows import RawRow, Rejected
from tuneworth.errors import InputError, Problem

JSON_SUFFIXES = (".jsonl", ".ndjson", ".json")
CSV_SUFFIXES = (".csv", ".tsv")
PARQUET_SUFFIXES = (".parquet", ".pq")


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
    if source.startswith(hub.PREFIX):
        rows, digest = hub.read_hub(source)
        return _checked(RawData(source, rows.rows, rows.rejected, digest, []))
    path = Path(source)
    name = name or path.name
    suffix = path.suffix.lower()
    if suffix not in (*JSON_SUFFIXES, *CSV_SUFFIXES, *PARQUET_SUFFIXES):
        raise _unknown_format(path, name)
    data = read_bytes(path, name)
    notes: list[Text] = []
    rows = tables.read_parquet(path, name) if suffix in PARQUET_SUFFIXES else _parse_text(data, suffix, name, notes)
    return _checked(RawData(name, rows.rows, rows.rejected, sha256_of(data), notes))


def _parse_text(data: bytes, suffix: str, name: str, notes: list[Text]) -> Rows:
    decoded = decode(data, name)
    if decoded.note is not None:
        notes.append(decoded.note)
    if not decoded.text.strip():
        return Rows([], [])
    return tables.parse_csv(decoded.text, name) if suffix in CSV_SUFFIXES else jsonrows.parse(decoded.text, name)


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

"""Reading files of rows: what a source is decides who reads it. Each format has its reader in ``readers/``.

The first bytes decide before the name does: a workbook called ``.csv`` is read as a workbook, a gzip file as what it
holds, and what holds no rows is named for what it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from tuneworth.core.text import Text
from tuneworth.data import exports
from tuneworth.data.files import decode, read_bytes, sha256_of
from tuneworth.data.readers import columnar, delimited, excel, fasttext, impostors, jsontext, shards
from tuneworth.data.readers.hub import PREFIX, read_hub
from tuneworth.data.readers.unpack import Unpacked, members, office_kind, unpack
from tuneworth.data.rows import RawRow, Rejected, Rows
from tuneworth.errors import InputError, Problem
from tuneworth.words.say import say

JSON_SUFFIXES = (".jsonl", ".ndjson", ".json")
CSV_SUFFIXES = (".csv", ".tsv")
PARQUET_SUFFIXES = (".parquet", ".pq")
ARROW_SUFFIXES = (".arrow", ".feather")
SUFFIXES = (*JSON_SUFFIXES, *CSV_SUFFIXES, *PARQUET_SUFFIXES, *ARROW_SUFFIXES, *excel.SUFFIXES)


@dataclass(frozen=True, slots=True)
class RawData:
    """A file, or several that make one data set, as they were read.

    Attributes:
        name: how messages call the file.
        rejected: records that are no rows at all.
        sha256: of the file's bytes, or of the rows when they came from the hub.
        suffix: of the format in which rows can be written back as they stood; empty where they cannot.
    """

    name: str
    rows: list[RawRow]
    rejected: list[Rejected]
    sha256: str
    notes: list[Text] = field(default_factory=list[Text])
    suffix: str = ""

    @property
    def n_read(self) -> int:
        return len(self.rows) + len(self.rejected)


def read(source: str, *, name: str | None = None) -> RawData:
    """All records of ``source``: a file, ``file.xlsx#sheet``, a folder or pattern of files, or ``hf://owner/name[:config][/split]``.

    Args:
        name: how messages call the file; its file name unless given.

    Raises:
        InputError: no such file, an empty or broken one, or one that holds no rows; the message says what it is.
        EnvironmentProblem: it cannot be read, an extra is missing, or the hub does not answer.
    """
    if source.startswith(PREFIX):
        rows, digest = read_hub(source)
        return _checked(RawData(source, rows.rows, rows.rejected, digest))
    name = name or Path(source).name or source
    source, sheet = excel.named_sheet(source)
    files, notes = shards.files_of(source, SUFFIXES)
    if files == [Path(source)]:
        return _checked(_read_file(files[0], name, sheet))
    parts = [_read_file(file, f"{file.parent.name}/{file.name}") for file in files]
    return _checked(
        RawData(
            name,
            [row for part in parts for row in part.rows],
            [row for part in parts for row in part.rejected],
            sha256_of("\n".join(f"{part.name} {part.sha256}" for part in parts).encode()),
            [*notes, *(note for part in parts for note in part.notes)],
        )
    )


def _read_file(path: Path, name: str, sheet: str | None = None) -> RawData:
    data = read_bytes(path, name)
    unpacked = unpack(data, path.name)
    impostors.check(unpacked.data, path, name)
    rows = rows_of(unpacked, name, sheet)
    is_plain = not unpacked.steps and rows.as_named
    if unpacked.steps:
        rows.notes.insert(
            0, say("reading.packed.read", name=name, inner=unpacked.name, steps=", ".join(unpacked.steps))
        )
    converted = exports.converted(rows, name)
    suffix = path.suffix.lower() if is_plain and converted is rows else ""
    return RawData(name, converted.rows, converted.rejected, sha256_of(data), converted.notes, suffix)


def rows_of(file: Unpacked, name: str, sheet: str | None = None) -> Rows:
    """The records of a file as they stand in it, whoever wrote it."""
    suffix = PurePosixPath(file.name).suffix.lower()
    if office_kind(file.data) == ".xlsx":
        return excel.parse(file.data, name, sheet)
    if file.data.startswith(columnar.MAGIC) or suffix in (*PARQUET_SUFFIXES, *ARROW_SUFFIXES):
        rows = columnar.parse(file.data, name)
        rows.as_named &= suffix in PARQUET_SUFFIXES
        return rows
    if office_kind(file.data) == ".eval":  # a log of Inspect: a file a sample
        samples = "\n".join(sample.decode("utf-8", "replace") for sample in members(file.data, "samples/", name))
        return replace(jsontext.parse(samples, name), notes=[], as_named=False)
    if suffix in excel.SUFFIXES:
        raise InputError(Problem(name, say("reading.excel.broken")))
    decoded = decode(file.data, name)
    rows = _text_rows(decoded.text, suffix, name)
    if decoded.note is not None:
        rows.notes.insert(0, decoded.note)
    return rows


def _text_rows(text: str, suffix: str, name: str) -> Rows:
    """Rows of a text file: what it begins with decides, then its suffix."""
    if not text.strip():
        return Rows()
    if fasttext.is_fasttext(text):
        return fasttext.parse(text, name)
    is_json = suffix in JSON_SUFFIXES
    if not is_json and jsontext.begins_with_object(text):
        return _said(jsontext.parse(text, name), "json", suffix, name)
    if is_json and not jsontext.looks_like_json(text) and delimited.is_table(text):
        return _said(delimited.parse(text, name), "table", suffix, name)
    if is_json:
        return jsontext.parse(text, name)
    if suffix in CSV_SUFFIXES:
        return delimited.parse(text, name)
    if delimited.is_tabbed(text):
        return delimited.parse(text, name, delimiter="\t")
    raise InputError(Problem(name, say("reading.unknown", found=suffix or "-", known=", ".join(SUFFIXES))))


def _said(rows: Rows, what: str, suffix: str, name: str) -> Rows:
    rows.as_named = False
    rows.notes.insert(0, say(f"reading.inside.{what}", name=name, suffix=suffix or "-"))
    return rows


def _checked(data: RawData) -> RawData:
    if data.n_read == 0:
        raise InputError(Problem(data.name, say("rows.file.no_rows")))
    return data

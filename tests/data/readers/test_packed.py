"""Compressed files, archives, folders of parts, and files that are not what they seem."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import sqlite3
import tarfile
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from tuneworth.data.formats import read
from tuneworth.data.readers import unpack
from tuneworth.errors import InputError

ROWS = [{"text": f"row {n}", "label": "ab"[n % 2]} for n in range(4)]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS).encode()


def zipped(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def tarred(data: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        info = tarfile.TarInfo("data/train.jsonl")
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def zstandard(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


def named(value: object) -> str:
    """Archives hold the time they were made at, which is no name for a test."""
    return value if isinstance(value, str) else ""


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("train.jsonl.gz", gzip.compress(LINES)),
        ("train.jsonl.bz2", bz2.compress(LINES)),
        ("train.jsonl.xz", lzma.compress(LINES)),
        ("train.jsonl.zst", zstandard(LINES)),
        ("train.zip", zipped({"train.jsonl": LINES, "README.md": b"about", "__MACOSX/x.jsonl": b"x"})),
        ("train.tar.gz", tarred(LINES)),
        ("train.jsonl", gzip.compress(LINES)),
        ("train.zip", zipped({"train.jsonl.gz": gzip.compress(LINES)})),
    ],
    ids=named,
)
def test_compressed_files_are_read_as_what_they_hold(tmp_path: Path, name: str, data: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    found = read(str(path))
    assert [row.value for row in found.rows] == ROWS
    assert [row.source for row in found.rows] == [f"{name}:{n}" for n in range(1, 5)]
    assert "train.jsonl inside" in found.notes[0].en


def test_an_archive_with_several_files_names_them_and_the_command(tmp_path: Path) -> None:
    path = tmp_path / "both.zip"
    path.write_bytes(zipped({"train.jsonl": LINES, "test.jsonl": LINES}))
    with pytest.raises(
        InputError, match=r"holds 2 files: train\.jsonl, test\.jsonl; .*unzip -p both\.zip train\.jsonl > train\.jsonl"
    ):
        read(str(path))


@pytest.mark.parametrize(
    "pack", [gzip.compress, bz2.compress, lzma.compress, zstandard, lambda data: zipped({"a.jsonl": data})]
)
def test_unpacking_stops_at_the_limit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pack: object) -> None:
    monkeypatch.setattr(unpack, "MAX_UNPACKED_BYTES", 1000)
    path = tmp_path / "bomb.gz"
    path.write_bytes(pack(b"x" * 10**6))  # pyright: ignore[reportCallIssue]
    with pytest.raises(InputError, match="unpacks to more than"):
        read(str(path))


def test_a_file_cut_off_while_it_was_fetched_is_named(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl.gz"
    path.write_bytes(gzip.compress(LINES * 500)[:-40])
    with pytest.raises(InputError, match="broken or was cut off"):
        read(str(path))


def test_a_folder_of_parts_is_one_data_set_in_natural_order(tmp_path: Path) -> None:
    folder = tmp_path / "rows"
    folder.mkdir()
    for n in (10, 2, 1):
        (folder / f"part-{n}.jsonl").write_text(json.dumps({"text": f"from {n}", "label": "a"}) + "\noops\n")
    (folder / "README.md").write_text("about")
    data = read(str(folder))
    assert [row.source for row in data.rows] == [f"rows/part-{n}.jsonl:1" for n in (1, 2, 10)]
    assert [row.where for row in data.rejected] == [f"rows/part-{n}.jsonl:2" for n in (1, 2, 10)]
    assert "3 files were read as one data set" in data.notes[0].en
    assert "not read: README.md" in data.notes[1].en
    assert read(str(folder / "part-*.jsonl")).n_read == 6
    before = data.sha256
    (folder / "part-2.jsonl").write_text(json.dumps({"text": "other"}))
    assert read(str(folder)).sha256 != before


def test_a_folder_as_the_hub_has_it_is_read_from_the_folder_below(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train-00000-of-00001.jsonl").write_bytes(LINES)
    (tmp_path / "README.md").write_text("about")
    (tmp_path / "dataset_infos.json").write_text("{}")
    assert [row.value for row in read(str(tmp_path)).rows] == ROWS


def test_a_folder_of_several_sides_or_formats_is_not_guessed_at(tmp_path: Path) -> None:
    for name in ("train-00000-of-00002.jsonl", "train-00001-of-00002.jsonl", "test-00000-of-00001.jsonl"):
        (tmp_path / name).write_bytes(LINES)
    with pytest.raises(
        InputError, match=r"several sides.*tuneworth init '.*train\*' --test .*test-00000-of-00001\.jsonl"
    ):
        read(str(tmp_path))
    (tmp_path / "rows.csv").write_text("text,label\na,b\n")
    with pytest.raises(InputError, match="files of several formats"):
        read(str(tmp_path))


def test_class_names_stored_in_a_parquet_file_are_read(tmp_path: Path) -> None:
    features = {
        "label": {"names": ["no", "yes"], "_type": "ClassLabel"},
        "tags": {"feature": {"names": ["x", "y"], "_type": "ClassLabel"}, "_type": "List"},
        "text": {"dtype": "string", "_type": "Value"},
    }
    table = pa.table({"text": ["a", "b", "c"], "label": [1, 0, -1], "tags": [[0, 1], [], [1]]})
    table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    expected = [
        {"text": "a", "label": "yes", "tags": ["x", "y"]},
        {"text": "b", "label": "no", "tags": []},
        {"text": "c", "tags": ["y"]},
    ]
    pq.write_table(table, tmp_path / "rows.parquet")
    pyarrow.feather.write_feather(table, tmp_path / "rows.feather")
    with (
        pa.OSFile(str(tmp_path / "data-00000-of-00001.arrow"), "wb") as sink,
        pa.ipc.new_stream(sink, table.schema) as out,
    ):
        out.write_table(table)
    for name in ("rows.parquet", "rows.feather", "data-00000-of-00001.arrow"):
        data = read(str(tmp_path / name))
        assert [row.value for row in data.rows] == expected
        assert "class names stored in the file" in data.notes[0].en


def test_fasttext_lines_are_rows(tmp_path: Path) -> None:
    path = tmp_path / "train.txt"
    path.write_text("__label__a first row\n__label__b , second row\nno label\n__label__a __label__b third\n")
    data = read(str(path))
    assert [row.value for row in data.rows] == [
        {"text": "first row", "label": "a"},
        {"text": "second row", "label": "b"},
        {"text": "third", "label": ["a", "b"]},
    ]
    assert [row.line for row in data.rejected] == [3]


def test_an_unknown_suffix_is_read_by_what_stands_in_it(tmp_path: Path) -> None:
    path = tmp_path / "SMS.txt"
    path.write_text("text\tlabel\n" + "".join(f"row {n}\ta\n" for n in range(5)))
    assert read(str(path)).n_read == 5
    path.write_bytes(LINES)
    assert read(str(path)).n_read == 4
    path.write_text("just some prose\nover two lines\n")
    with pytest.raises(InputError, match=r"its suffix \(\.txt\) names no format; save it as one of"):
        read(str(path))


def test_what_stands_in_a_file_counts_more_than_its_suffix(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(LINES)
    data = read(str(path))
    assert [row.value for row in data.rows] == ROWS
    assert "it holds JSON, whatever its suffix (.csv) says" in data.notes[0].en
    assert data.suffix == ""
    path = tmp_path / "rows.jsonl"
    path.write_text("text,label\n" + "".join(f"row {n},{'ab'[n % 2]}\n" for n in range(4)))
    data = read(str(path))
    assert [row.value for row in data.rows] == ROWS
    assert "it holds a table" in data.notes[0].en
    assert data.suffix == ""


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5242880\n"


@pytest.mark.parametrize(
    ("name", "data", "match"),
    [
        ("train.parquet", POINTER, r'Git LFS pointer: the data \(5\.0 MB\) were not downloaded; run git lfs pull --include="\*train\.parquet"'),
        ("train.json", b"<!doctype html>\n<title>Log in</title>", "is a web page with the title 'Log in'"),
        ("train.csv", b"\x80\x04\x95\x00\x00.", "can run code when they are loaded"),
        ("train.npy", b"\x93NUMPY\x01\x00", "can run code when they are loaded"),
        ("train.npz", zipped({"x.npy": b"\x93NUMPY"}), "can run code when they are loaded"),
        ("train.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 9, "Excel file in the old format"),
        ("train.csv", zipped({"word/document.xml": b"<w/>"}), "is a document, not rows"),
        ("train.pdf", b"%PDF-1.7", "is a document, not rows"),
        ("train.jsonl", b"<?xml version='1.0'?><a/>", "is XML"),
    ],
    ids=named,
)  # fmt: skip
def test_what_is_no_file_of_rows_is_named_with_the_way_out(tmp_path: Path, name: str, data: bytes, match: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(InputError, match=match) as error:
        read(str(path))
    assert "rename" not in str(error.value)
    assert error.value.problems[0].message.zh != error.value.problems[0].message.en


def test_a_database_is_named_with_its_tables(tmp_path: Path) -> None:
    path = tmp_path / "rows.db"
    with sqlite3.connect(path) as base:
        base.execute("create table tickets (text, label)")
    base.close()
    with pytest.raises(
        InputError, match=r'tables tickets; .*sqlite3 -header -csv rows\.db "select \* from tickets" > rows\.csv'
    ):
        read(str(path))

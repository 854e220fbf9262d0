"""Files of rows in every format and encoding, with the lines of what is wrong."""

from __future__ import annotations

import csv
import json
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tuneworth.core.text import Text
from tuneworth.data.formats import read
from tuneworth.data.readers.hub import parse_address, read_hub, rows_of
from tuneworth.data.rows import RawRow, Rejected, quote
from tuneworth.data.setaside import write_rejected
from tuneworth.errors import EnvironmentProblem, InputError

ROWS = [{"text": "first", "label": "a"}, {"text": "第二行", "label": "b"}]


def values(path: Path) -> list[dict[str, object]]:
    return [row.value for row in read(str(path)).rows]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows.jsonl", "\n".join(json.dumps(row) for row in ROWS)),
        ("rows.ndjson", "\n\n".join(json.dumps(row) for row in ROWS) + "\n"),
        ("rows.json", json.dumps(ROWS)),
        ("rows.json", json.dumps(ROWS, indent=2)),
        ("rows.json", json.dumps({"version": {"a": [1]}, "data": ROWS, "end": None}, indent=1)),
        ("rows.json", "\n".join(json.dumps(row) for row in ROWS)),
        ("rows.jsonl", json.dumps({"data": ROWS})),
        ("rows.csv", "text,label\nfirst,a\n第二行,b\n"),
        ("rows.csv", "text;label\r\nfirst;a\r\n第二行;b\r\n"),
        ("rows.tsv", "text\tlabel\nfirst\ta\n\n第二行\tb"),
    ],
)
def test_every_text_format_gives_the_same_rows(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8", newline="")
    assert values(path) == ROWS


def test_parquet_rows_are_numbered_and_nulls_left_out(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.Table.from_pylist([*ROWS, {"text": "x", "label": None}]), path)
    rows = read(str(path)).rows
    assert [row.value for row in rows] == [*ROWS, {"text": "x"}]
    assert [row.line for row in rows] == [1, 2, 3]


def test_broken_parquet_is_a_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    path.write_bytes(b"PAR1 but nothing else")
    with pytest.raises(InputError, match=r"rows\.parquet: cannot be read as Parquet"):
        read(str(path))


def test_lines_are_where_records_start(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text('text,label\n"one\ntwo",a\nthree,b\n"four\n\nfive",c\n')
    assert [(row.line, row.value["label"]) for row in read(str(path)).rows] == [(2, "a"), (4, "b"), (5, "c")]
    path = tmp_path / "rows.json"
    path.write_text('[\n {"a": 1},\n {"a":\n 2}, {"a": 3},\n\n {"a": 4}]')
    assert [row.line for row in read(str(path)).rows] == [2, 3, 4, 6]


def test_bad_lines_are_listed_and_the_rest_is_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    lines = ['{"a": 1}', "not json", "", '["a"]', '{"a": "\x00"}', "[" * 100_000, '{"a": NaN}', '{"a": "\u2028"}']
    path.write_text("\n".join(lines), encoding="utf-8")
    data = read(str(path))
    assert [row.line for row in data.rows] == [1, 7, 8]
    assert [row.line for row in data.rejected] == [2, 4, 5, 6]
    assert data.rows[1].value == {"a": None}
    assert "not JSON" in data.rejected[0].reason.en
    assert "NUL" in data.rejected[2].reason.en
    assert data.n_read == 7


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings_give_the_same_text(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "rows.csv"
    text = "title,category\n" + "an ordinary title,law\n" * 9 + "研究论文的标题,工学\n另一篇关于水稻的论文,农学\n"
    path.write_bytes(text.encode(encoding))
    data = read(str(path))
    assert [row.value["category"] for row in data.rows[9:]] == ["工学", "农学"]
    said = " ".join(note.en for note in data.notes)
    assert ("GB18030" in said) == (encoding == "gb18030")


def test_a_mark_within_a_file_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("\ufefftext,label\na,x\n\ufefftext,label\nb,y\n", encoding="utf-8")
    assert values(path) == [{"text": "a", "label": "x"}, {"text": "b", "label": "y"}]


def test_western_letters_are_taken_for_what_they_are(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    lines = ['{"text": "plain and ordinary words", "label": "a"}', '{"text": "récit né d’été – 5 €", "label": "b"}']
    path.write_bytes("\n".join(lines).encode("cp1252"))
    data = read(str(path))
    assert "Windows-1252" in data.notes[0].en
    assert data.rows[1].value["text"] == "récit né d’été – 5 €"


@pytest.mark.parametrize("encoding", ["cp1251", "cp1253"])  # too few letters to tell which
def test_other_alphabets_are_not_taken_for_western_letters(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "rows.jsonl"
    text = "когда придёт посылка" if encoding == "cp1251" else "πότε έρχεται το δέμα"
    path.write_bytes(b'{"text": "plain", "label": "a"}\n' + f'{{"text": "{text}", "label": "b"}}'.encode(encoding))
    data = read(str(path))
    assert "line 2" in data.notes[0].en
    assert data.rows[0].value["text"] == "plain"
    assert "\udce5" in data.rows[1].value["text"] or "\udce4" in data.rows[1].value["text"]


def test_one_broken_byte_in_chinese_utf8_stays_utf8(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    good = '{"text": "这是一段完整的中文", "label": "好"}'.encode()
    path.write_bytes(good + b"\n" + good.replace("段".encode(), "段".encode()[:2]) + b"\n" + good)
    data = read(str(path))
    assert data.rows[0].value == data.rows[2].value == {"text": "这是一段完整的中文", "label": "好"}
    assert "line 2" in data.notes[0].en


SENTENCES = {
    "euc_kr": "배터리가 너무 빨리 닳아서 반품하고 싶습니다 화면은 아주 좋고 소리도 깨끗하게 들리는 제품입니다 가격이 조금 비싸지만 마음에 듭니다",
    "big5": "這個產品的螢幕顯示效果很好但是電池用不到半天就沒電了客服說要寄回原廠檢查我覺得非常不方便希望能夠退款",
    "cp932": "この製品の画面はとても良いですが電池がすぐになくなって困りますので返品したいと思います",
    "cp1251": "Экран этого товара очень хороший но батарея садится слишком быстро хочу вернуть деньги",
}


@pytest.mark.parametrize("encoding", list(SENTENCES))
def test_other_encodings_are_read_by_their_script_and_said(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "rows.csv"
    text = "text,label\n" + "".join(f"{SENTENCES[encoding]} {at},a\n" for at in range(5))
    path.write_bytes(text.encode(encoding))
    data = read(str(path))
    assert data.rows[0].value["text"] == f"{SENTENCES[encoding]} 0"
    assert f"read as {encoding.upper()}; save it as UTF-8" in data.notes[0].en


def test_a_few_chinese_labels_are_not_taken_for_korean(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(("text,label\n" + "fine,好评\nbroken,差评\n" * 40).encode("gb18030"))
    assert {row.value["label"] for row in read(str(path)).rows} == {"好评", "差评"}


@pytest.mark.parametrize("n_other", [3, 30, 300])
def test_lines_in_another_encoding_spoil_no_utf8_line(tmp_path: Path, n_other: int) -> None:
    """Two files in two encodings, one behind the other: none may be decoded as the other."""
    path = tmp_path / "rows.csv"
    path.write_bytes(b"text,label\n" + "printer 中文,a\n".encode() * 100 + "另一段中文,b\n".encode("gbk") * n_other)
    data = read(str(path))
    assert [row.value["text"] for row in data.rows[:100]] == ["printer 中文"] * 100
    assert "line 102" in data.notes[0].en


def test_utf32_is_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes("text,label\n中文,a\n".encode("utf-32"))
    assert values(path) == [{"text": "中文", "label": "a"}]


@pytest.mark.parametrize(
    "before", ["INFO start", "// made by hand", "[1, 2]"], ids=["log line", "comment", "list without rows"]
)
def test_json_lines_behind_another_line_are_no_table(tmp_path: Path, before: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(before + "\n" + '{"text": "a", "label": "b"}\n' * 30)
    assert len(read(str(path)).rows) == 30


def test_lists_of_pairs_are_said_to_be_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text(str([["text", "label"]] * 30).replace("'", '"'))
    data = read(str(path))
    assert not data.rows
    assert "a row must be {...}" in data.rejected[0].reason.en


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("empty.jsonl", b"", "the file is empty"),
        ("blank.csv", b" \n\n", "the file is empty"),
        ("bom.jsonl", b"\xef\xbb\xbf", "holds no rows"),
        ("header.csv", b"text,label\n", "holds no rows"),
        ("rows.xlsx", b"PK", "cannot be read as an Excel workbook"),
        ("twice.csv", b"a,b,a\n1,2,3\n", "header has 'a' more than once"),
        ("object.json", b'{\n "a": 1,\n "b": {}}', "one JSON object without a list of rows"),
        ("broken.json", b'[{"a": 1},\n {"a": }]', r"broken\.json:2: is not valid JSON at column"),
    ],
)
def test_files_without_rows_are_clear_errors(tmp_path: Path, name: str, content: bytes, match: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=match):
        read(str(path))


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read(str(tmp_path / "none.jsonl"))
    with pytest.raises(InputError, match="is a folder"):
        read(str(tmp_path))


def test_csv_sets_aside_ragged_and_unclosed_records(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text('text,label\nok,a\nonly one\nfine,b\n"never closed,c\nmore,d\n')
    data = read(str(path))
    assert [row.value["label"] for row in data.rows] == ["a", "b"]
    assert [(row.line, row.reason.en) for row in data.rejected] == [
        (3, "has 1 cells, the header has 2"),
        (5, "a quotation mark on line 5 is not closed as it should be; lines 5 to 6 (2 lines) cannot be told apart"),
    ]
    assert "more,d" in data.rejected[1].raw


def test_a_cell_of_a_megabyte_is_read_quickly_and_leaves_the_csv_limit_alone(tmp_path: Path) -> None:
    before = csv.field_size_limit()
    path = tmp_path / "rows.csv"
    path.write_text("text,label\n" + "x" * 2**20 + ",a\n")
    start = time.perf_counter()
    assert len(str(values(path)[0]["text"])) == 2**20
    assert time.perf_counter() - start < 5
    assert csv.field_size_limit() == before


@pytest.mark.parametrize("name", ["rows.json", "rows.jsonl", "rows.csv"])
def test_many_rows_take_time_by_their_number_not_its_square(tmp_path: Path, name: str) -> None:
    rows = [{"id": str(n), "text": "a line, another\nand more of it " * 9} for n in range(30_000)]
    path = tmp_path / name
    with path.open("w", newline="") as file:
        if name == "rows.csv":
            writer = csv.DictWriter(file, ["id", "text"])
            writer.writeheader()
            writer.writerows(rows)
        else:
            file.write(json.dumps(rows) if name == "rows.json" else "\n".join(map(json.dumps, rows)))
    start = time.process_time()
    assert len(read(str(path)).rows) == 30_000
    assert time.process_time() - start < 6


def test_hub_addresses() -> None:
    assert parse_address("hf://o/n") == parse_address("hf://o/n/train")
    address = parse_address("hf://owner/some-data.v2:en/test")
    assert (address.repo, address.config, address.split) == ("owner/some-data.v2", "en", "test")
    for wrong in ("hf://n", "hf://o/n/a/b", "hf://o/n:", "hf:///n"):
        with pytest.raises(InputError, match="is not a hub address"):
            parse_address(wrong)


def test_hub_without_its_library_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(EnvironmentProblem, match=r"pip install 'tuneworth\[hub\]'"):
        read_hub("hf://owner/name")


@pytest.mark.slow
def test_hub_that_does_not_answer_is_a_clear_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import datasets.config
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(datasets.config, "HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path)
    with pytest.raises(EnvironmentProblem, match="the hub did not give this data set"):
        read_hub("hf://no-such-owner/no-such-data")


@pytest.mark.slow
def test_class_labels_of_the_hub_become_names() -> None:
    import datasets

    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["no", "yes"])})
    data = datasets.Dataset.from_dict({"text": ["a", "b", "c"], "label": [1, 0, None]}, features=features)
    rows, digest = rows_of(data, "hf://o/n")
    assert [row.value for row in rows.rows] == [
        {"text": "a", "label": "yes"},
        {"text": "b", "label": "no"},
        {"text": "c"},
    ]
    assert len(digest) == 64


def test_rejected_rows_are_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "out" / "rejected.jsonl"
    raw = "x" * 100_000 + "\udce9\x00"
    write_rejected(path, [Rejected("train.jsonl", 7, Text(en="bad", zh="坏"), raw)])
    record = json.loads(path.read_text(encoding="utf-8"))
    assert record == {"file": "train.jsonl", "line": 7, "reason": {"en": "bad", "zh": "坏"}, "raw": raw}
    assert list(path.parent.iterdir()) == [path]


def test_rejected_rows_that_cannot_be_written_leave_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EnvironmentProblem, match="nothing was changed"):
        write_rejected(tmp_path / "file" / "rejected.jsonl", [])
    target = tmp_path / "rejected.jsonl"
    target.mkdir()
    with pytest.raises(EnvironmentProblem, match="cannot be written"):
        write_rejected(target, [])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "rejected.jsonl"]


def test_quotes_in_messages_are_short_and_printable() -> None:
    assert quote("a\nb\x00\ud800") == "a\\nb\\0\\ud800"
    assert len(quote("x" * 10**6)) == 80
    assert RawRow("f.csv", 3, {"a": "中"}).raw == '{"a": "中"}'

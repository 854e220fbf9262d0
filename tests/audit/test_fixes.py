"""Cleaned copies: the source's own format, every change listed, the source untouched."""

import csv
import json

import pytest

from tuneworth.audit import Patch
from tuneworth.audit._fixes import PATCHES, check_folder, fixes_for
from tuneworth.audit._run import audit, subject_of
from tuneworth.core.text import Text
from tuneworth.data.documents.load import read_documents
from tuneworth.data.load import load
from tuneworth.data.taskfile import task_file_for
from tuneworth.errors import InputError

WHY = Text(en="a reason", zh="原因")
PHONE = "13812345678"


def rows(n=40):
    return [
        {
            "id": f"r{at}",
            "input": f"what colour has thing number {at} 的颜色",
            "output": ["red", "blue"][at % 2],
            "note": at,
        }
        for at in range(n)
    ]


def write_lines(path, records):
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")
    return path


def patch(action, at, *, line=None, name="train.jsonl", **more):
    return Patch("test", f"r{at}", f"{name}:{line or at + 1}", action, WHY, **more)


def fixed(path, patches, out, test=None):
    task_file = task_file_for(str(path), **({"test": str(test)} if test else {}))
    loaded = load(task_file)
    fixes = fixes_for(task_file, loaded, patches, out)
    assert not (out / PATCHES).exists()  # everything can be looked at before anything is written
    fixes.write()
    return fixes, loaded


def listed(out):
    return [json.loads(line) for line in (out / PATCHES).read_text(encoding="utf-8").splitlines()]


def test_json_lines_keep_every_untouched_byte(tmp_path):
    path = write_lines(tmp_path / "train.jsonl", rows())
    before = path.read_bytes()
    result, _ = fixed(path, [patch("drop", 3), patch("relabel", 4, after="green")], tmp_path / "out")
    assert path.read_bytes() == before
    lines = (tmp_path / "out" / "train.jsonl").read_text(encoding="utf-8").splitlines()
    source = before.decode().splitlines()
    assert lines[:3] == source[:3]
    assert json.loads(lines[3]) == {**rows()[4], "output": "green"}
    assert lines[4:] == source[5:]
    assert (result.files[0].n_in, result.files[0].n_out, result.files[0].n_changed) == (40, 39, 1)
    assert (result.n_applied, result.n_suggested) == (2, 0)


def test_suggestions_are_listed_and_not_done(tmp_path):
    path = write_lines(tmp_path / "train.jsonl", rows())
    result, _ = fixed(path, [patch("relabel", 0, after="green", certain=False)], tmp_path / "out")
    assert (tmp_path / "out" / "train.jsonl").read_bytes() == path.read_bytes()
    assert result.n_suggested == 1
    (entry,) = listed(tmp_path / "out")
    assert entry == {
        "file": "train.jsonl",
        "line": 1,
        "row_id": "r0",
        "check": "test",
        "action": "relabel",
        "applied": False,
        "before": "",
        "after": "green",
        "into": "",
        "why": {"en": "a reason", "zh": "原因"},
    }


def test_masks_reach_every_field_but_ids_and_labels(tmp_path):
    records = rows()
    records[5] = {
        **records[5],
        "id": PHONE,
        "input": f"ring {PHONE} or 13912345678",
        "note": int(PHONE),
        "more": {"a": [PHONE]},
    }
    path = write_lines(tmp_path / "train.jsonl", records)
    fixed(path, [patch("mask", 5, before=f"ring {PHONE}")], tmp_path / "out")
    changed = json.loads((tmp_path / "out" / "train.jsonl").read_text(encoding="utf-8").splitlines()[5])
    assert changed["id"] == PHONE
    assert changed["output"] == "blue"
    assert changed["input"] == "ring [PHONE] or [PHONE_2]"
    assert (changed["note"], changed["more"]) == ("[PHONE]", {"a": ["[PHONE]"]})
    (entry,) = listed(tmp_path / "out")
    assert entry["applied"]
    assert entry["before"] == "ring [phone 13***78]"
    assert "[PHONE_2]" in entry["after"]


def test_merged_rows_leave_their_answer_behind(tmp_path):
    path = write_lines(tmp_path / "train.jsonl", rows())
    fixed(path, [patch("merge", 1, into="r0"), patch("merge", 3, into="r2"), patch("drop", 2)], tmp_path / "out")
    kept = [json.loads(line) for line in (tmp_path / "out" / "train.jsonl").read_text(encoding="utf-8").splitlines()]
    by_id = {record["id"]: record for record in kept}
    assert by_id["r0"]["references"] == ["red", "blue"]
    assert "r1" not in by_id
    assert "r3" in by_id  # its answer has nowhere to go: r2 is dropped
    assert [entry["applied"] for entry in listed(tmp_path / "out")] == [True, False, True]


def test_rows_that_cannot_be_used_are_left_out_and_listed_masked(tmp_path):
    path = write_lines(tmp_path / "train.jsonl", rows())
    with path.open("a", encoding="utf-8") as file:
        file.write(f"not json {PHONE}\n")
    result, _ = fixed(path, [], tmp_path / "out")
    assert result.files[0].n_in == 41
    assert result.files[0].n_out == 40
    (entry,) = listed(tmp_path / "out")
    assert (entry["check"], entry["action"], entry["line"], entry["applied"]) == ("load", "drop", 41, True)
    assert PHONE not in json.dumps(entry)


def test_rows_that_cannot_be_used_stay_for_a_person_to_mend(tmp_path):
    records = [*rows(), {"id": "r40", "input": f"ring {PHONE}", "output": ""}]
    path = write_lines(tmp_path / "train.jsonl", records)
    fixed(path, [], tmp_path / "out")
    assert (tmp_path / "out" / "train.jsonl").read_bytes() == path.read_bytes()
    (entry,) = listed(tmp_path / "out")
    assert (entry["line"], entry["action"], entry["applied"]) == (41, "drop", False)
    fixed(path, [patch("mask", 3)], tmp_path / "masked")
    copy = (tmp_path / "masked" / "train.jsonl").read_text(encoding="utf-8")
    assert len(copy.splitlines()) == 41
    assert PHONE not in copy
    assert listed(tmp_path / "masked")[0]["action"] == "mask"


def test_a_row_that_differs_in_any_column_is_never_deleted(tmp_path):
    text = "the parcel came late and the box was wet and torn"
    records = [
        {"text": f"{text} on day {at} of week {at * 7}", "aspect": "a", "label": "xy"[at % 2]} for at in range(30)
    ]
    records += [records[3], {**records[4], "aspect": "b"}, {**records[5], "ticket": 1}, {**records[6], "aspect": "a"}]
    path = write_lines(tmp_path / "train.jsonl", records)
    task_file = task_file_for(str(path), fields={"input": "text", "output": "label"})
    loaded = load(task_file)
    patches = audit(subject_of(loaded), only=["duplicates"]).patches
    assert {(patch.source, patch.certain) for patch in patches} >= {
        ("train.jsonl:31", True),
        ("train.jsonl:32", False),
        ("train.jsonl:33", False),
        ("train.jsonl:34", True),
    }
    fixes_for(task_file, loaded, patches, tmp_path / "out").write()
    kept = [json.loads(line) for line in (tmp_path / "out" / "train.jsonl").read_text().splitlines()]
    assert kept == records[:30] + records[31:33]
    assert all(entry["into"] for entry in listed(tmp_path / "out"))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_keeps_columns_delimiter_and_multi_line_cells(tmp_path, delimiter):
    path = tmp_path / "train.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(["extra", "input", "output"])
        for at in range(40):
            writer.writerow(["", f'line one\nline "two", of; {at}', ["red", "blue"][at % 2]])
    patches = [patch("drop", 0, line=2, name="train.csv"), patch("relabel", 1, line=4, name="train.csv", after="green")]
    fixed(path, patches, tmp_path / "out")
    with (tmp_path / "out" / "train.csv").open(newline="", encoding="utf-8") as file:
        records = list(csv.reader(file, delimiter=delimiter))
    assert records[0] == ["extra", "input", "output"]
    assert len(records) == 40
    assert records[1] == ["", 'line one\nline "two", of; 1', "green"]


@pytest.mark.parametrize("wrap", [lambda records: records, lambda records: {"version": 2, "data": records}])
def test_json_documents_stay_documents(tmp_path, wrap):
    path = tmp_path / "train.json"
    path.write_text(json.dumps(wrap(rows()), ensure_ascii=False, indent=1), encoding="utf-8")
    loaded = load(task_file_for(str(path)))
    at = loaded.examples[7]
    fixed(path, [Patch("test", at.id, at.source, "drop", WHY)], tmp_path / "out")
    document = json.loads((tmp_path / "out" / "train.json").read_text(encoding="utf-8"))
    assert document == wrap([record for record in rows() if record["id"] != "r7"])


def test_parquet_keeps_its_schema(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pylist(
        rows(),
        schema=pa.schema([("id", pa.string()), ("input", pa.string()), ("output", pa.string()), ("note", pa.int16())]),
    )
    path = tmp_path / "train.parquet"
    pq.write_table(table, path)
    fixed(
        path, [patch("drop", 0, name=path.name), patch("replace", 1, name=path.name, after="green")], tmp_path / "out"
    )
    copy = pq.read_table(tmp_path / "out" / "train.parquet")
    assert copy.schema == table.schema
    assert copy.num_rows == 39
    assert copy.column("output").to_pylist()[:2] == ["green", "red"]


def test_chats_are_changed_in_their_last_answer(tmp_path):
    records = [
        {
            "conversations": [
                {"from": "human", "value": f"question {at} of many words"},
                {"from": "gpt", "value": f"a long answer number {at} for this"},
            ]
        }
        for at in range(40)
    ]
    path = write_lines(tmp_path / "train.jsonl", records)
    loaded = load(task_file_for(str(path)))
    fixed(
        path, [Patch("test", loaded.examples[0].id, "train.jsonl:1", "replace", WHY, after="short")], tmp_path / "out"
    )
    first = json.loads((tmp_path / "out" / "train.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert first["conversations"][1] == {"from": "gpt", "value": "short"}
    assert first["conversations"][0] == records[0]["conversations"][0]


@pytest.mark.parametrize(
    ("name", "answer", "fields"),
    [
        (
            "messages",
            lambda text: json.dumps([{"role": "user", "content": "q"}, {"role": "assistant", "content": text}]),
            {},
        ),
        ("answers", lambda text: {"text": [text], "answer_start": [0]}, {}),
        ("made", lambda text: {"by": text}, {"input": "question", "output": "made.by"}),
    ],
)
def test_an_answer_is_changed_in_the_form_it_has(tmp_path, name, answer, fields):
    records = [{"question": f"what colour has {at}", name: answer(["red", "blue"][at % 2])} for at in range(40)]
    path = write_lines(tmp_path / "train.jsonl", records)
    task_file = task_file_for(str(path), **({"fields": fields} if fields else {}))
    loaded = load(task_file)
    change = Patch("test", loaded.examples[0].id, "train.jsonl:1", "replace", WHY, after="green")
    fixes_for(task_file, loaded, [change], tmp_path / "out").write()
    first = json.loads((tmp_path / "out" / "train.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert first == {**records[0], name: answer("green")}


def test_two_files_of_one_name_are_told_apart(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    train = write_lines(tmp_path / "a" / "rows.jsonl", rows())
    test = write_lines(tmp_path / "b" / "rows.jsonl", [{**row, "id": f"t{row['id']}"} for row in rows(20)])
    result, loaded = fixed(train, [], tmp_path / "out", test=test)
    assert sorted(file.path.name for file in result.files) == ["test-rows.jsonl", "train-rows.jsonl"]
    assert (tmp_path / "out" / "test-rows.jsonl").read_bytes() == test.read_bytes()
    assert loaded.test_examples is not None


def test_nothing_is_ever_overwritten(tmp_path):
    path = write_lines(tmp_path / "train.jsonl", rows())
    for folder in (tmp_path, tmp_path / "x" / ".."):
        (tmp_path / "x").mkdir(exist_ok=True)
        with pytest.raises(InputError, match=r"train\.jsonl: is there already"):
            check_folder(task_file_for(str(path)), folder)
    with pytest.raises(InputError, match="is a file"):
        check_folder(task_file_for(str(path)), path)
    fixed(path, [], tmp_path / "out")
    with pytest.raises(InputError, match=r"patches\.jsonl: is there already"):
        fixed(path, [], tmp_path / "out")


def test_a_source_that_changed_meanwhile_is_refused(tmp_path):
    path = write_lines(tmp_path / "train.jsonl", rows())
    task_file = task_file_for(str(path))
    loaded = load(task_file)
    write_lines(path, rows(39))
    with pytest.raises(InputError, match="changed while it was audited"):
        fixes_for(task_file, loaded, [], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_documents_from_rows_files_and_folders(tmp_path):
    rows_file = write_lines(
        tmp_path / "docs.jsonl", [{"id": "1", "title": "T", "text": "one"}, {"id": "2", "text": "二"}]
    )
    assert read_documents(str(rows_file)) == ("one", "二")
    (tmp_path / "folder" / "in").mkdir(parents=True)
    (tmp_path / "folder" / "in" / "a.md").write_text("three", encoding="utf-8")
    (tmp_path / "folder" / "empty.txt").write_text("")
    assert read_documents(str(tmp_path / "folder")) == ("three",)
    (tmp_path / "nothing").mkdir()
    with pytest.raises(InputError, match="holds no documents"):
        read_documents(str(tmp_path / "nothing"))


def test_labels_in_columns_of_their_own_are_written_as_they_were_read(tmp_path):
    names, path = ("bill", "ship", "fix"), tmp_path / "train.csv"
    texts = [f"thing number {at} is {['old', 'new', 'red', 'big', 'wet'][at % 5]} {at * 7}" for at in range(40)]
    lines = [f"{text},{','.join(str(int(at % 3 == place)) for place in range(3))}" for at, text in enumerate(texts)]
    path.write_text("text," + ",".join(names) + "\n" + "\n".join(lines) + "\n")
    change = Patch("test", "train-2", "train.csv:2", "relabel", WHY, after="ship")
    gone = Patch("test", "train-3", "train.csv:3", "drop", WHY)
    fixed(path, [change, gone], tmp_path / "out")
    again = list(csv.DictReader((tmp_path / "out" / "train.csv").read_text().splitlines()))
    assert [row["labels"] for row in again[:3]] == ["ship", "fix", "bill"]
    assert again[0].keys() == {"text", "labels"}
    assert load(task_file_for(str(tmp_path / "out" / "train.csv"))).task.labels == ("bill", "fix", "ship")

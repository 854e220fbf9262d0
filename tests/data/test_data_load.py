"""From files to a task: what is inferred, what is set aside, and where it stops."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tuneworth.data.load import Loaded, load
from tuneworth.data.taskfile import task_file_for
from tuneworth.errors import InputError, NotEnoughData

WORDS = [
    "river",
    "stone",
    "lamp",
    "garden",
    "window",
    "paper",
    "silver",
    "morning",
    "train",
    "letter",
    "market",
    "bridge",
    "forest",
    "engine",
    "candle",
]


def sentence(at: int) -> str:
    return f"the {WORDS[at % 15]} and a {WORDS[(at * 7 + at // 15) % 15]} near my {WORDS[(at * 4 + 3) % 15]}"


def label_rows(n: int = 30) -> list[dict[str, Any]]:
    return [{"text": sentence(at), "label": ["old", "new", "odd"][at % 3]} for at in range(n)]


def write(path: Path, rows: list[Any]) -> Path:
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), encoding="utf-8")
    return path


def loaded(folder: Path, rows: list[Any], test: list[Any] | None = None, **options: Any) -> Loaded:
    if test is not None:
        options["test"] = write(folder / "test.jsonl", test)
    return load(task_file_for(write(folder / "train.jsonl", rows), **options))


def test_a_label_task_is_resolved_with_reasons(tmp_path: Path) -> None:
    result = loaded(tmp_path, label_rows())
    task = result.task
    assert (task.kind, task.labels, task.metric, task.language) == ("label", ("new", "odd", "old"), "accuracy", "en")
    assert [text.en.split(":")[0] for text in result.inferred] == ["fields", "output kind", "metric", "language"]
    assert all(text.zh and text.zh != text.en for text in result.inferred)
    assert result.examples[0].id == "train-1"
    assert result.examples[0].source == "train.jsonl:1"
    assert len(result.files["train.jsonl"]) == 64


def test_ids_of_the_file_are_used_only_when_unique_everywhere(tmp_path: Path) -> None:
    train = [{**row, "id": f"r{at}"} for at, row in enumerate(label_rows())]
    test = [{**row, "id": f"t{at}", "text": row["text"] + " now"} for at, row in enumerate(label_rows(9))]
    assert loaded(tmp_path, train, test).examples[3].id == "r3"
    test[0]["id"] = "r3"
    result = loaded(tmp_path, train, test)
    assert result.examples[3].id == "train-4"
    assert result.test_examples is not None
    assert result.test_examples[0].id == "test-1"
    assert "id field" in result.warnings[0].en


def test_bad_rows_are_listed_and_the_rest_goes_on(tmp_path: Path) -> None:
    rows: list[Any] = label_rows()
    rows[2] = "oops"
    rows[5] = {"text": "no label"}
    rows[8] = {"text": "t", "label": ""}
    rows[11] = {"text": "t", "label": ["a"]}
    rows[14] = {"text": "x" * 2**20, "label": "old"}
    rows[17] = {"text": "n\x00l", "label": "old"}
    start = time.perf_counter()
    result = loaded(tmp_path, rows)
    assert time.perf_counter() - start < 5
    assert [row.line for row in result.rejected] == [3, 6, 9, 12, 15, 18]
    assert (len(result.examples), result.n_read) == (24, 30)
    assert "6 of 30 rows of train.jsonl were set aside; the first is line 3" in result.warnings[0].en
    assert len(result.rejected[4].raw) > 2**20
    assert all(len(row.reason.en) < 300 for row in result.rejected)


def test_more_than_half_bad_stops_with_the_first_problems(tmp_path: Path) -> None:
    rows: list[Any] = label_rows(30)
    rows[:16] = ["oops"] * 16
    with pytest.raises(
        InputError, match=r"train.jsonl:1: is not JSON.*\(15 more such rows: lines 2, 3, 4, 5, 6, …\)"
    ) as error:
        loaded(tmp_path, rows)
    assert "16 of 30 rows" in error.value.to("en")
    assert error.value.exit_code == 2


def test_half_bad_goes_on(tmp_path: Path) -> None:
    rows: list[Any] = label_rows(50)
    rows[:25] = ["oops"] * 25
    assert len(loaded(tmp_path, rows).examples) == 25


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        (label_rows(1), "has 1 usable row; at least 20"),
        (label_rows(19), "has 19 usable rows; at least 20"),
        ([{**row, "label": "same"} for row in label_rows()], "have the one class 'same'"),
        (
            [
                {**row, "label": "A long answer that is always, always, always, always the same."}
                for row in label_rows()
            ],
            "all outputs are equal",
        ),
    ],
)
def test_too_little_to_learn_from(tmp_path: Path, rows: list[Any], match: str) -> None:
    with pytest.raises(NotEnoughData, match=match):
        loaded(tmp_path, rows)


def test_only_broken_lines(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="40 of 40 rows"):
        loaded(tmp_path, ["nope"] * 40)


def test_a_test_file_with_other_fields_is_an_error(tmp_path: Path) -> None:
    other = [{"question": row["text"], "answer": row["label"]} for row in label_rows(9)]
    with pytest.raises(InputError, match=r"test.jsonl:1: has no `text`; it has question, answer"):
        loaded(tmp_path, label_rows(), other)


def test_a_test_file_too_small(tmp_path: Path) -> None:
    with pytest.raises(NotEnoughData, match=r"test.jsonl: 5 usable test rows"):
        loaded(tmp_path, label_rows(), label_rows(5))


def test_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder / "rows.jsonl", label_rows())
    result = load(task_file_for(tmp_path / "a" / "rows.jsonl", test=tmp_path / "b" / "rows.jsonl"))
    assert sorted(result.files) == [str(tmp_path / name / "rows.jsonl") for name in ("a", "b")]


def test_named_fields_that_no_row_has_are_all_told(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        loaded(tmp_path, label_rows(), fields={"input": "body", "output": "label", "group": "who"})
    assert [problem.where for problem in error.value.problems] == ["train.jsonl body", "train.jsonl who"]


def test_given_labels_set_other_answers_aside(tmp_path: Path) -> None:
    rows = label_rows()
    rows[3]["label"] = "Old"
    result = loaded(tmp_path, rows, output={"labels": ["old", "new", "odd"]})
    assert result.task.labels == ("new", "odd", "old")
    assert "did you mean 'old'?" in result.rejected[0].reason.en
    near = loaded(tmp_path, rows, output={"kind": "label"})
    assert any("'old' (9 rows) and 'Old' (1 rows) differ only in case" in text.en for text in near.warnings)


def test_choices_come_from_the_row_and_fall_back_to_the_usual_ones(tmp_path: Path) -> None:
    rows = [{"input": f"{sentence(at)}?\nA. x\nB. y\nC. z", "output": "ABC"[at % 3]} for at in range(30)]
    rows[4] = {"input": "Which?\n1. x\n2. y", "output": "2"}
    rows[5] = {"input": "nothing listed", "output": "B"}
    rows[6] = {"input": "Which?\nA. x\nB. y", "output": "C"}
    result = loaded(tmp_path, rows)
    assert result.task.kind == "choice"
    choices = {example.id: example.query.choices for example in result.examples}
    assert (choices["train-1"], choices["train-5"], choices["train-6"]) == (
        ("A", "B", "C"),
        ("1", "2"),
        ("A", "B", "C"),
    )
    assert 'is not one of the row\'s options ["A", "B"]' in result.rejected[0].reason.en


def test_structured_answers_become_json_with_a_schema(tmp_path: Path) -> None:
    rows: list[Any] = [
        {"input": sentence(at), "output": {"kind": ["a", "b"][at % 2], "名": sentence(at)}} for at in range(40)
    ]
    rows[3]["output"] = "text"
    result = loaded(tmp_path, rows)
    assert (result.task.kind, result.task.metric) == ("json", "json_slot_f1")
    assert result.task.json_schema is not None
    assert result.task.json_schema["properties"]["kind"]["enum"] == ["a", "b"]
    assert '"名": ' in result.examples[0].output
    assert "is text (text), in most rows it is an object" in result.rejected[0].reason.en


def test_answers_that_break_the_given_schema_are_set_aside(tmp_path: Path) -> None:
    rows = [{"input": sentence(at), "output": json.dumps({"n": at if at != 7 else "x"})} for at in range(30)]
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    result = loaded(tmp_path, rows, output={"schema": schema})
    assert result.task.json_schema == schema
    assert [(row.line, "output.schema at $.n" in row.reason.en) for row in result.rejected] == [(8, True)]


def test_references_follow_the_output_once(tmp_path: Path) -> None:
    rows = [
        {
            "question": sentence(at),
            "answer": f"it is {sentence(at + 1)}",
            "answers": [f"x{at}", f"it is {sentence(at + 1)}"],
        }
        for at in range(30)
    ]
    example = loaded(tmp_path, rows).examples[0]
    assert example.references == (example.output, "x0")


def test_a_field_that_is_asked_and_answered_is_refused(tmp_path: Path) -> None:
    rows = [{"input": sentence(at), "output": "ab"[at % 2]} for at in range(40)]
    with pytest.raises(InputError, match=r"output: is named as the input and as the output"):
        loaded(tmp_path, rows, fields={"input": ["input", "output"], "output": "output"})

"""What tools for labelling and evaluation export: plain rows, and no row without an answer that a person stands for."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tuneworth.data.formats import RawData, read
from tuneworth.data.load import load
from tuneworth.data.taskfile import task_file_for


def exported(path: Path, rows: list[Any], wrap: Any = None) -> RawData:
    path.write_text(
        json.dumps(rows if wrap is None else wrap(rows)) if wrap else "".join(json.dumps(row) + "\n" for row in rows)
    )
    return read(str(path))


def plain(data: RawData) -> list[Any]:
    return [row.value for row in data.rows]


def reasons(data: RawData) -> list[str]:
    return [row.reason.en for row in data.rejected]


def choice(name: str, **more: Any) -> dict[str, Any]:
    result = [{"from_name": "topic", "to_name": "text", "type": "choices", "value": {"choices": [name]}}]
    return {"result": result, "was_cancelled": False, "ground_truth": False, **more}


def task(n: int, *annotations: Any) -> dict[str, Any]:
    return {"id": n, "data": {"text": f"row {n}"}, "annotations": list(annotations), "predictions": [choice("model's")]}


def test_label_studio(tmp_path: Path) -> None:
    rows = [
        task(1, choice("a")),
        task(2, choice("a"), choice("b"), choice("b")),
        task(3, choice("a"), choice("b", ground_truth=True)),
        task(4, choice("a", was_cancelled=True), choice("b")),
        task(5, choice("a"), choice("b")),
        task(6, choice("a", was_cancelled=True)),
        task(7),
        task(8, {"result": [], "was_cancelled": False}),
    ]
    data = exported(tmp_path / "export.json", rows, wrap=list)
    assert plain(data) == [{"text": f"row {n}", "id": n, "label": label} for n, label in zip((1, 2, 3, 4), "abbb")]
    assert ["disagree" in reasons(data)[0], "cancelled" in reasons(data)[1]] == [True, True]
    assert reasons(data)[2:] == ["nobody has labelled it"] * 2
    assert "an export of Label Studio" in data.notes[-1].en
    assert data.suffix == ""


def test_label_studio_spans_texts_and_several_controls(tmp_path: Path) -> None:
    spans = [
        {"from_name": "ner", "type": "labels", "value": {"start": 8, "end": 12, "text": "Rome", "labels": ["City"]}},
        {"from_name": "ner", "type": "labels", "value": {"start": 0, "end": 3, "text": "Ann", "labels": ["Person"]}},
    ]
    answer = [
        {"from_name": "reply", "type": "textarea", "value": {"text": ["Yes."]}},
        {"from_name": "sure", "type": "rating", "value": {"rating": 4}},
    ]
    rows = [
        {"data": {"text": "Ann saw Rome"}, "annotations": [{"result": spans}]},
        {"data": {"question": "Is it?"}, "annotations": [{"result": answer}]},
        {"data": {"question": "Is it?"}, "annotations": [{"result": answer[:1]}]},
    ]
    assert plain(exported(tmp_path / "x.json", rows, wrap=list)) == [
        {"text": "Ann saw Rome", "label": [{"text": "Ann", "label": "Person"}, {"text": "Rome", "label": "City"}]},
        {"question": "Is it?", "reply": "Yes.", "sure": 4},
        {"question": "Is it?", "answer": "Yes."},
    ]


def test_label_studio_min(tmp_path: Path) -> None:
    own = {"annotation_id": 1, "annotator": 1, "lead_time": 2.5, "created_at": "x", "updated_at": "x", "id": 3}
    rows = [{"text": "one", "topic": "a", **own}, {"text": "two", "topic": {"choices": ["a", "b"]}, **own}]
    assert plain(exported(tmp_path / "min.json", rows, wrap=list)) == [
        {"text": "one", "topic": ["a"], "id": 3},
        {"text": "two", "topic": ["a", "b"], "id": 3},
    ]


def test_prodigy(tmp_path: Path) -> None:
    own = {"_input_hash": 1, "_task_hash": 2, "_view_id": "choice", "_timestamp": 3}
    options = [{"id": 1, "text": "good"}, {"id": 2, "text": "bad"}]
    rows = [
        {"text": "a", "label": "x", "answer": "accept", **own},
        {"text": "b", "label": "y", "answer": "reject", **own},
        {"text": "c", "label": "x", "answer": "ignore", **own},
        {"text": "d", "options": options, "accept": [2], "answer": "accept", **own},
        {"text": "e", "options": options, "accept": [], "answer": "accept", **own},
        {
            "text": "in Rome",
            "spans": [{"start": 3, "end": 7, "label": "City"}],
            "tokens": [],
            "answer": "accept",
            **own,
        },
    ]
    data = exported(tmp_path / "out.jsonl", rows)
    assert plain(data) == [
        {"text": "a", "label": "x"},
        {"text": "d", "label": "bad"},
        {"text": "in Rome", "output": [{"text": "Rome", "label": "City"}]},
    ]
    assert [row.line for row in data.rejected] == [2, 3, 5]
    assert 'its status is "reject"' in reasons(data)[0]


def test_prodigy_where_one_label_was_asked_about(tmp_path: Path) -> None:
    own = {"_input_hash": 1, "_task_hash": 2}
    rows = [
        {"text": text, "label": "spam", "answer": answer, **own}
        for text, answer in (("a", "accept"), ("b", "reject"), ("c", "ignore"))
    ]
    data = exported(tmp_path / "out.jsonl", rows)
    assert plain(data) == [{"text": "a", "label": "spam"}, {"text": "b", "label": "not spam"}]


def test_several_labels_in_some_rows_are_lists_in_all(tmp_path: Path) -> None:
    rows = [task(1, choice("a")), task(2, choice("b"))]
    rows[1]["annotations"][0]["result"][0]["value"]["choices"] = ["a", "b"]
    assert [row["label"] for row in plain(exported(tmp_path / "x.json", rows, wrap=list))] == [["a"], ["a", "b"]]


def test_doccano(tmp_path: Path) -> None:
    rows = [
        {"id": 1, "text": "a", "label": ["x"], "Comments": []},
        {"id": 2, "text": "b", "label": ["x", "y"], "Comments": []},
        {"id": 3, "text": "c", "label": [], "Comments": []},
        {"id": 4, "text": "in Rome", "label": [[3, 7, "City"]], "Comments": []},
        {"id": 5, "text": "in Rome", "entities": [{"start_offset": 3, "end_offset": 7, "label": "City"}], "relations": [], "Comments": []},
    ]  # fmt: skip
    data = exported(tmp_path / "all.jsonl", rows)
    city = [{"text": "Rome", "label": "City"}]
    assert plain(data) == [
        {"id": 1, "text": "a", "label": ["x"]},
        {"id": 2, "text": "b", "label": ["x", "y"]},
        {"id": 4, "text": "in Rome", "output": city},
        {"id": 5, "text": "in Rome", "output": city},
    ]
    assert [row.line for row in data.rejected] == [3]


def test_argilla_nested_flat_and_old(tmp_path: Path) -> None:
    nested = [
        {"id": "1", "fields": {"text": "a"}, "suggestions": {"topic": {"value": "m"}}, "responses": {"topic": [{"value": "x", "user_id": "u"}]}},
        {"id": "2", "fields": {"text": "b"}, "suggestions": {"topic": {"value": "m"}}, "responses": {}},
        {"id": "3", "fields": {"text": "c"}, "responses": [{"values": {"topic": {"value": "y"}}, "status": "submitted"}, {"values": {"topic": {"value": "z"}}, "status": "draft"}]},
    ]  # fmt: skip
    data = exported(tmp_path / "nested.json", nested, wrap=list)
    assert plain(data) == [{"text": "a", "label": "x"}, {"text": "c", "label": "y"}]
    assert reasons(data) == ["nobody has labelled it"]
    flat = [
        {
            "text": "a",
            "topic.responses": ["x"],
            "topic.responses.status": ["submitted"],
            "topic.suggestion": "m",
            "status": "completed",
        },
        {
            "text": "b",
            "topic.responses": ["x"],
            "topic.responses.status": ["discarded"],
            "topic.suggestion": "m",
            "status": "completed",
        },
        {"text": "c", "topic.responses": None, "topic.suggestion": "m", "status": "pending"},
    ]
    assert plain(exported(tmp_path / "flat.jsonl", flat)) == [{"text": "a", "label": "x"}]
    own = {"prediction": [{"label": "m"}], "prediction_agent": "p", "annotation_agent": "u"}
    old = [
        {"text": "a", "annotation": "x", "status": "Validated", **own},
        {"text": "b", "annotation": None, "status": "Default", **own},
        {"text": "c", "annotation": "x", "status": "Discarded", **own},
    ]
    assert plain(exported(tmp_path / "old.jsonl", old)) == [{"text": "a", "label": "x"}]


def test_promptfoo(tmp_path: Path) -> None:
    tests = [
        {
            "vars": {"question": "2+2?"},
            "assert": [{"type": "latency", "threshold": 1}, {"type": "equals", "value": "4"}],
        },
        {"vars": {"question": "why?"}, "assert": [{"type": "llm-rubric", "value": "is polite"}]},
    ]
    data = exported(tmp_path / "tests.json", tests, wrap=list)
    assert plain(data) == [{"question": "2+2?", "answer": "4"}]
    assert "no assertion says what the right answer is (equals); it has: llm-rubric" in reasons(data)[0]
    results = [
        {"testCase": test, "vars": test["vars"], "response": {"output": "5"}, "success": False} for test in tests
    ]
    data = exported(
        tmp_path / "out.json",
        results,
        wrap=lambda rows: {"evalId": "e", "results": {"version": 3, "results": rows}, "config": {}},
    )
    assert plain(data) == [{"question": "2+2?", "answer": "4"}]
    path = tmp_path / "tests.csv"
    path.write_text(
        'question,__expected,__metric\n2+2?,4,m\n3+3?,equals: 6,m\nwhy?,"llm-rubric: is polite",m\ntime?,12:30,m\n'
    )
    assert plain(read(str(path))) == [
        {"question": q, "answer": a} for q, a in (("2+2?", "4"), ("3+3?", "6"), ("time?", "12:30"))
    ]


def test_evals_and_inspect(tmp_path: Path) -> None:
    chat = [{"role": "user", "content": "2+2?"}]
    rows = [{"input": chat, "ideal": "4"}, {"input": chat, "ideal": ["4", "four"]}, {"input": chat, "ideal": []}]
    data = exported(tmp_path / "samples.jsonl", rows)
    assert plain(data) == [{"input": chat, "output": "4"}, {"input": chat, "output": "4", "references": ["4", "four"]}]
    items = [{"item": {"text": "a", "label": "x"}}]
    assert plain(exported(tmp_path / "items.jsonl", items)) == [{"text": "a", "label": "x"}]
    log = [{"run_id": "r", "event_id": 0, "sample_id": "s", "type": "match", "data": {"sampled": "4"}}] * 3
    assert "line of a run's log" in reasons(exported(tmp_path / "log.jsonl", log))[0]
    samples = [{"id": n, "epoch": e, "input": f"q{n}", "target": "A", "choices": ["x", "y"], "output": {}, "scores": {}} for n in (1, 2) for e in (1, 2)]  # fmt: skip
    data = exported(tmp_path / "log.json", samples, wrap=lambda rows: {"version": 2, "eval": {}, "samples": rows})
    assert plain(data) == [{"id": n, "input": f"q{n}", "target": "A", "choices": ["x", "y"]} for n in (1, 2)]
    assert "repetition (epoch 2)" in reasons(data)[0]


def test_a_log_of_inspect_as_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "2024-05-01_task.eval"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as log:
        log.writestr("header.json", json.dumps({"version": 2, "eval": {}}))
        for n in (1, 2):
            sample = {"id": n, "epoch": 1, "input": f"q{n}", "target": "4", "messages": [], "output": {}, "scores": {}}
            log.writestr(f"samples/{n}_epoch_1.json", json.dumps(sample, indent=2))
    assert plain(read(str(path))) == [{"id": n, "input": f"q{n}", "target": "4"} for n in (1, 2)]


def test_rows_of_the_viewer(tmp_path: Path) -> None:
    rows = [{"row_idx": n, "row": {"text": f"r{n}", "label": None}, "truncated_cells": ["text"] * n} for n in (0, 1)]
    data = exported(tmp_path / "rows.json", rows, wrap=lambda rows: {"features": [], "rows": rows})
    assert plain(data) == [{"text": "r0"}]
    assert "cut its cells text short" in reasons(data)[0]


@pytest.mark.parametrize("row", [{"data": {"a": 1}, "label": "x"}, {"text": "a", "answer": "accept"}, {"text": "a", "label": ["x"]}, {"input": "a", "target": "b"}, {"item": "bread", "price": 3}])  # fmt: skip
def test_other_rows_are_left_as_they_are(tmp_path: Path, row: dict[str, Any]) -> None:
    data = exported(tmp_path / "rows.jsonl", [row] * 5)
    assert plain(data) == [row] * 5
    assert data.suffix == ".jsonl"


def test_an_export_is_a_task(tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    path.write_text(
        json.dumps(
            [task(n, choice("ab"[n % 2])) | {"data": {"text": f"row {n} {'xyzuvw'[n % 6] * 8}"}} for n in range(40)]
        )
    )
    result = load(task_file_for(str(path)))
    assert (result.task.kind, result.task.labels, len(result.examples)) == ("label", ("a", "b"), 40)


@pytest.mark.parametrize(
    ("tool", "row"),
    [
        (
            "LangSmith",
            {"id": "x", "inputs": {"question": "q"}, "outputs": {"answer": "a"}, "metadata": {"split": "base"}},
        ),
        ("LangSmith", {"id": "x", "inputs": '{"question": "q"}', "outputs": '{"answer": "a"}'}),
        (
            "LangSmith",
            {"id": "x", "inputs": {"question": "q"}, "outputs": {"m": {"role": "assistant", "content": "a"}}},
        ),
        ("MLflow", {"id": "x", "inputs": {"question": "q"}, "expectations": {"expected_response": "a"}}),
        ("Langfuse", {"id": "x", "datasetId": "d", "input": {"question": "q"}, "expectedOutput": {"text": "a"}}),
    ],
)
def test_data_sets_of_tracing_tools(tmp_path: Path, tool: str, row: dict[str, Any]) -> None:
    data = exported(tmp_path / "rows.jsonl", [row] * 3)
    assert plain(data) == [{"id": "x", "question": "q", "answer": "a"}] * 3
    assert f"an export of {tool}" in data.notes[-1].en


def test_rows_without_a_wanted_output_are_no_truth(tmp_path: Path) -> None:
    rows = [{"inputs": {"question": "q"}, "outputs": {"answer": "a"}}] * 9 + [
        {"inputs": {"question": "q"}, "outputs": {}}
    ]
    assert reasons(exported(tmp_path / "rows.jsonl", rows)) == ["nobody has labelled it"]


def test_several_wanted_outputs_stay_one_object(tmp_path: Path) -> None:
    row = {"inputs": {"text": "q"}, "outputs": {"team": "a", "urgent": True}}
    assert plain(exported(tmp_path / "rows.jsonl", [row] * 3))[0] == {
        "text": "q",
        "label": {"team": "a", "urgent": True},
    }


def test_the_preferred_output_ends_the_conversation(tmp_path: Path) -> None:
    asked, good, bad = ({"role": role, "content": role} for role in ("user", "assistant", "assistant"))
    row = {
        "input": {"messages": [asked]},
        "preferred_output": [good],
        "non_preferred_output": [bad | {"content": "bad"}],
    }
    assert plain(exported(tmp_path / "rows.jsonl", [row] * 3)) == [{"messages": [asked, good]}] * 3

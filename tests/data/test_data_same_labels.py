"""Labels that files write in different ways, rows set aside for several reasons, and conversations with tools."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tuneworth.data.load import Loaded, load
from tuneworth.data.spelling import usual_case, whole_numbers
from tuneworth.data.taskfile import task_file_for
from tuneworth.errors import InputError


def written(path: Path, rows: list[Any]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def rows_of(labels: list[Any]) -> list[dict[str, Any]]:
    return [{"text": f"row {n} about {'abcdefg'[n % 7] * 9}", "label": label} for n, label in enumerate(labels)]


def told(result: Loaded) -> str:
    return " ".join(text.en for text in (*result.inferred, *result.warnings))


def test_numbers_and_their_texts_are_one_label(tmp_path: Path) -> None:
    train = written(tmp_path / "train.jsonl", rows_of([n % 4 if n % 3 else str(n % 4) for n in range(40)]))
    test = tmp_path / "test.csv"
    test.write_text("text,label\n" + "".join(f"other {n},{n % 4}.0\n" for n in range(12)))
    result = load(task_file_for(train, test=str(test)))
    assert result.task.labels == ("0", "1", "2", "3")
    assert result.test_examples is not None
    assert {row.output for row in result.test_examples} == {"0", "1", "2", "3"}
    assert not result.rejected
    assert "'0.0' → '0'" in told(result)


def test_whole_numbers_only_where_all_are() -> None:
    assert whole_numbers(["1.0", "2", "3.00", "-4.0"]) == {"1.0": "1", "3.00": "3", "-4.0": "-4"}
    assert whole_numbers(["1.0", "2.5"]) == {}
    assert whole_numbers(["1.0", "python"]) == {}


def test_case_is_asked_about_and_the_answer_is_kept_to(tmp_path: Path) -> None:
    labels = ["billing", "Billing", "billing", "other "]
    train = written(tmp_path / "train.jsonl", rows_of([labels[n % 4] for n in range(40)]))
    test = written(tmp_path / "test.jsonl", rows_of(["OTHER", "billing"] * 6))
    result = load(task_file_for(train, test=test))
    assert "the labels 'billing' (26 rows) and 'Billing' (10 rows) differ only in case" in told(result)
    assert "'OTHER' (6 rows)" in told(result)
    result = load(task_file_for(train, test=test, output={"ignore_case": True}))
    assert result.task.labels == ("billing", "other")
    assert {row.output for row in result.test_examples or ()} == {"billing", "other"}
    assert "differ only" not in told(result)


def test_the_users_spelling_counts() -> None:
    assert usual_case(["a b", "A  B", "a b"], ["A B"]) == {"a b": "A B", "A  B": "A B"}


def test_every_reason_is_told_once(tmp_path: Path) -> None:
    rows: list[Any] = rows_of(["a", "b"] * 20)
    rows[3] = rows[7] = {"text": "x"}
    rows[5] = ["no object"]
    result = load(task_file_for(written(tmp_path / "train.jsonl", rows)))
    assert "3 of 40 rows of train.jsonl were set aside; the first is line 4: has no `label`" in told(result)
    assert "1 for another reason, the first on line 6" in told(result)


CALL = {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}


@pytest.mark.parametrize("turn", [CALL, {"role": "tool", "content": "4"}, {"from": "function_call", "value": "{}"}])
def test_tool_calls_are_named_once(tmp_path: Path, turn: dict[str, Any]) -> None:
    rows = [
        {"messages": [{"role": "user", "content": f"q{n}"}, turn, {"role": "assistant", "content": "a"}]}
        for n in range(30)
    ]
    with pytest.raises(InputError) as error:
        load(task_file_for(written(tmp_path / "train.jsonl", rows)))
    said = error.value.to("en")
    assert said.count("tool calls") == 1
    assert "29 more such rows" in said
    assert "fields:" not in said


def test_gold_in_nested_lists_is_flat(tmp_path: Path) -> None:
    rows = [{"question": f"q {n}", "answer": f"a {n}", "gold": [["d1", "d2"], [f"e{n}"]]} for n in range(30)]
    result = load(task_file_for(written(tmp_path / "train.jsonl", rows), documents={"source": str(tmp_path)}))
    assert result.examples[3].gold == ("d1", "d2", "e3")


def test_autorags_names_are_known(tmp_path: Path) -> None:
    rows = [
        {
            "qid": f"q{n}",
            "query": f"what is {n}?",
            "retrieval_gt": [[f"d{n}"]],
            "generation_gt": [f"It is {n}.", f"{n}"],
        }
        for n in range(30)
    ]
    result = load(task_file_for(written(tmp_path / "qa.jsonl", rows), documents={"source": str(tmp_path)}))
    assert (result.task.kind, result.examples[3].output, result.examples[3].gold) == ("text", "It is 3.", ("d3",))
    assert result.examples[3].references == ("It is 3.", "3")

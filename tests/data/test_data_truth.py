"""Which of two columns is the answer, and which rows are not to be learnt from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rows_made import label_rows, write_rows
from tuneworth.data.load import Loaded, load
from tuneworth.data.taskfile import task_file_for
from tuneworth.errors import InputError


def read(tmp_path: Path, rows: list[dict[str, Any]], **task: Any) -> Loaded:
    return load(task_file_for(str(write_rows(tmp_path / "rows.jsonl", rows)), **task))


def rows(n: int = 60, **names: str) -> list[dict[str, Any]]:
    """Rows with two answers: ``right``, and ``system``, which is wrong in every other row."""
    made = []
    for at, row in enumerate(label_rows(n)):
        wrong = row["output"] if at % 2 else "something else"
        made.append({names.get("source", "input"): row["input"], names["right"]: row["output"], names["system"]: wrong})
    return made


@pytest.mark.parametrize(
    ("source", "system", "right"),
    [
        ("question", "answer", "ground_truth"),
        ("input", "output", "expected"),
        ("input", "output", "expected_output"),
        ("Input", "Output", "Expected Output"),
        ("prompt", "response", "referenceAnswer"),
        ("question", "answer", "reference"),
        ("query", "generated_answer", "gold_answer"),
        ("input", "model_output", "ideal_answer"),
        ("text", "prediction", "label"),
        ("text", "predicted_label", "label"),
        ("text", "pred", "category"),
        ("question", "llm_answer", "answer"),
        ("问题", "模型回答", "标准答案"),
        ("问题", "回答", "参考答案"),
        ("文本", "预测标签", "标签"),
        ("text", "auto_label", "manual_label"),
        ("text", "initial_label", "final_label"),
        ("text", "category", "verified_category"),
        ("text", "suggested_category", "category"),
        ("article", "generated_summary", "reference_summary"),
        ("问题", "系统回答", "人工修改"),
        ("文本", "初标", "终标"),
    ],
)
def test_what_a_system_said_is_never_the_truth(tmp_path: Path, source: str, system: str, right: str) -> None:
    loaded = read(tmp_path, rows(source=source, system=system, right=right))
    assert {row.output for row in loaded.examples} == {"fruit", "tool"}
    assert loaded.shape is not None
    assert (loaded.shape.answer, loaded.shape.inputs.columns) == (right, (source,))
    assert any(f"`{system}`" in text.en for text in loaded.inferred)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("label", "label_text"),
        ("label", "label_2"),
        ("intent", "category"),
        ("output", "response"),
        ("answer", "label"),
    ],
)
def test_two_that_could_be_right_and_differ_are_asked_about(tmp_path: Path, a: str, b: str) -> None:
    made = [
        {"text": row["input"], a: row["output"], b: row["output"] if at % 3 else "fruit"}
        for at, row in enumerate(label_rows(60))
    ]
    with pytest.raises(InputError) as error:
        read(tmp_path, made)
    for said in (error.value.to("en"), error.value.to("zh")):
        assert f"`{a}`" in said
        assert f"`{b}`" in said
        assert f"fields: {{input: text, output: {a}}}" in said
        assert f"fields: {{input: text, output: {b}}}" in said
    chosen = read(tmp_path, made, fields={"input": "text", "output": a})
    assert chosen.shape is not None
    assert chosen.shape.answer == a


@pytest.mark.parametrize(("a", "b"), [("original_label", "new_label"), ("label", "second_opinion"), ("标签", "复核")])
def test_two_columns_with_the_same_labels_are_asked_about(tmp_path: Path, a: str, b: str) -> None:
    made = [
        {"text": r["input"], a: r["output"] if at % 5 else "fruit", b: r["output"]}
        for at, r in enumerate(label_rows(60))
    ]
    with pytest.raises(InputError) as caught:
        read(tmp_path, made)
    assert {f"`{a}`", f"`{b}`"} <= set(str(caught.value).split())


def test_a_column_of_yes_and_no_is_no_second_answer(tmp_path: Path) -> None:
    made = [row | {"urgent": str(at % 3 == 0)} for at, row in enumerate(label_rows(60))]
    made = [row | {"output": str(row["output"] == "tool")} for row in made]
    assert read(tmp_path, made).shape.answer == "output"  # type: ignore[union-attr]


def test_corrections_of_some_rows_are_never_overlooked(tmp_path: Path) -> None:
    made = [row | ({"corrected_output": "gold"} if at % 6 == 0 else {}) for at, row in enumerate(label_rows(60))]
    with pytest.raises(InputError, match="corrects `output` in 10 of 60 rows"):
        read(tmp_path, made)


def test_two_labels_of_two_tasks_are_asked_about(tmp_path: Path) -> None:
    made = [
        {"text": row["input"], "intent": row["output"], "sentiment": ["good", "bad"][at * 7 % 5 % 2]}
        for at, row in enumerate(label_rows(60))
    ]
    with pytest.raises(InputError, match="`intent` and `sentiment` could both be the answer"):
        read(tmp_path, made)


def test_a_number_and_its_name_are_one_answer(tmp_path: Path) -> None:
    made = [
        {"text": r["input"], "label": int(r["output"] == "tool"), "label_text": r["output"]} for r in label_rows(60)
    ]
    assert read(tmp_path, made).task.labels == ("fruit", "tool")


def test_what_always_stands_in_the_answer_is_a_part_of_it(tmp_path: Path) -> None:
    made = [
        {"input": r["input"], "output": {"kind": r["output"], "n": at}, "intent": r["output"]}
        for at, r in enumerate(label_rows(60))
    ]
    loaded = read(tmp_path, made)
    assert loaded.task.kind == "json"
    assert any("`intent` is not read: it says the answer" in text.en for text in loaded.inferred)


def test_what_may_be_the_right_answer_is_told_loudly(tmp_path: Path) -> None:
    made = [
        {"user_input": r["input"], "response": f"about {at} of them", "reference": f"see page {at * 3}"}
        for at, r in enumerate(label_rows(60))
    ]
    loaded = read(tmp_path, made)
    (warning,) = loaded.warnings
    assert warning.en.startswith(
        "`reference` may be the right answer, and `response`, which is read, what some system said"
    )
    assert "fields: {input: user_input, output: reference}" in warning.zh
    urls = [{**row, "reference": f"https://made.example/{at * 3 + 1000}"} for at, row in enumerate(made)]
    assert read(tmp_path, urls).warnings == []


def test_a_category_beside_a_right_answer_is_no_answer(tmp_path: Path) -> None:
    made = [{"question": r["input"], "category": "qa", "correct_answer": f"{r['input']} again"} for r in label_rows(60)]
    loaded = read(tmp_path, made)
    assert loaded.examples[0].output.endswith("again")
    assert not any("some system" in text.en for text in loaded.inferred)


def test_a_category_beside_a_response_is_no_second_answer(tmp_path: Path) -> None:
    made = [{"instruction": r["input"], "response": f"{r['input']} again", "category": "qa"} for r in label_rows(60)]
    assert read(tmp_path, made).examples[0].output.endswith("again")


@pytest.mark.parametrize(
    ("mark", "good", "bad"),
    [
        ("answer", "accept", "reject"),
        ("answer", "accept", "ignore"),
        ("status", "submitted", "discarded"),
        ("status", "Submitted", "Draft"),
        ("annotation_status", "approved", "pending"),
        ("标注状态", "已标注", "待标注"),
        ("审核状态", "已通过", "驳回"),
        ("审核结果", "通过", "不通过"),
        ("review_status", "ok", "failed"),
        ("is_valid", True, False),
        ("is_valid", 1, 0),
        ("is_correct", "yes", "no"),
        ("skipped", False, True),
        ("was_cancelled", "false", "true"),
        ("weight", 1, 0),
        ("weight", 1.0, 0.0),
        ("vote", 1, -1),
        ("sample_weight", 2.5, 0),
        ("reward", 1.0, 0.0),
    ],
)
def test_rows_that_say_that_they_do_not_count_are_left_out(tmp_path: Path, mark: str, good: Any, bad: Any) -> None:
    made = [{"text": r["input"], "label": r["output"], mark: good} for r in label_rows(60)]
    for row in made[30:]:
        row |= {"label": "wrong", mark: bad}
    made.append({"text": "", "label": "fruit", mark: good})
    loaded = read(tmp_path, made)
    assert len(loaded.examples) == 30
    assert loaded.task.labels == ("fruit", "tool")
    (left_out, set_aside) = loaded.warnings
    assert left_out.en.startswith("30 of 61 rows of rows.jsonl are left out")
    assert f"`{mark}` is" in left_out.en
    assert "(30)" in left_out.en
    assert "1 of 61 rows" in set_aside.en
    assert len(loaded.rejected) == 31


def test_more_than_half_left_out_on_purpose_is_no_fault(tmp_path: Path) -> None:
    made = [
        {"text": r["input"], "label": r["output"], "answer": "accept" if at % 3 == 0 else "reject"}
        for at, r in enumerate(label_rows(90))
    ]
    assert len(read(tmp_path, made).examples) == 30
    with pytest.raises(InputError, match="all 60 rows say of themselves that their answer does not count"):
        read(tmp_path, [row for row in made if row["answer"] == "reject"])


def test_what_things_weigh_is_no_mark(tmp_path: Path) -> None:
    made = [{"text": r["input"], "label": r["output"], "weight": at % 4 * 1.5} for at, r in enumerate(label_rows(60))]
    assert len(read(tmp_path, made).examples) == 60


def test_words_of_a_business_are_no_marks(tmp_path: Path) -> None:
    made = [
        {"text": r["input"], "label": r["output"], "status": ["completed", "pending", "cancelled"][at % 3]}
        for at, r in enumerate(label_rows(60))
    ]
    assert len(read(tmp_path, made).examples) == 60


def test_whether_the_system_was_right_says_nothing_of_the_truth(tmp_path: Path) -> None:
    made = [
        {**row, "correct": at % 2 == 1}
        for at, row in enumerate(rows(source="question", system="answer", right="ground_truth"))
    ]
    assert len(read(tmp_path, made).examples) == 60


def test_only_desired_completions_are_learnt(tmp_path: Path) -> None:
    made = [
        {"prompt": r["input"], "completion": r["output"] if at % 4 > 1 else "bad", "label": at % 4 > 1}
        for at, r in enumerate(label_rows(80))
    ]
    loaded = read(tmp_path, made)
    assert len(loaded.examples) == 40
    assert "bad" not in loaded.task.labels


def test_chosen_is_the_answer(tmp_path: Path) -> None:
    made = [{"prompt": r["input"], "rejected": "bad", "chosen": r["output"]} for r in label_rows(60)]
    assert read(tmp_path, made).task.labels == ("fruit", "tool")
    turns = [
        {
            "chosen": [{"role": "user", "content": r["input"]}, {"role": "assistant", "content": r["output"]}],
            "rejected": [{"role": "user", "content": r["input"]}, {"role": "assistant", "content": "bad"}],
        }
        for r in label_rows(60)
    ]
    loaded = read(tmp_path, turns)
    assert loaded.task.labels == ("fruit", "tool")
    assert loaded.examples[0].query.text == turns[0]["chosen"][0]["content"]


@pytest.mark.parametrize("mark", [{"weight": 0}, {"train": False}, {"loss": False}])
def test_a_turn_of_no_weight_is_context(tmp_path: Path, mark: dict[str, Any]) -> None:
    made = []
    for at, row in enumerate(label_rows(60)):
        turns = [
            {"role": "user", "content": row["input"]},
            {"role": "assistant", "content": row["output"], "weight": 1},
        ]
        if at % 2:
            turns += [{"role": "user", "content": "thx"}, {"role": "assistant", "content": "banana", **mark}]
        else:
            turns[:0] = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "banana", **mark}]
        made.append({"messages": turns})
    loaded = read(tmp_path, made)
    assert loaded.task.labels == ("fruit", "tool")
    assert [turn.content for turn in loaded.examples[0].query.messages][:2] == ["hi", "banana"]


def test_a_conversation_as_the_text_of_a_cell(tmp_path: Path) -> None:
    import csv
    import json

    path = tmp_path / "chat.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "messages"])
        for at, row in enumerate(label_rows(60)):
            turns = [{"role": "user", "content": row["input"]}, {"role": "assistant", "content": row["output"]}]
            writer.writerow([at, json.dumps(turns)])
    assert load(task_file_for(str(path))).task.labels == ("fruit", "tool")


def test_a_test_file_has_marks_of_its_own(tmp_path: Path) -> None:
    made = [{"text": r["input"], "label": r["output"]} for r in label_rows(90)]
    test = [row | {"status": "approved" if at % 2 else "rejected"} for at, row in enumerate(made[60:])]
    loaded = read(tmp_path, made[:60], test=str(write_rows(tmp_path / "test.jsonl", test)))
    assert len(loaded.test_examples or ()) == 15
    assert "15 of 30 rows of test.jsonl are left out" in " ".join(text.en for text in loaded.warnings)


def test_a_test_file_with_a_better_answer_is_asked_about(tmp_path: Path) -> None:
    made = [{"text": r["input"], "label": r["output"]} for r in label_rows(90)]
    test = write_rows(tmp_path / "test.jsonl", [row | {"gold_label": "fruit"} for row in made[60:]])
    with pytest.raises(InputError, match=r"test.jsonl: `gold_label` says of itself that it is right"):
        read(tmp_path, made[:60], test=str(test))
    chosen = read(tmp_path, made[:60], test=str(test), fields={"input": "text", "output": "label"})
    assert len(chosen.test_examples or ()) == 30

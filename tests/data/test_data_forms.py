"""Answers in the forms that files write them: found, read, and said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tuneworth.core.answers import after_reasoning, marked_answer
from tuneworth.data.forms import as_json
from tuneworth.data.infer import Pair, guess_metric
from tuneworth.data.language import guess_language, has_other_scripts
from tuneworth.data.load import Loaded, load
from tuneworth.data.taskfile import task_file_for

PLACES = ["harbour", "mill", "tower", "chapel", "quarry", "market", "ferry", "school"]


def loaded(folder: Path, outputs: list[Any], **options: Any) -> Loaded:
    rows = [
        {"question": f"Note {at} on the {PLACES[at % 8]} by road {at * 37 % 101}", "answer": output}
        for at, output in enumerate(outputs)
    ]
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return load(task_file_for(path, **options))


def said(result: Loaded) -> str:
    assert all(text.zh and text.zh != text.en for text in (*result.inferred, *result.warnings))
    return "\n".join(text.en for text in (*result.inferred, *result.warnings))


def test_a_list_with_one_name_is_a_label(tmp_path: Path) -> None:
    result = loaded(tmp_path, [["billing", "delivery", "repair"][at % 3 : at % 3 + 1] for at in range(60)])
    assert (result.task.kind, result.task.metric) == ("label", "accuracy")
    assert result.task.labels == ("billing", "delivery", "repair")
    assert "every output is a list with one item" in said(result)


def test_a_list_stays_a_list_where_the_user_says_json(tmp_path: Path) -> None:
    outputs = [["billing", "delivery", "repair"][at % 3 : at % 3 + 1] for at in range(60)]
    assert loaded(tmp_path, outputs, output={"kind": "json"}).examples[0].output == '["billing"]'


@pytest.mark.parametrize(
    "written",
    [
        lambda value: f"```json\n{json.dumps(value)}\n```",
        lambda value: f"```\r\n{json.dumps(value)}```",
        repr,
        lambda value: json.dumps(json.dumps(value)),
    ],
)
def test_json_in_a_fence_in_quotes_or_as_python_writes_it_is_json(tmp_path: Path, written: Any) -> None:
    values = [{"room": PLACES[at % 8], "nights": at, "paid": at % 2 == 0, "note": None} for at in range(40)]
    result = loaded(tmp_path, [written(value) for value in values])
    assert result.task.kind == "json"
    assert [json.loads(row.output) for row in result.examples] == values
    assert "40 of 40 outputs are JSON in a code fence" in said(result)


@pytest.mark.parametrize(
    "text",
    [
        "{1: open('/etc/passwd')}",
        "[1, 2",
        "{'a': b'x'}",
        "(" * 9_000,
        "[" * 60_000,
        "(1).real",
        "```\n```",
        "{'a'}" * 9,
        '"[',
    ],
)
def test_what_is_no_literal_is_left_as_it_is(text: str) -> None:
    assert as_json(text) == text


@pytest.mark.parametrize(
    ("written", "answer"),
    [
        ("<think>\nit is about money\n</think>\n\nbilling", "billing"),
        ("it is about money</think> billing", "billing"),
        ("<Reasoning>a <think>b</think> c</Reasoning><answer>\nbilling\n</answer>", "billing"),
        ("<think>never done", ""),
        ("plain < think > text", "plain < think > text"),
        ("x", "x"),
    ],
)
def test_reasoning_before_an_answer_is_not_the_answer(written: str, answer: str) -> None:
    assert after_reasoning(written) == answer


def test_outputs_that_think_first_are_read_after_it(tmp_path: Path) -> None:
    outputs = [f"<think>row {at} is odd</think>\n{['billing', 'delivery', 'repair'][at % 3]}" for at in range(60)]
    result = loaded(tmp_path, outputs)
    assert (result.task.kind, result.task.labels) == ("label", ("billing", "delivery", "repair"))
    assert "60 of 60 outputs think before they answer" in said(result)


def test_a_row_that_only_thinks_is_set_aside(tmp_path: Path) -> None:
    outputs = [f"<think>row {at}</think>{['billing', 'repair'][at % 2]}" for at in range(40)]
    result = loaded(tmp_path, [*outputs, "<think>and then"])
    assert [row.line for row in result.rejected] == [41]


@pytest.mark.parametrize("shape", ["list", "squad", "squad file", "texts", "triviaqa"])
def test_lists_of_accepted_answers_are_references(tmp_path: Path, shape: str) -> None:
    rows = []
    for at in range(40):
        answers = [f"under the {PLACES[at % 8]} {at}", f"{PLACES[at % 8]} {at}"]
        held: Any = answers if shape == "list" else {"text": answers, "answer_start": [0, 4]}
        if shape == "squad file":
            held = [{"text": answer, "answer_start": 0} for answer in answers]
        elif shape == "texts":
            held = [{"text": answer} for answer in answers]
        elif shape == "triviaqa":
            held = {"value": answers[0], "aliases": answers[1:], "type": "x"}
        rows.append({"query": f"Where is part {at} of the {PLACES[at * 3 % 8]}?", "generation_gt": held})
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    result = load(task_file_for(path, fields={"input": "query", "output": "generation_gt"}))
    assert result.task.kind == "text"
    assert result.examples[1].references == ("under the mill 1", "mill 1")
    assert "is a list of accepted answers" in said(result)


@pytest.mark.parametrize("name", ["short_answers", "goldAnswers", "参考答案"])
def test_lists_of_answers_are_known_by_the_last_word(tmp_path: Path, name: str) -> None:
    rows = [{"question": f"Where, {at}?", name: [f"by the {PLACES[at % 8]} {at}", f"hill {at}"]} for at in range(40)]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    result = load(task_file_for(path, fields={"input": "question", "output": name}))
    assert result.examples[1].references == ("by the mill 1", "hill 1")


def test_a_list_to_write_stays_json(tmp_path: Path) -> None:
    result = loaded(tmp_path, [[f"{PLACES[at % 8]} {at}", f"part {at}"] for at in range(40)])
    assert result.task.kind == "json"


@pytest.mark.parametrize("unit", ["", " €", "kg"])
def test_decimal_commas_are_numbers(tmp_path: Path, unit: str) -> None:
    result = loaded(
        tmp_path,
        [f"{at % 3 or ''}{'.' if at % 3 else ''}{at * 7 % 900 + 100},{at % 100:02d}{unit}" for at in range(60)],
    )
    assert result.task.kind == "number"
    assert {"1107.01", "100"} <= {row.output for row in result.examples}
    assert "decimal comma" in said(result)


def test_decimal_commas_behind_narrow_spaces(tmp_path: Path) -> None:
    result = loaded(tmp_path, [f"{at + 1}\u202f{at * 7 + 100},5\u00a0€" for at in range(60)])
    assert (result.task.kind, result.examples[0].output) == ("number", "1100.5")


def test_a_comma_that_may_part_thousands_is_no_decimal_comma(tmp_path: Path) -> None:
    result = loaded(tmp_path, [f"{at % 9 + 1},{at * 37 % 900 + 100}" for at in range(60)])
    assert (result.task.kind, result.examples[0].output) == ("number", "1100")
    assert "decimal comma" not in said(result)


def test_json_in_the_only_fence_of_a_text_is_the_answer(tmp_path: Path) -> None:
    fenced = [f'Here it is:\n```json\n{{"team": "{PLACES[at % 3]}", "n": {at}}}\n```\nDone.' for at in range(60)]
    result = loaded(tmp_path, fenced)
    assert result.task.kind == "json"
    assert result.examples[0].output == '{"team": "harbour", "n": 0}'


def test_reasoning_before_the_answer_is_no_text_that_it_stands_in(tmp_path: Path) -> None:
    """The answer's own field is not the text of the row, however the answer was cut out of it."""
    outputs = [f"<think>so it is</think>\nthe {PLACES[at % 8]} number {at * 11} on hill {at}" for at in range(60)]
    assert loaded(tmp_path, outputs).task.metric != "extractive"
    assert loaded(tmp_path, [f"  return value + {at}" for at in range(60)]).task.metric != "extractive"


def test_why_numbers_are_no_amounts_is_said(tmp_path: Path) -> None:
    assert "units kg, g" in said(loaded(tmp_path, [f"{at * 7} {'kg' if at % 3 else 'g'}" for at in range(1, 61)]))
    assert "no numbers: 'N/A'" in said(loaded(tmp_path, ["N/A" if at % 12 == 0 else f"{at * 7.5}" for at in range(60)]))


def test_results_after_a_marker_get_their_metric_and_another_is_warned_of(tmp_path: Path) -> None:
    outputs = [f"There are {at} * 3 = {at * 3} boxes.\n#### {at * 3}" for at in range(40)]
    result = loaded(tmp_path, outputs)
    assert (result.task.kind, result.task.metric) == ("text", "final_answer")
    assert result.warnings == []
    assert "use `metric: final_answer`" in said(loaded(tmp_path, outputs, metric="chrf"))


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("a\n#### 1,234", "1,234"),
        ("so \\boxed{\\frac{1}{2}} holds", "\\frac{1}{2}"),
        ("Answer: 5 apples.", "5 apples"),
        ("**Final answer:** 42", "42"),
        ("The answer is Paris.", "Paris"),
        ("因此，答案是：128", "128"),
        ("最终答案为 三天。", "三天"),
        ("Answer: 1\nNo. Answer: 2", "2"),
        ("Answer:", None),
        ("no mark", None),
        ("\\boxed{never closed", None),
    ],
)
def test_the_marked_answer(text: str, answer: str | None) -> None:
    assert marked_answer(text) == answer


def span_pairs(chinese: bool) -> list[Pair]:
    names = (
        ["柏岚港", "沐川桥", "启禾塔", "澄宇楼"]
        if chinese
        else ["Borvik Bay", "Tessaly Bridge", "Quandle Mill", "Mirrow Tower"]
    )
    pairs = []
    for at in range(60):
        name, year = f"{names[at % 4]}{at}", 1700 + at * 3
        passage = (
            f"{name}始建于{year}年，由当地人修成，现在归镇里管理。"
            if chinese
            else f"{name} was built in {year} by the people of the town."
        )
        question = "哪座建筑属于镇里？" if chinese else "What was built by the town?"
        pairs.append(Pair(f"{passage}\n{question}", name if at % 2 else str(year)))
    return pairs


@pytest.mark.parametrize("chinese", [False, True])
def test_outputs_that_stand_in_their_row_are_extracted(chinese: bool) -> None:
    assert guess_metric("text", span_pairs(chinese)).metric == "extractive"


def test_outputs_that_stand_in_any_row_are_not_extracted() -> None:
    pairs = [Pair(f"the yes and the no of case {at}", ["yes", "no"][at % 2]) for at in range(60)]
    assert guess_metric("text", pairs).metric == "token_f1"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ('{"intent": "book_flight", "slots": {"from": "Oslo", "to": "Rome", "date": "2024-05-01"}}', "en"),
        ("Pump P-101 seal replaced, torque 35 Nm, vibration 4.2 mm/s, bearing temperature high", "en"),
        ("M8 x 40 hex bolt A2-70 DIN 933 zinc plated steel", "en"),
        ("Lager Pumpe 3 defekt, Dichtung ersetzt, Motor Test ok", "other"),
        ("Bestelling 123 status open, levering pending, klant betaald", "other"),
        ("Reparto pompe: sostituita tenuta, temperatura alta, motore fermo", "other"),
        ("ATGCCGTA GGCATTA; E = mc^2; F = ma", "other"),
    ],
)
def test_records_without_small_words_are_english_too(text: str, language: str) -> None:
    assert guess_language([text]).language == language


def test_what_similarity_does_not_see_is_said(tmp_path: Path) -> None:
    outputs = [f"The ferry leaves the {PLACES[at % 8]} at {at} past nine, every day but Sunday." for at in range(40)]
    assert "hardly what it says" in loaded(tmp_path, outputs, metric="semantic").warnings[0].en


@pytest.mark.parametrize(
    ("texts", "mixed"),
    [
        (["Where is my parcel?"] * 20, False),
        (["Where is my parcel?"] * 19 + ["我的包裹在哪里？"], True),
        (["Where is my parcel?"] * 39 + ["我的包裹在哪里？"], False),
        (["Wo ist mein Paket? Größe 3"] * 5, False),
        (["iPhone 15 的电池能用多久 with heavy use of the camera"] * 3, True),
        (["123 456"], False),
        ([], False),
    ],
)
def test_a_twentieth_in_another_script_is_seen(texts, mixed):
    assert has_other_scripts(texts) is mixed

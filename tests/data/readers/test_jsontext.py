"""JSON in every layout that people bring: what is read, what is set aside, and that no line is lost."""

from __future__ import annotations

import json

import pytest

from tuneworth.data.readers.jsontext import parse
from tuneworth.errors import InputError

A, B, C = ({"text": f"row {name}", "label": name} for name in "abc")
LINES = [json.dumps(row) for row in (A, B, C)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\n".join(LINES), ""),
        ("".join(LINES), "3 JSON documents"),
        (" ".join(LINES), "3 JSON documents"),
        ("\n".join(json.dumps(row, indent=2) for row in (A, B, C)), "3 JSON documents"),
        (f"[{LINES[0]}, {LINES[1]}][{LINES[2]}]", "2 JSON documents"),
        (f"[{LINES[0]}]\n[{LINES[1]}]\n[{LINES[2]}]\n", ""),
        (json.dumps([A, B], indent=1) + "\n" + json.dumps([C], indent=1), "2 JSON documents"),
        (f"{LINES[0]} {LINES[1]}\n{LINES[2]}", ""),
        (",\n".join(LINES), ""),
        ("[\n" + ",\n".join(LINES) + "\n]\n", ""),
        ("// made by a tool\n" + "\n# and another\n".join(LINES), "3 comment lines"),
        ("// made by a tool\n" + json.dumps([A, B, C], indent=1), ""),
        ("\r".join(LINES), ""),
        ("\r\n".join(LINES), ""),
        (json.dumps({"version": 1, "examples": [A, B, C]}), "the list under `examples`"),
        (json.dumps({"rows": [A, B, C], "more": [{"x": 1}]}, indent=1), "not read are `more`"),
        (json.dumps({"columns": ["text", "label"], "index": [0, 1, 2], "data": [list(r.values()) for r in (A, B, C)]}), 'orient "split"'),
        (json.dumps({"schema": {"fields": []}, "data": [A, B, C]}), ""),
        (json.dumps({key: {str(n): row[key] for n, row in enumerate((A, B, C))} for key in A}), 'orient "columns"'),
        (json.dumps({str(n): row for n, row in enumerate((A, B, C))}), 'orient "index"'),
        (json.dumps({key: [row[key] for row in (A, B, C)] for key in A}), 'orient "list"'),
    ],
)  # fmt: skip
def test_every_layout_gives_the_same_rows(text: str, said: str) -> None:
    rows = parse(text, "f.json")
    assert [row.value for row in rows.rows] == [A, B, C]
    assert not rows.rejected
    notes = " ".join(note.en for note in rows.notes)
    assert said in notes if said else notes == ""


def test_records_on_one_line_have_places_of_their_own() -> None:
    rows = parse(f"[{LINES[0]}, {LINES[1]}, {LINES[2]}]", "f.json").rows
    assert [row.line for row in rows] == [1, 1, 1]
    assert len({row.source for row in rows}) == 3


def test_a_key_that_stands_twice_is_set_aside_unless_the_values_agree() -> None:
    rows = parse('{"a": 1, "a": 2}\n{"a": 1, "a": 1}\n{"b": {"c": 1, "c": 2}}\n{"a": 3}', "f.jsonl")
    assert [row.line for row in rows.rows] == [2, 4]
    assert [(row.line, row.reason.en.split(" twice")[0]) for row in rows.rejected] == [(1, "has `a`"), (3, "has `c`")]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ('[\n{"a": 1}]\nend of file', r"f:3: the JSON ends on line 2, but text follows it: end of file"),
        ('[\n{"a": 1},\n{"a": 2', r"f:3: the file ends on line 3 in the middle of its JSON"),
        ('[\n{"a": "1"},\n{"a": "2 and', r"f:3: the file ends on line 3 in the middle of its JSON"),
        ("[{'a': None}]", r"f:1: is Python, not JSON, at column 3"),
        ('[{"a": 1},\n {"a": }]', r"f:2: is not valid JSON at column 8"),
    ],
)
def test_a_broken_document_is_named_with_its_place(text: str, match: str) -> None:
    with pytest.raises(InputError, match=match):
        parse(text, "f")


def test_broken_lines_are_set_aside_one_by_one() -> None:
    bad = ["{'text': 'x'}", '{"text": "x"', '{"a": 1} tail', "oops"]
    rows = parse("\n".join([bad[0], LINES[0], bad[1], LINES[1], bad[2], bad[3], LINES[2]]), "f.jsonl")
    assert [row.line for row in rows.rows] == [2, 4, 7]
    assert [row.line for row in rows.rejected] == [1, 3, 5, 6]
    assert "json.dumps" in rows.rejected[0].reason.en


def test_a_broken_line_in_an_array_with_a_row_a_line_stops_with_its_place() -> None:
    with pytest.raises(InputError, match=r"f:3: "):
        parse("[\n" + LINES[0] + ",\n{oops},\n" + LINES[1] + "\n]", "f")


def test_an_object_of_texts_is_questions_and_answers() -> None:
    rows = parse(json.dumps({f"question {n}": f"answer {n}" for n in range(12)}), "f.json")
    assert rows.rows[3].value == {"input": "question 3", "output": "answer 3"}
    assert "each key was read as `input`" in rows.notes[0].en


def test_squad_files_have_a_row_a_question() -> None:
    asked = [{"id": str(at), "question": f"who {at}", "answers": [{"text": "x", "answer_start": 0}]} for at in range(2)]
    rows = parse(json.dumps({"data": [{"title": "t", "paragraphs": [{"context": "c", "qas": asked}] * 2}]}), "f.json")
    assert [row.value["id"] for row in rows.rows] == ["0", "1", "0", "1"]
    assert rows.rows[0].value.keys() == {"title", "context", "id", "question", "answers"}

"""The column that says what rows belong together: found by name and by what it holds, and not where there is none."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from tuneworth.data.belonging import is_group_name
from tuneworth.data.load import Loaded, load
from tuneworth.data.split import make_split
from tuneworth.data.taskfile import task_file_for

WORDS = [
    a + b for a in ("ka", "lo", "mi", "ne", "po", "ru", "sa", "ti") for b in ("ban", "cor", "den", "fil", "gom", "hus")
]


def read(folder: Path, rows: list[dict[str, Any]], **options: Any) -> Loaded:
    path = folder / "rows.jsonl"
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return load(task_file_for(path, **options))


def talks(n: int, turns: int, column: str, *, alike: bool = True, seed: int = 0) -> list[dict[str, Any]]:
    """Rows of ``n`` talks of several turns; those of one talk share some words when they are ``alike``."""
    rng, rows = random.Random(seed), list[dict[str, Any]]()
    for talk in range(n):
        topic = rng.sample(WORDS, 3)
        for _ in range(turns):
            text = " ".join([*(topic if alike else rng.sample(WORDS, 3)), *rng.sample(WORDS, 5)])
            rows.append({"text": text, "label": rng.choice("xyz"), column: f"k{talk:03d}"})
    rng.shuffle(rows)
    return rows


def group_of(loaded: Loaded) -> str | None:
    assert loaded.shape is not None
    return loaded.shape.extras.group


@pytest.mark.parametrize(
    "column",
    [
        "conversation_id",
        "sessionId",
        "user",
        "Customer No",
        "patient-id",
        "doc_id",
        "thread",
        "source_url",
        "会话ID",
        "用户编号",
    ],
)
def test_columns_are_known_by_their_names(tmp_path: Path, column: str) -> None:
    assert is_group_name(column)
    found = read(tmp_path, talks(60, 4, column, alike=False))
    assert group_of(found) == column
    assert any(f"`{column}`" in note.en and "fields: {group: none}" in note.en for note in found.inferred)
    prepared = make_split(found, seed=0)
    sides: dict[str, set[str]] = {}
    for side, rows in (("train", prepared.split.train), ("dev", prepared.split.dev), ("test", prepared.split.test)):
        for row in rows:
            sides.setdefault(json.loads(found.raw[row.id])[column], set()).add(side)
    assert all(len(on) == 1 for on in sides.values())


@pytest.mark.parametrize(
    "column", ["label_id", "user_message", "category", "length", "source", "title", "topic", "类别"]
)
def test_other_columns_are_not(column: str) -> None:
    assert not is_group_name(column)


def test_a_column_of_ids_is_known_by_the_rows_that_share_one(tmp_path: Path) -> None:
    assert group_of(read(tmp_path, talks(60, 4, "ref"))) == "ref"
    assert group_of(read(tmp_path, talks(60, 4, "ref", alike=False))) is None


def test_what_is_no_group(tmp_path: Path) -> None:
    rng = random.Random(1)
    rows = talks(60, 4, "text_id", alike=False)
    for at, row in enumerate(rows):
        row["text_id"] = f"row-{at}"  # on no other row
        row["category"] = f"c{rng.randrange(6)}"  # few values
        row["length"] = len(row["text"])  # repeats, and rows of one value may be alike
        row["user"] = "anonymous"
        row["is_test"] = bool(at % 2)
        row["turns"] = [row["text"]]
    assert group_of(read(tmp_path, rows)) is None


def test_another_name_for_the_answer_is_no_group(tmp_path: Path) -> None:
    rows = talks(60, 5, "topic_code")
    for row in rows:
        row["label"] = f"about {row['topic_code']}"
    assert group_of(read(tmp_path, rows)) is None


def test_the_user_decides(tmp_path: Path) -> None:
    rows = talks(60, 4, "customer_id")
    for row in rows:
        row["region"] = row["customer_id"][:3]
    given = {"input": "text", "output": "label"}
    assert group_of(read(tmp_path, rows, fields={**given, "group": "region"})) == "region"
    off = read(tmp_path, rows, fields={**given, "group": "none"})
    assert group_of(off) is None
    assert not any("belong together" in note.en for note in off.inferred)


def test_with_few_values_it_is_only_said(tmp_path: Path) -> None:
    found = read(tmp_path, talks(12, 10, "customer_id"))
    assert group_of(found) is None
    assert any("`customer_id`" in note.en and "only 12 values" in note.en for note in found.inferred)


def test_numbers_from_a_table_with_gaps_are_names(tmp_path: Path) -> None:
    """pandas writes whole numbers with gaps as 17.0 and NaN."""
    rows = talks(60, 4, "customer_no", alike=False)
    for at, row in enumerate(rows):
        row["customer_no"] = float("nan") if at % 9 == 0 else float(row["customer_no"][1:]) + 100
    found = read(tmp_path, rows)
    assert group_of(found) == "customer_no"
    assert any("60 values" in note.en for note in found.inferred)


def test_of_two_columns_the_coarser_is_taken(tmp_path: Path) -> None:
    rows = talks(120, 3, "session_id")
    for row in rows:
        row["user_id"] = f"u{int(row['session_id'][1:]) // 2}"
    assert group_of(read(tmp_path, rows)) == "user_id"


def test_large_groups_leave_enough_of_them_on_dev_and_test(tmp_path: Path) -> None:
    prepared = make_split(read(tmp_path, talks(48, 60, "user")), seed=0)
    for side, most in ((prepared.split.test, 300), (prepared.split.dev, 150)):
        assert len(side) <= most
    assert len({row.group for row in prepared.split.test}) >= 10
    assert len({row.group for row in prepared.split.train}) >= 24

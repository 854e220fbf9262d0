"""Rows with dates: the column is found and said, and the newest rows are the test rows where that is asked for."""

from __future__ import annotations

import json
import random
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tuneworth.data.load import Loaded, load
from tuneworth.data.split import make_split
from tuneworth.data.taskfile import task_file_for
from tuneworth.errors import InputError

WORDS = [
    a + b for a in ("ka", "lo", "mi", "ne", "po", "ru", "sa", "ti") for b in ("ban", "cor", "den", "fil", "gom", "hus")
]


def rows_of_days(n: int, column: str = "created_at", form: str = "%Y-%m-%dT10:00:00Z") -> list[dict[str, Any]]:
    rng, first = random.Random(4), date(2024, 1, 1)
    rows = [
        {
            "text": " ".join(rng.sample(WORDS, 7)),
            "label": rng.choice("xyz"),
            column: (first + timedelta(days=at)).strftime(form.replace("%s", str(1_704_110_400 + 86_400 * at))),
        }
        for at in range(n)
    ]
    rng.shuffle(rows)
    return rows


def read(folder: Path, rows: list[dict[str, Any]], **options: Any) -> Loaded:
    path = folder / "rows.jsonl"
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return load(task_file_for(path, **options))


def said(loaded: Loaded) -> str:
    return "\n".join(note.en for note in loaded.inferred)


@pytest.mark.parametrize(
    ("column", "form"),
    [
        ("created_at", "%Y-%m-%dT10:00:00Z"),
        ("date", "%Y/%m/%d"),
        ("message_time", "%Y-%m-%d 08:30"),
        ("创建时间", "%Y年%m月%d日"),
        ("date", "%m/%d/%Y"),
        ("date", "%d.%m.%Y 10:30"),
        ("timestamp", "%s"),
        ("created_at", "%s000"),
    ],
)
def test_the_newest_rows_are_the_test_rows(tmp_path: Path, column: str, form: str) -> None:
    loaded = read(tmp_path, rows_of_days(200, column, form), split={"by": "date"})
    split = make_split(loaded, seed=0).split
    days = [[row.changed for row in side if row.changed] for side in (split.train, split.dev, split.test)]
    assert [len(side) for side in days] == [120, 30, 50]
    assert max(days[0]) < min(days[1]) <= max(days[1]) < min(days[2])
    assert f"`{column}`" in said(loaded)


def test_a_column_of_days_needs_no_name(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [row | {"when": date.fromisoformat(row.pop("created_at")[:10])} for row in rows_of_days(60)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "rows.parquet")
    assert "Rows have dates in `when`" in said(load(task_file_for(tmp_path / "rows.parquet")))


def test_by_chance_dates_are_only_said(tmp_path: Path) -> None:
    loaded = read(tmp_path, rows_of_days(200))
    assert "split: {by: date}" in said(loaded)
    test = [row.changed for row in make_split(loaded, seed=0).split.test if row.changed]
    assert min(test) < date(2024, 3, 1)


def test_a_group_is_as_new_as_its_newest_row(tmp_path: Path) -> None:
    rows = sorted(rows_of_days(200), key=lambda row: row["created_at"])
    for at, row in enumerate(rows):
        row["thread_id"] = f"t{at % 100}" if at >= 100 else f"t{at}"  # each thread goes on a hundred days later
    split = make_split(read(tmp_path, rows, split={"by": "date"}), seed=0).split
    sides = [{row.group for row in side} for side in (split.train, split.dev, split.test)]
    assert not sides[0] & sides[1]
    assert not sides[0] & sides[2]
    assert not sides[1] & sides[2]
    newest = max(row.changed for row in split.train if row.changed)
    for group in sides[2]:
        assert max(row.changed for row in split.test if row.group == group and row.changed) > newest


def test_rows_without_a_date_are_for_training(tmp_path: Path) -> None:
    rows = rows_of_days(200)
    for row in rows[:40]:
        row["created_at"] = None
    split = make_split(read(tmp_path, rows, split={"by": "date"}), seed=0).split
    assert all(row.changed for row in (*split.dev, *split.test))
    assert sum(row.changed is None for row in split.train) == 40


@pytest.mark.parametrize("column", ["price", "created_at"])
def test_without_dates_that_can_be_read_it_is_refused(tmp_path: Path, column: str) -> None:
    rows = rows_of_days(60, column, "%d")
    if column == "created_at":  # either part may be the month
        rows = [row | {column: f"{at % 12 + 1:02d}/{at % 7 + 1:02d}/2024"} for at, row in enumerate(rows)]
    with pytest.raises(InputError) as error:
        read(tmp_path, rows, split={"by": "date"})
    shown = str(error.value)
    assert "rows.jsonl split.by" in shown
    assert column in shown
    assert "fields.date" in shown


@pytest.mark.parametrize("column", ["response_time", "time"])
def test_numbers_of_seconds_are_no_dates(tmp_path: Path, column: str) -> None:
    rows = rows_of_days(60)
    for at, row in enumerate(rows):
        del row["created_at"]
        row[column] = 1.5 + at
    assert "split: {by: date}" not in said(read(tmp_path, rows))


def test_groups_that_were_found_do_not_empty_a_test_file(tmp_path: Path) -> None:
    rows = rows_of_days(200)
    for at, row in enumerate(rows):
        row["user"] = f"u{at % 50}"
    test = tmp_path / "test.jsonl"
    test.write_text("\n".join(json.dumps(row) for row in rows[120:]), encoding="utf-8")
    found = make_split(read(tmp_path, rows[:120], test=test), seed=0)
    assert len(found.split.test) == 80
    assert any("80 test rows have a `user`" in warning.en for warning in found.summary.warnings)
    fields = {"input": "text", "output": "label", "group": "user"}
    named = read(
        tmp_path,
        [row for row in rows[:120] if row["user"] not in ("u1", "u2", "u3", "u4", "u5", "u6")],
        test=test,
        fields=fields,
    )
    prepared = make_split(named, seed=0)
    assert len(prepared.leaks) > 60
    assert len(prepared.split.test) == 80 - len(prepared.leaks)

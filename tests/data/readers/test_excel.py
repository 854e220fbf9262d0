"""Workbooks: the sheet with the rows, dates, formulas, and files renamed to .csv."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tuneworth.data.formats import read
from tuneworth.data.load import load
from tuneworth.data.taskfile import task_file_for
from tuneworth.errors import InputError
from tuneworth.race.folder import settings_digest


def book(path: Path, **sheets: list[list[Any]]) -> Path:
    made = openpyxl.Workbook()
    made.remove(made.active)  # pyright: ignore[reportArgumentType]
    for title, rows in sheets.items():
        sheet = made.create_sheet(title)
        for row in rows:
            sheet.append(row)
    made.save(path)
    return path


ROWS: list[list[Any]] = [["text", "label", "n", "day", None], *([f"row {n}", "ab"[n % 2], n, datetime(2024, 5, 1), None] for n in range(30))]  # fmt: skip


@pytest.mark.parametrize("name", ["rows.xlsx", "rows.csv"])
def test_the_sheet_with_the_rows_is_read(tmp_path: Path, name: str) -> None:
    path = book(tmp_path / "made.xlsx", About=[["made in May"]], Data=[["Export of May"], [], *ROWS]).rename(
        tmp_path / name
    )
    data = read(str(path))
    assert len(data.rows) == 30
    assert data.rows[0].value == {"text": "row 0", "label": "a", "n": 0, "day": date(2024, 5, 1)}
    assert data.rows[0].line == 4
    said = " ".join(note.en for note in data.notes)
    assert "sheet Data was read; not read: 'About' (1)" in said
    assert data.suffix == ""


def test_several_sheets_with_rows_are_not_guessed_at(tmp_path: Path) -> None:
    path = book(tmp_path / "rows.xlsx", May=ROWS, June=ROWS)
    with pytest.raises(InputError, match=r"several sheets have rows: 'May' \(31\), 'June' \(31\); .* 'rows.xlsx#May'"):
        read(str(path))
    assert len(read(f"{path}#June").rows) == 30
    with pytest.raises(InputError, match=r"no sheet 'July' with rows; it has: 'May' \(31\), 'June' \(31\)"):
        read(f"{path}#July")


def test_two_sheets_are_train_and_test(tmp_path: Path) -> None:
    rows = [["text", "label"], *([f"{at} {'kiwi' if at % 2 else 'saw'} {at * 7}", "ab"[at % 2]] for at in range(80))]
    path = book(tmp_path / "rows.xlsx", 训练=rows[:61], 测试=[rows[0], *rows[61:]])
    loaded = load(task_file_for(f"{path}#训练", test=f"{path}#测试"))
    assert (len(loaded.examples), len(loaded.test_examples or ())) == (60, 20)
    assert settings_digest(task_file_for(f"{path}#训练")) != settings_digest(task_file_for(f"{path}#测试"))


def test_empty_cells_at_the_end_of_a_row_are_empty_cells(tmp_path: Path) -> None:
    path = book(
        tmp_path / "rows.xlsx",
        Data=[["text", "label", "note"], *([f"row {n}", "a"] for n in range(9)), ["x", "b", "n"]],
    )
    data = read(str(path))
    assert len(data.rows) == 10
    assert not data.notes


def test_formulas_without_values_are_no_empty_cells(tmp_path: Path) -> None:
    path = book(tmp_path / "rows.xlsx", Data=[["text", "label"], ["one", "a"], ["two", '=IF(A3="two","b","a")']])
    with pytest.raises(InputError, match=r"rows\.xlsx:3: cell B3 has a formula without a stored value"):
        read(str(path))


def test_a_broken_workbook_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.xlsx"
    path.write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(InputError, match=r"rows\.xlsx: cannot be"):
        read(str(path))

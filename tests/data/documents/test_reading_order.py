"""Pages of several columns are read column by column, however they were drawn; other pages stay as they are."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from data.documents.document_files import pdf_of_places, put
from tuneworth.data.documents.load import read_documents

NAMES = [
    "canal",
    "quarry",
    "glacier",
    "barley",
    "harbour",
    "keeper",
    "lantern",
    "meadow",
    "saddle",
    "timber",
    "winter",
    "copper",
    "market",
    "bridge",
]


def sentence(n: int) -> str:
    return f"The {NAMES[n % 14]} with number {n} was built near the old {NAMES[(n * 5 + 3) % 14]} and is still there."


def column(first: int, n: int, width: int = 38) -> list[str]:
    return textwrap.wrap(" ".join(sentence(first + at) for at in range(n)), width)


def side_by_side(
    *columns: list[str], top: float = 740, lefts: tuple[float, ...] = (50, 310)
) -> list[tuple[float, float, str]]:
    """Lines of columns, drawn line by line across the page."""
    rows = max(map(len, columns))
    return [
        (left, top - 13 * at, lines[at]) for at in range(rows) for left, lines in zip(lefts, columns) if at < len(lines)
    ]


def text_of(tmp_path: Path, *pages: list[tuple[float, float, str]]) -> str:
    return " ".join(" ".join(read_documents(str(put(tmp_path, "x.pdf", pdf_of_places(pages))))).split())


@pytest.mark.parametrize("n", [2, 3])
def test_columns_drawn_line_by_line_are_read_one_after_the_other(tmp_path: Path, n: int) -> None:
    lefts, width = ((50, 310), 38) if n == 2 else ((40, 220, 400), 26)
    columns = [column(10 * at, 6, width) for at in range(n)]
    text = text_of(tmp_path, side_by_side(*columns, lefts=lefts))
    places = [text.find(sentence(10 * at + inner)) for at in range(n) for inner in range(6)]
    assert -1 not in places
    assert places == sorted(places)


def test_lines_across_the_page_part_the_columns(tmp_path: Path) -> None:
    title = (50, 780, "A title that runs over both of the columns of this page, from left to right, as they do")
    middle = (50, 500, "And in the middle a line across both of the columns, such as the head of a new part has it")
    page = [
        title,
        *side_by_side(column(0, 5), column(10, 5)),
        middle,
        *side_by_side(column(20, 5), column(30, 5), top=480),
    ]
    page += [(292, 30, "17")]
    text = text_of(tmp_path, page)
    marks = [title[2], sentence(4), sentence(10), middle[2], sentence(24), sentence(30), "17"]
    places = [text.find(mark) for mark in marks]
    assert -1 not in places
    assert places == sorted(places)


def test_words_cut_at_the_end_of_a_line_are_whole(tmp_path: Path) -> None:
    left, right = column(0, 6), column(10, 6)
    left[2], left[3] = "and every inter-", "national harbour has one of these now"
    assert "every international harbour" in text_of(tmp_path, side_by_side(left, right))


@pytest.mark.parametrize(
    "rows",
    [
        [("Name of the part", "Price"), *((f"Part number {n} of the pump", f"{n}.50 EUR each") for n in range(20))],
        [(f"Question {n} of the list?", f"It is answered with the word {NAMES[n % 14]} here") for n in range(20)],
        [(NAMES[n % 14], sentence(n)[:45].strip()) for n in range(20)],
    ],
)
def test_tables_stay_in_rows(tmp_path: Path, rows: list[tuple[str, str]]) -> None:
    page = side_by_side([left for left, _ in rows], [right for _, right in rows])
    text = text_of(tmp_path, page)
    assert all(f"{left} {right}" in text for left, right in rows)


def test_cells_of_several_lines_stay_together(tmp_path: Path) -> None:
    page, top = list[tuple[float, float, str]](), 760.0
    for n in range(8):
        for left, first in ((50, n), (310, n + 20)):
            page += [(left, top - 13 * at, line) for at, line in enumerate(column(first, 1))]
        top -= 60
    text = text_of(tmp_path, page)
    assert all(f"{sentence(n)} {sentence(n + 20)}" in text for n in range(8))


def test_one_column_stays_as_it_is(tmp_path: Path) -> None:
    lines = column(0, 20, 85)
    assert text_of(tmp_path, [(50, 780 - 13 * at, line) for at, line in enumerate(lines)]) == " ".join(lines)


def test_columns_drawn_one_after_the_other_stay_so(tmp_path: Path) -> None:
    page = side_by_side(column(0, 6), column(10, 6))
    page.sort(key=lambda placed: placed[0])
    text = text_of(tmp_path, page)
    assert text.find(sentence(5)) < text.find(sentence(10))

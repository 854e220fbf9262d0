"""Tables with cells that span rows or columns: every number stands with its own headers."""

from __future__ import annotations

from data.documents.document_files import put, saved
from tuneworth.data.documents.load import read_documents
from tuneworth.data.documents.tables import Cell, table_lines

EXPECTED = [
    "Zone | Time | Adult single | Adult day pass | Child single | Child day pass",
    "Zone: 1 | Time: day | Adult single: 2.00 | Adult day pass: 5.00 | Child single: 1.00 | Child day pass: 2.50",
    "Zone: 1 | Time: night | Adult single: 3.00 | Adult day pass: 6.00 | Child single: 1.50 | Child day pass: 3.50",
    "valid from May",
]


def test_headers_that_span_are_said_with_every_cell_in_html(tmp_path) -> None:
    page = """<h1>Fares</h1><table><thead>
    <tr><th rowspan=2>Zone<th rowspan="2">Time<th colspan=2>Adult<th colspan=2>Child
    <tr><th>single<th>day pass<th>single<th>day pass</thead>
    <tr><td rowspan=2>1<td>day<td>2.00<td>5.00<td>1.00<td>2.50
    <tr><td>night<td>3.00<td>6.00<td>1.50<td>3.50
    <tr><td colspan=6>valid from May</table>"""
    assert read_documents(str(put(tmp_path, "x.html", page)))[0].splitlines()[-4:] == EXPECTED


def test_headers_that_span_are_said_with_every_cell_in_word(tmp_path) -> None:
    import docx

    word = docx.Document()
    table = word.add_table(rows=5, cols=6)
    for start, end, text in (
        ((0, 0), (1, 0), "Zone"), ((0, 1), (1, 1), "Time"), ((0, 2), (0, 3), "Adult"), ((0, 4), (0, 5), "Child"),
        ((2, 0), (3, 0), "1"), ((4, 0), (4, 5), "valid from May"),
    ):  # fmt: skip
        table.cell(*start).merge(table.cell(*end)).text = text
    rows = {
        1: ("single", "day pass") * 2,
        2: ("day", "2.00", "5.00", "1.00", "2.50"),
        3: ("night", "3.00", "6.00", "1.50", "3.50"),
    }
    for row, texts in rows.items():
        for at, text in enumerate(texts):
            table.cell(row, 6 - len(texts) + at).text = text
    path = put(tmp_path, "x.docx", saved(word))
    assert read_documents(str(path))[0].splitlines() == EXPECTED


def test_a_cell_over_several_rows_is_written_in_each() -> None:
    rows = [[Cell("a"), Cell("b")], [Cell("x", rows=2), Cell("1")], [Cell("2")], [Cell("y"), Cell("3")]]
    assert list(table_lines(rows)) == ["a | b", "x | 1", "x | 2", "y | 3"]


def test_spans_that_claim_too_much_stay_small() -> None:
    rows = [[Cell("a", columns=100_000), Cell("b", rows=100_000)], [Cell("c", rows=3)], []]
    assert all(len(line) < 2_000 for line in table_lines(rows))
    assert list(table_lines([])) == []
    assert list(table_lines([[Cell("a", rows=9)]])) == ["a"]

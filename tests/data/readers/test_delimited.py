"""Tables of text in every dialect: as many rows as the file has, and every line accounted for."""

from __future__ import annotations

import random

import pytest

from tuneworth.data.readers.delimited import parse
from tuneworth.errors import InputError


def texts(text: str) -> list[object]:
    return [row.value.get("text") for row in parse(text, "f.csv").rows]


def notes(text: str) -> str:
    return " ".join(note.en for note in parse(text, "f.csv").notes)


def test_quotes_that_only_stand_there_swallow_no_line() -> None:
    lines = [f'"Stop" he said {n}\ta' if n % 3 == 0 else f'a 5" nail, no. {n}\tb' if n % 3 else f'"open {n}\tc' for n in range(90)]  # fmt: skip
    lines[10] = '"tis the season\ta'
    lines[20] = 'he shouted "no"\tb'
    rows = parse("text\tlabel\n" + "\n".join(lines), "f.tsv")
    assert len(rows.rows) == 90
    assert rows.rows[10].value["text"] == '"tis the season'
    assert "as they stand" in rows.notes[0].en


def test_a_letter_over_two_lines_stays_one_record_though_each_line_has_a_comma() -> None:
    text = "text,label\n" + "".join(f'"Dear team, case {n}\nplease help",{"ab"[n % 2]}\n' for n in range(40))
    assert len(texts(text)) == 40
    assert texts(text)[0] == "Dear team, case 0\nplease help"


def test_a_stray_quote_in_a_quoted_file_costs_no_other_line() -> None:
    lines = [f'"text, number {n}","a"' for n in range(30)]
    lines[12] = '"he said "no" twice","a"'
    rows = parse("text,label\n" + "\n".join(lines), "f.csv")
    assert len(rows.rows) == 30
    assert rows.rows[12].value["text"] == 'he said "no" twice'
    assert rows.rows[13].value["text"] == "text, number 13"
    assert "line 14 has a stray quotation mark" in rows.notes[0].en


def test_lines_that_cannot_be_told_apart_are_counted_as_lines() -> None:
    text = 'text,label\nfine,a\n"open, but, never closed,a\nnor, that,is, it\nand more,b\n'
    rejected = parse(text, "f.csv").rejected
    assert [(row.line, row.n_lines) for row in rejected] == [(3, 3)]
    assert "lines 3 to 5 (3 lines)" in rejected[0].reason.en


def test_backslashes_before_quotes() -> None:
    text = "text,label\n" + "".join(f'"she said \\"no, {n}\\" again",a\n' for n in range(9))
    assert texts(text)[0] == 'she said "no, 0" again'
    assert "\\" in notes(text)


def test_single_quotes_around_cells() -> None:
    text = "text,label\n" + "".join(f"'well, it''s row {n}','a'\n" for n in range(9))
    assert texts(text)[0] == "well, it's row 0"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_every_delimiter_and_line_end(mark: str, end: str) -> None:
    other = ";" if mark != ";" else ","
    lines = [f"text{mark}label", *(f"row{other} {n}{mark}a" for n in range(5))]
    assert texts(end.join(lines)) == [f"row{other} {n}" for n in range(5)]


def test_excels_hint_and_empty_columns_at_the_end() -> None:
    text = "sep=;\ntext;label;;\n" + "".join(f"row, {n};a;;\n" for n in range(5))
    rows = parse(text, "f.csv")
    assert [row.value for row in rows.rows] == [{"text": f"row, {n}", "label": "a"} for n in range(5)]
    assert rows.rows[0].line == 3


def test_headers_of_glued_files_are_no_rows() -> None:
    text = "text,label\n" + "text,label\n".join("".join(f"row {p}{n},a\n" for n in range(3)) for p in "xyz")
    assert len(texts(text)) == 9
    assert "2 more times (lines 5, 9)" in notes(text)


def test_a_header_in_another_order_holds_for_the_rows_below_it() -> None:
    rows = parse("text,label\nrow 1,a\nlabel,text\nb,row 2\nc,row 3\ntext,label\nrow 4,d\n", "f.csv").rows
    assert [(row.value["text"], row.value["label"]) for row in rows] == [
        (f"row {n}", "abcd"[n - 1]) for n in range(1, 5)
    ]


def test_one_column_is_said() -> None:
    with pytest.raises(InputError, match=r'f\.csv:1: the header "text" has one column'):
        parse("text\n" + "".join(f"Hello; row {n}\n" for n in range(9)), "f.csv")


def test_titles_above_the_header() -> None:
    text = "Export of May\n\nid,text,label\n" + "".join(f"{n},row {n},a\n" for n in range(5))
    assert texts(text)[0] == "row 0"
    assert "1 lines above the header (line 3)" in notes(text)


def test_cells_that_are_left_out_at_the_end_are_empty_ones() -> None:
    rows = parse("text,label,remark,more\nrow 1,a,x,y\nrow 2,b\nrow 3,c\n", "f.csv")
    assert [row.value["label"] for row in rows.rows] == ["a", "b", "c"]
    assert "2 rows have fewer cells" in rows.notes[0].en


def test_a_record_that_a_line_break_tore_is_no_row() -> None:
    rows = parse("id,text,label,score\n1,fine,a,1\n2,Dear Sir\nplease help,b,0\n3,well,a,1\n", "f.csv")
    assert [row.value["id"] for row in rows.rows] == ["1", "3"]
    assert [row.line for row in rows.rejected] == [3, 4]
    assert "torn by a line break" in rows.rejected[0].reason.en


def test_cells_too_many_are_set_aside_with_the_way_out() -> None:
    rows = parse("text,label\nwell, well,a\nfine,b\n", "f.csv")
    assert 'text that contains "," must stand in quotes' in rows.rejected[0].reason.en


def test_a_file_without_a_header_says_which_line_to_add() -> None:
    lines = [f'"text number {n}",{"ab"[n % 2]}' for n in range(30)]
    with pytest.raises(InputError, match=r"f\.csv:1: the first line looks like a row.*text,label"):
        parse("\n".join(lines), "f.csv")
    assert len(parse("0,1\n" + "".join(f"text {n},{n % 2}\n" for n in range(9)), "f.csv").rows) == 9
    survey = "How content are you with what we sent you last month?,Your team\n" + "".join(
        f"well {n},a\n" for n in range(9)
    )
    assert len(parse(survey, "f.csv").rows) == 9


def test_an_unnamed_column_keeps_its_cells() -> None:
    rows = parse(",text,label\n0,row,a\n1,other,b\n", "f.csv")
    assert rows.rows[0].value == {"column 1": "0", "text": "row", "label": "a"}


def test_every_line_of_odd_tables_is_a_row_or_part_of_one_or_set_aside() -> None:
    """The reader checks its own books; here they are checked against the text, and that good lines survive."""
    pieces = [
        "plain",
        '"quoted, cell"',
        '"open',
        'clo"se',
        '"a ""b"" c"',
        '\\"',
        "",
        "x, y",
        "tab\there",
        "'",
        "\x00",
        "\u2028",
    ]
    for seed in range(400):
        draw = random.Random(seed)
        mark = draw.choice(",;\t|")
        good = [f"row {n}{mark}label {n % 3}" for n in range(30)]
        odd = [mark.join(draw.choices(pieces, k=draw.randint(1, 4))) for _ in range(draw.randint(0, 6))]
        lines = good + odd
        draw.shuffle(lines)
        lines = [f"text{mark}label", *lines]
        rows = parse(draw.choice(["\n", "\r\n"]).join(lines), "f.csv")
        spans = [(row.line, max(row.line, row.end)) for row in (*rows.rows, *rows.rejected)]
        covered = sorted(n for start, end in (*spans, *rows.others) for n in range(start, end + 1))
        assert len(covered) == len(set(covered)), seed
        assert {n for n, line in enumerate(lines, start=1) if line.strip()} <= set(covered), seed

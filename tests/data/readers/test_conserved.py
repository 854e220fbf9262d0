"""Whatever a file looks like: what was put into it comes out once, as a row or set aside, or reading stops with a place."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from tuneworth.data.readers import delimited, jsontext
from tuneworth.data.rows import Rows
from tuneworth.errors import InputError

MARK = re.compile(r"#\d+#")
SEPARATORS = st.sampled_from(["\n", "\n\n", " ", ",\n", "\r\n", ""])
GARBAGE = st.sampled_from(
    [
        "oops",
        "// note\n",
        "# note\n",
        "]",
        "[",
        "{",
        "}",
        '"text"',
        "null",
        "{'a': 1}",
        "\x00",
        "\u2028",
        "[1, 2]",
        "12",
    ]
)
TEXTS = st.text(alphabet="ab ,;|\t\"'\\\n\r{}[]:#\u2028é中", max_size=12)
LAYOUTS = st.sampled_from(["object", "indented", "array", "indented array"])


def marks_of(rows: Rows) -> Counter[str]:
    """How often each mark came out."""
    shown = [json.dumps(row.value, ensure_ascii=False) for row in rows.rows] + [row.raw for row in rows.rejected]
    return Counter(mark for text in shown for mark in MARK.findall(text))


def read(parse: Callable[[str, str], Rows], text: str, *, or_stops: str) -> Rows | None:
    """The rows of ``text``; ``None`` where reading stops with an error that matches ``or_stops``."""
    try:
        return parse(text, "f")
    except InputError as error:
        if re.search(or_stops, str(error)) is None:
            raise
        return None


def covered(rows: Rows, lines: list[str]) -> bool:
    spans = [(row.line, max(row.line, row.end)) for row in (*rows.rows, *rows.rejected)] + rows.others
    inside = {n for start, end in spans for n in range(start, end + 1)}
    return all(n in inside for n, line in enumerate(lines, start=1) if line.strip())


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.data())
def test_json(data: st.DataObject) -> None:
    pieces, n = list[str](), 0
    for _ in range(data.draw(st.integers(1, 6))):
        layout = data.draw(LAYOUTS)
        size = data.draw(st.integers(1, 3)) if "array" in layout else 1
        records = [{"id": f"#{n + at}#", "text": data.draw(TEXTS)} for at in range(size)]
        n += size
        value = records if "array" in layout else records[0]
        pieces.append(json.dumps(value, ensure_ascii=False, indent=1 if "indented" in layout else None))
        if data.draw(st.integers(0, 5)) == 0:
            pieces.append(data.draw(GARBAGE))
    text = "".join(piece + data.draw(SEPARATORS) for piece in pieces)
    rows = read(jsontext.parse, text, or_stops=r"f:\d+|without a list of rows")
    if rows is None:
        return
    assert marks_of(rows) == {f"#{at}#": 1 for at in range(n)}
    assert covered(rows, (text if "\n" in text else text.replace("\r", "\n")).split("\n"))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.data())
def test_tables(data: st.DataObject) -> None:
    mark = data.draw(st.sampled_from(delimited.DELIMITERS))
    end = data.draw(st.sampled_from(["\n", "\r\n"]))
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=mark, lineterminator=end)
    writer.writerow(["id", "text", "label"])
    n = data.draw(st.integers(1, 12))
    for at in range(n):
        cells = [f"#{at}#", data.draw(TEXTS), data.draw(st.sampled_from("ab"))]
        if data.draw(st.booleans()):
            writer.writerow(cells)
        else:  # as programs write it that know nothing of quotes
            out.write(mark.join(cell.replace("\n", " ").replace("\r", " ") for cell in cells) + end)
    text = out.getvalue()
    rows = read(delimited.parse, text, or_stops=r"f:\d+")
    if rows is None:
        return
    assert marks_of(rows) == {f"#{at}#": 1 for at in range(n)}
    assert covered(rows, list(io.StringIO(text, newline="")))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(TEXTS, TEXTS.filter(str.strip)), min_size=2, max_size=12), st.sampled_from(delimited.DELIMITERS)
)
def test_tables_that_were_written_well_are_read_as_they_were_written(pairs: list[tuple[str, str]], mark: str) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=mark, quoting=csv.QUOTE_ALL)
    writer.writerow(["id", "text", "label"])
    writer.writerows([f"#{at}#", text, label] for at, (text, label) in enumerate(pairs))
    rows = read(delimited.parse, out.getvalue(), or_stops="looks like a row")
    if rows is None:
        return
    expected = [{"id": f"#{at}#", "text": text, "label": label} for at, (text, label) in enumerate(pairs)]
    assert [{"text": "", **row.value} for row in rows.rows] == expected

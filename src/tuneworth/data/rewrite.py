"""Writing rows back in the format they came in.

A row that did not change is written as it stood in its file, byte for byte where the format has rows of
text (JSON Lines). Text is written as UTF-8.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuneworth.data.files import decode, read_bytes
from tuneworth.data.formats import CSV_SUFFIXES, JSON_SUFFIXES, PARQUET_SUFFIXES, PREFIX
from tuneworth.data.readers.columnar import class_names
from tuneworth.data.readers.delimited import header_of
from tuneworth.data.rows import RawRow

_WRITTEN = (*JSON_SUFFIXES, *CSV_SUFFIXES, *PARQUET_SUFFIXES)


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A row of the new file; ``value`` is that of ``row`` unless it changed."""

    row: RawRow
    value: dict[str, Any]

    @property
    def changed(self) -> bool:
        return self.value is not self.row.value

    @property
    def text(self) -> str:
        """The row as JSON."""
        if not self.changed and self.row.text is not None:
            return self.row.text
        return json.dumps(self.value, ensure_ascii=False, default=str)


def file_name(source: str) -> str:
    """How the new file is called; what cannot be written back in its own format becomes JSON Lines."""
    if source.startswith(PREFIX):
        return source.removeprefix(PREFIX).replace("/", "-").replace(":", "-") + ".jsonl"
    path = Path(source)
    return path.name if path.suffix.lower() in _WRITTEN else f"{path.name.split('.')[0] or 'rows'}.jsonl"


def takes_lists(source: str) -> bool:
    """Whether a cell of the format may hold a list, as references do."""
    return Path(file_name(source)).suffix.lower() not in (*CSV_SUFFIXES, *PARQUET_SUFFIXES)


def content_of(source: str, rows: Sequence[Rewritten], *, plain: bool = True) -> bytes:
    """The bytes of ``source`` with ``rows`` in place of its own.

    Args:
        plain: the rows stand in the file as its suffix says; else it was unpacked or converted, and only rows are written.

    Raises:
        InputError: the source is not there any more, or cannot be read.
    """
    suffix = Path(file_name(source)).suffix.lower()
    if suffix in PARQUET_SUFFIXES:
        return _parquet(Path(source), rows) if plain else _new_parquet(rows)
    if suffix in CSV_SUFFIXES:
        return _encoded(_csv(_text_of(source) if plain else "", rows, "\t" if suffix == ".tsv" else ","))
    if not plain or suffix != Path(source).suffix.lower():
        return _encoded(_lines(rows))
    return _encoded(_json(_text_of(source), rows))


def _text_of(source: str) -> str:
    path = Path(source)
    return decode(read_bytes(path, path.name), path.name).text


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


def _lines(rows: Sequence[Rewritten]) -> str:
    return "".join(f"{row.text}\n" for row in rows)


def _json(text: str, rows: Sequence[Rewritten]) -> str:
    """JSON Lines, one array, or ``{"data": [...]}``, as the source was."""
    try:
        document = json.loads(text)
    except ValueError:
        return _lines(rows)
    array = "[\n" + ",\n".join(row.text for row in rows) + "\n]"
    if isinstance(document, list):
        return array + "\n"
    if isinstance(document.get("data"), list):
        return json.dumps({**document, "data": [row.value for row in rows]}, ensure_ascii=False, indent=1) + "\n"
    return _lines(rows)


def _csv(text: str, rows: Sequence[Rewritten], delimiter: str) -> str:
    """A table of the columns that the rows have, with the delimiter of ``text`` where there is one."""
    columns: list[str] = []
    if text.strip():
        delimiter, columns = header_of(text)
    columns = [column or f"column {at}" for at, column in enumerate(columns, start=1)]
    columns = list(dict.fromkeys([*columns, *(column for row in rows for column in row.value)]))
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, columns, restval="", delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(row.value for row in rows)
    return out.getvalue()


def _new_parquet(rows: Sequence[Rewritten]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist([row.value for row in rows]), sink)
    return sink.getvalue().to_pybytes()


def _parquet(path: Path, rows: Sequence[Rewritten]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    sink = pa.BufferOutputStream()
    # Untouched rows keep what a Python value may lose (nanoseconds, decimals).
    kept = table.take(pa.array([row.row.line - 1 for row in rows], pa.int64()))
    changed = {at: row.value for at, row in enumerate(rows) if row.changed}
    touched = {
        name for row in rows for name, cell in row.value.items() if row.changed and cell != row.row.value.get(name)
    }
    named = class_names(table.schema.metadata or {})
    for place, field in enumerate(kept.schema) if changed else ():
        if field.name in touched:
            cells = kept.column(place).to_pylist()
            # Where numbers were read as names of classes, the whole column is written as names.
            known = [row.value.get(field.name) for row in rows] if field.name in named else cells
            cells = [changed[at].get(field.name, cell) if at in changed else cell for at, cell in enumerate(known)]
            column = _column(cells, field.type)
            kept = kept.set_column(place, pa.field(field.name, column.type), column)
    pq.write_table(kept, sink)
    return sink.getvalue().to_pybytes()


def _column(cells: list[Any], kind: Any) -> Any:
    """``cells`` as a column of type ``kind``; as text when a placeholder took the place of a number."""
    import pyarrow as pa

    try:
        return pa.array(cells, type=kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([None if cell is None else str(cell) for cell in cells], type=pa.string())

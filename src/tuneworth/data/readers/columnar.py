"""Parquet and Arrow files: rows numbered from 1; numbers that a ``datasets`` schema calls classes become their names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tuneworth.data.rows import RawRow, Rows, without_nulls
from tuneworth.errors import EnvironmentProblem, InputError, Problem
from tuneworth.words.say import say

MAGIC = (b"PAR1", b"ARROW1", b"\xff\xff\xff\xff")
"""Parquet, Arrow's file format (Feather), and its stream format, which ``datasets`` writes."""


def parse(data: bytes, name: str) -> Rows:
    """
    Raises:
        EnvironmentProblem: pyarrow is not installed.
        InputError: the file is not Parquet or Arrow.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise EnvironmentProblem(Problem(name, say("rows.table.needs_pyarrow"))) from None
    buffer = pa.BufferReader(data)
    try:
        if data.startswith(b"ARROW1"):
            table = pa.ipc.open_file(buffer).read_all()
        elif data.startswith(b"\xff\xff\xff\xff"):
            table = pa.ipc.open_stream(buffer).read_all()
        else:
            table = pq.ParquetFile(buffer).read()
    except (pa.ArrowException, OSError) as error:
        raise InputError(Problem(name, say("rows.table.not_parquet", error=str(error)))) from error
    names = class_names(table.schema.metadata or {})
    rows = Rows(as_named=data.startswith(b"PAR1"))
    for batch in table.to_batches():
        for record in batch.to_pylist():
            value = without_nulls(record)
            with_names(value, names)
            rows.rows.append(RawRow(name, len(rows.rows) + 1, value))
    if names:
        rows.notes.append(say("reading.class_names", name=name, columns=", ".join(f"`{column}`" for column in names)))
    return rows


def class_names(metadata: Mapping[bytes, bytes]) -> dict[str, list[str]]:
    """Column → names of its classes, as ``datasets`` stores them in a schema under the key ``huggingface``."""
    try:
        features = json.loads(metadata.get(b"huggingface", b"{}"))["info"]["features"]
    except (ValueError, KeyError, TypeError):
        return {}
    found = {column: _names(feature) for column, feature in features.items()} if isinstance(features, dict) else {}
    return {column: names for column, names in found.items() if names}


def _names(feature: Any) -> list[str]:
    """The names of a ``ClassLabel``, alone or in a list; in older files a list is written as one."""
    if isinstance(feature, list) and len(feature) == 1:
        return _names(feature[0])
    if not isinstance(feature, dict):
        return []
    if feature.get("_type") == "ClassLabel":
        names = feature.get("names")
        return [str(name) for name in names] if isinstance(names, list) else []
    return _names(feature.get("feature"))


def with_names(value: dict[str, Any], names: Mapping[str, list[str]]) -> None:
    """Put names in the place of numbers; -1, which ``datasets`` writes for "no class", is taken out."""
    for column, known in names.items():
        cell = value.get(column)
        if isinstance(cell, list):
            value[column] = [_name(one, known) for one in cell]
        elif cell is not None:
            value[column] = _name(cell, known)
            if value[column] == -1:
                del value[column]


def _name(cell: Any, names: list[str]) -> Any:
    return names[cell] if isinstance(cell, int) and 0 <= cell < len(names) else cell

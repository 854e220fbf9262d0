"""JSON tasks: the schema the train side shows, and answers written in its order of keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tuneworth.core.task import Example, Task
from tuneworth.data.outputs import json_text, parse_structure
from tuneworth.data.schema import in_schema_order, infer_schema

if TYPE_CHECKING:
    from tuneworth.data.load import Loaded


def schema_of(rows: Sequence[Example]) -> dict[str, Any]:
    """The schema that accepts the outputs of all ``rows``."""
    return infer_schema([parse_structure(row.output) for row in rows])


def in_order(rows: Sequence[Example], schema: dict[str, Any]) -> list[Example]:
    """``rows`` with every answer written as constrained decoding would write it."""
    return [replace(row, output=_written(row.output, schema), references=_all_written(row, schema)) for row in rows]


def with_train_schema(
    loaded: Loaded, train: list[Example], dev: list[Example], test: list[Example]
) -> tuple[Task, list[Example], list[Example], list[Example]]:
    """Task and sides with the schema of the train side, so that nothing of a test row is in the task."""
    if loaded.task.kind != "json":
        return loaded.task, train, dev, test
    schema = loaded.task.json_schema or {}
    if loaded.schema_inferred:
        schema = schema_of(train)
    task = loaded.task.model_copy(update={"json_schema": schema})
    return task, in_order(train, schema), in_order(dev, schema), in_order(test, schema)


def _all_written(row: Example, schema: dict[str, Any]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_written(reference, schema) for reference in row.references))


def _written(text: str, schema: dict[str, Any]) -> str:
    value = parse_structure(text)
    return text if value is None else json_text(in_schema_order(value, schema))

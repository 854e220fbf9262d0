"""JSON schemas: made from examples for constrained decoding, and the check of answers against one.

A schema made here accepts every example it was made from and uses only ``type``, ``properties``, ``required``,
``enum``, ``items``, ``anyOf`` and ``additionalProperties``, which llguidance compiles. llguidance
also fixes the order of keys to that of ``properties``; ``in_schema_order`` writes answers that way,
so that what is learnt and what is allowed agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from tuneworth.core.task import Example
from tuneworth.data.rows import BadRow, quote
from tuneworth.data.values import json_text, parse_structure
from tuneworth.errors import EnvironmentProblem, Problem
from tuneworth.words.say import say

Schema = dict[str, Any]

ENUM_MIN_ROWS = 20
ENUM_MIN_USES = 5
ENUM_MAX_VALUES = 100
ENUM_MAX_CHARS = 60
NEW_VALUE_RATE = 0.005
"""Share of values (or keys) seen once. It estimates the chance that the next one is new
(Good 1953, "The population frequencies of species"), so a set is called closed below it."""
MAP_MIN_KEYS = 50

_TYPES: dict[type, str] = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}


def infer_schema(values: Sequence[Any]) -> Schema:
    """The narrowest schema of this subset that accepts all ``values``. No values: anything goes."""
    by_type: dict[str, list[Any]] = {}
    for value in values:
        by_type.setdefault(_type_name(value), []).append(value)
    if "number" in by_type and "integer" in by_type:
        by_type["number"] += by_type.pop("integer")
    variants = [_of_type(name, by_type[name]) for name in sorted(by_type)]
    if not variants:
        return {}
    return variants[0] if len(variants) == 1 else {"anyOf": variants}


def schema_of(rows: Sequence[Example]) -> dict[str, Any]:
    """The schema that accepts the outputs of all ``rows``."""
    return infer_schema([parse_structure(row.output) for row in rows])


def in_order(rows: Sequence[Example], schema: Schema) -> list[Example]:
    """``rows`` with every answer written as constrained decoding would write it."""

    def written(text: str) -> str:
        value = parse_structure(text)
        return text if value is None else json_text(in_schema_order(value, schema))

    return [
        replace(row, output=written(row.output), references=tuple(dict.fromkeys(map(written, row.references))))
        for row in rows
    ]


def in_schema_order(value: Any, schema: Schema) -> Any:
    """``value`` with the keys of its objects in the order of the schema's; others keep theirs, last."""
    if isinstance(value, list):
        inner = _variant(schema, "array").get("items", {})
        return [in_schema_order(item, inner) for item in value]
    if not isinstance(value, dict):
        return value
    chosen = _variant(schema, "object")
    properties: dict[str, Schema] = chosen.get("properties", {})
    more = chosen.get("additionalProperties")
    others: Schema = more if isinstance(more, dict) else {}
    keys = [key for key in properties if key in value] + [key for key in value if key not in properties]
    return {key: in_schema_order(value[key], properties.get(key, others)) for key in keys}


def _type_name(value: Any) -> str:
    if isinstance(value, dict):
        return "object"
    return "array" if isinstance(value, list) else _TYPES[type(value)]


def _of_type(name: str, values: list[Any]) -> Schema:
    if name == "object":
        return _object(values)
    if name == "array":
        items = infer_schema([item for value in values for item in value])
        return {"type": "array", "items": items} if items else {"type": "array"}
    return _string(values) if name == "string" else {"type": name}


def _string(values: list[str]) -> Schema:
    counts = Counter(values)
    once = sum(n == 1 for n in counts.values())
    closed = (
        len(values) >= ENUM_MIN_ROWS
        and len(counts) <= min(ENUM_MAX_VALUES, len(values) / ENUM_MIN_USES)
        and once <= NEW_VALUE_RATE * len(values)
        and max(map(len, counts)) <= ENUM_MAX_CHARS
    )
    return {"type": "string", "enum": sorted(counts)} if closed else {"type": "string"}


def _object(values: list[dict[str, Any]]) -> Schema:
    counts = Counter(key for value in values for key in value)
    once = sum(n == 1 for n in counts.values())
    closed = once <= NEW_VALUE_RATE * len(values)
    if not closed and len(counts) >= MAP_MIN_KEYS:  # keys are data: names, dates, ids
        return {"type": "object", "additionalProperties": infer_schema([v for value in values for v in value.values()])}
    properties = {key: infer_schema([v[key] for v in values if key in v]) for key in _usual_order(values)}
    required = [key for key in properties if counts[key] == len(values)]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": not closed}


def _usual_order(values: list[dict[str, Any]]) -> list[str]:
    """Keys by their mean place among the keys they occur with; earlier in the file on a tie."""
    places: dict[str, list[float]] = {}
    for value in values:
        for at, key in enumerate(value):
            places.setdefault(key, []).append((at + 0.5) / len(value))
    return sorted(places, key=lambda key: sum(places[key]) / len(places[key]))


def _variant(schema: Schema, kind: str) -> Schema:
    """The part of ``schema`` that describes values of type ``kind``."""
    if schema.get("type") == kind:
        return schema
    return next((part for part in schema.get("anyOf", []) if part.get("type") == kind), {})


def schema_fault(schema: dict[str, Any]) -> str | None:
    """What is wrong with ``schema`` itself, or ``None``."""
    validator = _validator_class()
    error = next(validator(validator.META_SCHEMA).iter_errors(schema), None)
    return None if error is None else f"{error.json_path}: {quote(error.message)}"


def schema_check(schema: dict[str, Any], name: str) -> Callable[[Any], None]:
    """A check that raises ``BadRow`` on a value of the field ``name`` that the valid ``schema`` refuses."""
    validator = _validator_class()(schema)

    def check(value: Any) -> None:
        error = next(validator.iter_errors(value), None)
        if error is not None:
            shown = quote(error.message)
            raise BadRow(say("rows.output.breaks_schema", name=name, json_path=error.json_path, shown=shown))

    return check


def _validator_class() -> Any:
    try:
        from jsonschema import Draft202012Validator
    except ImportError:
        raise EnvironmentProblem(Problem("output.schema", say("rows.output.needs_jsonschema"))) from None
    return Draft202012Validator

"""A JSON schema in the few words a prompt can afford.

``{"intent": "GetWeather" | "PlayMusic", "slots": {"city"?: string}}`` says in 20 tokens what the
schema itself says in 80. Only the form is described: bounds, patterns and formats are left to the
constraint.
"""

from __future__ import annotations

import json
from typing import Any

JsonSchema = dict[str, Any]

MAX_ENUM = 60
"""Longer lists of allowed values are left out: the constraint still holds them."""


def schema_text(schema: JsonSchema | None) -> str:
    """One line that shows the form; a key that may be missing has a ``?``. Empty if nothing is known."""
    if not schema:
        return ""
    text = _form(schema, schema)
    return "" if text in ("object", "any") else text


def _form(schema: Any, root: JsonSchema, depth: int = 0) -> str:
    if not isinstance(schema, dict) or depth > 8:
        return "any"
    if "$ref" in schema:
        return _form(_resolve(schema["$ref"], root), root, depth + 1)
    if "const" in schema:
        return json.dumps(schema["const"], ensure_ascii=False)
    if "enum" in schema and len(schema["enum"]) <= MAX_ENUM:
        return " | ".join(json.dumps(value, ensure_ascii=False) for value in schema["enum"])
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " | ".join(dict.fromkeys(_form(part, root, depth + 1) for part in schema[key]))
    return _typed(schema, root, depth)


def _typed(schema: JsonSchema, root: JsonSchema, depth: int) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        return " | ".join(_typed({**schema, "type": one}, root, depth) for one in kind)
    if schema.get("properties"):
        required = set(schema.get("required", ()))
        parts = [
            f"{json.dumps(name, ensure_ascii=False)}{'' if name in required else '?'}: {_form(part, root, depth + 1)}"
            for name, part in schema["properties"].items()
        ]
        return "{" + ", ".join(parts) + "}"
    if kind == "array":
        return f"[{_form(schema.get('items', {}), root, depth + 1)}, …]"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return "{name: " + _form(schema["additionalProperties"], root, depth + 1) + "}"
    return kind or "any"


def _resolve(reference: str, root: JsonSchema) -> Any:
    """The part of ``root`` that a local reference such as ``#/$defs/Slot`` names, or ``{}``."""
    node: Any = root
    for name in reference.removeprefix("#/").split("/"):
        node = node.get(name, {}) if isinstance(node, dict) else {}
    return node

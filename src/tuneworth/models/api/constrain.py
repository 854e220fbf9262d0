"""Holding an answer of a service to a form, and checking that it is: a service's promise is not relied on.

Labels, choices and patterns become a schema with one property, ``answer``. What comes back is read and validated here; an
answer that is not allowed stays not allowed, and nothing is mapped to what is near.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tuneworth.core.task import Message
from tuneworth.models.api.services import Means
from tuneworth.models.base import Constraint

ANSWER = "answer"
MOST_LISTED = 150
"""Labels that a repair turn names; of more, only that the answer must be one of them."""
_FENCE = re.compile(r"\s*```[A-Za-z]*\n(.*)\n```\s*", re.DOTALL)


class NotAllowed(Exception):
    """The answer is none of those allowed; the message says why."""


@dataclass(frozen=True)
class Form:
    """A constraint as services are told of it."""

    constraint: Constraint

    @cached_property
    def wrapped(self) -> bool:
        """The answer stands in an object of one property, since services want an object."""
        schema = self.constraint.json_schema
        return schema is None or schema.get("type") != "object"

    @cached_property
    def plain_schema(self) -> dict[str, Any]:
        """What is allowed, as a schema whose root is an object."""
        constraint = self.constraint
        if constraint.json_schema is not None:
            inner = constraint.json_schema
        elif constraint.labels is not None:
            inner = {"type": "string", "enum": list(constraint.labels)}
        else:
            inner = {"type": "string", "pattern": f"^({constraint.regex})$"}
        return _object({ANSWER: inner}) if self.wrapped else inner

    @cached_property
    def strict_schema(self) -> dict[str, Any] | None:
        """``plain_schema`` in the part of JSON schema that strict decoding takes: every key required, no other keys; a key that
        may be missing may be ``null`` instead. ``None`` where that cannot be said."""
        try:
            return _strict(self.plain_schema)
        except NotStrict:
            return None

    def schema(self, means: Means) -> dict[str, Any] | None:
        """What is sent with a request by ``means``; ``None`` where nothing is, or cannot be."""
        return {"strict": self.strict_schema, "tool": self.plain_schema}.get(means)

    def asked_in_words(self, means: Means) -> str:
        """What the prompt says of the form. The same for all rows, so that caches stay of use: labels that differ by row are
        in the row's own text."""
        if means in ("strict", "tool"):
            return ""
        if self.constraint.json_schema is not None:
            form = json.dumps(self.plain_schema, ensure_ascii=False)
            return f"Answer with one JSON object that follows this JSON schema, and nothing else: {form}"
        return f'Answer with a JSON object of this form: {{"{ANSWER}": "…"}}' if means == "json_mode" else ""

    def read(self, text: str) -> str:
        """The answer in ``text``.

        Raises:
            NotAllowed: it is not in the form.
        """
        constraint, bare = self.constraint, text.strip()
        value = _json(bare)
        if constraint.json_schema is not None:
            if value is _NO_JSON:
                raise NotAllowed("no JSON")
            if self.wrapped and isinstance(value, dict) and set(value) == {ANSWER}:
                value = value[ANSWER]
            value = _without_nulls(value, constraint.json_schema)
            if (fault := self._fault(value)) is not None:
                raise NotAllowed(fault)
            return json.dumps(value, ensure_ascii=False)
        if isinstance(value, dict) and set(value) == {ANSWER} and isinstance(value[ANSWER], str | int | float):
            bare = str(value[ANSWER]).strip()
        if constraint.labels is not None and bare not in constraint.labels:
            raise NotAllowed("not one of the allowed answers")
        if constraint.regex is not None and re.fullmatch(constraint.regex, bare) is None:
            raise NotAllowed("not of the allowed form")
        return bare

    def repair(self, text: str, why: str, means: Means) -> tuple[Message, ...]:
        """The two turns that ask once more."""
        lines = [f"That answer cannot be used: {why}."]
        labels = self.constraint.labels
        if labels is not None and len(labels) <= MOST_LISTED:
            lines.append(f"Answer with exactly one of: {' | '.join(labels)}")
        elif labels is None and self.constraint.json_schema is None:
            lines.append("Answer in the form that was asked for and with nothing else.")
        lines.append(self.asked_in_words("words" if means == "words" else "json_mode"))
        return Message("assistant", text or "…"), Message("user", "\n".join(line for line in lines if line))

    def _fault(self, value: Any) -> str | None:
        error = next(self._validator.iter_errors(value), None)
        return None if error is None else f"{error.json_path}: {error.message[:120]}"

    @cached_property
    def _validator(self) -> Any:
        from jsonschema import Draft202012Validator
        from referencing import Registry

        return Draft202012Validator(self.constraint.json_schema or {}, registry=Registry())  # which fetches nothing


_NO_JSON = object()


def _json(text: str) -> Any:
    """The value in ``text``, which may stand in a code fence; ``_NO_JSON`` if there is none."""
    fenced = _FENCE.fullmatch(text)
    try:
        return json.loads(fenced[1] if fenced else text)
    except (ValueError, RecursionError):
        return _NO_JSON


class NotStrict(Exception):
    """The schema says something that strict decoding cannot hold to."""


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _strict(schema: Any) -> Any:
    if not isinstance(schema, dict):
        raise NotStrict
    if {"patternProperties", "allOf", "not", "if", "dependentSchemas", "oneOf"} & set(schema):
        raise NotStrict
    made = dict(schema)
    for name in ("$defs", "definitions"):
        if name in made:
            made[name] = {key: _strict(part) for key, part in made[name].items()}
    if "anyOf" in made:
        made["anyOf"] = [_strict(part) for part in made["anyOf"]]
    if "items" in made:
        made["items"] = _strict(made["items"])
    if made.get("type") == "object" or "properties" in made:
        properties, required = made.get("properties"), set(made.get("required", ()))
        if not properties or made.get("additionalProperties") not in (None, False, True):
            raise NotStrict  # any keys are allowed: nothing to list
        made |= _object(
            {name: _strict(part) if name in required else _or_null(_strict(part)) for name, part in properties.items()}
        )
    return made


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return schema if _takes_null(schema) else {"anyOf": [schema, {"type": "null"}]}


def _takes_null(schema: Any) -> bool:
    kinds = schema.get("type") if isinstance(schema, dict) else None
    if isinstance(schema, dict) and any(_takes_null(part) for part in schema.get("anyOf", ())):
        return True
    return kinds == "null" or (isinstance(kinds, list) and "null" in kinds) or None in (schema.get("enum") or ())


def _without_nulls(value: Any, schema: Any) -> Any:
    """``value`` without the keys that are ``null`` only because strict decoding had to write them."""
    if not isinstance(schema, dict):
        return value
    if isinstance(value, list):
        return [_without_nulls(each, schema.get("items")) for each in value]
    if not isinstance(value, dict):
        return value
    parts, required = schema.get("properties", {}), set(schema.get("required", ()))
    return {
        name: _without_nulls(each, parts.get(name))
        for name, each in value.items()
        if each is not None or name in required or name not in parts or _takes_null(parts[name])
    }

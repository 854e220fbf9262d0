"""What pydantic found wrong with a task file, as problems a person can act on."""

from __future__ import annotations

import difflib
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tuneworth.core.text import Text
from tuneworth.core.yamlfile import Document, Location, dotted
from tuneworth.data.rows import quote
from tuneworth.errors import Problem
from tuneworth.words.say import say, table

_BOUNDS = {
    "greater_than": "gt",
    "greater_than_equal": "ge",
    "less_than": "lt",
    "less_than_equal": "le",
    "literal_error": "expected",
}
_UNION_PARTS = frozenset({"str", "list[str]"})
"""pydantic names the tried member of a union as if it were a place in the file."""


def document_problems(error: ValidationError, document: Document, file: str, model: type[BaseModel]) -> list[Problem]:
    """One problem for everything wrong in a YAML file, in the order of its lines."""
    found = []
    for detail in _details(error):
        location = _place(detail)
        line = document.line_of(location)
        message = _message(detail, model, document.scalars.get(location))
        found.append((line, Problem(f"{file}:{line} {dotted(location)}".rstrip(), message)))
    return [problem for _, problem in sorted(found, key=lambda item: item[0])]


def option_problems(error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    """One problem for every wrong option; ``machine_usd_per_hour`` is shown as on the command line."""
    problems = []
    for detail in _details(error):
        option = dotted(_place(detail)).replace("_", "-")
        problems.append(Problem(f"--{option}", _message(detail, model, None)))
    return problems


def _details(error: ValidationError) -> list[ErrorDetails]:
    """Errors with those of the members of one union told once."""
    seen: dict[Location, ErrorDetails] = {}
    for detail in error.errors(include_url=False):
        if detail["loc"][-1:] == ("str",) and isinstance(detail["input"], list):
            continue  # a list was meant: what is wrong inside it is told by the list's own errors
        seen.setdefault(_place(detail), detail)
    return list(seen.values())


def _place(detail: ErrorDetails) -> Location:
    return tuple(part for part in detail["loc"] if part not in _UNION_PARTS and part != "[key]")


def _message(detail: ErrorDetails, model: type[BaseModel], scalar: str | None) -> Text:
    kind, context = detail["type"], detail.get("ctx", {})
    location = _place(detail)
    if kind == "extra_forbidden":
        return _unknown_key(location, model)
    if kind == "missing":
        return say("task.error.missing")
    if kind == "told_in_full":
        return Text(**context)
    shown = quote(scalar if scalar is not None else detail["input"])
    if detail["loc"][-1:] == ("key_variable",) and kind == "tuneworth":
        shown = "…"  # a key, perhaps
    rule = _rule(kind, context)
    if kind == "string_type" and scalar is not None:
        rule = say("task.error.needs_quotes", shown=shown)
    if isinstance(detail["input"], dict) and kind == "tuneworth":
        return rule  # a rule between keys: the whole section is no value to quote
    return say("task.error.value", shown=shown, rule=rule)


def _rule(kind: str, context: dict[str, Any]) -> Text:
    """The rule that was broken, for the kinds of error the task file can have."""
    if kind == "tuneworth":
        return Text(**context)
    if kind in _BOUNDS:
        bound = context[_BOUNDS[kind]]
        shown = f"{bound:g}" if isinstance(bound, float) else str(bound)
        listed = Text(en=shown, zh=shown.replace(" or ", "、").replace(", ", "、"))
        return say(f"task.bound.{_BOUNDS[kind]}", bound=listed)
    of = "too" if kind == "string_too_short" else kind.split("_")[0]
    types = table("task.type")
    return types.get("dict" if of in ("model", "is") else of) or say("task.error.not_allowed", kind=kind)


def _unknown_key(location: Location, model: type[BaseModel]) -> Text:
    """Says what the key may have meant: a near name here, or the section it belongs under."""
    key = str(location[-1])
    known = _keys(model)
    here = known.get(location[:-1]) or known.get(location[:-2], [])  # the second: a section under a name of the user's
    for section, keys in known.items():
        if key in keys:
            full = dotted((*section, key))
            return say("task.error.misplaced_key", full=full)
    near = difflib.get_close_matches(key, here, n=1)
    if near:
        return say("task.error.near_key", near=near[0])
    names = ", ".join(here)
    return say("task.error.unknown_key", names=names)


def _keys(model: type[BaseModel], at: Location = ()) -> dict[Location, list[str]]:
    """Keys of the model and of its sections, by place."""
    found: dict[Location, list[str]] = {at: []}
    for name, field in model.model_fields.items():
        key = field.alias or name
        found[at].append(key)
        for part in (field.annotation, *get_args(field.annotation)):  # a section may be left out: ``Section | None``
            if isinstance(part, type) and issubclass(part, BaseModel):
                found.update(_keys(part, (*at, key)))
    return found

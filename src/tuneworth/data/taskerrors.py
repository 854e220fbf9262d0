"""What pydantic found wrong with a task file, as problems a person can act on."""

from __future__ import annotations

import difflib
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tuneworth.core.text import Text
from tuneworth.data.rows import quote
from tuneworth.data.yamlfile import Document, Location, dotted
from tuneworth.errors import Problem

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
        return Text(en="is missing; add it", zh="缺少这一项，请补上")
    shown = quote(scalar if scalar is not None else detail["input"])
    rule = _custom(context) if kind == "tuneworth" else _rule(kind, context)
    if kind == "string_type" and scalar is not None:
        rule = Text(
            en=f'must be text; YAML reads {shown} as something else, so put it in quotes: "{shown}"',
            zh=f'应为文本；YAML 会把 {shown} 读成别的类型，请加引号："{shown}"',
        )
    if isinstance(detail["input"], dict) and kind == "tuneworth":
        return rule  # a rule between keys: the whole section is no value to quote
    return Text(en=f"is {shown}, {rule.en}", zh=f"当前为 {shown}，{rule.zh}")


def _custom(context: dict[str, Any]) -> Text:
    return Text(en=context["en"], zh=context["zh"])


def _rule(kind: str, context: dict[str, Any]) -> Text:
    """The rule that was broken, for the kinds of error the task file can have."""
    bounds = {
        "greater_than": ("gt", "must be over {}", "应大于 {}"),
        "greater_than_equal": ("ge", "must be at least {}", "应不小于 {}"),
        "less_than": ("lt", "must be under {}", "应小于 {}"),
        "less_than_equal": ("le", "must be at most {}", "应不大于 {}"),
        "literal_error": ("expected", "must be one of {}", "应为以下之一：{}"),
    }
    if kind in bounds:
        key, en, zh = bounds[kind]
        value = f"{context[key]:g}" if isinstance(context[key], float) else context[key]
        return Text(en=en.format(value), zh=zh.format(str(value).replace(" or ", "、").replace(", ", "、")))
    types = {
        "string": ("must be text", "应为文本"),
        "int": ("must be a whole number", "应为整数"),
        "float": ("must be a number", "应为数字"),
        "finite": ("must be a finite number", "应为有限的数字"),
        "bool": ("must be true or false", "应为 true 或 false"),
        "list": ("must be a list, such as [a, b]", "应为列表，例如 [a, b]"),
        "too": ("must not be empty", "不能为空"),
        "dict": ("must be a mapping of keys to values", "应为键值映射"),
        "model": ("must be a mapping of keys to values", "应为键值映射"),
        "is": ("must be a mapping of keys to values", "应为键值映射"),
    }
    if kind == "string_too_short":
        kind = "too_short"
    en, zh = types.get(kind.split("_")[0], (f"is not allowed ({kind})", f"不符合要求（{kind}）"))
    return Text(en=en, zh=zh)


def _unknown_key(location: Location, model: type[BaseModel]) -> Text:
    """Says what the key may have meant: a near name here, or the section it belongs under."""
    key = str(location[-1])
    known = _keys(model)
    here = known.get(location[:-1], [])
    near = difflib.get_close_matches(key, here, n=1)
    if near:
        return Text(en=f"is not a known key; did you mean `{near[0]}`?", zh=f"不是已知的键；是否想写 `{near[0]}`？")
    for section, keys in known.items():
        if key in keys:
            full = dotted((*section, key))
            return Text(en=f"is not known here; it belongs at `{full}`", zh=f"不能写在这里；应写在 `{full}`")
    names = ", ".join(here)
    return Text(en=f"is not a known key; known here: {names}", zh=f"不是已知的键；这里可用：{names}")


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

"""Changing one row's value while keeping its fields and their types."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tuneworth.audit._personal.mask import Placeholders
from tuneworth.data.drafts import is_conversation
from tuneworth.data.shapes import Shape

_TEXT_KEYS = ("content", "value")
_ASSISTANTS = ("assistant", "gpt", "chatgpt", "bot", "model")


def with_output(value: Mapping[str, Any], shape: Shape, output: str) -> dict[str, Any]:
    """``value`` with another answer, written in the type of the old one."""
    place = shape.used[-1]
    old = value[place]
    return {**value, place: _with_last_answer(old, output) if is_conversation(old) else _like(old, output)}


def with_references(value: Mapping[str, Any], shape: Shape, answers: Sequence[str]) -> dict[str, Any]:
    """``value`` with the list of all accepted answers."""
    return {**value, shape.extras.references or "references": list(answers)}


def masked(value: Mapping[str, Any], keep: frozenset[str]) -> dict[str, Any]:
    """``value`` with placeholders for personal data in every text, but for the fields in ``keep``."""
    placeholders = Placeholders()
    return {name: cell if name in keep else _masked(cell, placeholders) for name, cell in value.items()}


def _masked(cell: Any, placeholders: Placeholders) -> Any:
    if isinstance(cell, str):
        return placeholders.apply(cell)
    if isinstance(cell, list):
        return [_masked(inner, placeholders) for inner in cell]
    if isinstance(cell, dict):
        return {name: _masked(inner, placeholders) for name, inner in cell.items()}
    if isinstance(cell, int) and not isinstance(cell, bool):
        text = str(cell)  # a telephone or card number may stand as a bare number
        shown = placeholders.apply(text)
        return cell if shown == text else shown
    return cell


def _with_last_answer(turns: list[dict[str, Any]], output: str) -> list[dict[str, Any]]:
    last = max(at for at, turn in enumerate(turns) if turn.get("role", turn.get("from")) in _ASSISTANTS)
    key = next(key for key in _TEXT_KEYS if key in turns[last])
    return [{**turn, key: output} if at == last else turn for at, turn in enumerate(turns)]


def _like(old: Any, output: str) -> Any:
    """``output`` in the type of ``old`` where it can be written so, else as text."""
    if isinstance(old, str):
        return output
    try:
        return json.loads(output)
    except ValueError:
        return output

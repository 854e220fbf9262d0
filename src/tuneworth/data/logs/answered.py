"""What every reader of results gives: systems, and how each of them did on each row."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tuneworth.core.compared import Tool
from tuneworth.core.outcome import Usage
from tuneworth.core.text import Text
from tuneworth.data.values import json_text

_WORDS = {
    **dict.fromkeys(("true", "yes", "right", "correct", "pass", "passed", "是", "对", "正确", "通过"), 1.0),
    **dict.fromkeys(("false", "no", "wrong", "incorrect", "fail", "failed", "否", "错", "错误", "未通过"), 0.0),
}


@dataclass(slots=True)
class Answered:
    """One answer of a system to one row, as somebody scored it.

    Attributes:
        id: of the row, empty without one; ``text`` is what was asked, empty where the file does not say.
        scores: metric → number as the file has it. What was not scored is absent, never zero.
        place: ``a.jsonl:17``.
        fields: what a group may be named from.
        answer, references: for a person to read, and to score rows that nobody scored.
        usage, usd, seconds: ``None`` where the file does not say.
    """

    id: str
    text: str
    scores: dict[str, float]
    place: str
    fields: Mapping[str, Any]
    answer: str | None = None
    references: tuple[str, ...] = ()
    usage: Usage | None = None
    usd: float | None = None
    seconds: float | None = None


@dataclass(slots=True)
class Log:
    """One system of a file.

    Attributes:
        name: what it may be called: its model, or the file's name; ``about`` tells two of one name apart, such as the task.
        file: as it was given; several systems may come from one.
        notes: what a reader should know of the reading; ``doubts``: what to settle before the result is believed.
    """

    name: str
    file: str
    tool: Tool
    rows: list[Answered]
    model: str | None = None
    about: str = ""
    sha256: str = ""
    notes: list[Text] = field(default_factory=list[Text])
    doubts: list[Text] = field(default_factory=list[Text])


def number(value: Any) -> float | None:
    """A score as a finite number: numbers, booleans and words for right and wrong; ``None`` for anything else."""
    if isinstance(value, int | float):
        return float(value) if math.isfinite(value) else None
    if not isinstance(value, str):
        return None
    word = value.strip().lower()
    try:
        return _WORDS[word] if word in _WORDS else number(float(word))
    except ValueError:
        return None


def amount(value: Any) -> float | None:
    """A number of tokens, seconds or dollars; ``None`` where it is none, or below zero."""
    found = None if isinstance(value, bool) else number(value)
    return found if found is not None and found >= 0 else None


def first(value: Mapping[str, Any], *names: str) -> Any:
    """The value of the first of ``names`` that is there; versions of a tool write one thing in different ways."""
    return next((value[name] for name in names if value.get(name) is not None), None)


def as_text(value: Any) -> str:
    """Whatever was asked or answered, as text; chats and objects as JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json_text(value)


def references_of(value: Any) -> tuple[str, ...]:
    """Right answers: one, or a list of them."""
    many = value if isinstance(value, list) else [] if value is None else [value]
    return tuple(as_text(one) for one in many if as_text(one).strip())

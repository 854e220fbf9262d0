"""Rows inside one JSON object: a list under some key, or a table written by pandas in one of its orients.

The orients are those of ``pandas.DataFrame.to_json``: ``split`` and ``table`` name themselves by their keys; ``columns`` (the
default) is ``{"text": {"0": …}, "label": {"0": …}}``, ``index`` the same the other way round, and ``DataFrame.to_dict("list")``
has a list a column.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tuneworth.core.text import Text
from tuneworth.words.say import say

_TIES = ("data", "rows", "examples", "samples", "records", "items", "results")
"""Of several lists of objects, the one whose rows are meant, tried in this order."""

_LEAST_PAIRS = 10
"""An object with fewer texts is settings, not questions with answers."""


@dataclass(frozen=True, slots=True)
class Found:
    """Rows in an object.

    Attributes:
        key: the key whose list they are, so that each has its own line; empty where they had to be put together.
        note: says, given the file's name, how the file was understood.
    """

    key: str = ""
    rows: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    note: Callable[[str], Text] | None = None


def rows_in(value: dict[str, Any]) -> Found | None:
    """The rows that ``value`` holds, or ``None`` where it is no table and has no list of objects."""
    inner = value.get("results")
    if isinstance(inner, dict) and _is_list_of_objects(inner.get("results")):  # promptfoo's file of an evaluation
        return Found(
            rows=inner["results"], note=lambda name: say("reading.json.under", name=name, field="results.results")
        )
    return _squad(value) or _split(value) or _list_under_key(value) or _columns(value)


def _squad(value: dict[str, Any]) -> Found | None:
    """SQuAD's file: articles, their paragraphs, and the questions about each."""
    articles: Any = value.get("data")
    if not (_is_list_of_objects(articles) and all(_is_list_of_objects(one.get("paragraphs")) for one in articles)):
        return None
    rows = [
        {"title": article.get("title"), "context": paragraph.get("context"), **asked}
        for article in articles
        for paragraph in article["paragraphs"]
        for asked in paragraph.get("qas") or ()
    ]
    return Found(rows=rows, note=lambda name: say("reading.json.squad", name=name, n=len(rows)))


def _split(value: dict[str, Any]) -> Found | None:
    columns, data = value.get("columns"), value.get("data")
    if not (isinstance(columns, list) and isinstance(data, list) and data):
        return None
    if not all(isinstance(cells, list) and len(cells) == len(columns) for cells in data):
        return None
    rows = [dict(zip(map(str, columns), cells)) for cells in data]
    return Found(rows=rows, note=_orient("split"))


def _list_under_key(value: dict[str, Any]) -> Found | None:
    lists = [key for key, inner in value.items() if _is_list_of_objects(inner)]
    if not lists:
        return Found("data") if value.get("data") == [] else None
    key = next((name for name in _TIES if name in lists), lists[0])
    if len(lists) == 1:
        return Found(key, note=None if key == "data" else lambda name: say("reading.json.under", name=name, field=key))
    others = ", ".join(f"`{name}`" for name in lists if name != key)
    return Found(key, note=lambda name: say("reading.json.under_of_several", name=name, field=key, others=others))


def _is_list_of_objects(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(inner, dict) for inner in value)


def _columns(value: dict[str, Any]) -> Found | None:
    inner = list(value.values())
    if len(inner) < 2:
        return None
    if all(isinstance(cells, list) and len(cells) == len(inner[0]) >= 2 for cells in inner):
        rows = [dict(zip(value, cells)) for cells in zip(*inner)]
        return Found(rows=rows, note=_orient("list"))
    if len(inner) >= _LEAST_PAIRS and all(isinstance(answer, str) for answer in inner):
        rows = [{"input": question, "output": answer} for question, answer in value.items()]
        return Found(rows=rows, note=lambda name: say("reading.json.pairs", name=name))
    if not all(isinstance(cells, dict) and cells for cells in inner):
        return None
    first = inner[0]
    if _counts(first) and all(cells.keys() == first.keys() for cells in inner):
        rows = [{name: cells[at] for name, cells in value.items()} for at in first]
        return Found(rows=rows, note=_orient("columns"))
    if _counts(value):
        return Found(rows=inner, note=_orient("index"))
    return None


def _counts(value: dict[str, Any]) -> bool:
    """Whether the keys number rows."""
    return all(key.isdecimal() for key in value)


def _orient(name_of_orient: str) -> Callable[[str], Text]:
    return lambda name: say("reading.json.orient", name=name, orient=name_of_orient)

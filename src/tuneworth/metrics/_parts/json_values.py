"""JSON values as things that can be compared.

Parsing is strict, as a program that receives the answer would do it: the whole answer is one JSON
value, no code fence, no sentence around it, no NaN. A value becomes a hashable canonical form in
which key order, whitespace and the spelling of a number (1, 1.0, 1e0) are gone, while 1, true and
"1" stay different.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Hashable, Iterator
from typing import Any

Path = tuple[str | None, ...]
"""Keys from the root to a value; ``None`` stands for any place in an array."""

Leaf = tuple[Path, Hashable]


def parse(text: str) -> Any:
    """The JSON value that ``text`` is.

    Raises:
        ValueError: it is not one, or it nests deeper than the interpreter can read.
    """
    try:
        return json.loads(text, parse_constant=_no_constant)
    except RecursionError as error:
        raise ValueError("JSON nested too deeply") from error


def canonical(value: Any, *, ordered: bool = True) -> Hashable:
    """Equal for values that are equal as JSON; ``ordered``: the order of arrays counts."""
    if isinstance(value, dict):
        return ("object", frozenset((key, canonical(item, ordered=ordered)) for key, item in value.items()))
    if isinstance(value, list):
        items = tuple(canonical(item, ordered=ordered) for item in value)
        return ("array", items if ordered else frozenset(Counter(items).items()))
    return _scalar(value)


def parse_canonical(text: str, *, ordered: bool = True) -> Hashable | None:
    """``canonical(parse(text))``, or ``None`` when ``text`` is not JSON."""
    try:
        return canonical(parse(text), ordered=ordered)
    except (ValueError, RecursionError):
        return None


def parse_leaves(text: str) -> list[Leaf] | None:
    """Every path → value pair of the JSON value, or ``None`` when ``text`` is not JSON.

    The place within an array is not part of a path, so arrays count as multisets. In an array of
    objects the fields of all its objects are therefore pooled: a value that moved from one object
    to its neighbour is not noticed here (``json_exact`` notices). An empty object or array is a
    value of its own.
    """
    try:
        return list(_leaves(parse(text), ()))
    except (ValueError, RecursionError):
        return None


def pair_f1(answer: Counter[Any], reference: Counter[Any]) -> float:
    """F1 of two multisets: 2·|common| / (|answer| + |reference|)."""
    total = answer.total() + reference.total()
    return 2 * (answer & reference).total() / total if total else 0.0


def _leaves(value: Any, path: Path) -> Iterator[Leaf]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    elif isinstance(value, list) and value:
        for item in value:
            yield from _leaves(item, (*path, None))
    else:
        yield path, canonical(value)


def _scalar(value: Any) -> Hashable:
    kind = "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__
    return (kind, value)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")

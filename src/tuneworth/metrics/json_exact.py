"""JSON exact match: the share of answers that are the reference's JSON value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from tuneworth.core.task import OutputKind
from tuneworth.core.text import Text
from tuneworth.metrics import Metric
from tuneworth.metrics._parts.json_values import parse_canonical


@dataclass(frozen=True, kw_only=True)
class JsonExact(Metric):
    """1 if both parse to the same value: key order and whitespace do not matter, array order does.

    Numbers are compared by value, strings letter by letter. A reference that is not JSON is never
    met.

    Attributes:
        unordered_lists: array order does not matter either; how often an item occurs still does.
    """

    id: str = "json_exact"
    title: Text = Text(en="JSON exact match", zh="JSON 完全一致")
    kinds: frozenset[OutputKind] = frozenset({"json"})
    binary: bool = True
    settable: ClassVar[Mapping[str, type]] = {"unordered_lists": bool}
    unordered_lists: bool = False

    def compare(self, answer: str, reference: str) -> float:
        value = parse_canonical(answer, ordered=not self.unordered_lists)
        return float(value is not None and value == parse_canonical(reference, ordered=not self.unordered_lists))


PLUGIN = JsonExact()

"""JSON exact match: the share of answers that are the reference's JSON value."""

from __future__ import annotations

from dataclasses import dataclass

from tuneworth.core.task import OutputKind
from tuneworth.core.text import Text
from tuneworth.metrics import Metric
from tuneworth.metrics._parts.json_values import parse_canonical


@dataclass(frozen=True, kw_only=True)
class JsonExact(Metric):
    """1 if both parse to the same value: key order and whitespace do not matter, array order does.

    Numbers are compared by value, strings letter by letter. A reference that is not JSON is never
    met.
    """

    id: str = "json_exact"
    title: Text = Text(en="JSON exact match", zh="JSON 完全一致")
    kinds: frozenset[OutputKind] = frozenset({"json"})
    binary: bool = True

    def compare(self, answer: str, reference: str) -> float:
        value = parse_canonical(answer)
        return float(value is not None and value == parse_canonical(reference))


PLUGIN = JsonExact()

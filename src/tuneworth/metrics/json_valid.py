"""JSON validity: the share of answers that a JSON parser accepts."""

from __future__ import annotations

from dataclasses import dataclass

from tuneworth.core.task import OutputKind
from tuneworth.core.text import Text
from tuneworth.metrics import Metric
from tuneworth.metrics._parts.json_values import parse_canonical


@dataclass(frozen=True, kw_only=True)
class JsonValid(Metric):
    """1 if the answer is one JSON value (see ``json_values``), whatever the reference says.

    It does not look at the task's schema.
    """

    id: str = "json_valid"
    title: Text = Text(en="valid JSON", zh="JSON 合法率")
    kinds: frozenset[OutputKind] = frozenset({"json"})
    binary: bool = True

    def compare(self, answer: str, reference: str) -> float:
        return float(parse_canonical(answer) is not None)


PLUGIN = JsonValid()

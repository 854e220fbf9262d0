"""Slot F1: how many path → value pairs of the JSON are right."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from tuneworth.core.task import OutputKind
from tuneworth.core.text import Text
from tuneworth.metrics import Metric
from tuneworth.metrics._parts.json_values import pair_f1, parse_leaves


@dataclass(frozen=True, kw_only=True)
class JsonSlotF1(Metric):
    """F1 of the flattened path → value pairs of one row; a pair counts only if its value is exact.

    Arrays are multisets (see ``json_values.parse_leaves``). An answer that is not JSON scores 0.
    The value is the mean over rows, not the F1 of all pairs pooled.
    """

    id: str = "json_slot_f1"
    title: Text = Text(en="slot F1", zh="槽位 F1")
    kinds: frozenset[OutputKind] = frozenset({"json"})

    def compare(self, answer: str, reference: str) -> float:
        found, wanted = parse_leaves(answer), parse_leaves(reference)
        if found is None or wanted is None:
            return 0.0
        return pair_f1(Counter(found), Counter(wanted))


PLUGIN = JsonSlotF1()

"""Exact label set: the share of rows whose labels are all named and no others."""

from __future__ import annotations

from dataclasses import dataclass

from tuneworth.core.labelsets import read_labels
from tuneworth.core.text import Text
from tuneworth.metrics.multilabel_f1 import LabelSetMetric


@dataclass(frozen=True, kw_only=True)
class MultilabelExact(LabelSetMetric):
    """1 if the answer names the reference's labels and no others, in any order, else 0; an empty answer names nothing and is wrong."""

    id: str = "multilabel_exact"
    title: Text = Text(en="exact label set", zh="标签集合完全一致")
    binary: bool = True

    def compare(self, answer: str, reference: str) -> float:
        return float(bool(answer.strip()) and read_labels(answer, self.labels) == read_labels(reference, self.labels))


PLUGIN = MultilabelExact()

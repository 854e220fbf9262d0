"""Accuracy: the share of rows whose label is right."""

from __future__ import annotations

from dataclasses import dataclass

from tuneworth.core.task import OutputKind
from tuneworth.core.text import Text
from tuneworth.metrics._parts.labels import LabelMetric


@dataclass(frozen=True, kw_only=True)
class Accuracy(LabelMetric):
    """1 if the label read from the answer is the reference, else 0. See ``labels`` for the reading."""

    id: str = "accuracy"
    title: Text = Text(en="accuracy", zh="准确率")
    kinds: frozenset[OutputKind] = frozenset({"label", "choice"})
    binary: bool = True

    def compare(self, answer: str, reference: str) -> float:
        return float(self.read(answer) == reference.strip())


PLUGIN = Accuracy()

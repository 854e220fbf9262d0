"""Label-set F1: how many of a row's labels were named, and how many of the named ones are right.

It is the F1 of every row's own set, averaged over rows (scikit-learn calls it ``average="samples"``), because arms are compared row
by row. It is not micro-F1, which pools all labels so that rows with many weigh more, nor macro-F1, which gives rare labels
the weight of common ones; a label that is rare can be missed always at little cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from tuneworth.core.labelsets import read_labels
from tuneworth.core.task import OutputKind
from tuneworth.core.text import Text
from tuneworth.metrics import Metric


@dataclass(frozen=True, kw_only=True)
class LabelSetMetric(Metric):
    """Base of the metrics that compare sets of labels; see ``labelsets.read_labels`` for how an answer is read.

    Attributes:
        labels: every label of the task; what an answer names beyond them is wrong.
    """

    kinds: frozenset[OutputKind] = frozenset({"multilabel"})
    labels: tuple[str, ...] = ()

    def with_labels(self, labels: Sequence[str]) -> Self:
        return replace(self, labels=tuple(dict.fromkeys(label.strip() for label in labels)))


@dataclass(frozen=True, kw_only=True)
class MultilabelF1(LabelSetMetric):
    """2·|right ∩ named| / (|right| + |named|) of one row; 1 where neither has a label and the answer says so."""

    id: str = "multilabel_f1"
    title: Text = Text(en="label-set F1", zh="多标签 F1")

    def compare(self, answer: str, reference: str) -> float:
        named, right = read_labels(answer, self.labels), read_labels(reference, self.labels)
        if not named and not right:
            return float(bool(answer.strip()))
        return 2 * len(named & right) / (len(named) + len(right))


PLUGIN = MultilabelF1()

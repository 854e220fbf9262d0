"""Accuracy: the share of rows whose label is right; and how a label is read out of an answer.

A constrained answer is a label already. A free answer often is the label with a full stop, in
quotes or in capitals; that is read as the label, but only where it can mean no other label. Nothing
is searched for inside a sentence: "The answer is B" is not the label B.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

from tuneworth.core.answers import fold
from tuneworth.core.task import OutputKind
from tuneworth.core.text import Text
from tuneworth.metrics import Metric


@dataclass(frozen=True, kw_only=True)
class LabelMetric(Metric):
    """Base of the metrics that compare labels.

    Attributes:
        labels: every label of the task. Without them nothing is folded: an answer counts only if
            it equals the reference after both are stripped.
    """

    labels: tuple[str, ...] = ()

    def with_labels(self, labels: Sequence[str]) -> Self:
        return replace(self, labels=tuple(dict.fromkeys(label.strip() for label in labels)))

    def read(self, answer: str) -> str:
        """The label that ``answer`` means, else the stripped answer itself."""
        stripped = answer.strip()
        return stripped if stripped in self._exact else self._folded.get(fold(stripped), stripped)

    @cached_property
    def _exact(self) -> frozenset[str]:
        return frozenset(self.labels)

    @cached_property
    def _folded(self) -> dict[str, str]:
        """Folded → label, without the folded forms that two labels share."""
        counts = Counter(fold(label) for label in self.labels)
        return {fold(label): label for label in self.labels if counts[fold(label)] == 1 and fold(label)}


@dataclass(frozen=True, kw_only=True)
class Accuracy(LabelMetric):
    """1 if the label read from the answer is the reference, else 0. See ``LabelMetric.read``."""

    id: str = "accuracy"
    title: Text = Text(en="accuracy", zh="准确率")
    kinds: frozenset[OutputKind] = frozenset({"label", "choice"})
    binary: bool = True

    def compare(self, answer: str, reference: str) -> float:
        return float(self.read(answer) == reference.strip())


PLUGIN = Accuracy()

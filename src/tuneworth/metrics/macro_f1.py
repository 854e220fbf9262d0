"""Macro-F1: the unweighted mean of the F1 of every class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuneworth.core.task import OutputKind
from tuneworth.core.text import Text
from tuneworth.metrics import ValueOfRows
from tuneworth.metrics.accuracy import LabelMetric


@dataclass(frozen=True, kw_only=True)
class MacroF1(LabelMetric):
    """F1 per class, averaged over the classes that occur in the references of the rows at hand.

    An answer that is no class is wrong: it lowers the recall of the true class and the precision of
    none. A class that is predicted but never a reference does not count as a class of its own
    (scikit-learn: ``f1_score(..., average="macro", labels=unique(y_true), zero_division=0)``).
    A resample is averaged over the classes that it contains. With several references the row
    belongs to the one that was answered, else to the first. ``score`` of a row is 1 if it is right.
    """

    id: str = "macro_f1"
    title: Text = Text(en="macro-F1", zh="宏平均 F1")
    kinds: frozenset[OutputKind] = frozenset({"label"})
    corpus: bool = True

    def compare(self, answer: str, reference: str) -> float:
        return float(self.read(answer) == reference.strip())

    def prepare(self, answers: Sequence[str], references: Sequence[Sequence[str]]) -> ValueOfRows:
        predicted = [self.read(answer) for answer in answers]
        truth = [_truth(label, accepted) for label, accepted in zip(predicted, references, strict=True)]
        codes = {label: code for code, label in enumerate(sorted(set(truth)))}
        n_classes = len(codes)
        truth_codes = np.array([codes[label] for label in truth], dtype=np.intp)
        # Answers that are no class share one code past the last, which never counts as a class.
        predicted_codes = np.array([codes.get(label, n_classes) for label in predicted], dtype=np.intp)
        return lambda rows: _macro_f1(truth_codes[rows], predicted_codes[rows], n_classes)


def _truth(predicted: str, accepted: Sequence[str]) -> str:
    labels = [label.strip() for label in accepted]
    return predicted if predicted in labels else labels[0]


def _macro_f1(truth: NDArray[np.intp], predicted: NDArray[np.intp], n_classes: int) -> float:
    """Mean over classes with support of 2·hits / (support + predictions)."""
    support = np.bincount(truth, minlength=n_classes)
    predictions = np.bincount(predicted, minlength=n_classes)[:n_classes]
    hits = np.bincount(truth[truth == predicted], minlength=n_classes)
    present = support > 0
    return float(np.mean(2 * hits[present] / (support + predictions)[present]))


PLUGIN = MacroF1()

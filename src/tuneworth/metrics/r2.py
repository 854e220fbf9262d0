"""R², the coefficient of determination: how much of the numbers' variance the answers explain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuneworth.core.quantity import only_number
from tuneworth.core.text import Text
from tuneworth.metrics import ValueOfRows
from tuneworth.metrics.numbers import NumberMetric


@dataclass(frozen=True, kw_only=True)
class RSquared(NumberMetric):
    """1 − Σ(answer − right)² / Σ(right − mean of the right ones)², at least 0: answers worse than the mean are all alike here.

    An answer without a number, or one further off than the spread of the training outputs, counts as wrong by that spread,
    so that one slip of a thousandfold does not decide. The mean is that of the rows at hand. Where all right numbers are equal
    the value is 1 if every answer is, else 0. With several references the nearest counts. ``score`` of a row is ``numbers``'.
    """

    id: str = "r2"
    title: Text = Text(en="R²", zh="R²")
    corpus: bool = True

    def compare(self, answer: str, reference: str) -> float:
        return 1.0 - self.error(answer, reference)

    def prepare(self, answers: Sequence[str], references: Sequence[Sequence[str]]) -> ValueOfRows:
        nearest = [
            min(accepted, key=lambda reference: self.error(answer, reference))
            for answer, accepted in zip(answers, references, strict=True)
        ]
        right = np.array([only_number(reference) or 0.0 for reference in nearest])
        scale = np.array([self.spread or max(abs(number), 1.0) for number in right])
        errors = scale * np.array([self.error(answer, reference) for answer, reference in zip(answers, nearest)])
        return lambda rows: _r2(right[rows], errors[rows])


def _r2(right: NDArray[np.float64], errors: NDArray[np.float64]) -> float:
    left, whole = float(np.sum(errors**2)), float(np.sum((right - right.mean()) ** 2))
    if whole <= 1e-12 * max(1.0, float(np.sum(right**2))):
        return float(left == 0.0)
    return max(0.0, 1.0 - left / whole)


PLUGIN = RSquared()

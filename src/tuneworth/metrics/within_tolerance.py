"""Within tolerance: the share of numbers that are near enough."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from tuneworth.core.quantity import only_number
from tuneworth.core.text import Text
from tuneworth.errors import InputError, Problem
from tuneworth.metrics.numbers import NumberMetric
from tuneworth.words.say import say

USUAL_TOLERANCE = 0.05


@dataclass(frozen=True, kw_only=True)
class WithinTolerance(NumberMetric):
    """1 if the error is small enough, else 0.

    Attributes:
        tolerance: the largest error, in the unit of the outputs; 0: 5 % of the spread of the training outputs (see ``numbers``).
    """

    id: str = "within_tolerance"
    title: Text = Text(en="within tolerance", zh="误差达标率")
    binary: bool = True
    settable: ClassVar[Mapping[str, type]] = {"tolerance": float}
    tolerance: float = 0.0

    def compare(self, answer: str, reference: str) -> float:
        if not self.tolerance:
            return float(self.error(answer, reference) <= USUAL_TOLERANCE)
        found, wanted = only_number(answer), only_number(reference)
        near = found is not None and wanted is not None and abs(found - wanted) <= self.tolerance * (1 + 1e-9)
        return float(near)

    def checked(self) -> Self:
        if not 0 < self.tolerance < math.inf:
            raise InputError(
                Problem("metric_settings.tolerance", say("answers.settings.tolerance", shown=str(self.tolerance)))
            )
        return self


PLUGIN = WithinTolerance()

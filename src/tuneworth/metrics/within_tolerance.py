"""Within tolerance: the share of numbers that are near enough."""

from __future__ import annotations

from dataclasses import dataclass

from tuneworth.core.text import Text
from tuneworth.metrics.numbers import NumberMetric


@dataclass(frozen=True, kw_only=True)
class WithinTolerance(NumberMetric):
    """1 if the error is at most 5 % of the spread of the training outputs (see ``numbers``), else 0."""

    id: str = "within_tolerance"
    title: Text = Text(en="within tolerance", zh="误差达标率")
    binary: bool = True
    tolerance: float = 0.05

    def compare(self, answer: str, reference: str) -> float:
        return float(self.error(answer, reference) <= self.tolerance)


PLUGIN = WithinTolerance()

"""Closeness: how near a number is to the right one, on the scale of the numbers that were learnt from.

A row scores 1 − |error| / spread, and 0 from an error as large as the spread on, the distance from the 5th to the 95th
percentile of the training outputs. So 0.02 is an error of 2 % of the usual range, and the mean over rows falls with the
mean absolute error in a straight line, except that an error beyond the spread costs no more than one as large as it. It is NOT
0 for guessing: always answering the median scores about 0.75 on evenly spread numbers, which is what the yardstick shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Self

from tuneworth.core.quantity import only_number
from tuneworth.core.task import OutputKind
from tuneworth.core.text import Text
from tuneworth.metrics import Metric


@dataclass(frozen=True, kw_only=True)
class NumberMetric(Metric):
    """Base of the metrics that compare numbers.

    The number of an answer is the answer, with or without a unit, or the only number in it (``quantity.only_number``);
    an answer without, or with several, counts as wrong by the whole spread.

    Attributes:
        spread: the scale of errors, from the training outputs; ``None``: the size of the right number, at least 1.
    """

    kinds: frozenset[OutputKind] = frozenset({"number"})
    spread: float | None = None

    @property
    def fingerprint(self) -> str:
        return f"{super().fingerprint}@{self.spread!r}"

    def with_spread(self, spread: float | None) -> Self:
        return replace(self, spread=spread)

    def error(self, answer: str, reference: str) -> float:
        """|answer − reference| in spreads, at most 1."""
        found, wanted = only_number(answer), only_number(reference)
        if found is None or wanted is None:
            return 1.0
        return min(1.0, abs(found - wanted) / (self.spread or max(abs(wanted), 1.0)))


@dataclass(frozen=True, kw_only=True)
class Numbers(NumberMetric):
    """1 − |error| / spread, at least 0 (see the module's head)."""

    id: str = "numbers"
    title: Text = Text(en="closeness", zh="数值接近度")

    def compare(self, answer: str, reference: str) -> float:
        return 1.0 - self.error(answer, reference)

    def mean_error(self, answers: Sequence[str], references: Sequence[Sequence[str]]) -> float | None:
        """The mean absolute error over the rows whose answer holds a number; nothing is cut off here."""
        errors = [
            min(abs(found - wanted) for reference in accepted if (wanted := only_number(reference)) is not None)
            for answer, accepted in zip(answers, references, strict=True)
            if (found := only_number(answer)) is not None
        ]
        return fmean(errors) if errors else None


PLUGIN = Numbers()

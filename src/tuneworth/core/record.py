"""What everything that is stored is made of."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Answer = Literal["better", "worse", "equivalent", "cant_tell"]
"""What a comparison of two arms says."""


class Record(BaseModel):
    """Base of everything stored: frozen, unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Interval(Record):
    low: float
    high: float
    level: float = 0.95


class Score(Record):
    """Mean of a metric over ``n_rows`` scored rows, with its interval.

    Attributes:
        n_effective: the number of independent rows that they are worth; ``None`` when each row is on its own.
        mean_error: the mean absolute error in the unit of the outputs, where they are numbers.
    """

    value: float
    interval: Interval
    n_rows: int
    n_effective: float | None = None
    mean_error: float | None = None

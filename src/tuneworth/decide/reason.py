"""What `decide` finds, before any words: codes with raw numbers. `tuneworth.decide.decision` turns them into sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tuneworth.core.costs import CostRange
from tuneworth.core.knowledge import Share
from tuneworth.core.record import Interval, Score
from tuneworth.core.run import ArmResult
from tuneworth.core.text import Text


@dataclass(frozen=True, init=False)
class Reason:
    """A finding.

    Attributes:
        code: key of its sentence in the catalogue.
        parts: what the sentence asks for, by name. A number is shown as its name says (`tuneworth.decide.decision`), records
            and arms as their type says, a string is the id of a metric or the name of a figure. ``None`` stands for a part of the sentence that has nothing to say.
    """

    code: str
    parts: dict[str, ReasonPart]

    def __init__(self, code: str, **parts: ReasonPart):
        object.__setattr__(self, "code", code)
        object.__setattr__(self, "parts", parts)


@dataclass(frozen=True)
class Apart:
    """The size of a difference, with as many digits as tell it from another in the same sentence."""

    value: float
    other: float


@dataclass(frozen=True)
class Dollars:
    """An amount of US dollars with its 80 % interval."""

    usd: float
    low: float
    high: float


One = Reason | Apart | Dollars | CostRange | ArmResult | Score | Interval | Share | Text | str | float | None
ReasonPart = One | Sequence[ArmResult] | Sequence[Reason] | Sequence[float] | Sequence[str]

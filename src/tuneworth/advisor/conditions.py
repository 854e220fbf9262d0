"""Conditions over facts, in three-valued logic.

A condition is true, false, or unknown (``None``): a fact that is not known makes its tests unknown, and
``all``, ``any`` and ``not`` follow Kleene's strong logic (S. C. Kleene, *Introduction to Metamathematics*, 1952,
§64). So ``any`` of a true and an unknown part is true, and nothing is read into a missing answer. Only ``known``
asks about the knowledge itself and is always true or false.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import ge, gt, le, lt
from typing import Any, Literal, Protocol, get_args

from tuneworth.advisor.breakeven import PRICED_BY, own_machine_is_cheaper
from tuneworth.advisor.facts import Hardware, Pace, Skills

Values = Mapping[str, Any]
"""Fact name → value; ``None`` or absent when not known."""
Operator = Literal["is", "in", "below", "at_most", "at_least", "above", "known"]
Ordering = Literal["below", "at_most", "at_least", "above"]

ORDERED: dict[str, tuple[str, ...]] = {
    "knowledge_changes": get_args(Pace),
    "behaviour_changes": get_args(Pace),
    "skills": get_args(Skills),
    "hardware": get_args(Hardware),
}
"""Facts with named values that have an order, from least to most."""
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {"below": lt, "at_most": le, "at_least": ge, "above": gt}


class Condition(Protocol):
    """Something that holds, does not hold, or is not known to."""

    @property
    def tests(self) -> tuple[Test, ...]:
        """Every test of a single fact in it."""
        ...

    def holds(self, values: Values) -> bool | None:
        """Whether it is true of ``values``; ``None`` when they do not say."""
        ...


@dataclass(frozen=True, slots=True)
class Test:
    """A single fact against a value.

    Attributes:
        operand: a tuple for ``in``, a bool for ``known``, else one value.
    """

    __test__ = False  # not a pytest class

    fact: str
    operator: Operator
    operand: Any

    @property
    def tests(self) -> tuple[Test, ...]:
        return (self,)

    def holds(self, values: Values) -> bool | None:
        value = values.get(self.fact)
        if self.operator == "known":
            return (value is not None) is self.operand
        if value is None:
            return None
        if self.operator == "is":
            return bool(value == self.operand)
        if self.operator == "in":
            return value in self.operand
        return _COMPARE[self.operator](_rank(self.fact, value), _rank(self.fact, self.operand))


@dataclass(frozen=True, slots=True)
class AtLeast:
    """At least ``count`` of ``parts`` hold. ``all`` and ``any`` are its two ends."""

    count: int
    parts: tuple[Condition, ...]

    @property
    def tests(self) -> tuple[Test, ...]:
        return tuple(test for part in self.parts for test in part.tests)

    def holds(self, values: Values) -> bool | None:
        yes = unknown = 0
        for part in self.parts:
            answer = part.holds(values)
            yes += answer is True
            unknown += answer is None
        if yes >= self.count:
            return True
        return None if yes + unknown >= self.count else False


@dataclass(frozen=True, slots=True)
class Not:
    """``part`` does not hold; unknown stays unknown."""

    part: Condition

    @property
    def tests(self) -> tuple[Test, ...]:
        return self.part.tests

    def holds(self, values: Values) -> bool | None:
        answer = self.part.holds(values)
        return None if answer is None else not answer


@dataclass(frozen=True, slots=True)
class OwnMachine:
    """By the prices given and the volume there is, a machine of one's own is ``cheaper`` than the API, or ``dearer``.

    Attributes:
        verdict: ``unknown`` asks whether that cannot be said, and is always true or false.
    """

    verdict: Literal["cheaper", "dearer", "unknown"]

    @property
    def tests(self) -> tuple[Test, ...]:
        return tuple(Test(fact, "known", True) for fact in PRICED_BY)

    def holds(self, values: Values) -> bool | None:
        cheaper = own_machine_is_cheaper(values)
        if self.verdict == "unknown":
            return cheaper is None
        return None if cheaper is None else cheaper is (self.verdict == "cheaper")


def all_of(*parts: Condition) -> Condition:
    """Every part holds."""
    return parts[0] if len(parts) == 1 else AtLeast(len(parts), parts)


def any_of(*parts: Condition) -> Condition:
    """Some part holds."""
    return parts[0] if len(parts) == 1 else AtLeast(1, parts)


def facts_of(condition: Condition) -> tuple[str, ...]:
    """Names of the facts it looks at, each once, in the order it names them."""
    return tuple(dict.fromkeys(test.fact for test in condition.tests))


def _rank(fact: str, value: Any) -> Any:
    return ORDERED[fact].index(value) if fact in ORDERED else value

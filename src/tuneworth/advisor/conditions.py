"""Conditions over facts, in three-valued logic, and how a file writes them.

A condition is true, false, or unknown (``None``): a fact that is not known makes its tests unknown, and
``all``, ``any`` and ``not`` follow Kleene's strong logic (S. C. Kleene, *Introduction to Metamathematics*, 1952,
§64). So ``any`` of a true and an unknown part is true, and nothing is read into a missing answer. Only ``known``
asks about the knowledge itself and is always true or false.

    when: {scenario: {is: style}}                          one fact
    when: {quality_rows: {at_least: 100, below: 500}}      several tests of it: all must hold
    when: {private: {is: true}, hardware: {is: none}}      several facts: all must hold
    when: {any: [{…}, {…}]}    {all: […]}    {not: {…}}
    when: {self_test: {at_least: 3}}                       yeses of the self-test; below
    when: {own_machine: {is: cheaper}}                     than the API, by the prices given; dearer, unknown

Tests are ``is``, ``in``, ``below``, ``at_most``, ``at_least``, ``above``, ``known``. Nothing is evaluated: a
condition can compare facts with constants and combine the answers, no more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import ge, gt, le, lt
from typing import Annotated, Any, Literal, Protocol, get_args

from pydantic import BaseModel, ConfigDict, Field, GetPydanticSchema, ValidationInfo, create_model, model_validator

from tuneworth.advisor.facts import Facts, Hardware, Pace, Skills
from tuneworth.costs.breakeven import HOURS_PER_DAY, break_even_calls

Values = Mapping[str, Any]
"""Fact name → value; ``None`` or absent when not known."""
Operator = Literal["is", "in", "below", "at_most", "at_least", "above", "known"]

ORDERED: dict[str, tuple[str, ...]] = {
    "knowledge_changes": get_args(Pace),
    "behaviour_changes": get_args(Pace),
    "skills": get_args(Skills),
    "hardware": get_args(Hardware),
}
"""Facts with named values that have an order, from least to most."""
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {"below": lt, "at_most": le, "at_least": ge, "above": gt}

PRICED_BY = ("calls_per_day", "api_usd_per_1k_calls", "machine_usd_per_hour")
"""Facts that a comparison of one's own machine with an API needs."""


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
        steps = ORDERED.get(self.fact)
        compared = (value, self.operand) if steps is None else (steps.index(value), steps.index(self.operand))
        return _COMPARE[self.operator](*compared)


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
        break_even, calls = break_even_calls_per_day(values), values.get("calls_per_day")
        cheaper = None if break_even is None or calls is None else calls > break_even
        if self.verdict == "unknown":
            return cheaper is None
        return None if cheaper is None else cheaper is (self.verdict == "cheaper")


def break_even_calls_per_day(values: Values) -> float | None:
    """Calls a day from which one machine of one's own costs less than an API, by what is stated.

    It is assumed that the machine is always on and carries the load; whether it does is not known before it is measured.

    Returns:
        ``None`` without both prices, or where an API is no option.
    """
    api, machine = values.get("api_usd_per_1k_calls"), values.get("machine_usd_per_hour")
    if not api or machine is None or stays_home(values):
        return None
    return break_even_calls(HOURS_PER_DAY * machine, api / 1_000)


def stays_home(values: Values) -> bool:
    """Rows or model must stay on one's own machines, so there is no API to compare with."""
    return values.get("private") is True or values.get("local_deployment") is True


def all_of(*parts: Condition) -> Condition:
    """Every part holds."""
    return parts[0] if len(parts) == 1 else AtLeast(len(parts), parts)


def any_of(*parts: Condition) -> Condition:
    """Some part holds."""
    return parts[0] if len(parts) == 1 else AtLeast(1, parts)


def facts_of(condition: Condition) -> tuple[str, ...]:
    """Names of the facts it looks at, each once, in the order it names them."""
    return tuple(dict.fromkeys(test.fact for test in condition.tests))


class _Written(BaseModel):
    """Keys of a file that must all hold, each once they are read as conditions."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, defer_build=True)

    @model_validator(mode="wrap")
    @classmethod
    def _read(cls, data: Any, handler: Callable[[Any], Any], info: ValidationInfo) -> Any:
        written = handler(data)
        if not data:
            raise ValueError("must say what has to hold, such as {private: {is: true}}")
        return all_of(*(cls.part(name, getattr(written, name), info) for name in data))

    @classmethod
    def part(cls, name: str, value: Any, info: ValidationInfo) -> Condition:
        """The condition that the key ``name`` stands for: combinations, or tests of a fact as they are."""
        if name in ("all", "any"):
            return (all_of if name == "all" else any_of)(*value)
        return Not(value) if name == "not" else value


class _SelfTest(_Written):
    at_least: int = Field(default=0, ge=1)
    below: int = Field(default=0, ge=1)

    @classmethod
    def part(cls, name: str, value: Any, info: ValidationInfo) -> Condition:
        context: Any = info.context
        questions: tuple[Condition, ...] = context["questions"]
        if value > len(questions):
            raise ValueError(f"counts {value} of {len(questions)} questions")
        reached = AtLeast(value, questions)
        return reached if name == "at_least" else Not(reached)


class _OwnMachine(_Written):
    @classmethod
    def part(cls, name: str, value: Any, info: ValidationInfo) -> Condition:
        return OwnMachine(value)


def _tests_of(fact: str) -> type[BaseModel]:
    """What a file may ask of ``fact``: an operand is what the fact itself can be."""

    class Tests(_Written):
        @classmethod
        def part(cls, name: str, value: Any, info: ValidationInfo) -> Condition:
            return Test(fact, name, tuple(value) if name == "in" else value)  # pyright: ignore[reportArgumentType]

    kind = next(part for part in get_args(Facts.model_fields[fact].annotation) if part is not type(None))
    operand = Annotated[kind, Field(), *Facts.model_fields[fact].metadata]
    operators: dict[str, Any] = {"is": operand, "in": Annotated[list[operand], Field(min_length=1)], "known": bool}
    if fact in ORDERED or kind in (int, float):
        operators |= dict.fromkeys(_COMPARE, operand)
    return _model(f"Tests of {fact}", Tests, operators)


def _model(name: str, base: type[_Written], keys: dict[str, Any]) -> type[BaseModel]:
    fields: Any = {key: (kind, None) for key, kind in keys.items()}
    return create_model(name, __base__=base, **fields)


When = Annotated[Condition, GetPydanticSchema(lambda source, handler: handler(_CONDITION))]
"""A condition in a pydantic model, read as a file writes it; the context holds the self-test's `questions`."""
_PARTS = Annotated[list[When], Field(min_length=1)]
_CONDITION = _model(
    "Condition",
    _Written,
    {
        "all": _PARTS,
        "any": _PARTS,
        "not": When,
        "self_test": _SelfTest,
        "own_machine": _model("Own machine", _OwnMachine, {"is": Literal["cheaper", "dearer", "unknown"]}),
        **{fact: _tests_of(fact) for fact in Facts.model_fields},
    },
)

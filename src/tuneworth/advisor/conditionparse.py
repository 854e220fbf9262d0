"""From YAML to a condition, checked against the facts there are.

    when: {scenario: {is: style}}                          one fact
    when: {quality_rows: {at_least: 100, below: 500}}      several tests of it: all must hold
    when: {private: {is: true}, hardware: {is: none}}      several facts: all must hold
    when: {any: [{…}, {…}]}    {all: […]}    {not: {…}}    {at_least: 3, of: […]}
    when: {self_test: {at_least: 3}}                       yeses of the self-test
    when: {own_machine: {is: cheaper}}                     than the API, by the prices given; dearer, unknown

Tests are ``is``, ``in``, ``below``, ``at_most``, ``at_least``, ``above``, ``known``. Nothing is evaluated: a
condition can compare facts with constants and combine the answers, no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast, get_args

from pydantic import ValidationError

from tuneworth.advisor.conditions import (
    ORDERED,
    AtLeast,
    Condition,
    Not,
    Operator,
    Ordering,
    OwnMachine,
    Test,
    all_of,
    any_of,
)
from tuneworth.advisor.facts import Facts
from tuneworth.advisor.words import VALUES
from tuneworth.advisor.yamldata import Location, Source

_OPERATORS: tuple[str, ...] = get_args(Operator)
_ORDERINGS: tuple[str, ...] = get_args(Ordering)


def parse_condition(data: Any, at: Location, source: Source, questions: tuple[Condition, ...] = ()) -> Condition | None:
    """The condition that ``data`` writes, or ``None`` after noting in ``source`` what is wrong with it.

    Args:
        questions: conditions of the self-test, for ``self_test``.
    """
    if not isinstance(data, Mapping) or not data:
        source.wrong(at, "must be a mapping such as {private: {is: true}}", "应为映射，例如 {private: {is: true}}")
        return None
    data = cast("Mapping[str, Any]", data)
    if "of" in data:
        return _counted(data, at, source, questions)
    parts = [_entry(str(key), value, (*at, str(key)), source, questions) for key, value in data.items()]
    good = [part for part in parts if part is not None]
    return all_of(*good) if len(good) == len(parts) else None


def _entry(key: str, value: Any, at: Location, source: Source, questions: tuple[Condition, ...]) -> Condition | None:
    if key in ("all", "any"):
        parts = _parts(value, at, source, questions)
        return None if parts is None else (all_of if key == "all" else any_of)(*parts)
    if key == "not":
        part = parse_condition(value, at, source, questions)
        return None if part is None else Not(part)
    if key == "self_test":
        return _self_test(value, at, source, questions)
    if key == "own_machine":
        return _own_machine(value, at, source)
    if key not in Facts.model_fields:
        known = ", ".join(Facts.model_fields)
        source.wrong(at, f"is no fact; facts are {known}", f"没有这个事实；可用的事实：{known}")
        return None
    return _fact(key, value, at, source)


def _parts(data: Any, at: Location, source: Source, questions: tuple[Condition, ...]) -> list[Condition] | None:
    if not isinstance(data, list) or not data:
        source.wrong(at, "must be a list of conditions", "应为条件的列表")
        return None
    items = cast("list[Any]", data)
    parts = [parse_condition(item, (*at, number), source, questions) for number, item in enumerate(items)]
    good = [part for part in parts if part is not None]
    return good if len(good) == len(parts) else None


def _counted(
    data: Mapping[str, Any], at: Location, source: Source, questions: tuple[Condition, ...]
) -> Condition | None:
    parts = _parts(data["of"], (*at, "of"), source, questions)
    if set(data) != {"at_least", "of"}:
        source.wrong(at, "`of` goes with `at_least` and nothing else", "`of` 只能与 `at_least` 同用")
        return None
    if parts is None or not _count_fits(data["at_least"], len(parts), at, source):
        return None
    return AtLeast(data["at_least"], tuple(parts))


def _self_test(value: Any, at: Location, source: Source, questions: tuple[Condition, ...]) -> Condition | None:
    """``{at_least: 3}`` or ``{below: 3}`` of the self-test's questions."""
    kind, count = next(iter(value.items())) if isinstance(value, Mapping) and len(value) == 1 else (None, None)
    if kind not in ("at_least", "below"):
        source.wrong(at, "must be {at_least: n} or {below: n}", "应为 {at_least: n} 或 {below: n}")
        return None
    if not _count_fits(count, len(questions), at, source):
        return None
    reached = AtLeast(cast("int", count), questions)
    return reached if kind == "at_least" else Not(reached)


def _own_machine(value: Any, at: Location, source: Source) -> Condition | None:
    verdict = value.get("is") if isinstance(value, Mapping) and len(value) == 1 else None
    if verdict in ("cheaper", "dearer", "unknown"):
        return OwnMachine(verdict)
    source.wrong(
        at, "must be {is: cheaper}, {is: dearer} or {is: unknown}", "应为 {is: cheaper}、{is: dearer} 或 {is: unknown}"
    )
    return None


def _count_fits(count: Any, parts: int, at: Location, source: Source) -> bool:
    if isinstance(count, int) and not isinstance(count, bool) and 1 <= count <= parts:
        return True
    source.wrong(
        at,
        f"counts {count!r}, must be a whole number from 1 to {parts}",
        f"计数为 {count!r}，应为 1 到 {parts} 的整数",
    )
    return False


def _fact(name: str, data: Any, at: Location, source: Source) -> Condition | None:
    if not isinstance(data, Mapping) or not data:
        source.wrong(at, "must say a test, such as {is: true}", "应写明判断方式，例如 {is: true}")
        return None
    tests = cast("Mapping[str, Any]", data)
    before = len(source.problems)
    for operator, operand in tests.items():
        _check_test(name, operator, operand, (*at, str(operator)), source)
    if len(source.problems) > before:
        return None
    return all_of(
        *(
            Test(name, cast("Operator", operator), tuple(operand) if operator == "in" else operand)
            for operator, operand in tests.items()
        )
    )


def _check_test(name: str, operator: str, operand: Any, at: Location, source: Source) -> None:
    if operator not in _OPERATORS:
        known = ", ".join(_OPERATORS)
        source.wrong(at, f"is no test; tests are {known}", f"没有这种判断；可用：{known}")
    elif operator == "known":
        if not isinstance(operand, bool):
            source.wrong(at, f"is {operand!r}, must be true or false", f"当前为 {operand!r}，应为 true 或 false")
    elif operator in _ORDERINGS and not _has_order(name):
        source.wrong(at, f"`{name}` has no order; use `is` or `in`", f"`{name}` 没有大小之分；请用 `is` 或 `in`")
    elif operator == "in" and (not isinstance(operand, list) or not operand):
        source.wrong(at, "must be a list of values", "应为取值的列表")
    else:
        for value in cast("list[Any]", operand) if operator == "in" else [operand]:
            _check_value(name, value, at, source)


def _has_order(name: str) -> bool:
    """Whether values of the fact are numbers or steps of a scale."""
    annotation = Facts.model_fields[name].annotation
    return name in ORDERED or (name not in VALUES and bool not in get_args(annotation))


def _check_value(name: str, value: Any, at: Location, source: Source) -> None:
    """The fact must be able to have the value: the model of the facts itself is asked."""
    if value is None:
        source.wrong(at, "has no value; `known: false` asks for that", "没有取值；要判断未知请用 `known: false`")
        return
    try:
        Facts.model_validate({name: value})
    except ValidationError as error:
        rule = error.errors(include_url=False)[0]["msg"]
        source.wrong(at, f"`{name}` cannot be {value!r}: {rule}", f"`{name}` 不可能是 {value!r}：{rule}")

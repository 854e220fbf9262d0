"""Values of a fact that tell its conditions apart: every named value, and one number from each stretch between limits.

Trying these is as good as trying all values, because no condition can tell two numbers of one stretch apart.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import pairwise
from typing import Any, get_args

from tuneworth.advisor.approaches import EXCLUSIONS
from tuneworth.advisor.conditions import Condition
from tuneworth.advisor.facts import Facts
from tuneworth.advisor.rules import load_rules
from tuneworth.advisor.words import VALUES

PRICES: dict[str, tuple[float, ...]] = {
    "api_usd_per_1k_calls": (0.05, 5.0, 500.0),
    "machine_usd_per_hour": (0.02, 2.0, 20.0),
}
"""Prices are compared with each other, not with limits: a low, a usual and a high one."""


def telling_values(name: str) -> tuple[Any, ...]:
    """Values of fact ``name`` that the rules and exclusions tell apart; empty when they do not look at it."""
    return _all_telling_values()[name]


@cache
def _all_telling_values() -> dict[str, tuple[Any, ...]]:
    conditions = [*(rule.when for rule in load_rules()), *(exclusion.when for exclusion in EXCLUSIONS)]
    return {name: values_told_apart(name, conditions) for name in Facts.model_fields}


def values_told_apart(name: str, conditions: Iterable[Condition]) -> tuple[Any, ...]:
    """Values of fact ``name`` that ``conditions`` tell apart, least first."""
    limits = [
        value
        for condition in conditions
        for test in condition.tests
        if test.fact == name and test.operator != "known"
        for value in (test.operand if test.operator == "in" else (test.operand,))
    ]
    if not limits:
        return PRICES.get(name, ())
    if name in VALUES:
        return tuple(VALUES[name])
    if bool in get_args(Facts.model_fields[name].annotation):
        return (True, False)
    return _stretches(name, sorted(set(limits)))


def _stretches(name: str, limits: list[float]) -> tuple[float, ...]:
    """Each limit, and a number below, between and above the limits, as far as the fact can have it."""
    least, most = _range(name)
    whole = int in get_args(Facts.model_fields[name].annotation)
    ends = [least, *limits, most]
    between = [(low + high) / 2 for low, high in pairwise(ends)]
    candidates = [*limits, *(int(value) if whole else value for value in between)]
    return tuple(sorted({value for value in candidates if least <= value <= most}))


def _range(name: str) -> tuple[float, float]:
    """What the fact's model allows; without an upper bound, far above what any rule names."""
    bounds = {
        kind: getattr(part, kind)
        for part in Facts.model_fields[name].metadata
        for kind in ("ge", "gt", "le", "lt")
        if hasattr(part, kind)
    }
    least = bounds.get("ge", bounds.get("gt", 0.0))
    return least, bounds.get("le", bounds.get("lt", 1e6))

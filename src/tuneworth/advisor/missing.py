"""Which facts that are not known could still change the advice, found by trying their values.

For every unknown fact its telling values are tried one at a time on the facts as they are, and one more on each
of a set of sampled worlds, in which the other unknown facts have turned out one way or another. A fact is missing
if some trial changes the approach that is expected, or whether that approach is fine-tuning. The share of trials
that do is its place in the order: an estimate of the total-effect sensitivity index (A. Saltelli et al., *Global
Sensitivity Analysis: The Primer*, 2008, §4.6), so that facts which matter only together are found as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from random import Random
from typing import Any, get_args

from tuneworth.advisor.conditions import Condition, Values, facts_of
from tuneworth.advisor.facts import Facts
from tuneworth.advisor.meaning import are_contradictory, with_implied
from tuneworth.advisor.ranking import EXCLUSIONS, Outcome, outcome, scores_of
from tuneworth.advisor.rules import Rule, load_rules
from tuneworth.advisor.words import values_of
from tuneworth.core.advice import Approach

N_WORLDS = 48
"""Sampled worlds. What changes the advice in fewer than one of as many matters little and may be left out."""
STAYS_UNKNOWN = 1 / 3
"""Share of the other facts that a sampled world leaves open: people skip questions."""
GAIN = "measured_gain"
MEASURED_TRIALS: tuple[dict[str, Any], ...] = (
    {"measured_gain": 0.10, "measured_gain_low": 0.05, "measured_gain_high": 0.15},
    {"measured_gain": 0.00, "measured_gain_low": -0.01, "measured_gain_high": 0.01},
)
"""A gain comes from a run with both ends of its interval, so the three are tried as one."""


@dataclass(frozen=True, slots=True)
class Missing:
    """An unknown fact that could change the advice.

    Attributes:
        example: a change of it that by itself would change the advice as things stand, if there is one.
        outcome: what that would come to.
        weight: share of trials that changed the advice, in (0, 1].
    """

    name: str
    weight: float
    example: dict[str, Any] | None = None
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class _World:
    """Facts and what they come to. A trial judges anew only the rules that look at what changed.

    Attributes:
        values: ``given`` with what follows from it.
    """

    given: dict[str, Any]
    values: dict[str, Any]
    fired: frozenset[str]
    scores: dict[Approach, float]
    outcome: Outcome

    def with_values(self, changes: Mapping[str, Any]) -> Outcome | None:
        """What it would come to with ``changes``; ``None`` where they contradict the other facts."""
        given = {**self.given, **changes}
        values = with_implied(given)
        changed = [name for name, value in values.items() if value != self.values[name]]
        if are_contradictory(values, changed):
            return None
        scores = dict(self.scores)
        for rule in {rule.id: rule for name in changed for rule in _rules_about()[name]}.values():
            sign = (rule.when.holds(values) is True) - (rule.id in self.fired)
            if sign:
                for approach, vote in _votes()[rule.id].items():
                    scores[approach] += sign * vote
        return outcome(values, scores)


def missing_facts(given: Values) -> list[Missing]:
    """The unknown facts that could change the advice, the most telling first.

    Args:
        given: every fact by name, without what follows from them. They must not contradict one another.
    """
    here, rng = _world(given), Random(0)
    unknown = [name for name, value in here.values.items() if value is None and _trials(name)]
    worlds = [_world(_sampled(given, unknown, rng)) for _ in range(N_WORLDS)]
    found = [_missing(name, here, worlds, rng) for name in unknown]
    return sorted((item for item in found if item.weight > 0), key=lambda item: -item.weight)


def _missing(name: str, here: _World, worlds: list[_World], rng: Random) -> Missing:
    """Try a fact. A turn between tuning and not counts twice a mere change of approach."""
    tried = [(here, change) for change in _trials(name)]
    tried += [(world, rng.choice(_trials(name))) for world in worlds]
    changed, example, example_outcome = 0, None, None
    for world, change in tried:
        after = world.with_values(change)
        if after is None or after == world.outcome:
            continue
        changed += 1 + (after.fine_tune != world.outcome.fine_tune)
        if world is not here:
            continue
        # Shown is the first change, or the first that turns between tuning and not.
        if example_outcome is None or example_outcome.fine_tune == here.outcome.fine_tune != after.fine_tune:
            example, example_outcome = change, after
    return Missing(name, changed / (2 * len(tried)), example, example_outcome)


def _trials(name: str) -> tuple[dict[str, Any], ...]:
    """Changes to try for a fact."""
    if name == GAIN:
        return MEASURED_TRIALS
    return () if name.startswith(GAIN) else tuple({name: value} for value in telling_values(name))


def _sampled(given: Values, unknown: list[str], rng: Random) -> dict[str, Any]:
    """A way the unknown facts may turn out. A measured gain decides by itself, so it is left open."""
    world = dict(given)
    for name in rng.sample(unknown, len(unknown)):
        if name != GAIN and rng.random() >= STAYS_UNKNOWN:
            turned_out = {**world, **rng.choice(_trials(name))}
            world = world if are_contradictory(turned_out, (name,)) else turned_out
    return world


def _world(given: Values) -> _World:
    values = with_implied(given)
    fired = [rule for rule in load_rules() if rule.when.holds(values)]
    scores = scores_of(fired)
    return _World(dict(given), values, frozenset(rule.id for rule in fired), scores, outcome(values, scores))


@cache
def _rules_about() -> dict[str, list[Rule]]:
    """Fact name → the rules that look at it."""
    about: dict[str, list[Rule]] = {name: [] for name in Facts.model_fields}
    for rule in load_rules():
        for name in facts_of(rule.when):
            about[name].append(rule)
    return about


@cache
def _votes() -> dict[str, dict[Approach, float]]:
    return {rule.id: rule.votes() for rule in load_rules()}


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
    if values := values_of(name):
        return tuple(values)
    if bool in get_args(Facts.model_fields[name].annotation):
        return (True, False)
    return _stretches(name, sorted(set(limits)))


def _stretches(name: str, limits: list[float]) -> tuple[float, ...]:
    """Each limit, and a number below, between and above the limits, as far as the fact's model allows it.

    Without an upper bound, up to far above what any rule names.
    """
    field = Facts.model_fields[name]
    bounds = {
        kind: getattr(part, kind) for part in field.metadata for kind in ("ge", "gt", "le", "lt") if hasattr(part, kind)
    }
    least, most = bounds.get("ge", bounds.get("gt", 0.0)), bounds.get("le", bounds.get("lt", 1e6))
    whole = int in get_args(field.annotation)
    between = [(low + high) / 2 for low, high in pairwise([least, *limits, most])]
    candidates = [*limits, *(int(value) if whole else value for value in between)]
    return tuple(sorted({value for value in candidates if least <= value <= most}))

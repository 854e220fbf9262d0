"""What facts mean for one another: those that follow from others, and those that cannot both be true.

Only what the meaning of the given facts implies. Nothing is guessed from names, languages or habits, and what is
merely unusual is left to the rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from tuneworth.advisor.conditions import Condition, Test, Values, all_of, any_of
from tuneworth.advisor.facts import Situation
from tuneworth.advisor.words import show
from tuneworth.core.text import Text
from tuneworth.errors import InputError, Problem
from tuneworth.words.names import joined
from tuneworth.words.say import say


class _Implied(NamedTuple):
    """Where ``when`` holds and ``fact`` is not known, it is ``value``. ``key`` names the reason in the catalogue."""

    key: str
    when: Condition
    fact: str
    value: Any


_IMPLIED = (
    _Implied("style", Test("scenario", "is", "style"), "distinct_style", True),
    _Implied("specialised", Test("scenario", "is", "specialised"), "specialised_domain", True),
    _Implied("repetitive", Test("scenario", "is", "repetitive"), "repetitive", True),
    _Implied("documents", Test("scenario", "is", "knowledge_qa"), "needs_documents", True),
    _Implied(
        "fixed_form",
        any_of(
            Test("scenario", "in", ("structured_output", "classification")),
            Test("output_kind", "in", ("label", "choice", "multilabel", "number", "json")),
        ),
        "clear_structure",
        True,
    ),
    _Implied("private", Test("private", "is", True), "local_deployment", True),
    _Implied("may_leave", Test("local_deployment", "is", False), "private", False),
    _Implied("no_rows", Test("total_rows", "is", 0), "quality_rows", 0),
)


def with_implied(values: Values) -> dict[str, Any]:
    """``values`` and what follows from them."""
    return {**values, **{fact: found.value for fact, found in _implied(values).items()}}


def assume(situation: Situation) -> Situation:
    """``situation`` and what follows from it, marked ``assumed``."""
    found = _implied(situation.facts.model_dump())
    return situation.with_facts(
        "assumed",
        {fact: implied.value for fact, implied in found.items()},
        {fact: say(f"advisor.implied.{implied.key}") for fact, implied in found.items()},
    )


def _implied(values: Mapping[str, Any]) -> dict[str, _Implied]:
    """Facts that follow from ``values`` and are not among them."""
    found: dict[str, _Implied] = {}
    for implied in _IMPLIED:
        if values.get(implied.fact) is None and implied.when.holds(values):
            found.setdefault(implied.fact, implied)
    return found


class _Order(NamedTuple):
    """A fact that can never be over another one."""

    key: str
    smaller: str
    larger: str


class _Impossible(NamedTuple):
    """Facts that exclude one another where ``when`` holds."""

    key: str
    facts: tuple[str, ...]
    when: Condition


def _excludes(key: str, one: Test, *others: Test) -> _Impossible:
    tests = (one, *others)
    return _Impossible(key, tuple(test.fact for test in tests), all_of(*tests))


_ORDERS = (
    _Order("more_good_rows", "quality_rows", "total_rows"),
    _Order("low_over_gain", "measured_gain_low", "measured_gain"),
    _Order("gain_over_high", "measured_gain", "measured_gain_high"),
    _Order("low_over_high", "measured_gain_low", "measured_gain_high"),
)
_LEARNT_FROM_ROWS = ("measured_gain", "noise_rate", "duplicate_share", "format_regularity", "style_consistency")
_IMPOSSIBLE = (
    _excludes("no_voice", Test("scenario", "is", "style"), Test("distinct_style", "is", False)),
    _excludes("no_domain", Test("scenario", "is", "specialised"), Test("specialised_domain", "is", False)),
    _excludes("no_repeats", Test("scenario", "is", "repetitive"), Test("repetitive", "is", False)),
    _excludes(
        "no_documents",
        Test("scenario", "is", "knowledge_qa"),
        Test("needs_documents", "is", False),
        Test("knowledge_changes", "at_least", "weekly"),
    ),
    _excludes("label_with_voice", Test("output_kind", "is", "label"), Test("distinct_style", "is", True)),
    _excludes("private_elsewhere", Test("private", "is", True), Test("local_deployment", "is", False)),
    *(_excludes("no_rows", Test("total_rows", "is", 0), Test(fact, "known", True)) for fact in _LEARNT_FROM_ROWS),
    _excludes("nothing_to_retrieve", Test("needs_documents", "is", False), Test("retrieval_recall", "known", True)),
)
_BUSY_FACTS = ("concurrency", "calls_per_day")

CHECKED: frozenset[str] = frozenset(
    [fact for order in _ORDERS for fact in (order.smaller, order.larger)]
    + [fact for item in _IMPOSSIBLE for fact in item.facts]
    + [*_BUSY_FACTS]
)
"""Facts that can contradict another one."""


def check_facts(situation: Situation) -> None:
    """Refuse facts that contradict one another.

    Raises:
        InputError: with every contradiction: the facts, their values, the rule, and what to do.
    """
    values = situation.facts.model_dump()
    found: list[Problem] = []
    for facts, key in _clashes(values, CHECKED):
        said = joined([_is(fact, values[fact]) for fact in facts], say("advisor.clash.and"))
        rule = say(f"advisor.impossible.{key}")
        found.append(Problem(", ".join(facts), say("advisor.clash.problem", said=said, rule=rule)))
    if found:
        raise InputError(found)


def are_contradictory(values: Values, about: Iterable[str] = CHECKED) -> bool:
    """Whether any facts among ``values`` contradict one another.

    Args:
        about: look only at the rules about these facts; for callers whose other facts are known to agree.
    """
    return next(_clashes(values, CHECKED.intersection(about)), None) is not None


def _clashes(values: Values, about: frozenset[str]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Facts that exclude one another, and the key of the rule that says so."""
    if not about:
        return
    for order in _ORDERS:
        if _over(values.get(order.smaller), values.get(order.larger)):
            yield (order.smaller, order.larger), order.key
    for item in _IMPOSSIBLE:
        if not about.isdisjoint(item.facts) and item.when.holds(values):
            yield item.facts, item.key
    at_once = values.get("concurrency") or 1
    if at_once > 1 and _over(at_once, values.get("calls_per_day")):  # one at a time is no claim about volume
        yield _BUSY_FACTS, "too_busy"


def _over(smaller: float | None, larger: float | None) -> bool:
    return smaller is not None and larger is not None and smaller > larger


def _is(fact: str, value: Any) -> Text:
    """In Chinese a number stands off by a space, words are in quotes."""
    shown = show(fact, value)
    zh = f"“{shown.zh}”" if "\u4e00" <= shown.zh[:1] <= "\u9fff" else f" {shown.zh}"
    return say("advisor.clash.is", name=fact, shown=Text(shown.en, zh))

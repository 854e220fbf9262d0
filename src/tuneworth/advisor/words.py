"""How facts read: what each is called, and its value, in both languages."""

from __future__ import annotations

from typing import Any

from tuneworth.core.text import Text
from tuneworth.words import numbers
from tuneworth.words.say import CATALOGUE, say, table

_SCALES = {"knowledge_changes": "pace", "behaviour_changes": "pace"}
_MONEY = ("_usd", "_usd_per_1k_calls", "_usd_per_hour")


def title(fact: str) -> Text:
    """A noun phrase, lower case in English.

    Raises:
        KeyError: there is no such fact.
    """
    return say(f"advisor.title.{fact}")


def values_of(fact: str) -> dict[str, Text]:
    """The values of a fact with a fixed set of them, in order, and how they read; empty for any other fact."""
    return table(f"advisor.value.{_SCALES.get(fact, fact)}")


def show(fact: str, value: Any) -> Text:
    """How the value of a fact reads; ``None`` reads "not known".

    Raises:
        KeyError: there is no such fact, or it has no such value.
    """
    if value is None:
        return say("advisor.value.not_known")
    if isinstance(value, bool):
        return say("advisor.value.yes" if value else "advisor.value.no")
    if isinstance(value, str):
        return say(f"advisor.value.{_SCALES.get(fact, fact)}.{value}")
    if fact.startswith("measured_gain"):
        return numbers.signed_points(value)
    if fact.endswith("_rows") and value == 1:
        return say("advisor.unit.row", n="1")
    if f"unit.{fact}" in CATALOGUE.columns("advisor"):
        return say(f"advisor.unit.{fact}", n=numbers.amount(value) if fact.endswith(_MONEY) else numbers.general(value))
    return numbers.percent(value)

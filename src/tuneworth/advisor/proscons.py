"""What speaks for and against tuning from an engineer's view (P, K), only where the situation calls for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from tuneworth.advisor.conditionparse import parse_condition
from tuneworth.advisor.conditions import Condition, Values
from tuneworth.advisor.words import fill
from tuneworth.advisor.yamldata import Location, Source, packaged, read_source
from tuneworth.core.advice import ProCon
from tuneworth.core.text import Text


@dataclass(frozen=True, slots=True)
class Consideration:
    """A pro or con with where it applies; ``text`` may hold ``{fact}``."""

    row: str
    stance: Literal["for", "against"]
    when: Condition
    text: Text


@cache
def load_considerations() -> tuple[Consideration, ...]:
    """All of them, pros first.

    Raises:
        InputError: the file is wrong, with every problem and its line.
    """
    source = read_source(packaged("proscons.yaml"), "proscons.yaml")
    found = [_consideration(item, (number,), source) for number, item in enumerate(source.data)]
    source.finish()
    return tuple(item for item in found if item is not None)


def _consideration(item: dict[str, Any], at: Location, source: Source) -> Consideration | None:
    when = parse_condition(item["when"], (*at, "when"), source)
    return None if when is None else Consideration(item["row"], item["stance"], when, Text(item["en"], item["zh"]))


def pros_cons(values: Values) -> list[ProCon]:
    """Those that apply."""
    return [
        ProCon(row=item.row, stance=item.stance, text=fill(item.text, values))
        for item in load_considerations()
        if item.when.holds(values)
    ]

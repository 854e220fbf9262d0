"""Where rows of the seed article contradict one another (X1 … X6), and what settles it.

A contradiction is told where both of its sides apply, or one does and the other is not ruled out. What has been
measured already settles what it can.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from tuneworth.advisor.chart import NODES
from tuneworth.advisor.conditionparse import parse_condition
from tuneworth.advisor.conditions import Condition, Values
from tuneworth.advisor.words import fill
from tuneworth.advisor.yamldata import Location, Source, packaged, read_source
from tuneworth.core.advice import ChartStep, Contradiction
from tuneworth.core.text import Text


@dataclass(frozen=True, slots=True)
class Side:
    """Rows that say the same about tuning, and when they apply."""

    rows: tuple[str, ...]
    when: Condition


@dataclass(frozen=True, slots=True)
class Clash:
    """A contradiction as its file writes it.

    Attributes:
        settled: what is already measured, tried in order.
    """

    row: str
    title: Text
    clash: Text
    pulls_for: Side
    pulls_against: Side
    settled_by: Text
    commands: tuple[str, ...]
    settled: tuple[tuple[Condition, Text], ...]

    def touched_by(self, values: Values) -> bool:
        """Both sides apply, or one does and the other is not ruled out."""
        sides = (self.pulls_for.when.holds(values), self.pulls_against.when.holds(values))
        return True in sides and False not in sides

    def told(self, values: Values) -> Contradiction:
        """As an advice shows it."""
        settled = next((text for when, text in self.settled if when.holds(values)), self.settled_by)
        return Contradiction(
            row=self.row,
            title=self.title,
            clash=self.clash,
            pulls_for=list(self.pulls_for.rows),
            pulls_against=list(self.pulls_against.rows),
            settled_by=fill(settled, values),
            commands=list(self.commands),
        )


CHART_GAP = Contradiction(
    row="X6",
    title=Text("The flow chart has gaps", "流程图有断路"),
    clash=Text(
        "The article's flow chart does not say how to go on from here. The edge taken is one that tuneworth added.",
        "原文的流程图走到这里就断了，所走的这条边是 tuneworth 补上的。",
    ),
    pulls_for=["F"],
    pulls_against=["F"],
    settled_by=Text(
        "No chart settles it. Follow the completed one as a guide and measure the approaches it leads to.",
        "靠图定不了。把补全后的图当作参考，对它指向的方案做实测。",
    ),
    commands=["tuneworth run task.yaml"],
)


def contradictions(values: Values, path: Sequence[ChartStep]) -> list[Contradiction]:
    """Those that the situation touches, in the order X1 … X6.

    Args:
        path: the way through the flow chart; an edge that fills a gap of the article's touches X6.
    """
    told = [clash.told(values) for clash in load_clashes() if clash.touched_by(values)]
    return [*told, CHART_GAP] if any(_fills_gap(step) for step in path) else told


def _fills_gap(step: ChartStep) -> bool:
    """Whether the step leaves one of the article's own questions by an edge that the article does not have."""
    node = NODES[step.node]
    return step.ours and node.role == "question" and not node.ours


@cache
def load_clashes() -> tuple[Clash, ...]:
    """X1 … X5.

    Raises:
        InputError: the file is wrong, with every problem and its line.
    """
    source = read_source(packaged("contradictions.yaml"), "contradictions.yaml")
    found = [_clash(item, (place,), source) for place, item in enumerate(source.data)]
    source.finish()
    return tuple(clash for clash in found if clash is not None)


def _clash(item: dict[str, Any], at: Location, source: Source) -> Clash | None:
    pulls_for = _side(item["for"], (*at, "for"), source)
    pulls_against = _side(item["against"], (*at, "against"), source)
    settled = [_settled(part, (*at, "settled", place), source) for place, part in enumerate(item.get("settled", ()))]
    if pulls_for is None or pulls_against is None or None in settled:
        return None
    return Clash(
        row=item["row"],
        title=Text(**item["title"]),
        clash=Text(**item["clash"]),
        pulls_for=pulls_for,
        pulls_against=pulls_against,
        settled_by=Text(**item["settled_by"]),
        commands=tuple(item.get("commands", ())),
        settled=tuple(part for part in settled if part is not None),
    )


def _side(data: dict[str, Any], at: Location, source: Source) -> Side | None:
    when = parse_condition(data["when"], (*at, "when"), source)
    return None if when is None else Side(tuple(data["rows"]), when)


def _settled(data: dict[str, Any], at: Location, source: Source) -> tuple[Condition, Text] | None:
    when = parse_condition(data["when"], (*at, "when"), source)
    return None if when is None else (when, Text(data["en"], data["zh"]))

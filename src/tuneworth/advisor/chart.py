"""The flow chart of the seed article (F), completed: its nodes as data, the way of a situation through it, and both as text.

The article leaves two edges out (X6): what to do when a template is *not* enough for a structured output, and what
to do when a particular tone *is* needed. It also ends at "consider fine-tuning", where a measurement can go on.
Nodes and edges that were added for this are marked ``ours`` and drawn differently, so that nobody takes them for
the article's.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from tuneworth.advisor.facts import Facts
from tuneworth.core.advice import ChartStep
from tuneworth.core.task import Task
from tuneworth.core.text import Lang, Text
from tuneworth.words.say import say

Role = Literal["question", "step", "end"]
ANSWERS: dict[bool | None, Literal["yes", "no", "unknown"]] = {True: "yes", False: "no", None: "unknown"}

MUCH_DATA_ROWS = 5_000
"""Q1. The article has no single threshold (X4); a measured gain answers the question instead when there is one."""

GAIN_THAT_MATTERS: float = Task.model_fields["margin"].default
"""The margin of a task that names none."""


@dataclass(frozen=True, slots=True)
class Edge:
    """A way on from a node. ``answer`` is empty where there is only one."""

    to: str
    answer: Literal["yes", "no", ""] = ""
    ours: bool = False


@dataclass(frozen=True)
class Node:
    """A box of the chart.

    Attributes:
        asks: answers the node's question from facts; ``None`` for a step and an end.
        seed_rows: rows of the seed article that the box stands for.
        ours: the box is not in the article.
    """

    id: str
    role: Role
    seed_rows: tuple[str, ...]
    edges: tuple[Edge, ...] = ()
    asks: Callable[[Facts], bool | None] | None = field(default=None, repr=False)
    ours: bool = False

    @property
    def text(self) -> Text:
        return say(f"advisor.node.{self.id}")

    def edge(self, answer: str) -> Edge | None:
        """The edge for ``answer``; ``None`` when there is none."""
        return next((edge for edge in self.edges if edge.answer == answer), None)


def needs_structure(facts: Facts) -> bool | None:
    """Whether outputs must keep a fixed structure: told by their kind, else by what the task is."""
    if facts.output_kind in ("label", "choice", "multilabel", "number", "json") or facts.scenario in (
        "structured_output",
        "classification",
    ):
        return True
    if facts.output_kind == "text" or facts.scenario in ("general_chat", "knowledge_qa", "style"):
        return False
    return False if facts.clear_structure is False else None


def needs_voice(facts: Facts) -> bool | None:
    """Whether answers must sound like one particular voice."""
    if facts.distinct_style is not None:
        return facts.distinct_style
    return True if facts.scenario == "style" else None


def much_data(facts: Facts) -> bool | None:
    """Whether there is much good data.

    Rows at hand bound the good ones from above. A measured gain whose interval is above zero shows that there
    was enough to learn from, however few rows they were.
    """
    if facts.measured_gain_low is not None and facts.measured_gain_low > 0:
        return True
    if facts.quality_rows is not None:
        return facts.quality_rows >= MUCH_DATA_ROWS
    return False if facts.total_rows is not None and facts.total_rows < MUCH_DATA_ROWS else None


def measured_gain(facts: Facts) -> bool | None:
    """Whether a run showed tuning ahead by something that matters; ``None`` without a run and where it did not settle it."""
    low, high = facts.measured_gain_low, facts.measured_gain_high
    if high is not None and high < GAIN_THAT_MATTERS:
        return False
    return True if low is not None and low > 0 else None


CHART: tuple[Node, ...] = (
    Node(
        "structure",
        "question",
        ("F", "A3", "T1"),
        (Edge("template", "yes"), Edge("voice", "no")),
        needs_structure,
    ),
    Node(
        "template",
        "question",
        ("F", "N3", "T1", "Q3"),
        (Edge("no_tuning", "yes"), Edge("constrain", "no", ours=True)),
        lambda facts: facts.prompt_suffices,
    ),
    Node(
        "constrain",
        "step",
        ("X1", "X6"),
        (Edge("data", ours=True),),
        ours=True,
    ),
    Node(
        "voice",
        "question",
        ("F", "Y3", "A4", "T2"),
        (Edge("samples", "yes", ours=True), Edge("retrieve", "no")),
        needs_voice,
    ),
    Node(
        "samples",
        "question",
        ("X6", "Q3"),
        (Edge("no_tuning", "yes", ours=True), Edge("data", "no", ours=True)),
        lambda facts: facts.prompt_suffices,
        ours=True,
    ),
    Node(
        "retrieve",
        "step",
        ("F", "N1", "N2", "A1", "A2"),
        (Edge("data"),),
    ),
    Node(
        "data",
        "question",
        ("F", "Q1", "Y2", "X4"),
        (Edge("consider", "yes"), Edge("prompt_rag", "no")),
        much_data,
    ),
    Node(
        "consider",
        "step",
        ("F", "Y1", "Y2", "A5", "T3"),
        (Edge("measured", ours=True),),
    ),
    Node(
        "measured",
        "question",
        ("X4", "X6"),
        (Edge("fine_tune", "yes", ours=True), Edge("keep", "no", ours=True)),
        measured_gain,
        ours=True,
    ),
    Node(
        "no_tuning",
        "end",
        ("F", "N3", "A3", "T1"),
    ),
    Node(
        "prompt_rag",
        "end",
        ("F", "N2", "N4", "T4"),
    ),
    Node("fine_tune", "end", ("X6",), ours=True),
    Node("keep", "end", ("X6",), ours=True),
)
"""The completed chart, the start first, ends last."""

WIDTH = 80
ON_PATH = "▶"
OURS = "+"
_NO_LINE_START = "，。、；：？！）》」』”’"

NODES: dict[str, Node] = {node.id: node for node in CHART}
CHART_SEED_ROWS: frozenset[str] = frozenset(row for node in CHART for row in node.seed_rows)
"""Rows of the seed article that the chart speaks to."""


def path(facts: Facts) -> list[ChartStep]:
    """The way of ``facts`` through the chart, from its start.

    An unknown answer ends the way: that step has the edge ``unknown``. A step with only one way on has the edge
    ``next``; an end has none.
    """
    node, steps = CHART[0], list[ChartStep]()
    while node.edges:
        answer = "" if node.asks is None else ANSWERS[node.asks(facts)]
        edge = node.edge(answer)
        if edge is None:
            return [*steps, ChartStep(node=node.id, edge="unknown")]
        steps.append(ChartStep(node=node.id, edge=edge.answer or "next", ours=edge.ours))
        node = NODES[edge.to]
    return [*steps, ChartStep(node=node.id)]


def chart_text(path: Sequence[ChartStep], lang: Lang) -> str:
    """The whole chart in lines of at most 80 columns, a Chinese character taking two.

    Boxes are numbered; ``▶`` marks the boxes and edges of ``path``, ``+`` what the article does not have.
    """
    taken = {step.node: step.edge for step in path}
    numbers = {node.id: number for number, node in enumerate(CHART, start=1)}
    lines = [*_wrapped(say("advisor.chart.marks", mine=ON_PATH, ours=OURS).to(lang), ""), ""]
    for node in CHART:
        here = node.id in taken
        mark = f"{ON_PATH if here else ' '}{OURS if node.ours else ' '}"
        lines += _wrapped(f"{mark}{numbers[node.id]:>3}  {node.text.to(lang)}", " " * 7)
        for edge in node.edges:
            on_way = here and taken[node.id] == (edge.answer or "next")
            mark = f"{ON_PATH if on_way else ' '}{OURS if edge.ours else ' '}"
            lines.append(f"{mark}        {edge_word(edge.answer or 'next').to(lang)} → {numbers[edge.to]}")
        if here and taken[node.id] == "unknown":
            lines.append(f"{ON_PATH}         {edge_word('unknown').to(lang)}")
    return "\n".join(lines)


def edge_word(answer: str) -> Text:
    return say(f"advisor.edge.{answer}")


def width(text: str) -> int:
    """Columns of a terminal that ``text`` takes; a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def pieces(text: str) -> list[str]:
    """What a line may be broken between: words with the space after them, and single wide characters.

    Closing punctuation stays with what it closes.
    """
    found: list[str] = []
    for char in text:
        starts = not found or found[-1].endswith(" ") or width(char) == 2 or width(found[-1][-1]) == 2
        if char == " " or char in _NO_LINE_START or not starts:
            found[-1:] = [found[-1] + char] if found else [char]
        else:
            found.append(char)
    return found


def fold(text: str, columns: int) -> list[str]:
    """``text`` in lines of at most ``columns`` columns."""
    lines = [""]
    for piece in pieces(text):
        if lines[-1].strip() and width(lines[-1]) + width(piece.rstrip()) > columns:
            lines.append("")
        lines[-1] += piece
    return [line.rstrip() for line in lines]


def _wrapped(text: str, indent: str) -> list[str]:
    """``text`` in lines as wide as the chart, all but the first after ``indent``."""
    first = fold(text, WIDTH)[0]
    rest = text[len(first) :].lstrip()
    return [first, *(indent + line for line in fold(rest, WIDTH - len(indent)))] if rest else [first]

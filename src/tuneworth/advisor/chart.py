"""The flow chart of the seed article (F), completed: its nodes as data, and the way of a situation through it.

The article leaves two edges out (X6): what to do when a template is *not* enough for a structured output, and what
to do when a particular tone *is* needed. It also ends at "consider fine-tuning", where a measurement can go on.
Nodes and edges that were added for this are marked ``ours`` and drawn differently, so that nobody takes them for
the article's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from tuneworth.advisor.facts import Facts
from tuneworth.core.advice import ChartStep
from tuneworth.core.task import Task
from tuneworth.core.text import Text

Answer = Literal["yes", "no", "unknown"]
Role = Literal["question", "step", "end"]

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
    text: Text
    seed_rows: tuple[str, ...]
    edges: tuple[Edge, ...] = ()
    asks: Callable[[Facts], bool | None] | None = field(default=None, repr=False)
    ours: bool = False

    def edge(self, answer: str) -> Edge | None:
        """The edge for ``answer``; ``None`` when there is none."""
        return next((edge for edge in self.edges if edge.answer == answer), None)


def needs_structure(facts: Facts) -> bool | None:
    """Whether outputs must keep a fixed structure: told by their kind, else by what the task is."""
    if facts.output_kind in ("label", "choice", "json") or facts.scenario in ("structured_output", "classification"):
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
        Text("Must outputs keep a fixed structure?", "输出必须保持固定结构吗？"),
        ("F", "A3", "T1"),
        (Edge("template", "yes"), Edge("voice", "no")),
        needs_structure,
    ),
    Node(
        "template",
        "question",
        Text("Is a prompt template enough for it?", "只靠提示词模板够用吗？"),
        ("F", "N3", "T1", "Q3"),
        (Edge("no_tuning", "yes"), Edge("constrain", "no", ours=True)),
        lambda facts: facts.prompt_suffices,
    ),
    Node(
        "constrain",
        "step",
        Text("Constrain decoding for the format, then judge the content.", "用约束解码保证格式，再看内容对不对。"),
        ("X1", "X6"),
        (Edge("data", ours=True),),
        ours=True,
    ),
    Node(
        "voice",
        "question",
        Text("Is a particular tone or style needed?", "需要特定的语气或文风吗？"),
        ("F", "Y3", "A4", "T2"),
        (Edge("samples", "yes", ours=True), Edge("retrieve", "no")),
        needs_voice,
    ),
    Node(
        "samples",
        "question",
        Text("Does a prompt with samples of the voice hit it?", "提示词里附上范文，写得像吗？"),
        ("X6", "Q3"),
        (Edge("no_tuning", "yes", ours=True), Edge("data", "no", ours=True)),
        lambda facts: facts.prompt_suffices,
        ours=True,
    ),
    Node(
        "retrieve",
        "step",
        Text("Retrieve from your documents, or call an API as it is.", "接入文档检索，或直接调用 API。"),
        ("F", "N1", "N2", "A1", "A2"),
        (Edge("data"),),
    ),
    Node(
        "data",
        "question",
        Text("Is there much good data of the domain?", "有大量合格的领域数据吗？"),
        ("F", "Q1", "Y2", "X4"),
        (Edge("consider", "yes"), Edge("prompt_rag", "no")),
        much_data,
    ),
    Node(
        "consider",
        "step",
        Text("Consider fine-tuning.", "可以考虑微调。"),
        ("F", "Y1", "Y2", "A5", "T3"),
        (Edge("measured", ours=True),),
    ),
    Node(
        "measured",
        "question",
        Text("On held-out rows, does tuning beat the best untuned way?", "在留出数据上，微调胜过最好的不微调方案吗？"),
        ("X4", "X6"),
        (Edge("fine_tune", "yes", ours=True), Edge("keep", "no", ours=True)),
        measured_gain,
        ours=True,
    ),
    Node(
        "no_tuning",
        "end",
        Text("No fine-tuning needed.", "不需要微调。"),
        ("F", "N3", "A3", "T1"),
    ),
    Node(
        "prompt_rag",
        "end",
        Text("Prompts, with retrieval where documents matter.", "用提示词；依赖文档时加检索。"),
        ("F", "N2", "N4", "T4"),
    ),
    Node("fine_tune", "end", Text("Fine-tune.", "微调。"), ("X6",), ours=True),
    Node("keep", "end", Text("Keep the best untuned way.", "沿用最好的不微调方案。"), ("X6",), ours=True),
)
"""The completed chart, the start first, ends last."""

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
        answer = "" if node.asks is None else _answer(node.asks(facts))
        edge = node.edge(answer)
        if edge is None:
            return [*steps, ChartStep(node=node.id, edge="unknown")]
        steps.append(ChartStep(node=node.id, edge=edge.answer or "next", ours=edge.ours))
        node = NODES[edge.to]
    return [*steps, ChartStep(node=node.id)]


def _answer(value: bool | None) -> Answer:
    return "unknown" if value is None else "yes" if value else "no"

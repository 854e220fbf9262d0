"""The flow chart as plain text: every box with its ways on, one's own way marked."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from tuneworth.advisor.chart import CHART, Edge, Node
from tuneworth.core.advice import ChartStep
from tuneworth.core.text import Lang, Text

WIDTH = 80
ON_PATH = "▶"
OURS = "+"
EDGE_WORDS: dict[str, Text] = {
    "yes": Text("yes", "是"),
    "no": Text("no", "否"),
    "next": Text("then", "然后"),
    "unknown": Text("? not known: your way ends here", "？未知，你的路径到此为止"),
}
_LEGEND = Text(
    f"{ON_PATH} your way   {OURS} added by tuneworth: missing in the original chart (X6)",
    f"{ON_PATH} 你的路径　{OURS} tuneworth 补充的部分，原流程图里没有（X6）",
)
_NO_LINE_START = "，。、；：？！）》」』”’"


def chart_text(path: Sequence[ChartStep], lang: Lang) -> str:
    """The whole chart in lines of at most 80 columns, a Chinese character taking two.

    Boxes are numbered; ``▶`` marks the boxes and edges of ``path``, ``+`` what the article does not have.
    """
    taken = {step.node: step.edge for step in path}
    numbers = {node.id: number for number, node in enumerate(CHART, start=1)}
    lines = [*_wrapped(_LEGEND.to(lang), ""), ""]
    for node in CHART:
        lines += _box(node, numbers, taken, lang)
    return "\n".join(lines)


def _box(node: Node, numbers: dict[str, int], taken: dict[str, str], lang: Lang) -> list[str]:
    here = node.id in taken
    mark = f"{ON_PATH if here else ' '}{OURS if node.ours else ' '}"
    lines = _wrapped(f"{mark}{numbers[node.id]:>3}  {node.text.to(lang)}", " " * 7)
    lines += [_way(edge, numbers, here and taken[node.id] == (edge.answer or "next"), lang) for edge in node.edges]
    if here and taken[node.id] == "unknown":
        lines.append(f"{ON_PATH}         {EDGE_WORDS['unknown'].to(lang)}")
    return lines


def _way(edge: Edge, numbers: dict[str, int], taken: bool, lang: Lang) -> str:
    mark = f"{ON_PATH if taken else ' '}{OURS if edge.ours else ' '}"
    return f"{mark}        {EDGE_WORDS[edge.answer or 'next'].to(lang)} → {numbers[edge.to]}"


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

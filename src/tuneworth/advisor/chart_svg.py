"""The flow chart as one self-contained SVG: every box and edge in its place, one's own way in colour.

The chart has thirteen boxes and never changes, so it is laid out by hand: a box has a column and a row, an edge the
corners it turns at. Text is broken by an estimate of its width, since an SVG has no line breaking of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from tuneworth.advisor.chart import CHART, Edge, Node
from tuneworth.advisor.chart_text import EDGE_WORDS, pieces, width
from tuneworth.core.advice import ChartStep
from tuneworth.core.text import Lang, Text

BOX_WIDTH, BOX_HEIGHT = 196, 84
COLUMNS = (112, 350, 588, 826)
TOP, ROW_PITCH = 116, 126
PAGE_WIDTH, PAGE_HEIGHT = 940, 1040
LEGEND_TOP = 966
FONT_SIZE, LINE_HEIGHT = 14, 18
WIDE_CHAR, NARROW_CHAR = 1.0, 0.54
"""Mean width of a Chinese and of a Latin character, in units of the font size."""

BOXES: dict[str, tuple[int, int]] = {
    "structure": (2, 0),
    "template": (0, 1),
    "voice": (3, 1),
    "constrain": (0, 2),
    "no_tuning": (1, 2),
    "samples": (2, 2),
    "retrieve": (3, 2),
    "data": (2, 3),
    "consider": (2, 4),
    "prompt_rag": (1, 4),
    "measured": (2, 5),
    "fine_tune": (2, 6),
    "keep": (1, 6),
}
"""Node → (column, row)."""

_STYLE = """
text { font-family: "Noto Sans", "Helvetica Neue", Arial, "Noto Sans CJK SC", "Source Han Sans SC", "PingFang SC",
  "Microsoft YaHei", sans-serif; fill: #1f2933; font-size: 14px; text-anchor: middle; }
.title { font-size: 18px; font-weight: 600; text-anchor: start; }
.rows { font-size: 11px; fill: #647282; }
.answer { font-size: 13px; fill: #52606d; paint-order: stroke; stroke: #ffffff; stroke-width: 5px; }
.legend { text-anchor: start; font-size: 13px; }
rect.box { fill: #ffffff; stroke: #9aa5b1; stroke-width: 1.5; }
rect.step, rect.end { fill: #f2f4f7; }
.ours { stroke-dasharray: 6 4; }
rect.mine { fill: #e3f0ff; stroke: #0b62c4; stroke-width: 3; }
path { fill: none; stroke: #9aa5b1; stroke-width: 1.5; }
path.mine { stroke: #0b62c4; stroke-width: 3; }
.answer.mine { fill: #0b62c4; font-weight: 700; }
circle { fill: #b45309; }
.ask { fill: #ffffff; font-weight: 700; }
"""
_TITLE = Text("Fine-tune or not: your way through the chart", "要不要微调：你在流程图上的路径")
_LEGEND: tuple[tuple[str, Text], ...] = (
    ("mine", Text("your way", "你的路径")),
    ("ours", Text("added by tuneworth, missing in the original chart (X6)", "tuneworth 补充，原流程图里没有（X6）")),
    ("ask", Text("not known: your way ends here", "未知，你的路径到此为止")),
)


@dataclass(frozen=True, slots=True)
class Point:
    """A place on the page, in pixels from its upper left corner."""

    x: int
    y: int


def chart_svg(path: Sequence[ChartStep], lang: Lang) -> str:
    """An SVG document with the whole chart, ``path`` highlighted, added boxes and edges dashed, and a legend."""
    taken = {step.node: step.edge for step in path}
    lines = [(node, edge, taken.get(node.id) == (edge.answer or "next")) for node in CHART for edge in node.edges]
    lines.sort(key=lambda line: line[2])  # one's own way is drawn last, over the others
    parts = [
        *_head(lang),
        *(_line(node, edge, mine) for node, edge, mine in lines),
        *(_box(node, node.id in taken, lang) for node in CHART),
        *(_answer(node, edge, mine, lang) for node, edge, mine in lines if edge.answer),
        *(_question_mark(_place(node)) for node, edge in taken.items() if edge == "unknown"),
        *_legend(lang),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def route(source: str, edge: Edge) -> tuple[Point, ...]:
    """The corners of an edge, from the border of one box to that of the next."""
    at, to = _place(source), _place(edge.to)
    half_width, half_height = BOX_WIDTH // 2, BOX_HEIGHT // 2
    below, above = Point(at.x, at.y + half_height), Point(to.x, to.y - half_height)
    side = half_width if to.x > at.x else -half_width
    if at.x == to.x:
        return below, above
    if at.y == to.y:
        return Point(at.x + side, at.y), Point(to.x - side, to.y)
    if edge.to == "data":  # its bottom is for the ways on: come in from the side
        return below, Point(at.x, to.y), Point(to.x - side, to.y)
    if source == "data":  # its sides are for the ways in: leave from the bottom
        start = at.x + side // 2
        bend = (at.y + to.y) // 2
        return Point(start, below.y), Point(start, bend), Point(to.x, bend), above
    return Point(at.x + side, at.y), Point(to.x, at.y), above


def _place(node: str) -> Point:
    column, row = BOXES[node]
    return Point(COLUMNS[column], TOP + row * ROW_PITCH)


def _head(lang: Lang) -> list[str]:
    title = escape(_TITLE.to(lang))
    arrow = '<marker id="{0}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="{2}" markerHeight="{2}" orient="auto" markerUnits="userSpaceOnUse"><path d="M0 0L10 5L0 10z" style="fill:{1};stroke:none"/></marker>'
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {PAGE_WIDTH} {PAGE_HEIGHT}" '
        f'width="{PAGE_WIDTH}" height="{PAGE_HEIGHT}" xml:lang="{lang}" role="img" aria-labelledby="chart-title">',
        f'<title id="chart-title">{title}</title>',
        f"<style>{_STYLE}</style>",
        f"<defs>{arrow.format('arrow', '#9aa5b1', 10)}{arrow.format('arrow-mine', '#0b62c4', 14)}</defs>",
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        f'<text class="title" x="14" y="36">{title}</text>',
    ]


def _line(node: Node, edge: Edge, mine: bool) -> str:
    corners = " L".join(f"{point.x} {point.y}" for point in route(node.id, edge))
    marker = "arrow-mine" if mine else "arrow"
    return f'<path class="{_classes(mine, edge.ours)}" d="M{corners}" marker-end="url(#{marker})"/>'


def _answer(node: Node, edge: Edge, mine: bool, lang: Lang) -> str:
    """The word on an edge, a little after where it leaves its box."""
    first, second = route(node.id, edge)[:2]
    sideways = first.y == second.y
    step = 21 if second.x > first.x else -21
    at = Point(first.x + step, first.y - 9) if sideways else Point(first.x + 18, first.y + 20)
    word = escape(EDGE_WORDS[edge.answer].to(lang))
    return f'<text class="answer {"mine" if mine else ""}" x="{at.x}" y="{at.y}">{word}</text>'


def _box(node: Node, mine: bool, lang: Lang) -> str:
    at = _place(node.id)
    radius = {"question": 10, "step": 2, "end": BOX_HEIGHT // 2}[node.role]
    rows = " ".join(row for row in node.seed_rows if row != "F")
    lines = _broken(node.text.to(lang), BOX_WIDTH - (44 if node.role == "end" else 20))
    baseline = at.y - (len(lines) * LINE_HEIGHT + 14) // 2 + 14
    texts = [
        f'<text x="{at.x}" y="{baseline + number * LINE_HEIGHT}">{escape(line)}</text>'
        for number, line in enumerate(lines)
    ]
    texts.append(f'<text class="rows" x="{at.x}" y="{baseline + len(lines) * LINE_HEIGHT}">{rows}</text>')
    corner = Point(at.x - BOX_WIDTH // 2, at.y - BOX_HEIGHT // 2)
    rect = (
        f'<rect class="box {node.role} {_classes(mine, node.ours)}" x="{corner.x}" y="{corner.y}" '
        f'width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="{radius}"/>'
    )
    return f'<g id="node-{node.id}">{rect}{"".join(texts)}</g>'


def _classes(mine: bool, ours: bool) -> str:
    return " ".join(name for name, on in (("mine", mine), ("ours", ours)) if on)


def _question_mark(at: Point) -> str:
    x, y = at.x + BOX_WIDTH // 2, at.y - BOX_HEIGHT // 2
    return f'<circle cx="{x}" cy="{y}" r="12"/><text class="ask" x="{x}" y="{y + 5}">?</text>'


def _legend(lang: Lang) -> list[str]:
    parts = list[str]()
    for number, (kind, text) in enumerate(_LEGEND):
        y = LEGEND_TOP + number * 24
        parts.append(
            f'<circle cx="36" cy="{y}" r="9"/><text class="ask" x="36" y="{y + 5}">?</text>'
            if kind == "ask"
            else f'<path class="{kind}" d="M14 {y} L58 {y}"/>'
        )
        parts.append(f'<text class="legend" x="72" y="{y + 5}">{escape(text.to(lang))}</text>')
    return parts


def _broken(text: str, room: int) -> list[str]:
    """``text`` in as few lines as fit ``room`` pixels by estimate, and those as even as they get."""
    lines = _filled(text, room)
    while len(evener := _filled(text, room - 4)) == len(lines) and room > BOX_WIDTH // 3:
        lines, room = evener, room - 4
    return lines


def _filled(text: str, room: int) -> list[str]:
    lines = [""]
    for piece in pieces(text):
        if lines[-1] and _pixels(lines[-1] + piece.rstrip()) > room:
            lines.append("")
        lines[-1] += piece
    return [line.rstrip() for line in lines]


def _pixels(text: str) -> float:
    return FONT_SIZE * sum(WIDE_CHAR if width(char) == 2 else NARROW_CHAR for char in text)

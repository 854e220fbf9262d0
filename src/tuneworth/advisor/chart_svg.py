"""The flow chart as one self-contained SVG: every box and edge in its place, one's own way in colour.

The chart has thirteen boxes and never changes, so it is laid out by hand: a box has a column and a row, an edge the
corners it turns at. Text is broken by an estimate of its width, since an SVG has no line breaking of its own.
What is drawn how stands in ``chart.svg.j2``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.sax.saxutils import escape

from tuneworth.advisor.chart import CHART, Edge, Node, edge_word, pieces, width
from tuneworth.core.advice import ChartStep
from tuneworth.core.text import Lang
from tuneworth.words.say import say, table

if TYPE_CHECKING:
    from jinja2 import Template

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


class Point(NamedTuple):
    """A place on the page, in pixels from its upper left corner."""

    x: int
    y: int


def chart_svg(path: Sequence[ChartStep], lang: Lang) -> str:
    """An SVG document with the whole chart, ``path`` highlighted, added boxes and edges dashed, and a legend."""
    taken = {step.node: step.edge for step in path}
    lines = [
        _line(node, edge, taken.get(node.id) == (edge.answer or "next"), lang) for node in CHART for edge in node.edges
    ]
    return _template().render(
        lang=lang,
        title=say("advisor.chart.title").to(lang),
        width=PAGE_WIDTH,
        height=PAGE_HEIGHT,
        box_width=BOX_WIDTH,
        box_height=BOX_HEIGHT,
        line_height=LINE_HEIGHT,
        lines=sorted(lines, key=lambda line: line["mine"]),  # one's own way is drawn last, over the others
        boxes=[_box(node, taken, lang) for node in CHART],
        legend={kind: said.to(lang) for kind, said in table("advisor.chart.legend").items()},
        legend_top=LEGEND_TOP,
    )


@cache
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["xml"] = escape
    return environment.get_template("chart.svg.j2")


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


def _line(node: Node, edge: Edge, mine: bool, lang: Lang) -> dict[str, Any]:
    """An edge, and the word on it a little after where it leaves its box."""
    corners = route(node.id, edge)
    first, second = corners[:2]
    step = 21 if second.x > first.x else -21
    return {
        "mine": mine,
        "classes": _classes(mine, edge.ours),
        "corners": " L".join(f"{point.x} {point.y}" for point in corners),
        "word": edge_word(edge.answer).to(lang) if edge.answer else "",
        "at": Point(first.x + step, first.y - 9) if first.y == second.y else Point(first.x + 18, first.y + 20),
    }


def _box(node: Node, taken: dict[str, str], lang: Lang) -> dict[str, Any]:
    at = _place(node.id)
    lines = _broken(node.text.to(lang), BOX_WIDTH - (44 if node.role == "end" else 20))
    return {
        "id": node.id,
        "role": node.role,
        "classes": _classes(node.id in taken, node.ours),
        "x": at.x,
        "y": at.y,
        "radius": {"question": 10, "step": 2, "end": BOX_HEIGHT // 2}[node.role],
        "lines": lines,
        "baseline": at.y - (len(lines) * LINE_HEIGHT + 14) // 2 + 14,
        "rows": " ".join(row for row in node.seed_rows if row != "F"),
        "ends_here": taken.get(node.id) == "unknown",
    }


def _classes(mine: bool, ours: bool) -> str:
    return " ".join(name for name, on in (("mine", mine), ("ours", ours)) if on)


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

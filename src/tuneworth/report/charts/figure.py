"""What every chart of a report has in common.

A chart is a Plotly figure as a plain dict. A colour is a name such as ``@accent``; the page's script
replaces it with the colour of the theme in use. Plotly reads ``<b>`` or ``<a href>`` in a label as
markup, so every label goes through ``escape``.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tuneworth.core.text import Text
from tuneworth.report.pages.arms import ArmRow
from tuneworth.report.pages.compared import SystemRow
from tuneworth.report.plain import shorten, width
from tuneworth.words import numbers
from tuneworth.words.names import joined

COLUMN_PX = 7
LABEL_COLUMNS = 34
INK, MUTED, FAINT, ACCENT, PAPER, BAND = "@ink", "@muted", "@line", "@accent", "@surface", "@band"


@dataclass(frozen=True, slots=True)
class Chart:
    """A Plotly figure and what surrounds it.

    Attributes:
        alt: the chart in one sentence, for readers who cannot see it.
        rows: label of each row of the y axis; a narrow page writes them above the rows.
        readings: text to the right of each row; the widest takes about ``reading_px`` pixels.
    """

    id: str
    alt: str
    height: int
    data: tuple[dict[str, Any], ...]
    layout: dict[str, Any]
    rows: tuple[str, ...] = ()
    readings: tuple[str, ...] = ()
    reading_px: int = 0


@dataclass(frozen=True, slots=True)
class Style:
    """How one kind of arm is drawn."""

    key: str
    colour: str
    symbol: str
    filled: bool
    dash: str = "solid"


STYLES = (
    Style("legend_recommended", ACCENT, "circle", filled=True),
    Style("legend_test", INK, "circle", filled=True),
    Style("legend_dev", INK, "circle", filled=False),
    Style("legend_yardstick", MUTED, "diamond", filled=False, dash="dot"),
)


def escape(text: str) -> str:
    """``text`` as Plotly shows it literally."""
    return html.escape(text, quote=False)


def style_of(arm: ArmRow | SystemRow) -> Style:
    if arm.stage == "yardstick":
        return STYLES[3]
    if arm.test is None:
        return STYLES[2]
    return STYLES[0] if arm.recommended else STYLES[1]


def base_layout(n_rows: int, x_range: list[float], x_title: str) -> dict[str, Any]:
    """What all charts share: no background, no drag, rows from top to bottom."""
    return {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"size": 14, "color": INK},
        "dragmode": False,
        "hovermode": "closest",
        "hoverlabel": {"bgcolor": PAPER, "bordercolor": FAINT, "font": {"color": INK}, "align": "left"},
        "margin": {"l": 8, "r": 92, "t": 34, "b": 52},
        "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "font": {"size": 13}},
        "xaxis": {
            "title": {"text": escape(x_title).replace("\n", "<br>"), "font": {"size": 13}, "standoff": 14},
            "range": x_range,
            "gridcolor": FAINT,
            "zeroline": False,
            "fixedrange": True,
        },
        "yaxis": {
            "range": [n_rows - 0.5, -0.5],
            "tickvals": list(range(n_rows)),
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
            "automargin": True,
            "ticks": "outside",
            "ticklen": 14,
            "tickcolor": "rgba(0,0,0,0)",
        },
    }


def score_layout(
    xs: list[float], x_title: str, x_ticks: dict[str, Any], ys: list[float], y_title: str
) -> dict[str, Any]:
    """Scores in per cent against the logarithm of something."""
    layout = base_layout(0, xs, x_title)
    layout["xaxis"] |= {"type": "log", "tickmode": "array"} | x_ticks
    layout["yaxis"] = {
        "title": {"text": escape(y_title), "font": {"size": 13}},
        "range": ys,
        "gridcolor": FAINT,
        "zeroline": False,
        "fixedrange": True,
        "tickvals": percent_ticks(ys),
    }
    layout["margin"] = {"l": 52, "r": 16, "t": 12, "b": 52}
    return layout


def error_bars(
    spans: Sequence[tuple[float, float, float]], colour: str, *, thickness: float = 1.5, width: int = 4
) -> dict[str, Any]:
    """``spans`` are value, low and high."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [high - value for value, _, high in spans],
        "arrayminus": [value - low for value, low, _ in spans],
        "color": colour,
        "thickness": thickness,
        "width": width,
    }


def span_text(value: float, low: float, high: float) -> Text:
    """``83.7 % (79.1–87.4)``, of a score in per cent."""
    return joined((numbers.percent(value / 100), numbers.in_parentheses(f"{low:.1f}–{high:.1f}")))


def row_label(number: int, label: str, *, bold: bool, columns: int = LABEL_COLUMNS) -> str:
    """An arm at its row; without its number where that is 0."""
    text = escape(shorten(f"{number}  {label}" if number else label, columns))
    return f"<b>{text}</b>" if bold else text


def reading_px(readings: Sequence[str]) -> int:
    return max(COLUMN_PX * width(reading) for reading in readings)


def percent_ticks(span: list[float]) -> list[int]:
    """At most eight round per cents within ``span`` and within 0 … 100."""
    step = next(step for step in (1, 2, 5, 10, 20) if (span[1] - span[0]) / step <= 8)
    return [tick for tick in range(0, 101, step) if span[0] <= tick <= span[1]]


def log_ticks(span: list[float]) -> dict[str, Any]:
    """Plain numbers for a log axis from ``10 ** span[0]``: decades, with 2 and 5 between them where the range is short."""
    low, high = span
    steps = (1,) if high - low > 2.2 else (1, 2, 5)
    exact = [step * 10.0**power for power in range(math.floor(low), math.ceil(high) + 1) for step in steps]
    ticks = [tick for tick in exact if low <= math.log10(tick) <= high]
    return {"tickvals": ticks, "ticktext": [f"{tick:,.10g}" for tick in ticks]}

"""The three charts of a report as Plotly figures: plain dicts, made from the view alone.

A colour is a name such as ``@accent``; the page's script replaces it with the colour of the theme
in use. Plotly reads ``<b>`` or ``<a href>`` in a label as markup, so every label is escaped here.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tuneworth.report import numbers
from tuneworth.report.arms import ArmRow
from tuneworth.report.plain import shorten
from tuneworth.report.view import View

ROW_PX = 46
LABEL_COLUMNS = 34

_INK, _MUTED, _FAINT, _ACCENT, _PAPER, _BAND = "@ink", "@muted", "@line", "@accent", "@surface", "@band"


@dataclass(frozen=True, slots=True)
class Chart:
    """A Plotly figure and what surrounds it.

    Attributes:
        alt: the chart in one sentence, for readers who cannot see it.
        rows: label of each row of the y axis; a narrow page writes them above the rows.
        readings: text to the right of each row.
    """

    id: str
    alt: str
    height: int
    data: tuple[dict[str, Any], ...]
    layout: dict[str, Any]
    rows: tuple[str, ...] = ()
    readings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Style:
    """How one kind of arm is drawn."""

    key: str
    colour: str
    symbol: str
    filled: bool
    dash: str = "solid"


_STYLES = (
    _Style("legend_recommended", _ACCENT, "circle", filled=True),
    _Style("legend_test", _INK, "circle", filled=True),
    _Style("legend_dev", _INK, "circle", filled=False),
    _Style("legend_yardstick", _MUTED, "diamond", filled=False, dash="dot"),
)


def build_charts(view: View) -> tuple[Chart, ...]:
    """The charts that have something to show, in the order of the page."""
    charts = (quality_chart(view), difference_chart(view), speed_chart(view))
    return tuple(chart for chart in charts if chart is not None)


def escape(text: str) -> str:
    """``text`` as Plotly shows it literally."""
    return html.escape(text, quote=False)


def quality_chart(view: View) -> Chart | None:
    """Dot plot of the primary metric with intervals: test filled, dev hollow, yardsticks dotted."""
    drawn = [(arm, arm.shown.raw) for arm in view.arms if arm.shown is not None and arm.shown.raw is not None]
    if not drawn:
        return None
    data: list[dict[str, Any]] = []
    for style in _STYLES:
        chosen = [(y, arm, raw) for y, (arm, raw) in enumerate(drawn) if _style(arm) == style]
        if chosen:
            data.append(_bars([(y, raw[1], raw[2]) for y, _, raw in chosen], style.colour, style.dash))
            data.append(_dots(chosen, style, view))
    low, high = min(raw[1] for _, raw in drawn), max(raw[2] for _, raw in drawn)
    pad = max(2.0, 0.04 * (high - low))
    layout = _layout(len(drawn), [max(-1.0, low - pad), min(101.0, high + pad)], f"{view.metric}, %")
    said = [f"{arm.label} {arm.shown.text}" for arm, _ in drawn if arm.shown]
    return Chart(
        id="quality",
        alt=f"{view.words['quality']} ({view.metric}): " + "; ".join(said),
        height=_height(len(drawn)),
        data=tuple(data),
        layout=layout,
        rows=tuple(_row_label(arm) for arm, _ in drawn),
        readings=tuple(escape(arm.shown.value) for arm, _ in drawn if arm.shown),
    )


def difference_chart(view: View) -> Chart | None:
    """Forest plot: each pair's difference with its interval, the margin as a band, zero as a line."""
    drawn = [(pair, pair.raw) for pair in view.comparisons if pair.raw is not None]
    if not drawn:
        return None
    data: list[dict[str, Any]] = []
    for y, (pair, (value, low, high, _)) in enumerate(drawn):
        colour = _ACCENT if pair.decisive else _INK
        data.append(_bars([(y, low, high)], colour, "solid"))
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [value],
                "y": [y],
                "marker": {"size": 12, "symbol": "square", "color": colour, "line": {"width": 0}},
                "hoverinfo": "text",
                "hovertext": [escape(pair.sentence)],
                "showlegend": False,
            }
        )
    reach = 1.1 * max(max(abs(low), abs(high), margin) for _, (_, low, high, margin) in drawn)
    layout = _layout(len(drawn), [-reach, reach], view.words["points_axis"])
    layout["shapes"] = [_band(y, raw[3]) for y, (_, raw) in enumerate(drawn)] + [_zero()]
    return Chart(
        id="differences",
        alt=f"{view.words['differences']}: " + " ".join(pair.sentence for pair, _ in drawn),
        height=_height(len(drawn), 64 if len(drawn) < 6 else ROW_PX),
        data=tuple(data),
        layout=layout,
        rows=tuple(_pair_label(pair.a, pair.b) for pair, _ in drawn),
        readings=tuple(escape(pair.answer_word) for pair, _ in drawn),
    )


def speed_chart(view: View) -> Chart | None:
    """Quality against milliseconds per row on a log scale; numbers are those of the tables."""
    drawn = [
        (arm, arm.ms_per_row, arm.shown.raw[0])
        for arm in view.arms
        if arm.ms_per_row and arm.ms_per_row > 0 and arm.shown is not None and arm.shown.raw is not None
    ]
    if not drawn:
        return None
    data = [_bubble(arm, ms, value, view) for arm, ms, value in drawn]
    low, high = (math.log10(pick(ms for _, ms, _ in drawn)) for pick in (min, max))
    pad = max(0.25, 0.09 * (high - low))
    values = [value for _, _, value in drawn]
    reach = max(4.0, 0.14 * (max(values) - min(values)))
    layout = _layout(0, [low - pad, high + pad], view.words["time_axis"])
    layout["xaxis"] |= {"type": "log", "tickmode": "array"} | _log_ticks(low - pad, high + pad)
    layout["yaxis"] = {
        "title": {"text": escape(f"{view.metric}, %"), "font": {"size": 13}},
        "range": [min(values) - reach, max(values) + reach],
        "gridcolor": _FAINT,
        "zeroline": False,
        "fixedrange": True,
        "tickvals": [tick for tick in range(0, 101, 10)],
    }
    layout["margin"] = {"l": 52, "r": 12, "t": 12, "b": 52}
    layout["showlegend"] = False
    said = [f"{arm.number} {arm.label}: {arm.shown.value}, {arm.per_row}" for arm, _, _ in drawn if arm.shown]
    return Chart("speed", f"{view.words['speed']}: " + "; ".join(said), 420, tuple(data), layout)


def _style(arm: ArmRow) -> _Style:
    if arm.stage == "yardstick":
        return _STYLES[3]
    if arm.test is None:
        return _STYLES[2]
    return _STYLES[0] if arm.recommended else _STYLES[1]


def _row_label(arm: ArmRow) -> str:
    text = escape(shorten(f"{arm.number}  {arm.label}", LABEL_COLUMNS))
    return f"<b>{text}</b>" if arm.recommended else text


def _pair_label(a: str, b: str) -> str:
    """Two lines, so that neither name has to be cut much."""
    return f"{escape(shorten(a, LABEL_COLUMNS))}<br>– {escape(shorten(b, LABEL_COLUMNS - 2))}"


def _bars(spans: Sequence[tuple[int, float, float]], colour: str, dash: str) -> dict[str, Any]:
    """Intervals as one trace of separate lines."""
    xs: list[float | None] = []
    ys: list[float | None] = []
    for y, low, high in spans:
        xs += [low, high, None]
        ys += [y, y, None]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": xs,
        "y": ys,
        "line": {"color": colour, "width": 2.5, "dash": dash},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _dots(
    chosen: Sequence[tuple[int, ArmRow, tuple[float, float, float]]], style: _Style, view: View
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": escape(view.words[style.key]),
        "x": [raw[0] for _, _, raw in chosen],
        "y": [y for y, _, _ in chosen],
        "marker": {
            "size": 13,
            "symbol": style.symbol,
            "color": style.colour if style.filled else _PAPER,
            "line": {"color": style.colour, "width": 2.5},
        },
        "hoverinfo": "text",
        "hovertext": [escape(f"{arm.label}: {arm.shown.text}") for _, arm, _ in chosen if arm.shown],
    }


def _bubble(arm: ArmRow, ms: float, value: float, view: View) -> dict[str, Any]:
    style = _style(arm)
    shown = arm.shown.text if arm.shown else numbers.unknown(view.lang)
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": [ms],
        "y": [value],
        "text": [str(arm.number)],
        "textposition": "middle center",
        "textfont": {"size": 12, "color": _PAPER if style.filled else style.colour},
        "marker": {
            "size": 26,
            "color": style.colour if style.filled else _PAPER,
            "line": {"color": style.colour, "width": 2},
        },
        "hoverinfo": "text",
        "hovertext": [escape(f"{arm.label}: {shown}, {arm.per_row}")],
        "cliponaxis": False,
    }


def _band(y: int, margin: float) -> dict[str, Any]:
    return {
        "type": "rect",
        "x0": -margin,
        "x1": margin,
        "y0": y - 0.5,
        "y1": y + 0.5,
        "fillcolor": _BAND,
        "line": {"width": 0},
        "layer": "below",
    }


def _zero() -> dict[str, Any]:
    line = {"color": _MUTED, "width": 1.5}
    return {"type": "line", "x0": 0, "x1": 0, "yref": "paper", "y0": 0, "y1": 1, "line": line, "layer": "below"}


def _height(n_rows: int, row_px: int = ROW_PX) -> int:
    return 110 + row_px * n_rows


def _layout(n_rows: int, x_range: list[float], x_title: str) -> dict[str, Any]:
    """What all charts share: no background, no drag, rows from top to bottom."""
    return {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"size": 14, "color": _INK},
        "dragmode": False,
        "hovermode": "closest",
        "hoverlabel": {"bgcolor": _PAPER, "bordercolor": _FAINT, "font": {"color": _INK}, "align": "left"},
        "margin": {"l": 8, "r": 92, "t": 34, "b": 52},
        "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "font": {"size": 13}},
        "xaxis": {
            "title": {"text": escape(x_title), "font": {"size": 13}, "standoff": 14},
            "range": x_range,
            "gridcolor": _FAINT,
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
        },
    }


def _log_ticks(low: float, high: float) -> dict[str, Any]:
    """Decades; with 2 and 5 between them where the range is short."""
    steps = (1,) if high - low > 2.2 else (1, 2, 5)
    exact = [step * 10.0**power for power in range(math.floor(low), math.ceil(high) + 1) for step in steps]
    ticks = [tick for tick in exact if low <= math.log10(tick) <= high]
    return {"tickvals": ticks, "ticktext": [f"{tick:,.10g}" for tick in ticks]}

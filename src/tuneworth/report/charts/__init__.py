"""The charts of a report, made from the view alone; here quality of every arm, and differences of pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tuneworth.report.charts.documents import documents_charts
from tuneworth.report.charts.figure import (
    ACCENT,
    BAND,
    INK,
    LABEL_COLUMNS,
    MUTED,
    PAPER,
    STYLES,
    Chart,
    Style,
    base_layout,
    escape,
    reading_px,
    row_label,
    style_of,
)
from tuneworth.report.charts.forecast import forecast_charts
from tuneworth.report.charts.race import race_chart
from tuneworth.report.charts.speed import speed_chart
from tuneworth.report.pages.arms import ArmRow
from tuneworth.report.plain import shorten
from tuneworth.report.view import View

ROW_PX = 46


def build_charts(view: View) -> tuple[Chart, ...]:
    """The charts that have something to show, in the order of the page."""
    charts = (
        quality_chart(view),
        difference_chart(view),
        *documents_charts(view),
        *forecast_charts(view),
        speed_chart(view),
        race_chart(view),
    )
    return tuple(chart for chart in charts if chart is not None)


def quality_chart(view: View) -> Chart | None:
    """Dot plot of the primary metric with intervals: test filled, dev hollow, yardsticks dotted."""
    drawn = [(arm, arm.shown.raw) for arm in view.arms if arm.shown is not None and arm.shown.raw is not None]
    if not drawn:
        return None
    data: list[dict[str, Any]] = []
    for style in STYLES:
        chosen = [(y, arm, raw) for y, (arm, raw) in enumerate(drawn) if style_of(arm) == style]
        if chosen:
            data.append(_bars([(y, raw[1], raw[2]) for y, _, raw in chosen], style.colour, style.dash))
            data.append(_dots(chosen, style, view))
    again = [(y, value) for y, (arm, _) in enumerate(drawn) for value in arm.repeats]
    if again:
        data.append(_ticks(again, view))
    low = min([raw[1] for _, raw in drawn] + [value for _, value in again])
    high = max([raw[2] for _, raw in drawn] + [value for _, value in again])
    pad = max(2.0, 0.04 * (high - low))
    layout = base_layout(len(drawn), [max(-1.0, low - pad), min(101.0, high + pad)], view.metric_axis)
    said = [f"{arm.label} {arm.shown.text}" for arm, _ in drawn if arm.shown]
    return Chart(
        id="quality",
        alt=f"{view.words['quality']} ({view.metric}): " + "; ".join(said),
        height=_height(len(drawn)),
        data=tuple(data),
        layout=layout,
        rows=tuple(row_label(arm.number, arm.label, bold=arm.recommended) for arm, _ in drawn),
        readings=tuple(escape(arm.shown.value) for arm, _ in drawn if arm.shown),
        reading_px=reading_px([arm.shown.value for arm, _ in drawn if arm.shown]),
    )


def difference_chart(view: View) -> Chart | None:
    """Forest plot: each pair's difference with its interval, the margin as a band, zero as a line."""
    drawn = [(pair, pair.raw) for pair in view.comparisons if pair.raw is not None]
    if not drawn:
        return None
    data: list[dict[str, Any]] = []
    for y, (pair, raw) in enumerate(drawn):
        colour = ACCENT if pair.decisive else INK
        data.append(_bars([(y, raw[1], raw[2])], colour, "solid"))
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [raw[0]],
                "y": [y],
                "marker": {"size": 12, "symbol": "square", "color": colour, "line": {"width": 0}},
                "hoverinfo": "text",
                "hovertext": [escape(pair.sentence)],
                "showlegend": False,
            }
        )
    low = min(min(raw[1], -raw[3]) for _, raw in drawn)
    high = max(max(raw[2], raw[3]) for _, raw in drawn)
    pad = 0.06 * (high - low)
    sides = f"{view.words['second_better']} · {view.words['first_better']}"
    layout = base_layout(len(drawn), [low - pad, high + pad], f"{view.words['points_axis']}\n{sides}")
    layout["margin"] |= {"t": 12, "b": 70}
    layout["shapes"] = [_band(y, raw[3]) for y, (_, raw) in enumerate(drawn)] + [_zero()]
    return Chart(
        id="differences",
        alt=f"{view.words['differences']}: " + " ".join(pair.sentence for pair, _ in drawn),
        height=_height(len(drawn), 64 if len(drawn) < 6 else ROW_PX),
        data=tuple(data),
        layout=layout,
        rows=tuple(_pair_label(pair.a, pair.b) for pair, _ in drawn),
        readings=tuple(escape(pair.answer_word) for pair, _ in drawn),
        reading_px=reading_px([pair.answer_word for pair, _ in drawn]),
    )


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


def _dots(chosen: Sequence[tuple[int, ArmRow, tuple[float, float, float]]], style: Style, view: View) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": escape(view.words[style.key]),
        "x": [raw[0] for _, _, raw in chosen],
        "y": [y for y, _, _ in chosen],
        "marker": {
            "size": 13,
            "symbol": style.symbol,
            "color": style.colour if style.filled else PAPER,
            "line": {"color": style.colour, "width": 2.5},
        },
        "hoverinfo": "text",
        "hovertext": [escape(f"{arm.label}: {arm.shown.text}") for _, arm, _ in chosen if arm.shown],
    }


def _ticks(again: Sequence[tuple[int, float]], view: View) -> dict[str, Any]:
    """Scores of further trainings as short strokes across the interval."""
    return {
        "type": "scatter",
        "mode": "markers",
        "name": escape(view.words["legend_repeats"]),
        "x": [value for _, value in again],
        "y": [y for y, _ in again],
        "marker": {"symbol": "line-ns", "size": 15, "line": {"color": INK, "width": 2}},
        "hoverinfo": "skip",
    }


def _band(y: int, margin: float) -> dict[str, Any]:
    return {
        "type": "rect",
        "x0": -margin,
        "x1": margin,
        "y0": y - 0.5,
        "y1": y + 0.5,
        "fillcolor": BAND,
        "line": {"width": 0},
        "layer": "below",
    }


def _zero() -> dict[str, Any]:
    line = {"color": MUTED, "width": 1.5}
    return {"type": "line", "x0": 0, "x1": 0, "yref": "paper", "y0": 0, "y1": 1, "line": line, "layer": "below"}


def _height(n_rows: int, row_px: int = ROW_PX) -> int:
    return 110 + row_px * n_rows

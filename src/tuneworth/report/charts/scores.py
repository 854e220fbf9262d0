"""Quality of every arm, and differences of pairs of arms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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
from tuneworth.report.pages.arms import ArmRow
from tuneworth.report.pages.compared import ComparedView, SystemRow
from tuneworth.report.plain import shorten
from tuneworth.report.view import View

ROW_PX = 46
AROUND_PX = 110


def quality_chart(view: View | ComparedView) -> Chart | None:
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
    if again:  # as short strokes across the interval
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": escape(view.words["legend_repeats"]),
                "x": [value for _, value in again],
                "y": [y for y, _ in again],
                "marker": {"symbol": "line-ns", "size": 15, "line": {"color": INK, "width": 2}},
                "hoverinfo": "skip",
            }
        )
    low = min([raw[1] for _, raw in drawn] + [value for _, value in again])
    high = max([raw[2] for _, raw in drawn] + [value for _, value in again])
    pad = max(2.0, 0.04 * (high - low))
    layout = base_layout(len(drawn), [max(-1.0, low - pad), min(101.0, high + pad)], view.metric_axis)
    said = [f"{arm.label} {arm.shown.text}" for arm, _ in drawn if arm.shown]
    return Chart(
        id="quality",
        alt=f"{view.words['quality']} ({view.metric}): " + "; ".join(said),
        height=AROUND_PX + ROW_PX * len(drawn),
        data=tuple(data),
        layout=layout,
        rows=tuple(row_label(arm.number, arm.label, bold=arm.recommended) for arm, _ in drawn),
        readings=tuple(escape(arm.shown.value) for arm, _ in drawn if arm.shown),
        reading_px=reading_px([arm.shown.value for arm, _ in drawn if arm.shown]),
    )


def difference_chart(view: View | ComparedView) -> Chart | None:
    """Forest plot of the primary metric: each pair's difference with its interval, the margin as a band, zero as a line."""
    drawn = [(p, p.raw) for p in view.comparisons if p.raw is not None and p.metric == view.metric]
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
    layout["shapes"] = [
        {
            "type": "rect",
            "x0": -raw[3],
            "x1": raw[3],
            "y0": y - 0.5,
            "y1": y + 0.5,
            "fillcolor": BAND,
            "line": {"width": 0},
            "layer": "below",
        }
        for y, (_, raw) in enumerate(drawn)
    ]
    zero = {"type": "line", "x0": 0, "x1": 0, "yref": "paper", "y0": 0, "y1": 1}
    layout["shapes"].append(zero | {"line": {"color": MUTED, "width": 1.5}, "layer": "below"})
    return Chart(
        id="differences",
        alt=f"{view.words['differences']}: " + " ".join(pair.sentence for pair, _ in drawn),
        height=AROUND_PX + (64 if len(drawn) < 6 else ROW_PX) * len(drawn),
        data=tuple(data),
        layout=layout,
        rows=tuple(  # two lines, so that neither name has to be cut much
            f"{escape(shorten(pair.a, LABEL_COLUMNS))}<br>– {escape(shorten(pair.b, LABEL_COLUMNS - 2))}"
            for pair, _ in drawn
        ),
        readings=tuple(escape(pair.answer_word) for pair, _ in drawn),
        reading_px=reading_px([pair.answer_word for pair, _ in drawn]),
    )


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
    chosen: Sequence[tuple[int, ArmRow | SystemRow, tuple[float, float, float]]],
    style: Style,
    view: View | ComparedView,
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
            "color": style.colour if style.filled else PAPER,
            "line": {"color": style.colour, "width": 2.5},
        },
        "hoverinfo": "text",
        "hovertext": [escape(f"{arm.label}: {arm.shown.text}") for _, arm, _ in chosen if arm.shown],
    }

"""Quality against time per row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tuneworth.report.charts.figure import PAPER, Chart, escape, log_ticks, score_layout, style_of
from tuneworth.report.pages.arms import ArmRow
from tuneworth.report.plain import shorten, width
from tuneworth.report.view import View

HEIGHT_PX = 440
BUBBLE_PX = 26
PLOT_PX = (940.0, 370.0)
"""Width and height of the plot on a wide page, to see which names would collide."""
COLUMN_PX = 7.5


@dataclass(frozen=True, slots=True)
class _Point:
    """One arm in the plot: milliseconds per row, score in per cent."""

    arm: ArmRow
    shown: str
    ms: float
    score: float


@dataclass(frozen=True, slots=True)
class _Box:
    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: _Box) -> bool:
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )


def speed_chart(view: View) -> Chart | None:
    """Quality against milliseconds per row on a log scale; numbers are those of the tables."""
    points = [
        _Point(arm, arm.shown.text, arm.ms_per_row, arm.shown.raw[0])
        for arm in view.arms
        if arm.ms_per_row and arm.ms_per_row > 0 and arm.shown is not None and arm.shown.raw is not None
    ]
    if not points:
        return None
    xs, ys = _padded([math.log10(p.ms) for p in points], 0.09, 0.25), _padded([p.score for p in points], 0.14, 4.0)
    layout = score_layout(xs, view.words["time_axis"], log_ticks(xs), ys, view.metric_axis)
    layout["margin"] |= {"r": 12}
    layout["showlegend"] = False
    layout["annotations"] = _names(points, xs, ys)
    return Chart(
        id="speed",
        alt=f"{view.words['speed']}: "
        + "; ".join(f"{p.arm.number} {p.arm.label}: {p.shown}, {p.arm.per_row}" for p in points),
        height=HEIGHT_PX,
        data=tuple(_bubble(point) for point in points),
        layout=layout,
    )


def _bubble(point: _Point) -> dict[str, Any]:
    style = style_of(point.arm)
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": [point.ms],
        "y": [point.score],
        "text": [str(point.arm.number)],
        "textposition": "middle center",
        "textfont": {"size": 12, "color": PAPER if style.filled else style.colour},
        "marker": {
            "size": BUBBLE_PX,
            "color": style.colour if style.filled else PAPER,
            "line": {"color": style.colour, "width": 2},
        },
        "hoverinfo": "text",
        "hovertext": [escape(f"{point.arm.label}: {point.shown}, {point.arm.per_row}")],
        "cliponaxis": False,
    }


def _names(points: Sequence[_Point], xs: list[float], ys: list[float]) -> list[dict[str, Any]]:
    """Names beside the bubbles, in the order of the table, wherever there is room for one."""
    centres = [
        (
            (math.log10(point.ms) - xs[0]) / (xs[1] - xs[0]) * PLOT_PX[0],
            (ys[1] - point.score) / (ys[1] - ys[0]) * PLOT_PX[1],
        )
        for point in points
    ]
    half = BUBBLE_PX / 2 + 2
    taken = [_Box(x - half, y - half, x + half, y + half) for x, y in centres]
    names: list[dict[str, Any]] = []
    for point, (x, y) in zip(points, centres):
        text = shorten(point.arm.label, 30)
        long = COLUMN_PX * width(text)
        for dx, dy, anchor, before in (
            (0, 24, "center", 0.5),
            (0, -24, "center", 0.5),
            (20, 0, "left", 0),
            (-20, 0, "right", 1),
        ):
            left, top = x + dx - before * long, y - dy - 9
            box = _Box(left, top, left + long, top + 18)
            inside = box.left > 0 and box.right < PLOT_PX[0] and box.top > 0 and box.bottom < PLOT_PX[1]
            if inside and not any(box.meets(other) for other in taken):
                taken.append(box)
                names.append(
                    {
                        "text": escape(text),
                        "x": math.log10(point.ms),  # annotations on a log axis are placed by exponent
                        "y": point.score,
                        "xshift": dx,
                        "yshift": dy,
                        "xanchor": anchor,
                        "showarrow": False,
                        "font": {"size": 12.5, "color": style_of(point.arm).colour},
                    }
                )
                break
    return names


def _padded(values: Sequence[float], share: float, least: float) -> list[float]:
    pad = max(least, share * (max(values) - min(values)))
    return [min(values) - pad, max(values) + pad]

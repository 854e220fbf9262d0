"""The reliability diagram: how often answers of a confidence are right (Guo et al. 2017, figure 1; DeGroot and Fienberg 1983)."""

from __future__ import annotations

from typing import Any

from tuneworth.report.charts.figure import FAINT, MUTED, PAPER, Chart, base_layout, escape, percent_ticks, style_of
from tuneworth.report.pages.decisions import ReliabilityView
from tuneworth.report.view import View

HEIGHT_PX = 420
BUBBLE_PX = 22
SPAN = [-4.0, 104.0]
DASHES = ("solid", "dash", "dot", "dashdot")


def reliability_chart(view: View) -> Chart | None:
    """``None`` when no arm says how sure it is. Points carry the arms' numbers, as those of the tables."""
    section = view.decisions
    if section is None:
        return None
    layout = base_layout(0, SPAN, section.words["confidence_axis"])
    layout["xaxis"] |= {"tickvals": percent_ticks(SPAN)}
    layout["yaxis"] = {
        "title": {"text": escape(section.words["right_axis"]), "font": {"size": 13}},
        "range": SPAN,
        "gridcolor": FAINT,
        "zeroline": False,
        "fixedrange": True,
        "tickvals": percent_ticks(SPAN),
    }
    layout["margin"] = {"l": 62, "r": 16, "t": 34, "b": 52}
    curves = [_curve(curve, dash) for curve, dash in zip(section.curves, DASHES, strict=False)]
    return Chart(
        id="reliability",
        alt=f"{section.words['decisions']}: " + "; ".join(row.told for row in section.rows),
        height=HEIGHT_PX,
        data=(_diagonal(section.words["perfect"]), *curves),
        layout=layout,
    )


def _diagonal(name: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [0, 100],
        "y": [0, 100],
        "line": {"color": MUTED, "width": 1, "dash": "dot"},
        "hoverinfo": "skip",
        "name": escape(name),
    }


def _curve(curve: ReliabilityView, dash: str) -> dict[str, Any]:
    style = style_of(curve.arm)
    return {
        "type": "scatter",
        "mode": "lines+markers+text",
        "x": [sure for sure, _, _ in curve.bins],
        "y": [right for _, right, _ in curve.bins],
        "text": [str(curve.arm.number)] * len(curve.bins),
        "textposition": "middle center",
        "textfont": {"size": 12, "color": PAPER if style.filled else style.colour},
        "line": {"color": style.colour, "width": 1.5, "dash": dash},
        "marker": {
            "size": BUBBLE_PX,
            "opacity": 1,
            "color": style.colour if style.filled else PAPER,
            "line": {"color": style.colour, "width": 2},
        },
        "hoverinfo": "text",
        "hovertext": [escape(said) for _, _, said in curve.bins],
        "name": escape(f"{curve.arm.number} {curve.arm.label}"),
        "cliponaxis": False,
    }

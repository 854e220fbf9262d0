"""Dollars a month against calls a month: lines with bands, where they meet, and the user's volume."""

from __future__ import annotations

import math
from typing import Any

from tuneworth.report.charts.figure import ACCENT, FAINT, INK, MUTED, PAPER, Chart, base_layout, escape, log_ticks
from tuneworth.report.pages.cost import CostCurve
from tuneworth.report.plain import shorten
from tuneworth.report.view import View
from tuneworth.words import numbers

HEIGHT_PX = 460
LIKELY = "@likely"
LINES = (("solid", INK), ("dash", INK), ("dot", INK), ("dashdot", MUTED), ("longdash", MUTED))
"""Of arms that are not recommended, told apart without colour."""


def cost_chart(view: View) -> Chart | None:
    """``None`` where no curve is known."""
    section = view.money
    if section is None or not section.curves:
        return None
    w = section.words
    usd = [edge for curve in section.curves for _, *edges in curve.points for edge in edges if edge > 0]
    if not usd:
        return None
    volumes = [calls for calls, *_ in section.curves[0].points]
    xs = [math.log10(volumes[0]), math.log10(volumes[-1])]
    ys = [math.log10(max(min(usd) / 1.3, max(usd) / 1e7)), math.log10(max(usd) * 1.5)]
    layout = base_layout(0, xs, w["calls_axis"])
    layout["xaxis"] |= {"type": "log", "tickmode": "array"} | log_ticks(xs)
    ticks = log_ticks(ys)
    told = [f"${tick}" for tick in ticks["ticktext"]]
    layout["yaxis"] = {
        "title": {"text": escape(w["usd_axis"]), "font": {"size": 13}},
        "type": "log",
        "range": ys,
        "gridcolor": FAINT,
        "zeroline": False,
        "fixedrange": True,
        "tickmode": "array",
        "tickvals": ticks["tickvals"],
        "ticktext": told,
        "automargin": True,
    }
    layout["margin"] = {"l": 62, "r": 16, "t": 12, "b": 52}
    layout["legend"] |= {"traceorder": "normal"}
    plain = iter(LINES * (1 + len(section.curves) // len(LINES)))
    curves = sorted(section.curves, key=lambda curve: curve.recommended)  # its line on top
    data = [edge for curve in curves for edge in _band(curve)]
    data += [_line(curve, *(("solid", ACCENT) if curve.recommended else next(plain))) for curve in curves]
    if section.calls:
        data.append(_volume(section.calls, ys, w["yours"], xs))
    if section.crossings:
        data.append(_crossings(section.crossings, w["crossing"]))
    return Chart(id="money", alt=" ".join(section.answer), height=HEIGHT_PX, data=tuple(data), layout=layout)


def _shown(curve: CostCurve) -> list[tuple[float, float, float, float]]:
    """A sum of nothing has no place on a log axis."""
    return [point for point in curve.points if min(point) > 0]


def _band(curve: CostCurve) -> list[dict[str, Any]]:
    xs = [calls for calls, *_ in _shown(curve)]
    quiet = {
        "type": "scatter",
        "mode": "lines",
        "x": xs,
        "line": {"width": 0},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    return [
        quiet | {"y": [low for *_, low, _ in _shown(curve)]},
        quiet | {"y": [high for *_, high in _shown(curve)], "fill": "tonexty", "fillcolor": LIKELY},
    ]


def _line(curve: CostCurve, dash: str, colour: str) -> dict[str, Any]:
    name = escape(shorten(curve.label, 40))
    told = [(calls, *(numbers.usd(each).en for each in edges)) for calls, *edges in _shown(curve)]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": [calls for calls, *_ in _shown(curve)],
        "y": [value for _, value, *_ in _shown(curve)],
        "line": {"color": colour, "width": 3 if colour == ACCENT else 2, "dash": dash},
        "hoverinfo": "text",
        "hovertext": [f"{name}<br>{calls:,.0f}: {value} ({low}–{high})" for calls, value, low, high in told],
    }


def _volume(calls: float, ys: list[float], name: str, xs: list[float]) -> dict[str, Any]:
    right = math.log10(calls) > (xs[0] + xs[1]) / 2
    return {
        "type": "scatter",
        "mode": "lines+text",
        "x": [calls, calls],
        "y": [10 ** ys[0], 10 ** ys[1]],
        "text": [f"{name}: {calls:,.0f}", ""],
        "textposition": "top left" if right else "top right",
        "textfont": {"size": 12, "color": MUTED},
        "line": {"color": MUTED, "width": 1.5},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _crossings(found: tuple[tuple[float, float, str], ...], name: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [calls for calls, _, _ in found],
        "y": [usd for _, usd, _ in found],
        "marker": {"size": 13, "symbol": "diamond", "color": PAPER, "line": {"color": INK, "width": 2.5}},
        "hoverinfo": "text",
        "hovertext": [escape(told) for *_, told in found],
    }

"""A learning curve: what was measured, where it leads, and where it overtakes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from tuneworth.core.text import Lang
from tuneworth.report.charts.figure import (
    ACCENT,
    INK,
    MUTED,
    PAPER,
    Chart,
    error_bars,
    escape,
    log_ticks,
    score_layout,
    span_text,
)
from tuneworth.report.pages.forecast import BandView, CurveView
from tuneworth.report.plain import shorten
from tuneworth.report.view import View
from tuneworth.words import numbers
from tuneworth.words.say import say

HEIGHT_PX = 450
POSSIBLE, LIKELY = "@possible", "@likely"
DIRECT = "direct"
"""Mark of a line that is labelled where it runs; on a narrow page the script moves the label to the legend."""
AHEAD = 10
"""A forecast without a crossing is drawn up to this many times the largest measured size."""
ROOM = 1.6
"""Room to the right of a crossing's interval, as a factor."""


def forecast_charts(view: View) -> tuple[Chart, ...]:
    section = view.forecasts
    return tuple(_chart(curve, view, section.words) for curve in section.curves) if section else ()


def _chart(curve: CurveView, view: View, words: dict[str, str]) -> Chart:
    # From just below the smallest size to as far as there is something to see.
    sizes = [point.n for point in curve.points] + ([curve.at_hand] if curve.at_hand else [])
    ends, reach = [at.n for at in curve.band], max(sizes)
    if curve.crossing is not None:
        _, n, upper = curve.crossing
        last = max([reach, *ends])
        reach = max(reach, n, min(ROOM * upper, last) if upper else last)
    elif ends:
        reach = max(reach, min(max(ends), max(ends) if curve.target else AHEAD * reach))
    xs = [math.log10(min(sizes) / 1.25), math.log10(reach * 1.12)]
    band = [at for at in curve.band if at.n <= 10 ** xs[1] * 1.001]
    values = [edge for point in curve.points for edge in (point.low, point.high)]
    values += [edge for at in band for edge in (at.low80, at.high80, at.low95, at.high95)]
    if curve.target_score is not None:
        drawn = [curve.target_score, *(value for n, value in curve.target_line if not band or n <= band[-1].n)]
        values += [min(drawn), max(drawn) + curve.margin]
    pad = max(1.5, 0.08 * (max(values) - min(values)))
    ys = [max(-1.0, min(values) - pad), min(102.0, max(values) + pad)]
    ticks, axis = log_ticks(xs), words["rows_axis"]
    if curve.shots:
        # Every measured number of demonstrations, and its doublings beyond.
        shown = sorted({point.shown for point in curve.points})
        last = max(shown[-1], 1)
        shown += [last * factor for factor in (2, 4) if math.log10(last * factor + 1) <= xs[1]]
        ticks, axis = {"tickvals": [k + 1 for k in shown], "ticktext": [f"{k:,}" for k in shown]}, words["shots_axis"]
    layout = score_layout(xs, axis, ticks, ys, view.metric_axis)
    layout["legend"] |= {"traceorder": "normal", "itemsizing": "constant"}
    measured = (f"{at.shown:,}: {numbers.percent(at.value / 100).to(view.lang)}" for at in curve.points)
    return Chart(
        id=curve.id,
        alt=f"{curve.label}: {curve.answer} " + "; ".join(measured),
        height=HEIGHT_PX,
        data=(
            *_bands(band, words),
            *_targets(curve, xs, view.lang),
            *_at_hand(curve, xs, ys, view.lang),
            _points(curve, words["measured"], view.lang),
            *_crossing(curve, xs, words["crossing"]),
        ),
        layout=layout,
    )


def _bands(band: Sequence[BandView], words: dict[str, str]) -> list[dict[str, Any]]:
    """95 % under 80 % under the median; edges are drawn, so that the bands do not rest on colour."""
    if not band:
        return []
    xs = [at.n for at in band]
    quiet = {"type": "scatter", "mode": "lines", "x": xs, "hoverinfo": "skip"}

    def between(low: list[float], high: list[float], fill: str, name: str, dash: str) -> list[dict[str, Any]]:
        line = {"color": ACCENT, "width": 1, "dash": dash}
        return [
            quiet | {"y": high, "line": line, "showlegend": False},
            quiet | {"y": low, "line": line, "fill": "tonexty", "fillcolor": fill, "name": name},
        ]

    return [
        *between([at.low95 for at in band], [at.high95 for at in band], POSSIBLE, words["possible"], "dot"),
        *between([at.low80 for at in band], [at.high80 for at in band], LIKELY, words["likely"], "solid"),
        quiet | {"y": [at.value for at in band], "line": {"color": ACCENT, "width": 3}, "name": words["median"]},
    ]


def _target_at(curve: CurveView, n: float) -> float:
    """The target's score at ``n``, as drawn."""
    line = curve.target_line
    if not line:
        return curve.target_score or 0.0
    for (n0, before), (n1, after) in pairwise(line):
        if n0 <= n <= n1:
            return before + (after - before) * math.log(n / n0) / math.log(n1 / n0)
    return line[0][1] if n < line[0][0] else line[-1][1]


def _targets(curve: CurveView, xs: Sequence[float], lang: Lang) -> list[dict[str, Any]]:
    """The score of the arm to overtake, and the line that counts as overtaking."""
    if curve.target_score is None:
        return []
    ends = [10 ** xs[0], 10 ** xs[1]]
    moving = [float(n) for n, _ in curve.target_line if ends[0] <= n <= ends[1]]
    sizes = moving or ends
    target = [_target_at(curve, n) for n in sizes]
    arm = escape(shorten(curve.target, 30))
    goal = say("forecast.goal", arm=arm).to(lang)
    lines = (
        (target, "dot", 1.5, MUTED, arm, "bottom right"),
        ([value + curve.margin for value in target], "dash", 2, INK, goal, "top right"),
    )
    return [
        {
            "type": "scatter",
            "mode": "lines" if moving else "lines+text",
            "x": sizes,
            "y": values,
            "text": [name] + [""] * (len(sizes) - 1),
            "textposition": side,
            "textfont": {"size": 12.5, "color": colour},
            "line": {"color": colour, "width": px, "dash": dash},
            "hoverinfo": "text",
            "hovertext": [f"{name}: {numbers.percent(value / 100).to(lang)}" for value in values],
            "name": name,
            "showlegend": bool(moving),
            "meta": "" if moving else DIRECT,
        }
        for values, dash, px, colour, name, side in lines
    ]


def _at_hand(curve: CurveView, xs: Sequence[float], ys: Sequence[float], lang: Lang) -> list[dict[str, Any]]:
    """A line at the rows that the run has, when something lies beyond them."""
    if curve.at_hand is None or not curve.band:
        return []
    right = math.log10(curve.at_hand) > (xs[0] + xs[1]) / 2
    return [
        {
            "type": "scatter",
            "mode": "lines+text",
            "x": [curve.at_hand, curve.at_hand],
            "y": [ys[0], ys[1]],
            "text": [say("forecast.at_hand", n=curve.at_hand).to(lang), ""],
            "textposition": "top left" if right else "top right",
            "textfont": {"size": 12, "color": MUTED},
            "line": {"color": MUTED, "width": 1},
            "hoverinfo": "skip",
            "showlegend": False,
        }
    ]


def _points(curve: CurveView, name: str, lang: Lang) -> dict[str, Any]:
    key = "forecast.point_shots" if curve.shots else "forecast.point_rows"
    spans = [(point.value, point.low, point.high) for point in curve.points]
    told = [say(key, n=point.shown, score=span_text(*span)) for point, span in zip(curve.points, spans)]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [point.n for point in curve.points],
        "y": [point.value for point in curve.points],
        "error_y": error_bars(spans, INK),
        "marker": {"size": 11, "color": PAPER, "line": {"color": INK, "width": 2.5}},
        "hoverinfo": "text",
        "hovertext": [escape(text.to(lang)) for text in told],
    }


def _crossing(curve: CurveView, xs: Sequence[float], name: str) -> list[dict[str, Any]]:
    """The interval as a thick line through the point where the goal is met; an arrow where it ends beyond reach."""
    if curve.crossing is None or curve.target_score is None:
        return []
    low, n, high = curve.crossing
    goal = _target_at(curve, n) + curve.margin
    ends = [max(low, 10 ** xs[0]), n, high or 10 ** xs[1]]
    return [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": name,
            "x": ends,
            "y": [goal] * 3,
            "line": {"color": INK, "width": 5},
            "marker": {
                "symbol": ["line-ns", "diamond", "line-ns" if high else "triangle-right"],
                "size": [14, 15, 14],
                "color": INK,
                "opacity": 1,
                "line": {"color": INK, "width": 2.5},
            },
            "hoverinfo": "text",
            "hovertext": [f"{low:,}", f"{n:,}", f"{high:,}" if high else ""],
        }
    ]

"""The race as a picture: one lane per arm on a common clock, and what became of each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tuneworth.report.charts.figure import (
    ACCENT,
    FAINT,
    INK,
    MUTED,
    PAPER,
    Chart,
    base_layout,
    escape,
    reading_px,
    row_label,
)
from tuneworth.report.pages.race import Fate, LaneRow
from tuneworth.report.view import View

MAX_LANES = 40
"""More lanes than this cannot be taken in at a glance; the table has them all."""
LANE_PX = 42
PLOT_PX = 600.0
"""Width of the plot on a wide page, to see which labels have room."""
LEAST_PX = 3.0
"""A step that took next to no time is still a step."""
SYMBOLS: dict[Fate, str] = {
    "finalist": "circle",
    "finished": "circle-open",
    "open": "cross-thin-open",
    "eliminated": "x",
    "little_to_gain": "triangle-down-open",
    "forecast": "diamond-open",
    "no_rise": "square-open",
    "setting": "triangle-left-open",
    "budget": "hourglass-open",
    "failed": "asterisk-open",
}
"""Told apart by shape alone, for print and for eyes that do not see the colours."""


def race_chart(view: View) -> Chart | None:
    """Bars are steps; a line reaches to where the arm ended; the sign there says how."""
    race = view.race
    lanes = [lane for lane in race.lanes if lane.segments][:MAX_LANES] if race else []
    if race is None or not lanes or race.seconds <= 0:
        return None
    unit = 60.0 if race.seconds >= 120 else 1.0
    end = race.seconds / unit
    # A finalist's sign stands at the end of the clock, any other right of the last bar.
    lasts = [math.inf if lane.fate == "finalist" else lane.segments[-1].end / unit for lane in lanes]
    signs = [min(1.02 * end, last + 0.02 * end) for last in lasts]
    axis = race.words["axis_minutes" if unit > 1 else "axis_seconds"]
    layout = base_layout(len(lanes), [-0.012 * end, 1.05 * end], axis)
    layout["barmode"] = "overlay"
    layout["shapes"] = [
        {
            "type": "line",
            "x0": lane.segments[0].start / unit,
            "x1": sign,
            "y0": y,
            "y1": y,
            "line": {"color": FAINT, "width": 2},
            "layer": "below",
        }
        for y, (lane, sign) in enumerate(zip(lanes, signs))
    ]
    layout["annotations"] = [note for y, lane in enumerate(lanes) for note in _labels(lane, y, unit, end)]
    return Chart(
        id="race",
        alt=f"{race.words['race']}: " + " ".join(f"{lane.label} ({lane.reached}): {lane.why}" for lane in lanes),
        height=112 + LANE_PX * len(lanes),
        data=(*_bars(lanes, unit, end), *_signs(lanes, signs)),
        layout=layout,
        rows=tuple(row_label(lane.number, lane.label, bold=lane.recommended, columns=32) for lane in lanes),
        readings=tuple(escape(lane.reached) for lane in lanes),
        reading_px=reading_px([lane.reached for lane in lanes]),
    )


def _bars(lanes: Sequence[LaneRow], unit: float, end: float) -> list[dict[str, Any]]:
    """The steps; those of the recommended arm in its colour."""
    bars: list[dict[str, Any]] = []
    for recommended, colour in ((False, MUTED), (True, ACCENT)):
        drawn = [
            (y, segment) for y, lane in enumerate(lanes) if lane.recommended == recommended for segment in lane.segments
        ]
        if drawn:
            bars.append(
                {
                    "type": "bar",
                    "orientation": "h",
                    "base": [segment.start / unit for _, segment in drawn],
                    "x": [max((segment.end - segment.start) / unit, LEAST_PX / PLOT_PX * end) for _, segment in drawn],
                    "y": [y for y, _ in drawn],
                    "width": 0.4,
                    "marker": {"color": colour, "line": {"color": PAPER, "width": 0.7}},
                    "hoverinfo": "text",
                    "hovertext": [escape(segment.told) for _, segment in drawn],
                    "textposition": "none",
                    "showlegend": False,
                }
            )
    return bars


def _signs(lanes: Sequence[LaneRow], places: Sequence[float]) -> list[dict[str, Any]]:
    signs: list[dict[str, Any]] = []
    for fate, symbol in SYMBOLS.items():
        drawn = [(y, lane) for y, lane in enumerate(lanes) if lane.fate == fate]
        if drawn:
            colours = [ACCENT if lane.recommended else INK for _, lane in drawn]
            signs.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "name": escape(drawn[0][1].fate_word),
                    "x": [places[y] for y, _ in drawn],
                    "y": [y for y, _ in drawn],
                    "marker": {"size": 11, "symbol": symbol, "color": colours, "line": {"color": colours, "width": 2}},
                    "hoverinfo": "text",
                    "hovertext": [escape(f"{lane.label}: {lane.why}") for _, lane in drawn],
                    "cliponaxis": False,
                }
            )
    return signs


def _labels(lane: LaneRow, y: int, unit: float, end: float) -> list[dict[str, Any]]:
    """Rows above the bars, from the last step back, wherever there is room: the last one says how far it got."""
    notes: list[dict[str, Any]] = []
    right = float("inf")
    for segment in reversed(lane.segments):
        centre = (segment.start + segment.end) / 2 / unit
        pixel = centre / end * PLOT_PX
        half = 3.4 * len(segment.label) + 3
        if pixel + half < right:
            right = pixel - half
            notes.append(
                {
                    "text": segment.label,
                    "x": centre,
                    "y": y,
                    "yshift": 15,
                    "showarrow": False,
                    "font": {"size": 11, "color": MUTED},
                }
            )
    return notes

"""The charts of the page on documents: recall against k, loss by cause, old against new knowledge."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tuneworth.core.text import Lang
from tuneworth.report.charts.figure import (
    ACCENT,
    FAINT,
    INK,
    MUTED,
    PAPER,
    Chart,
    base_layout,
    error_bars,
    escape,
    reading_px,
    row_label,
    score_layout,
    span_text,
)
from tuneworth.report.pages.arms import NOTHING
from tuneworth.report.pages.documents import DocumentsSection
from tuneworth.report.pages.documents_tables import FoundRow, RecallRow
from tuneworth.report.view import View
from tuneworth.words import numbers

MAX_ARMS = 14
"""More arms than this cannot be taken in at a glance; the tables have them all."""
ROW_PX = 52
RECALL_PX = 400
PLOT_PX = 320.0
"""Height of the plot of recall on a wide page, to keep the names at the lines apart."""
NAME_PX = 19.0
"""Least distance of two names at the ends of lines."""
NUDGE = 1.012
"""Lines are moved apart by this factor of k, so that their intervals do not hide each other."""
OLD_AT, NEW_AT = 0.0, 0.24
"""Places of the two dots in their row: low, because a narrow page writes the name of the arm above them."""
LEAST_LABELLED = 7.0
"""A part of a bar narrower than this, in per cent, has no room for its figure."""
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x")


def documents_charts(view: View) -> tuple[Chart, ...]:
    section = view.documents
    if section is None:
        return ()
    charts = (_loss_chart(section), _recall_chart(section, view.lang), _age_chart(section, view))
    return tuple(chart for chart in charts if chart is not None)


# -- recall -----------------------------------------------------------------------------------------------


def _recall_chart(section: DocumentsSection, lang: Lang) -> Chart | None:
    """One line per way of searching passages of the usual size, on one side."""
    usual = [row for row in section.recalls if row.usual and row.at]
    lines = [row for row in usual if row.stage == usual[0].stage]
    if not lines:
        return None
    ks = sorted({k for row in lines for k in row.at})
    spans = [at for row in lines for at in row.at.values()]
    low, high = min(at[1] for at in spans), max(at[2] for at in spans)
    pad = max(1.5, 0.07 * (high - low))
    ys = [max(-1.0, low - pad), min(101.5, high + pad)]
    xs = [math.log10(ks[0]) - 0.06, math.log10(ks[-1]) + 0.06]
    ticks = {"tickvals": ks, "ticktext": [f"{k}" for k in ks]}
    layout = score_layout(xs, section.words["recall_axis"], ticks, ys, section.axis)
    layout["annotations"] = _line_names(lines, ys)
    said = (
        f"{row.name}: " + ", ".join(f"{k}: {numbers.percent(at[0] / 100).to(lang)}" for k, at in row.at.items())
        for row in lines
    )
    return Chart(
        id="recall",
        alt=f"{section.words['recall']} {section.judged} " + "; ".join(said),
        height=RECALL_PX,
        data=tuple(_recall_line(row, place, len(lines), lang) for place, row in enumerate(lines)),
        layout=layout,
        reading_px=reading_px([row.name for row in lines]) + 14,
    )


def _recall_line(row: RecallRow, place: int, n_lines: int, lang: Lang) -> dict[str, Any]:
    colour = ACCENT if row.chosen else INK if place < 2 else MUTED
    nudge = NUDGE ** (place - (n_lines - 1) / 2)
    values = list(row.at.values())
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": escape(row.name),
        "x": [k * nudge for k in row.at],
        "y": [at[0] for at in values],
        "error_y": error_bars(values, colour),
        "line": {"color": colour, "width": 3 if row.chosen else 2, "dash": DASHES[place % len(DASHES)]},
        "marker": {
            "symbol": SYMBOLS[place % len(SYMBOLS)],
            "size": 10,
            "color": PAPER,
            "line": {"color": colour, "width": 2.5},
        },
        "hoverinfo": "text",
        "hovertext": [escape(f"{row.name}, k = {k}: {span_text(*at).to(lang)}") for k, at in row.at.items()],
        "showlegend": False,
        "meta": "direct",
    }


def _line_names(lines: Sequence[RecallRow], ys: Sequence[float]) -> list[dict[str, Any]]:
    """Names at the right ends of the lines, pushed apart where lines end close together."""
    scale = PLOT_PX / (ys[1] - ys[0])
    ends = sorted(((max(row.at), row.at[max(row.at)][0], row) for row in lines), key=lambda end: -end[1])
    wanted = [(ys[1] - value) * scale for _, value, _ in ends]
    placed: list[float] = []
    for pixel in wanted:
        placed.append(max(pixel, placed[-1] + NAME_PX) if placed else pixel)
    # As many names above their line as below it.
    shift = sum(at - to for at, to in zip(placed, wanted)) / len(placed)
    return [
        {
            "text": f"<b>{escape(row.name)}</b>" if row.chosen else escape(row.name),
            "x": 1,
            "xref": "paper",
            "xanchor": "left",
            "xshift": 10,
            "y": value,
            "yshift": to - (at - shift),
            "showarrow": False,
            "font": {"size": 13, "color": ACCENT if row.chosen else INK},
        }
        for (_, value, row), at, to in zip(ends, placed, wanted)
    ]


# -- loss -------------------------------------------------------------------------------------------------


def _loss_chart(section: DocumentsSection) -> Chart | None:
    """Score, lost in reading and lost in retrieval end to end; a diamond where the same reader has the gold passage."""
    rows, words = section.losses[:MAX_ARMS], section.words
    if not rows:
        return None
    layout = base_layout(len(rows), [0, 100], words["loss_axis"])
    layout["barmode"] = "stack"
    layout["legend"] |= {"traceorder": "normal"}
    # Told apart by pattern as well as by colour, for print.
    edge = {"color": MUTED, "width": 1}
    pattern = {"fgcolor": MUTED, "bgcolor": PAPER, "size": 8, "solidity": 0.14}
    missed, unknown = ({"color": PAPER, "line": edge, "pattern": {"shape": shape} | pattern} for shape in "/.")
    score, reading, retrieval, unsplit = zip(*(row.parts for row in rows))
    data = [
        _part(words["score"], score, {"color": ACCENT}, "@on-accent"),
        _part(words["reading"], reading, {"color": FAINT, "line": edge}, INK),
        _part(words["retrieval"], retrieval, missed, INK),
    ]
    if any(unsplit):
        data.append(_part(words["unsplit"], unsplit, unknown, INK))
    oracles = [(y, row.cells["oracle"], at) for y, row in enumerate(rows) if (at := row.cells["oracle"].raw)]
    if oracles:
        name = words["oracle_mark"]
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": escape(name),
                "x": [at[0] for _, _, at in oracles],
                "y": [y for y, _, _ in oracles],
                "marker": {"symbol": "diamond", "size": 13, "color": PAPER, "line": {"color": INK, "width": 2.5}},
                "hoverinfo": "text",
                "hovertext": [escape(f"{name}: {cell.value} {cell.interval}") for _, cell, _ in oracles],
            }
        )
    readings = [row.cells["score"].value for row in rows]
    return Chart(
        id="loss",
        alt=f"{words['loss']} " + _said(rows, ("score", "reading", "retrieval"), words),
        height=_height(len(rows)),
        data=tuple(data),
        layout=layout,
        rows=tuple(row_label(row.arm.number, row.arm.label, bold=row.arm.recommended) for row in rows),
        readings=tuple(escape(reading) for reading in readings),
        reading_px=reading_px(readings),
    )


def _part(name: str, values: Sequence[float], marker: dict[str, Any], ink: str) -> dict[str, Any]:
    """One part of every bar, with its figure where there is room."""
    return {
        "type": "bar",
        "orientation": "h",
        "name": escape(name),
        "x": list(values),
        "y": list(range(len(values))),
        "width": 0.38,
        "marker": marker,
        "text": [f"<b>{value:.1f}</b>" if value >= LEAST_LABELLED else "" for value in values],
        "textposition": "inside",
        "insidetextanchor": "middle",
        "textangle": 0,
        "textfont": {"size": 13, "color": ink},
        "constraintext": "none",
        "hoverinfo": "text",
        "hovertext": [f"{escape(name)} {value:.1f}" for value in values],
    }


# -- old and new ------------------------------------------------------------------------------------------


def _age_chart(section: DocumentsSection, view: View) -> Chart | None:
    """Two dots a row, a little apart: hollow for old knowledge, filled for new."""
    rows = [row for row in section.ages if any(cell.raw for cell in row.cells.values())][:MAX_ARMS]
    if not rows:
        return None
    spans = [cell.raw for row in rows for cell in row.cells.values() if cell.raw is not None]
    low, high = min(at[1] for at in spans), max(at[2] for at in spans)
    pad = max(2.0, 0.04 * (high - low))
    layout = base_layout(len(rows), [max(-1.0, low - pad), min(101.0, high + pad)], view.metric_axis)
    layout["shapes"] = [
        {
            "type": "line",
            "x0": old[0],
            "x1": new[0],
            "y0": y + OLD_AT,
            "y1": y + NEW_AT,
            "line": {"color": FAINT, "width": 5},
            "layer": "below",
        }
        for y, row in enumerate(rows)
        if (old := row.cells["old"].raw) and (new := row.cells["new"].raw)
    ]
    data = [
        *_age_dots(rows, "old", section.words["old"], OLD_AT, view.lang),
        *_age_dots(rows, "new", section.words["new"], NEW_AT, view.lang),
    ]
    # ``40.2 → 6.4``, old to new as the words above the dots.
    readings = [" → ".join(f"{c.raw[0]:.1f}" if c.raw else NOTHING for c in row.cells.values()) for row in rows]
    return Chart(
        id="ages",
        alt=f"{section.words['ages']}: " + _said(rows, ("old", "new"), section.words),
        height=_height(len(rows)),
        data=tuple(data),
        layout=layout,
        rows=tuple(row_label(row.arm.number, row.arm.label, bold=row.arm.recommended) for row in rows),
        readings=tuple(escape(reading) for reading in readings),
        reading_px=reading_px(readings),
    )


def _age_dots(rows: Sequence[FoundRow], age: str, name: str, shift: float, lang: Lang) -> list[dict[str, Any]]:
    """Recommended and yardstick arms in their colours; the first trace of an age names it."""
    traces: list[dict[str, Any]] = []
    for colour in (INK, ACCENT, MUTED):
        drawn = [
            (y + shift, row, at) for y, row in enumerate(rows) if (at := row.cells[age].raw) and _colour(row) == colour
        ]
        if drawn:
            values = [at for _, _, at in drawn]
            traces.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "name": escape(name),
                    "showlegend": not traces,
                    "x": [at[0] for at in values],
                    "y": [y for y, _, _ in drawn],
                    "error_x": error_bars(values, colour, thickness=2.5, width=0),
                    "marker": {
                        "size": 12,
                        "color": PAPER if age == "old" else colour,
                        "line": {"color": colour, "width": 2.5},
                    },
                    "hoverinfo": "text",
                    "hovertext": [
                        escape(f"{row.arm.label}, {name}: {span_text(*at).to(lang)}") for _, row, at in drawn
                    ],
                }
            )
    return traces


def _colour(row: FoundRow) -> str:
    return ACCENT if row.arm.recommended else MUTED if row.arm.stage == "yardstick" else INK


# -- rows of arms -----------------------------------------------------------------------------------------


def _said(rows: Sequence[FoundRow], columns: Sequence[str], words: dict[str, str]) -> str:
    """The chart in words: these columns of every row."""

    def told(row: FoundRow) -> str:
        return ", ".join(f"{words[column]} {row.cells[column].value}" for column in columns)

    return "; ".join(f"{row.arm.label}: {told(row)}" for row in rows)


def _height(n_rows: int) -> int:
    return 126 + ROW_PX * n_rows

"""A comparison of results that others measured, for a terminal."""

from __future__ import annotations

from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text as Styled

from tuneworth.core.compared import Compared
from tuneworth.core.text import Lang
from tuneworth.report.pages.compared import NOTHING, ComparedView, build_compared_view
from tuneworth.report.terminal.layout import CHOSEN, HEADING, QUIET, below, bullets, headed, ruled, section
from tuneworth.report.terminal.wrap import Wrapped
from tuneworth.words.say import say


def compared_summary(result: Compared, lang: Lang, page: Path | None = None) -> RenderableType:
    """The finding, the systems, every difference, and how rows were paired."""
    view = build_compared_view(result, lang)
    w, colon = view.words, say("units.marks.colon").to(lang)
    doubts = bullets(w["doubts"], view.doubts)
    at = Styled(f"{w['report_at']}{colon}", style=HEADING).append(str(page), style="not bold") if page else None
    body = (Wrapped(view.headline), *([doubts] if doubts else []), Wrapped(" · ".join(view.strip), QUIET))
    parts = [
        headed(view.word, *body, above=1),
        below(_systems(view), Wrapped(w["legend"], QUIET)),
        section(w["differences"], _differences(view)),
        section(w["cost"], _cost(view)) if view.has_cost else None,
        bullets(w["notes"], view.notes),
        below(at) if at else None,
    ]
    return Group(*(part for part in parts if part is not None))


def _systems(view: ComparedView) -> Table:
    table = ruled(gap=1)
    table.add_column(view.words["system"], overflow="fold", ratio=1)
    for name in (*view.metrics, view.words["n_rows"]):
        table.add_column(name, justify="right", overflow="fold")
    for arm in view.arms:
        scores = [f"{score.value} {score.interval}" if score else NOTHING for score in arm.scores]
        name = Wrapped(("▸ " if arm.recommended else "  ") + arm.label, hang=2)
        table.add_row(name, *map(Styled, (*scores, arm.n_rows)), style=CHOSEN if arm.recommended else "")
    return table


def _differences(view: ComparedView) -> Table:
    """A pair a line, with its metric below where there are several."""
    w, colon = view.words, say("units.marks.colon").to(view.lang)
    table = ruled(gap=1)
    table.add_column(w["pair"], overflow="fold", ratio=1)
    for key in ("difference", "wins_losses", "p_adjusted"):
        table.add_column(w[key], justify="right", overflow="fold")
    table.add_column(w["answer"], overflow="fold")
    for pair in view.comparisons:
        name: RenderableType = Wrapped(f"{pair.a} – {pair.b}", hang=2)
        if len(view.metrics) > 1:
            name = Group(name, Wrapped(f"  {pair.metric}", QUIET))
        answer: RenderableType = Wrapped(pair.answer_word, HEADING)
        if pair.rows_needed:
            answer = Group(answer, Wrapped(f"{w['rows_in_all']}{colon}{pair.rows_needed}", QUIET))
        difference = Group(Styled(pair.difference), Styled(pair.interval, style=QUIET))
        table.add_row(name, difference, Styled(pair.record), Styled(pair.p_adjusted), answer)
    return table


def _cost(view: ComparedView) -> Table:
    table = ruled(gap=1)
    table.add_column(view.words["system"], overflow="fold", ratio=1)
    for key in ("tokens_in", "tokens_out", "alone", "usd_per_1k"):
        table.add_column(view.words[key], justify="right", overflow="fold")
    for arm in view.arms:
        table.add_row(Wrapped(arm.label), *map(Styled, (arm.tokens_in, arm.tokens_out, arm.alone, arm.usd_per_1k)))
    return table

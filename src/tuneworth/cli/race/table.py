"""The race as a table that fits the terminal.

Nothing in it depends on colour: a state has a sign and a word, the leader is named. Widths of columns are kept from
one picture to the next, so that only what has changed seems to move. A narrow terminal loses columns, the least
telling first; a low one loses lines, those of the arms that are out first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text as Styled

from tuneworth.cli.race.cells import HEADINGS, STATES, Cells, ColumnName, clock
from tuneworth.cli.race.lines import OUT
from tuneworth.core.text import Lang, Text
from tuneworth.race.watch import Lane, LaneState, RaceView
from tuneworth.report.plain import one_line
from tuneworth.words import numbers

GAP = 2
TITLE_LEAST = 28
"""Columns are dropped until the title has its longest length, or at least this many columns."""

WHY_LEAST = 24
"""Fewer columns than this are not worth telling a reason in."""

_STYLES: dict[LaneState, str] = {"waiting": "dim", "running": "bold", "stopped": "dim", "failed": "red"}
_LEADER_STYLE = "bold green"
_RIGHT: frozenset[ColumnName] = frozenset(("n_train", "rows", "score", "seconds"))
_FEWER: tuple[tuple[ColumnName, ...], ...] = (
    ("n_train", "rows", "score", "difference", "state", "seconds", "why"),
    ("n_train", "rows", "score", "difference", "state", "seconds"),
    ("n_train", "rows", "score", "difference", "state"),
    ("rows", "score", "difference", "state"),
    ("rows", "score", "short_difference", "state"),
    ("score", "short_difference", "state"),
    ("score", "state"),
    ("state",),
)
"""Columns beside the title, from a wide terminal to a narrow one."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """The lanes that have a line of their own, and those told of together in one."""

    lanes: Sequence[Lane]
    folded: Sequence[Lane]


def picture(view: RaceView, lang: Lang, width: int, height: int | None, ago: float = 0.0) -> RenderableType:
    """Two head lines and the table, at most ``height`` lines (``None``: as many as it takes).

    Args:
        ago: seconds since the view was taken; the clocks of the run and of the running arm go on.
    """
    parts: list[RenderableType] = [
        Styled(_leader(view, lang), style="bold", no_wrap=True, overflow="ellipsis"),
        Styled(_spent(view, lang, ago), style="dim", no_wrap=True, overflow="ellipsis"),
    ]
    fitted = fit(view, None if height is None else height - len(parts) - 1)
    if fitted.lanes:
        parts.append(_table(Cells(view, lang, ago), fitted.lanes, width))
    if fitted.folded:
        parts.append(Styled(_folded(fitted.folded).to(lang), style="dim", no_wrap=True, overflow="ellipsis"))
    return Group(*parts)


def fit(view: RaceView, room: int | None) -> Fitted:
    """What to show in ``room`` lines: the arms that are out are folded first, then those that wait."""
    shown = list(view.lanes)
    if room is None or len(shown) <= room:
        return Fitted(shown, [])
    for states in (OUT, {"waiting"}):
        shown = [lane for lane in shown if lane.state not in states]
        if len(shown) < room:
            break
    ranked = sorted(shown, key=lambda lane: (lane.state != "running", lane.arm_id != view.leader))
    kept = {lane.arm_id for lane in ranked[: max(0, room - 1)]}
    return Fitted(
        [lane for lane in view.lanes if lane.arm_id in kept], [lane for lane in view.lanes if lane.arm_id not in kept]
    )


def _leader(view: RaceView, lang: Lang) -> str:
    first = next((lane for lane in view.lanes if lane.arm_id == view.leader), None)
    if first is None:
        return Text(en="no leader yet", zh="尚无领先者").to(lang)
    title, score = one_line(first.title.to(lang)), "" if first.score is None else f"{first.score:.3f}"
    said = Text(en=f", score {score}", zh=f"，得分 {score}").to(lang) if score else ""
    return Text(en="leader: ", zh="领先：").to(lang) + title + said


def _spent(view: RaceView, lang: Lang, ago: float) -> str:
    """Time and money, spent and left, as far as they are known."""
    seconds_left = None if view.seconds_left is None else clock(view.seconds_left - ago)
    said = [_amount(clock(view.spent_seconds + ago), seconds_left)]
    if view.spent_usd is not None:
        usd_left = None if view.usd_left is None else numbers.usd_sign(view.usd_left).to(lang)
        said.append(_amount(numbers.usd_sign(view.spent_usd).to(lang), usd_left))
    return Text(en="; ", zh="；").to(lang).join(part.to(lang) for part in said)


def _amount(spent: str, left: str | None) -> Text:
    if left is None:
        return Text(en=f"{spent} spent", zh=f"已用 {spent}")
    return Text(en=f"{spent} spent, {left} left", zh=f"已用 {spent}，剩余 {left}")


def _folded(lanes: Sequence[Lane]) -> Text:
    """``7 arms stopped, 2 arms waiting``."""
    states: tuple[LaneState, ...] = ("stopped", "failed", "waiting")
    counts: dict[LaneState, int] = {state: sum(lane.state == state for lane in lanes) for state in states}
    en = [f"{n} {'arm' if n == 1 else 'arms'} {STATES[state].en}" for state, n in counts.items() if n]
    zh = [f"{n} 个{STATES[state].zh}" for state, n in counts.items() if n]
    if others := len(lanes) - sum(counts.values()):
        en, zh = [*en, f"{others} more"], [*zh, f"其他 {others} 个"]
    return Text(en=", ".join(en), zh="未列出：" + "，".join(zh))


def _table(cells: Cells, lanes: Sequence[Lane], width: int) -> Table:
    table = Table(box=None, show_edge=False, pad_edge=False, padding=(0, GAP, 0, 0), header_style="dim")
    columns = layout(cells, width)
    for name, columns_wide in columns.items():
        table.add_column(
            HEADINGS[name].to(cells.lang),
            width=columns_wide,
            justify="right" if name in _RIGHT else "left",
            no_wrap=True,
            overflow="ellipsis",
        )
    for lane in lanes:
        style = _LEADER_STYLE if lane.arm_id == cells.view.leader else _STYLES.get(lane.state, "")
        table.add_row(*(Styled(cells.cell(name, lane)) for name in columns), style=style)
    return table


def layout(cells: Cells, width: int) -> dict[ColumnName, int]:
    """The columns that there is room for, and their widths."""
    longest = _natural("arm", cells)
    widths: dict[ColumnName, int] = {}
    for names in _FEWER:
        widths = {name: _natural(name, cells) for name in names}
        if width - _taken(widths) >= min(longest, TITLE_LEAST):
            break
    arm = min(longest, max(1, width - _taken(widths)))
    if "why" in widths:
        widths["why"] += width - _taken(widths) - arm
    return {"arm": arm, **widths}


def _taken(widths: dict[ColumnName, int]) -> int:
    return sum(columns + GAP for columns in widths.values())


def _natural(name: ColumnName, cells: Cells) -> int:
    """Columns that ``name`` wants: of its heading, of what it usually holds, of what it holds now."""
    if name == "why":
        return WHY_LEAST
    held = [cells.cell(name, lane) for lane in cells.view.lanes]
    return max(map(cell_len, [HEADINGS[name].to(cells.lang), cells.usual(name), *held]))

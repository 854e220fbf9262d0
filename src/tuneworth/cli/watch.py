"""``--watch``: the race live in the terminal as a table that fits it, or line by line where a terminal cannot draw.

Nothing in the table depends on colour: a state has a sign and a word, the leader is named. Widths of columns are kept
from one picture to the next, so that only what has changed seems to move. A narrow terminal loses columns, the least
telling first; a low one loses lines, those of the arms that are out first.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, NamedTuple

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text as Styled

from tuneworth.cli.progress import OUT, RaceLines, TerminalWatcher
from tuneworth.core.record import Interval
from tuneworth.core.text import Lang, Text
from tuneworth.race.watch import Lane, LaneState, RaceView
from tuneworth.report.plain import one_line
from tuneworth.words import numbers
from tuneworth.words.names import joined, listed
from tuneworth.words.say import say, table

_BESIDE = 2
"""Lines of the terminal that are not the table's: the bar, and one for what scrolls by."""


def watcher_for(lang: Lang, *, watch: bool) -> TerminalWatcher:
    """The watcher of a command. It tells on stderr, so that ``--json`` has stdout to itself."""
    return RaceWatcher(lang) if watch else TerminalWatcher(lang)


class RaceWatcher(TerminalWatcher):
    """Draws the race below what is said. Use it as a context manager; the last table stays on the screen.

    A step of the race is told by the table, or by its line, and not by a line of its own when it is finished.
    """

    def __init__(self, lang: Lang):
        super().__init__(lang)
        self._lines = RaceLines(moves=True)
        self._view: RaceView | None = None
        self._seen_at = 0.0
        self._over_at: float | None = None
        self._picture: Live | None = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        if self._picture is not None:
            self._drop_task()
            self._over_at = time.monotonic()
            self._picture.stop()

    def finish(self, result: Text | None = None) -> None:
        if self._view is not None and any(lane.state == "running" for lane in self._view.lanes):
            self._drop_task()
        else:
            super().finish(result)

    def race(self, view: RaceView) -> None:
        self._view, self._seen_at = view, time.monotonic()
        if not self._live:
            self._say_all(self._lines.news(view))
            return
        if self._picture is None:
            self._bar.stop()  # from now on it is drawn below the table
            self._picture = Live(console=self._console, redirect_stdout=False, get_renderable=self._drawn)
            self._picture.start()
        self._picture.refresh()

    def _drawn(self) -> RenderableType:
        view = self._view
        if view is None:
            return ""
        width, height = self._console.size
        if self._over_at is not None:  # nothing will be drawn over it: all lines
            return picture(view, self._lang, width, None, self._over_at - self._seen_at)
        bar = Styled("") if self._task is None else self._bar
        ago = time.monotonic() - self._seen_at
        return Group(picture(view, self._lang, width, height - _BESIDE, ago), bar)


ColumnName = Literal["arm", "n_train", "rows", "score", "difference", "short_difference", "state", "seconds", "why"]

SIGNS: dict[LaneState, str] = {
    "waiting": "·",
    "running": "▶",
    "racing": "○",
    "done": "✓",
    "stopped": "✗",
    "failed": "!",
}
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


def clock(seconds: float) -> str:
    """``4:10``, ``1:04:10``: a time that goes on without jumping in width."""
    minutes, second = divmod(int(max(0.0, seconds)), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of one picture, taken ``ago`` seconds after its view."""

    view: RaceView
    lang: Lang
    ago: float
    states: dict[str, Text] = field(default_factory=lambda: table("cli.race.state"))
    headings: dict[str, Text] = field(default_factory=lambda: table("cli.race.heading"))

    def cell(self, name: ColumnName, lane: Lane) -> str:
        match name:
            case "arm":
                return one_line(lane.title.to(self.lang))
            case "n_train":
                return "" if lane.n_train is None else f"{lane.n_train:,}"
            case "rows":
                return f"{lane.n_rows:,}/{self.view.n_dev:,}"
            case "score":
                return "" if lane.score is None else f"{lane.score:.3f}"
            case "difference" | "short_difference":
                return self._difference(lane, whole=name == "difference")
            case "state":
                return f"{SIGNS[lane.state]} {self.states[lane.state].to(self.lang)}"
            case "seconds":
                seconds = lane.seconds + (self.ago if lane.state == "running" else 0.0)
                return clock(seconds) if seconds else ""
            case "why":
                return "" if lane.why is None else one_line(lane.why.to(self.lang))

    def usual(self, name: ColumnName) -> str:
        """What a column needs at most as a rule: the room is kept from the start, so that nothing jumps."""
        between = numbers.in_parentheses(numbers.signed_range(Interval(low=-0.2, high=-0.1)))
        held: dict[ColumnName, str] = {
            "rows": f"{self.view.n_dev:,}/{self.view.n_dev:,}",
            "difference": "−10.0" + between.to(self.lang),
            "short_difference": "−10.0",
            "state": max((f"{SIGNS[state]} {self.states[state].to(self.lang)}" for state in SIGNS), key=len),
            "seconds": "10:00",
            "score": "0.000",
        }
        return held.get(name, "")

    def _difference(self, lane: Lane, *, whole: bool) -> str:
        if lane.arm_id == self.view.leader:
            return say("cli.race.leader").to(self.lang)
        if lane.difference is None:
            return ""
        said = numbers.signed(lane.difference).to(self.lang)
        if not whole or lane.interval is None:
            return said
        return said + numbers.in_parentheses(numbers.signed_range(lane.interval)).to(self.lang)


class Fitted(NamedTuple):
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
        return say("cli.race.no_leader").to(lang)
    parts = [one_line(first.title.to(lang))]
    if first.score is not None:
        parts.append(say("cli.race.score", score=f"{first.score:.3f}").to(lang))
    return say("cli.race.leader_is").to(lang) + say("cli.comma").to(lang).join(parts)


def _spent(view: RaceView, lang: Lang, ago: float) -> str:
    """Time and money, spent and left, as far as they are known."""
    seconds_left = None if view.seconds_left is None else clock(view.seconds_left - ago)
    said = [_amount(clock(view.spent_seconds + ago), seconds_left)]
    if view.spent_usd is not None:
        usd_left = None if view.usd_left is None else numbers.usd_sign(view.usd_left)
        said.append(_amount(numbers.usd_sign(view.spent_usd), usd_left))
    return listed(said).to(lang)


def _amount(spent: Text | str, left: Text | str | None) -> Text:
    if left is None:
        return say("cli.race.spent", spent=spent)
    return say("cli.race.spent_and_left", spent=spent, left=left)


def _folded(lanes: Sequence[Lane]) -> Text:
    """``7 arms stopped, 2 arms waiting``."""
    told: list[Text] = []
    for state in ("stopped", "failed", "waiting"):
        if n := sum(lane.state == state for lane in lanes):
            key = "cli.race.folded.one" if n == 1 else "cli.race.folded.several"
            told.append(say(key, n=str(n), state=say(f"cli.race.state.{state}")))
    if others := sum(lane.state not in ("stopped", "failed", "waiting") for lane in lanes):
        told.append(say("cli.race.folded.others", n=str(others)))
    return joined([say("cli.race.folded.begins"), joined(told, say("cli.comma"))])


def _table(cells: Cells, lanes: Sequence[Lane], width: int) -> Table:
    drawn = Table(box=None, show_edge=False, pad_edge=False, padding=(0, GAP, 0, 0), header_style="dim")
    columns = layout(cells, width)
    for name, columns_wide in columns.items():
        drawn.add_column(
            cells.headings[name].to(cells.lang),
            width=columns_wide,
            justify="right" if name in _RIGHT else "left",
            no_wrap=True,
            overflow="ellipsis",
        )
    for lane in lanes:
        style = _LEADER_STYLE if lane.arm_id == cells.view.leader else _STYLES.get(lane.state, "")
        drawn.add_row(*(Styled(cells.cell(name, lane)) for name in columns), style=style)
    return drawn


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
    return max(map(cell_len, [cells.headings[name].to(cells.lang), cells.usual(name), *held]))

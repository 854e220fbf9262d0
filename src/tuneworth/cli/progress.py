"""Progress on stderr: a live bar with the time left in a terminal, plain lines elsewhere.

The race is told in lines as well, one for every arm that moves or leaves; ``watch.py`` draws it where a terminal can.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column
from rich.text import Text as Styled

from tuneworth.core.text import Lang, Text
from tuneworth.race.watch import Lane, LaneState, RaceView
from tuneworth.report.plain import one_line
from tuneworth.words import numbers
from tuneworth.words.names import joined
from tuneworth.words.say import say, table

LINE_EVERY_SECONDS = 15.0
WIDE = 80
"""Columns of a terminal that has room for a long bar."""

OUT: frozenset[LaneState] = frozenset(("stopped", "failed"))
"""States of an arm that is not looked at any further."""


class _Title(ProgressColumn):
    """What is being done, cut short where the terminal is narrow; titles may hold names from data files."""

    def render(self, task: Task) -> Styled:
        return Styled(one_line(task.description), no_wrap=True, overflow="ellipsis")


@dataclass(frozen=True, slots=True)
class _ShortOfEdge:
    """Leaves the end of the line free: an echoed ``^C`` that breaks the line would shift what is drawn next."""

    inner: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from console.render(self.inner, options.update(max_width=max(1, options.max_width - len("^C") - 1)))


class _Bar(Progress):
    def get_renderables(self) -> Iterable[RenderableType]:
        yield _ShortOfEdge(self.make_tasks_table(self.tasks))


class TerminalWatcher:
    """A watcher for people. Use it as a context manager."""

    def __init__(self, lang: Lang):
        self._lang: Lang = lang
        self._console = Console(stderr=True, highlight=False)
        # rich takes a file for a terminal when FORCE_COLOR is set; a bar would fill it with control codes.
        self._live = self._console.is_interactive and sys.stderr.isatty()
        self._lines = RaceLines(moves=False)
        self._bar = _Bar(
            _Title(table_column=Column(no_wrap=False)),  # rich narrows the columns that may wrap before the others
            BarColumn(bar_width=24 if self._console.width >= WIDE else 8),
            TextColumn("{task.fields[done]}", markup=False),
            TimeElapsedColumn(),
            TextColumn("{task.fields[clock]}", markup=False),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
        )
        self._task: TaskID | None = None
        self._unit = ""
        self._title = ""
        self._started = self._line_at = self._phase_at = self._heard_at = time.monotonic()

    def __enter__(self) -> TerminalWatcher:
        if self._live:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._bar.stop()

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Leaves the terminal to a question: a bar that is drawn again and again would wipe it out."""
        if self._live:
            self._bar.stop()
        yield
        if self._live:
            self._bar.start()

    def say(self, message: Text) -> None:
        self._console.print(message.to(self._lang), markup=False, soft_wrap=True)

    def start(self, title: Text) -> None:
        self._title = title.to(self._lang)
        self._started = self._line_at = self._phase_at = self._heard_at = time.monotonic()
        self._unit = ""
        if self._live:
            self._drop_task()
            self._add_task()

    def progress(self, done: int, total: int, unit: str) -> None:
        new_phase = unit != self._unit  # another phase of the same work: its own clock
        if new_phase:
            self._unit, self._phase_at = unit, self._heard_at
        self._heard_at = time.monotonic()
        if self._live:
            self._move_bar(done, total, unit, new_phase)
        elif time.monotonic() - self._line_at > LINE_EVERY_SECONDS:
            self._line_at = time.monotonic()
            left = ""
            if done:
                seconds = (self._line_at - self._phase_at) / done * (total - done)
                left = self._in_words("cli.progress.left", n=f"{seconds:.0f}")
            counted = f"{done}/{total} {self._word(unit)}{left}"
            self._console.print(f"  {self._title}{self._in_words('cli.colon')}{counted}", markup=False)

    def finish(self, result: Text | None = None) -> None:
        self._drop_task()
        seconds = time.monotonic() - self._started
        shown = result.to(self._lang) if result is not None else ""
        took = self._in_words("cli.progress.took", n=f"{seconds:.0f}")
        self._console.print(f"  {self._title}  {shown}{took}", markup=False, soft_wrap=True)

    def race(self, view: RaceView) -> None:
        self._say_all(self._lines.news(view))

    def _say_all(self, lines: Sequence[Text]) -> None:
        for line in lines:
            self._console.print(f"  {one_line(line.to(self._lang))}", markup=False, soft_wrap=True)

    def _drop_task(self) -> None:
        if self._task is not None:
            self._bar.remove_task(self._task)
            self._task = None

    def _add_task(self) -> TaskID:
        self._task = self._bar.add_task(self._title, total=None, done="", clock=self._in_words("cli.progress.clock"))
        return self._task

    def _move_bar(self, done: int, total: int, unit: str, new_phase: bool) -> None:
        task = self._task if self._task is not None else self._add_task()
        if new_phase:
            self._bar.reset(task, total=total)
        counted = f"{done}/{total} {self._word(unit)}"
        clocks = self._in_words("cli.progress.clocks")
        self._bar.update(task, completed=done, total=total, done=counted, clock=clocks)

    def _word(self, unit: str) -> str:
        return table("cli.progress.unit").get(unit, numbers.plain(unit)).to(self._lang)

    def _in_words(self, key: str, **parts: str) -> str:
        return say(key, **parts).to(self._lang)


def interactive() -> bool:
    """Whether a person can be asked something."""
    return sys.stdin.isatty() and sys.stderr.isatty()


class RaceLines:
    """Turns views of the race into lines, each thing told once."""

    def __init__(self, *, moves: bool):
        """``moves``: tell every step and every change of the lead, not only who leaves."""
        self._moves = moves
        self._seen: dict[str, Lane] = {}
        self._leader: str | None = None

    def news(self, view: RaceView) -> list[Text]:
        """What has happened since the view before."""
        told = {lane.arm_id: line for lane in view.lanes if (line := self._line(lane, view)) is not None}
        first = next((lane for lane in view.lanes if lane.arm_id == view.leader), None)
        if self._moves and first is not None and view.leader != self._leader:
            told.setdefault(first.arm_id, _colon(first.title, say("cli.race.leads")))  # its own move says it already
        self._seen = {lane.arm_id: lane for lane in view.lanes}
        self._leader = view.leader
        return list(told.values())

    def _line(self, lane: Lane, view: RaceView) -> Text | None:
        before = self._seen.get(lane.arm_id)
        if lane.state in OUT:
            return None if before is not None and before.state in OUT else left(lane, view.n_dev)
        rows = (lane.n_train, lane.n_rows)
        still = before is not None and rows == (before.n_train, before.n_rows)
        return None if still or not self._moves or not lane.n_rows else moved(lane, view)


def left(lane: Lane, n_dev: int) -> Text:
    """``few-shot, 16 random: out after 64 of 300 dev rows: 12.3 points behind (−19.1 to −5.4), …``."""
    if lane.state == "failed":
        return _colon(lane.title, lane.why or say("cli.race.state.failed"))
    out = say("cli.race.out_after", rows=_rows(lane, n_dev)) if lane.n_rows else say("cli.race.out")
    why = [standing(lane)] if lane.difference is not None else []
    why += [lane.why] if lane.why is not None else []
    return _colon(lane.title, _colon(out, _in_a_row(why)) if why else out)


def moved(lane: Lane, view: RaceView) -> Text:
    """``few-shot, 16 random: 64 of 300 dev rows, score 0.712, 3.1 points behind (−9.0 to +2.8), 12 s so far``."""
    said = [_rows(lane, view.n_dev)]
    if lane.n_train is not None:
        said.insert(0, say("cli.race.training_rows", n=lane.n_train))
    if lane.score is not None:
        said.append(say("cli.race.score", score=f"{lane.score:.3f}"))
    if lane.arm_id == view.leader:
        said.append(say("cli.race.leads"))
    elif lane.difference is not None:
        said.append(standing(lane))
    return _colon(lane.title, _in_a_row([*said, say("cli.race.so_far", time=numbers.duration(lane.seconds))]))


def standing(lane: Lane) -> Text:
    """How far an arm is from the leader, with the interval of the difference."""
    difference = round(lane.difference or 0.0, 3)  # as it is shown: what looks like 0.0 is told as level
    size = numbers.signed(abs(difference)).en.lstrip("+")
    way = "behind" if difference < 0 else "ahead" if difference > 0 else "level"
    said = say(f"cli.race.{way}", size=size)
    if lane.interval is None:
        return said
    return joined([said, numbers.in_parentheses(numbers.signed_range(lane.interval))])


def _rows(lane: Lane, n_dev: int) -> Text:
    if lane.n_rows >= n_dev:
        return say("cli.race.all_rows", n=n_dev)
    return say("cli.race.some_rows", n=lane.n_rows, all=n_dev)


def _colon(head: Text, tail: Text) -> Text:
    return joined([head, tail], say("cli.colon"))


def _in_a_row(parts: Sequence[Text]) -> Text:
    return joined(parts, say("cli.comma"))

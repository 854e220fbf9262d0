"""Progress on stderr: a live bar with the time left in a terminal, plain lines elsewhere."""

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

from tuneworth.cli.race.lines import RaceLines
from tuneworth.core.text import Lang, Text
from tuneworth.race.watch import RaceView
from tuneworth.report.plain import one_line

LINE_EVERY_SECONDS = 15.0
WIDE = 80
"""Columns of a terminal that has room for a long bar."""

_UNITS = {"rows": "条", "steps": "步", "bytes": "字节", "MB": "MB", "passages": "段"}


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

    def __init__(self, lang: Lang, *, quiet: bool = False):
        self._lang: Lang = lang
        self._console = Console(stderr=True, quiet=quiet, highlight=False)
        # rich takes a file for a terminal when FORCE_COLOR is set; a bar would fill it with control codes.
        self._live = self._console.is_interactive and sys.stderr.isatty() and not quiet
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
            colon = "：" if self._lang == "zh" else ": "
            self._console.print(
                f"  {self._title}{colon}{done}/{total} {self._word(unit)}{self._left(done, total)}", markup=False
            )

    def finish(self, result: Text | None = None) -> None:
        self._drop_task()
        seconds = time.monotonic() - self._started
        shown = result.to(self._lang) if result is not None else ""
        took = f"（{seconds:.0f} 秒）" if self._lang == "zh" else f"  ({seconds:.0f} s)"
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
        clock = "已用" if self._lang == "zh" else "elapsed"
        self._task = self._bar.add_task(self._title, total=None, done="", clock=clock)
        return self._task

    def _move_bar(self, done: int, total: int, unit: str, new_phase: bool) -> None:
        task = self._task if self._task is not None else self._add_task()
        if new_phase:
            self._bar.reset(task, total=total)
        clocks = "已用，剩余" if self._lang == "zh" else "elapsed, left"
        counted = f"{done}/{total} {self._word(unit)}"
        self._bar.update(task, completed=done, total=total, done=counted, clock=clocks)

    def _word(self, unit: str) -> str:
        return _UNITS.get(unit, unit) if self._lang == "zh" else unit

    def _left(self, done: int, total: int) -> str:
        if not done:
            return ""
        seconds = (time.monotonic() - self._phase_at) / done * (total - done)
        return f"，约剩 {seconds:.0f} 秒" if self._lang == "zh" else f", about {seconds:.0f} s left"


def interactive() -> bool:
    """Whether a person can be asked something."""
    return sys.stdin.isatty() and sys.stderr.isatty()

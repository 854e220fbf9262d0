"""Progress on stderr: a live bar with the time left in a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from tuneworth.core.text import Lang, Text

LINE_EVERY_SECONDS = 15.0
_UNITS = {"rows": "条", "steps": "步", "bytes": "字节", "MB": "MB"}


class TerminalWatcher:
    """A watcher for people. Use it as a context manager."""

    def __init__(self, lang: Lang, *, quiet: bool = False):
        self._lang: Lang = lang
        self._console = Console(stderr=True, quiet=quiet, highlight=False)
        self._live = self._console.is_terminal and not quiet
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[unit]}"),
            TimeElapsedColumn(),
            TextColumn("已用，剩余" if lang == "zh" else "elapsed, left"),
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
        self._bar.stop()

    def say(self, message: Text) -> None:
        self._console.print(message.to(self._lang), markup=False, soft_wrap=True)

    def start(self, title: Text) -> None:
        self._title = title.to(self._lang)
        self._started = self._line_at = self._phase_at = self._heard_at = time.monotonic()
        self._unit = ""
        if self._live:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._task = self._bar.add_task(self._title, total=None, unit="")

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
        if self._task is not None:
            self._bar.remove_task(self._task)
            self._task = None
        seconds = time.monotonic() - self._started
        shown = result.to(self._lang) if result is not None else ""
        took = f"（{seconds:.0f} 秒）" if self._lang == "zh" else f"  ({seconds:.0f} s)"
        self._console.print(f"  {self._title}  {shown}{took}", markup=False, soft_wrap=True)

    def _move_bar(self, done: int, total: int, unit: str, new_phase: bool) -> None:
        if self._task is None:
            self._task = self._bar.add_task(self._title, total=None, unit="")
        if new_phase:
            self._bar.reset(self._task, total=total)
        self._bar.update(self._task, completed=done, total=total, unit=self._word(unit))

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

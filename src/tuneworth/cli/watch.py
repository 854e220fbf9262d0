"""``--watch``: the race live in the terminal, or line by line where a terminal cannot draw."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text as Styled

from tuneworth.cli.progress import TerminalWatcher
from tuneworth.cli.race.lines import RaceLines
from tuneworth.cli.race.table import picture
from tuneworth.core.text import Lang, Text
from tuneworth.race.watch import RaceView

_BESIDE = 2
"""Lines of the terminal that are not the table's: the bar, and one for what scrolls by."""


def watcher_for(lang: Lang, *, watch: bool, as_json: bool) -> TerminalWatcher:
    """The watcher of a command. Who asks for JSON and keeps stderr in a file hears nothing, unless told to watch."""
    return RaceWatcher(lang) if watch else TerminalWatcher(lang, quiet=as_json and not sys.stderr.isatty())


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

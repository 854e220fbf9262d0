"""Line breaking for terminals that is right for Chinese.

rich breaks lines at spaces only, which leaves ragged lines where a Chinese sentence meets an
English word, and lets a line begin with a comma. Here a line may also break between two wide
characters, never before closing punctuation and never after opening punctuation (the heart of
https://www.w3.org/TR/clreq/#prohibition_rules_for_line_start_end).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text as Styled

from tuneworth.report.plain import width

_NO_START = "，。、；：？！）》」』”’】％%…·,.;:?!)]}"
_NO_END = "（《「『“‘【([{"
_WIDE = "\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6“”‘’…"
_PIECES = re.compile(
    rf"[{re.escape(_NO_END)}]*"
    rf"(?:[{_WIDE}]|[^\s{_WIDE}{re.escape(_NO_END)}]+|(?<=[{re.escape(_NO_END)}])(?=\s|$))"
    rf"[{re.escape(_NO_START)}]*[ ]*|\s+|."
)


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A paragraph in one style; every line after the first is indented by ``hang`` columns."""

    text: str
    style: str = ""
    hang: int = 0

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        lines = wrap(self.text, options.max_width, self.hang)
        yield Styled("\n".join(lines), style=self.style, no_wrap=True, overflow="fold")

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        longest = max((width(line) for line in self.text.split("\n")), default=1)
        words = max((width(piece.rstrip()) for piece in _PIECES.findall(self.text)), default=1)
        return Measurement(min(words + self.hang, 24), longest).clamp(1, options.max_width)


def wrap(text: str, columns: int, hang: int = 0) -> list[str]:
    """``text`` as lines of at most ``columns`` columns; a piece that is longer is cut."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for piece in _PIECES.findall(paragraph):
            if line.strip() and width(line) + width(piece.rstrip()) > columns:
                lines.append(line.rstrip())
                line = " " * hang
                piece = piece.lstrip()
            line += piece
            while width(line.rstrip()) > columns > hang + 1:
                head, line = _cut(line, columns)
                lines.append(head)
                line = " " * hang + line
        lines.append(line.rstrip())
    return lines


def _cut(line: str, columns: int) -> tuple[str, str]:
    used = 0
    for index, char in enumerate(line):
        used += width(char)
        if used > columns:
            return line[:index], line[index:]
    return line, ""

"""A terminal for tests: a script gets one of its own, and what it leaves on the screen can be read."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from dataclasses import dataclass
from pathlib import Path

_PREPARED = "import fcntl, termios; fcntl.ioctl(2, termios.TIOCSCTTY, 0)\n"


class Screen:
    """As much of a terminal as is needed to see what a live display leaves on it.

    Attributes:
        most_ups: lines that the cursor went up at a time, at most.
    """

    def __init__(self, columns: int):
        self.columns = columns
        self.lines = [""]
        self.row = self.column = 0
        self.cursor = True
        self.ups = self.most_ups = 0

    def feed(self, data: str) -> None:
        for token in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|\r|\n|[^\x1b\r\n]+", data):
            self._do(token)

    def _do(self, token: str) -> None:
        if token == "\r":
            self.column = 0
        elif token == "\n":
            self._down()
        elif token.endswith("A") and token.startswith("\x1b"):
            self.row -= int(token[2:-1])
            self.ups += int(token[2:-1])
            self.most_ups = max(self.most_ups, self.ups)
            assert self.row >= 0
        elif token == "\x1b[2K":
            self.lines[self.row] = ""
        elif token.startswith("\x1b[?25"):
            self.cursor = token.endswith("h")
        elif not token.startswith("\x1b"):
            self.ups = 0
            for char in token:
                self._put(char)
        else:
            assert token.endswith("m"), token  # colours

    def _put(self, char: str) -> None:
        if self.column == self.columns:  # a full line breaks when there is more to come
            self._down()
            self.column = 0
        line = self.lines[self.row].ljust(self.column)
        self.lines[self.row] = line[: self.column] + char + line[self.column + 1 :]
        self.column += 1

    def _down(self) -> None:
        self.row += 1
        self.lines += [""] * (self.row + 1 - len(self.lines))


@dataclass(frozen=True)
class Done:
    """What a script left: the screen, its stdout, its exit code."""

    screen: Screen
    out: str
    code: int

    @property
    def lines(self) -> list[str]:
        return [line.rstrip() for line in self.screen.lines]


def on_terminal(
    script: str, *arguments: str, typed: tuple[str, bytes] | None = None, columns: int = 100, rows: int = 12
) -> Done:
    """Run Python code whose stdin and stderr are a terminal, and stdout a pipe.

    Args:
        typed: a text, and the keys that are pressed once it stands on the terminal, echoed as typed.

    Raises:
        AssertionError: the text did not appear within a minute.
    """
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    env = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    env |= {
        "TERM": "xterm-256color",
        "PYTHONPATH": os.pathsep.join(
            path for path in (str(Path(__file__).parent), os.environ.get("PYTHONPATH")) if path
        ),
    }
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a suite in the background ignores it, and so do children
    process = subprocess.Popen(
        [sys.executable, "-c", _PREPARED + script, *arguments],
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=slave,
        env=env,
        text=True,
        start_new_session=True,  # the terminal becomes its own, so that Ctrl-C reaches it
    )
    os.close(slave)
    written = bytearray()
    reader = threading.Thread(target=_drain, args=(master, written))
    reader.start()
    with process:
        try:
            if typed is not None:
                _await(typed[0].encode(), written, process)
                os.write(master, typed[1])
            assert process.stdout is not None
            out = process.stdout.read()
        except AssertionError:
            process.kill()
            raise
        finally:
            process.wait()
            reader.join()
            os.close(master)
    screen = Screen(columns)
    screen.feed(written.decode())
    return Done(screen, out, process.returncode)


def _await(text: bytes, written: bytearray, process: subprocess.Popen[str]) -> None:
    ends = time.monotonic() + 60
    while text not in written:
        assert process.poll() is None, written.decode(errors="replace")
        assert time.monotonic() < ends, written.decode(errors="replace")
        time.sleep(0.02)


def _drain(master: int, written: bytearray) -> None:
    """All that is written to the terminal, until the other end is closed."""
    with contextlib.suppress(OSError):  # that is how Linux says so
        while chunk := os.read(master, 65536):
            written += chunk

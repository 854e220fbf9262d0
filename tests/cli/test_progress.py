"""What plain progress lines say of the time left."""

from __future__ import annotations

import pytest

from tuneworth.cli import progress
from tuneworth.core.text import Text


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 1000.0

    monkeypatch.setattr(progress.time, "monotonic", lambda: Clock.now)
    return Clock


def test_time_left_is_that_of_the_present_phase(clock, capsys):
    """Training first, answering after it: the minutes of the one say nothing about the other."""
    watcher = progress.TerminalWatcher("en")
    watcher.start(Text(en="LoRA", zh="LoRA"))
    clock.now += 20
    watcher.progress(10, 100, "steps")
    clock.now += 180
    watcher.progress(100, 100, "steps")
    clock.now += 20
    watcher.progress(50, 150, "rows")
    lines = capsys.readouterr().err.splitlines()
    assert [line.rpartition(", ")[2] for line in lines] == ["about 180 s left", "about 0 s left", "about 40 s left"]

"""How a run tells that it is getting on, without knowing who listens."""

from __future__ import annotations

from typing import Protocol

from tuneworth.core.text import Text


class Watcher(Protocol):
    """Hears what a run is doing. All calls come from one thread."""

    def say(self, message: Text) -> None:
        """Something a user should know now."""
        ...

    def start(self, title: Text) -> None:
        """A piece of work begins; ``progress`` and ``finish`` are about it."""
        ...

    def progress(self, done: int, total: int, unit: str) -> None: ...

    def finish(self, result: Text | None = None) -> None:
        """The piece of work is over; ``result`` says in a few words what came of it."""
        ...


class Silent:
    """A watcher that does not listen."""

    def say(self, message: Text) -> None:
        """Ignored."""

    def start(self, title: Text) -> None:
        """Ignored."""

    def progress(self, done: int, total: int, unit: str) -> None:
        """Ignored."""

    def finish(self, result: Text | None = None) -> None:
        """Ignored."""

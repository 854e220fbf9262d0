"""How a run tells that it is getting on, without knowing who listens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from tuneworth.core.record import Interval
from tuneworth.core.text import Text

LaneState = Literal["waiting", "running", "racing", "done", "stopped", "failed"]


@dataclass(frozen=True, slots=True)
class Lane:
    """How one arm stands in the race.

    Attributes:
        n_train: training rows of its latest fit; ``None`` for an arm that has only one size.
        n_rows: dev rows that fit was scored on.
        difference, interval: arm − leader; ``None`` for the leader and before there is enough.
        why: of an arm that was stopped or failed, in a few words.
    """

    arm_id: str
    title: Text
    state: LaneState
    n_train: int | None = None
    n_rows: int = 0
    score: float | None = None
    difference: float | None = None
    interval: Interval | None = None
    seconds: float = 0.0
    why: Text | None = None


@dataclass(frozen=True, slots=True)
class RaceView:
    """The whole race now. ``seconds_left`` and ``usd_left`` are ``None`` without such a budget."""

    lanes: Sequence[Lane]
    leader: str | None
    n_dev: int
    spent_seconds: float
    seconds_left: float | None = None
    spent_usd: float | None = None
    usd_left: float | None = None


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

    def race(self, view: RaceView) -> None:
        """The race has moved: called when a step starts and when it ends."""
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

    def race(self, view: RaceView) -> None:
        """Ignored."""

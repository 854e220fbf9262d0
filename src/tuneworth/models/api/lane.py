"""The way that calls take to a service, and what one request takes on it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from tuneworth.core.outcome import Usage
from tuneworth.models.api.calls import Wire
from tuneworth.models.api.pace import Pace
from tuneworth.models.api.record import plus


@dataclass(frozen=True, slots=True)
class Lane:
    """How calls go.

    Attributes:
        batch: in jobs, and at the price of batches.
        queue: held while money is set aside, where hundreds of calls wait for a job to leave some.
    """

    wire: Wire
    pace: Pace
    batch: bool = False
    queue: asyncio.Lock | None = None


@dataclass
class Asked:
    """What one request has cost until now: several calls, where tries failed or the answer had to be asked for again."""

    lane: Lane
    usage: Usage = Usage()
    usd: float | None = 0.0
    seconds: float = 0.0

    def add(self, usage: Usage | None, usd: float | None) -> None:
        self.usage = plus(self.usage, usage or Usage())
        self.usd = None if usd is None or self.usd is None else self.usd + usd


class Stopped(Exception):
    """Nothing more is to be sent; ``why`` is raised when what is under way has ended."""

    def __init__(self, why: BaseException):
        self.why = why
        super().__init__(why)

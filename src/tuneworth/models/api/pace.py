"""How many calls are under way at once, and when the next may go: what a service bears is found, not known.

Additive increase, multiplicative decrease, as TCP does (Chiu and Jain 1989): one more after as many good answers as are
under way, half as many when the service says that it is too much. A wait that it asks for is kept by all calls.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

MOST_AT_ONCE = 32
CALLS_TO_GIVE_UP = 20
"""Calls in a row, all tries of each, without an answer: then the service is left alone for a while."""
REST_SECONDS = 60.0
LONGEST_WAIT = 120.0
"""Seconds that are waited for a service that asks for it; where it asks for more, rows are left for a later start."""


class Pace:
    """Used in one event loop.

    Attributes:
        at_once: calls that may be under way now.
        turned_away: how often the service said that it was too much.
    """

    def __init__(self, at_once: int, *, most: int = MOST_AT_ONCE, per_minute: float | None = None):
        self.at_once = float(at_once)
        self.most = max(at_once, most)
        self.lowest, self.highest = at_once, at_once
        self.turned_away = 0
        self._per_minute = per_minute
        self._limiter = None
        self._under_way = 0
        self._good = 0
        self._slowed = 0.0
        self._not_before = 0.0
        self._rests_until = 0.0
        self._failed_in_a_row = 0
        self._changed = asyncio.Condition()

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait until one more may be under way, and be it."""
        await self._enter()
        try:
            yield
        finally:
            await self._leave()

    async def _enter(self) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: self._under_way < int(self.at_once))
            self._under_way += 1

    async def _leave(self) -> None:
        async with self._changed:
            self._under_way -= 1
            self._changed.notify_all()

    async def sleep(self, seconds: float) -> None:
        """Wait for the next try, while another takes the turn."""
        await self._leave()
        try:
            await asyncio.sleep(seconds)
        finally:
            await self._enter()

    async def ready(self) -> None:
        """Wait as long as the service asked for, and for the rate that the user states."""
        while (wait := self._not_before - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        if self._per_minute is not None:
            from aiolimiter import AsyncLimiter

            self._limiter = self._limiter or AsyncLimiter(1, 60 / self._per_minute)
            await self._limiter.acquire()

    def went_well(self) -> None:
        self._failed_in_a_row = 0
        self._good += 1
        if self._good >= self.at_once and self.at_once < self.most:
            self._good, self.at_once = 0, self.at_once + 1
            self.highest = max(self.highest, int(self.at_once))

    def too_much(self, began: float, wait: float | None) -> None:
        """The service turned away a try that was sent at ``began``; those sent before the last halving tell nothing new."""
        self.turned_away += 1
        until = time.monotonic() + (wait or 0.0)
        if (wait or 0.0) <= LONGEST_WAIT:
            self._not_before = max(self._not_before, until)
        else:  # nobody waits for so long
            self._rests_until = max(self._rests_until, until)
        if began >= self._slowed:
            self._slowed, self._good = time.monotonic(), 0
            self.at_once = max(1.0, self.at_once / 2)
            self.lowest = min(self.lowest, int(self.at_once))

    def gave_nothing(self) -> None:
        """A call failed with all its tries."""
        self._failed_in_a_row += 1
        if self._failed_in_a_row >= CALLS_TO_GIVE_UP:
            self._rests_until = time.monotonic() + REST_SECONDS
            self._failed_in_a_row = CALLS_TO_GIVE_UP - 1  # the next one tries whether it is back

    @property
    def rests(self) -> bool:
        """Nothing is sent for now: the service does not answer."""
        return time.monotonic() < self._rests_until

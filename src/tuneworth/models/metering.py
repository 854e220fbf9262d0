"""How a model that is paid for by call goes through the meter of a run."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import asdict, dataclass
from typing import Literal, Protocol, TypeVar

from tuneworth.core.outcome import Usage
from tuneworth.errors import MoneySpent
from tuneworth.models.base import Completion, Meter, Request

Result = TypeVar("Result")

WAIT_S = 0.02
"""Between two looks whether a call under way has ended and left money for this one."""


JobState = Literal["planned", "creating", "created", "ended", "lost"]
"""Of a batch. ``creating``: whether the service has made it is not known; ``ended``: nothing more is to be had of it."""


@dataclass(frozen=True, slots=True)
class Job:
    """A batch of calls, as it was written down.

    Attributes:
        name: nobody else's, and part of what the service is told; the id of a call there is this, a hyphen and its number.
        began: seconds since 1970.
        id: what the service calls it; ``None``: not known.
        calls: numbers of its calls; ``open_calls``: those of which it is not known what came of them.
    """

    number: int
    model: str
    name: str
    began: float
    state: JobState
    id: str | None
    calls: tuple[int, ...]
    open_calls: tuple[int, ...]

    def line_id(self, call: int) -> str:
        return f"{self.name}-{call}"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A batch that is waited for: ``done`` of ``total`` calls, as the service counts."""

    id: str
    host: str
    done: int
    total: int


class JobMeter(Meter, Protocol):
    """A meter that also writes down the batches that calls are gathered into, so that a killed run finds them again."""

    def gather(self, call: str, most_usd: float | None) -> None:
        """As ``set_aside``, of a call that is not sent before it is in a job."""
        ...

    def plan_job(self, model: str, calls: Sequence[str]) -> Job:
        """Put gathered calls into a job that is about to be made. On the disk when this returns."""
        ...

    def note_job(self, job: int, state: JobState, id: str | None = None) -> None:
        """On the disk when this returns."""
        ...

    def left_jobs(self, model: str) -> list[Job]:
        """Those that earlier starts have made, or may have, and did not collect."""
        ...

    def settle_left(self, call: int, usd: float | None, completion: Completion | None) -> None:
        """As ``settle``, of a call of such a job, by its number."""
        ...

    def waited(self, seconds: float, waiting: Waiting | None) -> None:
        """So much time was spent on nothing but waiting for batches."""
        ...


def digest_of(model: str, request: Request, **settings: object) -> str:
    """Of all that the answer depends on: what calls are noted by."""
    facts = [model, asdict(request), settings]
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()


async def set_aside(aside: Callable[[str, float | None], None], call: str, most_usd: float | None) -> None:
    """As `Meter.set_aside`, which waits for the disk, but waits while calls under way may leave enough.

    Raises:
        MoneySpent: the cap does not allow it.
    """
    while True:
        try:
            return await asyncio.to_thread(aside, call, most_usd)
        except MoneySpent as refused:
            if not refused.may_free:
                raise
        await asyncio.sleep(WAIT_S)


async def metered(
    meter: Meter | None,
    call: str,
    most_usd: float | None,
    send: Callable[[], Awaitable[Completion]],
    *,
    aside: Callable[[str, float | None], None] | None = None,
    queue: AbstractAsyncContextManager[object] | None = None,
) -> Completion:
    """``send`` once the meter allows it, and settle what it cost; or what the call came to when it was paid for before.

    ``send`` makes one call. Its completion says what that cost (``usd``); a failure that was not charged has ``usd=0.0``. When it
    raises, what was set aside stays, as nobody knows.

    Args:
        aside: in place of `Meter.set_aside`.
        queue: held meanwhile, where very many calls would wait for money side by side.

    Raises:
        MoneySpent: the cap does not allow it, and no call under way can change that.
    """
    if meter is None:
        return await send()
    if (kept := meter.kept(call)) is not None:
        return kept
    async with queue or nullcontext():
        await set_aside(aside or meter.set_aside, call, most_usd)
    try:
        completion = await send()
    except BaseException:
        meter.settle(call, None)
        raise
    answered = completion.finish_reason != "error" or completion.usage != Usage()
    meter.settle(call, completion.usd, completion if answered else None)
    return completion


async def all_settled(calls: Iterable[Awaitable[Result]]) -> list[Result]:
    """What all came to, in order. When some fail, the others are waited for before the first failure is raised: they are paid for."""
    ended = await asyncio.gather(*calls, return_exceptions=True)
    for one in ended:
        if isinstance(one, BaseException):
            raise one
    return [one for one in ended if not isinstance(one, BaseException)]

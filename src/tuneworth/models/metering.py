"""How a model that is paid for by call goes through the meter of a run."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict
from typing import TypeVar

from tuneworth.core.outcome import Usage
from tuneworth.errors import MoneySpent
from tuneworth.models.base import Completion, Meter, Request

Result = TypeVar("Result")

WAIT_S = 0.02
"""Between two looks whether a call under way has ended and left money for this one."""


def digest_of(model: str, request: Request, **settings: object) -> str:
    """Of all that the answer depends on: what calls are noted by."""
    facts = [model, asdict(request), settings]
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()


async def set_aside(meter: Meter, call: str, most_usd: float | None) -> None:
    """As `Meter.set_aside`, which waits for the disk, but waits while calls under way may leave enough.

    Raises:
        MoneySpent: the cap does not allow it.
    """
    while True:
        try:
            return await asyncio.to_thread(meter.set_aside, call, most_usd)
        except MoneySpent as refused:
            if not refused.may_free:
                raise
        await asyncio.sleep(WAIT_S)


async def metered(
    meter: Meter | None, call: str, most_usd: float | None, send: Callable[[], Awaitable[Completion]]
) -> Completion:
    """``send`` once the meter allows it, and settle what it cost; or what the call came to when it was paid for before.

    ``send`` makes one call. Its completion says what that cost (``usd``); a failure that was not charged has ``usd=0.0``. When it
    raises, what was set aside stays, as nobody knows.

    Raises:
        MoneySpent: the cap does not allow it, and no call under way can change that.
    """
    if meter is None:
        return await send()
    if (kept := meter.kept(call)) is not None:
        return kept
    await set_aside(meter, call, most_usd)
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

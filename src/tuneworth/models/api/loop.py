"""One event loop in a thread of its own, for all calls to services: callers wait, calls run side by side."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
import weakref
from collections.abc import Awaitable, Callable, Coroutine
from functools import cache
from typing import Any, TypeVar

Result = TypeVar("Result")
_THREAD = "tuneworth-calls"
TICK_S = 0.25


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name=_THREAD, daemon=True).start()
    return loop


def run(work: Coroutine[Any, Any, Result], meanwhile: Callable[[], None] | None = None) -> Result:
    """Do ``work`` and wait for it. It may be called from any thread, one with a running loop (a notebook) among them.

    Interrupted (Ctrl-C), what is under way is given up.

    Args:
        meanwhile: called from this thread again and again, and once more at the end.
    """
    waiting = asyncio.run_coroutine_threadsafe(work, _loop())
    try:
        while meanwhile is not None:
            done, _ = concurrent.futures.wait([waiting], timeout=TICK_S)
            meanwhile()
            if done:
                break
        return waiting.result()
    except BaseException:
        waiting.cancel()
        raise


def close_after(owner: object, close: Callable[[], Awaitable[None]]) -> None:
    """Call ``close`` when ``owner`` is gone, or the program ends: connections are not left open."""
    weakref.finalize(owner, _close, close)


def _close(close: Callable[[], Awaitable[None]]) -> None:
    async def closing() -> None:
        await close()

    with contextlib.suppress(Exception):
        waiting = asyncio.run_coroutine_threadsafe(closing(), _loop())
        if threading.current_thread().name != _THREAD:  # collected there it cannot wait for itself
            waiting.result(timeout=2)

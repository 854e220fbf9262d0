"""One event loop in a thread of its own, for all calls to services: callers wait, calls run side by side."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from functools import cache
from typing import Any, TypeVar

Result = TypeVar("Result")


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="tuneworth-calls", daemon=True).start()
    return loop


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Do ``work`` and wait for it. It may be called from any thread, one with a running loop (a notebook) among them.

    Interrupted (Ctrl-C), what is under way is given up.
    """
    waiting = asyncio.run_coroutine_threadsafe(work, _loop())
    try:
        return waiting.result()
    except BaseException:
        waiting.cancel()
        raise

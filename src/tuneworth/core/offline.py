"""A private task opens no connection but to this machine: while one is worked on, nothing is fetched.

To fetch a model sends no row, but a name, and an address; who says ``private`` need not weigh that. It counts for the whole
process, whatever thread asks, so that no way past it is forgotten.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from tuneworth.core.task import Limits

P = ParamSpec("P")
R = TypeVar("R")

_lock = threading.Lock()
_private_now = 0


@contextmanager
def staying_here(private: bool) -> Generator[None]:
    """Nothing is fetched meanwhile, if ``private``."""
    global _private_now
    with _lock:
        _private_now += private
    try:
        yield
    finally:
        with _lock:
            _private_now -= private


class Limited(Protocol):
    """A task file, as far as it matters here."""

    @property
    def limits(self) -> Limits: ...


F = TypeVar("F", bound=Limited)


def keeps_private(work: Callable[Concatenate[F, P], R]) -> Callable[Concatenate[F, P], R]:
    """For a function of a task file: nothing is fetched while it works on a private one."""

    @wraps(work)
    def within(task_file: F, *args: P.args, **options: P.kwargs) -> R:
        with staying_here(task_file.limits.private):
            return work(task_file, *args, **options)

    return within


def may_fetch() -> bool:
    """Whether a connection to another machine may be opened."""
    return _private_now == 0

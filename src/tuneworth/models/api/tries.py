"""Trying a call again while its failure may pass, and what no further try can mend: of chats, decisions and vectors alike."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import tenacity

from tuneworth.errors import EnvironmentProblem, Problem
from tuneworth.models.api.failures import PASSING, Trouble
from tuneworth.models.api.pace import LONGEST_WAIT, Pace
from tuneworth.models.api.services import Endpoint
from tuneworth.words.say import say

Result = TypeVar("Result")

TRIES = 6
"""Of one call."""
LONGEST_BACKOFF = 30.0
"""Seconds."""
MOST_SECONDS = 600.0
"""After so long no further try begins."""


async def tried(send: Callable[[], Awaitable[Result]], pace: Pace, patience_seconds: float) -> Result:
    """What ``send`` gives, tried again while its failure may pass.

    Args:
        patience_seconds: longest wait before the second try; it doubles with each.

    Raises:
        Trouble: of the last try; at once where it cannot pass, or the service is left alone for now.
    """

    async def once() -> Result:  # tenacity awaits what is async by its own looks only
        return await send()

    trying = tenacity.AsyncRetrying(
        retry=tenacity.retry_if_exception(_may_be_tried_again),
        wait=_Wait(multiplier=patience_seconds, max=LONGEST_BACKOFF),
        stop=tenacity.stop_after_attempt(TRIES) | tenacity.stop_after_delay(MOST_SECONDS),
        sleep=pace.sleep,
        reraise=True,
    )
    if pace.rests:
        raise Trouble("network", "the service does not answer, or asks to be left alone for longer than anybody waits")
    try:
        return await trying(once)
    except Trouble as trouble:
        if trouble.kind in PASSING:
            pace.gave_nothing()
        raise


def hopeless(endpoint: Endpoint, trouble: Trouble) -> EnvironmentProblem | None:
    """What no further call can change until somebody mends it; ``None`` of all else."""
    variable = endpoint.key_variable
    reasons = {
        "key": lambda: say("models.service.refused_key_said", variable=variable, said=trouble.said),
        "quota": lambda: say("models.service.no_quota", variable=variable, said=trouble.said),
        "redirect": lambda: say("models.service.redirects", to=trouble.said or "?"),
        "certificate": lambda: say("models.service.certificate", said=trouble.said),
        "batch": lambda: say("models.batch.refused", said=trouble.said),
    }
    reason = reasons.get(trouble.kind)
    return None if reason is None else EnvironmentProblem(Problem(f"{endpoint.name} ({endpoint.address})", reason()))


def _may_be_tried_again(error: BaseException) -> bool:
    if not isinstance(error, Trouble) or not error.may_pass:
        return False
    return error.retry_after is None or error.retry_after <= LONGEST_WAIT


class _Wait(tenacity.wait_random_exponential):
    """Random, up to twice as long each time; never less than what the service asks for, and not all at the same moment after it."""

    def __call__(self, retry_state: tenacity.RetryCallState) -> float:
        jitter = super().__call__(retry_state)
        error = retry_state.outcome.exception() if retry_state.outcome is not None else None
        asked_for = error.retry_after if isinstance(error, Trouble) else None
        return jitter if asked_for is None else asked_for + min(jitter, 1.0)

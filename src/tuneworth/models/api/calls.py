"""One call to a service and its answer, whichever protocol it speaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from tuneworth.core.outcome import Usage
from tuneworth.core.task import Message
from tuneworth.models.api.constrain import Form
from tuneworth.models.api.services import Means
from tuneworth.models.base import Effort

Ended = Literal["stop", "length", "refused"]


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked.

    Attributes:
        n_shared: leading messages that other calls have as well; a cache is asked to keep them.
        form: what the answer is to look like, and by which ``means`` it is held to it.
        effort: how much the model is to think; ``None``: as it does by itself.
        without: names of fields that the service refused before.
    """

    messages: tuple[Message, ...]
    n_shared: int
    max_tokens: int
    form: Form | None = None
    means: Means = "words"
    effort: Effort | None = None
    without: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back.

    Attributes:
        usage: ``None`` where the service does not say, or says what cannot be.
        model: the name that the service gives to what answered.
    """

    text: str
    usage: Usage | None
    ended: Ended
    model: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of a service's list of models."""

    id: str
    shutdown_date: str | None = None
    context_tokens: int | None = None


class Wire(Protocol):
    """Speaks one protocol to one service."""

    async def send(self, call: Call) -> Reply:
        """Raises: Trouble."""
        ...

    async def listed(self) -> list[Listed]:
        """Raises: Trouble."""
        ...


def with_form_in_words(call: Call) -> tuple[Message, ...]:
    """The messages, the form told at the end of the system text where the means does not tell it."""
    told = call.form.asked_in_words(call.means) if call.form is not None else ""
    if not told:
        return call.messages
    first, *rest = call.messages
    if first.role != "system":
        return (Message("system", told), *call.messages)
    return (Message("system", f"{first.content}\n\n{told}"), *rest)


def count(value: Any) -> int | None:
    """A number of tokens; ``None`` for what is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def usage_of(
    prompt: int | None, completion: int | None, *, cached: int | None, written: int | None, reasoning: int | None
) -> Usage | None:
    """Usage whose parts are no larger than the whole; ``None`` when the whole is not known."""
    if prompt is None or completion is None:
        return None
    cached = min(cached or 0, prompt)
    return Usage(
        prompt_tokens=prompt,
        cached_tokens=cached,
        cache_write_tokens=min(written or 0, prompt - cached),
        completion_tokens=completion,
        reasoning_tokens=min(reasoning or 0, completion),
    )


def context_of(line: Any, names: Sequence[str]) -> int | None:
    """The context of a listed model, under the name that this kind of server gives to it."""
    return next((size for name in names if (size := count(getattr(line, name, None)))), None)

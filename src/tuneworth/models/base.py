"""What a model is: messages in, completions out.

A model says what it can do and never guesses. Everything a strategy needs of a language model or of
a sentence encoder is on this page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from tuneworth.core.outcome import Usage
from tuneworth.core.task import Message

ConstraintKind = Literal["labels", "json_schema", "regex", "grammar"]
FinishReason = Literal["stop", "length", "over_context", "error"]


@dataclass(frozen=True, slots=True)
class Constraint:
    """What the completion must look like. Exactly one field is set."""

    labels: tuple[str, ...] | None = None
    json_schema: dict[str, Any] | None = None
    regex: str | None = None
    grammar: str | None = None

    def __post_init__(self) -> None:
        given = [name for name in ("labels", "json_schema", "regex", "grammar") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"a Constraint has exactly one of labels, json_schema, regex, grammar; got {given}")

    @property
    def kind(self) -> ConstraintKind:
        names: tuple[ConstraintKind, ...] = ("labels", "json_schema", "regex", "grammar")
        return next(name for name in names if getattr(self, name) is not None)


@dataclass(frozen=True, slots=True)
class Request:
    """One completion to make.

    Attributes:
        messages: the chat so far; the last turn is the user's.
        adapter: name of an adapter loaded on the model, or ``None`` for the base weights.
        n_shared: how many leading messages every request of this caller has in common. The engine
            computes their key/value cache once. A hint: it never changes what is computed.
    """

    messages: tuple[Message, ...]
    constraint: Constraint | None = None
    adapter: str | None = None
    n_shared: int = 0


@dataclass(frozen=True, slots=True)
class Completion:
    """What came back. ``latency_ms`` is this request's share of the time its batch took."""

    text: str
    usage: Usage
    latency_ms: float
    finish_reason: FinishReason
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a model can do.

    Attributes:
        local: rows stay on this machine.
        context_tokens: longest prompt plus completion.
    """

    local: bool
    can_train: bool
    constraints: frozenset[ConstraintKind]
    context_tokens: int


class Model(Protocol):
    """A language model that answers chats."""

    @property
    def id(self) -> str: ...

    @property
    def capabilities(self) -> Capabilities: ...

    def generate(self, requests: Sequence[Request], *, max_new_tokens: int) -> list[Completion]:
        """Completions in the order of ``requests``. Greedy and deterministic."""
        ...

    def count_tokens(self, text: str) -> int: ...

    def load_adapter(self, name: str, folder: str) -> None:
        """Make the adapter saved in ``folder`` available to requests as ``name``."""
        ...

    def describe(self) -> dict[str, Any]:
        """What the run record keeps: source, hashes, dtype, attention, device."""
        ...


class Encoder(Protocol):
    """A sentence encoder."""

    @property
    def id(self) -> str: ...

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors, shape ``(len(texts), dimension)``."""
        ...

    def describe(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class TrainExample:
    """A chat and the completion to learn."""

    messages: tuple[Message, ...]
    completion: str


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What a training did.

    Attributes:
        folder: where the best adapter (or full model) was saved.
        dev_losses: ``(step, mean loss per completion token on dev)`` in order.
        stopped: ``epochs`` (all done), ``early`` (dev stopped improving) or ``time`` (budget).
    """

    folder: str
    steps: int
    best_step: int
    epochs: float
    train_tokens: int
    seconds: float
    dev_losses: tuple[tuple[int, float], ...]
    stopped: Literal["epochs", "early", "time"]
    details: dict[str, Any] = field(default_factory=dict)

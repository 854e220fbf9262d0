"""What a model is: messages in, completions out.

A model says what it can do and never guesses. Everything a strategy needs of a language model or of
a sentence encoder is on this page.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, TypeGuard

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from tuneworth.core.outcome import Usage
from tuneworth.core.task import Message
from tuneworth.core.text import Text
from tuneworth.costs.prices import Price

ConstraintKind = Literal["labels", "json_schema", "regex", "grammar"]
FinishReason = Literal["stop", "length", "over_context", "refused", "error"]
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
Layers = Literal["all", "upper_third"]
TextRole = Literal["text", "query", "passage"]
"""What a text is to a sentence encoder: one of its like, a question to passages, or such a passage."""
Progress = Callable[[int, int, str], None]
"""``progress(done, total, unit)``: how far the work at hand is."""


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
        reasoning: how much a model that can think is to think before it answers; ``None``: as it does by itself.
    """

    messages: tuple[Message, ...]
    constraint: Constraint | None = None
    adapter: str | None = None
    n_shared: int = 0
    reasoning: Effort | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """What came back.

    Attributes:
        latency_ms: this request's share of the time its batch took.
        finish_reason: ``refused``: the model, or a filter of the service, declines to answer.
        usd: what a service charged for it, ``None`` when not known; of what runs on this machine nobody asks.
        may_pass: of an ``error`` that may not happen again (network, rate limit, server). Said here, the other requests of
            the batch keep their answers; a model that raises `tuneworth.errors.PassingFailure` gets them all once more.
        shared: another arm of the run had asked for it; what it took is told, and was not paid again.
    """

    text: str
    usage: Usage
    latency_ms: float
    finish_reason: FinishReason
    error: str | None = None
    usd: float | None = None
    may_pass: bool = False
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a model can do.

    Attributes:
        local: rows stay on this machine.
        can_train: it is ``Trainable``.
        context_tokens: longest prompt plus completion.
        deterministic: the same request gets the same answer; else answers are asked for again, and their spread counts.
        label_probabilities: it is ``Deciding``.
        reasoning: how much it thinks before it answers can be set (``Request.reasoning``).
    """

    local: bool
    can_train: bool
    constraints: frozenset[ConstraintKind]
    context_tokens: int
    deterministic: bool = True
    label_probabilities: bool = False
    reasoning: bool = False


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


@dataclass(frozen=True, slots=True)
class Decision:
    """How likely each label of a request's constraint is.

    Attributes:
        log_probabilities: shape ``(n_labels,)``, in the order of the constraint's labels, natural logarithm, normalised over them;
            ``None`` where there is no answer (``completion`` says why).
        completion: the likeliest label as text, with usage, time, money and errors as of any other request.
    """

    log_probabilities: NDArray[np.float64] | None
    completion: Completion


class Deciding(Model, Protocol):
    """A model that tells how likely each of the allowed labels is, without writing text."""

    def decide(self, requests: Sequence[Request]) -> list[Decision]:
        """One decision per request, in order; every request has a constraint to labels."""
        ...


def is_deciding(model: Model) -> TypeGuard[Deciding]:
    """What the model says of itself."""
    return model.capabilities.label_probabilities


class Meter(Protocol):
    """Stands between a model that is paid for by call and the purse of a run.

    A call is set aside before it is sent and settled when its answer is there, so that a cap holds whatever is in flight, and
    what was in flight when a run was killed is known. It is called from the thread in which a model makes its calls, not from
    the one that asked the model.
    """

    def kept(self, call: str) -> Completion | None:
        """What this call came to when it was paid for and its row could not be stored (the run was killed); given out once."""
        ...

    def set_aside(self, call: str, most_usd: float | None) -> None:
        """Note durably that ``call`` is about to be sent and costs ``most_usd`` at most (``None``: its price is not known).

        Args:
            call: digest of all that the answer depends on. The same request may be under way several times.

        Raises:
            tuneworth.errors.MoneySpent: the cap on money or calls does not allow it.
        """
        ...

    def settle(self, call: str, usd: float | None, completion: Completion | None = None) -> None:
        """``call`` has ended and cost ``usd`` (0: nothing was charged; ``None``: not known, and what was set aside stays).

        Args:
            completion: what it came to, kept until the rows that it was asked for are stored; ``None`` for a failure.
        """
        ...


class Metered(Model, Protocol):
    """A model that is paid for by call."""

    @property
    def price(self) -> Price | None:
        """What it costs; ``None``: not known."""
        ...

    def attach(self, meter: Meter) -> None:
        """Set aside every call from here on; before that nothing is limited."""
        ...

    def most_usd(self, request: Request, *, max_new_tokens: int) -> float | None:
        """The most that ``request`` can cost, retries and a repair turn not counted; ``None``: its price is not known."""
        ...


def is_metered(model: Model) -> TypeGuard[Metered]:
    """Whether calls of ``model`` can be limited."""
    return hasattr(model, "attach")


def is_batched(model: Model | None) -> bool:
    """Whether many requests to ``model`` go in batches, cheaper and whenever it suits the service."""
    return bool(getattr(model, "batched", False))


def notes_of(model: Model | None, *, held: bool) -> list[Text]:
    """What a model has to tell the reader of a run after it was asked, if anything: that it ends soon, that it changed under way.

    Args:
        held: answers were held to a form; then also by which means.
    """
    tell = getattr(model, "notes", None)
    return tell(held=held) if tell is not None else []


class Encoder(Protocol):
    """A sentence encoder."""

    @property
    def id(self) -> str: ...

    def encode(self, texts: Sequence[str], *, role: TextRole = "text") -> NDArray[np.float32]:
        """Unit vectors, shape ``(len(texts), dimension)``; vectors of queries may be compared with those of passages."""
        ...

    def describe(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class TrainExample:
    """A chat and the completion to learn."""

    messages: tuple[Message, ...]
    completion: str


class TrainConfig(BaseModel):
    """How to train. ``None`` means: chosen from model and rows; the result's ``details`` say what was chosen."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Literal["lora", "full"] = Field(default="lora", description="adapter on frozen weights, or all weights")
    layers: Layers = Field(default="all", description="layers with an adapter: all, or the upper third of them")
    rank: int = Field(default=16, ge=1, description="rank of the adapter (LoRA)")
    alpha: int = Field(default=32, ge=1, description="the adapter's output is scaled by alpha / rank")
    dropout: float = Field(default=0.0, ge=0, lt=1, description="dropout on the adapter's input")
    learning_rate: float | None = Field(default=None, gt=0, description="peak rate; by rule from the model's width")
    warmup: float = Field(default=0.04, ge=0, le=0.5, description="share of the steps over which the rate rises")
    epochs: int | None = Field(default=None, ge=1, description="most passes over the rows; by their number")
    batch_rows: int = Field(default=8, ge=1, description="rows per step")
    max_length: int = Field(default=2048, ge=8, description="rows of more tokens are left out")
    patience: int = Field(default=3, ge=1, description="looks at dev without improvement before stopping")
    n_evals: int = Field(default=9, ge=1, description="looks at dev in a full training")
    max_dev_rows: int = Field(default=100, ge=1, description="dev rows that the loss is computed on, at most")
    weight_decay: float = Field(default=0.0, ge=0, description="decoupled weight decay (AdamW)")
    max_grad_norm: float = Field(default=1.0, gt=0, description="gradients are clipped to this norm")
    checkpoint_seconds: float = Field(default=30.0, ge=0, description="least time between checkpoints, seconds")
    seed: int = Field(default=0, ge=0, description="order of rows and initial adapter")


def epochs_for(n_rows: int) -> int:
    """Most passes over the rows worth planning; fewer rows are seen more often. Early stop may cut them."""
    return min(max(round(math.sqrt(20_000 / n_rows)), 2), 10)


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


class Trainable(Model, Protocol):
    """A model that can be trained where it stands."""

    def row_seconds(self, train: Sequence[TrainExample], config: TrainConfig) -> float:
        """Seconds of training on one row of average length once, found by making two steps of which nothing is kept.

        Raises:
            NotEnoughData: no training row is short enough.
        """
        ...

    def train(
        self,
        train: Sequence[TrainExample],
        dev: Sequence[TrainExample],
        config: TrainConfig,
        folder: Path,
        *,
        progress: Progress | None = None,
        seconds_left: float | None = None,
    ) -> TrainResult:
        """Train on ``train``, stop and choose on ``dev``, save to ``folder``; then the model answers as before.

        A training that was killed goes on from its checkpoint when called again with the same arguments and folder,
        and ends the same. A finished training found there is returned as it is; one of something else is not.

        Args:
            folder: gets what ``load_adapter`` reads (``TrainResult.folder``), and checkpoints meanwhile.
            progress: ``progress(steps done, steps planned, "steps")``.
            seconds_left: the number of steps is planned to end within this time.

        Raises:
            NotEnoughData: no training row is short enough.
            EnvironmentProblem: the disk is full or cannot be written.
        """
        ...


def is_trainable(model: Model) -> TypeGuard[Trainable]:
    """What the model says of itself."""
    return model.capabilities.can_train

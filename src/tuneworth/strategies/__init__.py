"""What a strategy is: one way of adapting a model to a task.

A strategy is one file with its class and frozen ``Config``. ``arms`` lists the configurations worth
measuring, ``fit`` turns one of them into a solver, and the solver answers queries. A strategy sees
train and dev rows, never test rows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from tuneworth.core.outcome import Status, Usage
from tuneworth.core.task import Example, OutputKind, Query, Task
from tuneworth.core.text import Text
from tuneworth.models.base import Effort, Encoder, Model, Progress
from tuneworth.strategies._parts.workload import Workload, expected_completion, mean_tokens, sample

if TYPE_CHECKING:
    from tuneworth.retrieval.library import Library


class StrategyConfig(BaseModel):
    """Base of every strategy's ``Config``: frozen, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class AskingConfig(StrategyConfig):
    """Base of the configs of strategies that ask a model as it is."""

    reasoning: Effort | None = Field(
        default=None, description="how much a model that can think is to think; as it does by itself when left out"
    )

    def named(self, text: Text) -> Text:
        """``text``, the strategy in words, with the effort."""
        if self.reasoning is None:
            return text
        return Text(en=f"{text.en}, reasoning {self.reasoning}", zh=f"{text.to('zh')}，推理强度 {self.reasoning}")


@dataclass(frozen=True, slots=True)
class Answer:
    """A solver's answer to one query. ``text`` is ``None`` unless ``status`` is ``scored``.

    Attributes:
        usd: what services charged for it, ``None`` when not known; of what runs on this machine nobody asks.
        may_pass: of a failure that may not happen again when the row is asked another time.
        shared: see ``Outcome``.
        passages, citations: ids of the passages shown, and of those that the answer points to (see ``Outcome``).
        probabilities: label → probability, of a solver that says how sure it is.
    """

    text: str | None
    usage: Usage = Usage()
    latency_ms: float = 0.0
    status: Status = "scored"
    error: str | None = None
    usd: float | None = None
    may_pass: bool = False
    shared: bool = False
    passages: tuple[str, ...] = ()
    citations: tuple[str, ...] = ()
    probabilities: dict[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Tried:
    """What trying a training took, in seconds: training on one row once, and one answer about as long as the rows' own."""

    row_seconds: float
    answer_seconds: float


@dataclass
class Context:
    """What a strategy is given besides rows.

    Attributes:
        model: the candidate model, or ``None`` for strategies without one.
        encoder: returns the sentence encoder, loading it on first use.
        rng: the only source of randomness.
        seed: what ``rng`` was made from, for libraries that want an integer.
        folder: the arm's own folder; checkpoints go here and survive a kill.
        max_new_tokens: longest answer worth generating, from the outputs of the training rows.
        seconds_left: what the budget leaves for fitting this arm, or ``None`` without a budget.
        library: the task's passages, for strategies that read documents; ``None`` for a task without.
        notes: sentences for the report, appended by ``fit``.
        details: numbers for ``result.json``, filled by ``fit``.
    """

    task: Task
    model: Model | None
    encoder: Callable[[], Encoder]
    rng: np.random.Generator
    seed: int
    folder: Path
    max_new_tokens: int
    seconds_left: float | None = None
    library: Library | None = None
    progress: Progress = lambda done, total, unit: None
    notes: list[Text] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)


class Solver(ABC):
    """A fitted strategy."""

    @abstractmethod
    def solve(self, queries: Sequence[Query]) -> list[Answer]:
        """Answers in the order of ``queries``."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write everything but the base model into ``folder``."""

    @classmethod
    @abstractmethod
    def load(cls, folder: Path, context: Context) -> Solver:
        """The solver that ``save`` wrote; ``context`` brings the model and the encoder."""


class Strategy(ABC):
    """One way of adapting a model.

    Attributes:
        id: the module's name.
        effort: place on the ladder from simplest (0) to most complex; simpler wins ties.
        tuned: changes the weights of a language model.
        yardstick: for scale; not one of the ways to choose from.
        fallback: of a yardstick: may be used as it is where nothing else is shown to be better.
        kinds: of answers that it is for; not tried for a task of another kind unless it is named. ``None``: any.
        needs_model: has one arm per candidate model; else one arm per task.
        decides: asks its model how likely each label is, and for no text; never in batches.
        reads_documents: looks things up in the task's documents; not tried for a task without (``Task.documents``).
        asks_alike: its arms on one model put the same questions to it (``Deciding``); in a run each is asked and paid for once.
        grows: learns from all the rows it is given, so that it is worth fitting on more and more of them.
    """

    id: ClassVar[str]
    effort: ClassVar[int]
    tuned: ClassVar[bool] = False
    yardstick: ClassVar[bool] = False
    fallback: ClassVar[bool] = False
    kinds: ClassVar[frozenset[OutputKind] | None] = None
    needs_model: ClassVar[bool] = True
    decides: ClassVar[bool] = False
    reads_documents: ClassVar[bool] = False
    asks_alike: ClassVar[bool] = False
    grows: ClassVar[bool] = False
    title: ClassVar[Text]
    Config: ClassVar[type[StrategyConfig]]
    solver: ClassVar[type[Solver]]

    def __init__(self, config: StrategyConfig | None = None):
        self.config = config if config is not None else self.Config()

    @classmethod
    @abstractmethod
    def arms(cls, task: Task, model: Model | None, train: Sequence[Example]) -> list[StrategyConfig]:
        """The configurations worth measuring for this task, in order of effort."""

    @classmethod
    def why_skipped(cls, task: Task, model: Model | None, train: Sequence[Example]) -> Text | None:
        """Why this strategy cannot run here, or ``None`` when it can."""
        return None

    def settled(self, details: Mapping[str, Any]) -> StrategyConfig:
        """The config with what a first fit has chosen by itself, for further trainings of the same arm.

        Args:
            details: what that fit left in ``Context.details``.
        """
        return self.config

    def lighter(self) -> StrategyConfig | None:
        """The config of a training that takes less, for when the time does not reach for this one; ``None``: there is none."""
        return None

    @abstractmethod
    def describe(self) -> Text:
        """This arm in a few words: ``few-shot, 16 nearest``."""

    def workload(self, task: Task, model: Model | None, train: Sequence[Example], max_new_tokens: int) -> Workload:
        """How much work this arm makes, counted on a sample of ``train`` without calling the model.

        This default reads the row, writes an answer, and for a tuned arm learns from both in one pass; without a model
        there is nothing to count.
        """
        if model is None:
            return Workload()
        rows = sample(train)
        prompt = mean_tokens(model, [row.query.messages for row in rows])
        completion = expected_completion(
            task, model, rows, constrained=False, shown=self.tuned, max_new_tokens=max_new_tokens
        )
        return Workload(
            prompt_tokens=prompt, completion_tokens=completion, train_tokens=prompt + completion if self.tuned else 0.0
        )

    def try_out(self, train: Sequence[Example], context: Context) -> Tried | None:
        """What training and answering take, found by doing a little of both and keeping nothing; ``None`` for an arm whose
        ``fit`` is so cheap that it is fitted and asked a few rows instead."""
        return None

    @abstractmethod
    def fit(self, train: Sequence[Example], dev: Sequence[Example], context: Context) -> Solver:
        """Use ``train`` (and ``dev`` to stop or choose) to make a solver.

        An interrupted ``fit`` that is called again with the same arguments and folder goes on from
        its last checkpoint and gives the same solver as an undisturbed one.
        """

"""Sending conversations to a model and turning what comes back into answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tuneworth.core.task import Message, Query, Task
from tuneworth.models.base import Completion, Model, Request
from tuneworth.strategies import Answer, Context
from tuneworth.strategies._parts.prompting import constraint_for, n_common


@dataclass(frozen=True)
class Asker:
    """Asks ``model`` about queries, in the way one solver always does.

    Attributes:
        constrained: hold answers to the task's labels, choices or JSON schema.
        adapter: name of the adapter to answer with.
    """

    model: Model
    task: Task
    max_new_tokens: int
    constrained: bool
    adapter: str | None = None

    def ask(self, queries: Sequence[Query], conversations: Sequence[tuple[Message, ...]], n_head: int) -> list[Answer]:
        """One answer per conversation, in order.

        Args:
            n_head: how many leading messages may be common to all (the rest is the row's own).
        """
        n_shared = n_common(conversations, n_head)
        requests = [
            Request(
                messages=conversation,
                constraint=constraint_for(self.task, query) if self.constrained else None,
                adapter=self.adapter,
                n_shared=n_shared,
            )
            for query, conversation in zip(queries, conversations, strict=True)
        ]
        return [answer_from(done) for done in self.model.generate(requests, max_new_tokens=self.max_new_tokens)]


def answer_from(completion: Completion) -> Answer:
    """An answer cut off at ``max_new_tokens`` is scored as it stands: the metric judges it."""
    usage, latency_ms = completion.usage, completion.latency_ms
    if completion.finish_reason == "over_context":
        error = completion.error or "the prompt is longer than the model's context"
        return Answer(None, usage, latency_ms, status="over_limit", error=error)
    if completion.finish_reason == "error":
        return Answer(None, usage, latency_ms, status="failed", error=completion.error or "the model gave no answer")
    return Answer(completion.text.strip(), usage, latency_ms)


def model_of(context: Context) -> Model:
    """The model of an arm that cannot be without one.

    Raises:
        ValueError: the caller gave none.
    """
    if context.model is None:
        raise ValueError("this strategy needs a model; Context.model is None")
    return context.model

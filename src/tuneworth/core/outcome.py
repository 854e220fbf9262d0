"""An outcome: one arm on one row."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Status = Literal["scored", "failed", "refused", "over_limit"]
Stage = Literal["dev", "test"]


class Usage(BaseModel):
    """Tokens of one request.

    Attributes:
        prompt_tokens: all that were read, those of a cache among them.
        cached_tokens: of the prompt, from a reused key/value cache.
        cache_write_tokens: of the prompt, written to a service's cache, where that has a price of its own.
        completion_tokens: all that were written, reasoning among them.
        reasoning_tokens: of the completion, thought and not shown.
    """

    model_config = ConfigDict(frozen=True)

    prompt_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0


class Outcome(BaseModel):
    """What happened when an arm met a row. Only ``scored`` outcomes have scores.

    Attributes:
        scores: metric id → score of this row in [0, 1]; empty unless ``status`` is ``scored``.
        latency_ms: this row's share of the time its batch took, in milliseconds.
        usd: what services charged for it; 0 for what runs on this machine, ``None`` when not known.
        error: why there is no score, for a person to read.
        may_pass: of a failure (network, rate limit, server) that may not happen again: a later start asks again.
        shared: what the model said was there, because another arm of the run had asked for it: usage, time and money are what it took
            then, and were not paid again.
        passages: ids of the passages that the arm was shown, in the order shown; empty for an arm without documents.
        probabilities: of an arm that says how sure it is: label → probability, summing to 1.
        citations: ids of the passages that the answer points to. An id that is not among ``passages`` was made up.
    """

    model_config = ConfigDict(frozen=True)

    arm_id: str
    row_id: str
    stage: Stage
    status: Status
    answer: str | None = None
    scores: dict[str, float] = Field(default_factory=dict)
    usage: Usage = Usage()
    latency_ms: float = 0.0
    usd: float | None = None
    error: str | None = None
    may_pass: bool = False
    shared: bool = False
    passages: tuple[str, ...] = ()
    citations: tuple[str, ...] = ()
    probabilities: dict[str, float] | None = None

"""From examples to batches: tokens, the prefix all rows share, a fixed order, little padding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tuneworth.models.base import TrainExample

if TYPE_CHECKING:
    from tuneworth.models.local.model import LocalModel

BUCKET_BATCHES = 32
"""Rows are sorted by length within so many batches at a time: little padding, still a random order."""


@dataclass(frozen=True, slots=True)
class Row:
    """Tokens of prompt and completion; ``ids[n_prompt:]`` is what is learned."""

    ids: tuple[int, ...]
    n_prompt: int

    @property
    def n_completion(self) -> int:
        return len(self.ids) - self.n_prompt


def encode(model: LocalModel, examples: Sequence[TrainExample], max_length: int) -> list[Row]:
    """Rows of at most ``max_length`` tokens; longer examples are left out.

    A completion is cut into tokens as generation would make it, after the prompt, and ends with the
    token that ends a turn.
    """
    rows: list[Row] = []
    for example in examples:
        prompt = model.encode_chat(example.messages, add_generation_prompt=True)
        row = Row((*prompt, *model.chat.encode_answer(example.completion)), len(prompt))
        if len(row.ids) <= max_length:
            rows.append(row)
    return rows


def spread(rows: list[Row], most: int) -> list[Row]:
    """At most so many of ``rows``, evenly spread over them."""
    n = min(most, len(rows))
    return [rows[i * len(rows) // n] for i in range(n)]


def shared_prefix(rows: Sequence[Row]) -> tuple[int, ...]:
    """Tokens that all prompts begin with. The last token of a prompt, which predicts, is never among them."""
    if not rows:
        return ()
    # What the smallest and the largest sequence share, all between them share too.
    low, high = min(row.ids for row in rows), max(row.ids for row in rows)
    limit = min(row.n_prompt for row in rows) - 1
    return low[: next((i for i in range(limit) if low[i] != high[i]), limit)]


def epoch_order(lengths: Sequence[int], batch_rows: int, seed: int, epoch: int) -> list[list[int]]:
    """Indices of the rows of each batch of an epoch; the same arguments give the same batches."""
    rng = np.random.default_rng([seed, epoch])
    order = rng.permutation(len(lengths))
    batches: list[list[int]] = []
    for start in range(0, len(order), BUCKET_BATCHES * batch_rows):
        bucket = sorted(order[start : start + BUCKET_BATCHES * batch_rows].tolist(), key=lambda i: lengths[i])
        batches += [bucket[at : at + batch_rows] for at in range(0, len(bucket), batch_rows)]
    return [batches[i] for i in rng.permutation(len(batches))]


def split_batch(rows: Sequence[Row], n_prefix: int, max_tokens: int, max_targets: int) -> Iterator[list[Row]]:
    """Parts of a batch that fit into memory: padded tokens and predicted tokens are both limited."""
    part: list[Row] = []
    for row in sorted(rows, key=lambda row: len(row.ids)):
        padded = (len(row.ids) - n_prefix) * (len(part) + 1)
        targets = sum(other.n_completion for other in part) + row.n_completion
        if part and (padded > max_tokens or targets > max_targets):
            yield part
            part = []
        part.append(row)
    if part:
        yield part

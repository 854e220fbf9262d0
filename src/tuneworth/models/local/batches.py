"""From examples to batches: tokens, what rows share, a fixed order, little padding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tuneworth.models.base import TrainExample

if TYPE_CHECKING:
    from tuneworth.models.local.model import LocalModel

BUCKET_BATCHES = 32
"""Rows are sorted by length within so many batches at a time: little padding, still a random order."""
MIN_SHARED = 32
"""Tokens that rows must share, beyond what all rows do, to be computed together; fewer are not worth a mask."""


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


@dataclass(frozen=True, slots=True)
class Pack:
    """Rows that begin alike, laid out as one sequence: what they share once, then the rest of each.

    Attributes:
        n_shared: tokens from the start of a row that all its rows share; for a row alone, those that all rows share.
    """

    rows: tuple[Row, ...]
    n_shared: int

    def n_tokens(self, n_prefix: int) -> int:
        """Tokens of the sequence behind the first ``n_prefix``, which are computed once for all packs."""
        return self.n_shared - n_prefix + sum(len(row.ids) - self.n_shared for row in self.rows)

    @property
    def n_completion(self) -> int:
        return sum(row.n_completion for row in self.rows)


def kin(rows: Sequence[Row], n_prefix: int) -> list[tuple[list[int], int]]:
    """Indices of the rows that share much more than ``n_prefix`` tokens, and how many those share; every row is in one group.

    Questions about the same passage are such rows. A row joins only where that leaves the others half of what they share.
    """
    groups: list[tuple[list[int], int]] = []
    for index in sorted(range(len(rows)), key=lambda index: rows[index].ids):
        if groups:
            members, n_shared = groups[-1]
            common = min(n_shared, _n_common(rows[members[-1]], rows[index]))
            kept = 2 * (common - n_prefix) >= n_shared - n_prefix or len(members) == 1
            if common >= n_prefix + MIN_SHARED and kept:
                groups[-1] = [*members, index], common
                continue
        groups.append(([index], len(rows[index].ids)))
    return [(members, n_shared if len(members) > 1 else n_prefix) for members, n_shared in groups]


def _n_common(a: Row, b: Row) -> int:
    """Tokens that two prompts begin with; their last ones, which predict, are never among them."""
    limit = min(a.n_prompt, b.n_prompt) - 1
    return next((at for at in range(limit) if a.ids[at] != b.ids[at]), limit)


def packs_of(rows: Sequence[Row], n_prefix: int, max_tokens: int) -> list[Pack]:
    """``rows`` with those that begin alike packed together, each pack of at most ``max_tokens`` where it can be."""
    made: list[Pack] = []
    for members, n_shared in kin(rows, n_prefix):
        pack: Pack | None = None
        for index in members:
            more = Pack((*(pack.rows if pack is not None else ()), rows[index]), n_shared)
            if pack is not None and more.n_tokens(n_prefix) > max_tokens:
                made.append(pack)
                more = Pack((rows[index],), n_shared)
            pack = more
        made += [pack] if pack is not None else []
    return made


def epoch_order(
    lengths: Sequence[int], batch_rows: int, seed: int, epoch: int, relatives: Sequence[Sequence[int]] = ()
) -> list[list[int]]:
    """Indices of the rows of each batch of an epoch; the same arguments give the same batches.

    Args:
        relatives: groups of rows to be kept together, up to half a batch of each: a step is to see several.
    """
    rng = np.random.default_rng([seed, epoch])
    group_of = {index: number for number, group in enumerate(relatives) if len(group) > 1 for index in group}
    bunches = _bunches(rng.permutation(len(lengths)).tolist(), group_of, max(batch_rows // 2, 1))
    batches: list[list[int]] = []
    for bucket in _buckets(bunches, BUCKET_BATCHES * batch_rows):
        bucket.sort(key=lambda bunch: max(lengths[i] for i in bunch))
        while bucket:
            batches.append(_next_batch(bucket, group_of, batch_rows))
    return [batches[i] for i in rng.permutation(len(batches))]


def _next_batch(bucket: list[list[int]], group_of: Mapping[int, int], n_rows: int) -> list[int]:
    """The first rows of ``bucket``, which are taken out; bunches of a group that is in the batch already wait, if others are left.

    Relatives are of like length, so bunches of one group stand side by side.
    """
    batch: list[int] = []
    seen: set[int | None] = set()
    while bucket and len(batch) < n_rows:
        at = next((at for at, bunch in enumerate(bucket) if group_of.get(bunch[0]) not in seen), 0)
        bunch, room = bucket[at], n_rows - len(batch)
        batch += bunch[:room]
        seen |= {group_of[bunch[0]]} if bunch[0] in group_of else set()
        bucket[at : at + 1] = [bunch[room:]] if len(bunch) > room else []
    return batch


def _bunches(order: Sequence[int], group_of: Mapping[int, int], most: int) -> list[list[int]]:
    """``order`` with relatives moved forward to the first of them, ``most`` together."""
    bunches: list[list[int]] = []
    open_bunch: dict[int, list[int]] = {}
    for index in order:
        group = group_of.get(index)
        bunch = open_bunch.get(group) if group is not None else None
        if bunch is not None and len(bunch) < most:
            bunch.append(index)
            continue
        bunches.append([index])
        if group is not None:
            open_bunch[group] = bunches[-1]
    return bunches


def _buckets(bunches: Sequence[list[int]], n_rows: int) -> Iterator[list[list[int]]]:
    """Consecutive bunches of ``n_rows`` rows in all; the bunch across a border is cut in two."""
    bucket: list[list[int]] = []
    room = n_rows
    for bunch in bunches:
        head, tail = bunch[:room], bunch[room:]
        bucket.append(head)
        room -= len(head)
        if room == 0:
            yield bucket
            bucket, room = ([tail] if tail else []), n_rows - len(tail)
    if bucket:
        yield bucket


def split_batch(packs: Sequence[Pack], n_prefix: int, max_tokens: int, max_targets: int) -> Iterator[list[Pack]]:
    """Parts of a batch that fit into memory: padded tokens and predicted tokens are both limited."""
    part: list[Pack] = []
    for pack in sorted(packs, key=lambda pack: pack.n_tokens(n_prefix)):
        padded = pack.n_tokens(n_prefix) * (len(part) + 1)
        targets = sum(other.n_completion for other in part) + pack.n_completion
        if part and (padded > max_tokens or targets > max_targets):
            yield part
            part = []
        part.append(pack)
    if part:
        yield part

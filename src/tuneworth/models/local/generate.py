"""The generation loop: packed prefill, then decoding that costs what the living rows cost.

Requests are grouped by adapter and shared prefix. In a group the rows are admitted to the key/value
cache in batches of similar length, all living rows take a step together, and a row that ends makes
room for a waiting one. Which rows meet depends on the set of requests and not on their order.

A model whose attention the engine cannot take over is run by ``transformers.generate`` instead (``run_rows_plain``): slower,
with padded batches in which finished rows stay, and otherwise the same.

Greedy. Logits are computed at each row's last token only. A final soft cap or scale on the logits, as
some families have it, is left out: it is monotone and cannot change the largest one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import torch
from torch import Tensor

from tuneworth.core.outcome import Usage
from tuneworth.models.base import Completion, FinishReason
from tuneworth.models.local.attention import Block, Prefix, RowCache, attention_taken
from tuneworth.models.local.constrain import GuideError

PREFILL_TOKENS = 2048
"""Tokens in one forward pass. More does not make a matrix product faster, it only takes memory."""
MAX_ROWS = 256
"""Rows decoded together. Beyond this a step's time grows in proportion to the rows."""


class Guide(Protocol):
    """Keeps a completion inside its constraint."""

    def start(self) -> list[int]: ...

    def choose(self, logits: Tensor) -> int: ...

    def advance(self, token: int) -> list[int]: ...

    def text(self) -> str | None: ...


@dataclass
class Row:
    """One request on its way.

    Attributes:
        ids: tokens of the prompt; the first ``n_prefix`` are in the shared prefix.
        limit: most tokens to generate.
        tokens: what was generated so far.
        n_fed: tokens after the prefix that the model has read; equals the row's filled slots.
    """

    index: int
    ids: list[int]
    n_prefix: int
    limit: int
    guide: Guide | None = None
    tokens: list[int] = field(default_factory=list)
    n_fed: int = 0
    latency_ms: float = 0.0
    finish: FinishReason | None = None
    error: str | None = None

    @property
    def n_read(self) -> int:
        return len(self.ids) - self.n_prefix + len(self.tokens)

    def unread(self) -> list[int]:
        """Tokens that the model has not read yet."""
        n_prompt = len(self.ids) - self.n_prefix
        if self.n_fed < n_prompt:
            return self.ids[self.n_prefix + self.n_fed :] + self.tokens
        return self.tokens[self.n_fed - n_prompt :]

    def take(self, tokens: Sequence[int], stop_ids: frozenset[int]) -> None:
        """Append generated ``tokens``; sets ``finish`` at the first one that ends the row, and drops the rest."""
        for token in tokens if self.finish is None else ():
            self.tokens.append(token)
            if token in stop_ids:
                self.finish = "stop"
            elif len(self.tokens) >= self.limit:
                self.finish = "length"
            if self.finish:
                return


def run_rows(
    rows: Sequence[Row], prefix: Prefix | None, *, module: Any, stop_ids: frozenset[int], kv_bytes: int
) -> None:
    """Generate for rows that share a prefix and an adapter; fills each row in place.

    Args:
        kv_bytes: memory for the rows' keys and values.
    """
    waiting = sorted_rows(rows, stop_ids)
    if not waiting:
        return
    n_slots = max(len(row.ids) - row.n_prefix + row.limit for row in waiting)
    capacity = n_fitting(module, n_slots, len(waiting), kv_bytes)
    with inference(module):
        loop = _Loop(module, RowCache(capacity, n_slots), prefix, stop_ids)
        while waiting or loop.living:
            free = capacity - len(loop.living)
            if waiting and free >= min(len(waiting), max(1, capacity // 4)):
                loop.admit(_next_batch(waiting, free))
            else:
                loop.step(0)


def sorted_rows(rows: Sequence[Row], stop_ids: frozenset[int]) -> list[Row]:
    """The rows that the model is needed for, shortest first, with the tokens their guides force at the start.

    Ties in length are broken by content, so that the order of the requests cannot matter.
    """
    for row in rows:
        if row.guide is not None:
            _guided(row, row.guide.start, stop_ids)
    return sorted((row for row in rows if not row.finish), key=lambda row: (row.n_read, row.ids))


def pick(row: Row, logits: Tensor, best: int, stop_ids: frozenset[int]) -> None:
    """Append the row's next token, and those its guide forces after it.

    Args:
        logits: shape ``(vocabulary,)``; ``best`` is its largest entry.
    """
    if row.guide is None:
        row.take([best], stop_ids)
        return
    token = row.guide.choose(logits)
    row.take([token], stop_ids)
    _guided(row, partial(row.guide.advance, token), stop_ids)


def _guided(row: Row, forced: Callable[[], list[int]], stop_ids: frozenset[int]) -> None:
    try:
        row.take(forced(), stop_ids)
    except GuideError as error:
        row.finish, row.error = "error", str(error)


def compute_prefix(module: Any, ids: Sequence[int]) -> Prefix:
    """Keys and values of ``ids``."""
    with inference(module):
        cache = RowCache(1, len(ids))
        row = Row(0, list(ids), 0, 0)
        while row.n_fed < len(ids):
            read(module, cache, [row], 0, None)
        return cache.as_prefix()


def last_hidden(module: Any, rows: list[Row], prefix: Prefix | None) -> Tensor:
    """Hidden states of the rows' last tokens, ``(rows, hidden)``, as generation computes them."""
    with inference(module):
        cache = RowCache(len(rows), max(row.n_read for row in rows))
        return read(module, cache, rows, 0, prefix)


def completion(row: Row, text: str, n_cached: int) -> Completion:
    usage = Usage(prompt_tokens=len(row.ids), cached_tokens=n_cached, completion_tokens=len(row.tokens))
    return Completion(text, usage, row.latency_ms, row.finish or "error", row.error)


class _Loop:
    """The living rows; row ``i`` of ``living`` is line ``i`` of the cache."""

    def __init__(self, module: Any, cache: RowCache, prefix: Prefix | None, stop_ids: frozenset[int]):
        self.module = module
        self.cache = cache
        self.prefix = prefix
        self.stop_ids = stop_ids
        self.living: list[Row] = []

    def admit(self, batch: list[Row]) -> None:
        """Read the prompts of ``batch`` and make its first tokens."""
        first = len(self.living)
        self.living.extend(batch)
        self.step(first)

    def step(self, first: int) -> None:
        """One forward pass of the living rows from line ``first`` on, and what follows from it."""
        rows = self.living[first:]
        begun = time.perf_counter()
        hidden = read(self.module, self.cache, rows, first, self.prefix)
        while any(row.n_fed < row.n_read for row in rows):  # only a single long row is read in parts
            hidden = read(self.module, self.cache, rows, first, self.prefix)
        logits = self.module.get_output_embeddings()(hidden)
        best = logits.argmax(-1).tolist()
        for row, row_logits, token in zip(rows, logits, best):
            pick(row, row_logits, token, self.stop_ids)
        share = (time.perf_counter() - begun) * 1000 / len(rows)
        for row in rows:
            row.latency_ms += share
        self._compact()

    def _compact(self) -> None:
        """Drop finished rows: each hole is filled with the last living row, so little is copied."""
        line = 0
        while line < len(self.living):
            if not self.living[line].finish:
                line += 1
                continue
            last = self.living.pop()
            if line < len(self.living):
                self.living[line] = last
                if not last.finish:
                    self.cache.move_row(len(self.living), line, last.n_fed)


def read(module: Any, cache: RowCache, rows: list[Row], first: int, prefix: Prefix | None) -> Tensor:
    """Let the model read what ``rows`` have unread (a part of it, if that is long).

    Returns:
        The hidden state of each row's last read token, ``(rows, hidden)``.
    """
    unread = [row.unread()[: PREFILL_TOKENS if len(rows) == 1 else None] for row in rows]
    device = module.device
    block = Block(
        first,
        [row.n_fed for row in rows],
        [len(tokens) for tokens in unread],
        device,
        prefix,
        rows[0].n_prefix,
    )
    cache.begin(block)
    hidden = module.get_decoder()(
        input_ids=torch.tensor([[token for tokens in unread for token in tokens]], device=device),
        position_ids=block.positions[None],
        past_key_values=cache,
        use_cache=True,
        block=block,
    ).last_hidden_state
    for row, tokens in zip(rows, unread):
        row.n_fed += len(tokens)
    return hidden[0, block.last]


def _next_batch(waiting: list[Row], free: int) -> list[Row]:
    """Take the longest waiting rows, up to ``free`` rows and ``PREFILL_TOKENS`` tokens.

    Attention alone pads its rows; rows much shorter than the longest one wait for the next batch.
    """
    batch = [waiting.pop()]
    n_tokens, longest = batch[0].n_read, batch[0].n_read
    while waiting and len(batch) < free and n_tokens + waiting[-1].n_read <= PREFILL_TOKENS:
        if (len(batch) + 1) * longest > 2 * PREFILL_TOKENS:
            break
        batch.append(waiting.pop())
        n_tokens += batch[-1].n_read
    return batch


def n_fitting(module: Any, n_slots: int, n_rows: int, kv_bytes: int) -> int:
    return max(1, min(n_rows, MAX_ROWS, kv_bytes // (n_slots * kv_bytes_per_token(module))))


def kv_bytes_per_token(module: Any) -> int:
    """Bytes of keys and values that one token takes in all layers."""
    config = module.get_decoder().config
    dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    kv_heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    return 2 * config.num_hidden_layers * kv_heads * dim * module.dtype.itemsize


@contextmanager
def inference(module: Any) -> Iterator[None]:
    """No gradients, no dropout, packed attention; the module is left as it was found."""
    was_training = module.training
    module.eval()
    try:
        # Not inference_mode: a module may keep tensors made here, and it may be trained later.
        with torch.no_grad(), attention_taken(module):
            yield
    finally:
        module.train(was_training)


TOKENS_PER_BATCH = 16_384
MAX_ROWS = 32


def run_rows_plain(rows: Sequence[Row], *, module: Any, stop_ids: frozenset[int]) -> None:
    """Generate for rows of one adapter; fills each row in place."""
    waiting = sorted_rows(rows, stop_ids)
    while waiting:
        longest = waiting[-1].n_read + waiting[-1].limit
        n_rows = max(1, min(MAX_ROWS, TOKENS_PER_BATCH // longest))
        batch, waiting = waiting[-n_rows:], waiting[:-n_rows]
        begun = time.perf_counter()
        _run_batch(batch, module, stop_ids)
        for row in batch:
            row.latency_ms += (time.perf_counter() - begun) * 1000 / len(batch)


def _run_batch(batch: list[Row], module: Any, stop_ids: frozenset[int]) -> None:
    from transformers import LogitsProcessorList

    pad = min(stop_ids)
    width = max(row.n_read for row in batch)
    ids = torch.tensor([[pad] * (width - row.n_read) + row.unread() for row in batch], device=module.device)
    mask = torch.tensor([[0] * (width - row.n_read) + [1] * row.n_read for row in batch], device=module.device)
    with torch.no_grad():
        module.generate(
            input_ids=ids,
            attention_mask=mask,
            max_new_tokens=max(row.limit for row in batch),
            do_sample=False,
            repetition_penalty=1.0,
            pad_token_id=pad,
            eos_token_id=sorted(stop_ids),
            logits_processor=LogitsProcessorList([_Guided(batch, stop_ids)]),
        )


class _Guided:
    """Decides each row's next token and leaves ``generate`` no other choice."""

    def __init__(self, rows: list[Row], stop_ids: frozenset[int]):
        self.rows = rows
        self.stop_ids = stop_ids
        self.n_given = [len(row.tokens) for row in rows]

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        best = scores.argmax(-1).tolist()
        only = torch.full_like(scores, -torch.inf)
        for line, row in enumerate(self.rows):
            if not row.finish and self.n_given[line] == len(row.tokens):
                pick(row, scores[line], best[line], self.stop_ids)
            given = self.n_given[line]
            only[line, row.tokens[given] if given < len(row.tokens) else min(self.stop_ids)] = 0
            self.n_given[line] += 1
        return only

"""Generation by ``transformers.generate``, for models whose attention the engine cannot take over.

Slower (no shared prefix, padded batches, finished rows stay) and otherwise the same: greedy, constrained
by the same guides.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from tuneworth.models.local.generate import Row, pick, sorted_rows

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

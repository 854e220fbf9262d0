"""Attention for many short rows that share a long prefix.

The tokens of all rows travel through the model as one packed sequence without padding. At each
attention layer they look at two places: the keys of the shared prefix, stored once and read by one large
matrix product, and the keys of their own row. The two partial results are merged by their
log-sum-exp, which gives the softmax over both exactly (Hydragen, Juravsky et al. 2024,
arXiv:2402.05099; the merge is that of FlashAttention-2, arXiv:2307.08691).

Registered with transformers under ``NAME``; ``attention_taken`` switches a model to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from tuneworth.models.local.kv import Block

NAME = "tuneworth_packed"
_MAX_SCORES = 1 << 24
"""Attention scores held at once by the portable kernel (64 MB in float32)."""


def packed_attention(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float,
    *,
    block: Block,
    sliding_window: int | None = None,
    softcap: float | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """Attention of packed queries, in the shape that transformers calls it with.

    Args:
        query: ``(1, heads, tokens, dim)``, the rows one after another.
        key, value: ``(rows, kv_heads, slots, dim)``, as ``RowCache.update`` returns them.

    Returns:
        ``(1, tokens, heads, dim)`` and no weights.
    """
    heads, tokens, dim = query.shape[1:]
    kv_heads = key.shape[1]
    own, own_lse = _own_rows(query, key, value, block, scaling, sliding_window, softcap)
    if block.prefix is None:
        return own.unsqueeze(0), None
    prefix_key, prefix_value = block.prefix.layer(module.layer_idx, block.prefix_length)
    grouped = query.reshape(1, kv_heads, -1, dim)  # heads of one key head side by side
    bias = block.prefix_bias(sliding_window, query.dtype)
    if bias is not None:
        bias = bias.repeat(heads // kv_heads, 1)[None, None]
    out, lse = _attend(grouped, prefix_key, prefix_value, bias, scaling, softcap)
    out = out.reshape(heads, tokens, dim).transpose(0, 1)
    weight = torch.sigmoid(lse.reshape(heads, tokens).t() - own_lse).unsqueeze(-1)
    return torch.lerp(own, out, weight.to(own.dtype)).unsqueeze(0), None


def _own_rows(
    query: Tensor, key: Tensor, value: Tensor, block: Block, scaling: float, window: int | None, softcap: float | None
) -> tuple[Tensor, Tensor]:
    """Attention of each token to its own row: ``(tokens, heads, dim)`` and log-sum-exp ``(tokens, heads)``."""
    heads, dim = query.shape[1], query.shape[3]
    n_rows, kv_heads = key.shape[:2]
    repeats = heads // kv_heads
    padded = block.pad(query[0].transpose(0, 1))  # (rows, width, heads, dim)
    width = padded.shape[1]
    bias = block.own_bias(window, query.dtype)
    if width == 1:
        # One query a row: the heads of one key head take the place of the queries, and no key is copied.
        out, lse = _attend(padded.reshape(n_rows, kv_heads, repeats, dim), key, value, bias, scaling, softcap)
    else:
        key, value = (part.repeat_interleave(repeats, dim=1) if repeats > 1 else part for part in (key, value))
        out, lse = _attend(padded.transpose(1, 2), key, value, bias, scaling, softcap)
    out = out.reshape(n_rows, heads, width, dim).transpose(1, 2)
    lse = lse.reshape(n_rows, heads, width).transpose(1, 2)
    return block.unpad(out), block.unpad(lse)


def _attend(
    query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, scaling: float, softcap: float | None
) -> tuple[Tensor, Tensor]:
    """Softmax attention and its log-sum-exp: ``(…, queries, dim)`` and ``(…, queries)``."""
    if query.device.type == "cpu" and softcap is None:
        return torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
            query, key, value, 0.0, False, attn_mask=bias, scale=scaling
        )
    batch, heads, n_queries, _ = query.shape
    step = max(1, _MAX_SCORES // (batch * heads * key.shape[2]))
    outs: list[Tensor] = []
    sums: list[Tensor] = []
    for start in range(0, n_queries, step):
        scores = (query[:, :, start : start + step] @ key.transpose(-1, -2)).float() * scaling
        if softcap is not None:
            scores = torch.tanh(scores / softcap) * softcap
        if bias is not None:
            scores = scores + (bias if bias.shape[2] == 1 else bias[:, :, start : start + step])
        sums.append(scores.logsumexp(-1))
        outs.append(scores.softmax(-1).to(value.dtype) @ value)
    return torch.cat(outs, dim=2), torch.cat(sums, dim=2)


@contextmanager
def attention_taken(module: Any) -> Iterator[None]:
    """While open, ``module`` attends by ``packed_attention``; afterwards as before."""
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, packed_attention)
    config = module.get_decoder().config
    before = config._attn_implementation
    config._attn_implementation = NAME
    try:
        yield
    finally:
        config._attn_implementation = before

"""Attention for many short rows that share a long prefix.

The tokens of all rows travel through the model as one packed sequence without padding. At each
attention layer they look at two places: the keys of the shared prefix, stored once and read by one large
matrix product, and the keys of their own row. The two partial results are merged by their
log-sum-exp, which gives the softmax over both exactly (Hydragen, Juravsky et al. 2024,
arXiv:2402.05099; the merge is that of FlashAttention-2, arXiv:2307.08691).

Keys and values are kept here as well: of a prefix that many rows share (``Prefix``), and of the rows (``RowCache``).

Registered with transformers under ``NAME``; ``attention_taken`` switches a model to it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import Cache


@dataclass(frozen=True)
class Prefix:
    """Keys and values of a prefix, per layer ``(1, kv_heads, length, dim)``. Read by all rows, never copied."""

    keys: list[Tensor]
    values: list[Tensor]

    def layer(self, index: int, length: int) -> tuple[Tensor, Tensor]:
        """The first ``length`` tokens: a prefix of a prefix is a view, because attention is causal."""
        return self.keys[index][:, :, :length], self.values[index][:, :, :length]

    @property
    def n_bytes(self) -> int:
        return sum(part.nbytes for part in (*self.keys, *self.values))


class PrefixStore:
    """The prefixes used last, up to ``max_bytes`` together; the newest one is kept whatever its size."""

    def __init__(self, max_bytes: int):
        self.max_bytes = max_bytes
        self._stored: OrderedDict[Any, Prefix] = OrderedDict()

    def get(self, key: Any, compute: Callable[[], Prefix]) -> Prefix:
        if key not in self._stored:
            self._stored[key] = compute()
        self._stored.move_to_end(key)
        while len(self._stored) > 1 and sum(one.n_bytes for one in self._stored.values()) > self.max_bytes:
            self._stored.popitem(last=False)
        return self._stored[key]

    def forget(self, matches: Callable[[Any], bool]) -> None:
        """Drop the prefixes whose key ``matches``."""
        self._stored = OrderedDict((key, one) for key, one in self._stored.items() if not matches(key))


@dataclass
class Block:
    """The tokens of one forward pass: rows ``first … first + len(counts)`` of the cache, packed.

    Attributes:
        starts: slots that each row has filled before.
        counts: tokens of each row in this pass, at least one.
        prefix_length: how many tokens of ``prefix`` come before slot 0.
    """

    first: int
    starts: Sequence[int]
    counts: Sequence[int]
    device: torch.device
    prefix: Prefix | None = None
    prefix_length: int = 0
    _biases: dict[Any, Tensor | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.width = max(self.counts)
        self.n_slots = max(start + count for start, count in zip(self.starts, self.counts))
        counts = torch.tensor(self.counts, device=self.device)
        rows = torch.repeat_interleave(torch.arange(len(self.counts), device=self.device), counts)
        ends = counts.cumsum(0)
        within = torch.arange(len(rows), device=self.device) - (ends - counts)[rows]
        self.rows = rows + self.first
        self.slots = torch.tensor(self.starts, device=self.device)[rows] + within
        self.last = ends - 1
        self._padded = rows * self.width + within
        self._even = min(self.counts) == self.width

    @property
    def positions(self) -> Tensor:
        return self.slots + self.prefix_length

    def pad(self, packed: Tensor) -> Tensor:
        """``(tokens, …)`` → ``(rows, width, …)``, zeros behind the shorter rows."""
        shape = (len(self.counts), self.width, *packed.shape[1:])
        if self._even:
            return packed.reshape(shape)
        padded = packed.new_zeros((shape[0] * shape[1], *shape[2:]))
        padded[self._padded] = packed
        return padded.view(shape)

    def unpad(self, padded: Tensor) -> Tensor:
        """The inverse of ``pad``."""
        flat = padded.reshape(-1, *padded.shape[2:])
        return flat if self._even else flat[self._padded]

    def own_bias(self, window: int | None, dtype: torch.dtype) -> Tensor | None:
        """``(rows, 1, width, slots)``: 0 where a token may look, very negative elsewhere."""
        key = ("own", window)
        if key not in self._biases:
            queries = torch.tensor(self.starts, device=self.device)[:, None] + torch.arange(
                self.width, device=self.device
            )
            hidden = _hidden(queries[:, None, :, None], torch.arange(self.n_slots, device=self.device), window)
            self._biases[key] = _bias(hidden, dtype)
        return self._biases[key]

    def prefix_bias(self, window: int | None, dtype: torch.dtype) -> Tensor | None:
        """``(tokens, prefix_length)``, or ``None`` where every token sees the whole prefix."""
        if window is None:
            return None
        key = ("prefix", window)
        if key not in self._biases:
            hidden = _hidden(self.positions[:, None], torch.arange(self.prefix_length, device=self.device), window)
            self._biases[key] = _bias(hidden, dtype)
        return self._biases[key]


def _hidden(queries: Tensor, keys: Tensor, window: int | None) -> Tensor:
    hidden = keys > queries
    return hidden if window is None else hidden | (queries - keys >= window)


def _bias(hidden: Tensor, dtype: torch.dtype) -> Tensor | None:
    if not bool(hidden.any()):
        return None
    # Finite, so that a row whose whole prefix is out of the window gets weight zero and not NaN.
    return torch.zeros(hidden.shape, dtype=dtype, device=hidden.device).masked_fill_(hidden, torch.finfo(dtype).min / 2)


class RowCache(Cache):
    """Keys and values of the rows: one line of slots a row, filled from the left.

    Memory is reserved for ``n_rows × n_slots`` but, on a CPU, only used as far as it was written.
    Call ``begin`` before a forward pass.
    """

    def __init__(self, n_rows: int, n_slots: int):
        super().__init__(layers=[])
        self.n_rows = n_rows
        self.n_slots = n_slots
        self.block: Block | None = None
        self.keys: list[Tensor] = []
        self.values: list[Tensor] = []
        self._clean = slice(0, 0)

    def begin(self, block: Block) -> None:
        """The next forward pass is that of ``block``."""
        self.block = block
        # Slots behind the end of a short row have weight zero, but zero times an uninitialised NaN is NaN.
        end = max(self._clean.stop, min(-(-block.n_slots // 16) * 16, self.n_slots))
        self._clean = slice(self._clean.stop, end)

    def update(
        self, key_states: Tensor, value_states: Tensor, layer_idx: int, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Store packed ``(1, kv_heads, tokens, dim)`` and return the block's rows ``(rows, kv_heads, slots, dim)``."""
        assert self.block is not None
        block = self.block
        for store, states in ((self.keys, key_states), (self.values, value_states)):
            if len(store) == layer_idx:
                store.append(states.new_empty(self.n_rows, states.shape[1], self.n_slots, states.shape[3]))
            store[layer_idx][:, :, self._clean] = 0
            store[layer_idx][block.rows, :, block.slots] = states[0].transpose(0, 1)
        rows = slice(block.first, block.first + len(block.counts))
        key, value = (store[layer_idx][rows, :, : block.n_slots] for store in (self.keys, self.values))
        return key, value

    def get_seq_length(self, layer_idx: int = 0) -> int:
        return 0 if self.block is None else self.block.n_slots

    def move_row(self, source: int, target: int, n_slots: int) -> None:
        """Copy the first ``n_slots`` slots of one row over another."""
        for part in (*self.keys, *self.values):
            part[target, :, :n_slots] = part[source, :, :n_slots]

    def as_prefix(self) -> Prefix:
        """Row 0 as a prefix."""
        assert self.block is not None
        n_slots = self.block.n_slots
        return Prefix(*([part[:1, :, :n_slots].clone() for part in store] for store in (self.keys, self.values)))


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

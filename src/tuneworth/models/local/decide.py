"""How likely each label is as the whole answer, by one reading of the label trie.

The probability of a label is the product of the probabilities of its tokens and of the end of the turn after them, each by
softmax over the whole vocabulary, and then divided by the sum over the labels. The end of the turn is what makes
``card`` and ``card payment`` comparable. Nothing corrects for length: of two labels the one of more tokens has more to lose.

A row's prompt is read behind the shared prefix, all but its last token. Then that token and the inner nodes of the trie are
read together: each sees the prompt and the nodes on its own way from the root ("tree attention", SpecInfer, Miao et al. 2024,
arXiv:2305.09781), so what labels begin with alike is computed once. A trie of many tokens is read in parts.

The logits are those of the model's own ``forward``, with a soft cap or a scale where its family has one. NOT guaranteed: more digits
than they have. In bfloat16 the logarithm of a probability is off by about 0.2; that comes from the layers, and the head in float32
does not mend it (docs/benchmarks.md). Where it matters, open the model in float32.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tuneworth.models.local.attention import Block, Prefix, RowCache
from tuneworth.models.local.generate import PREFILL_TOKENS, Row, inference, n_fitting, read

LOGITS = 1 << 26
"""Logits of one forward pass: 128 MB in bfloat16."""
LOGITS_AT_ONCE = 1 << 23
"""Logits that are turned into probabilities together, in float32."""


@dataclass(frozen=True)
class Part:
    """Some of the labels, as a trie whose node 0 is the last token of the prompt.

    Attributes:
        labels: numbers of the labels, in the order of ``paths``.
        tokens: of nodes 1, 2, …, parents first; the ends of turns are not among them, for nothing follows them.
        parents: of nodes 1, 2, …
        edges: ``(node, token)``: every token whose probability is asked for.
        paths: shape ``(n_labels, n_edges)``: 1 where an edge is on the way to a label.
    """

    labels: tuple[int, ...]
    tokens: tuple[int, ...]
    parents: tuple[int, ...]
    edges: tuple[tuple[int, int], ...]
    paths: NDArray[np.float64]

    @property
    def n_read(self) -> int:
        return 1 + len(self.tokens)

    def lineage(self) -> Tensor:
        """Shape ``(n_read, n_read)``: whether a node is on the way to another, or is it."""
        seen = torch.eye(self.n_read, dtype=torch.bool)
        for node, parent in enumerate(self.parents, 1):
            seen[node] |= seen[parent]
        return seen


@dataclass(frozen=True)
class LabelTrie:
    """Labels, told apart by their tokens.

    Attributes:
        parts: each label is in one part, but one that another label has all tokens of: it cannot be told from the first.
    """

    n_labels: int
    parts: tuple[Part, ...]

    @property
    def n_read(self) -> int:
        """Tokens that the model reads for it, beyond the prompt."""
        return sum(len(part.tokens) for part in self.parts)


def label_trie(paths: Sequence[Sequence[int]], most_nodes: int) -> LabelTrie:
    """The trie of the labels whose tokens, end of turn included, are ``paths``, in parts of at most ``most_nodes`` nodes
    where no single label is longer."""
    order = sorted(range(len(paths)), key=lambda label: tuple(paths[label]))  # labels that begin alike, side by side
    parts: list[Part] = []
    chosen: list[int] = []
    n_nodes = 0
    for place, label in enumerate(order):
        before = tuple(paths[order[place - 1]]) if place else ()
        path = tuple(paths[label])
        if path == before:
            continue
        common = next(
            (at for at, pair in enumerate(zip(path, before)) if pair[0] != pair[1]), min(len(path), len(before))
        )
        n_new = len(path) - 1 - (common if chosen else 0)
        if chosen and n_nodes + n_new > most_nodes:
            parts.append(_part(chosen, paths))
            chosen, n_nodes, n_new = [], 0, len(path) - 1
        chosen.append(label)
        n_nodes += n_new
    return LabelTrie(len(paths), (*parts, _part(chosen, paths)))


def _part(labels: Sequence[int], paths: Sequence[Sequence[int]]) -> Part:
    nodes: dict[tuple[int, ...], int] = {(): 0}
    edges: dict[tuple[int, int], int] = {}
    parents: list[int] = []
    on_way: list[list[int]] = []
    for label in labels:
        path, way = tuple(paths[label]), list[int]()
        for at, token in enumerate(path):
            node = nodes[path[:at]]
            way.append(edges.setdefault((node, token), len(edges)))
            if at + 1 < len(path) and path[: at + 1] not in nodes:
                nodes[path[: at + 1]] = len(nodes)
                parents.append(node)
        on_way.append(way)
    marks = np.zeros((len(labels), len(edges)))
    for row, way in zip(marks, on_way):
        row[way] = 1.0
    return Part(tuple(labels), tuple(path[-1] for path in nodes if path), tuple(parents), tuple(edges), marks)


@dataclass
class DecidedRow:
    """One decision on its way.

    Attributes:
        scores: sum of the log-probabilities of each label's tokens, shape ``(n_labels,)``; −∞ for a label that cannot be told
            from an earlier one.
    """

    index: int
    ids: list[int]
    n_prefix: int
    trie: LabelTrie
    scores: NDArray[np.float64] = field(init=False)
    latency_ms: float = 0.0

    def __post_init__(self) -> None:
        self.scores = np.full(self.trie.n_labels, -np.inf)

    @property
    def n_own(self) -> int:
        """Tokens of the prompt behind the prefix, without the last one, which is read with the trie."""
        return len(self.ids) - self.n_prefix - 1

    def log_probabilities(self) -> NDArray[np.float64]:
        """Normalised over the labels."""
        return self.scores - np.logaddexp.reduce(self.scores)


def most_nodes(module: Any) -> int:
    """Nodes of a trie that are read at once."""
    return max(1, min(PREFILL_TOKENS, LOGITS // module.get_output_embeddings().weight.shape[0]) - 1)


def decide_rows(rows: Sequence[DecidedRow], prefix: Prefix | None, *, module: Any, kv_bytes: int) -> None:
    """Score the labels of rows that share a prefix and an adapter; fills each row in place.

    Args:
        kv_bytes: memory for the rows' keys and values.
    """
    # Ties in length are broken by content, so that the order of the requests cannot matter.
    waiting = sorted(rows, key=lambda row: (row.n_own, row.ids))
    n_slots = max(row.n_own + max(part.n_read for part in row.trie.parts) for row in waiting)
    most = n_fitting(module, n_slots, len(waiting), kv_bytes)
    with inference(module):
        while waiting:
            n_rows = next(
                (n for n in range(1, min(most, len(waiting))) if (n + 1) * (waiting[n].n_own + 1) > PREFILL_TOKENS),
                min(most, len(waiting)),
            )
            batch, waiting = waiting[:n_rows], waiting[n_rows:]
            cache = RowCache(n_rows, n_slots)
            _read_prompts(module, cache, batch, prefix)
            for number in range(max(len(row.trie.parts) for row in batch)):
                for first, some in _together(batch, number, most_nodes(module) + 1):
                    _read_part(module, cache, some, first, number, prefix)


def _read_prompts(module: Any, cache: RowCache, batch: Sequence[DecidedRow], prefix: Prefix | None) -> None:
    """Fill the cache with the rows' prompts, all but the last token of each. Rows come by length: those without any are first."""
    begun = time.perf_counter()
    asked = [Row(row.index, row.ids[:-1], row.n_prefix, 0) for row in batch if row.n_own]
    while any(row.n_fed < row.n_read for row in asked):
        read(module, cache, asked, len(batch) - len(asked), prefix)
    for row in batch:
        row.latency_ms += (time.perf_counter() - begun) * 1000 / len(batch)


def _together(batch: Sequence[DecidedRow], number: int, most_tokens: int) -> Iterator[tuple[int, Sequence[DecidedRow]]]:
    """Runs of neighbours that have a part of this number, and their first line, each of at most ``most_tokens`` where it can be."""
    first, n_tokens = 0, 0
    for at, row in enumerate(batch):
        n_more = row.trie.parts[number].n_read if number < len(row.trie.parts) else 0
        if at > first and (n_more == 0 or n_tokens + n_more > most_tokens):
            yield first, batch[first:at]
            first, n_tokens = at, 0
        if n_more == 0:
            first = at + 1
        n_tokens += n_more
    if first < len(batch):
        yield first, batch[first:]


def _read_part(
    module: Any, cache: RowCache, rows: Sequence[DecidedRow], first: int, number: int, prefix: Prefix | None
) -> None:
    begun = time.perf_counter()
    parts = [row.trie.parts[number] for row in rows]
    block = TreeBlock(first, [row.n_own for row in rows], parts, module.device, prefix, rows[0].n_prefix)
    cache.begin(block)
    tokens = [token for row, part in zip(rows, parts) for token in (row.ids[-1], *part.tokens)]
    logits = module(
        input_ids=torch.tensor([tokens], device=module.device),
        position_ids=block.positions[None],
        past_key_values=cache,
        use_cache=True,
        block=block,
    ).logits[0]
    ends = np.cumsum([0, *(part.n_read for part in parts)])
    wanted = [(int(start) + node, token) for start, part in zip(ends, parts) for node, token in part.edges]
    found = edge_log_probabilities(logits, wanted)
    at = 0
    for row, part in zip(rows, parts):
        row.scores[list(part.labels)] = part.paths @ found[at : at + len(part.edges)]
        at += len(part.edges)
    for row in rows:
        row.latency_ms += (time.perf_counter() - begun) * 1000 / len(rows)


def edge_log_probabilities(logits: Tensor, wanted: Sequence[tuple[int, int]]) -> NDArray[np.float64]:
    """log softmax of ``logits``, shape ``(n, vocabulary)``, at the places ``(row, token)``."""
    step = max(1, LOGITS_AT_ONCE // logits.shape[1])
    sums = torch.cat([part.float().logsumexp(-1) for part in logits.split(step)])
    rows, tokens = torch.tensor(wanted, device=logits.device).t()
    return (logits[rows, tokens].float() - sums[rows]).double().cpu().numpy()


class TreeBlock(Block):
    """A forward pass in which the tokens of each row are a tree behind what the row has read: each sees its own way only.

    Args:
        starts: slots that each row has filled before.
        parts: the tree of each row.
    """

    def __init__(
        self,
        first: int,
        starts: Sequence[int],
        parts: Sequence[Part],
        device: torch.device,
        prefix: Prefix | None,
        prefix_length: int,
    ):
        super().__init__(first, starts, [part.n_read for part in parts], device, prefix, prefix_length)
        # Rows of one task have one trie: its table is made once.
        tables = {id(part): part.lineage().to(device) for part in parts}
        self._lineages = [tables[id(part)] for part in parts]
        depths = torch.cat([lineage.sum(dim=1) - 1 for lineage in self._lineages])
        self._depths = depths
        self._starts_packed = torch.repeat_interleave(
            torch.tensor(starts, device=device), torch.tensor(self.counts, device=device)
        )

    @property
    def positions(self) -> Tensor:
        return self._starts_packed + self._depths + self.prefix_length

    def own_bias(self, window: int | None, dtype: torch.dtype) -> Tensor | None:
        key = ("own", window)
        if key not in self._biases:
            hidden = torch.ones(len(self.counts), self.width, self.n_slots, dtype=torch.bool, device=self.device)
            for row, (start, count, lineage) in enumerate(zip(self.starts, self.counts, self._lineages)):
                hidden[row, :, :start] = False  # padding sees something too: a softmax over nothing is NaN
                hidden[row, count:, :] = False
                hidden[row, :count, start : start + count] = ~lineage
                if window is not None:
                    depths = lineage.sum(dim=1) - 1
                    keys = torch.cat([torch.arange(start, device=self.device), start + depths])
                    hidden[row, :count, : start + count] |= (start + depths)[:, None] - keys >= window
            bias = torch.zeros(hidden.shape, dtype=dtype, device=self.device)
            self._biases[key] = bias.masked_fill_(hidden, torch.finfo(dtype).min / 2)[:, None]
        return self._biases[key]


def decide_rows_plain(rows: Iterable[DecidedRow], paths: Sequence[Sequence[Sequence[int]]], *, module: Any) -> None:
    """The same for a model whose attention the engine cannot take over: a row's prompt is read once, then its labels as a
    padded batch behind it, nothing shared among them."""
    from transformers import DynamicCache

    was_training = module.training
    module.eval()
    with torch.no_grad():
        for row, labels in zip(rows, paths, strict=True):
            begun = time.perf_counter()
            known: dict[tuple[int, ...], int] = {}
            for label, path in enumerate(labels):
                known.setdefault(tuple(path), label)
            cache = DynamicCache(config=module.config)
            prompt = torch.tensor([row.ids[:-1]], device=module.device)
            if prompt.shape[1]:
                module(prompt, past_key_values=cache, use_cache=True, logits_to_keep=1)
            for some in _chunks(list(known), most_nodes(module)):
                _score_labels(module, cache, row, some, known)
            row.latency_ms += (time.perf_counter() - begun) * 1000
    module.train(was_training)


def _chunks(paths: Sequence[tuple[int, ...]], most_tokens: int) -> Iterator[list[tuple[int, ...]]]:
    longest = max(len(path) for path in paths)
    n_rows = max(1, most_tokens // longest)
    for _, some in groupby(enumerate(paths), key=lambda numbered: numbered[0] // n_rows):
        yield [path for _, path in some]


def _score_labels(
    module: Any, cache: Any, row: DecidedRow, paths: Sequence[tuple[int, ...]], known: dict[tuple[int, ...], int]
) -> None:
    import copy

    width = max(len(path) for path in paths)
    ids = [[row.ids[-1], *path[:-1], *[0] * (width - len(path))] for path in paths]
    own = copy.deepcopy(cache)
    own.batch_repeat_interleave(len(paths))
    logits = module(torch.tensor(ids, device=module.device), past_key_values=own, use_cache=True).logits
    wanted = [(line * width + at, token) for line, path in enumerate(paths) for at, token in enumerate(path)]
    found = edge_log_probabilities(logits.flatten(0, 1), wanted)
    ends = np.cumsum([0, *(len(path) for path in paths)])
    for path, start, end in zip(paths, ends, ends[1:]):
        row.scores[known[path]] = found[start:end].sum()

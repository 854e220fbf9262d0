"""The loss on the completions, computed only where it is.

Four savings, all exact up to rounding. The output layer is applied to the positions that predict a
completion's token and to no other: with a vocabulary of 49k it would cost as much as the rest. The
tokens that all prompts begin with pass through the model once per batch; every row reads their keys and
values, and gradients flow back through them. Rows of a batch that share more, such as questions about the
same passage, are one sequence: what they share, then the rest of each, which sees the shared part and itself. Where only the upper layers learn, rows pass
through the others once (``lower.py``). All of it rests
on how a model is built, so ``CompletionLoss`` first compares itself with the model's own forward pass and does without what
does not agree.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from tuneworth.models.local.batches import Pack, Row, kin, packs_of, split_batch
from tuneworth.models.local.lower import LowerLayers

_TOLERANCE = {None: 1e-3, torch.bfloat16: 0.02, torch.float16: 0.02}
MIN_PREFIX = 4
_SHARED, _PADDING = 0, -1
"""Numbers of the parts of a pack that are of no single row."""


class CompletionLoss:
    """Sum of the negative log-likelihoods of the completions' tokens.

    Attributes:
        n_prefix: leading tokens that are computed once per batch.
        own_head: the output layer is applied here, to the needed positions only.
        packs: rows that begin alike are computed as one sequence.
        lower: the layers below those that learn, where their output is kept.
    """

    def __init__(
        self,
        module: Any,
        prefix: Sequence[int],
        probe_rows: Sequence[Row],
        *,
        autocast: torch.dtype | None,
        first_layer: int = 0,
    ):
        self.module = module
        self.autocast = autocast
        self.own_head = True
        self.n_prefix = len(prefix) if len(prefix) >= MIN_PREFIX else 0
        self.packs = True
        self._prefix = torch.tensor([list(prefix[: self.n_prefix])], device=module.device)
        self.lower: LowerLayers | None = None
        self._agree_with_model(probe_rows)
        if first_layer and self.own_head:
            self._keep_lower(first_layer, probe_rows)

    def relatives(self, rows: Sequence[Row]) -> list[list[int]]:
        """Groups of indices of the rows that are worth having in one batch."""
        return [members for members, _ in kin(rows, self.n_prefix)] if self.packs else []

    def parts(self, rows: Sequence[Row], max_tokens: int, max_targets: int) -> Iterator[list[Pack]]:
        """``rows`` in parts that fit into memory."""
        packs = (
            packs_of(rows, self.n_prefix, max_tokens) if self.packs else [Pack((row,), self.n_prefix) for row in rows]
        )
        return split_batch(packs, self.n_prefix, max_tokens, max_targets)

    def __call__(self, packs: Sequence[Pack]) -> Tensor:
        """The sum over the completion tokens of all rows, a scalar in float32."""
        with torch.autocast(self.module.device.type, self.autocast, enabled=self.autocast is not None):
            logits = self._logits(packs)
        targets = [token for pack in packs for row in pack.rows for token in row.ids[row.n_prompt :]]
        return functional.cross_entropy(logits.float(), self._tensor(targets), reduction="sum")

    def _logits(self, packs: Sequence[Pack]) -> Tensor:
        """Logits of every completion token, row by row: ``(targets, vocabulary)``."""
        laid = [_Laid.of(pack, self.n_prefix) for pack in packs]
        width = max(len(each.ids) for each in laid)
        where = [(index, at) for index, each in enumerate(laid) for at in each.predicting]
        at_pack, at_token = self._tensor(where).unbind(1)
        # Padding stands on the right, where causal attention never looks: alone, rows need no mask.
        inputs: dict[str, Any] = {"use_cache": False}
        if self.lower is None:
            inputs["input_ids"] = self._tensor([_padded(each.ids, width, 0) for each in laid])
        else:
            inputs["inputs_embeds"] = self._from_below(packs, self.lower)
        if self.n_prefix:
            inputs |= self._after_prefix(len(laid))
        packed = any(len(pack.rows) > 1 for pack in packs)
        if packed or self.n_prefix:
            positions = self._tensor([_padded(each.positions, width, 0) for each in laid])
            inputs["position_ids"] = positions + self.n_prefix
        if packed:
            segments = self._tensor([_padded(each.segments, width, _PADDING) for each in laid])
            inputs["attention_mask"] = self._mask(segments)
        if not self.own_head:
            return self.module(**inputs).logits[at_pack, at_token]
        with self._learning():
            hidden = self.module.base_model(**inputs).last_hidden_state[at_pack, at_token]
        return self._head(hidden)

    def _learning(self) -> AbstractContextManager[None]:
        """While open, the model is the part of it that is computed at each step."""
        return nullcontext() if self.lower is None else self.lower.above()

    def _from_below(self, packs: Sequence[Pack], lower: LowerLayers) -> Tensor:
        """What the lower layers made of the tokens of each pack, laid out like these: ``(packs, width, hidden)``."""
        outputs = iter(lower.of([row for pack in packs for row in pack.rows]))
        laid = []
        for pack in packs:
            n_common = pack.n_shared - self.n_prefix
            each = [next(outputs) for _ in pack.rows]
            laid.append(torch.cat([each[0][:n_common], *(output[n_common:] for output in each)]))
        return pad_sequence(laid, batch_first=True)

    @torch.no_grad()
    def _keep_lower(self, first_layer: int, rows: Sequence[Row]) -> None:
        """Start from what the lower layers make of a row, if that gives the same loss."""
        probe = sorted(rows, key=lambda row: len(row.ids))[-2:]
        expected = self._probe(probe)
        try:
            with torch.autocast(self.module.device.type, self.autocast, enabled=self.autocast is not None):
                self.lower = LowerLayers(self.module, first_layer, self._prefix[:, : self.n_prefix])
            found = self._probe(probe)
        except (AttributeError, TypeError, NotImplementedError, ValueError, RuntimeError):
            found = math.inf
        if not abs(found - expected) <= _TOLERANCE[self.autocast] * max(expected, 1.0):
            self.lower = None

    def _mask(self, segments: Tensor) -> Tensor:
        """What a token sees: the prefix, what its rows share, and of its own row what came before.

        Args:
            segments: ``(packs, width)``.

        Returns:
            ``(packs, 1, width, n_prefix + width)``: True where it sees, or what is added to the scores, as the model's attention
            expects it.
        """
        n_packs, width = segments.shape
        earlier = torch.ones(width, width, dtype=torch.bool, device=segments.device).tril()
        mine = (segments[:, None, :] == segments[:, :, None]) | (segments[:, None, :] == _SHARED)
        prefix = torch.ones(n_packs, width, self.n_prefix, dtype=torch.bool, device=segments.device)
        sees = torch.cat([prefix, mine & earlier], dim=2)[:, None]
        if self.module.config._attn_implementation == "sdpa":
            return sees
        return torch.zeros(sees.shape, device=sees.device).masked_fill(~sees, torch.finfo(torch.float16).min)

    def _after_prefix(self, n_rows: int) -> dict[str, Any]:
        from transformers import DynamicCache

        cache = DynamicCache()
        begin = {"input_ids": self._prefix} if self.lower is None else {"inputs_embeds": self.lower.of_prefix[None]}
        with self._learning():
            self.module.base_model(**begin, past_key_values=cache, use_cache=True)
        for layer in cache.layers:
            layer.keys = layer.keys.expand(n_rows, -1, -1, -1)  # type: ignore[union-attr]
            layer.values = layer.values.expand(n_rows, -1, -1, -1)  # type: ignore[union-attr]
        return {"past_key_values": cache, "use_cache": True}

    def _head(self, hidden: Tensor) -> Tensor:
        logits = self.module.get_output_embeddings()(hidden)
        cap = getattr(self.module.config.get_text_config(), "final_logit_softcapping", None)
        return logits if cap is None else torch.tanh(logits / cap) * cap

    def _tensor(self, values: Any) -> Tensor:
        return torch.tensor(values, device=self.module.device)

    @torch.no_grad()
    def _agree_with_model(self, rows: Sequence[Row]) -> None:
        """Switch off what this model does not support: packs first, then the shared prefix, then the own output layer."""
        probes = [sorted(rows, key=lambda row: len(row.ids))[-2:]]
        settings = [(n, head, False) for n, head in ((self.n_prefix, True), (0, True), (0, False))]
        related = max(kin(rows, self.n_prefix), key=lambda group: len(group[0]))[0][:2]
        if len(related) > 1 and not self._slides(rows):
            probes.append([rows[index] for index in related])
            settings.insert(0, (self.n_prefix, True, True))
        self.n_prefix, self.own_head, self.packs = 0, False, False
        expected = [self._probe(probe) for probe in probes]
        for self.n_prefix, self.own_head, self.packs in settings:
            try:
                found = [self._probe(probe) for probe in probes]
            except (AttributeError, TypeError, NotImplementedError, ValueError, RuntimeError):
                continue  # an architecture without such a cache, mask or output layer
            if all(abs(a - b) <= _TOLERANCE[self.autocast] * max(b, 1.0) for a, b in zip(found, expected, strict=True)):
                return

    def _probe(self, rows: Sequence[Row]) -> float:
        """Mean loss of a completion's token."""
        parts = self.parts(rows, *memory_limits(self.module))
        return sum(float(self(part)) for part in parts) / sum(row.n_completion for row in rows)

    def _slides(self, rows: Sequence[Row]) -> bool:
        """A layer may see the last tokens only: the mask of a pack would show it all of them."""
        window = getattr(self.module.config.get_text_config(), "sliding_window", None)
        return window is not None and window < max(len(row.ids) for row in rows)


@dataclass(frozen=True)
class _Laid:
    """A pack as one sequence behind the prefix.

    Attributes:
        positions: of each token in its row, counted from the end of the prefix.
        segments: ``_SHARED``, or the number of the row that a token belongs to.
        predicting: places whose output predicts a completion's token, row by row.
    """

    ids: list[int]
    positions: list[int]
    segments: list[int]
    predicting: list[int]

    @classmethod
    def of(cls, pack: Pack, n_prefix: int) -> _Laid:
        n_common = pack.n_shared - n_prefix
        laid = cls(list(pack.rows[0].ids[n_prefix : pack.n_shared]), list(range(n_common)), [_SHARED] * n_common, [])
        for number, row in enumerate(pack.rows, _SHARED + 1):
            start = len(laid.ids) - pack.n_shared  # of this row's first token, had it been laid out whole
            laid.predicting.extend(start + at - 1 for at in range(row.n_prompt, len(row.ids)))
            rest = range(pack.n_shared, len(row.ids))
            laid.ids.extend(row.ids[pack.n_shared :])
            laid.positions.extend(at - n_prefix for at in rest)
            laid.segments.extend([number] * len(rest))
        return laid


def _padded(values: list[int], width: int, filler: int) -> list[int]:
    return [*values, *[filler] * (width - len(values))]


def memory_limits(module: Any) -> tuple[int, int]:
    """Most padded tokens, and most predicted tokens, of one forward and backward pass.

    A token keeps about 12 vectors of the hidden and 5 of the inner width per layer until the backward
    pass, a predicted one about 3 vectors of the vocabulary. 1 GB for each on a CPU, a third of the
    free memory on a GPU.
    """
    config = module.config.get_text_config()
    inner = getattr(config, "intermediate_size", None) or 4 * config.hidden_size
    token_bytes = 4 * config.num_hidden_layers * (12 * config.hidden_size + 5 * inner)
    budget = 1 << 30
    if module.device.type == "cuda":
        budget = torch.cuda.mem_get_info(module.device)[0] // 3
    return max(budget // token_bytes, 64), max(budget // (12 * config.vocab_size), 64)

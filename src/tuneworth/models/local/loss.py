"""The loss on the completions, computed only where it is.

Two savings, both exact up to rounding. The output layer is applied to the positions that predict a
completion's token and to no other: with a vocabulary of 49k it would cost as much as the rest. The
tokens that all prompts begin with pass through the model once per batch; every row reads their keys and
values, and gradients flow back through them. Both rest on how a model is built, so ``CompletionLoss``
first compares itself with the model's own forward pass and does without what does not agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from tuneworth.models.local.batches import Row

_TOLERANCE = 0.02
MIN_PREFIX = 4


class CompletionLoss:
    """Sum of the negative log-likelihoods of the completions' tokens.

    Attributes:
        n_prefix: leading tokens that are computed once per batch.
        own_head: the output layer is applied here, to the needed positions only.
    """

    def __init__(self, module: Any, prefix: Sequence[int], probe_rows: Sequence[Row], *, autocast: torch.dtype | None):
        self.module = module
        self.autocast = autocast
        self.own_head = True
        self.n_prefix = len(prefix) if len(prefix) >= MIN_PREFIX else 0
        self._prefix = torch.tensor([list(prefix[: self.n_prefix])], device=module.device)
        self._agree_with_model(probe_rows)

    def __call__(self, rows: Sequence[Row]) -> Tensor:
        """The sum over the completion tokens of ``rows``, a scalar in float32."""
        with torch.autocast(self.module.device.type, self.autocast, enabled=self.autocast is not None):
            logits = self._logits(rows)
        targets = [token for row in rows for token in row.ids[row.n_prompt :]]
        return functional.cross_entropy(logits.float(), self._tensor(targets), reduction="sum")

    def _logits(self, rows: Sequence[Row]) -> Tensor:
        """Logits of every completion token, row by row: ``(targets, vocabulary)``."""
        width = max(len(row.ids) for row in rows) - self.n_prefix
        ids = [[*row.ids[self.n_prefix :], *[0] * (width + self.n_prefix - len(row.ids))] for row in rows]
        where = [
            (index, at - 1 - self.n_prefix)
            for index, row in enumerate(rows)
            for at in range(row.n_prompt, len(row.ids))
        ]
        at_row, at_token = self._tensor(where).unbind(1)
        # Padding stands on the right, where causal attention never looks: no mask is needed.
        inputs: dict[str, Any] = {"input_ids": self._tensor(ids), "use_cache": False}
        if self.n_prefix:
            inputs |= self._after_prefix(len(rows), width)
        if not self.own_head:
            return self.module(**inputs).logits[at_row, at_token]
        hidden = self.module.base_model(**inputs).last_hidden_state[at_row, at_token]
        return self._head(hidden)

    def _after_prefix(self, n_rows: int, width: int) -> dict[str, Any]:
        from transformers import DynamicCache

        cache = DynamicCache()
        self.module.base_model(input_ids=self._prefix, past_key_values=cache, use_cache=True)
        for layer in cache.layers:
            layer.keys = layer.keys.expand(n_rows, -1, -1, -1)  # type: ignore[union-attr]
            layer.values = layer.values.expand(n_rows, -1, -1, -1)  # type: ignore[union-attr]
        positions = torch.arange(self.n_prefix, self.n_prefix + width, device=self.module.device)
        return {"past_key_values": cache, "use_cache": True, "position_ids": positions[None].expand(n_rows, -1)}

    def _head(self, hidden: Tensor) -> Tensor:
        logits = self.module.get_output_embeddings()(hidden)
        cap = getattr(self.module.config.get_text_config(), "final_logit_softcapping", None)
        return logits if cap is None else torch.tanh(logits / cap) * cap

    def _tensor(self, values: Any) -> Tensor:
        return torch.tensor(values, device=self.module.device)

    @torch.no_grad()
    def _agree_with_model(self, rows: Sequence[Row]) -> None:
        """Switch off what this model does not support: first the shared prefix, then the own output layer."""
        few = sorted(rows, key=lambda row: len(row.ids))[-2:]
        n_tokens = sum(row.n_completion for row in few)
        n_prefix, self.n_prefix, self.own_head = self.n_prefix, 0, False
        expected = float(self(few)) / n_tokens
        for self.n_prefix, self.own_head in ((n_prefix, True), (0, True), (0, False)):
            try:
                if abs(float(self(few)) / n_tokens - expected) <= _TOLERANCE * max(expected, 1.0):
                    return
            except (AttributeError, TypeError, NotImplementedError, ValueError, RuntimeError):
                continue  # an architecture without such a cache or output layer


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

"""The frozen lower layers of a model, whose output for a row is computed once and kept.

Where only the upper layers learn, what the lower ones make of a row is the same in every pass over the rows and at every look at
dev. So a row passes through them once; each step then starts from their output, and forward and backward passes are as
long as the layers that learn.

Exact up to rounding. It rests on how a model is built (a list ``layers`` that hands hidden states on), so ``CompletionLoss``
compares itself with the model's own forward pass and does without what does not agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from tuneworth.models.local.batches import Row

KEPT_BYTES = 1 << 30
"""Of outputs that are kept; rows that come after that pass through the lower layers each time."""


def upper_third(n_layers: int) -> int:
    """Number of the first layer of the upper third, of layers numbered from 0."""
    return n_layers - max(1, round(n_layers / 3))


class LowerLayers:
    """Layers ``0 … first − 1`` of ``module``, which must not change while this is in use.

    Attributes:
        first: number of the first layer above them.
    """

    def __init__(self, module: Any, first: int, prefix: Tensor):
        """Declare them.

        Args:
            prefix: tokens that all rows begin with, shape ``(1, n)``; ``n`` may be 0.

        Raises:
            AttributeError: the model has no list of layers.
        """
        self.base, self.first = module.base_model, first
        self.layers: nn.ModuleList = self.base.layers
        self._prefix, self._n_prefix = prefix, prefix.shape[1]
        self._kept: dict[Row, Tensor] = {}
        self._bytes = 0
        self.of_prefix = self._output(prefix)[0] if self._n_prefix else prefix.new_zeros(0)

    def of(self, rows: Sequence[Row]) -> list[Tensor]:
        """For each row their output for its tokens behind the prefix, ``(tokens, width)``."""
        missing = [row for row in dict.fromkeys(rows) if row not in self._kept]
        fresh = dict(zip(missing, self._compute(missing), strict=True)) if missing else {}
        for row, output in fresh.items():
            size = output.numel() * output.element_size()
            if self._bytes + size <= KEPT_BYTES:
                self._bytes += size
                self._kept[row] = output
        return [self._kept[row] if row in self._kept else fresh[row] for row in rows]

    @contextmanager
    def above(self) -> Iterator[None]:
        """While open, the model is the layers above: it takes their input as embeddings."""
        with self._only(self.layers[self.first :], self.first):
            yield

    @contextmanager
    def _only(self, layers: Any, first: int) -> Iterator[None]:
        """While open, the model has these layers only, numbered from 0: keys and values are kept under these numbers."""
        attentions = [
            part for layer in layers for part in layer.modules() if isinstance(getattr(part, "layer_idx", None), int)
        ]
        try:
            self.base.layers = layers
            for part in attentions:
                part.layer_idx -= first
            yield
        finally:
            self.base.layers = self.layers
            for part in attentions:
                part.layer_idx += first

    @torch.no_grad()
    def _compute(self, rows: Sequence[Row]) -> list[Tensor]:
        """Rows of about one length together; padding stands on the right, where causal attention never looks."""
        width = max(len(row.ids) for row in rows)
        ids = torch.tensor([[*row.ids, *[0] * (width - len(row.ids))] for row in rows], device=self.base.device)
        outputs = self._output(ids)
        return [output[self._n_prefix : len(row.ids)].clone() for row, output in zip(rows, outputs, strict=True)]

    @torch.no_grad()
    def _output(self, ids: Tensor) -> Tensor:
        """Of the last of these layers, before what the model does to the output of its very last: ``(rows, tokens, width)``."""
        found: list[Tensor] = []
        last = self.layers[self.first - 1]
        hook = last.register_forward_hook(
            lambda layer, given, output: found.append(output[0] if isinstance(output, tuple) else output)  # pyright: ignore[reportArgumentType]
        )
        try:
            with self._only(self.layers[: self.first], 0):
                self.base(input_ids=ids, use_cache=False)
        finally:
            hook.remove()
        return found[0]

"""How much a model thinks before it answers, as a setting of an arm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from tuneworth.models.base import Completion, Effort, Metered, Model, Request

ROOM_TO_THINK = {"minimal": 1024, "low": 4096, "medium": 8192, "high": 16384, "xhigh": 32768, "max": 32768}
"""Tokens that a model may think on top of those for the answer, by effort."""
USUAL_SHARE = 0.25
"""Of that room, in plans. A guess: how much of it a model takes depends on the row. A race goes by what answers took."""


class _WithEffort:
    """``model``, asked with one effort for every request; all else is the model's own."""

    def __init__(self, model: Model, effort: Effort):
        self._model = model
        self._effort: Effort = effort

    def generate(self, requests: Sequence[Request], *, max_new_tokens: int) -> list[Completion]:
        return self._model.generate(
            [replace(request, reasoning=self._effort) for request in requests], max_new_tokens=max_new_tokens
        )

    def most_usd(self, request: Request, *, max_new_tokens: int) -> float | None:
        metered = cast(Metered, self._model)
        return metered.most_usd(replace(request, reasoning=self._effort), max_new_tokens=max_new_tokens)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)


def with_effort(model: Model, effort: Effort | None) -> Model:
    """``model`` thinking so much; as it does by itself for ``None``, or where it cannot be told."""
    if effort is None or not model.capabilities.reasoning:
        return model
    return cast(Model, _WithEffort(model, effort))

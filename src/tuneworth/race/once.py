"""Decisions that several arms of a model ask for are asked for once: as it comes, corrected and fitted are three readings of the
same probabilities.

What a model said is kept in the store of the run under what was asked of it, so that the next arm finds it, and a start after a
kill. Such an answer is marked (``Completion.shared``): its tokens, time and money are what the arm would take by itself, and
the run has not paid them again. Where an answer is asked for once more on purpose, or to take the time of it, nothing is shared.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from pydantic import TypeAdapter

from tuneworth.costs.spend import Spend
from tuneworth.models.base import Completion, Deciding, Decision, Request
from tuneworth.models.metering import digest_of
from tuneworth.race.keys import model_key
from tuneworth.race.store import Store

_KEPT = TypeAdapter(tuple[str, list[float | None], Completion])
"""Key of the arm that asked, log-probabilities, and the completion."""


@dataclass
class AskedOnce:
    """The decisions of a run.

    Attributes:
        asker: key of the arm that asks.
        turn: how many times the rows at hand have been asked before; ``None``: nothing is kept or found now.
        shared: what the answers that were found would have taken.
    """

    store: Store
    asker: str = ""
    turn: int | None = None
    shared: Spend = Spend()

    @contextmanager
    def asking(self, asker: str, turn: int | None) -> Iterator[None]:
        self.asker, self.turn = asker, turn
        try:
            yield
        finally:
            self.turn = None

    def of(self, model: Deciding) -> Deciding:
        """``model``, which is not asked what it was asked before; all else is its own."""
        return cast(Deciding, _Asked(model, self))

    def decide(self, model: Deciding, requests: Sequence[Request]) -> list[Decision]:
        if self.turn is None:
            return model.decide(requests)
        prefix = f"decided {self.turn} {model_key(model)}"
        names = [f"{prefix} {digest_of(model.id, request)}" for request in requests]
        found = {name: self._found(text) for name in names if (text := self.store.fact(name)) is not None}
        missing = {name: request for name, request in zip(names, requests, strict=True) if name not in found}
        asked = dict(zip(missing, model.decide(list(missing.values())) if missing else (), strict=True))
        # A failure is nothing to share: the next arm may be luckier.
        self.store.add_facts(
            {name: self._text(one) for name, one in asked.items() if one.log_probabilities is not None}
        )
        return [asked[name] if name in asked else self._counted(found[name]) for name in names]

    def _found(self, text: str) -> Decision:
        asker, scores, completion = _KEPT.validate_json(text)
        values = np.array([-np.inf if score is None else score for score in scores])
        return Decision(values, replace(completion, shared=asker != self.asker))

    def _text(self, decision: Decision) -> str:
        assert decision.log_probabilities is not None
        scores = [score if np.isfinite(score) else None for score in decision.log_probabilities.tolist()]
        return _KEPT.dump_json((self.asker, scores, decision.completion)).decode()

    def _counted(self, decision: Decision) -> Decision:
        done = decision.completion
        if done.shared:
            self.shared += Spend(done.latency_ms / 1000, usd=done.usd or 0.0)
        return decision


class _Asked:
    def __init__(self, inner: Deciding, once: AskedOnce):
        self.inner = inner
        self._once = once

    def decide(self, requests: Sequence[Request]) -> list[Decision]:
        return self._once.decide(self.inner, requests)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

"""What a run has paid to services, call by call, over all its starts; keeps it under the caps on money and calls.

Before a call is sent, the most that it can cost is written to the store and set aside; when its answer is there, that gives
way to what it cost. So whatever happens, a kill at any point among it,

    paid ≤ settled + set aside ≤ cap

A call that was under way when a run was killed counts with the most that it can cost: nobody knows whether it was charged. An answer
that was paid for and whose row could not be stored any more is kept with its call, and handed out in place of a new one.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pydantic import TypeAdapter

from tuneworth.errors import MoneySpent
from tuneworth.models.base import Completion
from tuneworth.race.store import Store

_COMPLETION = TypeAdapter(Completion)
ROUNDING_USD = 1e-12
"""Sums of many small amounts are off by less; a cap is not missed for that."""


@dataclass
class Ledger:
    """A ``Meter`` over the store of a run; may be called from any thread.

    Attributes:
        usd_allowed: most that may be charged in all at this moment; ``None``: no limit.
        max_calls: most calls in all that are charged for, or may be.
        n_calls: of all starts, those that cost nothing not counted.
        n_unknown: of these, ended or not, those of which it is not known what they cost.
    """

    store: Store
    usd_allowed: Callable[[], float | None] = lambda: None
    max_calls: int | None = None
    n_calls: int = 0
    n_unknown: int = 0
    _settled_usd: float = 0.0
    _lost_usd: float = 0.0
    _aside: dict[int, float | None] = field(default_factory=dict[int, float | None])
    _open: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    _kept: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    _in_hand: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    _scope: str = ""
    _closed: bool = False

    def __post_init__(self) -> None:
        self._lock = threading.RLock()
        for call in self.store.calls():
            self._count(call.usd, call.most_usd, answered=call.state == "answered")
            if call.completion is not None:
                self._kept[call.scope, call.call].append(call.completion)

    def _count(self, usd: float | None, most_usd: float | None, *, answered: bool) -> None:
        """A call of which no more will be known."""
        if usd == 0 and not answered:
            return
        self.n_calls += 1
        if usd is None:
            self.n_unknown += 1
            self._lost_usd += most_usd or 0.0
        else:
            self._settled_usd += usd

    @property
    def charged_usd(self) -> float:
        """By all starts: what calls cost, and the most that those of unknown cost can have cost. Without those whose price is not known."""
        return self._settled_usd + self._lost_usd

    @property
    def under_way_usd(self) -> float:
        """Set aside for calls that are under way now."""
        return sum(most or 0.0 for most in self._aside.values())

    # -- for models ------------------------------------------------------------------------------------

    def kept(self, call: str) -> Completion | None:
        with self._lock:
            found = self._kept.get((self._scope, call)) if self._scope else None
            if not found:
                return None
            self._in_hand.append((call, found.pop(0)))
            return _COMPLETION.validate_json(self._in_hand[-1][1])

    def set_aside(self, call: str, most_usd: float | None) -> None:
        with self._lock:
            allowed, most = self.usd_allowed(), most_usd or 0.0
            without = allowed is None or self.charged_usd + most <= allowed + ROUNDING_USD
            fits = allowed is None or self.charged_usd + self.under_way_usd + most <= allowed + ROUNDING_USD
            n_open = len(self._aside)
            if self.max_calls is not None:
                without, fits = (
                    without and self.n_calls < self.max_calls,
                    fits and self.n_calls + n_open < self.max_calls,
                )
            if self._closed or not fits:
                raise MoneySpent(may_free=without and n_open > 0 and not self._closed)
            number = self.store.add_call(self._scope, call, most_usd)
            self._aside[number] = most_usd
            self._open[call].append(number)

    def settle(self, call: str, usd: float | None, completion: Completion | None = None) -> None:
        with self._lock:
            number = self._open[call].pop(0)
            most = self._aside.pop(number)
            text = _COMPLETION.dump_json(completion).decode() if completion is not None and self._scope else None
            self.store.end_call(number, "failed" if completion is None else "answered", usd, text)
            self._count(usd, most, answered=completion is not None)
            if text is not None:
                self._in_hand.append((call, text))

    # -- for the runner --------------------------------------------------------------------------------

    @contextmanager
    def answering(self, scope: str, *, closed: bool = False) -> Iterator[None]:
        """What is asked meanwhile is asked for ``scope``: answers that were paid for it before are handed out, each once.

        Args:
            closed: nothing more is sent.
        """
        with self._lock:
            self._scope, self._closed = scope, closed
        try:
            yield
        finally:
            with self._lock:
                for call, text in self._in_hand:
                    self._kept[scope, call].append(text)
                self._in_hand.clear()
                self._scope, self._closed = "", False

    def delivered(self, scope: str) -> None:
        """The rows of ``scope`` are stored."""
        with self._lock:
            for key in [key for key in self._kept if key[0] == scope]:
                del self._kept[key]

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
class Charged:
    """What calls came to.

    Attributes:
        n_calls: those that cost nothing and gave nothing not counted.
        n_unknown: of these, those of which it is not known what they cost.
        usd: what is known, and the most that the others can have cost where that was known.
    """

    n_calls: int = 0
    n_unknown: int = 0
    usd: float = 0.0


@dataclass(frozen=True, slots=True)
class Room:
    """What is left under the caps; ``None``: no cap."""

    usd: float | None
    calls: float | None


@dataclass
class Ledger:
    """A ``Meter`` over the store of a run; may be called from any thread.

    Attributes:
        usd_allowed: most that may be charged in all at this moment; ``None``: no limit.
        max_calls: most calls in all that are charged for, or may be.
        kept_usd, kept_calls: of these, not to be spent now.
        reached: this start was refused a call, with nothing kept back any more or not.
        total: of all starts; ``by_scope``: by what calls were made for; ``by_arm``: by the id of the arm, empty for what was for none.
    """

    store: Store
    usd_allowed: Callable[[], float | None] = lambda: None
    max_calls: int | None = None
    kept_usd: float = 0.0
    kept_calls: float = 0.0
    total: Charged = field(default_factory=Charged)
    by_scope: dict[str, Charged] = field(default_factory=lambda: defaultdict(Charged))
    by_arm: dict[str, Charged] = field(default_factory=lambda: defaultdict(Charged))
    reached: bool = False
    _aside: dict[int, float | None] = field(default_factory=dict[int, float | None])
    _open: dict[str, list[tuple[int, str, str]]] = field(default_factory=lambda: defaultdict(list))
    _kept: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    _in_hand: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    _scope: str = ""
    _arm_id: str = ""
    _keeps: bool = False
    _closed: bool = False

    def __post_init__(self) -> None:
        self._lock = threading.RLock()
        for call in self.store.calls():
            self._count(call.scope, call.arm_id, call.usd, call.most_usd, answered=call.state == "answered")
            if call.completion is not None:
                self._kept[call.scope, call.call].append(call.completion)

    def _count(self, scope: str, arm_id: str, usd: float | None, most_usd: float | None, *, answered: bool) -> None:
        """A call of which no more will be known."""
        if usd == 0 and not answered:
            return
        for charged in (self.total, self.by_scope[scope], self.by_arm[arm_id]):
            charged.n_calls += 1
            charged.n_unknown += usd is None
            charged.usd += (most_usd or 0.0) if usd is None else usd

    def charged_usd(self) -> float:
        """By all starts: what calls cost, and the most that those of unknown cost can have cost. Without those whose price is not known."""
        return self.total.usd

    @property
    def under_way_usd(self) -> float:
        """Set aside for calls that are under way now."""
        return sum(most or 0.0 for most in self._aside.values())

    # -- for models ------------------------------------------------------------------------------------

    def kept(self, call: str) -> Completion | None:
        with self._lock:
            found = self._kept.get((self._scope, call)) if self._keeps else None
            if not found:
                return None
            self._in_hand.append((call, found.pop(0)))
            return _COMPLETION.validate_json(self._in_hand[-1][1])

    def set_aside(self, call: str, most_usd: float | None) -> None:
        with self._lock:
            most, under_way = most_usd or 0.0, sum(usd or 0.0 for usd in self._aside.values())
            if self._closed or not self._allows(most + under_way, 1 + len(self._aside)):
                may_free = bool(self._aside) and not self._closed and self._allows(most, 1)
                self.reached = self.reached or not (may_free or self._closed)
                raise MoneySpent(may_free)
            number = self.store.add_call(self._scope, self._arm_id, call, most_usd)
            self._aside[number] = most_usd
            self._open[call].append((number, self._scope, self._arm_id))

    def _allows(self, usd: float, n_calls: int) -> bool:
        """Whether so much more may be charged, for so many more calls."""
        room = self.room()
        in_money = room.usd is None or usd <= room.usd + ROUNDING_USD
        return in_money and (room.calls is None or n_calls <= room.calls)

    def room(self) -> Room:
        """What may be charged now, beside what was."""
        allowed = self.usd_allowed()
        return Room(
            None if allowed is None else allowed - self.kept_usd - self.total.usd,
            None if self.max_calls is None else self.max_calls - self.kept_calls - self.total.n_calls,
        )

    def settle(self, call: str, usd: float | None, completion: Completion | None = None) -> None:
        with self._lock:
            number, scope, arm_id = self._open[call].pop(0)
            most = self._aside.pop(number)
            text = None
            if completion is not None and self._keeps:
                text = _COMPLETION.dump_json(completion).decode()
            self.store.end_call(number, "failed" if completion is None else "answered", usd, text)
            self._count(scope, arm_id, usd, most, answered=completion is not None)
            if text is not None:
                self._in_hand.append((call, text))

    def usd_of(self, scope: str) -> float | None:
        """What was charged for ``scope``; ``None`` where that is not known of a call."""
        charged = self.by_scope.get(scope, Charged())
        return None if charged.n_unknown else charged.usd

    # -- for the runner --------------------------------------------------------------------------------

    @contextmanager
    def answering(self, scope: str, arm_id: str = "", *, keeps: bool = True, closed: bool = False) -> Iterator[None]:
        """What is asked meanwhile is asked for ``scope``, and counted for the arm.

        Args:
            keeps: answers that were paid for it before are handed out, each once; not where time is measured.
            closed: nothing more is sent.
        """
        with self._lock:
            self._scope, self._arm_id, self._keeps, self._closed = scope, arm_id, keeps, closed
        try:
            yield
        finally:
            with self._lock:
                self.next_pass()
                self._scope, self._arm_id, self._keeps, self._closed = "", "", False, False

    def next_pass(self) -> None:
        """What was asked meanwhile came to nothing as a whole: the next time the same is asked, its answers are there."""
        with self._lock:
            for call, text in self._in_hand:
                self._kept[self._scope, call].append(text)
            self._in_hand.clear()

    def delivered(self, scope: str) -> None:
        """The rows of ``scope`` are stored."""
        with self._lock:
            for key in [key for key in self._kept if key[0] == scope]:
                del self._kept[key]

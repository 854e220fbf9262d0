"""What a run has paid to services, call by call, over all its starts; keeps it under the caps on money and calls.

Before a call is sent, the most that it can cost is written to the store and set aside; when its answer is there, that gives
way to what it cost. So whatever happens, a kill at any point among it,

    paid ≤ settled + set aside ≤ cap

A call that was under way when a run was killed counts with the most that it can cost: nobody knows whether it was charged. An answer
that was paid for and whose row could not be stored any more is kept with its call, and handed out in place of a new one.

Calls that are gathered into a batch were not sent before the store says that the batch was about to be made: killed
before that they cost nothing. Killed later, the next start asks the service what became of them (`settle_left`).
"""

from __future__ import annotations

import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from pydantic import TypeAdapter

from tuneworth.errors import MoneySpent
from tuneworth.models.base import Completion
from tuneworth.models.metering import Job, JobState, Waiting
from tuneworth.race.store import GATHERED, Store

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
class _Asking:
    """What is asked for, in one thread and by the calls that are made for it; ``in_hand``: answers that it got, not stored with its rows yet."""

    scope: str = ""
    arm_id: str = ""
    keeps: bool = False
    closed: bool = False
    in_hand: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])


_NOW: ContextVar[_Asking | None] = ContextVar("asking", default=None)
"""Goes with the calls of a thread into the thread that makes them."""


@dataclass
class Ledger:
    """A ``JobMeter`` over the store of a run; may be called from any thread.

    Attributes:
        usd_allowed: most that may be charged in all at this moment; ``None``: no limit.
        max_calls: most calls in all that are charged for, or may be.
        kept_usd, kept_calls: of these, not to be spent now.
        reached: this start was refused a call, with nothing kept back any more or not.
        total: of all starts; ``by_scope``: by what calls were made for; ``by_arm``: by the id of the arm, empty for what was for none.
        on_wait: told of a batch that is waited for, again and again; ``waited_seconds``: by this start, in all.
    """

    store: Store
    usd_allowed: Callable[[], float | None] = lambda: None
    on_wait: Callable[[Waiting], None] = lambda waiting: None
    waited_seconds: float = 0.0
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
    _gathered: set[int] = field(default_factory=set[int])
    _together: bool = False
    _waiting: Waiting | None = None

    def __post_init__(self) -> None:
        self._lock = threading.RLock()
        self.read()

    def read(self) -> None:
        """Count what the store holds, in place of what was counted before; not while calls are under way."""
        self.total = Charged()
        for kept in (self.by_scope, self.by_arm, self._kept):
            kept.clear()
        unsent = {GATHERED, *(job.number for job in self.store.jobs() if job.state == "planned")}
        for call in self.store.calls():
            usd = 0.0 if call.is_open and call.job in unsent else call.usd
            self._count(call.scope, call.arm_id, usd, call.most_usd, answered=call.state == "answered")
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
            asking = _NOW.get() or _Asking()
            found = self._kept.get((asking.scope, call)) if asking.keeps else None
            if not found:
                return None
            asking.in_hand.append((call, found.pop(0)))
            return _COMPLETION.validate_json(asking.in_hand[-1][1])

    def set_aside(self, call: str, most_usd: float | None) -> None:
        self._set_aside(call, most_usd)

    def gather(self, call: str, most_usd: float | None) -> None:
        self._set_aside(call, most_usd, GATHERED)

    def _set_aside(self, call: str, most_usd: float | None, job: int | None = None) -> None:
        with self._lock:
            asking = _NOW.get() or _Asking()
            most, under_way = most_usd or 0.0, sum(usd or 0.0 for usd in self._aside.values())
            if asking.closed or not self._allows(most + under_way, 1 + len(self._aside)):
                may_free = bool(self._aside) and not asking.closed and self._allows(most, 1)
                self.reached = self.reached or not (may_free or asking.closed)
                raise MoneySpent(may_free)
            number = self.store.add_call(asking.scope, asking.arm_id, call, most_usd, job)
            self._aside[number] = most_usd
            if job == GATHERED:
                self._gathered.add(number)
            self._open[call].append((number, asking.scope, asking.arm_id))

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
            if number in self._gathered:  # it was not sent
                self._gathered.remove(number)
                usd = usd or 0.0
            text, asking = None, _NOW.get() or _Asking()
            if completion is not None and asking.keeps:
                text = _COMPLETION.dump_json(completion).decode()
            self.store.end_call(number, "failed" if completion is None else "answered", usd, text)
            self._count(scope, arm_id, usd, most, answered=completion is not None)
            if text is not None:
                asking.in_hand.append((call, text))

    def plan_job(self, model: str, calls: Sequence[str]) -> Job:
        with self._lock:
            numbers = list[int]()
            for call in calls:
                number = next(number for number, *_ in self._open[call] if number in self._gathered)
                self._gathered.remove(number)
                numbers.append(number)
            return self.store.add_job(model, f"tuneworth-{uuid.uuid4().hex[:20]}", time.time(), numbers)

    def note_job(self, job: int, state: JobState, id: str | None = None) -> None:
        self.store.note_job(job, state, id)

    def left_jobs(self, model: str) -> list[Job]:
        return [job for job in self.store.jobs() if job.model == model and job.state in ("creating", "created")]

    def settle_left(self, call: int, usd: float | None, completion: Completion | None) -> None:
        """It counts, and is handed out, once the store was ``read`` again."""
        text = None if completion is None else _COMPLETION.dump_json(completion).decode()
        self.store.end_call(call, "failed" if completion is None else "answered", usd, text)

    def waited(self, seconds: float, waiting: Waiting | None) -> None:
        if self._together:
            self._waiting = waiting
            return
        self.waited_seconds += seconds
        if waiting is not None:
            self.on_wait(waiting)

    @contextmanager
    def waiting_together(self) -> Iterator[Callable[[], None]]:
        """Threads wait for batches meanwhile. Their time counts once, whenever what this gives is called, and in this thread."""
        last, self._together = time.monotonic(), True

        def tick() -> None:
            nonlocal last
            now = time.monotonic()
            self.waited_seconds, last = self.waited_seconds + now - last, now
            if self._waiting is not None:
                self.on_wait(self._waiting)

        try:
            yield tick
        finally:
            self._together, self._waiting = False, None

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
        before = _NOW.set(_Asking(scope, arm_id, keeps, closed))
        try:
            yield
        finally:
            self.next_pass()
            _NOW.reset(before)

    def next_pass(self) -> None:
        """What was asked meanwhile came to nothing as a whole: the next time the same is asked, its answers are there."""
        with self._lock:
            if (asking := _NOW.get()) is not None:
                for call, text in asking.in_hand:
                    self._kept[asking.scope, call].append(text)
                asking.in_hand.clear()

    def delivered(self, scope: str) -> None:
        """The rows of ``scope`` are stored."""
        with self._lock:
            for key in [key for key in self._kept if key[0] == scope]:
                del self._kept[key]

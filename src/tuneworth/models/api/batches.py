"""Calls gathered into batches: half the price, an answer within a day.

`Batches` is a `Wire`: those who send calls wait for their answers as if each had been sent by itself. Calls that come within a
moment of one another become one job of the service; the next job is made when that one has ended. Before a job is made, and
again when its id is known, it is written down with the meter, so that whatever happens to this process, a later start of the run
finds it: by its id, or by the name that was sent with it.

    planned ─ upload → creating ─ create → created ─ results → ended

A run that was killed while a job was ``creating`` does not know whether there is one. `Batches.collect` looks for it in the
service's list of jobs: OpenAI's protocol has a field for the name, Anthropic's does not, so there jobs of that time and size are
waited for, and their results tell whose they are.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar

from tuneworth.models.api.calls import Call, Reply
from tuneworth.models.api.failures import Trouble, trouble_told
from tuneworth.models.api.lane import Lane
from tuneworth.models.api.pace import Pace
from tuneworth.models.base import Completion
from tuneworth.models.metering import Job, JobMeter, Waiting

LEAST_ROWS = 16
"""Requests that are made at once: fewer are asked one by one, at the standard price; nobody waits hours for eight answers."""
GATHER_S = 2.0
"""A batch is full when no call came for so long."""
MOST_CALLS = 5000
"""Of one job; the services' own limits are 5,000 and more."""
LONGEST_POLL_S = 60.0
MOST_SILENT_S = 3600.0
"""A service that gives no answer for so long is left; its job is collected by a later start."""
_TOO_MUCH = "token_limit_exceeded"
"""OpenAI's word for a job of more tokens than an account may have waiting."""
_NOT_THERE = ("unknown_model", "rejected")
"""Kinds of what a service answers where it has no such job, or no such path."""
Found = Mapping[str, Reply | Trouble]
"""Id of a line → what came of it."""
Ended = Literal["no", "yes", "expired", "cancelled", "failed", "gone"]
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Look:
    """How a job stands.

    Attributes:
        ended: ``no``: it is under way; ``yes``: results are there for all calls; else why there are none for some, or for all.
        said: what the service says of a job that failed.
        files: ids of those that hold its results, where results are in files; ``sent``: of those that may be deleted.
    """

    ended: Ended
    done: int = 0
    total: int = 0
    said: str = ""
    files: tuple[str, ...] = ()
    sent: tuple[str, ...] = ()


class JobWire(Protocol):
    """Speaks one protocol's part for batches. Everything raises `Trouble`.

    Attributes:
        named: a job that ``find`` gives bears the name; else only its results tell whose it is.
    """

    named: bool

    async def prepare(self, lines: Mapping[str, Call]) -> Any:
        """What ``create`` needs; nothing is asked of a model yet."""
        ...

    async def create(self, name: str, prepared: Any) -> str:
        """Id of the job."""
        ...

    async def find(self, job: Job) -> list[str]:
        """Ids of jobs that may be this one."""
        ...

    async def look(self, id: str) -> Look: ...

    async def results(self, id: str, look: Look) -> Found:
        """In whatever order; lines that cannot be read are left out, and of two with the same id the first counts."""
        ...

    async def forget(self, id: str, look: Look) -> None:
        """Delete what the service keeps of a job, as far as it lets us."""
        ...


@dataclass(frozen=True, slots=True)
class Collected:
    """A job that is over; ``replies``: by number what came of its open calls."""

    job: Job
    id: str | None
    look: Look
    replies: Mapping[int, Reply | Trouble]


@dataclass
class Batches:
    """Gathers calls of one model into jobs. Used in one event loop.

    Attributes:
        digest: of a call, as it is noted with the meter.
        patience_seconds: wait before the first look at a job; it grows to a minute.
        waiting: the job that is waited for now.
    """

    wire: JobWire
    model: str
    host: str
    digest: Callable[[Call], str]
    patience_seconds: float
    meter: JobMeter | None = None
    waiting: Waiting | None = None
    _most_calls: int = MOST_CALLS
    _gathered: list[tuple[Call, asyncio.Future[Reply]]] = field(default_factory=list)
    _last: float = 0.0
    _task: asyncio.Task[None] | None = None
    _ended: list[Collected] = field(default_factory=list)

    def lane(self) -> Lane:
        return Lane(self, _Patient(10**6), batch=True, queue=asyncio.Lock())

    async def listed(self) -> list[Any]:
        """None of its own."""
        return []

    async def send(self, call: Call) -> Reply:
        """Raises: Trouble."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Reply] = loop.create_future()
        self._gathered.append((call, answer))
        self._last = loop.time()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._jobs())
        return await answer

    def tell(self) -> Callable[[], None]:
        """Called again and again by who waits: has the meter know how long, and for what."""
        last = time.monotonic()

        def told() -> None:
            nonlocal last
            assert self.meter is not None
            seconds, last = time.monotonic() - last, time.monotonic()
            self.meter.waited(seconds, self.waiting)

        return told

    async def close(self) -> None:
        """Those whose answers were waited for have noted what they cost: their jobs are over."""
        assert self.meter is not None
        while self._ended:
            over = self._ended.pop()
            await asyncio.to_thread(self.meter.note_job, over.job.number, "ended")
            if over.id is not None:
                await self._forget(over.id, over.look)

    async def _jobs(self) -> None:
        """One job after the other, as long as calls come."""
        while self._gathered:
            while (rest := self._last + GATHER_S - asyncio.get_running_loop().time()) > 0:
                await asyncio.sleep(rest)
            wanted = [one for one in self._gathered if not one[1].done()]
            taken, self._gathered = wanted[: self._most_calls], wanted[self._most_calls :]
            if not taken:
                continue
            await self._answer(taken)

    async def _answer(self, taken: Sequence[tuple[Call, asyncio.Future[Reply]]]) -> None:
        """Those who wait get what came of a job of their calls."""
        found: Sequence[Reply | Exception]
        try:
            found = await self._job([call for call, _ in taken], lambda: all(one.done() for _, one in taken))
        except Exception as error:
            found = [error] * len(taken)
        for (_, answer), reply in zip(taken, found, strict=True):
            if answer.done():
                continue
            if isinstance(reply, Reply):
                answer.set_result(reply)
            else:
                answer.set_exception(reply)

    async def _job(self, calls: Sequence[Call], given_up: Callable[[], bool]) -> list[Reply | Exception]:
        """What came of ``calls``."""
        assert self.meter is not None
        job = await asyncio.to_thread(self.meter.plan_job, self.model, [self.digest(call) for call in calls])
        lines = {job.line_id(number): call for number, call in zip(job.calls, calls, strict=True)}
        try:
            id = await self._made(job, lines)
            look, found = await self._of_made(id, len(lines), given_up)
            if look.ended == "failed" and _TOO_MUCH in look.said:  # the calls try again
                self._most_calls = max(1, len(calls) // 2)
        finally:
            self.waiting = None
        if not given_up():
            self._ended.append(Collected(job, id, look, {}))
        return [found.get(line) or _missing(look) for line in lines]

    async def _made(self, job: Job, lines: Mapping[str, Call]) -> str:
        """The id of the job, made now."""
        assert self.meter is not None
        try:
            prepared = await self._patiently(lambda: self.wire.prepare(lines))
        except Trouble as trouble:
            raise _not_made(trouble, maybe_made=False) from trouble
        await asyncio.to_thread(self.meter.note_job, job.number, "creating")

        maybe_made = False

        async def create() -> str | None:
            nonlocal maybe_made
            if maybe_made and (there := await self._found(job)):
                return there[0] if self.wire.named else None
            try:
                return await self.wire.create(job.name, prepared)
            except Trouble as trouble:
                maybe_made = maybe_made or trouble.charged or trouble.kind == "server"
                raise

        try:
            id = await self._patiently(create)
        except Trouble as trouble:
            if not maybe_made:
                await asyncio.to_thread(self.meter.note_job, job.number, "planned")
            raise _not_made(trouble, maybe_made=maybe_made) from trouble
        if id is None:  # a later start waits for the results of those that were found
            raise _not_made(Trouble("server", "it is not known whether the batch was made"), maybe_made=True)
        await asyncio.to_thread(self.meter.note_job, job.number, "created", id)
        return id

    async def _of_made(self, id: str, n: int, given_up: Callable[[], bool]) -> tuple[Look, Found]:
        """As ``_results``. Where these cannot be had the job is there all the same: a later start collects it, and none is made again."""
        try:
            return await self._results(id, n, given_up)
        except Trouble as trouble:
            raise Trouble(trouble.kind, trouble.said, retry_after=math.inf, charged=True) from trouble

    async def _results(self, id: str, n: int, given_up: Callable[[], bool] = lambda: False) -> tuple[Look, Found]:
        """Wait until the job has ended, and get what came of its calls."""
        pause = self.patience_seconds
        try:
            while (look := await self._patiently(lambda: self.wire.look(id))).ended == "no":
                self.waiting = Waiting(id, self.host, look.done, look.total or n)
                if given_up():
                    raise Trouble("network", "nobody waits for the batch")
                await asyncio.sleep(pause)
                pause = min(LONGEST_POLL_S, 1.5 * pause)
            return look, await self._patiently(lambda: self.wire.results(id, look))
        except Trouble as trouble:
            if trouble.kind not in _NOT_THERE:
                raise
            return Look("gone", said=trouble.said), {}

    async def _patiently(self, ask: Callable[[], Awaitable[Result]]) -> Result:
        """``ask``, again and again while its failure may pass."""
        began, pause = time.monotonic(), self.patience_seconds
        while True:
            try:
                return await ask()
            except Trouble as trouble:
                if not trouble.may_pass or time.monotonic() - began > MOST_SILENT_S:
                    raise
                await asyncio.sleep(min(max(pause, trouble.retry_after or 0.0), MOST_SILENT_S))
            pause = min(LONGEST_POLL_S, 2 * pause)

    async def _forget(self, id: str, look: Look) -> None:
        try:
            await self.wire.forget(id, look)
        except Trouble:
            return  # services delete it by themselves, some weeks later

    # what an earlier start has left

    async def collect(self, came_to: Callable[[Reply | Trouble], Completion]) -> list[Job]:
        """Have the meter take what came of jobs that earlier starts have left, and wait for those that are under way.

        Returns:
            Jobs that cannot be found.

        Raises:
            Trouble: the service does not answer.
        """
        assert self.meter is not None
        lost = list[Job]()
        for job in self.meter.left_jobs(self.model):
            over = await self._left(job)
            if over is None:
                await asyncio.to_thread(self.meter.note_job, job.number, "lost")
                lost.append(job)
                continue
            for number, reply in over.replies.items():
                done = came_to(reply)
                self.meter.settle_left(number, done.usd, done if isinstance(reply, Reply) else None)
            self._ended.append(over)
            await self.close()
        return lost

    async def _left(self, job: Job) -> Collected | None:
        """A job of an earlier start, once it is over."""
        if not job.open_calls:  # the run was killed in the last moment
            return Collected(job, job.id, Look("yes"), {})
        try:
            ids = [job.id] if job.id is not None else await self._candidates(job)
            for id in ids:
                look, found = await self._results(id, len(job.calls))
                if job.id is not None or any(job.line_id(number) in found for number in job.calls):
                    lines = {number: job.line_id(number) for number in job.open_calls}
                    replies = {number: found.get(line) or _missing(look) for number, line in lines.items()}
                    return Collected(job, id, look, replies)
        finally:
            self.waiting = None
        return None

    async def _candidates(self, job: Job) -> list[str]:
        try:
            return await self._patiently(lambda: self._found(job))
        except Trouble as trouble:
            if trouble.kind not in _NOT_THERE:
                raise
            return []  # the service has no list

    async def _found(self, job: Job) -> list[str]:
        """Ids of jobs that may be this one, and are not known to be others of this run."""
        assert self.meter is not None
        known = {other.id for other in await asyncio.to_thread(self.meter.left_jobs, self.model)}
        return [id for id in await self.wire.find(job) if id not in known]


class _Patient(Pace):
    """Lets all calls wait side by side, and goes on after a job that came to nothing: there are no few seconds to wait for."""

    def too_much(self, began: float, wait: float | None) -> None:
        """The next job is smaller."""

    def gave_nothing(self) -> None:
        """Nothing follows for the next job."""


def _missing(look: Look) -> Trouble:
    """Of a call that a job has no result for. Another try might wait as long again: it is left to a later start."""
    if look.ended == "failed":
        kind = trouble_told(400, look.said, "").kind
        if _TOO_MUCH in look.said:
            return Trouble("busy", look.said)
        return Trouble(kind if kind in ("quota", "unknown_model") else "server", look.said, retry_after=math.inf)
    if look.ended in ("expired", "cancelled"):
        return Trouble("server", f"the batch was {look.ended}", retry_after=math.inf)
    said = look.said if look.ended == "gone" else "the batch has no result for this call that can be read"
    return Trouble("server", said, retry_after=math.inf, charged=True)


def _not_made(trouble: Trouble, *, maybe_made: bool) -> Trouble:
    """Why there is no job. What the service does not take is not the fault of a call, and told as such."""
    if trouble.kind in ("unknown_model", "rejected", "too_long", "too_large", "filtered"):
        return Trouble("batch", trouble.said, charged=maybe_made)
    return Trouble(trouble.kind, trouble.said, retry_after=math.inf, charged=maybe_made)

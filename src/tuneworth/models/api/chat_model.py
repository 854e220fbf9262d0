"""A language model behind an address.

The requests of a batch are under way side by side (`pace`); each is tried again while its failure may pass, held to its form by
the best means that the service takes (`constrain`), and checked here. Every try that may be charged is set aside with the meter
before it is sent. It is not deterministic: temperature 0 is asked for where there is one, and promises nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, ClassVar, cast
from urllib.parse import urlsplit

from tuneworth.core.answers import after_reasoning
from tuneworth.core.outcome import Usage
from tuneworth.core.text import Text
from tuneworth.costs.prices import Price
from tuneworth.errors import EnvironmentProblem, InputError, MoneySpent, Problem
from tuneworth.models.api import loop
from tuneworth.models.api.batches import LEAST_ROWS, Batches, JobWire
from tuneworth.models.api.calls import Call, Ended, Reply, Wire
from tuneworth.models.api.constrain import Form, NotAllowed
from tuneworth.models.api.failures import Trouble, shown
from tuneworth.models.api.lane import Asked, Lane, Stopped
from tuneworth.models.api.lists import ModelList, why_unknown
from tuneworth.models.api.pace import Pace
from tuneworth.models.api.record import SURELY_IGNORED, Record, held_by
from tuneworth.models.api.services import Endpoint, Means
from tuneworth.models.api.tokens import estimated_tokens, most_tokens, visible
from tuneworth.models.api.tries import hopeless, tried
from tuneworth.models.base import Capabilities, Completion, Effort, Meter, Request
from tuneworth.models.effort import ROOM_TO_THINK
from tuneworth.models.metering import JobMeter, digest_of, metered
from tuneworth.words.say import say

CONTEXT_TOKENS = 128_000
"""Where neither the service nor the task file says."""
_FIELDS = ("temperature", "max_completion_tokens", "max_tokens")
"""What a service may refuse, in the order in which its words are searched for them."""


@dataclass
class ChatModel:
    """A ``Metered`` model whose answers come from a service.

    Attributes:
        price: what it charges; ``None`` when that is not known.
        models: what the service's list said when the model was opened.
        record: what it has told of itself since.
        patience_seconds: longest wait before the second try; it doubles with each.
        job_wire: speaks of batches, where requests are to be gathered into them; ``None``: each is sent by itself.
    """

    endpoint: Endpoint
    wire: Wire
    price: Price | None = None
    models: ModelList = ModelList()
    record: Record = field(default_factory=Record)
    patience_seconds: ClassVar[float] = 0.5
    job_wire: JobWire | None = None

    def __post_init__(self) -> None:
        service = self.endpoint.service
        self.capabilities = Capabilities(
            local=self.endpoint.is_here,
            can_train=False,
            constraints=frozenset({"labels", "json_schema", "regex"}),
            context_tokens=service.context_tokens or self.models.context_tokens or CONTEXT_TOKENS,
            deterministic=False,
            reasoning=service.reasoning != "none",
        )
        self._meter: Meter | None = None
        self._pace = Pace(service.at_once, per_minute=service.requests_per_minute)
        self._live = self._gathering = Lane(self.wire, self._pace)
        self._batches: Batches | None = None
        if self.job_wire is not None:
            host = urlsplit(self.endpoint.address).hostname or ""
            self._batches = Batches(self.job_wire, self.id, host, self._digest, self.patience_seconds)
            self._gathering = self._batches.lane()
        known: list[Means] = [means for means in service.means if service.protocol == "chat" or means != "json_mode"]
        self._ladder: tuple[Means, ...] = (*known, "words")
        self._first_means: dict[str, int] = {}
        self._ignored: dict[Means, int] = {}
        self._warm: set[str] = set()
        self._thinks = False
        self._prompt_factor = 1.0

    @property
    def id(self) -> str:
        return self.endpoint.name

    @property
    def batched(self) -> bool:
        """Many requests are gathered into batches, once there is a meter to write these down."""
        return self._batches is not None

    def attach(self, meter: Meter) -> None:
        """Set aside every call from here on. The meter is called from the thread that makes the calls."""
        self._meter = meter
        if self._batches is not None:
            self._batches.meter = cast(JobMeter, meter)

    def generate(self, requests: Sequence[Request], *, max_new_tokens: int) -> list[Completion]:
        """Completions in the order of ``requests``.

        Raises:
            MoneySpent: the cap is reached. As with the others, calls under way are waited for, and the meter has kept their answers.
            EnvironmentProblem: the key is refused, there is no quota, or the address cannot be used.
            InputError: the service does not know the model.
        """
        if self._batches is None or self._meter is None or len(requests) < LEAST_ROWS:
            return loop.run(self._batch(requests, max_new_tokens, self._live))
        return loop.run(self._batch(requests, max_new_tokens, self._gathering), self._batches.tell())

    async def _batch(self, requests: Sequence[Request], max_new_tokens: int, lane: Lane) -> list[Completion]:
        """Every request has its task; the first that finds that all is over stops those that were not sent yet."""
        done: dict[int, Completion] = {}
        stopped: list[BaseException] = []
        started = time.perf_counter()

        async def one(at: int, lane: Lane) -> None:
            async with lane.pace.turn():
                if stopped:
                    return
                try:
                    done[at] = await self._answer(requests[at], max_new_tokens, stopped, lane)
                except Stopped as error:
                    stopped.append(error.why)

        begin = 0
        if len(requests) > 1 and (head := self._cold_head(requests[0], lane)) is not None:
            await one(0, self._live)  # a service keeps what the first call sent; those sent beside it would pay in full
            self._warm.add(head)
            begin = 1
        outcomes = await asyncio.gather(*(one(at, lane) for at in range(begin, len(requests))), return_exceptions=True)
        stopped += [error for error in outcomes if isinstance(error, BaseException)]
        seconds = 0.0 if lane.batch else time.perf_counter() - started  # waiting for a batch is nobody's latency
        if lane.batch and self._batches is not None:
            await self._batches.close()
        if stopped:
            raise stopped[0]
        whole = sum(each.latency_ms for each in done.values()) or 1.0
        answers = [done[at] for at in range(len(requests))]
        return [replace(each, latency_ms=1000 * seconds * each.latency_ms / whole) for each in answers]

    def _cold_head(self, request: Request, lane: Lane) -> str | None:
        """Digest of what all requests share, when it is long enough for the service's cache and was not sent before. Before a
        batch, the form of the answers: what the service does not take is found out by one call, not by a job of hundreds."""
        shared = request.messages[: request.n_shared]
        if lane.batch:
            shared = (request.constraint and request.constraint.kind, request.reasoning)
        elif sum(self.count_tokens(turn.content) for turn in shared) < self.endpoint.service.cache_from:
            return None
        head = hashlib.sha256(repr(shared).encode()).hexdigest()
        return None if head in self._warm else head

    async def _answer(
        self, request: Request, max_new_tokens: int, stopped: list[BaseException], lane: Lane
    ) -> Completion:
        """One request: down the ladder of means, and once more in words where the answer is not allowed."""
        form = Form(request.constraint) if request.constraint is not None else None
        asked = Asked(lane)
        call = Call(request.messages, request.n_shared, self._limit(max_new_tokens, request.reasoning), form)
        call = replace(call, effort=request.reasoning)
        try:
            reply, call = await self._down_the_ladder(call, asked, stopped)
            if reply.ended == "length" and not reply.text.strip() and request.reasoning is None:
                self._thinks = True  # it thought until its tokens were used up: give it room
                if call.max_tokens < (room := self._limit(max_new_tokens, None)):
                    call = replace(call, max_tokens=room)
                    reply = await self._tried(call, asked, stopped)
            completion = self._read(reply, form, call)
            if isinstance(completion, NotAllowed):
                assert form is not None
                self.record.repairs += 1
                again = form.repair(visible(reply.text), str(completion), call.means)
                call = replace(call, messages=call.messages + again, without=frozenset(self.record.refused))
                reply = await self._tried(call, asked, stopped)
                completion = self._read(reply, form, call)
            if isinstance(completion, NotAllowed):
                self.record.not_allowed += 1
                error = f"not an allowed answer ({completion}): {shown(reply.text)}"
                completion = Completion("", Usage(), 0.0, "error", error)
        except Trouble as trouble:
            completion = self._failed(trouble)
        return replace(completion, usage=asked.usage, usd=asked.usd, latency_ms=1000 * asked.seconds)

    async def _down_the_ladder(self, call: Call, asked: Asked, stopped: list[BaseException]) -> tuple[Reply, Call]:
        """The reply by the first means that the service takes, and the call that it is to.

        A request that is refused is not charged. What one means is refused for is remembered once another is not.
        """
        kind = call.form.constraint.kind if call.form is not None else ""
        first = self._first_means.get(kind, 0) if kind else len(self._ladder) - 1
        steps = [means for means in self._ladder[first:] if not self._cannot(call, means)]
        why: Trouble | None = None
        for means in steps:
            call = replace(call, means=means, without=frozenset(self.record.refused))
            try:
                reply = await self._without_refused_fields(call, asked, stopped)
            except Trouble as trouble:
                if trouble.kind != "rejected":
                    raise
                why = trouble
                continue
            if why is not None and kind:
                self._first_means[kind] = self._ladder.index(means)
                for skipped in steps[: steps.index(means)]:
                    self.record.refused.setdefault(f"{skipped}: {kind}", why.said)
            return reply, call
        assert why is not None
        raise why

    def _cannot(self, call: Call, means: Means) -> bool:
        return call.form is not None and means == "strict" and call.form.strict_schema is None

    async def _without_refused_fields(self, call: Call, asked: Asked, stopped: list[BaseException]) -> Reply:
        """A field that the service says it does not take is left out from then on."""
        while True:
            try:
                return await self._tried(call, asked, stopped)
            except Trouble as trouble:
                refused = next((name for name in _FIELDS if name in trouble.said and name not in call.without), None)
                if trouble.kind != "rejected" or refused is None:
                    raise
                self.record.refused[refused] = trouble.said
                call = replace(call, without=call.without | {refused})

    async def _tried(self, call: Call, asked: Asked, stopped: list[BaseException]) -> Reply:
        """The reply to ``call``, tried again while its failure may pass."""
        return await tried(lambda: self._sent(call, asked, stopped), asked.lane.pace, self.patience_seconds)

    async def _sent(self, call: Call, asked: Asked, stopped: list[BaseException]) -> Reply:
        """One try through the meter; an answer that was paid for before is not paid for again."""
        lane, troubles, names = asked.lane, list[Trouble](), [self.endpoint.model]
        most, gather = self._most_usd(call, batch=lane.batch), None
        if lane.batch:
            gather = cast(JobMeter, self._meter).gather

        async def send() -> Completion:
            began = time.monotonic()
            self.record.calls += 1
            try:
                reply = await lane.wire.send(call)
            except Trouble as trouble:
                troubles.append(trouble)
                asked.seconds += time.monotonic() - began
                self._note_trouble(trouble, began, lane)
                return self._came_to(trouble, batch=lane.batch)
            asked.seconds += time.monotonic() - began
            names.append(reply.model)
            self._note(call, reply, lane)
            return self._came_to(reply, batch=lane.batch)

        await lane.pace.ready()
        if stopped:
            raise Stopped(stopped[0])
        try:
            completion = await metered(self._meter, self._digest(call), most, send, aside=gather, queue=lane.queue)
        except MoneySpent as error:
            raise Stopped(error) from error
        asked.add(completion.usage, most if completion.usd is None else completion.usd)
        if not troubles and completion.finish_reason == "stop" and not _said(completion.text, call.form).strip():
            self.record.tries["empty"] += 1
            later = math.inf if lane.batch else None  # nobody waits for one batch after another
            troubles.append(Trouble("empty", "an empty answer", retry_after=later))
        if troubles:
            [trouble] = troubles
            if (fatal := self.fatal(trouble)) is not None:
                raise Stopped(fatal) from trouble
            raise trouble
        ended: Ended = "stop" if completion.finish_reason not in ("length", "refused") else completion.finish_reason
        return Reply(completion.text, completion.usage, ended, names[-1])

    def _came_to(self, told: Reply | Trouble, *, batch: bool) -> Completion:
        """What a try has given, and cost."""
        if isinstance(told, Trouble):
            return Completion("", Usage(), 0.0, "error", told.said, usd=None if told.charged else 0.0)
        usd = None
        if self.price is not None and told.usage is not None:
            usd = self.price.usd(told.usage, batch=batch)
        return Completion(told.text, told.usage or Usage(), 0.0, told.ended, usd=usd)

    def collect(self) -> list[Text]:
        """Have the meter take what came of batches that earlier starts of the run have left. Waits for those under way.

        Returns:
            What is to be told of those that could not be found.

        Raises:
            EnvironmentProblem: the service does not answer.
        """
        if self._batches is None or self._batches.meter is None:
            return []
        try:
            lost = loop.run(self._batches.collect(partial(self._came_to, batch=True)), self._batches.tell())
        except Trouble as trouble:
            silent = EnvironmentProblem(Problem(self._where, say("models.service.unreachable", said=trouble.said)))
            raise self.fatal(trouble) or silent from trouble
        host = self._batches.host
        return [say("models.batch.lost", n=len(job.open_calls), host=host) for job in lost]

    def _digest(self, call: Call) -> str:
        """Of all that the reply depends on."""
        constraint = call.form.constraint if call.form is not None else None
        request = Request(call.messages, constraint, n_shared=call.n_shared, reasoning=call.effort)
        return digest_of(self.id, request, means=call.means, most=call.max_tokens, address=self.endpoint.address)

    def _note_trouble(self, trouble: Trouble, began: float, lane: Lane) -> None:
        self.record.tries[trouble.kind] += 1
        if trouble.kind == "busy":
            lane.pace.too_much(began, trouble.retry_after)

    def _note(self, call: Call, reply: Reply, lane: Lane) -> None:
        lane.pace.went_well()
        record = self.record
        record.answers += 1
        record.answered_by[shown(reply.model)] += 1
        record.add_usage(reply.usage)
        if call.form is not None:
            record.means[call.means] += 1
        bound = self._most_prompt_tokens(call)
        if reply.usage is not None and reply.usage.prompt_tokens > bound:
            record.above_bound += 1
            self._prompt_factor *= 1.1 * reply.usage.prompt_tokens / bound

    def _read(self, reply: Reply, form: Form | None, call: Call) -> Completion | NotAllowed:
        """What is made of a reply."""
        if reply.ended == "refused":
            return Completion("", Usage(), 0.0, "refused", shown(reply.text))
        text = _said(reply.text, form)
        if not text.strip():
            return Completion("", Usage(), 0.0, "error", "no answer within its tokens")
        if form is None:
            return Completion(text, Usage(), 0.0, "length" if reply.ended == "length" else "stop")
        try:
            return Completion(form.read(text), Usage(), 0.0, "stop")
        except NotAllowed as error:
            begun = text.lstrip()[:1] in ("{", "[")
            if reply.ended == "length" and begun:
                return Completion("", Usage(), 0.0, "error", f"cut off at its most tokens: {shown(text)}")
            if not begun:
                self._note_ignored(call)
            return error

    def _note_ignored(self, call: Call) -> None:
        """A service that sends no JSON though it was sent a schema does not know schemas: the next means is tried."""
        if call.means == "words":
            return
        self._ignored[call.means] = self._ignored.get(call.means, 0) + 1
        if self._ignored[call.means] >= SURELY_IGNORED and call.form is not None:
            kind, after = call.form.constraint.kind, self._ladder.index(call.means) + 1
            self._first_means[kind] = max(self._first_means.get(kind, 0), after)
            self.record.refused.setdefault(f"{call.means}: {kind}", "ignored")

    def _failed(self, trouble: Trouble) -> Completion:
        if trouble.kind == "too_long":
            return Completion("", Usage(), 0.0, "over_context", trouble.said)
        if trouble.kind == "filtered":
            return Completion("", Usage(), 0.0, "refused", trouble.said)
        return Completion("", Usage(), 0.0, "error", str(trouble), may_pass=trouble.may_pass)

    @property
    def _where(self) -> str:
        return f"{self.id} ({self.endpoint.address})"

    def fatal(self, trouble: Trouble) -> BaseException | None:
        """What no further call can change: it ends the run, which can go on when it is mended."""
        if trouble.kind == "unknown_model":
            return InputError(Problem(self._where, why_unknown(self.endpoint.model, self.models, trouble.said)))
        return hopeless(self.endpoint, trouble)

    # money and tokens

    def most_usd(self, request: Request, *, max_new_tokens: int) -> float | None:
        """The most that ``request`` can cost in one try."""
        form = Form(request.constraint) if request.constraint is not None else None
        limit = self._limit(max_new_tokens, request.reasoning)
        return self._most_usd(Call(request.messages, request.n_shared, limit, form, self._ladder[0]))

    def _most_usd(self, call: Call, *, batch: bool = False) -> float | None:
        if self.price is None:
            return None
        return self.price.most_usd(self._most_prompt_tokens(call), call.max_tokens, batch=batch)

    def _most_prompt_tokens(self, call: Call) -> int:
        return int(self._prompt_factor * most_tokens(call))

    def _limit(self, max_new_tokens: int, effort: Effort | None) -> int:
        """Tokens of the answer and of the thinking before it; a form in JSON takes a few more than the answer alone."""
        thinks = effort if effort is not None or not self._thinks else "medium"  # by itself: nobody said how much
        return max_new_tokens + FORM_TOKENS + ROOM_TO_THINK.get(thinks or "none", 0)

    def count_tokens(self, text: str) -> int:
        """An estimate, for plans: nobody but the service has its tokenizer."""
        return estimated_tokens(text)

    def load_adapter(self, name: str, folder: str) -> None:
        """Raises: InputError: always."""
        raise InputError(Problem(self.id, say("models.service.no_adapters")))

    def describe(self) -> dict[str, Any]:
        """What it is, and what it has told of itself until now."""
        service = self.endpoint.service
        return {
            "source": "api",
            "service": service.title,
            "address": self.endpoint.address,
            "model": self.endpoint.model,
            "protocol": service.protocol,
            "shutdown_date": self.models.shutdown_date,
            "stated": self.endpoint.stated,
            "price": None if self.price is None else self.price.source,
            "ladder": list(self._ladder),
            "thinks_by_itself": self._thinks,
            "at_once": [self._pace.lowest, self._pace.highest],
            "turned_away": self._pace.turned_away,
            "batches": self.batched,
            **self.record.facts(),
            "warnings": [text.en for text in self.record.warnings()],
        }

    def notes(self, *, held: bool) -> list[Text]:
        """What a reader of the run should know of this model."""
        dated = self.models.shutdown_date
        used: list[Means] = [means for means in self._ladder if self.record.means[means]]
        ends = [say("models.service.shuts_down", day=dated)] if dated else []
        gathered = [say("models.batch.note")] if self.batched else []
        return [*ends, *gathered, *([held_by(used)] if used and held else []), *self.record.warnings()]


def _said(text: str, form: Form | None) -> str:
    """What is read of a reply: where an answer is held to a form, not what was thought before it."""
    return visible(after_reasoning(text) if form is not None else text)


FORM_TOKENS = 16
"""``{"answer": "…"}`` around an answer."""

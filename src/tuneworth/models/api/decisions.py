"""Decisions of services: typed questions, a probability for each allowed answer, no text.

Two protocols, both of which send one question about one input: OpenAI's ``POST /decisions`` (its types are in the openai SDK) and
System One, ``POST /systemone`` (TypeSafe and others; sources in ``services.yaml``). The instruction is the question; the row's own
turns are the input. Labels become the options of a *choice*; where they are yes and no, or true and false, a *predicate*
(System One: ``noul``) is asked, whose answer is the probability of yes.

The calls take the way of all calls (`chat_model`): side by side, tried again, set aside with the meter and settled, failures
sorted. A decision that lacks an option, or whose probabilities are none, is a failure and is never mapped. A service that gives
``logprobs`` of its text is no decider: those of a few top tokens are not probabilities of labels.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuneworth.core.answers import fold
from tuneworth.core.outcome import Usage
from tuneworth.core.task import Message
from tuneworth.costs.prices import Price, Rates
from tuneworth.models.api.calls import Call, Reply, count, usage_of
from tuneworth.models.api.chat_model import ChatModel
from tuneworth.models.api.constrain import Form
from tuneworth.models.api.failures import Trouble, trouble_of
from tuneworth.models.api.openai_chat import OpenAIChat
from tuneworth.models.api.record import Record
from tuneworth.models.api.services import Endpoint
from tuneworth.models.base import Completion, Decision, Meter, Request
from tuneworth.models.metering import digest_of

QUESTION = "answer"
YES_OR_NO = ({"yes", "no"}, {"true", "false"}, {"是", "否"}, {"是", "不是"}, {"对", "错"})
YES = frozenset({"yes", "true", "是", "对"})
LEAST = 1e-6
"""Services round: a probability of 0 is read as this."""
MOST_OFF = 0.05
"""What the probabilities of all options may sum to besides 1, by rounding."""
OPTION_TOKENS = 24
"""What stands around an option in a question, at most."""


def decides(endpoint: Endpoint) -> bool:
    """Whether the model answers typed questions, by what is known of its service."""
    service = endpoint.service
    return service.decisions != "none" and any(fnmatchcase(endpoint.model, each) for each in service.decides)


@dataclass(frozen=True)
class Question:
    """What is asked about a row.

    Attributes:
        labels: the allowed answers, each once.
    """

    instructions: str
    turns: tuple[Message, ...]
    labels: tuple[str, ...]

    @classmethod
    def of(cls, call: Call) -> Question:
        labels = call.form.constraint.labels if call.form is not None else None
        if not labels:
            raise ValueError("a decision is between labels")
        told = "\n\n".join(turn.content for turn in call.messages if turn.role == "system")
        turns = tuple(turn for turn in call.messages if turn.role != "system")
        return cls(told or "Which of the options is right?", turns, tuple(dict.fromkeys(labels)))

    @property
    def yes(self) -> str | None:
        """Of a question that is answered with yes or no, the label that means yes."""
        folded = {fold(label): label for label in self.labels}
        if len(self.labels) != 2 or set(folded) not in YES_OR_NO:
            return None
        return next(label for word, label in folded.items() if word in YES)

    @property
    def text(self) -> str | None:
        """The input, where it is one turn."""
        return self.turns[0].content if len(self.turns) == 1 else None


class DecisionWire(OpenAIChat):
    """Speaks one of the two protocols; a reply's text is the probabilities of the labels, as JSON."""

    async def send(self, call: Call) -> Reply:
        """Raises: Trouble."""
        question = Question.of(call)
        most = self._endpoint.service.most_choices
        if not 2 <= len(question.labels) <= most:
            raise Trouble("rejected", f"{len(question.labels)} options; a question takes 2 to {most}")
        try:
            if self._endpoint.service.decisions == "openai":
                return await self._openai(question)
            return await self._system_one(question)
        except Exception as error:
            raise trouble_of(error, self._sdk, self._key) from error

    async def _openai(self, question: Question) -> Reply:
        asked: dict[str, Any] = {"name": QUESTION, "instructions": question.instructions}
        if question.yes is not None:
            asked["type"] = "predicate"
        else:
            asked |= {"type": "choice", "choices": [{"value": label} for label in question.labels]}
        turns = [{"type": "message", "role": turn.role, "content": turn.content} for turn in question.turns]
        given: Any = question.text if question.text is not None else turns
        done = await self._client.decisions.create(model=self._endpoint.model, input=given, questions=[asked])  # type: ignore[arg-type]
        answers = getattr(done, "answers", None)
        if not isinstance(answers, list) or len(answers) != 1:
            raise Trouble("garbled", f"no decision, but a {type(done).__name__}")
        answer = answers[0]
        if answer.type == "refusal":
            return Reply("declined to answer", _usage(done.usage), "refused", str(done.model))
        if answer.type == "predicate":
            found = _of_yes(question, answer.probability)
        else:
            found = {str(each.value): each.probability for each in answer.probabilities}
        return Reply(_checked(question, found), _usage(done.usage), "stop", str(done.model))

    async def _system_one(self, question: Question) -> Reply:
        asked: dict[str, Any] = {"instructions": question.instructions, "type": "noul"}
        if question.yes is None:
            asked |= {"type": "choice", "criteria": dict.fromkeys(question.labels)}
        turns = [{"role": turn.role, "content": turn.content} for turn in question.turns]
        body = {
            "model": self._endpoint.model,
            "state": question.text if question.text is not None else turns,
            "questions": {QUESTION: asked},
        }
        done: Any = await self._client.post("/systemone", body=body, cast_to=object)
        answer = done.get("answers", {}).get(QUESTION) if isinstance(done, dict) else None
        if not isinstance(answer, dict):
            raise Trouble("garbled", "no decision in the answer")
        is_choice = question.yes is None
        found = answer.get("probabilities") if is_choice else _of_yes(question, answer.get("noul"))
        return Reply(_checked(question, found), _usage(done.get("usage")), "stop", str(done.get("model")))


def _of_yes(question: Question, probability: Any) -> dict[str, Any]:
    if not isinstance(probability, int | float):
        raise Trouble("garbled", "no probability in the answer")
    return {label: probability if label == question.yes else 1 - probability for label in question.labels}


def _checked(question: Question, found: Any) -> str:
    """The probabilities of the labels, in their order, as JSON.

    Raises:
        Trouble: one is missing or no probability, or they do not sum to about 1.
    """
    if not isinstance(found, dict):
        raise Trouble("garbled", "no probabilities in the answer")
    values = [found.get(label) for label in question.labels]
    known = [float(each) for each in values if isinstance(each, int | float) and 0 <= each <= 1]
    if len(known) < len(values):
        raise Trouble("garbled", f"{len(values) - len(known)} of {len(values)} options have no probability")
    if abs(math.fsum(known) - 1) > MOST_OFF:
        raise Trouble("garbled", f"the probabilities sum to {math.fsum(known):.3f}")
    return json.dumps(known)


def _usage(used: Any) -> Usage | None:
    """What was read. What a decision may count as written is neither text nor paid for."""

    def of(part: Any, name: str) -> Any:
        return part.get(name) if isinstance(part, dict) else getattr(part, name, None)

    details = of(used, "input_tokens_details")
    cached, written = count(of(details, "cached_tokens")), count(of(details, "cache_write_tokens"))
    return usage_of(count(of(used, "input_tokens")), 0, cached=cached, written=written, reasoning=0)


class _Asker(ChatModel):
    """The calls for decisions, with everything that calls of chats have."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._ladder = ("words",)

    def _digest(self, call: Call) -> str:
        """A chat about the same messages is another call."""
        labels = call.form.constraint if call.form is not None else None
        request = Request(call.messages, labels, n_shared=call.n_shared)
        return digest_of(self.id, request, decision=True, address=self.endpoint.address)

    def _most_prompt_tokens(self, call: Call) -> int:
        labels = call.form.constraint.labels or () if call.form is not None else ()
        return super()._most_prompt_tokens(call) + sum(OPTION_TOKENS + len(label.encode()) for label in labels)

    def _limit(self, max_new_tokens: int, effort: Any) -> int:
        return 0

    def fatal(self, trouble: Trouble) -> BaseException | None:
        """As of chats; but a model that writes goes on without decisions where they are not to be had (404)."""
        goes_on = trouble.kind == "unknown_model" and self.endpoint.service.writes
        return None if goes_on else super().fatal(trouble)

    def _read(self, reply: Reply, form: Form | None, call: Call) -> Completion:
        return Completion(reply.text, Usage(), 0.0, "refused" if reply.ended == "refused" else "stop")


@dataclass
class DecidingModel(ChatModel):
    """A model of a service that also tells how likely each label is (``models.base.Deciding``).

    Attributes:
        decided: what it has told of itself when it decided.
    """

    decided: Record = field(default_factory=Record)

    def __post_init__(self) -> None:
        super().__post_init__()
        writes = self.endpoint.service.writes
        allowed = self.capabilities.constraints if writes else frozenset({"labels"})
        self.capabilities = replace(self.capabilities, label_probabilities=True, constraints=allowed)
        price = None if self.price is None else _of_input(self.price)
        wire = DecisionWire(self.endpoint)
        self._asker = _Asker(self.endpoint, wire, price, models=self.models, record=self.decided)

    def attach(self, meter: Meter) -> None:
        super().attach(meter)
        self._asker.attach(meter)

    def decide(self, requests: Sequence[Request]) -> list[Decision]:
        """See ``models.base.Deciding``; a probability that the service rounds to 0 is read as ``LEAST``.

        Raises:
            ValueError: a request is not held to labels.
            MoneySpent, EnvironmentProblem, InputError: as `ChatModel.generate`.
        """
        for at, request in enumerate(requests):
            if request.constraint is None or not request.constraint.labels:
                raise ValueError(f"request {at} is not held to labels; there is nothing to decide")
        done = self._asker.generate(requests, max_new_tokens=0)
        return [_decision(request, completion) for request, completion in zip(requests, done, strict=True)]

    def generate(self, requests: Sequence[Request], *, max_new_tokens: int) -> list[Completion]:
        """As `ChatModel`; a model that writes no text answers with the likeliest label, or not at all."""
        if self.endpoint.service.writes:
            return super().generate(requests, max_new_tokens=max_new_tokens)
        held = [at for at, one in enumerate(requests) if one.constraint is not None and one.constraint.labels]
        answers = dict(zip(held, self.decide([requests[at] for at in held]) if held else (), strict=True))
        silent = Completion("", Usage(), 0.0, "error", f"{self.id} writes no text; it decides between labels", usd=0.0)
        return [answers[at].completion if at in answers else silent for at in range(len(requests))]

    def describe(self) -> dict[str, Any]:
        return {
            **super().describe(),
            "decisions": {"protocol": self.endpoint.service.decisions, **self.decided.facts()},
        }


def _of_input(price: Price) -> Price:
    """Decisions are paid for by what is read, at the plain rate: no service's documentation tells of cheaper cached tokens."""
    tiers = tuple(
        (above, Rates(input=rates.input, output=0.0, call_usd=rates.call_usd)) for above, rates in price.tiers
    )
    return replace(price, tiers=tiers, batch=None)


def _decision(request: Request, done: Completion) -> Decision:
    labels = (request.constraint.labels if request.constraint is not None else None) or ()
    if done.finish_reason != "stop":
        return Decision(None, done)
    told = dict(zip(dict.fromkeys(labels), json.loads(done.text), strict=True))
    chances: NDArray[np.float64] = np.full(len(labels), -np.inf)
    for label, chance in told.items():  # of labels that are named twice the first
        chances[labels.index(label)] = math.log(max(chance, LEAST))
    scores = chances - np.logaddexp.reduce(chances)
    return Decision(scores, replace(done, text=labels[int(scores.argmax())]))

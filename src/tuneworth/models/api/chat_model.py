"""A language model behind an address."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from tuneworth.core.outcome import Usage
from tuneworth.core.text import Text
from tuneworth.costs.prices import Price, Rates, price_of
from tuneworth.errors import InputError, Problem
from tuneworth.models.api import loop
from tuneworth.models.api.openai_chat import OpenAIChat
from tuneworth.models.api.services import Endpoint, endpoint_of
from tuneworth.models.base import Capabilities, Completion, Meter, Request
from tuneworth.models.metering import all_settled, digest_of, metered

AT_ONCE = 8
"""Requests that wait for their answers at the same time."""
CONTEXT_TOKENS = 32_768
TURN_TOKENS, FORM_TOKENS = 16, 256
"""What a service adds around a turn, and what stands around the labels or the schema that an answer is held to, at most."""


class ChatModel:
    """A ``Model`` whose answers come from a service."""

    def __init__(self, endpoint: Endpoint, price: Price | None = None):
        self.endpoint, self.price = endpoint, price
        self._meter: Meter | None = None
        self.capabilities = Capabilities(
            local=endpoint.is_here,
            can_train=False,
            constraints=frozenset({"labels"}),
            context_tokens=CONTEXT_TOKENS,
            deterministic=False,
        )
        self._chat = OpenAIChat(endpoint)

    @property
    def id(self) -> str:
        return self.endpoint.name

    def attach(self, meter: Meter) -> None:
        self._meter = meter

    def most_usd(self, request: Request, *, max_new_tokens: int) -> float | None:
        """A token is at least one byte: so no prompt has more tokens than bytes, and what stands around each turn."""
        if self.price is None:
            return None
        form = json.dumps([request.constraint.labels, request.constraint.json_schema]) if request.constraint else ""
        n_bytes = sum(len(turn.content.encode()) + TURN_TOKENS for turn in request.messages) + len(form.encode())
        return self.price.most_usd(n_bytes + FORM_TOKENS, max_new_tokens)

    def generate(self, requests: Sequence[Request], *, max_new_tokens: int) -> list[Completion]:
        return loop.run(self._all(requests, max_new_tokens))

    async def _all(self, requests: Sequence[Request], max_new_tokens: int) -> list[Completion]:
        turns = asyncio.Semaphore(AT_ONCE)

        async def one(request: Request) -> Completion:
            call = digest_of(self.id, request, max_new_tokens=max_new_tokens)
            most = self.most_usd(request, max_new_tokens=max_new_tokens)
            async with turns:
                return await metered(self._meter, call, most, lambda: self._one(request, max_new_tokens))

        return await all_settled(map(one, requests))

    async def _one(self, request: Request, max_new_tokens: int) -> Completion:
        import openai

        started = time.perf_counter()
        try:
            text, usage, ended = await self._chat.send(request, max_new_tokens)
        except openai.OpenAIError as error:
            passes = not isinstance(error, openai.APIStatusError) or error.status_code >= 429
            usd = (
                0.0 if isinstance(error, openai.APIStatusError) else None
            )  # cut off: nobody knows whether it was charged
            return Completion("", Usage(), 0.0, "error", str(error)[:200], usd, may_pass=passes)
        latency_ms = (time.perf_counter() - started) * 1000
        if request.constraint is not None and request.constraint.labels is not None and ended == "stop":
            text = json.loads(text)["answer"]
        usd = self.price.usd(usage) if self.price is not None and usage != Usage() else None
        return Completion(text, usage, latency_ms, "length" if ended == "length" else "stop", usd=usd)

    def count_tokens(self, text: str) -> int:
        """An estimate: four characters of Latin script, or one of any other, are about a token."""
        n_latin = sum(ord(sign) < 0x250 for sign in text)
        return -(-n_latin // 4) + len(text) - n_latin

    def load_adapter(self, name: str, folder: str) -> None:
        raise InputError(Problem(self.id, Text(en="a service takes no adapters", zh="服务端模型不能加载适配器")))

    def describe(self) -> dict[str, Any]:
        return {"source": "api", "address": self.endpoint.address, "model": self.endpoint.model}


def open_chat_model(name: str, stated: Mapping[str, Rates] | None = None) -> ChatModel:
    """``service/model`` or ``address#model``; nothing is sent yet.

    Args:
        stated: prices that the user states, by such names.
    """
    return ChatModel(endpoint_of(name), price_of(name, stated=stated))

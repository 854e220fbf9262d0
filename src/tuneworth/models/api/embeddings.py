"""Sentence vectors from a service."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuneworth.core.outcome import Usage
from tuneworth.core.text import Text
from tuneworth.costs.prices import Price, Rates, price_of
from tuneworth.errors import EnvironmentProblem, InputError, Problem, TuneworthError
from tuneworth.models.api import loop
from tuneworth.models.api.client import http_client
from tuneworth.models.api.failures import PASSING, Trouble, trouble_of
from tuneworth.models.api.pace import Pace
from tuneworth.models.api.services import Endpoint, Stated, endpoint_of
from tuneworth.models.api.tries import hopeless, tried
from tuneworth.models.base import Meter, TextRole
from tuneworth.models.metering import all_settled, set_aside
from tuneworth.words.say import say

MAX_CHARS = 8000
"""Of a text; services read about 8,000 tokens, and a character is seldom more than one."""
AT_ONCE = 4
"""Requests that wait for their answers at the same time."""
FEW = 16
"""Texts of one request to a service of which it is not known how many it takes."""


class ApiEncoder:
    """Unit vectors in float32 from an OpenAI-compatible address; every try is set aside with the meter, the SDK makes none of its own."""

    patience_seconds = 0.5
    """As of `ChatModel`."""

    def __init__(self, endpoint: Endpoint, price: Price | None = None, meter: Meter | None = None):
        try:
            import openai
        except ImportError as error:
            raise EnvironmentProblem(Problem(endpoint.name, say("models.service.no_sdk"))) from error
        self.endpoint, self.price = endpoint, price
        self._sdk, self._meter = openai, meter
        self._client = openai.AsyncOpenAI(
            base_url=endpoint.address, api_key=endpoint.key(), max_retries=0, http_client=http_client(endpoint)
        )
        loop.close_after(self, self._client.close)
        self._pace = Pace(AT_ONCE, most=AT_ONCE, per_minute=endpoint.service.requests_per_minute)
        self._dimension: int | None = None

    @property
    def id(self) -> str:
        return self.endpoint.name

    def encode(self, texts: Sequence[str], *, role: TextRole = "text") -> NDArray[np.float32]:
        """Unit vectors, shape ``(len(texts), dimension)``, the same for every role. Texts are cut after ``MAX_CHARS``.

        Raises:
            InputError: the service does not know the model, or refuses what it is sent.
            EnvironmentProblem: the key is refused, or the service does not answer.
        """
        size = self.endpoint.service.embeds or FEW
        batches = [texts[start : start + size] for start in range(0, len(texts), size)]
        if not batches:
            return np.zeros((0, self._dimension or 0), dtype=np.float32)
        vectors = np.concatenate(loop.run(self._all(batches)))
        self._dimension = vectors.shape[1]
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def describe(self) -> dict[str, Any]:
        return {"id": self.id, "dimension": self._dimension, "address": self.endpoint.address}

    async def _all(self, batches: Sequence[Sequence[str]]) -> list[NDArray[np.float32]]:
        async def one(texts: Sequence[str]) -> NDArray[np.float32]:
            async with self._pace.turn():
                return await self._ask(texts)

        return await all_settled(map(one, batches))

    async def _ask(self, texts: Sequence[str]) -> NDArray[np.float32]:
        sent = [text[:MAX_CHARS] or " " for text in texts]  # services refuse an empty text
        try:
            answer = await tried(lambda: self._sent(sent), self._pace, self.patience_seconds)
        except Trouble as trouble:
            raise self._told(trouble) from trouble
        return self._checked(answer, len(sent))

    async def _sent(self, sent: list[str]) -> Any:
        """One try through the meter."""
        call = hashlib.sha256(repr((self.id, sent)).encode()).hexdigest()
        await self._pace.ready()
        if self._meter is not None:
            n_bytes = sum(len(text.encode()) for text in sent)  # a token is at least one
            await set_aside(
                self._meter.set_aside, call, None if self.price is None else self.price.most_usd(n_bytes, 0)
            )
        usd, began = None, time.monotonic()
        try:
            answer = await self._client.embeddings.create(
                model=self.endpoint.model, input=sent, encoding_format="float"
            )
            usd = self._usd(answer)
            self._pace.went_well()
            return answer
        except Exception as error:
            trouble = trouble_of(error, self._sdk, self.endpoint.key())
            usd = None if trouble.charged else 0.0
            if trouble.kind == "busy":
                self._pace.too_much(began, trouble.retry_after)
            raise trouble from error
        finally:
            if self._meter is not None:
                self._meter.settle(call, usd)

    def _told(self, trouble: Trouble) -> TuneworthError:
        if trouble.kind in PASSING:
            return EnvironmentProblem(self._problem(say("models.service.silent", said=trouble.said)))
        refused = InputError(self._problem(say("models.service.refused", said=trouble.said)))
        return hopeless(self.endpoint, trouble) or refused

    def _usd(self, answer: Any) -> float | None:
        n_read = getattr(getattr(answer, "usage", None), "prompt_tokens", None)
        if self.price is None or not isinstance(n_read, int) or n_read < 0:
            return None
        return self.price.usd(Usage(prompt_tokens=n_read))

    def _checked(self, answer: Any, n_texts: int) -> NDArray[np.float32]:
        """The vectors in the order of the texts; an answer that is none is not trusted."""
        try:
            in_order = sorted(answer.data, key=lambda each: each.index)
            vectors = np.array([each.embedding for each in in_order], dtype=np.float32)
            places = [each.index for each in in_order]
        except (AttributeError, TypeError, ValueError) as error:
            raise EnvironmentProblem(self._problem(say("models.service.no_vectors"))) from error
        usable = vectors.ndim == 2 and np.isfinite(vectors).all() and np.linalg.norm(vectors, axis=1).all()
        if places != list(range(n_texts)) or not usable or (self._dimension or vectors.shape[1]) != vectors.shape[1]:
            raise EnvironmentProblem(self._problem(say("models.service.no_vectors")))
        return vectors

    def _problem(self, message: Text) -> Problem:
        return Problem(f"{self.endpoint.name} ({self.endpoint.address})", message)


def open_api_encoder(
    name: str, stated: Mapping[str, Rates] | None = None, meter: Meter | None = None, services: Stated | None = None
) -> ApiEncoder:
    """``service/model``; nothing is sent yet.

    Args:
        stated: prices that the user states, by name.
        meter: what calls go through.
        services: what a task file says of services.

    Raises:
        InputError: there is no such service.
        EnvironmentProblem: no key is set, or the SDK is not installed.
    """
    return ApiEncoder(endpoint_of(name, services), price_of(name, stated=stated), meter)

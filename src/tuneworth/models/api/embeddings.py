"""Sentence vectors from a service."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuneworth.core.outcome import Usage
from tuneworth.core.text import Text
from tuneworth.costs.prices import Price, Rates, price_of
from tuneworth.errors import EnvironmentProblem, InputError, Problem
from tuneworth.models.api import loop
from tuneworth.models.api.client import http_client
from tuneworth.models.api.failures import shown
from tuneworth.models.api.services import Endpoint, endpoint_of
from tuneworth.models.base import Meter, TextRole
from tuneworth.models.metering import all_settled, set_aside
from tuneworth.words.say import say

MAX_CHARS = 8000
"""Of a text; services read about 8,000 tokens, and a character is seldom more than one."""
AT_ONCE = 4
"""Requests that wait for their answers at the same time."""
TRIES = 6
"""The SDK asks again, later and later, when a service is busy or out of reach."""
FEW = 16
"""Texts of one request to a service of which it is not known how many it takes."""


class ApiEncoder:
    """Unit vectors in float32 from an OpenAI-compatible address."""

    def __init__(self, endpoint: Endpoint, client: Any, price: Price | None = None, meter: Meter | None = None):
        self.endpoint, self.price = endpoint, price
        self._meter = meter
        self._client = client
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
        turns = asyncio.Semaphore(AT_ONCE)

        async def one(texts: Sequence[str]) -> NDArray[np.float32]:
            async with turns:
                return await self._ask(texts)

        return await all_settled(map(one, batches))

    async def _ask(self, texts: Sequence[str]) -> NDArray[np.float32]:
        sent = [text[:MAX_CHARS] or " " for text in texts]  # services refuse an empty text
        call = hashlib.sha256(repr((self.id, sent)).encode()).hexdigest()
        if self._meter is not None:
            n_bytes = sum(len(text.encode()) for text in sent)  # a token is at least one
            await set_aside(self._meter, call, None if self.price is None else self.price.most_usd(n_bytes, 0))
        usd: float | None = None
        try:
            answer = await self._asked(sent)
            usd = self._usd(answer)
        except InputError:
            usd = 0.0  # refused: not charged
            raise
        finally:
            if self._meter is not None:
                self._meter.settle(call, usd)
        return self._checked(answer, len(sent))

    def _usd(self, answer: Any) -> float | None:
        n_read = getattr(getattr(answer, "usage", None), "prompt_tokens", None)
        if self.price is None or not isinstance(n_read, int) or n_read < 0:
            return None
        return self.price.usd(Usage(prompt_tokens=n_read))

    async def _asked(self, sent: Sequence[str]) -> Any:
        import openai

        try:
            return await self._client.embeddings.create(model=self.endpoint.model, input=sent, encoding_format="float")
        except (openai.AuthenticationError, openai.PermissionDeniedError) as error:
            variable = self.endpoint.key_variable
            raise EnvironmentProblem(self._problem(say("models.service.refused_key", variable=variable))) from error
        except (openai.NotFoundError, openai.BadRequestError, openai.UnprocessableEntityError) as error:
            raise InputError(self._problem(say("models.service.refused", said=self._said(error)))) from error
        except openai.OpenAIError as error:
            raise EnvironmentProblem(self._problem(say("models.service.silent", said=self._said(error)))) from error

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

    def _said(self, error: Exception) -> str:
        return shown(str(error).strip() or type(error).__name__, self.endpoint.key())

    def _problem(self, message: Text) -> Problem:
        return Problem(f"{self.endpoint.name} ({self.endpoint.address})", message)


def open_api_encoder(name: str, stated: Mapping[str, Rates] | None = None, meter: Meter | None = None) -> ApiEncoder:
    """``service/model``; nothing is sent yet.

    Args:
        stated: prices that the user states, by name.
        meter: what calls go through.

    Raises:
        InputError: there is no such service.
        EnvironmentProblem: no key is set, or the SDK is not installed.
    """
    endpoint = endpoint_of(name)
    try:
        from openai import AsyncOpenAI
    except ImportError as error:
        raise EnvironmentProblem(Problem(name, say("models.service.no_sdk"))) from error
    client = AsyncOpenAI(
        base_url=endpoint.address, api_key=endpoint.key(), max_retries=TRIES, http_client=http_client(endpoint)
    )
    encoder = ApiEncoder(endpoint, client, price_of(name, stated=stated), meter)
    loop.close_after(encoder, client.close)
    return encoder

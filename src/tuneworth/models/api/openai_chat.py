"""OpenAI's chat completions, which most services and servers speak, through the openai SDK."""

from __future__ import annotations

from typing import Any

from tuneworth.core.outcome import Usage
from tuneworth.errors import EnvironmentProblem, Problem
from tuneworth.models.api import loop
from tuneworth.models.api.services import Endpoint
from tuneworth.models.base import Request
from tuneworth.words.say import say

SECONDS = 120.0
"""Longest wait for one answer."""


class OpenAIChat:
    """Sends one request and reads one answer; knows nothing of the others."""

    def __init__(self, endpoint: Endpoint):
        try:
            from openai import AsyncOpenAI
        except ImportError as error:
            raise EnvironmentProblem(Problem(endpoint.name, say("models.service.no_sdk"))) from error
        self._model = endpoint.model
        self._client = AsyncOpenAI(base_url=endpoint.address, api_key=endpoint.key(), max_retries=0, timeout=SECONDS)
        loop.close_after(self, self._client.close)

    async def send(self, request: Request, max_tokens: int) -> tuple[str, Usage, str]:
        """Text, usage and the reason of the end, in OpenAI's words."""
        body: dict[str, Any] = {
            "model": self._model,
            "messages": [{"role": turn.role, "content": turn.content} for turn in request.messages],
            "max_tokens": max_tokens,
            "temperature": 0,
        }
        if request.constraint is not None and request.constraint.labels is not None:
            schema = {
                "type": "object",
                "properties": {"answer": {"type": "string", "enum": list(request.constraint.labels)}},
                "required": ["answer"],
                "additionalProperties": False,
            }
            body["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "answer", "strict": True, "schema": schema},
            }
        answer = await self._client.chat.completions.create(**body)
        [choice] = answer.choices
        used = answer.usage
        usage = Usage()
        if used is not None:
            details, thought = used.prompt_tokens_details, used.completion_tokens_details
            usage = Usage(
                prompt_tokens=used.prompt_tokens,
                cached_tokens=(details.cached_tokens if details else None) or 0,
                completion_tokens=used.completion_tokens,
                reasoning_tokens=(thought.reasoning_tokens if thought else None) or 0,
            )
        return choice.message.content or "", usage, choice.finish_reason

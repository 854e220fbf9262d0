"""Anthropic's messages, through the anthropic SDK."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from tuneworth.core.outcome import Usage
from tuneworth.errors import EnvironmentProblem, Problem
from tuneworth.models.api import loop
from tuneworth.models.api.calls import Call, Ended, Listed, Reply, context_of, count, usage_of, with_form_in_words
from tuneworth.models.api.client import MOST_BYTES, http_client
from tuneworth.models.api.constrain import ANSWER
from tuneworth.models.api.failures import Trouble, shown, trouble_of
from tuneworth.models.api.services import Endpoint
from tuneworth.words.say import say

_MARK = {"cache_control": {"type": "ephemeral"}}
_CONTEXT = ("max_input_tokens",)


class AnthropicMessages:
    """Sends one call and reads one answer; the SDK's own retries are off, since each try has to be set aside and counted."""

    most_bytes = MOST_BYTES

    def __init__(self, endpoint: Endpoint):
        try:
            import anthropic
        except ImportError as error:
            raise EnvironmentProblem(Problem(endpoint.name, say("models.service.no_sdk"))) from error
        self._sdk, self._endpoint, self._key = anthropic, endpoint, endpoint.key()
        http = http_client(endpoint, self.most_bytes)
        self._client = anthropic.AsyncAnthropic(
            base_url=endpoint.address, api_key=self._key, max_retries=0, http_client=http
        )
        loop.close_after(self, self._client.close)

    async def send(self, call: Call) -> Reply:
        """Raises: Trouble."""
        try:
            answer = await self._client.messages.create(**self._body(call))
        except Exception as error:
            raise trouble_of(error, self._sdk, self._key) from error
        return reply_of(answer)

    async def listed(self) -> list[Listed]:
        """Raises: Trouble."""
        try:
            page = await self._client.models.list(limit=1000)
            return [
                Listed(str(line.id), _day(getattr(line, "retires_at", None)), context_of(line, _CONTEXT))
                for line in page.data
            ]
        except Exception as error:
            raise trouble_of(error, self._sdk, self._key) from error

    def _body(self, call: Call) -> dict[str, Any]:
        system, turns = _laid_out(call)
        body: dict[str, Any] = {
            "model": self._endpoint.model,
            "max_tokens": call.max_tokens,
            "messages": turns,
        }
        if system:
            body["system"] = system
        output: dict[str, Any] = {}
        if call.effort == "none":
            body["thinking"] = {"type": "disabled"}
        elif call.effort is not None:
            body["thinking"] = {"type": "adaptive"}
            output["effort"] = call.effort
        schema = call.form.schema(call.means) if call.form is not None else None
        if schema is not None and call.means == "strict":
            output["format"] = {"type": "json_schema", "schema": schema}
        elif schema is not None:
            body["tools"] = [{"name": ANSWER, "description": "Gives the answer.", "input_schema": schema}]
            body["tool_choice"] = {"type": "tool", "name": ANSWER}
        return body | ({"output_config": output} if output else {})


def _laid_out(call: Call) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """System blocks and turns; the last of those that all rows share is marked for the cache."""
    blocks: list[dict[str, Any]] = []
    system: list[dict[str, Any]] = []
    turns: list[dict[str, Any]] = []
    told = with_form_in_words(call)
    for turn in told:
        block = {"type": "text", "text": turn.content}
        blocks.append(block)
        if turn.role == "system":
            system.append(block)
        else:
            turns.append({"role": turn.role, "content": [block]})
    if call.n_shared:  # what is told of the form is shared too, and may be a turn of its own
        blocks[call.n_shared + len(told) - len(call.messages) - 1] |= _MARK
    return system, turns


def reply_of(answer: Any) -> Reply:
    try:
        text = "".join(_text(block) for block in answer.content)
        reason, model = str(answer.stop_reason), str(answer.model)
    except (AttributeError, TypeError) as error:
        raise Trouble("garbled", f"no message, but a {type(answer).__name__}") from error
    if reason == "model_context_window_exceeded":
        raise Trouble("too_long", "the context is full", charged=True)
    if reason == "refusal":
        return Reply(text or "the model refused", _usage(answer), "refused", model)
    ended: Ended = "length" if reason == "max_tokens" else "stop"
    return Reply(text, _usage(answer), ended, model)


def _text(block: Any) -> str:
    if block.type == "tool_use":
        return json.dumps(block.input, ensure_ascii=False)
    return block.text if block.type == "text" and isinstance(block.text, str) else ""


def _usage(answer: Any) -> Usage | None:
    """``input_tokens`` are those that neither came from the cache nor went into it."""
    used = getattr(answer, "usage", None)
    read, written = (
        count(getattr(used, name, None)) for name in ("cache_read_input_tokens", "cache_creation_input_tokens")
    )
    fresh = count(getattr(used, "input_tokens", None))
    thought = getattr(used, "output_tokens_details", None)
    return usage_of(
        None if fresh is None else fresh + (read or 0) + (written or 0),
        count(getattr(used, "output_tokens", None)),
        cached=read,
        written=written,
        reasoning=count(getattr(thought, "thinking_tokens", None)),
    )


def _day(moment: Any) -> str | None:
    """What is neither a moment nor a text is no date that could be told."""
    told = str(moment.date()) if isinstance(moment, datetime) else moment
    return shown(told) if isinstance(told, str) and told.strip() else None

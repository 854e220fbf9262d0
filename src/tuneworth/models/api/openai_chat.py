"""OpenAI's chat completions, which most services and servers speak, through the openai SDK."""

from __future__ import annotations

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

_CONTEXT = ("context_length", "max_model_len", "context_window", "max_context_length")
"""Names of the context's size in lists of models: OpenRouter, vLLM, Groq, Mistral."""


class OpenAIChat:
    """Sends one call and reads one answer; the SDK's own retries are off, since each try has to be set aside and counted."""

    most_bytes = MOST_BYTES

    def __init__(self, endpoint: Endpoint):
        try:
            import openai
        except ImportError as error:
            raise EnvironmentProblem(Problem(endpoint.name, say("models.service.no_sdk"))) from error
        self._sdk, self._endpoint, self._key = openai, endpoint, endpoint.key()
        http = http_client(endpoint, self.most_bytes)
        self._client = openai.AsyncOpenAI(base_url=endpoint.address, api_key=self._key, max_retries=0, http_client=http)
        loop.close_after(self, self._client.close)

    async def send(self, call: Call) -> Reply:
        """Raises: Trouble."""
        try:
            answer = await self._client.chat.completions.create(**self._body(call))
        except Exception as error:
            raise trouble_of(error, self._sdk, self._key) from error
        return reply_of(answer)

    async def listed(self) -> list[Listed]:
        """Raises: Trouble."""
        try:
            page = await self._client.models.list()
            return [
                Listed(str(line.id), _day(getattr(line, "shutdown_date", None)), context_of(line, _CONTEXT))
                for line in page.data
            ]
        except Exception as error:
            raise trouble_of(error, self._sdk, self._key) from error

    def _body(self, call: Call) -> dict[str, Any]:
        service = self._endpoint.service
        limit = service.max_tokens
        if limit in call.without:  # refused: services and servers differ in the name
            limit = "max_tokens" if limit == "max_completion_tokens" else "max_completion_tokens"
        body: dict[str, Any] = {
            "model": self._endpoint.model,
            "messages": [{"role": turn.role, "content": turn.content} for turn in with_form_in_words(call)],
            limit: call.max_tokens,
        }
        if service.temperature and "temperature" not in call.without:
            body["temperature"] = 0
        extra = _effort(service.reasoning, call.effort)
        return body | _form(call) | ({"extra_body": extra} if extra else {})


def _day(told: Any) -> str | None:
    """What is no text is no date that could be told."""
    return shown(told) if isinstance(told, str) and told.strip() else None


def _form(call: Call) -> dict[str, Any]:
    if call.form is None or call.means == "words":
        return {}
    if call.means == "json_mode":
        return {"response_format": {"type": "json_object"}}
    schema = call.form.schema(call.means)
    if call.means == "strict":
        return {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": ANSWER, "strict": True, "schema": schema},
            }
        }
    tool = {"name": ANSWER, "description": "Gives the answer.", "parameters": schema}
    return {
        "tools": [{"type": "function", "function": tool}],
        "tool_choice": {"type": "function", "function": {"name": ANSWER}},
    }


def _effort(style: str, effort: str | None) -> dict[str, Any]:
    if effort is None:
        return {}
    on = effort != "none"
    if style == "thinking":
        return {"thinking": {"type": "enabled" if on else "disabled"}} | ({"reasoning_effort": effort} if on else {})
    if style == "enable_thinking":
        return {"enable_thinking": on} | ({"reasoning_effort": effort} if on else {})
    return {"reasoning": {"effort": effort}} if style == "nested" else {"reasoning_effort": effort}


def reply_of(answer: Any) -> Reply:
    try:
        choice = answer.choices[0]
        message = choice.message
        text = _text(message)
        refused = getattr(message, "refusal", None)
        reason = str(choice.finish_reason)
        model = str(answer.model)
    except (AttributeError, IndexError, TypeError) as error:
        raise Trouble("garbled", f"no chat completion, but a {type(answer).__name__}") from error
    ended: Ended = "length" if reason == "length" else "stop"
    if reason == "content_filter" or (refused and not text):
        return Reply(str(refused or "stopped by the content filter"), _usage(answer), "refused", model)
    return Reply(text, _usage(answer), ended, model)


def _text(message: Any) -> str:
    """The text, or what the tool was called with; thinking that comes in blocks is left out."""
    calls = getattr(message, "tool_calls", None)
    if calls:
        return str(calls[0].function.arguments)
    content = message.content
    if isinstance(content, list):
        parts = [part for part in content if isinstance(part, dict) and part.get("type") == "text"]
        return "".join(str(part.get("text", "")) for part in parts)
    return content if isinstance(content, str) else ""


def _usage(answer: Any) -> Usage | None:
    """Some services leave reasoning out of ``completion_tokens``: what the total has beyond both is counted as completion."""
    used = getattr(answer, "usage", None)
    prompt, completion = (count(getattr(used, name, None)) for name in ("prompt_tokens", "completion_tokens"))
    details, thought = (getattr(used, f"{of}_tokens_details", None) for of in ("prompt", "completion"))
    if prompt is not None and completion is not None:
        completion = max(completion, (count(getattr(used, "total_tokens", None)) or 0) - prompt)
    cached = count(getattr(details, "cached_tokens", None))
    if cached is None:  # DeepSeek, Moonshot
        cached = count(getattr(used, "prompt_cache_hit_tokens", None)) or count(getattr(used, "cached_tokens", None))
    return usage_of(
        prompt,
        completion,
        cached=cached,
        written=count(getattr(details, "cache_write_tokens", None)),
        reasoning=count(getattr(thought, "reasoning_tokens", None)),
    )

"""The shapes of the two protocols, read from requests and written as answers, for `tuneworth.testing.chat_server`."""

from __future__ import annotations

import contextlib
import difflib
import json
from dataclasses import dataclass
from typing import Any, Literal

from tuneworth.core.task import Message
from tuneworth.models.base import Constraint

Protocol = Literal["chat", "messages"]


@dataclass(frozen=True)
class Asked:
    """One call as the server saw it.

    Attributes:
        messages: system text first, whatever the protocol.
        schema: the JSON schema that the service is to hold the answer to, strict or as a tool; ``None`` without one.
        means: how the schema was sent: ``strict``, ``tool``, ``json_mode`` or ``""``.
        nth: how often this ``question`` was asked before.
        key: what was sent as the key.
        body: the request as it came.
    """

    protocol: Protocol
    model: str
    messages: tuple[Message, ...]
    schema: dict[str, Any] | None
    means: str
    max_tokens: int | None
    key: str
    nth: int
    body: dict[str, Any]

    @property
    def question(self) -> str:
        """The last turn of the user: what calls are counted by."""
        return next((turn.content for turn in reversed(self.messages) if turn.role == "user"), "")

    def constraint(self) -> Constraint | None:
        """The schema in our terms: where it is one property, labels for a list of values, and a pattern as such."""
        if self.schema is None:
            return None
        if values := only(self.schema).get("enum"):
            return Constraint(labels=tuple(values))
        if pattern := only(self.schema).get("pattern"):
            return Constraint(regex=pattern.removeprefix("^").removesuffix("$"))
        return Constraint(json_schema=self.schema)


def held_to(schema: dict[str, Any], text: str) -> Any:
    """The value that ``schema`` allows nearest to ``text``, as a service with constrained decoding gives it."""
    with contextlib.suppress(json.JSONDecodeError):
        found = json.loads(text)
        if isinstance(found, dict) == (schema.get("type") == "object") and "enum" not in schema:
            return found
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        near = difflib.get_close_matches(text, [str(each) for each in schema["enum"]], n=1, cutoff=0.0)
        return near[0] if near else schema["enum"][0]
    if schema.get("type") == "object":
        parts = schema.get("properties", {})
        return {name: held_to(part, text) for name, part in parts.items() if name in schema.get("required", parts)}
    if schema.get("type") == "array":
        return [held_to(schema.get("items", {}), text)]
    if schema.get("type") in ("number", "integer"):
        digits = "".join(each for each in text if each.isdigit())
        return int(digits or 0)
    return {"boolean": True, "null": None}.get(schema.get("type", ""), text)


def only(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of the one property, if there is one."""
    parts = schema.get("properties", {})
    return next(iter(parts.values())) if schema.get("type") == "object" and len(parts) == 1 else {}


def _plain(content: Any) -> str:
    """The text of a turn, given as text or as blocks."""
    if isinstance(content, str):
        return content
    return "".join(str(block.get("text", "")) for block in content or ())


def read_chat(body: dict[str, Any], key: str) -> Asked:
    messages = tuple(Message(turn["role"], _plain(turn.get("content"))) for turn in body["messages"])
    form, schema, means = body.get("response_format") or {}, None, ""
    if form.get("type") == "json_schema":
        schema, means = form["json_schema"]["schema"], "strict"
    elif body.get("tools"):
        schema, means = body["tools"][0]["function"]["parameters"], "tool"
    elif form.get("type") == "json_object":
        means = "json_mode"
    limit = body.get("max_completion_tokens") or body.get("max_tokens")
    return Asked("chat", body["model"], messages, schema, means, limit, key, 0, body)


def read_messages(body: dict[str, Any], key: str) -> Asked:
    system = _plain(body.get("system"))
    turns = [Message(turn["role"], _plain(turn["content"])) for turn in body["messages"]]
    messages = (*((Message("system", system),) if system else ()), *turns)
    schema, means = None, ""
    if (form := (body.get("output_config") or {}).get("format")) is not None:
        schema, means = form["schema"], "strict"
    elif body.get("tools"):
        schema, means = body["tools"][0]["input_schema"], "tool"
    return Asked("messages", body["model"], messages, schema, means, body["max_tokens"], key, 0, body)


def marked_turns(body: dict[str, Any]) -> int:
    """How many turns, system text first, end with the last mark for the cache."""
    system = body.get("system")
    turns = [*([{"content": system}] if system else []), *body["messages"]]
    marked = [
        at
        for at, turn in enumerate(turns, 1)
        if not isinstance(turn["content"], str) and any("cache_control" in block for block in turn["content"])
    ]
    return max(marked, default=0)


def chat_reply(asked: Asked, model: str, text: str, ended: str, usage: dict[str, Any]) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None}
    if ended == "refusal":
        message, ended = {**message, "content": None, "refusal": text}, "stop"
    elif asked.means == "tool" and ended in ("stop", "length"):
        called = {"name": asked.body["tools"][0]["function"]["name"], "arguments": text}
        message |= {"content": None, "tool_calls": [{"id": "call_1", "type": "function", "function": called}]}
        ended = "tool_calls" if ended == "stop" else ended
    return {
        "id": "chatcmpl-here",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": ended, "logprobs": None}],
        "usage": usage,
    }


def messages_reply(asked: Asked, model: str, text: str, ended: str, usage: dict[str, Any]) -> dict[str, Any]:
    content: list[dict[str, Any]] = [{"type": "text", "text": text}] if text else []
    if asked.means == "tool" and ended == "stop" and text:
        try:
            value = json.loads(text)
        except json.JSONDecodeError:  # it said something instead of calling the tool
            value = None
        if isinstance(value, dict):
            content = [{"type": "tool_use", "id": "toolu_1", "name": asked.body["tools"][0]["name"], "input": value}]
            ended = "tool_use"
    reasons = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal", "refusal": "refusal"}
    return {
        "id": "msg_here",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": reasons.get(ended, ended),
        "stop_sequence": None,
        "usage": usage,
    }

"""A service on this machine that speaks the two protocols of language models: real requests, real failures.

    with ChatServer(answer=lambda asked: "yes") as server:
        model = open_model(f"{server.address}#any-name")

OpenAI's chat completions and Anthropic's messages, the list of models, strict schemas, tools, JSON mode, usage with
cached tokens. Answers come from a function (`Asked` → text) or from a language model of ours (`answers_of`). ``faults``
says which failure a call meets. Every call is counted by what was asked, so that a test can compare what was paid with
what was charged.

It keeps its promises: an answer is held to the schema that was sent, unless the fault is that it is not. It imitates
shapes, not prices or qualities of any service; its tokens are words, unless a model of ours counts them.
"""

from __future__ import annotations

import hashlib
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, get_args

from tuneworth.models.base import Model, Request
from tuneworth.testing.batch_server import BatchEndpoints
from tuneworth.testing.chat_shapes import (
    Asked,
    Protocol,
    chat_reply,
    held_to,
    marked_turns,
    messages_reply,
    only,
    read_chat,
    read_messages,
)

Fault = Literal[
    "rate_limit",
    "server_error",
    "overloaded",
    "cut",
    "truncated",
    "hang",
    "empty",
    "length",
    "filter",
    "refusal",
    "wrong_key",
    "no_quota",
    "unknown_model",
    "renamed",
    "ignores_schema",
    "rejects_schema",
    "too_long",
    "huge",
    "control",
    "no_usage",
    "negative_usage",
    "redirect",
    "html",
]
FAULTS: tuple[Fault, ...] = get_args(Fault)
Support = Literal["strict", "tools", "json_mode", "reasoning", "temperature", "logprobs"]
ALL_SUPPORT: frozenset[Support] = frozenset(get_args(Support))

CHARGED_FAULTS = frozenset({"cut", "truncated", "hang"})
"""The model has answered, and the service charges for it, but the answer does not arrive whole."""
HUGE_CHARS = 5_000_000
REASONING_TOKENS = {"minimal": 8, "low": 32, "medium": 128, "high": 512, "xhigh": 1024, "max": 2048}
REFUSAL = "I'm sorry, but I can't help with that."


Answer = Callable[[Asked], str]
FaultRule = Callable[[Asked], Fault | None]
Route = Callable[[dict[str, Any]], tuple[int, Any]]


def answers_of(model: Model, *, max_new_tokens: int = 64) -> Answer:
    """What ``model`` answers, one call at a time: a scripted one, or the embedded one's engine."""
    one_at_a_time = threading.Lock()

    def answer(asked: Asked) -> str:
        request = Request(asked.messages, asked.constraint())
        with one_at_a_time:
            [done] = model.generate([request], max_new_tokens=asked.max_tokens or max_new_tokens)
        return done.text

    return answer


def always(fault: Fault) -> FaultRule:
    return lambda asked: fault


def at_first(n: int, fault: Fault) -> FaultRule:
    """The first ``n`` calls of every question meet ``fault``."""
    return lambda asked: fault if asked.nth < n else None


def storm(share: float, faults: Sequence[Fault], seed: int = 0) -> FaultRule:
    """A part of the calls fails, each in one of the ways; the same calls every time."""

    def rule(asked: Asked) -> Fault | None:
        digest = hashlib.sha256(f"{seed} {asked.nth} {asked.question}".encode()).digest()
        drawn = int.from_bytes(digest[:8], "big") / 2**64
        return faults[digest[8] % len(faults)] if drawn < share else None

    return rule


def echo(asked: Asked) -> str:
    """The first allowed value that the question mentions, else the question."""
    allowed = only(asked.schema or {}).get("enum") or ()
    question = asked.question.lower()
    return next((value for value in allowed if value.lower() in question), asked.question)


@dataclass
class ChatServer:
    """The server; a context manager that listens on a free port of 127.0.0.1.

    Attributes:
        models: what the list of models names; any other name is unknown. ``None``: every name is known.
        key: the key it wants; ``None``: none.
        latency_ms: time before each answer.
        supports: what it knows; a request that uses something else is refused with status 400, as services do.
        shutdown_dates: model → the day on which it is to end, as told in the list of models.
        cache_from_tokens: prompts shorter than this are not kept for others (OpenAI: 1,024).
        log_probabilities: of the whole answer as one token and of its rivals, where the request asks for them.
        at_once: more calls under way than this are turned away with 429.
        routes: further paths: ``{"/v1/decisions": function of the body → status and body}``.
        batches: what is done with batches; ``None``: there are none.
        asked: every call in the order of arrival.
        received: how often each question came in.
        charged: how often each was answered and is paid for, whether or not the answer arrived.
        most_at_once: most calls that were under way at one time.
    """

    answer: Answer = echo
    models: Sequence[str] | None = None
    key: str | None = None
    latency_ms: float = 0.0
    faults: FaultRule | None = None
    supports: frozenset[Support] = ALL_SUPPORT
    shutdown_dates: Mapping[str, str] = field(default_factory=dict[str, str])
    count_tokens: Callable[[str], int] = lambda text: len(text.split())
    cache_from_tokens: int = 1024
    log_probabilities: Callable[[Asked], Mapping[str, float]] | None = None
    at_once: int | None = None
    retry_after_seconds: float = 0.05
    hang_seconds: float = 30.0
    redirect_to: str = "http://127.0.0.1:9"
    routes: dict[str, Route] = field(default_factory=dict[str, Route])
    batches: BatchEndpoints | None = None
    asked: list[Asked] = field(default_factory=list[Asked])
    received: Counter[str] = field(default_factory=Counter[str])
    charged: Counter[str] = field(default_factory=Counter[str])
    most_at_once: int = 0

    def __enter__(self) -> ChatServer:
        self._lock, self._under_way, self._kept = threading.Lock(), 0, set[str]()
        self._stopped = threading.Event()
        self._server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"chat": self}))
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def root(self) -> str:
        """What Anthropic's SDK takes for its address."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def address(self) -> str:
        """What OpenAI's SDK takes for its address."""
        return f"{self.root}/v1"

    def model_list(self) -> list[dict[str, Any]]:
        """With the fields of both protocols."""
        ends = {name: self.shutdown_dates.get(name) for name in self.models or ("any",)}
        return [
            {
                "id": name,
                "object": "model",
                "type": "model",
                "created": 1_790_000_000,
                "created_at": "2026-09-21T14:13:20Z",
                "display_name": name,
                "owned_by": "here",
                "shutdown_date": day,
                "retires_at": None if day is None else f"{day}T00:00:00Z",
            }
            for name, day in ends.items()
        ]

    # what happens to one call

    def respond(self, protocol: Protocol, body: dict[str, Any], key: str, send: _Send) -> None:
        with self._lock:
            self._under_way += 1
            self.most_at_once = max(self.most_at_once, self._under_way)
            crowded = self.at_once is not None and self._under_way > self.at_once
            asked = read_chat(body, key) if protocol == "chat" else read_messages(body, key)
            asked = replace(asked, nth=self.received[asked.question])
            self.received[asked.question] += 1
            self.asked.append(asked)
        try:
            self._respond(asked, "rate_limit" if crowded else self.faults(asked) if self.faults else None, send)
        finally:
            with self._lock:
                self._under_way -= 1

    def _respond(self, asked: Asked, fault: Fault | None, send: _Send) -> None:
        if self.latency_ms:
            time.sleep(self.latency_ms / 1000)
        if self.key is not None and asked.key != self.key:
            fault = "wrong_key"
        if self.models is not None and asked.model not in self.models:
            fault = "unknown_model"
        if (status := _STATUS.get(fault or "")) is not None:
            headers = {"Retry-After": f"{self.retry_after_seconds:g}"} if status in (429, 529) else {}
            send.json(status, self._error(asked, fault or ""), headers)
        elif fault == "redirect":
            send.json(307, {}, {"Location": self.redirect_to})
        elif fault == "html":
            send.raw(200, b"<html><body>Please log in</body></html>", "text/html")
        elif fault is None and (said := self._unsupported(asked)):
            send.json(400, {"error": {"message": said, "type": "invalid_request_error", "code": None}})
        else:
            self._answer(asked, fault, send)

    def _answer(self, asked: Asked, fault: Fault | None, send: _Send) -> None:
        reply = self._reply(asked, fault)
        with self._lock:
            self.charged[asked.question] += 1
        content = json.dumps(reply, ensure_ascii=False).encode()
        if fault == "hang":
            self._stopped.wait(self.hang_seconds)
        if fault == "cut":
            send.cut(content[: len(content) // 2])
        elif fault == "truncated":
            send.raw(200, content[: len(content) // 2], "application/json")
        elif fault != "hang":
            send.raw(200, content, "application/json")

    def _unsupported(self, asked: Asked) -> str | None:
        body = asked.body
        uses: dict[Support, bool] = {
            "strict": asked.means == "strict",
            "tools": asked.means == "tool",
            "json_mode": asked.means == "json_mode",
            "reasoning": bool(
                body.get("reasoning_effort") or body.get("thinking") or body.get("output_config", {}).get("effort")
            ),
            "temperature": body.get("temperature") is not None,
            "logprobs": bool(body.get("logprobs")),
        }
        names = {"strict": "response_format 'json_schema'", "json_mode": "response_format 'json_object'"}
        for part, used in uses.items():
            if used and part not in self.supports:
                return f"Unsupported parameter: {names.get(part, part)} is not supported with this model."
        return None

    def _error(self, asked: Asked, fault: str) -> dict[str, Any]:
        said, code = {
            "rate_limit": ("Rate limit reached for requests", "rate_limit_exceeded"),
            "server_error": ("The server had an error while processing your request", "server_error"),
            "overloaded": ("Overloaded", "overloaded_error"),
            "wrong_key": (f"Incorrect API key provided: {asked.key}", "invalid_api_key"),
            "no_quota": ("You exceeded your current quota, please check your plan", "insufficient_quota"),
            "unknown_model": (f"The model `{asked.model}` does not exist", "model_not_found"),
            "rejects_schema": ("Invalid schema for response_format: 'enum' is too long", "invalid_json_schema"),
            "too_long": ("This model's maximum context length is 100 tokens", "context_length_exceeded"),
        }[fault]
        if asked.protocol == "chat":
            return {"error": {"message": said, "type": code, "param": None, "code": code}}
        kind = {
            "rate_limit": "rate_limit_error",
            "overloaded": "overloaded_error",
            "server_error": "api_error",
            "wrong_key": "authentication_error",
            "no_quota": "billing_error",
            "unknown_model": "not_found_error",
        }.get(fault, "invalid_request_error")
        return {"type": "error", "error": {"type": kind, "message": said}, "request_id": "req_here"}

    def _reply(self, asked: Asked, fault: Fault | None) -> dict[str, Any]:
        text, ended = self._text(asked, fault)
        effort = asked.body.get("reasoning_effort") or asked.body.get("output_config", {}).get("effort")
        n_thought = REASONING_TOKENS.get(effort or "", 0)
        n_written = n_thought + max(1, self.count_tokens(text))
        usage = self._usage(asked, n_written, n_thought)
        if fault == "negative_usage":
            usage = {name: -7 if isinstance(value, int) else value for name, value in usage.items()}
        model = f"{asked.model}-2099-01-01" if fault == "renamed" else asked.model
        make = chat_reply if asked.protocol == "chat" else messages_reply
        reply = make(asked, model, text, ended, usage)
        if fault == "no_usage":
            del reply["usage"]
        if asked.body.get("logprobs") and self.log_probabilities is not None:
            ranked = sorted(self.log_probabilities(asked).items(), key=lambda pair: -pair[1])
            tokens = [{"token": token, "logprob": value, "bytes": None} for token, value in ranked]
            most = asked.body.get("top_logprobs") or 0
            content = [{**tokens[0], "top_logprobs": tokens[:most]}]
            reply["choices"][0]["logprobs"] = {"content": content, "refusal": None}
        return reply

    def _text(self, asked: Asked, fault: Fault | None) -> tuple[str, str]:
        """What is said and why it ended, in OpenAI's words."""
        if fault == "empty":
            return "", "stop"
        if fault == "filter":
            return "", "content_filter"
        if fault == "refusal":
            return REFUSAL, "refusal"
        text = self.answer(asked)
        if fault == "huge":
            text = text + "x" * HUGE_CHARS
        elif fault == "control":
            text = f"\x1b[31m{text}\x00\x07\x1b[0m"
        elif fault == "ignores_schema":
            text = f"Sure! I would say {text}, but others may differ."
        elif asked.schema is not None:
            text = json.dumps(held_to(asked.schema, text), ensure_ascii=False)
        words = text.split()
        if fault == "length":
            return text[: len(text) // 2], "length"
        if asked.max_tokens is not None and len(words) > asked.max_tokens:
            return " ".join(words[: asked.max_tokens]), "length"
        return text, "stop"

    def _usage(self, asked: Asked, n_written: int, n_thought: int) -> dict[str, Any]:
        counts = [self.count_tokens(turn.content) for turn in asked.messages]
        n_cached, n_kept = self._from_cache(asked, counts)
        if asked.protocol == "messages":
            return {
                "input_tokens": sum(counts) - n_cached - n_kept,
                "cache_creation_input_tokens": n_kept,
                "cache_read_input_tokens": n_cached,
                "output_tokens": n_written,
                "output_tokens_details": {"thinking_tokens": n_thought},
            }
        return {
            "prompt_tokens": sum(counts),
            "completion_tokens": n_written,
            "total_tokens": sum(counts) + n_written,
            "prompt_tokens_details": {"cached_tokens": n_cached},
            "completion_tokens_details": {"reasoning_tokens": n_thought},
        }

    def _from_cache(self, asked: Asked, counts: Sequence[int]) -> tuple[int, int]:
        """Tokens of the prompt that were kept from earlier calls, and that are kept from now on for a price."""
        last = len(counts) if asked.protocol == "chat" else marked_turns(asked.body)
        heads = [repr((asked.model, asked.messages[: n + 1])) for n in range(last)]
        sizes = [sum(counts[: n + 1]) for n in range(last)]
        with self._lock:
            known = [size for head, size in zip(heads, sizes) if head in self._kept]
            worth = [(head, size) for head, size in zip(heads, sizes) if size >= self.cache_from_tokens]
            self._kept.update(head for head, _ in worth)
        n_cached = max(known, default=0)
        n_kept = max((size for _, size in worth), default=0) - n_cached if asked.protocol == "messages" else 0
        return n_cached, max(0, n_kept)


_STATUS: dict[str, int] = {
    "rate_limit": 429,
    "server_error": 500,
    "overloaded": 529,
    "wrong_key": 401,
    "no_quota": 429,
    "unknown_model": 404,
    "rejects_schema": 400,
    "too_long": 400,
}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no trouble of the server's."""


@dataclass(frozen=True)
class _Send:
    """What can be sent back."""

    handler: BaseHTTPRequestHandler

    def json(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        self.raw(status, json.dumps(body).encode(), "application/json", headers)

    def raw(self, status: int, content: bytes, kind: str, headers: Mapping[str, str] | None = None) -> None:
        self._head(status, len(content), kind, headers)
        self.handler.wfile.write(content)

    def cut(self, content: bytes) -> None:
        """A part of what was announced, then the connection ends."""
        self._head(200, 2 * len(content), "application/json")
        self.handler.wfile.write(content)
        self.handler.wfile.flush()
        self.handler.connection.shutdown(socket.SHUT_RDWR)
        self.handler.close_connection = True

    def _head(self, status: int, length: int, kind: str, headers: Mapping[str, str] | None = None) -> None:
        self.handler.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(length), **(headers or {})}.items():
            self.handler.send_header(name, value)
        self.handler.end_headers()


class _Handler(BaseHTTPRequestHandler):
    chat: ChatServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        send = _Send(self)
        if self._in_batches(send, b""):
            return None
        if self.path.split("?")[0] != "/v1/models":
            return send.json(404, {"error": {"message": f"no such path: {self.path}", "code": "not_found"}})
        if self.chat.key is not None and self._key() != self.chat.key:
            return send.json(401, {"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}})
        return send.json(200, {"object": "list", "data": self.chat.model_list(), "has_more": False})

    def do_DELETE(self) -> None:
        self._in_batches(_Send(self), b"")

    def do_POST(self) -> None:
        content, send = self.rfile.read(int(self.headers["Content-Length"])), _Send(self)
        if self._in_batches(send, content):
            return
        path = self.path.split("?")[0]
        if path in self.chat.routes:
            status, reply = self.chat.routes[path](json.loads(content))
            send.json(status, reply)
        elif path in ("/v1/chat/completions", "/v1/messages"):
            protocol = "chat" if path.endswith("completions") else "messages"
            self.chat.respond(protocol, json.loads(content), self._key(), send)
        else:
            send.json(404, {"error": {"message": f"no such path: {path}", "code": "not_found"}})

    def _in_batches(self, send: _Send, content: bytes) -> bool:
        kind, batches = self.headers.get("Content-Type", ""), self.chat.batches
        done = batches and batches.handle(self.chat, self.command, self.path, content, kind, self._key())
        if done:
            status, answer = done
            send.raw(status, answer if isinstance(answer, bytes) else json.dumps(answer).encode(), "application/json")
        return bool(done)

    def _key(self) -> str:
        return self.headers.get("x-api-key") or self.headers.get("Authorization", "").removeprefix("Bearer ")

    def log_message(self, format: str, *args: Any) -> None:
        pass

"""The endpoints for batches of the two protocols, through the SDKs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from tuneworth.models.api.anthropic_messages import AnthropicMessages
from tuneworth.models.api.anthropic_messages import reply_of as reply_of_message
from tuneworth.models.api.batches import Ended, Found, JobWire, Look
from tuneworth.models.api.calls import Call, Reply
from tuneworth.models.api.failures import Trouble, shown, trouble_of, trouble_told
from tuneworth.models.api.openai_chat import OpenAIChat
from tuneworth.models.api.openai_chat import reply_of as reply_of_chat
from tuneworth.models.api.services import Endpoint
from tuneworth.models.metering import Job

MOST_BYTES = 500_000_000
"""Of a file of results: thousands of answers, each of which may be long."""
MOST_LISTED = 1000
"""Jobs of an account that are looked through, the latest first."""
CLOCKS_S = 600.0
"""What the clocks here and there may differ by."""
NAMED = "run"
"""Key of the name among what is kept with a job."""
_STATUS = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "timeout_error": 504,
    "overloaded_error": 529,
}
_ENDED: dict[str, Ended] = {"completed": "yes", "expired": "expired", "cancelled": "cancelled", "failed": "failed"}


def job_wire(endpoint: Endpoint) -> JobWire:
    return OpenAIBatches(endpoint) if endpoint.service.protocol == "chat" else AnthropicBatches(endpoint)


class OpenAIBatches(OpenAIChat):
    """A file of requests, a job about it, two files of results: those that were answered, and those that failed."""

    most_bytes = MOST_BYTES
    named = True

    async def prepare(self, lines: Mapping[str, Call]) -> str:
        """Id of the file."""
        url = self._endpoint.service.batches
        rows = list[dict[str, Any]]()
        for line, call in lines.items():
            body = self._body(call)
            body |= body.pop("extra_body", {})
            rows.append({"custom_id": line, "method": "POST", "url": url, "body": body})
        content = "\n".join(json.dumps(row) for row in rows).encode()
        try:
            made = await self._client.files.create(file=("requests.jsonl", content), purpose="batch")
        except Exception as error:
            raise trouble_of(error, self._sdk, self._key) from error
        if not isinstance(getattr(made, "id", None), str):
            raise Trouble("rejected", "the service gives no id to the file of requests")
        return made.id

    async def create(self, name: str, prepared: str) -> str:
        url: Any = self._endpoint.service.batches
        try:
            made = await self._client.batches.create(
                input_file_id=prepared, endpoint=url, completion_window="24h", metadata={NAMED: name}
            )
        except Exception as error:
            raise trouble_of(error, self._sdk, self._key) from error
        return str(made.id)

    async def find(self, job: Job) -> list[str]:
        """By its name."""
        seen = 0
        try:
            async for one in self._client.batches.list(limit=100):
                seen += 1
                if (one.metadata or {}).get(NAMED) == job.name:
                    return [one.id]
                if seen >= MOST_LISTED or (one.created_at or math.inf) < job.began - CLOCKS_S:
                    break
        except Exception as error:
            raise trouble_of(error, self._sdk, self._key) from error
        return []

    async def look(self, id: str) -> Look:
        try:
            job = await self._client.batches.retrieve(id)
        except Exception as error:
            raise trouble_of(error, self._sdk, self._key) from error
        counts = job.request_counts
        told = [f"{each.code}: {each.message}" for each in ((job.errors.data if job.errors else None) or [])[:3]]
        files = tuple(file for file in (job.output_file_id, job.error_file_id) if file)
        return Look(
            _ENDED.get(job.status, "no"),
            done=0 if counts is None else counts.completed + counts.failed,
            total=0 if counts is None else counts.total,
            said=shown("; ".join(told), self._key),
            files=files,
            sent=(*files, job.input_file_id),
        )

    async def results(self, id: str, look: Look) -> Found:
        from openai.types.chat import ChatCompletion

        found = dict[str, Reply | Trouble]()
        for file in look.files:
            try:
                content = (await self._client.files.content(file)).content
            except Exception as error:
                raise trouble_of(error, self._sdk, self._key) from error
            for line, row in _rows(content):
                response = row.get("response") or {}
                status, body = response.get("status_code"), response.get("body")
                if status == 200 and isinstance(body, dict):
                    found.setdefault(line, _read(lambda body=body: reply_of_chat(ChatCompletion.construct(**body))))
                elif isinstance(status, int) and status >= 400:
                    found.setdefault(line, trouble_told(status, body, self._key))
                else:  # it was not asked: the time was over, or somebody has stopped the job
                    said = shown(str((row.get("error") or {}).get("message") or "no answer"), self._key)
                    found.setdefault(line, Trouble("server", said, retry_after=math.inf))
        return found

    async def forget(self, id: str, look: Look) -> None:
        try:
            for file in look.sent:
                await self._client.files.delete(file)
        except Exception as error:
            raise trouble_of(error, self._sdk, self._key) from error


class AnthropicBatches(AnthropicMessages):
    """Requests and results in bodies; a result says what became of it."""

    most_bytes = MOST_BYTES
    named = False

    async def prepare(self, lines: Mapping[str, Call]) -> list[Any]:
        return [{"custom_id": line, "params": self._body(call)} for line, call in lines.items()]

    async def create(self, name: str, prepared: list[Any]) -> str:
        del name  # it is in the ids of the lines
        try:
            made = await self._client.messages.batches.create(requests=prepared)
        except Exception as error:
            raise trouble_of(error, self._sdk, self._key) from error
        return str(made.id)

    async def find(self, job: Job) -> list[str]:
        """Of its size, and not older."""
        found, seen = list[str](), 0
        try:
            async for one in self._client.messages.batches.list(limit=100):
                seen += 1
                if seen > MOST_LISTED or _seconds(one.created_at) < job.began - CLOCKS_S:
                    break
                if sum(one.request_counts.model_dump().values()) == len(job.calls):
                    found.append(one.id)
        except Exception as error:
            raise trouble_of(error, self._sdk, self._key) from error
        return found[::-1]  # the job that was made first after it was planned is the likeliest

    async def look(self, id: str) -> Look:
        try:
            job = await self._client.messages.batches.retrieve(id)
        except Exception as error:
            raise trouble_of(error, self._sdk, self._key) from error
        counts = job.request_counts
        done = counts.succeeded + counts.errored + counts.canceled + counts.expired
        return Look("yes" if job.processing_status == "ended" else "no", done, done + counts.processing)

    async def results(self, id: str, look: Look) -> Found:
        """From the documented path, not from an address in an answer: the key is sent with it."""
        import httpx2
        from anthropic.types import Message

        try:
            answer = await self._client.get(f"/v1/messages/batches/{id}/results", cast_to=httpx2.Response)
        except Exception as error:
            raise trouble_of(error, self._sdk, self._key) from error
        found = dict[str, Reply | Trouble]()
        for line, row in _rows(answer.content):
            result = row.get("result")
            result = result if isinstance(result, dict) else {}
            kind, message = result.get("type"), result.get("message")
            if kind == "succeeded" and isinstance(message, dict):
                found.setdefault(line, _read(lambda message=message: reply_of_message(Message.construct(**message))))
            elif kind == "errored":
                told = result.get("error") or {}
                nested = told.get("error")
                inner = nested if isinstance(nested, dict) else told
                found.setdefault(line, trouble_told(_STATUS.get(str(inner.get("type")), 500), told, self._key))
            elif kind in ("expired", "canceled"):
                found.setdefault(line, Trouble("server", f"the call has {kind} in its batch", retry_after=math.inf))
        return found

    async def forget(self, id: str, look: Look) -> None:
        try:
            await self._client.messages.batches.delete(id)
        except Exception as error:
            raise trouble_of(error, self._sdk, self._key) from error


def _rows(content: bytes) -> Iterator[tuple[str, dict[str, Any]]]:
    """Id and content of the lines that can be read."""
    for text in content.split(b"\n"):
        try:
            row = json.loads(text)
        except ValueError:
            continue
        if isinstance(row, dict) and isinstance(row.get("custom_id"), str):
            yield row["custom_id"], row


def _read(reply: Any) -> Reply | Trouble:
    try:
        return reply()
    except Trouble as trouble:
        return trouble


def _seconds(moment: Any) -> float:
    return moment.timestamp() if isinstance(moment, datetime) else math.inf

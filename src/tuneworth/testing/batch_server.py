"""The endpoints for batches of both protocols, for `tuneworth.testing.chat_server`.

    with ChatServer(batches=BatchEndpoints()) as server:
        ...

Each line of a batch is answered as if it had come by itself, with the faults of the server among them: what is not answered
with status 200 becomes a line with an error, and what would arrive cut off a line that cannot be read. Results come in
another order than the calls.
"""

from __future__ import annotations

import email
import email.policy
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Fate = Literal["completed", "expired", "cancelled", "failed"]
TOO_LATE = "This request could not be executed before the completion window expired."


class _Chat(Protocol):
    def respond(self, protocol: Any, body: dict[str, Any], key: str, send: Any) -> None: ...


@dataclass
class Made:
    """A job that was made."""

    id: str
    name: str
    ids: list[str]
    answered: list[tuple[str, int, bytes]]
    fate: Fate
    created: float
    input_file: str = ""
    looks: int = 0


@dataclass
class BatchEndpoints:
    """What a server does with batches.

    Attributes:
        looks: how often a job is looked at before it has ended.
        fate: number of a job → how it ends. One that expires or is cancelled has answered every other call, one that failed none.
        why: of a job that failed.
        mangled: what is sent in place of the lines of results.
        refused: method and path → a status to answer with.
        when_made: called when a job is there and nobody was told; what it raises cuts the connection, a status is answered.
        made: all jobs; ``files``: contents of files by id; ``deleted``: ids of files and jobs.
    """

    looks: int = 1
    fate: Callable[[int], Fate] = lambda number: "completed"
    why: str = "invalid_json_line"
    mangled: Callable[[list[bytes]], list[bytes]] = lambda lines: lines
    refused: Callable[[str], int | None] = lambda call: None
    when_made: Callable[[], int | None] = lambda: None
    made: list[Made] = field(default_factory=list[Made])
    files: dict[str, bytes] = field(default_factory=dict[str, bytes])
    deleted: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def handle(self, chat: _Chat, method: str, path: str, content: bytes, kind: str, key: str) -> Any:
        """Status and answer (JSON, or the bytes of a file); ``None``: the path is not about batches."""
        path = path.split("?")[0].rstrip("/")
        parts = path.removeprefix("/v1/").removeprefix("messages/").split("/")
        if parts[0] not in ("files", "batches"):
            return None
        if (status := self.refused(f"{method} {path}")) is not None:
            return status, {"error": {"message": f"refused: {path}", "type": "server_error", "code": "server_error"}}
        messages = path.startswith("/v1/messages/")
        if method == "DELETE":
            self.deleted.append(parts[1])
            return 200, {"id": parts[1], "deleted": True, "type": "message_batch_deleted", "object": "file"}
        if method == "POST" and parts == ["files"]:
            return 200, self._upload(content, kind)
        if method == "POST" and parts == ["batches"]:
            job = self._make(chat, json.loads(content), "messages" if messages else "chat", key)
            if (status := self.when_made()) is not None:
                return status, {"error": {"message": "It failed.", "type": "server_error", "code": "server_error"}}
            return 200, self._told(job, messages)
        if parts == ["batches"]:
            told = [self._told(job, messages) for job in reversed(self.made)]
            return 200, {"object": "list", "data": told, "has_more": False, "first_id": None, "last_id": None}
        if parts[0] == "files":
            return 200, self.files[parts[1]]
        job = next((job for job in self.made if job.id == parts[1]), None)
        if job is None:
            return 404, {"error": {"message": f"No batch found with id '{parts[1]}'", "type": "not_found_error"}}
        if len(parts) == 3:
            return 200, b"\n".join(self._message_lines(job))
        job.looks += 1
        return 200, self._told(job, messages)

    def _upload(self, content: bytes, kind: str) -> dict[str, Any]:
        parts = email.message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + content, policy=email.policy.HTTP)
        [file] = [part for part in parts.iter_parts() if part.get_filename()]  # pyright: ignore
        id = f"file-{len(self.made)}"
        self.files[id] = bytes(file.get_payload(decode=True))  # pyright: ignore
        return {"id": id, "object": "file", "bytes": len(self.files[id]), "purpose": "batch", "filename": "x"}

    def _make(self, chat: _Chat, body: dict[str, Any], protocol: str, key: str) -> Made:
        if protocol == "chat":
            lines = [json.loads(line) for line in self.files[body["input_file_id"]].splitlines()]
            asked = [(line["custom_id"], line["body"]) for line in lines]
        else:
            asked = [(line["custom_id"], line["params"]) for line in body["requests"]]
        fate = self.fate(len(self.made))
        reached = {"completed": asked, "failed": []}.get(fate, asked[::2])
        answered = list[tuple[str, int, bytes]]()
        for id, one in reached:
            sent = _Captured()
            chat.respond(protocol, one, key, sent)
            answered.append((id, sent.status, sent.content))
        name = (body.get("metadata") or {}).get("run", "")
        with self._lock:
            id = f"batch_{len(self.made)}"
            ids = [id for id, _ in asked]
            job = Made(id, name, ids, answered[::-1], fate, time.time(), body.get("input_file_id", ""))
            self.made.append(job)
        return job

    def _told(self, job: Made, messages: bool) -> dict[str, Any]:
        over = job.looks > self.looks
        good = sum(status == 200 for _, status, _ in job.answered) if over else 0
        bad = len(job.ids) - good if over else 0
        if messages:
            counts = {"processing": 0 if over else len(job.ids), "succeeded": good, "errored": bad}
            moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(job.created))
            return {
                "id": job.id,
                "type": "message_batch",
                "processing_status": "ended" if over else "in_progress",
                "request_counts": {**counts, "canceled": 0, "expired": 0},
                "created_at": moment,
                "expires_at": moment,
                "results_url": "http://127.0.0.1:9/never-asked",
            }
        output, errors = self._chat_files(job) if over else (None, None)
        failed = over and job.fate == "failed"
        return {
            "id": job.id,
            "object": "batch",
            "endpoint": "/v1/chat/completions",
            "input_file_id": job.input_file,
            "completion_window": "24h",
            "status": job.fate if over else "in_progress",
            "created_at": int(job.created),
            "metadata": {"run": job.name},
            "request_counts": {"total": len(job.ids), "completed": good, "failed": 0 if failed else bad},
            "errors": {"object": "list", "data": [{"code": self.why, "message": "It failed."}]} if failed else None,
            "output_file_id": output,
            "error_file_id": errors,
        }

    def _chat_files(self, job: Made) -> tuple[str | None, str | None]:
        """Ids of the files with results and with errors."""
        if job.fate == "failed":
            return None, None
        good, bad = list[bytes](), list[bytes]()
        for id, status, content in job.answered:
            parsed = _json(content)
            line = {"id": f"req_{id}", "custom_id": id, "error": None}
            line["response"] = {"status_code": status, "request_id": "r", "body": parsed}
            text = json.dumps(line).encode()
            (good if status == 200 else bad).append(text if parsed is not None else text[: len(text) // 2])
        late = set(job.ids) - {id for id, *_ in job.answered}
        code = "batch_expired" if job.fate == "expired" else "batch_cancelled"
        bad += [
            json.dumps({"custom_id": id, "response": None, "error": {"code": code, "message": TOO_LATE}}).encode()
            for id in sorted(late)
        ]
        output, errors = f"{job.id}-output", f"{job.id}-errors"
        self.files |= {output: b"\n".join(self.mangled(good)), errors: b"\n".join(bad)}
        return output, errors if bad else None

    def _message_lines(self, job: Made) -> list[bytes]:
        lines = list[bytes]()
        for id, status, content in job.answered:
            parsed = _json(content)
            done = {"type": "succeeded", "message": parsed} if status == 200 else {"type": "errored", "error": parsed}
            text = json.dumps({"custom_id": id, "result": done}).encode()
            lines.append(text if parsed is not None else text[: len(text) // 2])
        late: Sequence[str] = [id for id in job.ids if id not in {id for id, *_ in job.answered}]
        ended = "canceled" if job.fate == "cancelled" else "expired"
        lines += [json.dumps({"custom_id": id, "result": {"type": ended}}).encode() for id in late]
        return self.mangled(lines)


@dataclass
class _Captured:
    """Takes what would be sent."""

    status: int = 500
    content: bytes = b"{}"

    def json(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        self.raw(status, json.dumps(body).encode(), "application/json")

    def raw(self, status: int, content: bytes, kind: str, headers: Mapping[str, str] | None = None) -> None:
        self.status, self.content = status, content

    def cut(self, content: bytes) -> None:
        self.status, self.content = 200, content


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None

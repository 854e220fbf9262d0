"""A service on this machine that speaks OpenAI's protocol for embeddings: real requests, vectors of hashed words."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tuneworth.testing.cases import HashEncoder

Answer = tuple[int, Any]
"""Status and body; status 0: half an answer, then the connection ends."""


def vectors_of(request: dict[str, Any]) -> Answer:
    """What a service answers when all is well; in another order than asked, as the protocol allows."""
    vectors = 3 * HashEncoder().encode(request["input"])
    data = [{"object": "embedding", "index": at, "embedding": vector.tolist()} for at, vector in enumerate(vectors)]
    n_tokens = sum(len(text.split()) for text in request["input"])
    usage = {"prompt_tokens": n_tokens, "total_tokens": n_tokens}
    return 200, {"object": "list", "data": data[::-1], "model": request["model"], "usage": usage}


@contextlib.contextmanager
def embedding_server(
    requests: list[dict[str, Any]], answer: Callable[[dict[str, Any]], Answer] = vectors_of
) -> Iterator[str]:
    """Gives the address; what is sent, with the key, is added to ``requests``."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            requests.append({**request, "path": self.path, "key": self.headers.get("Authorization")})
            status, body = answer(request)
            content = json.dumps(body).encode()
            self.send_response(status or 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content if status else content[: len(content) // 2])

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()

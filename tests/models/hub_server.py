"""A model hub of one model on this machine: enough of its HTTP interface to be downloaded from."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextlib.contextmanager
def hub_of(hub_id: str, commit: str, files: dict[str, bytes]) -> Iterator[str]:
    """Serve ``files`` as the model ``hub_id`` at ``commit``; gives the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def answer(self, *, body: bool) -> None:
            path = self.path.split("?")[0]
            name = path.partition(f"/{hub_id}/resolve/")[2].partition("/")[2]
            model_page = f"/api/models/{hub_id}"
            if path.startswith(f"{model_page}/tree/"):
                tree = [{"type": "file", "path": n, "size": len(b), "oid": "0" * 40} for n, b in files.items()]
                content, headers = json.dumps(tree).encode(), {"Content-Type": "application/json"}
            elif path in (model_page, f"{model_page}/revision/{commit}", f"{model_page}/revision/main"):
                siblings = [{"rfilename": n, "size": len(b)} for n, b in files.items()]
                content = json.dumps({"id": hub_id, "sha": commit, "siblings": siblings}).encode()
                headers = {"Content-Type": "application/json"}
            elif name in files:
                content = files[name]
                headers = {"ETag": f'"{hashlib.sha256(content).hexdigest()}"'}
            else:
                content, headers = b"", {"X-Error-Code": "RepoNotFound"}
            self.send_response(404 if "X-Error-Code" in headers else 200)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("X-Repo-Commit", commit)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if body:
                self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

"""A ModelScope of one model on this machine: enough of its HTTP interface to be downloaded from."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@dataclass
class Shop:
    """What is served, and what was asked.

    Attributes:
        sent: name → bytes that are sent instead of the file's own, whose digest is announced.
        cut: name → after so many bytes the first answer breaks off.
        status: instead of any answer.
        asked: (name, first byte) of every request for a file.
    """

    address: str
    files: dict[str, bytes]
    sent: dict[str, bytes] = field(default_factory=dict[str, bytes])
    cut: dict[str, int] = field(default_factory=dict[str, int])
    status: int | None = None
    asked: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])


@contextlib.contextmanager
def modelscope_of(model_id: str, files: dict[str, bytes]) -> Iterator[Shop]:
    """Serve ``files`` as the model ``model_id``."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            asked = {name: values[0] for name, values in parse_qs(url.query).items()}
            name = asked.get("FilePath", "")
            if shop.status is not None:
                self.answer(shop.status, {"Code": shop.status, "Message": "not for you", "Success": False})
            elif url.path == f"/api/v1/models/{model_id}/repo/files":
                listed = [
                    {"Path": n, "Name": n, "Type": "blob", "Size": len(b), "Sha256": hashlib.sha256(b).hexdigest()}
                    for n, b in shop.files.items()
                ]
                self.answer(200, {"Code": 200, "Success": True, "Data": {"Files": listed}})
            elif url.path == f"/api/v1/models/{model_id}/repo" and name in shop.files:
                self.send_file(name)
            else:
                self.answer(404, {"Code": 10010205001, "Message": "no such model", "Success": False})

        do_HEAD = do_GET

        def send_file(self, name: str) -> None:
            content = shop.sent.get(name, shop.files[name])
            ranged = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
            start = int(ranged[1]) if ranged else 0
            part = content[start : int(ranged[2]) + 1 if ranged and ranged[2] else None]
            shop.asked.append((name, start))
            self.send_response(206 if ranged else 200)
            if ranged:
                self.send_header("Content-Range", f"bytes {start}-{start + len(part) - 1}/{len(content)}")
            self.send_header("Content-Length", str(len(part)))
            self.end_headers()
            if self.command == "HEAD":
                return
            if (most := shop.cut.pop(name, None)) is not None:
                self.wfile.write(part[:most])
                self.close_connection = True
                return
            self.wfile.write(part)

        def answer(self, status: int, body: object) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    shop = Shop(f"http://127.0.0.1:{server.server_port}", files)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield shop
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

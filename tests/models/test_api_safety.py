"""Where keys and rows go: proxies, certificates, redirects, and a private run that opens no socket to anything else."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

import tuneworth
from tuneworth.errors import EnvironmentProblem, InputError
from tuneworth.models.catalog import open_model
from tuneworth.testing.chat_models import KEY, asking, sorts
from tuneworth.testing.chat_server import ChatServer, always


def test_sockets_beyond_loopback_are_blocked_here(sockets_stay_here):
    with socket.socket() as one, pytest.raises(OSError, match="blocked in tests"):
        one.connect(("192.0.2.1", 80))
    assert sockets_stay_here.pop() == ("192.0.2.1", 80)


def test_what_is_asked_of_this_machine_goes_through_no_proxy(monkeypatch):
    """A proxy on the way would read the rows of a private task."""
    with ChatServer() as proxy, ChatServer() as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.root)
        model = open_model(f"{server.address}#m")
        model.generate(asking(3), max_new_tokens=8)
    assert (len(server.asked), len(proxy.asked)) == (3, 0)


def test_a_proxy_that_is_set_is_used_for_others_and_told_when_it_fails(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with pytest.raises(EnvironmentProblem, match="check the address, the network and, if one is set, the proxy"):
        open_model("https://api.example.com/v1#m")


@pytest.fixture
def own_certificate(tmp_path: Path):
    """A server on this machine whose certificate nobody has signed."""
    made = tmp_path / "made.pem"
    command = f"openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout {made} -out {tmp_path}/cert.pem"
    subprocess.run(command.split(), check=True, capture_output=True)
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.path)
            body = json.dumps({"object": "list", "data": [{"id": "m"}]}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Quiet(HTTPServer):
        def handle_error(self, request, client_address) -> None:
            pass

    server = Quiet(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", made)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://localhost:{server.server_port}/v1", tmp_path / "cert.pem", seen
    server.shutdown()
    server.server_close()


def test_a_certificate_that_cannot_be_verified_ends_the_run(own_certificate, monkeypatch):
    address, certificate, seen = own_certificate
    with pytest.raises(EnvironmentProblem, match="its certificate cannot be verified"):
        open_model(f"{address}#m")
    assert seen == []
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert open_model(f"{address}#m").id == f"{address}#m"
    assert seen == ["/v1/models"]


def test_a_key_goes_to_no_other_host(monkeypatch):
    """Of two ways to send a key clients drop only one when they are sent on."""
    monkeypatch.setenv("TUNEWORTH_API_KEY", KEY)
    with ChatServer() as elsewhere, ChatServer(faults=always("redirect"), redirect_to=elsewhere.address) as server:
        for protocol, address in (("chat", server.address), ("messages", server.root)):
            model = open_model(f"{address}#m", services={address: {"protocol": protocol}})
            with pytest.raises(EnvironmentProblem, match="the key is not sent there"):
                model.generate(asking(1), max_new_tokens=8)
    assert elsewhere.asked == []
    assert {asked.key for asked in server.asked} == {KEY}


def rows(folder: Path) -> Path:
    words = Path(tuneworth.__file__).read_text(encoding="utf-8").split()
    labels = ("bug", "billing", "praise")
    path = folder / "train.jsonl"
    made = [
        {
            "input": f"{' '.join(words[(7 * at) % 50 : (7 * at) % 50 + 9])} {at * at} {labels[at % 3]}",
            "output": labels[at % 3],
        }
        for at in range(36)
    ]
    path.write_text("\n".join(map(json.dumps, made)), encoding="utf-8")
    return path


def test_a_private_run_asks_this_machine_and_nothing_else(tmp_path, monkeypatch):
    """A whole run under the tripwire: it fails at the end of the test for any connection beyond loopback."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with ChatServer(answer=sorts) as server:
        task = tmp_path / "task.yaml"
        lines = [
            f"train: {rows(tmp_path)}",
            f"models: ['{server.address}#m']",
            "strategies: [prompt]",
            "limits: {private: true}",
            "repeats: {answers: 1}",
            "budget: 60s",
        ]
        task.write_text("\n".join(lines), encoding="utf-8")
        result = tuneworth.run(task, out=tmp_path / "run")
        assert server.charged.total() > 10
        assert KEY not in {asked.key for asked in server.asked}
        assert KEY not in (tmp_path / "run" / "result.json").read_text(encoding="utf-8")
    held = [arm for arm in result.arms if arm.config.get("constrained") and arm.dev]
    assert held
    assert all(any("strict JSON schema" in note.en for note in arm.notes) for arm in held)
    task.write_text("\n".join([*lines[:1], "models: [openai/m]", *lines[2:]]), encoding="utf-8")
    with pytest.raises(InputError, match="rows may not leave this machine"):
        tuneworth.run(task, out=tmp_path / "other")

# pyright: reportOptionalMemberAccess=false
"""A private task opens no socket but to this machine, whatever it needs."""

from __future__ import annotations

import ipaddress
import socket
import subprocess
from typing import Any

import pytest

from rows_made import label_rows, write_rows
from tuneworth.core.offline import may_fetch, staying_here
from tuneworth.data.taskfile import task_file_for
from tuneworth.errors import EnvironmentProblem, InputError
from tuneworth.models import catalog
from tuneworth.models.local import cache
from tuneworth.pipeline import run
from tuneworth.race.folder import RunFolder
from tuneworth.race.prepare import ready
from tuneworth.race.watch import Silent
from tuneworth.testing.chat_server import ChatServer
from tuneworth.testing.models import make_tiny_llama


def is_here(host: object) -> bool:
    text = host.decode() if isinstance(host, bytes) else str(host)
    try:
        return ipaddress.ip_address(text.partition("%")[0]).is_loopback
    except ValueError:
        return text == "localhost"


@pytest.fixture
def tripwire(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every way to another machine, and to programs that may go there; what was tried is in the list."""
    tried: list[str] = []

    def guarded(name: str, real: Any, host_of: Any):
        def call(*args: Any, **options: Any):
            host = host_of(*args, **options)
            if host is not None and not is_here(host):
                tried.append(f"{name} {host}")
                raise OSError(f"tripwire: {name} {host}")
            return real(*args, **options)

        return call

    def of_socket(self: socket.socket, address: Any, *rest: Any) -> Any:
        return address[0] if self.family in (socket.AF_INET, socket.AF_INET6) else None

    for name in ("connect", "connect_ex", "sendto"):
        host_of = of_socket if name != "sendto" else lambda self, data, *rest: of_socket(self, rest[-1])
        monkeypatch.setattr(socket.socket, name, guarded(name, getattr(socket.socket, name), host_of), raising=False)
    monkeypatch.setattr(
        socket,
        "create_connection",
        guarded("create_connection", socket.create_connection, lambda address, *a, **k: address[0]),
    )
    monkeypatch.setattr(socket, "getaddrinfo", guarded("getaddrinfo", socket.getaddrinfo, lambda host, *a, **k: host))
    real_run = subprocess.run

    def runs(command: Any, *args: Any, **options: Any):
        if "download" in command:
            tried.append(str(command))
            raise OSError("tripwire")
        return real_run(command, *args, **options)

    monkeypatch.setattr(subprocess, "run", runs)
    return tried


def test_the_tripwire_is_felt(tripwire):
    with pytest.raises(OSError, match="tripwire"):
        socket.create_connection(("192.0.2.1", 80), timeout=0.1)
    with socket.socket() as one, pytest.raises(OSError, match="tripwire"):
        one.connect(("192.0.2.1", 80))
    with pytest.raises(OSError, match="tripwire"):
        socket.getaddrinfo("huggingface.co", 443)
    assert len(tripwire) == 3


@pytest.mark.slow
def test_a_whole_private_run_with_models_of_both_kinds(tmp_path, tripwire, monkeypatch):
    """Local weights that are trained, a server on this machine, and a proxy in the environment that would take rows away."""
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        for name in (variable, variable.lower()):
            monkeypatch.setenv(name, "http://192.0.2.7:3128")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    make_tiny_llama(tmp_path / "tiny")
    with ChatServer() as server:
        served = f"{server.address}#quick"
        task_file = task_file_for(
            write_rows(tmp_path / "train.jsonl", label_rows(160)),
            models=[str(tmp_path / "tiny"), served],
            text_language="other",
            limits={"private": True},
            budget="90s",
        )
        result = run(task_file, RunFolder(tmp_path / "run"), Silent())
        assert server.asked
    assert tripwire == []
    measured = {(arm.strategy, arm.model) for arm in result.arms if arm.state == "measured"}
    assert {("prompt", served), ("prompt", str(tmp_path / "tiny")), ("lora", str(tmp_path / "tiny"))} <= measured
    assert all(arm.local for arm in result.arms if arm.state == "measured")
    assert result.sent is None


@pytest.mark.parametrize("name", ["smollm2-135m", "some-owner/some-model", "modelscope://some-owner/some-model"])
def test_a_model_that_is_not_here_is_not_fetched_and_the_way_is_said(tmp_path, tripwire, monkeypatch, name):
    monkeypatch.setattr(cache, "models_home", lambda: tmp_path / "models")
    monkeypatch.setattr("tuneworth.models.local.sources.models_home", lambda: tmp_path / "models")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    task_file = task_file_for(
        write_rows(tmp_path / "train.jsonl", label_rows(60)), models=[name], limits={"private": True}
    )
    with pytest.raises(EnvironmentProblem, match="nothing is fetched") as refused:
        ready(task_file, Silent())
    assert f"tuneworth models pull {name}" in refused.value.to("en")
    assert f"tuneworth models pull {name}" in refused.value.to("zh")
    assert tripwire == []


def test_the_sentence_encoder_is_not_fetched_either(tmp_path, tripwire, monkeypatch):
    monkeypatch.setattr("tuneworth.models.local.sources.models_home", lambda: tmp_path / "models")
    with staying_here(True), pytest.raises(EnvironmentProblem, match="models pull minilm"):
        catalog.open_encoder()
    assert tripwire == []


def test_rows_of_the_hub_are_not_fetched(tripwire):
    task_file = task_file_for("hf://owner/name", limits={"private": True})
    with pytest.raises(InputError, match="the task is private"):
        ready(task_file, Silent())
    assert tripwire == []


def test_a_service_elsewhere_is_refused(tmp_path, tripwire, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-test")
    data = write_rows(tmp_path / "train.jsonl", label_rows(60))
    for name in ("openai/gpt-any", "http://192.0.2.9:8000/v1#m"):
        with pytest.raises(InputError, match="the task is private"):
            run(task_file_for(data, models=[name], limits={"private": True}), RunFolder(tmp_path / "run"), Silent())
    assert tripwire == []


def test_what_is_private_ends_with_the_work():
    with staying_here(True):
        with staying_here(False):
            assert not may_fetch()
        assert not may_fetch()
    assert may_fetch()
    with pytest.raises(ValueError, match="oops"), staying_here(True):
        raise ValueError("oops")
    assert may_fetch()

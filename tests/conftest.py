"""No test talks to anything but this machine, unless it is marked for it."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from typing import Any

import pytest


class Blocked(OSError):
    """A test wanted to connect to another machine."""


def is_here(address: Any) -> bool:
    """A path (Unix socket), or a loopback address."""
    if not isinstance(address, tuple):
        return True
    try:
        return ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback
    except ValueError:
        return str(address[0]) in ("localhost", "")


@pytest.fixture(autouse=True)
def sockets_stay_here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Trips on a connection beyond loopback, also where the code under test takes the error for a failing network. Tests of embedded
    models (``slow``) may fetch them, and ``network`` says so of any other."""
    if any(request.node.get_closest_marker(name) for name in ("slow", "network")):
        yield []
        return
    tripped: list[Any] = []

    def guarded(method: Any) -> Any:
        def connect(self: socket.socket, address: Any) -> Any:
            if self.family != socket.AF_UNIX and not is_here(address):
                tripped.append(address)
                raise Blocked(f"sockets beyond loopback are blocked in tests: {address}")
            return method(self, address)

        return connect

    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, guarded(getattr(socket.socket, name)))
    yield tripped
    assert not tripped, f"the test wanted to connect to {tripped}; mark it `network` if it has to"

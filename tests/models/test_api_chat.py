"""A language model behind an address: real requests to a server on this machine."""

from __future__ import annotations

import pytest

from tuneworth.core.task import Message
from tuneworth.models.base import Constraint, Request
from tuneworth.models.catalog import open_model
from tuneworth.testing.chat_server import ChatServer


def asking(n: int) -> list[Request]:
    labels = Constraint(labels=("bug", "billing"))
    return [Request((Message("system", "Sort."), Message("user", f"{at}: a bug?")), labels) for at in range(n)]


@pytest.mark.parametrize("by_address", [True, False])
def test_answers_come_in_the_order_of_the_requests(monkeypatch, by_address):
    with ChatServer(latency_ms=5) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.address)
        model = open_model(f"{server.address}#any" if by_address else "openai/any")
        free = [Request(request.messages) for request in asking(20)]
        told = model.generate(free, max_new_tokens=9)
        held = model.generate(asking(20), max_new_tokens=9)
    assert [done.text for done in told] == [request.messages[-1].content for request in free]
    assert {done.text for done in held} == {"bug"}
    assert server.most_at_once == 8
    assert {asked.model for asked in server.asked} == {"any"}
    assert model.capabilities.local
    assert not model.capabilities.deterministic

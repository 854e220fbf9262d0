"""Both protocols against the same server and the same list of what must hold, through the real SDKs."""

from __future__ import annotations

import pytest

from tuneworth.models.base import Model
from tuneworth.models.catalog import open_model
from tuneworth.testing.chat_models import CHAT_CHECKS, KEY
from tuneworth.testing.chat_server import ChatServer


def by_chat_completions(server: ChatServer) -> Model:
    return open_model(f"{server.address}#m0")


def by_messages(server: ChatServer) -> Model:
    said = {"protocol": "messages", "reasoning": "adaptive", "temperature": False, "means": ["strict", "tool"]}
    return open_model(f"{server.root}#m0", services={server.root: said})


@pytest.mark.parametrize("open_", [by_chat_completions, by_messages], ids=["chat", "messages"])
@pytest.mark.parametrize("check", CHAT_CHECKS, ids=lambda check: check.__name__)
def test_conformance(check, open_, monkeypatch):
    monkeypatch.setenv("TUNEWORTH_API_KEY", KEY)
    monkeypatch.setattr("tuneworth.models.api.chat_model.ChatModel.patience_seconds", 0.02)
    check(open_)

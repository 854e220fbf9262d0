"""What asks a model runs unchanged on one behind an API: the same suite, the scripted model behind a server on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tuneworth.core.registry import load_plugin
from tuneworth.models.catalog import open_model
from tuneworth.models.scripted import ScriptedModel
from tuneworth.testing import strategies as suite
from tuneworth.testing.chat_server import ChatServer, answers_of
from tuneworth.testing.strategies import (
    answers_are_well_formed,
    benches,
    keeps_order,
    records_failures,
    saves_and_loads,
)

pytestmark = pytest.mark.slow  # some thousand real calls
CHECKS = (answers_are_well_formed, keeps_order, records_failures, saves_and_loads)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with ChatServer(answer=answers_of(ScriptedModel())) as server:
        yield f"{server.address}#m"


@pytest.mark.parametrize("name", ["prompt", "fewshot", "rag", "oracle"])
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_conformance(name: str, check: Callable[[suite.Bench], None], tmp_path: Path, address: str) -> None:
    for bench in benches(load_plugin("tuneworth.strategies", name), tmp_path, lambda: open_model(address)):
        check(bench)

"""Half of all calls fail, over several starts of a run: what its store holds at the end (`benchmarks/api.py`, with fewer rows)."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tuneworth.models.api.chat_model import ChatModel

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "api.py"


def test_no_row_is_lost_or_scored_twice_and_every_charge_is_in_the_ledger(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It asserts this itself."""
    monkeypatch.setattr(ChatModel, "patience_seconds", 0.005)
    spec = importlib.util.spec_from_file_location("benchmark_of_apis", BENCHMARK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.weather(120, 0.5, 0.0, most_starts=4)
    told = capsys.readouterr().out
    assert "rows in the store 120, scored right 120; whole answers that were paid for 120" in told
    assert "after each start [0]" not in told, "a later start had something to ask again"

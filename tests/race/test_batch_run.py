# pyright: reportOptionalMemberAccess=false
"""Whole runs whose model is asked in batches: real SDKs, a server on this machine, a stated price."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from rows_made import label_rows, write_rows
from tuneworth.core.text import Text
from tuneworth.data.taskfile import task_file_for
from tuneworth.errors import InputError
from tuneworth.models.api import batches
from tuneworth.pipeline import run
from tuneworth.race.folder import RunFolder
from tuneworth.race.prepare import ready
from tuneworth.race.preview import preview
from tuneworth.race.store import Store
from tuneworth.race.watch import Silent
from tuneworth.report.html import render_html
from tuneworth.testing.batch_server import BatchEndpoints
from tuneworth.testing.chat_server import ChatServer

PRICE = {"input": 10.0, "output": 100.0, "batch_share": 0.5}
OPTIONS = ["--models", "openai/gpt-5-mini", "--batch", "--strategies", "majority,prompt", "--yes", "--out", "run"]
STRATEGIES = ["majority", "prompt", "fewshot"]


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "GATHER_S", 0.2)


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "rows.jsonl", label_rows(260))


def given(data: Path, name: str = "openai/any", **more: Any) -> Any:
    few = {"repeats": {"answers": 2, "rows": 20}, "prices": {name: PRICE}, "strategies": STRATEGIES}
    return task_file_for(data, **{"models": [name], "batch": True, **few, **more})


class Told(Silent):
    def __init__(self) -> None:
        self.said, self.units = list[str](), set[str]()

    def say(self, message: Text) -> None:
        self.said.append(message.en)

    def progress(self, done: int, total: int, unit: str) -> None:
        self.units.add(unit)


@pytest.mark.parametrize("name", ["openai/any", "anthropic/any"])
def test_a_run_in_batches_gives_a_verdict_and_pays_what_the_service_counted(rows, monkeypatch, name):
    endpoints, told = BatchEndpoints(), Told()
    with ChatServer(batches=endpoints) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.address)
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.root)
        result = run(given(rows, name, budget="1m"), RunFolder(rows.parent / "run"), told)
        n_jobs = len(endpoints.made)
        again = run(given(rows, name, budget="1m"), RunFolder(rows.parent / "run"), Silent())
    assert again.money == result.money
    assert result.decision.verdict
    money = result.money
    assert money.total.n_calls == server.charged.total()
    assert money.total.n_unknown == 0
    n_gathered = sum(len(job.ids) for job in endpoints.made)
    assert n_gathered > 0.6 * money.total.n_calls
    assert len(endpoints.made) == n_jobs < 8, "all arms of a round go in one"
    assert not any(step.saved for step in result.race.steps), "asked before its turn, but by this start"
    assert any(line.strip().startswith("batch batch_0: ") for line in told.said)
    assert "calls" in told.units
    finalist = next(arm for arm in result.arms if arm.finalist and arm.model is not None)
    usage = finalist.cost
    live = 1000 * (10.0 * usage.prompt_tokens_per_row + 100.0 * usage.completion_tokens_per_row) / 1e6
    assert usage.usd_per_1k_rows == pytest.approx(live), "told for single calls, though half of it was paid"
    assert usage.latency_p95_ms > 0
    assert any("Asked in batches" in note.en for note in finalist.notes)
    assert "Asked in batches" in render_html(result, lang="en")


def test_the_plan_and_the_question_show_the_prices_of_batches(rows, monkeypatch):
    told = list[str]()
    with ChatServer(batches=BatchEndpoints()) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.address)
        plans = [preview(ready(given(rows, batch=batch), Silent()), 900.0) for batch in (False, True)]
        folder = RunFolder(rows.parent / "run")
        assert run(given(rows), folder, Silent(), agree=lambda start: told.extend(t.en for t in start.remarks)) is None
        unknown = given(rows, prices={"openai/any": {"input": 10.0, "output": 100.0}})
        same = [line.en for line in preview(ready(unknown, Silent()), 900.0).outlay_lines]
    live, half = ({arm.arm_id: arm for arm in plan.arms if arm.outlay is not None} for plan in plans)
    for arm_id, arm in half.items():
        assert arm.outlay.calls == live[arm_id].outlay.calls
        low, high = (now / then for now, then in zip(arm.outlay.usd, live[arm_id].outlay.usd, strict=True))
        assert low == pytest.approx(0.5)
        assert 0.5 < high < 0.6, "rows asked alone cost what they always do"
        assert arm.dev_seconds == 0.0
        assert live[arm_id].dev_seconds is None
    lines = [line.en for line in plans[1].outlay_lines]
    assert lines == [line for line in told if line in lines], "the question says the same"
    [said] = [line for line in lines if line.startswith("Prices are those of batches")]
    assert "waiting does not count as time" in said
    assert any(
        line.endswith("No price of batches is known for openai/any: they are counted at the standard price.")
        for line in same
    )


def test_the_time_budget_does_not_count_the_waiting(rows, monkeypatch):
    def slow() -> None:
        time.sleep(2.5)

    endpoints = BatchEndpoints(looks=0, when_made=slow)
    with ChatServer(batches=endpoints) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.address)
        small = {"strategies": ["majority", "prompt"], "repeats": {"answers": 1}, "rows": {"dev": 40, "test": 40}}
        result = run(given(rows, budget="20s", **small), RunFolder(rows.parent / "run"), Silent())
    waited = 2.5 * len(endpoints.made)
    assert waited >= 5
    assert result.wall_seconds > waited
    assert result.race.steps[-1].spent_seconds < result.wall_seconds - waited / 2


@pytest.mark.parametrize(
    ("models", "where"),
    [
        (["mistral/m", "openai/m", "http://127.0.0.1:1/v1#m"], ["mistral/m", "http://127.0.0.1:1/v1#m"]),
        (["smollm2-135m"], ["--batch"]),
    ],
)
def test_models_whose_service_has_no_batches_are_named(rows, monkeypatch, models, where):
    for key in ("MISTRAL_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.setenv(key, "sk-made-up")
    task_file = task_file_for(rows, models=models, batch=True, max_calls=9)
    with pytest.raises(InputError) as refused:
        ready(task_file, Silent())
    assert [problem.where for problem in refused.value.problems] == where


def test_a_service_of_ones_own_may_have_batches(rows):
    endpoints = BatchEndpoints(looks=0)
    with ChatServer(batches=endpoints) as server:
        name = f"{server.address}#any"
        stated = {server.address: {"batches": "/v1/chat/completions"}}
        few = {"strategies": ["majority", "prompt"], "rows": {"dev": 40, "test": 40}}
        assert run(given(rows, name, services=stated, **few), RunFolder(rows.parent / "run"), Silent()) is not None
    assert endpoints.made


def test_what_goes_in_batches_is_masked_as_well(tmp_path, monkeypatch):
    from tuneworth.models.api.services import Endpoint

    monkeypatch.setattr(Endpoint, "is_here", property(lambda self: False))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-test")
    people = label_rows(90)
    for number, row in enumerate(people):
        row["input"] += f" — tell quokka{number}@corp-mail.com"
    data = write_rows(tmp_path / "rows.jsonl", people)
    endpoints = BatchEndpoints(looks=0)
    with ChatServer(batches=endpoints) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.address)
        few = {"strategies": ["majority", "prompt"], "rows": {"dev": 20, "test": 20}, "personal_data": "mask"}
        assert run(given(data, **few), RunFolder(tmp_path / "run"), Silent()) is not None
    sent = json.dumps([asked.body for asked in server.asked]) + repr(endpoints.files)
    assert "[EMAIL" in sent
    assert "quokka" not in sent


@pytest.mark.slow
class TestCommand:
    """`tuneworth run … --batch`, in a process of its own."""

    def start(self, rows: Path, server: ChatServer) -> subprocess.Popen[bytes]:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        env = {**os.environ, "OPENAI_BASE_URL": server.address, "OPENAI_API_KEY": "sk-x", "TUNEWORTH_LANG": "en"}
        command = [sys.executable, "-m", "tuneworth.cli.main", "run", str(rows), *OPTIONS]
        with (rows.parent / "log").open("ab") as log:
            return subprocess.Popen(command, cwd=rows.parent, env=env, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def test_killed_between_making_a_batch_and_noting_it_and_interrupted_it_ends_and_pays_once(self, rows):
        processes = list[subprocess.Popen[bytes]]()

        def kill() -> None:
            if len(endpoints.made) == 2:
                processes[0].kill()
                raise ConnectionError

        endpoints = BatchEndpoints(looks=0, when_made=kill)
        with ChatServer(batches=endpoints) as server:
            processes.append(self.start(rows, server))
            assert processes[0].wait(timeout=200) == -signal.SIGKILL
            with Store(rows.parent / "run" / "store.sqlite") as store:
                assert [(job.state, job.id is None) for job in store.jobs()][-1] == ("creating", True)
            endpoints.looks = 10**6
            processes.append(self.start(rows, server))
            log = rows.parent / "log"
            while "Stopped (Ctrl-C), the same command collects it" not in log.read_text("utf-8").split("batch_1")[-1]:
                assert processes[1].poll() is None, log.read_text("utf-8")
                time.sleep(0.2)
            processes[1].send_signal(signal.SIGINT)
            assert processes[1].wait(timeout=60) == 130
            assert "Batches go on at the service (tuneworth-" in log.read_text("utf-8")
            endpoints.looks = 0
            processes.append(self.start(rows, server))
            assert processes[2].wait(timeout=200) == 0, log.read_text("utf-8")
        result = json.loads((rows.parent / "run" / "result.json").read_text("utf-8"))
        assert result["decision"]["verdict"]
        assert result["money"]["total"]["n_calls"] == server.charged.total()
        assert result["money"]["total"]["n_unknown"] == 0
        asked = [line for job in endpoints.made for line in job.ids]
        assert len(asked) == len(set(asked))

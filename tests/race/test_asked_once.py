"""Arms that ask alike: the model is asked once, in whole runs with real requests to a server on this machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rows_made import label_rows, write_rows
from tuneworth.core.outcome import Outcome
from tuneworth.core.run import RunResult
from tuneworth.core.task import Message
from tuneworth.data.taskfile import task_file_for
from tuneworth.models import catalog
from tuneworth.models.base import Constraint, Request
from tuneworth.models.scripted import ScriptedModel
from tuneworth.pipeline import run
from tuneworth.race.arms import Arm
from tuneworth.race.folder import RunFolder
from tuneworth.race.ledger import Ledger
from tuneworth.race.money import MoneyReserve
from tuneworth.race.once import AskedOnce
from tuneworth.race.prepare import ready
from tuneworth.race.preview import preview
from tuneworth.race.runner import Entry
from tuneworth.race.store import Store
from tuneworth.race.watch import Silent
from tuneworth.strategies.decision import DecisionConfig, DecisionStrategy
from tuneworth.testing.chat_server import ChatServer
from tuneworth.testing.decision_server import DecisionRoutes

ARMS = ("none", "batch", "fitted")
PRICE = {"input": 10.0, "output": 100.0}


@pytest.fixture
def judge(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[ChatServer, DecisionRoutes]]:
    """Leans towards the option it is told first, and mostly knows the answer. No encoder: the audit is not what is looked at."""
    monkeypatch.setattr(catalog, "_ENCODING", ("no_such_engine",))
    routes = DecisionRoutes(weights)
    with ChatServer(routes=routes.routes()) as server:
        yield server, routes


def weights(text: str, options: Sequence[str]) -> list[float]:
    return [(3.0 if at == 0 else 1.0) * (4.0 if each in text else 1.0) for at, each in enumerate(options)]


def options(server: ChatServer, **more: Any) -> dict[str, Any]:
    name = f"{server.address}#judge"
    return {
        "models": [name],
        "strategies": ["majority", "decision"],
        "prices": {name: PRICE},
        "services": {server.address: {"decisions": "openai", "decides": ["*"]}},
        "repeats": {"answers": 1, "rows": 10},
        "exhaustive": True,
        **more,
    }


def ran(folder: Path, server: ChatServer, name: str = "run", **more: Any) -> RunResult:
    rows = write_rows(folder / "rows.jsonl", label_rows(240))
    result = run(task_file_for(rows, **options(server, **more)), RunFolder(folder / name), Silent())
    assert result is not None
    return result


def arms_of(result: RunResult) -> dict[str, Any]:
    return {arm.config["calibration"]: arm for arm in result.arms if arm.strategy == "decision"}


def times_asked(routes: DecisionRoutes) -> Counter[str]:
    return Counter(str(body["input"]) for _, body in routes.received)


def test_each_row_is_asked_once_for_the_three_arms(judge: tuple[ChatServer, DecisionRoutes], tmp_path: Path) -> None:
    server, routes = judge
    result = ran(tmp_path, server)
    arms, finalists = arms_of(result), [arm for arm in result.arms if arm.finalist and arm.strategy == "decision"]
    assert set(arms) == set(ARMS)
    assert all(arm.state == "measured" for arm in arms.values())
    n_alone = max(times_asked(routes).values()) - 1
    assert n_alone <= len(finalists), "asked again only where time is measured"
    alone = sum(count - 1 for count in times_asked(routes).values())
    assert alone <= 21 * len(finalists)
    n_train_asked = result.data.n_train
    assert len(times_asked(routes)) <= n_train_asked + result.data.n_dev + result.data.n_test
    assert result.money is not None
    assert result.money.total.n_calls == len(routes.received)
    # What each takes by itself is told of each: the same of an answer, and of fitting by how many rows it asks.
    per_row = [arm.cost.usd_per_1k_rows for arm in arms.values()]
    assert per_row[0] > 0
    assert max(per_row) == pytest.approx(min(per_row), rel=0.05)
    assert arms["none"].cost.fit_usd is None
    assert arms["fitted"].cost.fit_usd > 1.1 * arms["batch"].cost.fit_usd > 0
    shares = {
        name: any("asked for and paid for by another arm" in note.en for note in arm.notes)
        for name, arm in arms.items()
    }
    assert sum(shares.values()) == 2


def test_a_run_that_was_stopped_pays_for_nothing_twice(
    judge: tuple[ChatServer, DecisionRoutes], tmp_path: Path
) -> None:
    server, routes = judge
    whole = ran(tmp_path, server, "whole")
    assert whole.money is not None
    asked, routes.received[:] = times_asked(routes), []
    for part in (0.3, 0.7, 4.0):  # of the last, 3 % reach for all rows asked alone
        result = ran(tmp_path, server, "parts", max_calls=round(part * whole.money.total.n_calls))
    assert times_asked(routes) == asked
    assert {arm.arm_id: arm.dev for arm in result.arms} == {arm.arm_id: arm.dev for arm in whole.arms}
    assert {arm.arm_id: arm.test for arm in result.arms} == {arm.arm_id: arm.test for arm in whole.arms}


def test_what_is_asked_again_on_purpose_is_asked(judge: tuple[ChatServer, DecisionRoutes], tmp_path: Path) -> None:
    server, routes = judge
    once = ran(tmp_path, server, "once")
    n_once = len(routes.received)
    thrice = ran(tmp_path, server, "thrice", repeats={"answers": 3, "rows": 10})
    n_thrice = len(routes.received) - n_once
    assert any(arm.again for arm in thrice.arms)
    assert once.money is not None
    # Two more passes over ten test and ten dev rows, whichever of the arms are finalists.
    assert n_thrice - n_once == 2 * 2 * 10


def test_the_plan_counts_what_is_asked_once(judge: tuple[ChatServer, DecisionRoutes], tmp_path: Path) -> None:
    server, routes = judge
    rows = write_rows(tmp_path / "rows.jsonl", label_rows(240))
    plan = preview(ready(task_file_for(rows, **options(server)), Silent()), 600.0)
    assert not routes.received
    most = [arm.outlay.calls[1] for arm in plan.arms if arm.outlay is not None]
    assert len(most) == 3
    result = ran(tmp_path, server)
    assert result.money is not None
    told = plan.outlay_lines[-2].en
    high = int(told.split(" to ")[1].split(" calls")[0].replace(",", ""))
    assert result.money.total.n_calls <= 1.05 * high <= 1.1 * max(most)


def test_what_is_shared_and_what_is_not(tmp_path: Path) -> None:
    chances = {"a": 3.0, "b": 1.0, "c": 0.0}
    model = ScriptedModel(decides=lambda request: list(chances.values()), trouble={"boom": "error"})
    asked = [
        Request((Message("user", text),), Constraint(labels=tuple(chances))) for text in ("one", "boom", "two", "one")
    ]
    with Store(tmp_path / "store.sqlite") as store, np.errstate(divide="ignore"):
        once = AskedOnce(store)
        around = once.of(model)
        with once.asking("first", 0):
            first = around.decide(asked)
        assert [request.messages[-1].content for request in model.requests] == ["one", "boom", "two"]
        with once.asking("second", 0):
            second = around.decide(asked)
        assert len(model.requests) == 4, "only the failure was asked for again"
        for before, after in zip(first, second, strict=True):
            if before.log_probabilities is None:
                assert (after.log_probabilities, after.completion.shared) == (None, False)
                continue
            assert after.log_probabilities is not None
            assert after.log_probabilities.tolist() == before.log_probabilities.tolist()
            assert after.completion == replace(before.completion, shared=True)
        assert once.shared.seconds == pytest.approx(
            sum(one.completion.latency_ms for one in second if one.completion.shared) / 1000
        )
        with once.asking("first", 0):  # the arm that had asked goes on after a kill
            assert not any(one.completion.shared for one in around.decide(asked))
        for turn in (1, None, None):
            n_before = len(model.requests)
            with once.asking("second", turn):
                assert not any(one.completion.shared for one in around.decide(asked))
            assert len(model.requests) - n_before == (3 if turn else 4)
        assert around.id == model.id


def test_what_another_arm_had_asked_for_is_a_call_of_the_arm_as_well(tmp_path: Path) -> None:
    """Its test rows are asked anew, so calls are kept for them."""
    dev = [Outcome(arm_id="a", row_id=f"r{at}", stage="dev", status="scored", shared=True) for at in range(20)]
    with Store(tmp_path / "store.sqlite") as store:
        kept = MoneyReserve(None, Ledger(store))  # pyright: ignore[reportArgumentType]
        arm = Arm("a", "0" * 16, DecisionStrategy, DecisionConfig(), None)
        assert kept.calls_per_row(Entry(arm, None, None, dev=dev)) == 1.0  # pyright: ignore[reportArgumentType]

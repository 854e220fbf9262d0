"""Caps on money and calls in whole runs: real requests to a server on this machine, at a stated price."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rows_made import label_rows, write_rows
from tuneworth.core.run import RunResult
from tuneworth.data.taskfile import task_file_for
from tuneworth.errors import InputError
from tuneworth.pipeline import run
from tuneworth.race.folder import RunFolder
from tuneworth.race.prepare import ready
from tuneworth.race.preview import preview
from tuneworth.race.watch import Silent
from tuneworth.report.pages.record import build_data, build_record
from tuneworth.testing.chat_server import ChatServer

PRICE = {"input": 10.0, "output": 100.0}


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "rows.jsonl", label_rows(260))


def ran(
    rows: Path, server: ChatServer, folder: str = "run", *, price: dict[str, float] | None = PRICE, **options: Any
) -> RunResult:
    name = f"{server.address}#any"
    task_file = task_file_for(
        rows,
        models=[name],
        strategies=["majority", "prompt", "fewshot"],
        prices={name: price} if price else {},
        repeats={"answers": 2, "rows": 10},
        **options,
    )
    result = run(task_file, RunFolder(rows.parent / folder), Silent())
    assert result is not None
    return result


def charged_by(server: ChatServer) -> float:
    """As the server counted: its tokens are words, and labels are one."""
    return sum(
        (10.0 * sum(len(turn.content.split()) for turn in asked.messages) + 100.0 * 2) / 1e6 for asked in server.asked
    )


def test_what_was_paid_is_what_the_service_counted(rows: Path):
    with ChatServer() as server:
        result = ran(rows, server)
        money = result.money
        assert money is not None
        assert money.total.n_calls == server.charged.total() > 100
        assert money.total.usd == pytest.approx(sum(arm.usd for arm in money.arms.values()))
        assert (money.reached, money.total.n_unknown, money.budget_usd) == (False, 0, None)
        assert money.prices[f"{server.address}#any"].input == 10.0
        measured = {arm.arm_id for arm in result.arms if arm.state == "measured" and arm.model is not None}
        assert set(money.arms) == measured
        again = ran(rows, server)
        assert again.money == money
    prompt = next(arm for arm in result.arms if arm.strategy == "prompt")
    assert prompt.cost.usd_per_1k_rows is not None, "known without a price of this machine"


def test_at_the_cap_the_run_ends_with_what_the_evidence_allows_and_a_larger_one_goes_on(rows: Path):
    with ChatServer() as server:
        whole = ran(rows, server, "whole").money
        assert whole is not None
        cap = 0.3 * whole.total.usd
        paid = server.charged.total()
        result = ran(rows, server, budget=f"${cap:.6f}")
        money = result.money
        assert money is not None
        assert money.reached
        assert 0.7 * cap <= money.total.usd <= cap
        assert money.total.n_calls == server.charged.total() - paid
        assert result.race is not None
        assert result.race.n_tested > 0, "money was kept back for the test rows"
        assert {arm.state for arm in result.arms if arm.finalist} == {"measured"}
        more = ran(rows, server, budget=f"${2 * cap:.6f}").money
        assert more is not None
        assert money.total.n_calls < more.total.n_calls == server.charged.total() - paid
        assert more.total.usd <= 2 * cap


def test_a_cap_on_calls_is_as_hard_and_needed_where_no_price_is_known(rows: Path, monkeypatch: pytest.MonkeyPatch):
    with ChatServer() as server:
        result = ran(rows, server, price=None, max_calls=90)
        assert result.money is not None
        assert 85 <= result.money.total.n_calls == server.charged.total() <= 90
        assert (result.money.reached, result.money.total.usd) == (True, 0.0)
        assert result.race is not None
        assert result.race.n_tested > 0


def test_a_cap_on_few_calls_is_kept_for_one_arm_and_its_test_rows_rather_than_a_little_of_each(rows: Path):
    """Ten arms, forty calls: four rows of each would say nothing of any."""
    with ChatServer() as server:
        result = ran(rows, server, price=None, max_calls=40)
        assert result.money is not None
        assert 35 <= result.money.total.n_calls == server.charged.total() <= 40
    assert len([arm for arm in result.arms if arm.model is not None]) >= 10
    [asked] = [arm for arm in result.arms if arm.model is not None and arm.state == "measured"]
    assert asked.finalist
    assert asked.dev["accuracy"].n_rows >= 20
    assert asked.test["accuracy"].n_rows >= 8
    assert {arm.why.en for arm in result.arms if arm.why is not None} == {
        "the cap on money or calls was reached before it was asked enough rows; "
        "a larger cap (--budget, --max-calls) measures it"
    }


def test_what_it_will_take_and_where_rows_go_is_told_before_anything_is_sent(rows: Path):
    told = list[str]()
    with ChatServer() as server:
        name = f"{server.address}#any"
        task_file = task_file_for(
            rows, models=[name], strategies=["majority", "prompt"], prices={name: PRICE}, budget="$3"
        )
        planned = preview(ready(task_file, Silent()), 900.0)
        folder = RunFolder(rows.parent / "run")
        assert run(task_file, folder, Silent(), agree=lambda start: told.extend(r.en for r in start.remarks)) is None
        assert server.received.total() == 0
        result = run(task_file, folder, Silent())
        assert result is not None
        assert result.money is not None
    for arm in planned.arms:
        assert (arm.outlay is None) == (arm.model is None)
        if arm.outlay is not None and arm.arm_id in result.money.arms:
            assert arm.outlay.host == "127.0.0.1"
            assert arm.outlay.usd is not None
            paid = result.money.arms[arm.arm_id]
            assert arm.outlay.calls[0] <= paid.n_calls <= arm.outlay.calls[1]
            assert paid.usd <= arm.outlay.usd[1]
    lines = [text.en for text in planned.outlay_lines]
    assert lines == [line for line in told if line in lines], "the question says the same"
    assert lines[-1] == "No row would leave this machine."
    assert lines[-2].startswith("All of them: ")
    assert lines[-2].endswith("and never more than $3.00")


def test_a_plan_counts_what_thinking_may_take_and_says_the_range(rows: Path):
    with ChatServer() as server:
        name = f"{server.address}#any"
        settings = {"prompt": {"reasoning": ["none", "low"]}}
        task_file = task_file_for(rows, models=[name], strategies=["prompt"], prices={name: PRICE}, settings=settings)
        made = ready(task_file, Silent())
        planned, estimator = preview(made, 900.0), made.estimator(made.plan())
    plain, thinking = [arm for arm in planned.arms if arm.arm_id.endswith(("reasoning=none", "reasoning=low"))]
    assert plain.outlay is not None
    assert thinking.outlay is not None
    assert thinking.outlay.tokens[0] == plain.outlay.tokens[0], "it may think about nothing"
    n_most = thinking.outlay.calls[1]
    assert thinking.outlay.tokens[1] - plain.outlay.tokens[1] == 4096 * n_most
    usd = [arm.outlay.usd[1] for arm in (plain, thinking) if arm.outlay and arm.outlay.usd]
    assert usd[1] - usd[0] == pytest.approx(n_most * 4096 * 100 / 1e6)
    expected = [estimator.answer_usd(arm.arm_id, 1) or 0.0 for arm in (plain, thinking)]
    assert expected[1] - expected[0] == pytest.approx(1024 * 100 / 1e6), "a quarter of what it may take"
    told = [line.en for line in planned.outlay_lines if "reasoning low" in line.en]
    assert told
    assert all("(0 to 4,096 tokens of thinking a call among them)" in line for line in told)
    assert not any("thinking" in line.en for line in planned.outlay_lines if line.en not in told)


def test_the_report_says_what_was_paid(rows: Path):
    with ChatServer() as server:
        result = ran(rows, server, max_calls=120)
    assert result.money is not None
    [said] = [text for text in build_data(result, "en").warnings if text.startswith("Services were paid")]
    assert f"for {result.money.total.n_calls} calls, of 120 that were allowed" in said
    [group] = [group for group in build_record(result, "zh") if group.title == "付费调用"]
    assert len(group.facts) == len(result.money.arms) + 1
    assert "每百万词元输入 $10.00、输出 $100" in group.facts[-1].value


@pytest.mark.parametrize("options", [{}, {"budget": "$1"}])
def test_without_a_price_nothing_is_sent(rows: Path, options: dict[str, str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-made-up")
    task_file = task_file_for(rows, models=["openai/made-up"], strategies=["prompt"], **options)
    with pytest.raises(InputError, match="--max-calls"):
        run(task_file, RunFolder(rows.parent / "run"), Silent())


def test_money_that_nothing_has_a_price_in_is_refused(rows: Path):
    task_file = task_file_for(rows, strategies=["majority"], budget="$1")
    with pytest.raises(InputError, match="nothing in this run has a price"):
        run(task_file, RunFolder(rows.parent / "run"), Silent())

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tuneworth.core.outcome import Usage
from tuneworth.core.task import Message
from tuneworth.errors import MoneySpent
from tuneworth.models.base import Completion, Request
from tuneworth.models.metering import all_settled, digest_of, metered
from tuneworth.race.ledger import Ledger
from tuneworth.race.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "store.sqlite") as opened:
        yield opened


def answer(usd: float | None, reason: str = "stop") -> Completion:
    usage = Usage() if reason == "error" else Usage(prompt_tokens=1, completion_tokens=1)
    return Completion("x", usage, 1.0, "error" if reason == "error" else "stop", usd=usd)


def ask(ledger: Ledger | None, name: str, most: float, *completions: Completion | Exception) -> list[Completion]:
    """So many calls side by side, each of which takes a moment."""

    async def one(number: int, made: Completion | Exception) -> Completion:
        async def send() -> Completion:
            await asyncio.sleep(0.01)
            if isinstance(made, Exception):
                raise made
            return made

        return await metered(ledger, f"{name} {number}", most, send)

    async def every() -> list[Completion]:
        return await all_settled(one(number, made) for number, made in enumerate(completions))

    return asyncio.run(every())


def test_without_a_meter_nothing_is_limited():
    assert ask(None, "a", 9.0, answer(1.0)) == [answer(1.0)]


def test_calls_wait_for_what_those_under_way_leave(store: Store):
    """Five calls of at most 1.00 that cost 0.10: under a cap of 1.50 they go one after the other, and all are made."""
    ledger = Ledger(store, usd_allowed=lambda: 1.5)
    assert len(ask(ledger, "a", 1.0, *[answer(0.1)] * 5)) == 5
    assert ledger.charged_usd() == pytest.approx(0.5)


def test_what_was_paid_for_before_the_money_was_out_is_there_the_next_time(store: Store):
    ledger = Ledger(store, usd_allowed=lambda: 1.0)
    with ledger.answering("dev arm"), pytest.raises(MoneySpent):
        ask(ledger, "a", 0.4, *[answer(0.4)] * 3)
    assert ledger.charged_usd() == pytest.approx(0.8)
    with ledger.answering("dev arm", closed=True):
        assert ask(ledger, "a", 0.4, *[answer(0.4)] * 2) == [answer(0.4)] * 2
        with pytest.raises(MoneySpent):
            ask(ledger, "b", 0.4, answer(0.4))


def test_a_failure_that_was_not_charged_leaves_the_money(store: Store):
    ledger = Ledger(store, usd_allowed=lambda: 0.5)
    for _ in range(3):
        assert ask(ledger, "a", 0.5, answer(0.0, "error"))[0].finish_reason == "error"
    assert (ledger.charged_usd(), ledger.total.n_calls) == (0.0, 0)


def test_of_a_call_that_broke_nobody_knows_what_it_cost(store: Store):
    ledger = Ledger(store, usd_allowed=lambda: 0.5)
    with pytest.raises(ConnectionError):
        ask(ledger, "a", 0.5, ConnectionError("cut"))
    assert (ledger.charged_usd(), ledger.total.n_unknown) == (0.5, 1)


def test_calls_are_told_apart_by_all_that_the_answer_depends_on():
    requests = [Request((Message("user", text),)) for text in ("a", "b")]
    digests = {digest_of(model, request, max_tokens=most) for model in "xy" for request in requests for most in (1, 2)}
    assert len(digests) == 8
    assert digest_of("x", requests[0], max_tokens=1) in digests

"""Never over the cap: whatever calls cost, from however many threads, and wherever a run is killed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneworth.core.outcome import Outcome, Usage
from tuneworth.errors import MoneySpent
from tuneworth.models.base import Completion
from tuneworth.race.ledger import Ledger
from tuneworth.race.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "store.sqlite") as opened:
        yield opened


def done(text: str, usd: float | None = 0.0) -> Completion:
    return Completion(text, Usage(prompt_tokens=3, completion_tokens=1), 5.0, "stop", usd=usd)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    cap=st.floats(0, 3),
    n_threads=st.integers(1, 6),
    max_calls=st.none() | st.integers(0, 30),
)
def test_the_caps_hold_over_threads_failures_and_kills(seed: int, cap: float, n_threads: int, max_calls: int | None):
    """Every start ends with a kill: calls under way are never settled, though the service charges for them."""
    truly_charged, n_sent = list[float](), list[int]()
    lock = threading.Lock()

    def work(ledger: Ledger, number: int) -> None:
        rng = np.random.default_rng([seed, number])
        for call in range(12):
            most = float(
                np.random.default_rng([seed, number % 2, call]).exponential(0.1)
            )  # the same for the same request
            try:
                ledger.set_aside(f"{number % 2} {call}", most)
            except MoneySpent:
                continue
            usd, fate = most * float(rng.random()), rng.random()
            with lock:
                truly_charged.append(usd if fate > 0.1 else 0.0)
                n_sent.append(fate > 0.1)
                assert sum(truly_charged) <= cap + 1e-9
                assert max_calls is None or sum(n_sent) <= max_calls
            if fate <= 0.1:
                ledger.settle(f"{number % 2} {call}", 0.0)
            elif fate <= 0.2:
                ledger.settle(f"{number % 2} {call}", None)  # cut off: charged, and nobody knows
            elif fate <= 0.9:
                ledger.settle(f"{number % 2} {call}", usd, done("x"))

    with TemporaryDirectory() as folder:
        for start in range(3):
            with Store(Path(folder) / "store.sqlite") as store:
                ledger = Ledger(store, usd_allowed=lambda: cap, max_calls=max_calls)
                assert ledger.charged_usd() >= sum(truly_charged) - 1e-9
                assert ledger.total.n_calls >= sum(n_sent)
                threads = [
                    threading.Thread(target=work, args=(ledger, start * n_threads + number))
                    for number in range(n_threads)
                ]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
                assert ledger.charged_usd() + ledger.under_way_usd <= cap + 1e-9


class TestOneCall:
    def test_what_was_set_aside_gives_way_to_what_it_cost(self, store: Store):
        ledger = Ledger(store, usd_allowed=lambda: 1.0)
        ledger.set_aside("a", 0.9)
        with pytest.raises(MoneySpent) as refused:
            ledger.set_aside("b", 0.9)
        assert refused.value.may_free
        ledger.settle("a", 0.2)
        with pytest.raises(MoneySpent) as refused:
            ledger.set_aside("b", 0.9)
        assert not refused.value.may_free
        ledger.set_aside("b", 0.8)
        assert (ledger.charged_usd(), ledger.under_way_usd, ledger.total.n_calls) == (0.2, 0.8, 1)

    def test_it_is_on_the_disk_before_it_is_sent_and_counts_in_full_when_nobody_settled_it(self, store: Store):
        ledger = Ledger(store)
        ledger.set_aside("a", 0.5)
        [noted] = store.calls()
        assert (noted.call, noted.most_usd, noted.state) == ("a", 0.5, "sent")
        later = Ledger(store)
        assert (later.charged_usd(), later.total.n_calls, later.total.n_unknown) == (0.5, 1, 1)

    def test_a_call_that_cost_nothing_is_no_call(self, store: Store):
        ledger = Ledger(store, max_calls=1)
        ledger.set_aside("a", 0.5)
        ledger.settle("a", 0.0)
        ledger.set_aside("a", None)
        ledger.settle("a", None, done("x", None))
        assert (ledger.total.n_calls, Ledger(store).total.n_calls, ledger.total.n_unknown) == (1, 1, 1)
        with pytest.raises(MoneySpent):
            ledger.set_aside("b", 0.0)

    def test_an_answer_that_costs_nothing_is_a_call(self, store: Store):
        ledger = Ledger(store)
        ledger.set_aside("a", 0.0)
        ledger.settle("a", 0.0, done("x"))
        assert (ledger.total.n_calls, Ledger(store).total.n_calls) == (1, 1)


class TestAnswersThatWerePaidFor:
    def test_what_was_not_stored_is_handed_out_once_also_by_a_later_start(self, store: Store):
        first = Ledger(store)
        with first.answering("dev arm"):
            for text in ("one", "two"):
                assert first.kept("a") is None  # not in the same pass: repeats are to be asked
                first.set_aside("a", 1.0)
                first.settle("a", 0.5, done(text, 0.5))
        for ledger in (first, Ledger(store)):
            assert ledger.kept("a") is None  # of another scope
            with ledger.answering("test arm"):
                assert ledger.kept("a") is None
            with ledger.answering("dev arm", closed=True):
                assert [ledger.kept("a"), ledger.kept("a"), ledger.kept("a")] == [
                    done("one", 0.5),
                    done("two", 0.5),
                    None,
                ]
                with pytest.raises(MoneySpent):
                    ledger.set_aside("a", 0.0)

    def test_what_was_stored_is_not_kept_any_longer(self, store: Store):
        ledger = Ledger(store)
        with ledger.answering("dev arm"):
            ledger.set_aside("a", 1.0)
            ledger.settle("a", 0.5, done("one"))
        outcome = Outcome(arm_id="arm", row_id="r", stage="dev", status="scored")
        store.add_outcomes("arm", ["r"], [outcome], delivered="dev arm")
        ledger.delivered("dev arm")
        for one in (ledger, Ledger(store)):
            with one.answering("dev arm"):
                assert one.kept("a") is None
            assert (one.charged_usd(), one.total.n_calls) == (0.5, 1)

    def test_what_is_asked_for_no_rows_is_not_kept(self, store: Store):
        ledger = Ledger(store)
        ledger.set_aside("a", 1.0)
        ledger.settle("a", 0.5, done("one"))
        assert [call.completion for call in store.calls()] == [None]

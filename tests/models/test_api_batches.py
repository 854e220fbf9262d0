"""Calls gathered into batches: the real SDKs of both protocols against their endpoints for batches on this machine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tuneworth.core.task import Message
from tuneworth.costs.prices import Rates
from tuneworth.errors import EnvironmentProblem, MoneySpent
from tuneworth.models.api import batches
from tuneworth.models.api.chat_model import ChatModel
from tuneworth.models.api.opening import open_chat_model
from tuneworth.models.base import Completion, Constraint, Request
from tuneworth.race.ledger import Ledger
from tuneworth.race.store import Store
from tuneworth.testing.batch_server import BatchEndpoints
from tuneworth.testing.chat_server import ChatServer, always
from tuneworth.testing.chat_shapes import Asked

RATES = Rates(input=1000.0, output=2000.0, batch_share=0.5)
N = 20
NAMES = {"chat": "openai/any", "messages": "anthropic/any"}


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "GATHER_S", 0.1)


@pytest.fixture(params=["chat", "messages"])
def protocol(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "store.sqlite") as opened:
        yield opened


def asking(n: int = N, held: bool = True) -> list[Request]:
    labels = Constraint(labels=("bug", "billing")) if held else None
    return [Request((Message("system", "Sort."), Message("user", f"{at}: a bug?")), labels) for at in range(n)]


def opened(server: ChatServer, ledger: Ledger, protocol: str, monkeypatch: pytest.MonkeyPatch) -> ChatModel:
    monkeypatch.setenv("OPENAI_BASE_URL", server.address)
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.root)
    model = open_chat_model(NAMES[protocol], {NAMES[protocol]: RATES}, batch=True)
    model.attach(ledger)
    return model


def ask(model: ChatModel, ledger: Ledger, n: int = N, scope: str = "dev arm", **more: Any) -> list[Completion]:
    with ledger.answering(scope, "arm"):
        return model.generate(asking(n, **more), max_new_tokens=9)


def cut() -> int:
    raise ConnectionError("cut")


def once(status: Callable[[], int], *methods: str) -> Callable[[str], int | None]:
    """The first request of each kind is refused; with no ``methods`` only the first that makes a job."""
    seen = set[str]()

    def refused(call: str) -> int | None:
        wanted = call.startswith(methods) if methods else call.startswith("POST") and call.endswith("batches")
        first = wanted and call not in seen
        seen.add(call)
        return status() if first else None

    return refused


def usd_of(done: list[Completion]) -> list[float]:
    return [0.0005 * one.usage.prompt_tokens + 0.001 * one.usage.completion_tokens for one in done]


def test_many_calls_go_as_one_job_at_the_price_of_batches(store, protocol, monkeypatch):
    endpoints = BatchEndpoints()
    with ChatServer(batches=endpoints) as server:
        ledger = Ledger(store)
        model = opened(server, ledger, protocol, monkeypatch)
        done = ask(model, ledger)
        again = ask(model, ledger, scope="test arm")
        few = ask(model, ledger, 3, scope="alone")
    assert {one.text for one in (*done, *again, *few)} == {"bug"}
    assert [len(job.ids) for job in endpoints.made] == [N - 1, N], "the first of its form went by itself"
    assert [one.usd for one in again] == pytest.approx(usd_of(again))
    assert [one.usd for one in done[1:]] == pytest.approx(usd_of(done[1:]))
    assert [one.usd for one in few] == pytest.approx([2 * usd for usd in usd_of(few)])
    assert done[0].usd == pytest.approx(2 * usd_of(done)[0])
    assert ledger.charged_usd() == pytest.approx(sum(one.usd or 0.0 for one in (*done, *again, *few)))
    assert ledger.total.n_calls == server.charged.total() == 2 * N + 3
    assert {one.latency_ms for one in again} == {0.0}, "waiting for a batch is nobody's latency"
    assert ledger.waited_seconds > 0.1
    assert {job.state for job in store.jobs()} == {"ended"}
    left = {"chat": {"batch_0-output", "file-0", "batch_1-output", "file-1"}, "messages": {"batch_0", "batch_1"}}
    assert set(endpoints.deleted) == left[protocol], "what the service has kept of the rows is deleted"


def test_each_row_gets_its_own_answer_whatever_the_order_and_whatever_else_is_in_the_file(store, protocol, monkeypatch):
    stranger = {"chat": b'{"custom_id": "x-1", "response": {"status_code": 200, "body": {}}}'}.get(
        protocol, b'{"custom_id": "x-1", "result": {"type": "succeeded", "message": {}}}'
    )

    def mangled(lines: list[bytes]) -> list[bytes]:
        return [
            stranger,
            *lines,
            b"",
            b"no json",
            lines[2].replace(b"a bug?", b"something else"),
            lines[0][:40],
            b"[1]",
        ]

    with ChatServer(batches=BatchEndpoints(mangled=mangled)) as server:
        ledger = Ledger(store)
        model = opened(server, ledger, protocol, monkeypatch)
        done = ask(model, ledger, held=False)
    assert [one.text for one in done] == [request.messages[-1].content for request in asking()]
    assert ledger.total.n_calls == N


def test_a_line_that_cannot_be_read_is_a_passing_failure_and_counts_with_the_most(store, protocol, monkeypatch):
    with ChatServer(batches=BatchEndpoints(mangled=lambda lines: [lines[0][:-9], *lines[2:]])) as server:
        ledger = Ledger(store)
        model = opened(server, ledger, protocol, monkeypatch)
        done = ask(model, ledger)
    failed = [one for one in done if one.finish_reason == "error"]
    assert [one.may_pass for one in failed] == [True, True]
    assert ledger.total.n_unknown == 2
    assert all(one.usd and one.usd > 4 * max(usd_of(done)) for one in failed)


@pytest.mark.parametrize("fate", ["expired", "cancelled"])
def test_what_a_job_did_not_come_to_costs_nothing_and_is_asked_by_the_next_start(store, protocol, monkeypatch, fate):
    endpoints = BatchEndpoints(fate=lambda number: fate if number == 0 else "completed")
    with ChatServer(batches=endpoints) as server:
        ledger = Ledger(store)
        model = opened(server, ledger, protocol, monkeypatch)
        done = ask(model, ledger)
        failed = [one for one in done if one.finish_reason == "error"]
        assert len(failed) == (N - 1) // 2
        assert all(one.may_pass and one.usd == 0.0 for one in failed)
        assert len(endpoints.made) == 1, "nobody waits for another day in the same start"
        assert ledger.total.n_calls == N - len(failed) == server.charged.total()
        later = Ledger(store)
        model.attach(later)
        assert model.collect() == []
        assert {one.text for one in ask(model, later)} == {"bug"}
    assert server.charged.total() == later.total.n_calls == N


def test_errors_of_lines_are_sorted_as_those_of_calls(store, protocol, monkeypatch):
    faults = {"3: a bug?": "rate_limit", "5: a bug?": "too_long", "7: a bug?": "refusal", "9: a bug?": "empty"}
    with ChatServer(batches=BatchEndpoints(looks=0), faults=lambda asked: faults.get(asked.question)) as server:
        ledger = Ledger(store)
        model = opened(server, ledger, protocol, monkeypatch)
        model.patience_seconds = 0.01
        done = ask(model, ledger)
    reasons = {at: (one.finish_reason, one.may_pass) for at, one in enumerate(done) if one.finish_reason != "stop"}
    assert reasons == {3: ("error", True), 5: ("over_context", False), 7: ("refused", False), 9: ("error", True)}
    assert server.received["9: a bug?"] == 1, "nobody waits for six batches"


@pytest.mark.parametrize(("why", "error"), [("billing_hard_limit_reached", "no quota left"), ("no_such_thing", None)])
def test_a_job_that_fails_as_a_whole(store, monkeypatch, why, error):
    with ChatServer(batches=BatchEndpoints(fate=lambda number: "failed", why=why)) as server:
        ledger = Ledger(store)
        model = opened(server, ledger, "chat", monkeypatch)
        if error is not None:
            with pytest.raises(EnvironmentProblem, match=error):
                ask(model, ledger)
        else:
            assert [one.may_pass for one in ask(model, ledger)[1:]] == [True] * (N - 1)
    assert ledger.total.n_calls == 1, "the one that went by itself"


def test_a_job_of_more_tokens_than_an_account_may_have_waiting_becomes_smaller_ones(store, monkeypatch):
    endpoints = BatchEndpoints(fate=lambda number: "failed" if number == 0 else "completed", why="token_limit_exceeded")
    with ChatServer(batches=endpoints) as server:
        ledger = Ledger(store)
        model = opened(server, ledger, "chat", monkeypatch)
        assert {one.text for one in ask(model, ledger)} == {"bug"}
    assert [len(job.ids) for job in endpoints.made] == [N - 1, 9, 9, 1]
    assert server.charged.total() == N


def test_a_service_that_is_away_for_a_moment_is_waited_for(store, protocol, monkeypatch):
    with ChatServer(batches=BatchEndpoints(refused=once(lambda: 503, "POST", "GET", "DELETE"))) as server:
        ledger = Ledger(store)
        model = opened(server, ledger, protocol, monkeypatch)
        assert {one.text for one in ask(model, ledger)} == {"bug"}
    assert server.charged.total() == ledger.total.n_calls == N


def test_an_address_without_batches_ends_the_run_and_nothing_is_charged(store, protocol, monkeypatch):
    with ChatServer() as server:
        ledger = Ledger(store)
        model = opened(server, ledger, protocol, monkeypatch)
        with pytest.raises(EnvironmentProblem, match="takes no batch; go without `--batch`"):
            ask(model, ledger)
    assert ledger.total.n_calls == 1


def test_a_job_that_the_service_does_not_know_any_more_counts_with_the_most(store, protocol, monkeypatch):
    endpoints = BatchEndpoints(refused=lambda call: 404 if call.startswith("GET") else None)
    with ChatServer(batches=endpoints) as server:
        ledger = Ledger(store)
        model = opened(server, ledger, protocol, monkeypatch)
        done = ask(model, ledger)
        assert [one.may_pass for one in done[1:]] == [True] * (N - 1)
        assert ledger.total.n_unknown == N - 1
        later = Ledger(store)
        model.attach(later)
        assert model.collect() == [], "it is not looked for again"


@pytest.mark.parametrize("told", [None, 500, 408])
def test_a_job_that_was_made_though_nobody_was_told_is_found_and_not_made_twice(store, protocol, monkeypatch, told):
    def when_made() -> int | None:
        return None if len(endpoints.made) > 1 else told or cut()

    endpoints = BatchEndpoints(looks=0, when_made=when_made)
    with ChatServer(batches=endpoints) as server:
        ledger = Ledger(store)
        model = opened(server, ledger, protocol, monkeypatch)
        done = ask(model, ledger)
        if protocol == "messages":  # only its results tell that it is ours: the next start waits for them
            assert [one.may_pass for one in done[1:]] == [True] * (N - 1)
            assert ledger.total.n_unknown == N - 1
            ledger = Ledger(store)
            model = opened(server, ledger, protocol, monkeypatch)
            assert model.collect() == []
            ledger.read()
            done = ask(model, ledger)
        assert {one.text for one in done} == {"bug"}
    assert len(endpoints.made) == 1
    assert server.charged.total() == ledger.total.n_calls == N


def test_a_service_that_fails_for_good_while_a_job_is_made_may_have_made_it(store, protocol, monkeypatch):
    monkeypatch.setattr(batches, "MOST_SILENT_S", 0.0)
    endpoints = BatchEndpoints(looks=0, when_made=lambda: 500)
    with ChatServer(batches=endpoints) as server:
        ledger = Ledger(store)
        model = opened(server, ledger, protocol, monkeypatch)
        assert [one.may_pass for one in ask(model, ledger)[1:]] == [True] * (N - 1)
        assert ledger.total.n_unknown == N - 1
        later = Ledger(store)
        model = opened(server, later, protocol, monkeypatch)
        assert model.collect() == []
        later.read()
        assert {one.text for one in ask(model, later)} == {"bug"}
    assert len(endpoints.made) == 1
    assert server.charged.total() == later.total.n_calls == N


def test_a_job_of_another_run_is_not_taken_for_the_one_that_may_have_been_made(store, protocol, monkeypatch, tmp_path):
    endpoints = BatchEndpoints(looks=0)
    with ChatServer(batches=endpoints) as server, Store(tmp_path / "other.sqlite") as other:
        ledger = Ledger(other)
        ask(opened(server, ledger, protocol, monkeypatch), ledger)
        endpoints.refused = once(cut)
        ledger = Ledger(store)
        ask(opened(server, ledger, protocol, monkeypatch), ledger)
    assert "batch_0" not in {job.id for job in store.jobs()}


def test_an_earlier_job_of_this_run_is_not_taken_for_the_one_that_may_have_been_made(store, monkeypatch):
    def rule(asked: Asked) -> Any:
        return "ignores_schema" if asked.question.endswith(": a bug?") and asked.question[0] != "0" else None

    endpoints, refused = BatchEndpoints(looks=0), once(cut)
    endpoints.refused = lambda call: refused(call) if endpoints.made else None
    with ChatServer(batches=endpoints, faults=rule) as server:
        ledger = Ledger(store)
        model = opened(server, ledger, "messages", monkeypatch)
        assert {one.text for one in ask(model, ledger)} == {"bug"}
    assert [len(job.ids) for job in endpoints.made] == [N - 1, N - 1]


@pytest.mark.parametrize("silent", [503, 401])
def test_a_service_that_stops_answering_keeps_the_job_for_a_later_start(store, protocol, monkeypatch, silent):
    monkeypatch.setattr(batches, "MOST_SILENT_S", 0.5)
    endpoints = BatchEndpoints(refused=lambda call: silent if call.startswith("GET") else None)
    with ChatServer(batches=endpoints) as server:
        ledger = Ledger(store)
        model = opened(server, ledger, protocol, monkeypatch)
        if silent == 401:
            with pytest.raises(EnvironmentProblem, match="refuses the key"):
                ask(model, ledger)
        else:
            assert [one.may_pass for one in ask(model, ledger)[1:]] == [True] * (N - 1)
        assert ledger.total.n_unknown == N - 1
        endpoints.refused = lambda call: None
        later = Ledger(store)
        model = opened(server, later, protocol, monkeypatch)
        assert model.collect() == []
        later.read()
        assert {one.text for one in ask(model, later)} == {"bug"}
    assert len(endpoints.made) == 1
    assert server.charged.total() == later.total.n_calls == N
    assert later.total.n_unknown == 0


class TestCap:
    def test_nothing_is_paid_beyond_it_and_what_was_paid_for_is_there_later(self, store, monkeypatch):
        with ChatServer(batches=BatchEndpoints(looks=0)) as server:
            ledger = Ledger(store, usd_allowed=lambda: 0.6)
            model = opened(server, ledger, "chat", monkeypatch)
            with pytest.raises(MoneySpent):
                ask(model, ledger, 200, held=False)
            paid = server.charged.total()
            assert 50 < paid < 200
            assert 0.5 < ledger.charged_usd() <= 0.6
            assert ledger.total.n_calls == paid
            later = Ledger(store, usd_allowed=lambda: 100.0)
            model.attach(later)
            assert len(ask(model, later, 200, held=False)) == 200
            assert server.charged.total() == later.total.n_calls == 200

    def test_calls_that_were_gathered_and_never_sent_cost_nothing_after_a_kill(self, store):
        ledger = Ledger(store)
        with ledger.answering("dev arm"):
            for at in range(4):
                ledger.gather(str(at), 0.1)
            ledger.plan_job("m", ["1", "2"])
            job = ledger.plan_job("m", ["3"])
            ledger.note_job(job.number, "creating")
        later = Ledger(store)
        assert (later.total.n_calls, later.charged_usd()) == (1, 0.1)
        assert [left.number for left in later.left_jobs("m")] == [job.number]


class TestLeft:
    """What a start that was stopped has left is collected by the next."""

    def stop(self, server: ChatServer, store: Store, protocol: str, monkeypatch: Any, when: Callable[[], bool]) -> None:
        """Ask, and interrupt it when ``when``: as Ctrl-C does, in the thread that waits."""
        ledger = Ledger(store)
        model = opened(server, ledger, protocol, monkeypatch)

        def interrupt(waiting: object) -> None:
            raise KeyboardInterrupt

        ledger.on_wait = interrupt
        with pytest.raises(KeyboardInterrupt):
            ask(model, ledger)
        assert when()

    def test_a_job_under_way_is_collected_and_paid_once(self, store, protocol, monkeypatch):
        endpoints = BatchEndpoints(looks=3)
        with ChatServer(batches=endpoints) as server:
            self.stop(server, store, protocol, monkeypatch, lambda: len(endpoints.made) == 1)
            ledger, seen = Ledger(store), list[tuple[int, int]]()
            assert ledger.total.n_unknown == N - 1
            model = opened(server, ledger, protocol, monkeypatch)
            ledger.on_wait = lambda waiting: seen.append((waiting.done, waiting.total))
            assert model.collect() == []
            ledger.read()
            assert seen
            assert {total for _, total in seen} == {N - 1}
            assert (ledger.total.n_calls, ledger.total.n_unknown) == (N, 0)
            done = ask(model, ledger)
        assert {one.text for one in done} == {"bug"}
        assert server.charged.total() == ledger.total.n_calls == N
        assert ledger.charged_usd() == pytest.approx(sum(one.usd or 0.0 for one in done))
        assert {job.state for job in store.jobs()} == {"ended"}

    @pytest.mark.parametrize("there", [True, False])
    def test_a_kill_between_making_a_job_and_noting_its_id(self, store, protocol, monkeypatch, there):
        endpoints = BatchEndpoints()
        with ChatServer(batches=endpoints) as server:
            self.stop(server, store, protocol, monkeypatch, lambda: len(endpoints.made) == 1)
            store._insert("UPDATE jobs SET state = 'creating', id = NULL", [()])
            if not there:
                endpoints.made.clear()
            ledger = Ledger(store)
            model = opened(server, ledger, protocol, monkeypatch)
            told = [text.en for text in model.collect()]
            ledger.read()
            done = ask(model, ledger)
        assert {one.text for one in done} == {"bug"}
        if there:
            assert told == []
            assert server.charged.total() == ledger.total.n_calls == N
        else:
            assert "there is no such batch at 127.0.0.1" in told[0]
            assert ledger.total.n_unknown == N - 1, "nobody knows, so they count with the most"

    def test_of_jobs_of_the_same_size_the_results_tell_whose_they_are(self, store, monkeypatch, tmp_path):
        endpoints = BatchEndpoints()
        with ChatServer(batches=endpoints) as server:
            self.stop(server, store, "messages", monkeypatch, lambda: len(endpoints.made) == 1)
            with Store(tmp_path / "other.sqlite") as other:
                ledger = Ledger(other)
                ask(opened(server, ledger, "messages", monkeypatch), ledger)
            endpoints.made.reverse()  # now the other is the older one
            store._insert("UPDATE jobs SET state = 'creating', id = NULL", [()])
            ledger = Ledger(store)
            model = opened(server, ledger, "messages", monkeypatch)
            assert model.collect() == []
            ledger.read()
            assert ledger.total.n_unknown == 0

    def test_a_key_that_is_refused_leaves_the_job_for_a_later_start(self, store, protocol, monkeypatch):
        endpoints = BatchEndpoints(looks=0)
        with ChatServer(batches=endpoints) as server:
            endpoints.looks = 99
            self.stop(server, store, protocol, monkeypatch, lambda: True)
            endpoints.looks, endpoints.refused = 0, lambda call: 401
            model = opened(server, Ledger(store), protocol, monkeypatch)
            with pytest.raises(EnvironmentProblem, match="refuses the key"):
                model.collect()
            endpoints.refused = lambda call: None
            assert model.collect() == []
            assert Ledger(store).total.n_unknown == 0


def test_what_the_service_does_not_take_is_found_out_by_one_call(store, monkeypatch):
    endpoints = BatchEndpoints()
    with ChatServer(batches=endpoints, supports=frozenset({"tools"})) as server:
        ledger = Ledger(store)
        model = opened(server, ledger, "chat", monkeypatch)
        assert {one.text for one in ask(model, ledger)} == {"bug"}
    [job] = endpoints.made
    assert {status for _, status, _ in job.answered} == {200}


def test_an_answer_that_is_not_allowed_is_asked_for_again_in_a_second_job(store, protocol, monkeypatch):
    def rule(asked: Asked) -> Any:
        return "ignores_schema" if asked.question in {"4: a bug?", "6: a bug?"} else None

    endpoints = BatchEndpoints()
    with ChatServer(batches=endpoints, faults=rule) as server:
        ledger = Ledger(store)
        model = opened(server, ledger, protocol, monkeypatch)
        assert {one.text for one in ask(model, ledger)} == {"bug"}
    assert [len(job.ids) for job in endpoints.made] == [N - 1, 2]


def test_all_answers_of_a_job_that_thought_until_their_tokens_were_used_up_get_a_second_try(
    store, protocol, monkeypatch
):
    def rule(asked: Asked) -> Any:
        return "length" if asked.question in {"3: a bug?", "5: a bug?", "7: a bug?"} and asked.nth == 0 else None

    endpoints = BatchEndpoints()
    with ChatServer(answer=lambda asked: "x", batches=endpoints, faults=rule) as server:
        ledger = Ledger(store)
        model = opened(server, ledger, protocol, monkeypatch)
        assert [one.text for one in ask(model, ledger, held=False)] == ["x"] * N
    assert [len(job.ids) for job in endpoints.made] == [N - 1, 3]


def test_requests_made_from_two_threads_share_no_answers(store, monkeypatch):
    with ChatServer(batches=BatchEndpoints()) as server:
        ledger = Ledger(store)
        model = opened(server, ledger, "chat", monkeypatch)
        found = dict[int, list[Completion]]()

        def work(at: int) -> None:
            found[at] = model.generate(asking(N + at, held=False), max_new_tokens=9)

        with ledger.answering("dev arm"):
            threads = [threading.Thread(target=work, args=[at]) for at in range(2)]
            [thread.start() for thread in threads]
            [thread.join() for thread in threads]
    for at in range(2):
        assert [one.text for one in found[at]] == [request.messages[-1].content for request in asking(N + at)]
    assert ledger.total.n_calls == server.charged.total()


def test_a_file_of_results_may_be_longer_than_an_answer(store, protocol, monkeypatch):
    long = "x" * 300_000
    with ChatServer(answer=lambda asked: long, batches=BatchEndpoints()) as server:
        ledger = Ledger(store)
        model = opened(server, ledger, protocol, monkeypatch)
        assert {len(one.text) for one in ask(model, ledger, held=False)} == {len(long)}


def test_nothing_listens_where_batches_are_not_wanted(store, monkeypatch):
    with ChatServer(faults=always("server_error")) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.address)
        model = open_chat_model("openai/any", {"openai/any": RATES})
        assert not model.batched
        assert model.collect() == []

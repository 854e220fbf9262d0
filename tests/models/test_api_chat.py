"""A language model behind an address: real requests to a server on this machine."""

from __future__ import annotations

import pytest

from tuneworth.core.task import Message
from tuneworth.costs.prices import Rates
from tuneworth.errors import MoneySpent
from tuneworth.models.base import Constraint, Request, is_metered
from tuneworth.models.catalog import open_model
from tuneworth.race.ledger import Ledger
from tuneworth.race.store import Store
from tuneworth.testing.chat_server import ChatServer, always


def asking(n: int) -> list[Request]:
    labels = Constraint(labels=("bug", "billing"))
    return [Request((Message("system", "Sort."), Message("user", f"{at}: a bug?")), labels) for at in range(n)]


@pytest.mark.parametrize("by_address", [True, False])
def test_answers_come_in_the_order_of_the_requests(monkeypatch, by_address):
    with ChatServer(latency_ms=100) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.address)
        model = open_model(f"{server.address}#any" if by_address else "openai/any")
        free = [Request(request.messages) for request in asking(20)]
        told = model.generate(free, max_new_tokens=9)
        held = model.generate(asking(20), max_new_tokens=9)
    assert [done.text for done in told] == [request.messages[-1].content for request in free]
    assert {done.text for done in held} == {"bug"}
    assert server.most_at_once >= 8
    assert {asked.model for asked in server.asked} == {"any"}
    assert model.capabilities.local
    assert not model.capabilities.deterministic


@pytest.fixture
def anthropic(monkeypatch):
    """Opens a model of a server that speaks Anthropic's messages."""

    def opened(server: ChatServer, name: str = "m"):
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.root)
        monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-made-up")
        return open_model(f"anthropic/{name}")

    return opened


def test_all_turns_that_rows_share_are_marked_for_the_cache_of_messages(anthropic):
    """Also where the form is told in a turn of its own before them."""
    with ChatServer(answer=lambda asked: '{"a": 1}', supports=frozenset()) as server:
        shots = (Message("user", "an example"), Message("assistant", '{"a": 2}'))
        held = Constraint(json_schema={"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]})
        anthropic(server).generate([Request((*shots, Message("user", "a row")), held, n_shared=2)], max_new_tokens=9)
        told = server.asked[-1].body
    assert "JSON schema" in told["system"][0]["text"]
    marked = [block for turn in told["messages"] for block in turn["content"] if "cache_control" in block]
    assert [block["text"] for block in marked] == ['{"a": 2}']


@pytest.mark.parametrize(("day", "told"), [("2027-01-14", "2027-01-14"), ("\x1b[31msoon", None)])
def test_the_end_of_a_model_of_messages_is_told_by_its_day_and_does_not_steer_a_terminal(anthropic, day, told):
    with ChatServer(models=("m-20260101",), shutdown_dates={"m-20260101": day}) as server:
        dated = anthropic(server).describe()["shutdown_date"]
    assert dated == told or (told is None and "\x1b" not in dated)


class TestMoney:
    """What the service counted against what the run's ledger holds, at a stated price."""

    RATES = Rates(input=1000.0, output=2000.0)

    def test_every_call_is_set_aside_and_settled_at_what_the_service_counted(self, tmp_path):
        with ChatServer() as server, Store(tmp_path / "store.sqlite") as store:
            name, ledger = f"{server.address}#any", Ledger(store, usd_allowed=lambda: 100.0)
            model = open_model(name, stated={name: self.RATES})
            assert is_metered(model)
            model.attach(ledger)
            answers = model.generate(asking(20), max_new_tokens=9)
            expected = sum(0.001 * one.usage.prompt_tokens + 0.002 * one.usage.completion_tokens for one in answers)
            assert (
                ledger.charged_usd() == pytest.approx(expected) == pytest.approx(sum(one.usd or 0 for one in answers))
            )
            assert ledger.total.n_calls == server.charged.total() == 20
            assert all(
                (most := model.most_usd(request, max_new_tokens=9)) and one.usd and one.usd <= most
                for one, request in zip(answers, asking(20), strict=True)
            )

    def test_nothing_is_sent_beyond_the_cap_and_what_was_paid_for_is_not_paid_again(self, tmp_path):
        with ChatServer(latency_ms=5) as server, Store(tmp_path / "store.sqlite") as store:
            name, ledger = f"{server.address}#any", Ledger(store, usd_allowed=lambda: 0.5)
            model = open_model(name, stated={name: self.RATES})
            assert is_metered(model)
            model.attach(ledger)
            with ledger.answering("dev arm"), pytest.raises(MoneySpent):
                model.generate(asking(60), max_new_tokens=9)
            paid = server.charged.total()
            assert 0.5 - (model.most_usd(asking(1)[0], max_new_tokens=9) or 0) <= ledger.charged_usd() <= 0.5
            later = Ledger(store, usd_allowed=lambda: 100.0)
            model.attach(later)
            with later.answering("dev arm"):
                assert len(model.generate(asking(60), max_new_tokens=9)) == 60
            assert server.charged.total() == server.received.total() == 60 > paid

    def test_refused_calls_cost_nothing(self, tmp_path):
        with ChatServer(faults=always("rate_limit")) as server, Store(tmp_path / "store.sqlite") as store:
            name, ledger = f"{server.address}#any", Ledger(store)
            model = open_model(name, stated={name: self.RATES})
            assert is_metered(model)
            model.attach(ledger)
            assert {one.finish_reason for one in model.generate(asking(3), max_new_tokens=9)} == {"error"}
            assert (ledger.charged_usd(), ledger.total.n_calls, ledger.total.n_unknown) == (0.0, 0, 0)

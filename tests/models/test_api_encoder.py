"""Embeddings from a service: real requests to one on this machine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embedding_server import embedding_server, vectors_of
from tuneworth.costs.prices import Rates
from tuneworth.errors import EnvironmentProblem, InputError, MoneySpent, TuneworthError
from tuneworth.models import catalog
from tuneworth.models.api.embeddings import MAX_CHARS, ApiEncoder
from tuneworth.models.api.services import endpoint_of, services
from tuneworth.race.ledger import Ledger
from tuneworth.race.store import Store
from tuneworth.testing.cases import HashEncoder

KEY = "sk-not-to-be-seen"


@pytest.fixture(autouse=True)
def no_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    for service in services().values():
        for variable in (service.address_variable, *service.key_variable):
            monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(ApiEncoder, "patience_seconds", 0.01)


def opened(name: str) -> ApiEncoder:
    encoder = catalog.open_encoder(name)
    assert isinstance(encoder, ApiEncoder)
    return encoder


def test_vectors_are_of_length_one_and_in_the_order_of_the_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"text number {at} 第{at}条" for at in range(150)]
    seen: list[dict[str, Any]] = []
    with embedding_server(seen) as address:
        monkeypatch.setenv("OPENAI_BASE_URL", address)
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        encoder = opened("openai/BAAI/bge-m3")
        vectors = encoder.encode(texts)
        np.testing.assert_allclose(vectors, HashEncoder().encode(texts), atol=1e-6)
        assert vectors.dtype == np.float32
        assert sorted(len(request["input"]) for request in seen) == [22, 64, 64]
        assert {request["model"] for request in seen} == {"BAAI/bge-m3"}
        assert {request["path"] for request in seen} == {"/v1/embeddings"}
        assert {request["key"] for request in seen} == {f"Bearer {KEY}"}
        assert encoder.encode([]).shape == (0, vectors.shape[1])
        assert KEY not in str(encoder.describe())
        assert (encoder.id, encoder.describe()["address"]) == ("openai/BAAI/bge-m3", address)


def test_a_service_gets_as_many_texts_at_once_as_it_takes_and_none_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, Any]] = []
    with embedding_server(seen) as address:
        monkeypatch.setenv("DASHSCOPE_BASE_URL", address)
        opened("dashscope/text-embedding-v4").encode(["字" * 20_000, "", *["x"] * 21])
    assert sorted(len(request["input"]) for request in seen) == [3, 10, 10]
    sent = [text for request in seen for text in request["input"]]
    assert max(map(len, sent)) == MAX_CHARS
    assert all(sent)


def test_ollama_needs_no_key_and_nothing_leaves_the_machine() -> None:
    endpoint = endpoint_of("ollama/bge-m3")
    assert endpoint.is_here
    assert endpoint.key()
    assert not catalog.is_elsewhere("ollama/bge-m3")
    catalog.check_encoder("ollama/bge-m3", private=True)


def test_what_leaves_the_machine_is_refused_for_a_private_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHSCOPE_API_KEY", KEY)
    catalog.check_encoder("dashscope/text-embedding-v4", private=False)
    with pytest.raises(InputError, match="the task is private"):
        catalog.check_encoder("dashscope/text-embedding-v4", private=True)


@pytest.mark.parametrize(
    ("name", "variables", "kind", "says"),
    [
        ("openai/text-embedding-3-small", {}, EnvironmentProblem, "set the environment variable OPENAI_API_KEY"),
        ("cohere/embed-v4", {}, InputError, "no such service; there are anthropic/MODEL"),
        ("openai/", {"OPENAI_API_KEY": KEY}, InputError, "no such service"),
        (
            "openai/m",
            {"OPENAI_BASE_URL": "localhost:8000"},
            InputError,
            "OPENAI_BASE_URL: 'localhost:8000' is not an address",
        ),
    ],
)
def test_what_cannot_be_opened_is_told_before_anything_is_sent(
    monkeypatch: pytest.MonkeyPatch, name: str, variables: dict[str, str], kind: type[TuneworthError], says: str
) -> None:
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(kind, match=re.escape(says)):
        catalog.check_encoder(name, private=False)
    with pytest.raises(kind, match=re.escape(says)):
        catalog.open_encoder(name)


def fails(status: int, message: str = "no"):
    return lambda request: (status, {"error": {"message": message}})


@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        (fails(401, f"Incorrect API key provided: {KEY}"), EnvironmentProblem, "refuses the key; check OPENAI_API_KEY"),
        (fails(403), EnvironmentProblem, "refuses the key"),
        (fails(404, "The model m does not exist"), InputError, "The model m does not exist"),
        (fails(400, "input is too long"), InputError, "input is too long"),
        (fails(429, "slow down"), EnvironmentProblem, "does not answer"),
        (fails(500), EnvironmentProblem, "run the same command again later"),
        (lambda request: (200, {"data": []}), EnvironmentProblem, "something else than one vector a text"),
        (lambda request: (200, {"text": "hello"}), EnvironmentProblem, "something else than one vector a text"),
        (lambda request: (200, ["hello"]), EnvironmentProblem, "something else than one vector a text"),
        (
            lambda request: (200, {"data": [{"index": 0, "embedding": [0.0, 0.0]}]}),
            EnvironmentProblem,
            "something else than one vector a text",
        ),
    ],
)
def test_failures_say_what_to_do_and_never_the_key(
    monkeypatch: pytest.MonkeyPatch, answer: Any, kind: type[TuneworthError], says: str
) -> None:
    with embedding_server([], answer) as address:
        monkeypatch.setenv("OPENAI_BASE_URL", address)
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        with pytest.raises(kind) as caught:
            opened("openai/m").encode(["a question"])
    [problem] = caught.value.problems
    assert says in problem.to("en")
    for lang in ("en", "zh"):
        assert KEY not in problem.to(lang)
        assert address in problem.to(lang)


def test_a_busy_service_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    busy = [True]

    def once_busy(request: dict[str, Any]):
        return fails(429)(request) if busy and busy.pop() else vectors_of(request)

    with embedding_server([], once_busy) as address:
        monkeypatch.setenv("OPENAI_BASE_URL", address)
        assert opened("openai/m").encode(["a question"]).shape[0] == 1


def test_every_try_is_set_aside_so_that_a_cap_is_hard(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What was cut off may have been charged: it counts, and the cap ends the tries."""
    seen: list[dict[str, Any]] = []
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with (
        embedding_server(seen, lambda request: (0, vectors_of(request)[1])) as address,
        Store(tmp_path / "store.sqlite") as store,
    ):
        monkeypatch.setenv("OPENAI_BASE_URL", address)
        ledger = Ledger(store, max_calls=3)
        encoder = catalog.open_encoder("openai/m", stated={"openai/m": Rates(input=1.0, output=0.0)}, meter=ledger)
        with pytest.raises(MoneySpent):
            encoder.encode(["a question"])
        assert len(seen) == ledger.total.n_calls == 3
        assert ledger.total.usd == pytest.approx(3 * len("a question") / 1e6)


def test_a_service_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    with pytest.raises(EnvironmentProblem, match="does not answer"):
        opened("openai/m").encode(["a question"])

"""Decisions of services: real requests of the SDK to a server on this machine, by both protocols."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from tuneworth.core.task import Example, Message, Query, Task
from tuneworth.costs.prices import Rates
from tuneworth.data.taskfile import load_task_file
from tuneworth.errors import EnvironmentProblem, MoneySpent
from tuneworth.models.api.chat_model import ChatModel
from tuneworth.models.api.decisions import LEAST, DecidingModel
from tuneworth.models.base import Constraint, Decision, Request, is_deciding
from tuneworth.models.catalog import open_model
from tuneworth.race.ledger import Ledger
from tuneworth.race.store import Store
from tuneworth.strategies import Context
from tuneworth.strategies.decision import DecisionConfig, DecisionStrategy
from tuneworth.testing.chat_server import ChatServer
from tuneworth.testing.decision_server import DecisionRoutes, Spoil
from tuneworth.testing.models import check_deciding

Kind = Literal["openai", "systemone"]
LABELS = ("bug", "billing", "praise")
SYSTEM = Message("system", "Sort what the customer writes.")
RATES = Rates(input=1000.0, output=2000.0)


def weights(text: str, options: Sequence[str]) -> list[float]:
    """The option that the input names, eight to one."""
    return [8.0 if option in text else 1.0 for option in options]


def asking(text: str, labels: Sequence[str] = LABELS) -> Request:
    return Request((SYSTEM, Message("user", text)), Constraint(labels=tuple(labels)), n_shared=1)


@contextmanager
def served(kind: Kind, spoil: Spoil = lambda body: None, **more: Any) -> Iterator[tuple[DecidingModel, DecisionRoutes]]:
    asked = DecisionRoutes(weights, spoil)
    with ChatServer(routes=asked.routes()) as server, pytest.MonkeyPatch.context() as patched:
        patched.setattr(ChatModel, "patience_seconds", 0.01)
        services = {server.address: {"decisions": kind, "decides": ["*"], **more}}
        name = f"{server.address}#judge"
        model = open_model(name, services=services, stated={name: RATES})
        assert isinstance(model, DecidingModel)
        yield model, asked


def chances(decision: Decision) -> list[float]:
    assert decision.log_probabilities is not None, decision.completion
    return np.exp(decision.log_probabilities).tolist()


@pytest.fixture(params=["openai", "systemone"])
def kind(request: pytest.FixtureRequest) -> Kind:
    return request.param


def test_probabilities_come_in_the_order_of_labels_and_requests(kind: Kind) -> None:
    with served(kind) as (model, asked):
        assert is_deciding(model)
        requests = [asking(f"row {at} {LABELS[at % 3]}") for at in range(12)]
        found = model.decide(requests)
        assert model.decide([]) == []
    for at, decision in enumerate(found):
        assert chances(decision) == pytest.approx([0.8 if place == at % 3 else 0.1 for place in range(3)])
        assert decision.completion.text == LABELS[at % 3]
        assert decision.completion.finish_reason == "stop"
        assert decision.completion.usage.prompt_tokens > 5
        assert decision.completion.usage.completion_tokens == 0
    assert len(asked.received) == 12


def test_conformance(kind: Kind) -> None:
    with served(kind) as (model, _):
        check_deciding(lambda: model)


def test_what_is_sent_is_what_is_documented() -> None:
    with served("openai") as (model, asked):
        model.decide([asking("my card")])
    [(path, body)] = asked.received
    assert path == "/v1/decisions"
    choices = [{"value": label} for label in LABELS]
    question = {"type": "choice", "name": "answer", "instructions": SYSTEM.content, "choices": choices}
    assert body == {"model": "judge", "input": "my card", "questions": [question]}
    with served("systemone") as (model, asked):
        model.decide([asking("my card")])
    [(path, body)] = asked.received
    assert path == "/v1/systemone"
    question = {"type": "choice", "instructions": SYSTEM.content, "criteria": dict.fromkeys(LABELS)}
    assert body == {"model": "judge", "state": "my card", "questions": {"answer": question}}


@pytest.mark.parametrize("labels", [("yes", "no"), ("No", "Yes"), ("false", "true"), ("是", "否"), ("对", "错")])
def test_yes_or_no_is_asked_as_such(kind: Kind, labels: tuple[str, str]) -> None:
    with served(kind) as (model, asked):
        [found] = model.decide([asking("it says yes", labels)])
    assert found.completion.text in ("yes", "Yes", "true", "是", "对")
    assert max(chances(found)) == pytest.approx(8 / 9)
    [(_, body)] = asked.received
    [question] = body["questions"].values() if kind == "systemone" else body["questions"]
    assert question["type"] == ("noul" if kind == "systemone" else "predicate")


def test_a_conversation_is_sent_as_turns(kind: Kind) -> None:
    turns = (SYSTEM, Message("user", "hello"), Message("assistant", "yes?"), Message("user", "a bug"))
    with served(kind) as (model, asked):
        [found] = model.decide([Request(turns, Constraint(labels=LABELS))])
    assert found.completion.text == "bug"
    [(_, body)] = asked.received
    sent = body["state"] if kind == "systemone" else body["input"]
    assert [(turn["role"], turn["content"]) for turn in sent] == [(turn.role, turn.content) for turn in turns[1:]]


def test_labels_named_twice_and_a_probability_of_nothing(kind: Kind) -> None:
    with served(kind) as (model, asked):
        asked.weights = lambda text, options: [1.0, *[0.0] * (len(options) - 1)]
        [found] = model.decide([asking("x", ("bug", "billing", "bug"))])
    assert chances(found) == pytest.approx([1.0, LEAST, 0.0], rel=1e-3)


def spoilt(change: Callable[[dict[str, Any]], Any]) -> Spoil:
    """A decision in either shape, changed."""

    def spoil(body: dict[str, Any]) -> tuple[int, Any]:
        chances = {"bug": 0.5, "billing": 0.3, "praise": 0.2}
        changed = change(chances)
        listed = [{"value": name, "probability": value} for name, value in changed.items()]
        usage = {"input_tokens": 9, "output_tokens": 0, "total_tokens": 9}
        answer = {"type": "choice", "choice": "bug", "confidence": 0.5}
        if isinstance(body["questions"], dict):
            return 200, {"answers": {"answer": {**answer, "probabilities": changed}}, "model": "m", "usage": usage}
        return 200, {"answers": [{**answer, "name": "answer", "probabilities": listed}], "model": "m", "usage": usage}

    return spoil


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda chances: {"bug": 1.0}, "2 of 3 options have no probability"),
        (lambda chances: {**chances, "bug": "most likely"}, "1 of 3 options have no probability"),
        (lambda chances: {**chances, "bug": -0.5}, "1 of 3 options have no probability"),
        (lambda chances: {**chances, "bug": 0.9}, "the probabilities sum to 1.4"),
    ],
    ids=["missing", "words", "negative", "sum"],
)
def test_what_is_no_decision_is_a_failure_and_never_mapped(kind: Kind, change: Any, said: str) -> None:
    with served(kind, spoilt(change)) as (model, _):
        [found] = model.decide([asking("a bug")])
    assert found.log_probabilities is None
    assert found.completion.finish_reason == "error"
    assert said in (found.completion.error or "")


@pytest.mark.parametrize("reply", [{}, {"answers": None}, {"answers": []}, {"answers": {}}, [], "text"], ids=repr)
def test_an_answer_of_another_shape_is_a_failure(kind: Kind, reply: Any) -> None:
    with served(kind, lambda body: (200, reply)) as (model, _):
        [found] = model.decide([asking("a bug")])
    assert found.log_probabilities is None
    assert found.completion.finish_reason == "error"


def test_a_refusal_is_a_refusal() -> None:
    reply = {"answers": [{"type": "refusal", "name": "answer"}], "model": "m", "usage": None}
    with served("openai", lambda body: (200, reply)) as (model, _):
        [found] = model.decide([asking("a bug")])
    assert found.log_probabilities is None
    assert found.completion.finish_reason == "refused"


def test_failures_that_pass_are_tried_again_and_others_are_not(kind: Kind) -> None:
    seen: list[int] = []

    def at_first(body: dict[str, Any]) -> tuple[int, Any] | None:
        seen.append(1)
        return (500, {"error": {"message": "down"}}) if len(seen) < 3 else None

    with served(kind, at_first) as (model, asked):
        [found] = model.decide([asking("a bug")])
        assert found.completion.text == "bug"
        assert len(asked.received) == 3
    with served(kind, lambda body: (400, {"error": {"message": "no such question"}})) as (model, asked):
        [found] = model.decide([asking("a bug")])
        assert "no such question" in (found.completion.error or "")
        assert not found.completion.may_pass
        assert len(asked.received) == 1
    with (
        served(kind, lambda body: (401, {"error": {"message": "wrong key"}})) as (model, _),
        pytest.raises(EnvironmentProblem, match="wrong key"),
    ):
        model.decide([asking("a bug")])


def test_more_options_than_the_service_takes_are_not_sent(kind: Kind) -> None:
    with served(kind, most_choices=2) as (model, asked):
        [found] = model.decide([asking("a bug")])
        assert "3 options; a question takes 2 to 2" in (found.completion.error or "")
        assert asked.received == []
    with served(kind) as (model, _), pytest.raises(ValueError, match="request 0 is not held to labels"):
        model.decide([Request((SYSTEM,))])


def test_money_is_set_aside_and_only_what_is_read_is_paid(kind: Kind, tmp_path: Path) -> None:
    with served(kind) as (model, asked), Store(tmp_path / "store.sqlite") as store:
        ledger = Ledger(store, usd_allowed=lambda: 0.5)
        model.attach(ledger)
        requests = [asking(f"row {at} bug") for at in range(40)]
        with ledger.answering("arm"), pytest.raises(MoneySpent):
            model.decide(requests)
        assert 0 < ledger.charged_usd() <= 0.5
        paid = len(asked.received)
        later = Ledger(store, usd_allowed=lambda: 100.0)
        model.attach(later)
        with later.answering("arm"):
            found = model.decide(requests)
        assert len(asked.received) == 40 > paid, "nothing is paid twice"
    for decision in found:
        assert decision.completion.usd == pytest.approx(0.001 * decision.completion.usage.prompt_tokens)
        assert chances(decision) == pytest.approx([0.8, 0.1, 0.1])


def test_a_model_that_only_decides_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = DecisionRoutes(weights)
    with ChatServer(routes=asked.routes()) as server:
        monkeypatch.setenv("TYPESAFE_BASE_URL", server.address)
        model = open_model("typesafe/jev-latest")
        free = Request((SYSTEM, Message("user", "a bug")))
        held, silent = model.generate([asking("a bug"), free], max_new_tokens=8)
    assert isinstance(model, DecidingModel)
    assert model.capabilities.constraints == {"labels"}
    assert held.text == "bug"
    assert (silent.finish_reason, silent.usd) == ("error", 0.0)
    assert "writes no text" in (silent.error or "")
    assert model.price is not None
    assert model.describe()["decisions"]["answers"] == 1


def test_a_task_file_says_that_a_server_decides(tmp_path: Path) -> None:
    asked = DecisionRoutes(weights)
    with ChatServer(routes=asked.routes()) as server:
        path, name = tmp_path / "task.yaml", f"{server.address}#judge"
        said = "{decisions: systemone, decides: '*', most_choices: 26, writes: false}"
        path.write_text(f"train: t.jsonl\nservices:\n  {server.address}: {said}\n")
        model = open_model(name, services=load_task_file(path).stated_services)
        assert is_deciding(model)
        [found] = model.decide([asking("a bug")])
    assert found.completion.text == "bug"
    assert model.capabilities.constraints == {"labels"}


def test_which_models_of_a_service_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    with ChatServer() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.address)
        assert is_deciding(open_model("openai/gpt-6-luna"))
        assert not is_deciding(open_model("openai/gpt-6-sol"))
        assert not is_deciding(open_model(f"{server.address}#any"))


def test_a_model_that_decides_and_writes_does_both() -> None:
    with served("openai") as (model, asked):
        [told] = model.generate([Request((SYSTEM, Message("user", "hello")))], max_new_tokens=9)
        [held] = model.generate([asking("a bug")], max_new_tokens=9)
    assert told.text == "hello"
    assert held.text == "bug"
    assert asked.received == []


def test_a_server_without_decisions_fails_these_and_not_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    with ChatServer() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.address)
        model = open_model("openai/gpt-6-luna")
        assert is_deciding(model)
        [failed] = model.decide([asking("a bug")])
        [told] = model.generate([Request((SYSTEM, Message("user", "hello")))], max_new_tokens=9)
    assert failed.log_probabilities is None
    assert failed.completion.finish_reason == "error"
    assert "404" in (failed.completion.error or "")
    assert told.text == "hello"


@pytest.mark.parametrize("calibration", ["none", "batch", "fitted"])
def test_the_arms_run_on_a_service(kind: Kind, calibration: str, tmp_path: Path) -> None:
    task = Task(name="t", instruction="Sort.", kind="label", labels=LABELS, metric="accuracy")
    rows = [Example(Query(str(at), (Message("user", f"{at} {LABELS[at % 3]}"),)), LABELS[at % 3]) for at in range(30)]
    with served(kind) as (model, _):
        context = Context(task, model, lambda: None, np.random.default_rng(0), 0, tmp_path, 8)  # type: ignore[arg-type,return-value]
        config = DecisionConfig.model_validate({"calibration": calibration})
        solver = DecisionStrategy(config).fit(rows, [], context)
        answers = solver.solve([row.query for row in rows])
    assert [answer.text for answer in answers] == [row.output for row in rows]
    assert all(answer.usd and answer.probabilities for answer in answers)
    assert (context.details["fit_usd"] > 0) == (calibration != "none")

# pyright: reportOptionalMemberAccess=false, reportArgumentType=false
"""Finalists whose model may answer differently each time: which rows are asked again, when, and what is told of it."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest

from rows_made import label_rows, write_rows
from tuneworth.core.registry import load_plugin
from tuneworth.core.task import Example, Message, Query, Task
from tuneworth.core.text import Text
from tuneworth.data.sections import Repeats
from tuneworth.data.taskfile import task_file_for
from tuneworth.decide.compare import compare_finalists
from tuneworth.decide.decision import decide
from tuneworth.models.base import Request
from tuneworth.models.scripted import ScriptedModel
from tuneworth.pipeline import run as run_pipeline
from tuneworth.race.again import AskingAgain
from tuneworth.race.arms import Arm, Plan
from tuneworth.race.budget import Budget
from tuneworth.race.encoding import SharedEncoder
from tuneworth.race.estimate import Estimator, Job
from tuneworth.race.folder import RunFolder
from tuneworth.race.runner import Measured, Runner
from tuneworth.race.stages import Stages
from tuneworth.race.store import Store
from tuneworth.race.watch import Silent
from tuneworth.strategies import Answer, Solver, Strategy, StrategyConfig
from tuneworth.strategies._parts.workload import Workload
from tuneworth.testing.chat_server import ChatServer, echo

TASK = Task(name="t", kind="label", labels=("a", "b"), metric="accuracy")


def rows(side, n):
    return tuple(
        Example(Query(f"{side}-{i}", (Message("user", f"{side} text {i}"),)), "ab"[i % 2], source=f"f:{i}")
        for i in range(n)
    )


TRAIN, DEV, TEST = rows("train", 20), rows("dev", 80), rows("test", 100)
THRICE = Repeats(answers=3, rows=60)


class Unsteady(ScriptedModel):
    """Right, but for every fifth row, on which it is right every other time that it is asked."""

    def __init__(self, *, deterministic=False, usd=0.01):
        super().__init__(self.answer, id="unsteady")
        self.capabilities = replace(self.capabilities, local=False, deterministic=deterministic)
        self.asked: Counter[str] = Counter()
        self.usd = usd
        self.left: int | None = None

    def answer(self, request: Request) -> str:
        text = request.messages[-1].content
        number = int(text.split()[-1])
        self.asked[text] += 1
        return "ab"[(number + (number % 5 == 0) * self.asked[text]) % 2]

    def generate(self, requests, *, max_new_tokens):
        if self.left is not None and self.left < len(requests):
            return Measured([], frozenset(), stopped=True)
        self.left = None if self.left is None else self.left - len(requests)
        return [
            replace(one, usd=self.usd, latency_ms=0.0)
            for one in super().generate(requests, max_new_tokens=max_new_tokens)
        ]


class Asking(Strategy):
    id, effort, needs_model = "asking", 1, True
    title = Text(en="asking", zh="asking")
    Config = StrategyConfig

    class Solves(Solver):
        def __init__(self, model):
            self.model = model

        def solve(self, queries):
            done = self.model.generate([Request(query.messages) for query in queries], max_new_tokens=4)
            return [Answer(one.text, one.usage, one.latency_ms, usd=one.usd) for one in done]

        def save(self, folder):
            pass

        @classmethod
        def load(cls, folder, context):
            return cls(context.model)

    solver: ClassVar[type[Solver]] = Solves

    @classmethod
    def arms(cls, task, model, train):
        return [cls.Config()]

    def describe(self):
        return Text(en=self.id, zh=self.id)

    def fit(self, train, dev, context):
        return self.Solves(context.model)


class Still(Asking):
    id, effort, tuned = "still", 0, True


def arms(model):
    steady = ScriptedModel(lambda request: "a", id="steady")
    return (
        Arm("still/steady", "0" * 16, Still, Still.Config(), steady),
        Arm("asking/unsteady", "1" * 16, Asking, Asking.Config(), model),
    )


def final(tmp_path, store, model, *, repeats=THRICE, budget=None):
    metrics = [load_plugin("tuneworth.metrics", "accuracy").with_labels(TASK.labels)]
    encoder = SharedEncoder(lambda: pytest.fail("no encoder"), [])
    runner = Runner(TASK, TRAIN, DEV, metrics, store, tmp_path, 0, encoder, 8, Silent())
    estimator = Estimator(
        [Job(name, None, Workload()) for name in ("still/steady", "asking/unsteady")], {}, n_train=20, n_dev=len(DEV)
    )
    run = Stages(runner, budget or Budget(None), len(TEST), None, estimator, exhaustive=True, repeats=repeats)
    run.race(Plan(arms(model), ()))
    return run, run.final(TEST)


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "store.sqlite") as opened:
        yield opened


def times(model, side):
    """How many rows of a side were asked how many times, those that were timed alone left out."""
    return Counter(n for text, n in model.asked.items() if text.startswith(side) and int(text.split()[-1]) > 25)


def test_a_part_of_a_finalists_rows_is_asked_three_times_and_what_changes_is_told(tmp_path, store):
    model = Unsteady()
    run, tested = final(tmp_path, store, model)
    assert times(model, "test") == {3: 34, 1: 40}
    assert times(model, "dev") == {3: 34, 1: 20}
    found = run.raced.results["asking/unsteady"]
    again = found.again["test"]
    assert (again.n_answers, again.changed.n_rows) == (3, 60)
    assert again.changed.value == again.score_changed == pytest.approx(2 / 3 / 5)
    assert again.changed.interval.low < again.changed.value < again.changed.interval.high
    assert again.scores == pytest.approx([0.8, 1.0, 0.8])
    assert "dev" in found.again
    assert run.raced.results["still/steady"].again == {}, "what answers the same each time is not asked again"
    assert tested.outcomes["asking/unsteady"]["test-5"].scores["accuracy"] == pytest.approx(1 / 3)
    assert tested.outcomes["asking/unsteady"]["test-65"].scores["accuracy"] == 0.0, "asked once"
    assert found.test["accuracy"].value == pytest.approx(0.8 + 12 / 3 / 100)


def test_the_comparison_and_the_verdict_take_the_mean_of_the_answers(tmp_path, store):
    run, tested = final(tmp_path, store, Unsteady())
    scores = {
        arm_id: {row_id: outcome.scores["accuracy"] for row_id, outcome in by_row.items()}
        for arm_id, by_row in tested.outcomes.items()
    }
    pairs = compare_finalists(
        list(scores), scores, metric="accuracy", binary=True, margin=0.02, rng=np.random.default_rng(0)
    )
    [pair] = pairs
    arms = list(run.raced.results.values())
    values = {arm.arm_id: arm.test["accuracy"].value for arm in arms}
    assert pair.difference == pytest.approx(values[pair.a] - values[pair.b])
    assert pair.method == "paired_bootstrap", "scores are no longer right or wrong"
    decision = decide(TASK, arms, pairs, primary_metric="accuracy", n_train=20)
    [said] = [text.en for text in decision.reasons if "does not always answer the same" in text.en]
    assert "60 test rows were asked 3 times, and 13.3\u00a0% of its answers change" in said
    assert "reasons.asked_again.averaged" in decision.codes


def test_a_second_start_asks_nothing_again(tmp_path):
    first, second = Unsteady(), Unsteady()
    results = []
    for model in (first, second):
        with Store(tmp_path / "store.sqlite") as store:
            run, tested = final(tmp_path, store, model)
            results.append((tested, run.raced.results["asking/unsteady"].again))
    assert results[0] == results[1]
    assert second.asked.total() == 0


@pytest.mark.parametrize("repeats", [Repeats(answers=1), Repeats(answers=2, rows=10)])
def test_how_often_is_said_in_the_task_file(tmp_path, store, repeats):
    model = Unsteady()
    run, _ = final(tmp_path, store, model, repeats=repeats)
    again = run.raced.results["asking/unsteady"].again
    if repeats.answers == 1:
        assert again == {}
    else:
        assert (again["test"].n_answers, again["test"].changed.n_rows) == (2, 10)


def test_a_model_that_answers_the_same_each_time_is_asked_once(tmp_path, store):
    model = Unsteady(deterministic=True)
    run, _ = final(tmp_path, store, model)
    assert times(model, "test") == {1: 74}
    assert run.raced.results["asking/unsteady"].again == {}


@pytest.mark.parametrize(("usd", "n_answers"), [(0.59, 0), (0.61, 2), (1.25, 3)])
def test_money_that_is_left_decides_how_often(tmp_path, store, usd, n_answers):
    """A row costs a cent: 60 cents pay for one more answer to each of 60 rows."""
    model = Unsteady()
    run, tested = final(tmp_path, store, model, repeats=Repeats(answers=1))
    again = AskingAgain(run.runner, Budget(None, usd=usd, usd_per_hour=0.0), Repeats())
    entries = [run.raced.entries["asking/unsteady"]]
    first = {"asking/unsteady": list(tested.outcomes["asking/unsteady"].values())}
    found = again.ask("test", TEST, entries, first)
    assert len(found.get("asking/unsteady", [])) == max(0, n_answers - 1)
    assert again.budget.spent.usd == pytest.approx(0.6 * max(0, n_answers - 1))


def test_a_cap_that_is_reached_while_asking_again_ends_the_asking_and_not_the_run(tmp_path, store, monkeypatch):
    measure = Runner.measure

    def limited(self, entry, stage, rows):
        if entry.arm.key not in ("0" * 16, "1" * 16):
            return Measured([], frozenset(), stopped=True)
        return measure(self, entry, stage, rows)

    monkeypatch.setattr(Runner, "measure", limited)
    run, tested = final(tmp_path, store, Unsteady())
    assert len(tested.outcomes["asking/unsteady"]) == 100
    assert run.raced.results["asking/unsteady"].again == {}


@pytest.mark.slow
def test_a_whole_run_against_a_server_that_changes_its_mind_pays_for_every_answer_once(tmp_path):
    """Through the real client and the ledger: further answers are calls of their own, and a start that finds them makes none."""
    toss = itertools.count()

    def unsure(asked):
        return ["fruit", "tool"][next(toss) % 2] if "kitchen" in asked.question else echo(asked)

    with ChatServer(answer=unsure) as server:
        task_file = task_file_for(
            write_rows(tmp_path / "train.jsonl", label_rows(240)),
            models=[f"{server.address}#quick"],
            strategies=["prompt", "majority"],
            text_language="other",
            budget="5m",
            max_calls=5000,
            rows={"dev": 40, "test": 60},
        )
        folder = RunFolder(tmp_path / "run")
        result = run_pipeline(task_file, folder, Silent())
        n_calls = len(server.asked)
        folder.result.unlink()
        again = run_pipeline(task_file, folder, Silent())
        assert len(server.asked) == n_calls
    [arm] = [arm for arm in result.arms if arm.again]
    assert arm.again["test"].n_answers == 3
    assert 0 < arm.again["test"].changed.value < 0.5
    assert [one.again for one in again.arms] == [one.again for one in result.arms]
    assert [pair.interval for pair in again.comparisons] == [pair.interval for pair in result.comparisons]
    times = Counter(asked.question for asked in server.asked)
    assert 3 in times.values()
    assert any("does not always answer the same" in reason.en for reason in result.decision.reasons)

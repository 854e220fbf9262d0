"""Every built-in strategy passes the suite that outsiders run; and the suite catches what it is for."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from pydantic import ConfigDict

from tuneworth.core.registry import load_plugin, plugin_modules
from tuneworth.core.task import Example, Query, Task
from tuneworth.core.text import Text
from tuneworth.models.base import Model, Request
from tuneworth.models.scripted import ScriptedModel, mentioned
from tuneworth.strategies import Answer, Context, Solver, StrategyConfig
from tuneworth.strategies._parts.workload import Workload
from tuneworth.strategies.majority import Majority, MajorityConfig, MajoritySolver
from tuneworth.strategies.oracle import Oracle
from tuneworth.strategies.prompt import Prompt, PromptSolver
from tuneworth.testing import strategies as suite
from tuneworth.testing.strategies import STRATEGY_CHECKS, benches

BUILT_IN = [
    "copy",
    "decision",
    "fewshot",
    "head",
    "lora",
    "lora_rag",
    "majority",
    "nearest",
    "oracle",
    "prompt",
    "rag",
    "rules",
]


def test_the_built_in_strategies() -> None:
    assert set(plugin_modules("tuneworth.strategies")) >= {*BUILT_IN}


@pytest.mark.parametrize("check", STRATEGY_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", BUILT_IN)
def test_conformance(name: str, check: Callable[[suite.Bench], None], tmp_path: Path) -> None:
    strategy = load_plugin("tuneworth.strategies", name)
    for bench in benches(strategy, tmp_path, lambda: ScriptedModel(can_train=True, decides=mentioned)):
        check(bench)


class Looser(StrategyConfig):
    model_config = ConfigDict(frozen=False)


class Reordering(MajoritySolver):
    def solve(self, queries: Sequence[Query]) -> list[Answer]:
        return [Answer(query.text) for query in sorted(queries, key=lambda query: query.text)]


class Forgetful(MajoritySolver):
    def solve(self, queries: Sequence[Query]) -> list[Answer]:
        return super().solve(queries[:-1])


class ById(MajoritySolver):
    def solve(self, queries: Sequence[Query]) -> list[Answer]:
        return [Answer(query.id) for query in queries]


class Silent(MajoritySolver):
    def solve(self, queries: Sequence[Query]) -> list[Answer]:
        return [Answer(None, status="failed") for _ in queries]


class LossySave(MajoritySolver):
    def save(self, folder: Path) -> None:
        MajoritySolver(self.output.upper() + "?").save(folder)


class Lazy(Solver):
    """Looks into the training rows when it answers."""

    def __init__(self, rows: Sequence[Example]):
        self.rows = rows

    def solve(self, queries: Sequence[Query]) -> list[Answer]:
        return [Answer(self.rows[0].output) for _ in queries]

    def save(self, folder: Path) -> None:
        (folder / "rows").write_text(self.rows[0].output)

    @classmethod
    def load(cls, folder: Path, context: Context) -> Lazy:
        return cls([])


class Swallowing(PromptSolver):
    """Gives an empty answer where the model gave none."""

    def solve(self, queries: Sequence[Query]) -> list[Answer]:
        return [Answer(answer.text or "") for answer in super().solve(queries)]


def with_solver(make: Callable[[Sequence[Example]], Solver], solver_class: type[Solver]) -> type[Majority]:
    class Faulty(Majority):
        solver = solver_class  # type: ignore[assignment]

        def fit(self, train: Sequence[Example], dev: Sequence[Example], context: Context):
            return make(train)

    return Faulty


class Renamed(Majority):
    id = "another"


class EnglishOnly(Majority):
    def describe(self) -> Text:
        return Text(en="most frequent", zh="most frequent")


class Unfrozen(Majority):
    Config = Looser  # type: ignore[assignment]

    @classmethod
    def arms(cls, task: Task, model: Model | None, train: Sequence[Example]) -> list[StrategyConfig]:
        return [Looser()]


class NeverSkipped(Majority):
    @classmethod
    def arms(cls, task: Task, model: Model | None, train: Sequence[Example]) -> list[StrategyConfig]:
        return [MajorityConfig()] if len(train) > 10 else []


class Unseeded(Majority):
    counter = itertools.count()

    def fit(self, train: Sequence[Example], dev: Sequence[Example], context: Context) -> MajoritySolver:
        return MajoritySolver(str(next(self.counter)))


class Sorting(Majority):
    def fit(self, train: Sequence[Example], dev: Sequence[Example], context: Context) -> MajoritySolver:
        train.sort(key=lambda row: row.query.text) if isinstance(train, list) else None
        return super().fit(train, dev, context)


class SwallowsFailures(Prompt):
    solver = Swallowing

    def fit(self, train: Sequence[Example], dev: Sequence[Example], context: Context) -> Swallowing:
        fitted = super().fit(train, dev, context)
        return Swallowing(fitted.asker, fitted.system)


class Boundless(Majority):
    def workload(self, task: Task, model: Model | None, train: Sequence[Example], max_new_tokens: int) -> Workload:
        return Workload(fit_operations=float("inf"))


class Negative(Majority):
    def workload(self, task: Task, model: Model | None, train: Sequence[Example], max_new_tokens: int) -> Workload:
        return Workload(encoded_chars=-1.0)


class Shrinking(Majority):
    def workload(self, task: Task, model: Model | None, train: Sequence[Example], max_new_tokens: int) -> Workload:
        return Workload(passes=lambda n_rows: 1 / n_rows**2)


class Tries(Prompt):
    def workload(self, task: Task, model: Model | None, train: Sequence[Example], max_new_tokens: int) -> Workload:
        assert model is not None
        done = model.generate([Request(train[0].query.messages)], max_new_tokens=1)
        return Workload(prompt_tokens=done[0].usage.prompt_tokens)


class ReadsNothing(Prompt):
    def workload(self, task: Task, model: Model | None, train: Sequence[Example], max_new_tokens: int) -> Workload:
        return Workload()


class Peeking(Oracle):
    """Is given the gold passages of a row and wants to win."""

    yardstick = False


FAULTS = [
    (Peeking, suite.ignores_ids, "depends on the id"),
    (Peeking, suite.saves_and_loads, "but loaded"),
    (Boundless, suite.counts_its_work, "fit_operations is inf"),
    (Negative, suite.counts_its_work, "encoded_chars is -1"),
    (Shrinking, suite.counts_its_work, "more training rows are less work"),
    (Tries, suite.counts_its_work, "only counting is allowed"),
    (ReadsNothing, suite.counts_its_work, "asks a model and reads nothing"),
    (Renamed, suite.has_a_name, "must end with PLUGIN"),
    (EnglishOnly, suite.lists_plain_arms, "no Chinese"),
    (Unfrozen, suite.lists_plain_arms, "is not frozen"),
    (NeverSkipped, suite.says_why_it_is_skipped, "neither skipped nor any arm"),
    (Unseeded, suite.same_seed_same_answers, "and then"),
    (Unseeded, suite.goes_on_in_its_folder, "and then"),
    (Sorting, suite.leaves_its_input_alone, "changed what it was given"),
    (SwallowsFailures, suite.records_failures, "scored"),
    (with_solver(lambda train: Reordering(""), Reordering), suite.keeps_order, "order matters"),
    (with_solver(lambda train: Forgetful(""), Forgetful), suite.answers_are_well_formed, "15 answers"),
    (with_solver(lambda train: ById(""), ById), suite.ignores_ids, "depends on the id"),
    (with_solver(lambda train: Silent(""), Silent), suite.answers_are_well_formed, "no reason"),
    (with_solver(lambda train: LossySave("x"), LossySave), suite.saves_and_loads, "but loaded"),
    (with_solver(Lazy, Lazy), suite.reads_answers_only_in_fit, "was read outside fit"),
]


@pytest.mark.parametrize(("faulty", "check", "complaint"), FAULTS)
def test_the_suite_catches(faulty, check, complaint: str, tmp_path: Path) -> None:
    bench = next(benches(faulty, tmp_path))
    with pytest.raises(AssertionError, match=complaint):
        check(bench)


def test_a_strategy_that_skips_everything_is_not_called_conforming(tmp_path: Path) -> None:
    class Shy(Majority):
        @classmethod
        def why_skipped(cls, task: Task, model: Model | None, train: Sequence[Example]) -> Text | None:
            return Text(en="not today", zh="今天不行")

    with pytest.raises(AssertionError, match="nothing was checked"):
        suite.check_strategy(Shy, tmp_path)


def test_sealed_rows_are_rows_until_they_are_sealed() -> None:
    row = Example(Query("q", ()), "out", ("out", "also"), "file:1", "g", ("d",), "new", date(2024, 5, 1))
    seal = suite.Seal()
    sealed = suite.SealedExample(row, seal)
    assert (sealed.gold, sealed.doc_set, sealed.changed) == (("d",), "new", date(2024, 5, 1))
    assert (sealed.query, sealed.output, sealed.references) == (row.query, "out", ("out", "also"))
    seal.closed = True
    assert sealed.id == "q"
    with pytest.raises(AssertionError, match="output of row q was read outside fit"):
        _ = sealed.output


def test_the_hash_encoder_gives_unit_vectors() -> None:
    vectors = suite.HashEncoder().encode(["the red lamp broke", "the red lamp breaks", "完全不同的一句话"])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-6)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]

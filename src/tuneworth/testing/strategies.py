"""Conformance of strategies: what every strategy plug-in must keep, built-in or not.

    from tuneworth.testing.strategies import check_strategy
    check_strategy(PLUGIN, tmp_path)

runs every check on every kind of task that the strategy accepts, with a scripted model;
``STRATEGY_CHECKS`` and ``benches`` let a test suite show them one by one. A strategy that trains
brings its own small model in ``make_model``. A check raises ``AssertionError`` with the strategy,
the task and what was seen.
"""

from __future__ import annotations

import copy
import importlib
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np

from tuneworth.core.outcome import Status
from tuneworth.core.task import Example
from tuneworth.core.text import Text
from tuneworth.models.base import Capabilities, Completion, Decision, Encoder, Model, Request, is_deciding
from tuneworth.models.scripted import ScriptedModel
from tuneworth.retrieval.library import Library
from tuneworth.strategies import Answer, Context, Solver, Strategy, StrategyConfig
from tuneworth.testing.cases import CASES, DOCUMENT_CASES, Case, HashEncoder, library_of

SEED = 7


@dataclass(frozen=True)
class Bench:
    """A strategy with everything it needs, on one case."""

    strategy: type[Strategy]
    case: Case
    make_model: Callable[[], Model]
    encoder: Encoder
    folder: Path
    fitted: dict[StrategyConfig, Solver] = field(default_factory=dict)
    libraries: list[Library] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.strategy.__name__} on {self.case.task.name}"

    def model(self) -> Model | None:
        return self.make_model() if self.strategy.needs_model else None

    def arms(self) -> list[StrategyConfig]:
        return self.strategy.arms(self.case.task, self.model(), self.case.train)

    def library(self, *, finished: bool = False) -> Library | None:
        """The case's passages, indexed once for all checks; ``finished``: as a finished run leaves them."""
        if self.case.task.documents is None:
            return None
        if not self.libraries:
            self.libraries.append(library_of(self.case, self.folder / "index", self.encoder))
        library = self.libraries[0]
        return library_of(self.case, library.folder, self.encoder, finished=True) if finished else library

    def context(self, name: str, model: Model | None = None, *, finished: bool = False) -> Context:
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        return Context(
            task=self.case.task,
            model=model or self.model(),
            encoder=lambda: self.encoder,
            rng=np.random.default_rng(SEED),
            seed=SEED,
            folder=folder,
            max_new_tokens=32,
            library=self.library(finished=finished),
        )

    def fit(self, config: StrategyConfig, name: str) -> Solver:
        return self.strategy(config).fit(self.case.train, self.case.dev, self.context(name))

    def solver(self, config: StrategyConfig) -> Solver:
        """A fitted solver, the same for all checks that only use one (a training takes its time)."""
        if config not in self.fitted:
            self.fitted[config] = self.fit(config, f"{_name(config)}-once")
        return self.fitted[config]

    def reload(self, solver: Solver, name: str, model: Model | None = None) -> Solver:
        """The solver after ``save`` and ``load``, on a model of its own and the documents of a finished run.

        A yardstick is never handed over; it keeps the rows whose gold passages it may look at.
        """
        saved = self.folder / f"{name}-saved"
        saved.mkdir(parents=True, exist_ok=True)
        solver.save(saved)
        context = self.context(f"{name}-loaded", model, finished=not self.strategy.yardstick)
        return self.strategy.solver.load(saved, context)


def benches(
    strategy: type[Strategy],
    folder: Path,
    make_model: Callable[[], Model] = ScriptedModel,
    encoder: Encoder | None = None,
) -> Iterator[Bench]:
    """A bench for every case that the strategy does not skip: those with documents if it reads them.

    Raises:
        AssertionError: it skips all of them, so nothing could be checked.
    """
    n_benches = 0
    for case in DOCUMENT_CASES if strategy.reads_documents else CASES:
        bench = Bench(strategy, case, make_model, encoder or HashEncoder(), folder / case.task.name)
        if strategy.why_skipped(case.task, bench.model(), case.train) is None:
            n_benches += 1
            yield bench
    assert n_benches, f"{strategy.__name__}: skips every case, so nothing was checked"


def check_strategy(
    strategy: type[Strategy],
    folder: Path,
    make_model: Callable[[], Model] = ScriptedModel,
    encoder: Encoder | None = None,
) -> None:
    """Every check on every case that the strategy accepts; ``folder`` must be empty."""
    for bench in benches(strategy, folder, make_model, encoder):
        for check in STRATEGY_CHECKS:
            check(replace(bench, folder=bench.folder / check.__name__))


def has_a_name(bench: Bench) -> None:
    """Its id is its module's name, its titles are in both languages, its module exports it."""
    strategy = bench.strategy
    module = importlib.import_module(strategy.__module__)
    assert getattr(module, "PLUGIN", None) is strategy, f"{module.__name__} must end with PLUGIN = {strategy.__name__}"
    assert strategy.id == module.__name__.rpartition(".")[2], f"{strategy.id!r} is not the name of {module.__name__}"
    assert strategy.effort >= 0, f"{bench}: effort {strategy.effort}"
    _assert_bilingual(strategy.title, f"{bench}: title")
    assert issubclass(strategy.solver, Solver), f"{bench}: solver must be a Solver"


def lists_plain_arms(bench: Bench) -> None:
    """Arms are frozen, hashable, different, survive JSON, and say in both languages what they are."""
    arms = bench.arms()
    assert arms, f"{bench}: not skipped, but there are no arms"
    assert bench.arms() == arms, f"{bench}: the arms change from call to call"
    assert len(set(arms)) == len(arms), f"{bench}: two arms are the same"
    for config in arms:
        assert isinstance(config, bench.strategy.Config), f"{bench}: {config!r} is no {bench.strategy.Config.__name__}"
        assert config.model_config.get("frozen"), f"{bench}: {config!r} is not frozen"
        assert type(config).model_validate_json(config.model_dump_json()) == config, f"{bench}: {config!r} as JSON"
        _assert_bilingual(bench.strategy(config).describe(), f"{bench}: describe of {config!r}")
    for lang in ("en", "zh"):
        titles = [bench.strategy(config).describe().to(lang) for config in arms]
        assert len(set(titles)) == len(titles), f"{bench}: two arms have one description among {titles}"


def says_why_it_is_skipped(bench: Bench) -> None:
    """``why_skipped`` is ``None`` or a sentence in both languages, whatever it is asked about."""
    strategy = bench.strategy
    for case in (*CASES, *DOCUMENT_CASES):
        for model in (bench.make_model(), None):
            for n_rows in (0, 1, 3, len(case.train)):
                train = case.train[:n_rows]
                why = strategy.why_skipped(case.task, model, train)
                place = f"{strategy.__name__} on {case.task.name}, {n_rows} rows, model {model and model.id}"
                if why is not None:
                    _assert_bilingual(why, place)
                else:
                    assert strategy.arms(case.task, model, train), f"{place}: neither skipped nor any arm"
                    assert model or not strategy.needs_model, f"{place}: needs a model, must be skipped without one"


def answers_are_well_formed(bench: Bench) -> None:
    for config in bench.arms():
        answers = bench.solver(config).solve(bench.case.queries)
        assert len(answers) == len(bench.case.queries), f"{bench}, {config!r}: {len(answers)} answers"
        for answer in answers:
            _assert_well_formed(answer, f"{bench}, {config!r}")
            assert answer.status == "scored", f"{bench}, {config!r}: {answer}"


def keeps_order(bench: Bench) -> None:
    """Answers belong to their queries: reversed, one by one, and for no query at all."""
    queries = bench.case.queries
    for config in bench.arms():
        solver = bench.solver(config)
        together = _texts(solver.solve(queries))
        assert _texts(solver.solve(queries[::-1]))[::-1] == together, f"{bench}, {config!r}: order matters"
        alone = [_texts(solver.solve([query]))[0] for query in queries]
        assert alone == together, f"{bench}, {config!r}: a query alone is answered in another way"
        assert solver.solve([]) == [], f"{bench}, {config!r}: no query, no answer"


def same_seed_same_answers(bench: Bench) -> None:
    for config in bench.arms():
        first, second = (_texts(bench.fit(config, f"{_name(config)}-{i}").solve(bench.case.queries)) for i in (1, 2))
        assert first == second, f"{bench}, {config!r}: {first} and then {second}"


def goes_on_in_its_folder(bench: Bench) -> None:
    """A second ``fit`` in the folder of the first gives the same solver (a killed run resumes)."""
    for config in bench.arms():
        first = _texts(bench.fit(config, _name(config)).solve(bench.case.queries))
        again = _texts(bench.fit(config, _name(config)).solve(bench.case.queries))
        assert first == again, f"{bench}, {config!r}: {first} and then {again}"


def saves_and_loads(bench: Bench) -> None:
    for config in bench.arms():
        solver = bench.solver(config)
        loaded = bench.reload(solver, _name(config))
        before, after = _texts(solver.solve(bench.case.queries)), _texts(loaded.solve(bench.case.queries))
        assert before == after, f"{bench}, {config!r}: {before}, but loaded {after}"


def reads_answers_only_in_fit(bench: Bench) -> None:
    """After ``fit`` every row is sealed: solving and saving must do without the rows' answers.

    What a solver is given are queries, which have no answer to look at; this closes the other way.
    """
    for config in bench.arms():
        seal = Seal()
        train, dev = ([SealedExample(row, seal) for row in rows] for rows in (bench.case.train, bench.case.dev))
        solver = bench.strategy(config).fit(train, dev, bench.context(_name(config)))
        seal.closed = True
        solver.solve(bench.case.queries)
        bench.reload(solver, _name(config)).solve(bench.case.queries)


def ignores_ids(bench: Bench) -> None:
    """A query that carries a training row's id is answered like any other.

    Only a yardstick that reads documents may look at the id: to be given the passages that hold the answer.
    """
    if bench.strategy.yardstick and bench.strategy.reads_documents:
        return
    stolen = [replace(query, id=row.id) for query, row in zip(bench.case.queries, bench.case.train)]
    for config in bench.arms():
        solver = bench.solver(config)
        expected = _texts(solver.solve(bench.case.queries))
        assert _texts(solver.solve(stolen)) == expected, f"{bench}, {config!r}: the answer depends on the id"


def leaves_its_input_alone(bench: Bench) -> None:
    for config in bench.arms():
        train, dev, queries = list(bench.case.train), list(bench.case.dev), list(bench.case.queries)
        before = copy.deepcopy((train, dev, queries, bench.case.task))
        context = bench.context(_name(config))
        bench.strategy(config).fit(train, dev, context).solve(queries)
        assert (train, dev, queries, context.task) == before, f"{bench}, {config!r}: changed what it was given"


def records_failures(bench: Bench) -> None:
    """A request that fails or does not fit costs its own row only, and says why."""
    if not bench.strategy.needs_model:
        return
    failing, too_long = bench.case.queries[0], bench.case.queries[1]
    for config in bench.arms():
        solver = bench.solver(config)
        expected = solver.solve(bench.case.queries)
        troubled = TroubledModel(bench.make_model(), failing.messages[-1].content, too_long.messages[-1].content)
        answers = bench.reload(solver, _name(config), troubled).solve(bench.case.queries)
        assert [answer.status for answer in answers[:2]] == ["failed", "over_limit"], f"{bench}, {config!r}: {answers}"
        for answer in answers:
            _assert_well_formed(answer, f"{bench}, {config!r}")
        assert _texts(answers[2:]) == _texts(expected[2:]), f"{bench}, {config!r}: a failure changed other rows"


def counts_its_work(bench: Bench) -> None:
    """The expected work is finite, not negative, counted without calling the model, and grows with the training rows."""
    for config in bench.arms():
        silent = SilentModel(bench.make_model()) if bench.strategy.needs_model else None
        work = bench.strategy(config).workload(bench.case.task, silent, bench.case.train, 32)
        passes = {n: work.passes(n) for n in (1, 10, 1000)}
        numbers = {name: value for name, value in asdict(work).items() if name not in ("passes", "asked_in_fit")}
        numbers |= {f"asked_in_fit({n})": work.asked_in_fit(n) for n in (1, 10, 1000)}
        for name, value in {**numbers, **{f"passes({n})": value for n, value in passes.items()}}.items():
            assert math.isfinite(value), f"{bench}, {config!r}: {name} is {value}"
            assert value >= 0, f"{bench}, {config!r}: {name} is {value}"
        rows = [n * value for n, value in passes.items()]
        assert rows == sorted(rows), f"{bench}, {config!r}: more training rows are less work: {passes}"
        assert work.prompt_tokens > 0 or silent is None, f"{bench}, {config!r}: asks a model and reads nothing"
        assert not bench.strategy.tuned or work.train_tokens > 0, f"{bench}, {config!r}: trains on nothing"


STRATEGY_CHECKS: tuple[Callable[[Bench], None], ...] = (
    has_a_name,
    lists_plain_arms,
    says_why_it_is_skipped,
    answers_are_well_formed,
    keeps_order,
    same_seed_same_answers,
    goes_on_in_its_folder,
    saves_and_loads,
    reads_answers_only_in_fit,
    ignores_ids,
    leaves_its_input_alone,
    records_failures,
    counts_its_work,
)


@dataclass
class Seal:
    closed: bool = False


class SealedExample(Example):
    """A row whose answer raises when it is read after its seal was closed."""

    __slots__ = ("_seal",)

    def __init__(self, row: Example, seal: Seal):
        object.__setattr__(self, "_seal", seal)
        super().__init__(**{each.name: getattr(row, each.name) for each in fields(row)})

    def __getattribute__(self, name: str) -> Any:
        if name in ("output", "references") and object.__getattribute__(self, "_seal").closed:
            raise AssertionError(f"the {name} of row {self.id} was read outside fit")
        return object.__getattribute__(self, name)


class Wrapped:
    """Another model, as far as a solver and ``workload`` ask for it."""

    def __init__(self, model: Model):
        self.inner = model

    @property
    def id(self) -> str:
        return self.inner.id

    @property
    def capabilities(self) -> Capabilities:
        return self.inner.capabilities

    def count_tokens(self, text: str) -> int:
        return self.inner.count_tokens(text)

    def load_adapter(self, name: str, folder: str) -> None:
        self.inner.load_adapter(name, folder)

    def describe(self) -> dict[str, Any]:
        return self.inner.describe()


class SilentModel(Wrapped):
    """A model that must not be asked anything."""

    def load_adapter(self, name: str, folder: str) -> None:
        raise AssertionError("an adapter was loaded where only counting is allowed")

    def generate(self, requests: Sequence[Request], *, max_new_tokens: int) -> list[Completion]:
        raise AssertionError("the model was asked where only counting is allowed")

    def decide(self, requests: Sequence[Request]) -> list[Decision]:
        raise AssertionError("the model was asked where only counting is allowed")


class TroubledModel(Wrapped):
    """A model that fails on one question and finds another too long."""

    def __init__(self, model: Model, failing: str, too_long: str):
        super().__init__(model)
        self.failing = failing
        self.too_long = too_long

    def generate(self, requests: Sequence[Request], *, max_new_tokens: int) -> list[Completion]:
        done = self.inner.generate(requests, max_new_tokens=max_new_tokens)
        return [self._spoilt(request, completion) for request, completion in zip(requests, done, strict=True)]

    def decide(self, requests: Sequence[Request]) -> list[Decision]:
        assert is_deciding(self.inner)
        found: list[Decision] = []
        for request, decision in zip(requests, self.inner.decide(requests), strict=True):
            spoilt = self._spoilt(request, decision.completion)
            found.append(decision if spoilt is decision.completion else Decision(None, spoilt))
        return found

    def _spoilt(self, request: Request, completion: Completion) -> Completion:
        question = request.messages[-1].content
        if self.failing in question:
            return replace(completion, text="", finish_reason="error", error="made to fail")
        if self.too_long in question:
            return replace(completion, text="", finish_reason="over_context")
        return completion


def _assert_well_formed(answer: Answer, place: str) -> None:
    assert answer.status in get_args(Status), f"{place}: {answer}"
    assert (answer.text is not None) == (answer.status == "scored"), f"{place}: text only if scored, got {answer}"
    assert answer.status == "scored" or answer.error, f"{place}: no reason in {answer}"
    if answer.probabilities is not None:
        chances = answer.probabilities
        assert math.isclose(math.fsum(chances.values()), 1, abs_tol=1e-6), (
            f"{place}: probabilities sum to another than 1"
        )
        assert chances.get(answer.text or "") == max(chances.values()), (
            f"{place}: the answer is not the likeliest label"
        )
    assert math.isfinite(answer.latency_ms), f"{place}: {answer}"
    assert answer.latency_ms >= 0, f"{place}: {answer}"


def _assert_bilingual(text: Text, place: str) -> None:
    assert isinstance(text, Text), f"{place}: {text!r} is no Text"
    assert text.en.strip(), f"{place}: no English"
    assert re.search(r"[\u4e00-\u9fff]", text.zh), f"{place}: no Chinese in {text.zh!r}"


def _texts(answers: Sequence[Answer]) -> list[str | None]:
    return [answer.text for answer in answers]


def _name(config: StrategyConfig) -> str:
    """A folder name for an arm."""
    return re.sub(r"\W+", "-", config.model_dump_json()).strip("-") or "default"

# pyright: reportOptionalMemberAccess=false, reportAttributeAccessIssue=false, reportArgumentType=false, reportOperatorIssue=false, reportOptionalOperand=false
"""The dev and test stages with small strategies made here: order, budget, resuming, and who sees what."""

# pyright: reportOptionalMemberAccess=false, reportOptionalOperand=false, reportOperatorIssue=false, reportArgumentType=false, reportAttributeAccessIssue=false

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest

from tuneworth.core.outcome import Outcome
from tuneworth.core.race import Stop
from tuneworth.core.registry import load_plugin
from tuneworth.core.task import Collection, Example, Limits, Message, Query, Task
from tuneworth.core.text import Text
from tuneworth.costs.spend import Spend
from tuneworth.errors import EnvironmentProblem, PassingFailure, TrainingDiverged
from tuneworth.findings.forecasts import forecasts_of
from tuneworth.models.base import Request
from tuneworth.models.scripted import ScriptedModel
from tuneworth.race import results
from tuneworth.race import runner as runners
from tuneworth.race.arms import Arm, Plan, Skipped, training_sizes
from tuneworth.race.budget import LATE, Budget
from tuneworth.race.driver import Entry
from tuneworth.race.encoding import SharedEncoder
from tuneworth.race.estimate import Estimator, Job
from tuneworth.race.keys import row_key
from tuneworth.race.runner import ArmFailed, Measured, Runner
from tuneworth.race.stages import Stages
from tuneworth.race.store import Store
from tuneworth.race.watch import Silent
from tuneworth.strategies import Answer, Solver, Strategy, StrategyConfig
from tuneworth.strategies._parts.workload import Workload

TASK = Task(name="t", kind="label", labels=("a", "b"), metric="accuracy")


def rows(side, n):
    return tuple(
        Example(Query(f"{side}-{i}", (Message("user", f"{side} text {i}"),)), "ab"[i % 2], source=f"f:{i}")
        for i in range(n)
    )


TRAIN, DEV, TEST = rows("train", 20), rows("dev", 120), rows("test", 130)
SEEN: list[tuple[str, str, tuple[str, ...]]] = []


class EvenSolver(Solver):
    """Right on rows whose number is below ``reach``."""

    def __init__(self, name, reach):
        self.name, self.reach = name, reach

    def solve(self, queries):
        SEEN.append(("solve", self.name, tuple(query.id for query in queries)))
        answers = []
        for query in queries:
            number = int(query.id.split("-")[1])
            answers.append(Answer("ab"[number % 2] if number < self.reach else "x", latency_ms=1.0))
        return answers

    def save(self, folder):
        (folder / "solver.json").write_text(json.dumps([self.name, self.reach]), encoding="utf-8")

    @classmethod
    def load(cls, folder, context):
        SEEN.append(("load", folder.parent.name, ()))
        return cls(*json.loads((folder / "solver.json").read_text(encoding="utf-8")))


class Base(Strategy):
    """A strategy that is right on the first ``reach`` rows."""

    id = "base"
    effort = 0
    needs_model = False
    title = Text(en="t", zh="t")
    Config = StrategyConfig
    solver = EvenSolver
    reach = 0

    @classmethod
    def arms(cls, task, model, train):
        return [cls.Config()]

    def describe(self):
        return self.title

    def fit(self, train, dev, context):
        SEEN.append(("fit", self.id, tuple(row.id for row in (*train, *dev))))
        context.notes.append(Text(en=f"fitted {self.id}", zh=f"拟合 {self.id}"))
        return EvenSolver(self.id, self.reach)


class Simple(Base):
    id, reach = "simple", 30


class Better(Base):
    id, effort, reach = "better", 1, 80


class Middling(Base):
    id, effort, reach = "middling", 1, 50


class Tuned(Base):
    id, effort, tuned, reach = "tuned", 5, True, 100


class Broken(Base):
    id, effort = "broken", 2

    def fit(self, train, dev, context):
        raise RuntimeError("matrix is singular")


class Full(Base):
    id = "full"

    def fit(self, train, dev, context):
        raise OSError(28, "No space left on device")


def arm(strategy):
    return Arm(strategy.id, f"{abs(hash(strategy.id)):016x}", strategy, strategy.Config(), None)


def stages(tmp_path, store, *, budget=None, dev=DEV):
    metrics = [load_plugin("tuneworth.metrics", "accuracy").with_labels(TASK.labels)]
    runner = Runner(
        TASK, TRAIN, dev, metrics, store, tmp_path, 0, SharedEncoder(lambda: pytest.fail("no encoder"), []), 8, Silent()
    )
    jobs = [
        Job(name, None, Workload())
        for name in (
            "constant",
            "gold",
            "simple",
            "better",
            "middling",
            "tuned",
            "broken",
            "full",
            "slow",
            "hopeless",
            "weak",
            "half",
        )
    ]
    return Stages(runner, Budget(budget), len(TEST), None, Estimator(jobs, {}, n_train=len(TRAIN), n_dev=len(dev)))


@pytest.fixture
def store(tmp_path):
    SEEN.clear()
    with Store(tmp_path / "store.sqlite") as opened:
        yield opened


def test_finalists_alone_meet_the_test_rows_once(tmp_path, store):
    run = stages(tmp_path, store)
    plan = Plan(
        tuple(map(arm, (Simple, Better, Middling, Tuned))), (Skipped("none", Base, None, Text(en="why", zh="为何")),)
    )
    raced = run.race(plan)
    test_ids = {row.id for row in TEST}
    assert not any(test_ids & set(ids) for _, _, ids in SEEN), "an arm saw a test row while choosing"
    before = len(SEEN)
    outcomes = run.final(TEST).outcomes
    assert set(outcomes) == {"simple", "better", "tuned"}
    asked = [row for kind, _, ids in SEEN[before:] if kind == "solve" for row in ids if row in test_ids]
    repeated = [row.id for row in TEST] * 2
    assert sorted(asked) == sorted([row.id for row in TEST] * 3 + repeated), "once per finalist and further training"
    assert [round(score.value, 3) for score in raced.results["tuned"].repeats] == [0.769, 0.769]
    assert raced.results["tuned"].test["accuracy"].value == pytest.approx(100 / 130)
    assert raced.results["middling"].test == {}
    assert raced.results["none"].state == "skipped"
    assert raced.results["tuned"].notes == [Text(en="fitted tuned", zh="拟合 tuned")]
    assert raced.results["tuned"].cost.latency_p50_ms is not None


def test_vectors_that_another_arm_has_computed_count_in_its_cost_and_not_in_what_is_expected(
    tmp_path, store, monkeypatch
):
    now = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])

    class Encoder:
        id = "slow"

        def encode(self, texts, *, role="text"):
            now[0] += len(texts)
            return np.ones((len(texts), 1), dtype=np.float32)

    def reading(strategy):
        class Reading(strategy):
            def fit(self, train, dev, context):
                context.encoder().encode([row.query.text for row in train])
                return super().fit(train, dev, context)

        return arm(Reading)

    run = stages(tmp_path, store)
    run.runner.encoder = SharedEncoder(Encoder, [row.query.text for row in TRAIN])
    raced = run.race(Plan((reading(Simple), reading(Better)), ()))
    assert [raced.results[name].cost.fit_seconds for name in ("simple", "better")] == [len(TRAIN)] * 2
    assert [run.estimator.fit_seconds(name, None) for name in ("simple", "better")] == [len(TRAIN), 0.0]


def test_fit_never_sees_test_rows(tmp_path, store):
    run = stages(tmp_path, store)
    run.race(Plan((arm(Simple), arm(Tuned)), ()))
    run.final(TEST)
    for kind, _, ids in SEEN:
        if kind == "fit":
            assert {name.split("-")[0] for name in ids} == {"train", "dev"}


def test_an_arm_that_breaks_is_recorded_and_the_run_goes_on(tmp_path, store):
    run = stages(tmp_path, store)
    raced = run.race(Plan((arm(Broken), arm(Simple)), ()))
    assert raced.results["broken"].state == "failed"
    assert "matrix is singular" in raced.results["broken"].why.en
    assert raced.results["simple"].state == "measured"
    with pytest.raises(ArmFailed, match="matrix is singular"):
        run.runner.fit(arm(Broken))


class Diverging(Base):
    id, effort, tuned = "broken", 5, True

    def fit(self, train, dev, context):
        raise TrainingDiverged(Text(en="the training diverged", zh="训练发散"))


def test_a_training_that_diverges_is_a_failure_of_its_arm(tmp_path, store):
    for _ in range(2):
        raced = stages(tmp_path, store).race(Plan((arm(Simple), arm(Diverging)), ()))
        found = raced.results["broken"]
        assert (found.state, found.why.en) == ("failed", "the training diverged")
        assert raced.results["simple"].state == "measured"


def test_steps_are_priced_where_the_machine_is(tmp_path, store):
    run = stages(tmp_path, store)
    assert all(step.usd is None for step in run.race(Plan((arm(Simple),), ())).race.steps)
    priced = stages(tmp_path, store)
    priced.budget.usd_per_hour = 3600.0
    steps = priced.race(Plan((arm(Better),), ())).race.steps
    assert steps
    assert all(step.usd == pytest.approx(step.seconds) for step in steps)


def test_a_full_disk_ends_the_run_with_a_clear_error(tmp_path, store):
    with pytest.raises(EnvironmentProblem, match="disk is full"):
        stages(tmp_path, store).race(Plan((arm(Full),), ()))


def test_a_second_start_pays_for_nothing_again(tmp_path, store):
    plan = Plan((arm(Simple), arm(Tuned)), ())
    first = stages(tmp_path, store)
    first.race(plan)
    outcomes = first.final(TEST)
    SEEN.clear()
    second = stages(tmp_path, store)
    raced = second.race(plan)
    assert second.final(TEST) == outcomes
    assert [kind for kind, _, _ in SEEN] == ["load"] * 4, "two arms, two further trainings"
    for arm_id, result in raced.results.items():
        assert result.dev == first.raced.results[arm_id].dev
        assert result.test == first.raced.results[arm_id].test


def test_a_partial_start_goes_on_with_the_same_batches(tmp_path, store):
    run = stages(tmp_path, store)
    entry = run.runner.fit(arm(Simple))
    whole = run.runner.measure(entry, "dev", DEV)
    batches = [ids for kind, _, ids in SEEN if kind == "solve"]
    with Store(tmp_path / "other.sqlite") as other:
        again = stages(tmp_path, other)
        entry = again.runner.fit(arm(Simple))
        again.runner.measure(entry, "dev", DEV[:50])
        SEEN.clear()
        resumed = again.runner.measure(entry, "dev", DEV)
    assert [ids for kind, _, ids in SEEN if kind == "solve"] == batches[1:]
    assert [outcome.answer for outcome in resumed.outcomes] == [outcome.answer for outcome in whole.outcomes]


def test_when_the_budget_is_spent_later_arms_are_skipped_and_say_so(tmp_path, store):
    run = stages(tmp_path, store, budget=1e-6)
    raced = run.race(Plan((arm(Simple), arm(Better), arm(Tuned)), ()))
    assert raced.results["simple"].state == "measured", "the first arm is always measured"
    for name in ("better", "tuned"):
        assert raced.results[name].state == "skipped"
        assert "--budget" in raced.results[name].why.en


def test_rows_of_the_same_content_share_an_outcome_under_their_own_ids(tmp_path, store):
    twin = Example(Query("dev-twin", DEV[0].query.messages), DEV[0].output)
    assert row_key(twin) == row_key(DEV[0])
    run = stages(tmp_path, store, dev=(*DEV[:3], twin))
    entry = run.runner.fit(arm(Simple))
    found = run.runner.measure(entry, "dev", run.runner.dev).outcomes
    assert [outcome.row_id for outcome in found] == ["dev-0", "dev-1", "dev-2", "dev-twin"]


class PickySolver(EvenSolver):
    """Breaks when it is asked a single row with an even number, and gives up on one row without trying."""

    def solve(self, queries):
        if len(queries) == 1 and int(queries[0].id.split("-")[1]) % 2 == 0:
            raise RuntimeError("no even rows")
        answers = super().solve(queries)
        return [Answer(None, status="over_limit") if q.id == "dev-1" else a for q, a in zip(queries, answers)]


class Picky(Base):
    id, reach, solver = "picky", 30, PickySolver

    def fit(self, train, dev, context):
        return PickySolver(self.id, self.reach)


def test_a_row_without_an_answer_has_no_latency_and_breaks_nothing(tmp_path, store):
    run = stages(tmp_path, store)
    entry = run.runner.fit(arm(Picky))
    # The first row warms up; of 20 others 10 break and one gives up.
    assert len(run.runner.latencies(entry)) == 9


def test_a_torn_solver_is_fitted_again(tmp_path, store):
    run = stages(tmp_path, store)
    run.runner.fit(arm(Simple))
    (run.runner.arm_folder(arm(Simple)) / "solver" / "solver.json").write_bytes(b"")
    SEEN.clear()
    entry = run.runner.fit(arm(Simple))
    assert [kind for kind, _, _ in SEEN] == ["load", "fit"]
    assert (entry.solver.name, entry.fit.notes) == ("simple", [Text(en="fitted simple", zh="拟合 simple")])
    entry = run.runner.fit(arm(Simple))
    assert entry.solver.reach == Simple.reach


class Choking(EvenSolver):
    """Breaks on every batch that holds row 7."""

    def solve(self, queries):
        if any(query.id == "dev-7" for query in queries):
            raise RuntimeError("cannot read row 7")
        return super().solve(queries)


def test_one_bad_row_fails_alone(tmp_path, store):
    found = stages(tmp_path, store).runner.measure(Entry(arm(Simple), Choking("simple", 30), None), "dev", DEV).outcomes
    assert [outcome.row_id for outcome in found if outcome.status == "failed"] == ["dev-7"]
    assert "cannot read row 7" in found[7].error
    assert found[7].scores == {}


class Slow(Base):
    """Better than the others, at a second a row."""

    id, effort, reach = "slow", 1, 110

    def fit(self, train, dev, context):
        return SlowSolver(self.id, self.reach)


class SlowSolver(EvenSolver):
    def solve(self, queries):
        return [Answer(answer.text, latency_ms=1000.0) for answer in super().solve(queries)]


Slow.solver = SlowSolver


def test_an_arm_too_slow_to_be_a_finalist_leaves_the_budget_to_the_others(tmp_path, store):
    plan = Plan((arm(Simple), arm(Slow), arm(Tuned)), ())
    run = stages(tmp_path, store, budget=200.0)
    raced = run.race(plan)
    assert raced.results["slow"].dev["accuracy"].n_rows == 32, "what was seen of it is told"
    assert raced.results["tuned"].state == "measured"
    assert set(run.final(TEST).outcomes) == {"simple", "tuned"}
    [missed] = raced.race.untested
    assert (missed.arm_id, missed.tested, missed.n_rows) == ("slow", "simple", 32)
    assert missed.interval.low < missed.difference < missed.interval.high
    patient = stages(tmp_path, store, budget=3600.0).race(plan)
    assert patient.results["slow"].state == "measured", "what was measured before is enough for a larger budget"


def test_the_only_way_to_ask_a_model_is_measured_however_slow(tmp_path, store):
    raced = stages(tmp_path, store, budget=600.0).race(Plan((arm(Slow), arm(Tuned)), ()))
    assert raced.results["slow"].state == "measured"


class Learner(Base):
    """Right on as many rows as four times the training rows it was shown."""

    id, effort, tuned, grows = "learner", 5, True, True

    def fit(self, train, dev, context):
        SEEN.append(("fit", self.id, tuple(row.id for row in (*train, *dev))))
        return EvenSolver(self.id, min(4 * len(train), 115))


MANY = rows("train", 256)


def growing(tmp_path, store, plan, *, train=MANY, exhaustive=False, watcher=None):
    run = stages(tmp_path, store)
    run.runner.train, run.exhaustive = train, exhaustive
    if watcher is not None:
        run.runner.watcher = watcher
    jobs = [Job(one.arm_id, None, Workload(), training_sizes(one, len(train))) for one in plan.arms]
    run.estimator = Estimator(jobs, {}, n_train=len(train), n_dev=len(DEV))
    return run, run.race(plan)


def forecasts(run, raced):
    metric = run.runner.metrics[0]
    arms = list(raced.results.values())
    return forecasts_of(arms, raced.fits, DEV, metric, margin=0.02, n_train=256, chance=0.5, seed=0)


def test_an_arm_that_learns_is_fitted_on_nested_prefixes_of_the_training_rows(tmp_path, store):
    _, raced = growing(tmp_path, store, Plan((arm(Simple), arm(Learner)), ()), exhaustive=True)
    fits = [
        [name for name in ids if name.startswith("train")]
        for kind, who, ids in SEEN
        if (kind, who) == ("fit", "learner")
    ]
    assert [len(fit) for fit in fits] == [16, 32, 64, 128, 256]
    assert all(small == large[: len(small)] for small, large in pairwise(fits))
    assert list(raced.fits["learner"]) == [16, 32, 64, 128, None]
    assert raced.results["learner"].n_train is None, "the fit on all rows is as good as the best"
    assert raced.race.off is not None
    assert raced.race.stops == []


def test_the_forecast_has_a_point_for_every_size(tmp_path, store):
    run, raced = growing(tmp_path, store, Plan((arm(Simple), arm(Learner)), ()), exhaustive=True)
    [forecast] = forecasts(run, raced)
    assert [(point.n, round(point.score, 3)) for point in forecast.points] == [
        (16, 0.533),
        (32, 0.958),
        (64, 0.958),
        (128, 0.958),
        (256, 0.958),
    ]
    assert forecast.target == "simple"
    assert forecast.target_score == pytest.approx(30 / 120)
    assert forecast.crossing.status == "already"


class ChoosyConfig(StrategyConfig):
    depth: int | None = None


class Choosy(Learner):
    """Chooses a setting by the number of rows that it is shown."""

    id = "choosy"
    Config = ChoosyConfig

    def fit(self, train, dev, context):
        context.details["depth"] = 3 if len(train) < 64 else 1
        return super().fit(train, dev, context)

    def settled(self, details):
        return self.config.model_copy(update={"depth": details["depth"]})


def test_fits_that_chose_other_settings_are_not_points_of_the_curve(tmp_path, store):
    run, raced = growing(tmp_path, store, Plan((arm(Simple), arm(Choosy)), ()), exhaustive=True)
    [forecast] = forecasts(run, raced)
    assert sorted(n or 256 for n in raced.fits["choosy"]) == [16, 32, 64, 128, 256]
    assert [point.n for point in forecast.points] == [64, 128, 256]


class Forgetting(Learner):
    """Right on fewer rows the more it was shown."""

    id = "forgetting"

    def fit(self, train, dev, context):
        return EvenSolver(self.id, 110 - len(train) // 4)


def test_where_more_rows_hurt_the_smaller_fit_is_told_and_tested(tmp_path, store):
    run, raced = growing(tmp_path, store, Plan((arm(Simple), arm(Forgetting)), ()), exhaustive=True)
    assert raced.results["forgetting"].n_train == 32, "not surely behind 16, and those on more rows are"
    run.final(TEST)
    assert raced.results["forgetting"].test["accuracy"].value == pytest.approx(102 / 130)
    [forecast] = forecasts(run, raced)
    assert forecast.cannot_tell == "falling"


class Hopeless(Base):
    id, effort, reach = "hopeless", 1, 0


def test_an_arm_that_is_surely_worse_is_stopped_early_with_the_evidence(tmp_path, store):
    raced = stages(tmp_path, store)
    raced.runner.dev = tuple(sorted(DEV, key=lambda row: int(row.id.split("-")[1]) * 37 % 120))
    found = raced.race(Plan((arm(Better), arm(Hopeless)), ()))
    [stop] = [stop for stop in found.race.stops if stop.arm_id == "hopeless"]
    assert stop.leader == "better"
    assert stop.difference < -0.4
    assert found.results["hopeless"].state == "measured"
    assert found.results["hopeless"].dev["accuracy"].n_rows < 120
    assert [step.n_rows for step in found.race.steps if step.arm_id == "better"][-1] == 120


class Listening(Silent):
    def __init__(self):
        self.views = []

    def race(self, view):
        self.views.append(view)


def test_whoever_watches_sees_each_step(tmp_path, store):
    listening = Listening()
    _, raced = growing(tmp_path, store, Plan((arm(Simple), arm(Broken), arm(Learner)), ()), watcher=listening)
    assert len(listening.views) == 2 * (len(raced.race.steps) + 1) + 1, (
        "around each step and the one that broke, and the end"
    )
    assert [lane.state for lane in listening.views[0].lanes].count("running") == 1
    last = {lane.arm_id: lane for lane in listening.views[-1].lanes}
    assert last["broken"].state == "failed"
    assert "matrix is singular" in last["broken"].why.en
    assert listening.views[-1].leader == "learner"


def test_a_tuned_arm_far_behind_is_not_trained_again(tmp_path, store):
    run = stages(tmp_path, store)
    raced = run.race(Plan((arm(Better), arm(Weak)), ()))
    run.final(TEST)
    assert raced.results["weak"].finalist
    assert raced.results["weak"].repeats == []


class Weak(Base):
    id, effort, tuned, reach = "weak", 5, True, 20


def test_few_dev_rows_switch_the_race_off_and_it_is_said(tmp_path, store):
    raced = stages(tmp_path, store, dev=DEV[:12]).race(Plan((arm(Simple), arm(Better)), ()))
    assert "12 dev rows are too few to stop an arm early (at least 20)" in raced.race.off.en
    assert {result.dev["accuracy"].n_rows for result in raced.results.values()} == {12}


def test_a_run_taken_up_again_decides_as_it_did_though_its_budget_is_spent(tmp_path, store):
    plan = Plan((arm(Simple), arm(Better), arm(Tuned)), ())
    first = stages(tmp_path, store, budget=2.0)
    first.budget.count(Spend(1.0))  # what an earlier start had used up
    first.race(plan)
    again = stages(tmp_path, store, budget=2.0)
    raced = again.race(plan)
    assert [(step.arm_id, step.n_rows) for step in raced.race.steps] == [
        (step.arm_id, step.n_rows) for step in first.raced.race.steps
    ]
    assert all(step.saved for step in raced.race.steps)
    assert again.budget.spent_before.seconds == pytest.approx(sum(step.seconds for step in raced.race.steps), abs=1e-6)


class Cut(Tuned):
    """A training that is cut short by the time that it is given."""

    def fit(self, train, dev, context):
        context.details["stopped"] = (
            "time" if context.seconds_left is not None and context.seconds_left < 60 else "epochs"
        )
        return super().fit(train, dev, context)


def test_a_larger_budget_pays_for_what_the_smaller_one_cut_short_and_for_nothing_else(tmp_path, store):
    plan = Plan((arm(Simple), arm(Better), arm(Cut)), ())

    def race(seconds):
        SEEN.clear()
        found = stages(tmp_path, store, budget=seconds)
        found.runner.budget_seconds = seconds
        raced = found.race(plan)
        return [name for what, name, _ in SEEN if what == "fit"], raced.results["tuned"].fit_details["stopped"]

    assert race(50.0) == (["simple", "better", "tuned"], "time")
    assert race(50.0) == ([], "time")
    assert race(40.0) == ([], "time")
    assert race(3600.0) == (["tuned"], "epochs")
    assert race(3600.0) == ([], "epochs")
    assert race(7200.0) == ([], "epochs")


def test_further_trainings_keep_what_the_first_has_chosen(tmp_path, store):
    class ChoiceConfig(StrategyConfig):
        k: int | None = None

    class Chooser(Tuned):
        Config = ChoiceConfig

        def settled(self, details):
            return self.config.model_copy(update={"k": details["k"]})

        def fit(self, train, dev, context):
            SEEN.append(("k", self.config.k, ()))
            context.details["k"] = 3
            return super().fit(train, dev, context)

    run = stages(tmp_path, store)
    run.race(Plan((arm(Simple), arm(Chooser)), ()))
    tested = run.final(TEST)
    assert len(tested.repeats["tuned"]) == 2
    assert [k for what, k, _ in SEEN if what == "k"] == [None, 3, 3]


class HalfSolver(EvenSolver):
    """Breaks on two rows of three."""

    def solve(self, queries):
        if any(int(query.id.split("-")[1]) % 3 for query in queries):
            raise RuntimeError("connection lost")
        return super().solve(queries)


class Half(Base):
    id, reach, solver = "half", 120, HalfSolver

    def fit(self, train, dev, context):
        return HalfSolver(self.id, self.reach)


def test_an_arm_that_breaks_on_most_rows_is_stopped_and_never_a_finalist(tmp_path, store):
    run = stages(tmp_path, store)
    raced = run.race(Plan((arm(Half), arm(Simple)), ()))
    assert raced.results["half"].state == "failed"
    assert raced.results["half"].why.en.startswith("21 of 32 dev rows were left without an answer that can be scored")
    assert "connection lost" in raced.results["half"].why.en
    assert [stop.reason for stop in raced.race.stops] == ["failed"]
    assert set(run.final(TEST).outcomes) == {"simple"}


@pytest.mark.parametrize(("n_rows", "state"), [(64, "measured"), (8, "skipped")])
@pytest.mark.parametrize("strategy", [Learner, Better])
def test_what_is_told_of_an_arm_that_the_budget_stopped(tmp_path, store, strategy, n_rows, state):
    run = stages(tmp_path, store, budget=60.0)
    one = arm(strategy)
    entry = run.runner.fit(one.fitted_on(16))
    entry.dev = run.runner.measure(entry, "dev", DEV[:n_rows]).outcomes
    stopped = SimpleNamespace(
        schedule=SimpleNamespace(stops=[Stop(arm_id=one.arm_id, reason="budget")]),
        entries={one.arm_id: {16: entry}},
        failures={},
        unanswered={},
        slow={},
        dear={},
        unpaid=set(),
    )
    result = run._result(one, stopped)
    assert result.state == state, "by the rows it has, if they say anything"
    assert (result.n_train == 16) == (state == "measured")


def test_an_arm_that_was_stopped_keeps_no_time_back_from_the_training(tmp_path, store):
    plan = Plan((arm(Simple), arm(Slow), arm(Better), arm(Tuned)), ())
    run = stages(tmp_path, store, budget=200.0)  # the fewest test rows would take the slow arm 64 s
    raced = run.race(plan)
    assert "slow" in [stop.arm_id for stop in raced.race.stops if stop.reason == "budget"]
    assert raced.results["tuned"].state == "measured"
    standing = [one for one in plan.arms if one.arm_id not in {stop.arm_id for stop in raced.race.stops}]
    entries = [entry for one in standing for entry in raced.fits[one.arm_id].values()]
    kept = run.budget.left - run._reserve.seconds_left(standing, entries)
    assert kept == pytest.approx(0.1 * 200.0, abs=0.1), "a tenth of the budget, which is more than the others need"


def test_a_trained_arm_that_is_awaited_keeps_the_time_that_it_took_when_it_was_tried(tmp_path, store):
    def asked(strategy, seconds):
        outcome = Outcome(arm_id=strategy.id, row_id="r", stage="dev", status="scored", latency_ms=1000 * seconds)
        return Entry(arm(strategy), None, None, dev=[outcome])

    run = stages(tmp_path, store, budget=2_000.0)
    reserve, entries = run._reserve, [asked(Simple, 1.0)]
    run.estimator.observe_try("tuned", row_seconds=1.0, answer_seconds=2.0)
    kept = reserve.budget.left - reserve.seconds_left([arm(Simple), arm(Tuned)], entries)
    assert kept == pytest.approx(LATE * (3 * len(TEST) + 2 * 60), abs=1.0)
    kept_for_none = reserve.budget.left - reserve.seconds_left([arm(Simple)], entries)
    assert kept_for_none == pytest.approx(LATE * (len(TEST) + 60), abs=1.0), "it will be no finalist"


def test_an_arm_expected_to_be_far_too_slow_is_not_even_asked(tmp_path, store):
    plan = Plan((arm(Simple), arm(Slow), arm(Tuned)), ())
    run = stages(tmp_path, store, budget=60.0)
    jobs = [
        Job("slow", None, Workload(encoded_chars=12_000.0)),
        *(Job(one, None, Workload()) for one in ("simple", "tuned")),
    ]
    run.estimator = Estimator(jobs, {}, n_train=len(TRAIN), n_dev=len(DEV))  # a second a row
    raced = run.race(plan)
    assert not any(name == "slow" for kind, name, _ in SEEN if kind == "solve")
    assert raced.results["slow"].state == "skipped"
    assert "would take about 1 min as a finalist" in raced.results["slow"].why.en
    assert raced.results["tuned"].state == "measured"


class SearchingConfig(StrategyConfig):
    mode: str = "hybrid"


class Searching(Better):
    reads_documents, Config = True, SearchingConfig


@pytest.mark.parametrize(
    ("mode", "elsewhere", "paid"), [("hybrid", True, True), ("text", True, False), ("hybrid", False, False)]
)
def test_what_is_searched_with_a_service_has_no_known_price_and_leaves_the_machine(
    tmp_path, store, mode, elsewhere, paid
):
    run = stages(tmp_path, store)
    books = Collection(
        n_documents=1,
        n_passages=1,
        digest="d",
        passage_tokens=100,
        mean_tokens=9.0,
        no_answer="no",
        encoder="openai/m",
        encoder_elsewhere=elsewhere,
    )
    run.runner.task = TASK.model_copy(update={"documents": books})
    run.machine_usd_per_hour = 1.0
    arms = (replace(arm(Searching), config=SearchingConfig(mode=mode)), arm(Simple))
    raced = run.race(Plan(arms, ()))
    run.final(TEST)
    for arm_id, unknown in (("better", paid), ("simple", False)):
        found = raced.results[arm_id]
        assert found.finalist
        assert (found.cost.usd_per_1k_rows is None, found.local) == (unknown, not unknown)


class Asking(Base):
    """Asks its model one row at a time."""

    id, needs_model = "asking", True

    def fit(self, train, dev, context):
        return AskingSolver(context.model)


class AskingSolver(Solver):
    def __init__(self, model):
        self.model = model

    def solve(self, queries):
        done = self.model.generate([Request(query.messages) for query in queries], max_new_tokens=4)
        return [Answer(one.text, one.usage, one.latency_ms) for one in done]

    def save(self, folder):
        pass

    @classmethod
    def load(cls, folder, context):
        return cls(context.model)


class Flaky(ScriptedModel):
    """Loses its connection on some rows, until it is mended; breaks on row 5 for good; ends the process when told."""

    def __init__(self):
        super().__init__(lambda request: "a")
        self.lost = {"dev text 3", "dev text 40"}
        self.killed_at: str | None = None

    def generate(self, requests, *, max_new_tokens):
        asked = {request.messages[-1].content for request in requests}
        if self.killed_at in asked:
            raise KeyboardInterrupt
        if len(asked) > 1 and asked & {*self.lost, "dev text 5"}:
            raise PassingFailure("connection reset")
        if asked & self.lost:
            raise PassingFailure("connection reset")
        if "dev text 5" in asked:
            raise RuntimeError("cannot read row 5")
        return super().generate(requests, max_new_tokens=max_new_tokens)


def test_a_failure_that_may_pass_is_asked_again_by_a_later_start_and_nothing_else_is(tmp_path):
    model, path = Flaky(), tmp_path / "store.sqlite"
    one = replace(arm(Asking), model=model)
    with Store(path) as store:
        run = stages(tmp_path, store)
        entry = run.runner.fit(one)
        first = run.runner.measure(entry, "dev", DEV[:64]).outcomes
        failed = {outcome.row_id: outcome.may_pass for outcome in first if outcome.status == "failed"}
        assert failed == {"dev-3": True, "dev-5": False, "dev-40": True}
        assert run.runner.measure(entry, "dev", DEV[:64]).outcomes == first, "this start has seen it fail"
        model.killed_at = "dev text 100"
        with pytest.raises(KeyboardInterrupt):
            run.runner.measure(entry, "dev", DEV)
    model.lost, model.killed_at = set(), None
    model.capabilities = replace(model.capabilities, local=False)  # paid for by the row
    model.requests.clear()
    with Store(path) as store:
        run = stages(tmp_path, store)
        again = run.runner.measure(run.runner.fit(one), "dev", DEV).outcomes
    assert [outcome.row_id for outcome in again if outcome.status == "failed"] == ["dev-5"], "what is wrong stays wrong"
    asked = [request.messages[-1].content for request in model.requests]
    assert asked == ["dev text 3", "dev text 40", *(f"dev text {i}" for i in range(96, 120))]


def test_scores_of_an_earlier_start_are_those_of_the_metric_as_it_is_now(tmp_path, monkeypatch):
    """The code of metrics is in no key: an answer that was paid for is scored anew, not asked for again."""
    one = replace(arm(Asking), model=ScriptedModel())
    with Store(tmp_path / "store.sqlite") as store:
        run = stages(tmp_path, store)
        first = run.runner.measure(run.runner.fit(one), "dev", DEV[:32]).outcomes
    monkeypatch.setattr(type(run.runner.metrics[0]), "score", lambda *_: 0.25)
    with Store(tmp_path / "store.sqlite") as store:
        run = stages(tmp_path, store)
        again = run.runner.measure(run.runner.fit(one), "dev", DEV[:32]).outcomes
    assert {outcome.scores["accuracy"] for outcome in again} == {0.25}
    assert [outcome.answer for outcome in again] == [outcome.answer for outcome in first]


def test_a_service_is_asked_once_for_rows_of_the_same_content(tmp_path, store):
    model = ScriptedModel()
    model.capabilities = replace(model.capabilities, local=False)
    run, one = stages(tmp_path, store), replace(arm(Asking), model=model)
    twins = [DEV[0], DEV[1], replace(DEV[0], query=replace(DEV[0].query, id="twin"))]
    outcomes = run.runner.measure(run.runner.fit(one), "dev", twins).outcomes
    assert [outcome.row_id for outcome in outcomes] == ["dev-0", "dev-1", "twin"]
    assert len(model.requests) == 2


def test_money_that_is_known_is_counted_beside_a_row_of_which_it_is_not():
    rows = [
        Outcome(arm_id="a", row_id=str(i), stage="dev", status=status, usd=usd)
        for i, (status, usd) in enumerate([("scored", 0.25), ("failed", None), ("scored", 0.5), ("scored", 2.0)])
    ]
    measured = Measured(rows, frozenset({"3"}))
    assert (measured.spent(before=False).usd, measured.spent(before=True).usd) == (0.75, 2.0)
    budget = Budget(None, usd=10.0, usd_per_hour=0.0)
    budget.charge(measured.spent(before=False))
    assert budget.usd_left == pytest.approx(9.25), "a failure does not make the other rows free"


def test_times_that_a_passing_failure_spoilt_are_taken_again_by_a_later_start_only(tmp_path):
    model, path = Flaky(), tmp_path / "store.sqlite"
    one, asked = replace(arm(Asking), model=model), []
    for _ in range(2):
        with Store(path) as store:
            run = stages(tmp_path, store)
            entry = run.runner.fit(one)
            first = run.runner.latencies(entry)
            asked.append(len(model.requests))
            assert run.runner.latencies(entry) == first
            assert len(model.requests) == asked[-1], "this start has timed it"
        model.lost = set()
    assert asked[1] > asked[0] > 0


class Constant(Base):
    """A yardstick: always ``a``, which is right on every other row."""

    id, yardstick = "constant", True

    def fit(self, train, dev, context):
        return ConstantSolver()


class ConstantSolver(EvenSolver):
    def __init__(self):
        super().__init__("constant", 0)

    def solve(self, queries):
        return [Answer("a", latency_ms=0.1) for _ in queries]


class Gold(Constant):
    """One that is given what no question comes with."""

    id, reads_documents = "gold", True


def test_yardsticks_answer_the_test_rows_of_the_finalists_and_are_none(tmp_path, store):
    run = stages(tmp_path, store)
    run.race(Plan((arm(Constant), arm(Gold), arm(Simple), arm(Tuned)), ()))
    tested = run.final(TEST)
    assert set(tested.outcomes) == {"simple", "tuned"}
    assert set(tested.yardsticks) == {"constant"}
    assert set(tested.yardsticks["constant"]) == set(tested.outcomes["tuned"])
    found = run.raced.results["constant"]
    assert (found.finalist, found.test["accuracy"].value, found.cost.latency_p95_ms) == (False, 0.5, None)
    assert run.raced.results["gold"].test == {}


class OneAtATime(EvenSolver):
    """Takes 10 ms a row by the runner's clock; breaks off when it is told to."""

    asked: ClassVar[list[str]] = []
    breaks_at: ClassVar[int | None] = None
    clock: ClassVar[list[float]] = [0.0]

    def solve(self, queries):
        if len(queries) == 1:
            self.asked.append(queries[0].id)
            if len(self.asked) == self.breaks_at:
                raise KeyboardInterrupt
            self.clock[0] += 0.01
        return super().solve(queries)


class Timed(Base):
    id, reach, solver = "simple", 100, OneAtATime

    def fit(self, train, dev, context):
        return OneAtATime(self.id, self.reach)


@pytest.fixture
def one_at_a_time(monkeypatch):
    OneAtATime.asked, OneAtATime.breaks_at, OneAtATime.clock = [], None, [0.0]
    monkeypatch.setattr(runners.time, "perf_counter", lambda: OneAtATime.clock[0])
    return OneAtATime


def limited(tmp_path, opened, *, dev=DEV, budget=None):
    run = stages(tmp_path, opened, dev=dev, budget=budget)
    run.runner.task = TASK.model_copy(update={"limits": Limits(p95_ms=500.0)})
    return run


def test_a_limit_on_p95_takes_sixty_single_rows_of_dev_then_test_then_train(tmp_path, store, one_at_a_time):
    run = limited(tmp_path, store, dev=DEV[:25])
    run.race(Plan((arm(Timed),), ()))
    assert len(one_at_a_time.asked) == 21  # on dev the usual number, after one that warms up
    run.final(TEST[:30])
    cost = run.raced.results["simple"].cost
    assert (cost.latency_rows, cost.latency_p95_high_ms) == (60, pytest.approx(10.0))
    sides = [name.split("-")[0] for name in dict.fromkeys(one_at_a_time.asked)]
    assert sides == ["dev"] * 25 + ["test"] * 30 + ["train"] * 6
    assert len(one_at_a_time.asked) == len(set(one_at_a_time.asked)) + 1  # the first once more, to warm up


def test_single_rows_are_kept_as_they_come_and_a_second_start_pays_for_the_rest_only(tmp_path, one_at_a_time):
    one_at_a_time.breaks_at = 41
    with Store(tmp_path / "store.sqlite") as opened:
        run = limited(tmp_path, opened)
        run.race(Plan((arm(Timed),), ()))
        with pytest.raises(KeyboardInterrupt):
            run.final(TEST)
    one_at_a_time.asked.clear()
    one_at_a_time.breaks_at = None
    with Store(tmp_path / "store.sqlite") as opened:
        run = limited(tmp_path, opened)
        run.race(Plan((arm(Timed),), ()))
        assert one_at_a_time.asked == []
        run.final(TEST)
        assert run.budget.spent_before.seconds > 0.3  # what the first start spent on single rows counts
    assert 1 + 20 <= len(one_at_a_time.asked) <= 1 + 23
    assert run.raced.results["simple"].cost.latency_rows == 60


def test_single_rows_end_with_the_budget_and_it_is_seen(tmp_path, store, one_at_a_time):
    run = limited(tmp_path, store, budget=1e-9)
    entry = run.runner.fit(arm(Timed))
    assert run._alone(entry, 60) == []
    cost = results.cost(entry.fit, [], run._alone(entry, 60), None)
    assert (cost.latency_rows, cost.latency_p95_high_ms) == (0, None)


def test_single_rows_are_told_as_progress(tmp_path, store, one_at_a_time, capsys):
    told = []
    run = limited(tmp_path, store)
    run.runner.watcher = SimpleNamespace(
        start=lambda title: told.append(title.en),
        progress=lambda done, total, unit: told.append((done, total, unit)),
        finish=lambda result=None: None,
    )
    run._alone(run.runner.fit(arm(Timed)), 30)
    assert told == ["one row at a time: t", *((at, 30, "rows") for at in range(1, 31))]


def test_where_the_money_ends_in_a_round_the_finalists_are_compared_on_the_rows_of_all(tmp_path, store, monkeypatch):
    """The second finalist is asked all but five rows of a round."""
    measure = Runner.measure

    def limited(self, entry, stage, rows):
        found = measure(self, entry, stage, rows)
        if stage != "test" or entry.arm.arm_id != "tuned":
            return found
        return Measured(found.outcomes[:-5], found.saved, stopped=True)

    monkeypatch.setattr(Runner, "measure", limited)
    run = stages(tmp_path, store)
    raced = run.race(Plan((arm(Simple), arm(Tuned)), ()))
    tested = run.final(TEST)
    assert len(tested.outcomes) == 2
    asked = [list(by_row) for by_row in tested.outcomes.values()]
    assert asked[0] == asked[1]
    assert len(asked[0]) == len(TEST) - 5 == run.raced.race.n_tested
    assert all(one.test["accuracy"].n_rows == len(TEST) - 5 for one in raced.results.values() if one.finalist)

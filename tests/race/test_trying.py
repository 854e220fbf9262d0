"""What arms take is tried before anything is ruled out, and the budget is kept when the machine slows down."""
# pyright: reportOptionalMemberAccess=false, reportAttributeAccessIssue=false, reportArgumentType=false

from __future__ import annotations

from dataclasses import replace

import pytest
from test_stages import SEEN, TEST, Base, EvenSolver, Simple, arm, rows, stages

import tuneworth.race.budget as budgets
from tuneworth.costs.spend import Spend
from tuneworth.models.scripted import ScriptedModel
from tuneworth.race.arms import Plan, kind_of, training_sizes
from tuneworth.race.estimate import Estimator, Job, Speeds
from tuneworth.race.store import Store
from tuneworth.strategies import Answer, StrategyConfig, Tried
from tuneworth.strategies._parts.workload import Workload

TRAIN = rows("train", 256)


@pytest.fixture
def store(tmp_path):
    SEEN.clear()
    with Store(tmp_path / "store.sqlite") as opened:
        yield opened


class Clock:
    """Made-up seconds, which the arms below spend: ``slow`` times as many from ``slow_at`` on."""

    def __init__(self, monkeypatch, slow_at=float("inf"), slow=3.0):
        self.now, self.slow_at, self.slow = 0.0, slow_at, slow
        monkeypatch.setattr(budgets.time, "monotonic", lambda: self.now)

    def spend(self, seconds):
        began = self.now
        early = min(seconds, max(0.0, self.slow_at - self.now))
        self.now += early + (seconds - early) * self.slow
        return self.now - began


class Spending(EvenSolver):
    """Answers a row in ``row`` seconds."""

    clock: Clock
    row = 0.1

    def solve(self, queries):
        took = self.clock.spend(self.row * len(queries)) / len(queries)
        return [Answer(one.text, latency_ms=1000 * took) for one in super().solve(queries)]


def asking(name, clock, row, reach, effort=1):
    class Here(Spending):
        pass

    Here.clock, Here.row = clock, row

    class Asks(Base):
        id, solver, needs_model = name, Here, True

        def fit(self, train, dev, context):
            SEEN.append(("fit", self.id, ()))
            return Here(self.id, reach)

    Asks.effort = effort
    return Asks


def training(clock, row, per_row, reach):
    """A training of three passes that ends within what it is given, looking at the clock after each row."""

    class Here(Spending):
        pass

    Here.clock, Here.row = clock, row

    class Trains(Base):
        id, effort, tuned, grows, solver, needs_model = "lora", 5, True, True, Here, True

        def try_out(self, train, context):
            SEEN.append(("try", self.id, ()))
            return Tried(clock.spend(2 * 8 * per_row) / 16, clock.spend(8 * row) / 8)

        def fit(self, train, dev, context):
            SEEN.append(("fit", self.id, tuple(one.id for one in train)))
            began, done, left = clock.now, 0, context.seconds_left
            while done < 3 * len(train) and (left is None or clock.now - began < left):
                clock.spend(1.1 * per_row)
                done += 1
            whole = done == 3 * len(train)
            context.details |= {"epochs": done / len(train), "stopped": "epochs" if whole else "time"}
            context.details["fit_seconds"] = clock.now - began
            return Here(self.id, reach if done >= len(train) else 0)

    return Trains


def race(tmp_path, opened, budget, *strategies, counted=None, spent=0.0):
    """Counts say that a token takes a second, which nothing here does. So many seconds were ``spent`` before the race."""
    model = ScriptedModel()
    arms = tuple(replace(arm(one), model=model) if one.needs_model else arm(one) for one in strategies)
    run = stages(tmp_path, opened, budget=budget)
    run.budget.count(Spend(spent))
    run.runner.train = TRAIN
    work = Workload(prompt_tokens=1.0, train_tokens=1.0, passes=lambda n: 3.0)
    jobs = [
        Job(one.arm_id, one.model_id, work if one.strategy.tuned else replace(work, train_tokens=0.0),
            training_sizes(one, len(TRAIN)), kind=kind_of(one))
        for one in arms
    ]  # fmt: skip
    run.estimator = Estimator(jobs, {"scripted": Speeds(1.0, 1.0)}, n_train=len(TRAIN), n_dev=120)
    return run, run.race(Plan(arms, ()))


def test_a_training_is_tried_before_anything_else_and_not_ruled_out_by_what_others_take(tmp_path, store, monkeypatch):
    clock = Clock(monkeypatch)
    lora = training(clock, row=0.1, per_row=0.1, reach=100)
    run, raced = race(tmp_path, store, 400.0, asking("shots", clock, 1.5, 60), lora)
    assert next(what for what, name, _ in SEEN if what in ("try", "fit")) == "try"
    assert raced.results["lora"].fit_details["stopped"] == "epochs", (
        "by the counts it would have taken 12 times as long"
    )
    assert raced.results["lora"].n_train is None
    assert {"shots", "lora"} <= set(run.final(TEST).outcomes)
    assert clock.now <= 1.1 * 400


def test_what_was_tried_is_kept_for_a_later_start_and_paid_for_once(tmp_path, monkeypatch):
    spent, tries = [], []
    for _ in range(2):
        clock = Clock(monkeypatch)
        SEEN.clear()
        with Store(tmp_path / "store.sqlite") as opened:
            lora = training(clock, row=0.1, per_row=0.1, reach=100)
            run, raced = race(tmp_path, opened, 400.0, asking("shots", clock, 0.5, 60), lora)
        spent.append(run.budget.spent.seconds)
        tries.append(sum(what == "try" for what, _, _ in SEEN))
    assert tries == [1, 0]
    assert spent[1] == pytest.approx(spent[0], rel=0.08), "but for rows that were asked again in whole batches"
    assert all(step.saved for step in raced.race.steps)


@pytest.mark.parametrize("slow_at", [0.0, 20.0, 60.0, 100.0, 150.0, 200.0, 260.0])
@pytest.mark.parametrize("budget", [300.0, 500.0])
@pytest.mark.parametrize("per_row", [0.1, 0.4])
def test_a_budget_is_kept_and_both_kinds_are_tested_when_the_machine_becomes_three_times_slower(
    tmp_path, store, monkeypatch, slow_at, budget, per_row
):
    clock = Clock(monkeypatch, slow_at)
    shots = [asking(f"shots{k}", clock, 0.1 * k, 40 + 2 * k) for k in (1, 4, 8)]
    lora = training(clock, row=0.1, per_row=per_row, reach=110)
    run, raced = race(tmp_path, store, budget, asking("prompt", clock, 0.2, 20, effort=0), *shots, lora)
    tested = run.final(TEST).outcomes
    assert "lora" in tested
    assert len(tested) >= 2
    assert (raced.race.n_tested or 0) >= 32
    assert clock.now <= 1.1 * budget


def test_nothing_is_left_unspent_while_an_arm_that_leads_waits(tmp_path, store, monkeypatch):
    """Too dear while the machine was busy; it recovers, and the arm has its turn."""
    clock = Clock(monkeypatch, slow_at=0.0)
    clock.slow = 3.0
    shots = [asking("shots", clock, 0.3, 60), asking("more", clock, 0.8, 115)]
    lora = training(clock, row=0.1, per_row=0.05, reach=70)
    spend = clock.spend

    def recovers(seconds):
        clock.slow = 3.0 if clock.now < 60 else 1.0
        return spend(seconds)

    clock.spend = recovers
    run, raced = race(tmp_path, store, 600.0, *shots, lora)
    assert "more" in run.final(TEST).outcomes
    assert raced.race.untested == []


def test_an_arm_that_breaks_when_it_is_tried_is_told_as_broken(tmp_path, store, monkeypatch):
    clock = Clock(monkeypatch)

    class Broken(asking("broken", clock, 0.1, 60)):
        def fit(self, train, dev, context):
            raise RuntimeError("matrix is singular")

    run, raced = race(tmp_path, store, 400.0, Simple, Broken)
    assert raced.results["broken"].state == "failed"
    assert "matrix is singular" in raced.results["broken"].why.en
    assert "simple" in run.final(TEST).outcomes


def test_an_arm_whose_service_keeps_failing_is_told_by_its_words_and_not_as_too_slow(tmp_path, store, monkeypatch):
    """Tries of a call take long, so that it looks slow; another of its kind was not even asked."""
    clock = Clock(monkeypatch)

    class Down(Spending):
        def solve(self, queries):
            clock.spend(30.0 * len(queries))
            said = "server: 500: the judge is out"
            return [Answer(None, latency_ms=30_000.0, status="failed", error=said, may_pass=True) for _ in queries]

    class Decides(asking("decides", clock, 0.1, 60)):
        solver = Down

        def fit(self, train, dev, context):
            return Down(self.id, 0)

    run = stages(tmp_path, store, budget=400.0)
    run.runner.train = TRAIN
    one, other = (replace(arm(Decides), arm_id=name, key=name, model=ScriptedModel()) for name in ("one", "other"))
    jobs = [Job(each.arm_id, each.model_id, Workload(prompt_tokens=1.0), kind=kind_of(each)) for each in (one, other)]
    run.estimator = Estimator(jobs, {"scripted": Speeds(1.0, 1.0)}, n_train=len(TRAIN), n_dev=120)
    told = run.race(Plan((one, other), ())).results
    assert [told[name].state for name in ("one", "other")] == ["failed", "failed"]
    assert told["other"].why.en == "none of the 2 rows asked could be scored: server: 500: the judge is out"


@pytest.mark.parametrize(("budget", "depth"), [(4000.0, 1), (300.0, 3)])
def test_the_lighter_training_is_taken_where_time_does_not_reach_for_every_row_once(
    tmp_path, store, monkeypatch, budget, depth
):
    clock = Clock(monkeypatch)

    class Depth(StrategyConfig):
        depth: int = 1

    class Lora(training(clock, row=0.1, per_row=1.0, reach=110)):
        Config = Depth

        def lighter(self):
            return Depth(depth=3) if self.config.depth == 1 else None

        def try_out(self, train, context):
            return Tried(clock.spend(16.0 / self.config.depth) / 16, clock.spend(0.8) / 8)

        def fit(self, train, dev, context):
            return training(clock, row=0.1, per_row=1.0 / self.config.depth, reach=110).fit(self, train, dev, context)

    run, raced = race(tmp_path, store, budget, asking("shots", clock, 0.2, 60), Lora)
    assert raced.results["lora"].config == {"depth": depth}
    assert raced.results["lora"].fit_details["epochs"] >= 0.5
    assert "lora" in run.final(TEST).outcomes
    assert clock.now <= 1.1 * budget


def test_time_that_is_left_goes_to_test_rows(tmp_path, store, monkeypatch):
    clock = Clock(monkeypatch)
    lora = training(clock, row=0.8, per_row=0.4, reach=110)
    run, raced = race(tmp_path, store, 300.0, asking("shots", clock, 0.8, 60), lora)
    run.final(TEST)
    assert 32 < raced.race.n_tested < len(TEST)
    assert 285 <= clock.now <= 300


@pytest.mark.parametrize("row", [0.8, 1.0, 1.2])
def test_where_rows_are_dear_the_tuned_arm_is_trained_all_the_same(tmp_path, store, monkeypatch, row):
    clock = Clock(monkeypatch)
    lora = training(clock, row=row, per_row=0.1, reach=110)
    asked = [asking("shots", clock, row, 60), asking("more", clock, row, 70)]
    run, raced = race(tmp_path, store, 450.0, *asked, lora, spent=180.0)
    tested = run.final(TEST).outcomes
    assert "lora" in tested
    assert len(tested) >= 2
    assert raced.race.n_tested >= 32
    assert 180 + clock.now <= 1.1 * 450

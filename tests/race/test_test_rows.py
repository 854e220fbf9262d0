# pyright: reportOptionalMemberAccess=false, reportAttributeAccessIssue=false, reportArgumentType=false, reportOperatorIssue=false, reportOptionalOperand=false
"""Which arms meet the test rows and how many of these, when the time is short: the best, on the same random part."""

from __future__ import annotations

import pytest
from test_stages import TEST, Base, Better, EvenSolver, Simple, Tuned, arm, stages

import tuneworth.race.budget as budgets
from tuneworth.race.arms import Plan
from tuneworth.race.store import Store
from tuneworth.strategies import Answer


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "store.sqlite") as opened:
        yield opened


class Clock:
    """A made-up clock that the arms below move on; ``slow`` is how much longer everything takes now."""

    def __init__(self, monkeypatch):
        self.now, self.slow = 0.0, 1.0
        monkeypatch.setattr(budgets.time, "monotonic", lambda: self.now)


class TimedSolver(EvenSolver):
    clock: Clock
    row_seconds = 1.0
    slow_on: tuple[str, float] = ("", 1.0)

    def solve(self, queries):
        side, times = self.slow_on
        if queries[0].id.startswith(side or "nothing"):
            self.clock.slow = times
        took = self.row_seconds * self.clock.slow
        self.clock.now += took * len(queries)
        return [Answer(answer.text, latency_ms=1000 * took) for answer in super().solve(queries)]


def timed(strategy, clock, seconds, slow_on=("", 1.0)):
    """The strategy with answers that take so long."""

    class Timed(TimedSolver):
        pass

    Timed.clock, Timed.row_seconds, Timed.slow_on = clock, seconds, slow_on

    class Here(strategy):
        solver = Timed

        def fit(self, train, dev, context):
            return Timed(self.id, self.reach)

    return arm(Here)


def raced(tmp_path, opened, monkeypatch, budget, *arms, slow_on=("", 1.0)):
    clock = Clock(monkeypatch)
    run = stages(tmp_path, opened, budget=budget)
    found = run.race(Plan(tuple(timed(one, clock, seconds, slow_on) for one, seconds in arms), ()))
    return run, found, clock


ARMS = (Simple, 0.2), (Better, 0.4), (Tuned, 0.3)


def test_with_time_to_spare_every_test_row_is_asked(tmp_path, store, monkeypatch):
    run, found, _ = raced(tmp_path, store, monkeypatch, 6000.0, *ARMS)
    assert {len(rows) for rows in run.final(TEST).outcomes.values()} == {len(TEST)}
    assert (found.race.n_test, found.race.n_tested) == (130, 130)


def test_in_a_short_time_all_finalists_are_asked_the_same_first_rows(tmp_path, store, monkeypatch):
    run, found, clock = raced(tmp_path, store, monkeypatch, 200.0, *ARMS)
    outcomes = run.final(TEST).outcomes
    assert {"better", "tuned"} <= set(outcomes)
    assert found.race.n_tested in (64, 96, 128)
    for asked in outcomes.values():
        assert list(asked) == [row.id for row in TEST[: found.race.n_tested]]
    assert clock.now <= 1.1 * 200


def test_a_machine_that_becomes_three_times_slower_costs_test_rows_and_not_the_budget(tmp_path, store, monkeypatch):
    """It does so as the first test row is asked: what the dev rows said of the pace is wrong."""
    run, found, clock = raced(tmp_path, store, monkeypatch, 400.0, *ARMS, slow_on=("test", 3.0))
    outcomes = run.final(TEST).outcomes
    assert len(outcomes) == 3 or set(outcomes) == {"better", "tuned"}
    assert 64 <= found.race.n_tested < len(TEST)
    assert clock.now <= 1.1 * 400


class Ahead(Base):
    """Far better than the others without tuning, and too slow for many rows."""

    id, effort, reach = "slow", 1, 110


def test_the_best_untuned_arm_is_tested_on_fewer_rows_when_all_would_not_fit(
    tmp_path,
    store,
    monkeypatch,
):
    run, found, clock = raced(tmp_path, store, monkeypatch, 200.0, (Simple, 0.1), (Ahead, 0.7), (Tuned, 0.1))
    outcomes = run.final(TEST).outcomes
    assert {"slow", "tuned"} <= set(outcomes)
    assert 32 <= (found.race.n_tested or 0) < len(TEST)
    assert found.race.untested == []
    assert clock.now <= 1.1 * 200


def test_what_an_earlier_start_has_paid_for_is_taken_also_when_no_time_is_left(tmp_path, store, monkeypatch):
    run, found, clock = raced(tmp_path, store, monkeypatch, 150.0, *ARMS)
    first, n_tested = run.final(TEST).outcomes, found.race.n_tested
    clock.now = 0.0
    again, found, _ = raced(tmp_path, store, monkeypatch, 150.0, *ARMS)
    outcomes = again.final(TEST).outcomes
    assert found.race.n_tested >= n_tested
    for arm_id, asked in first.items():
        assert asked.items() <= outcomes[arm_id].items()

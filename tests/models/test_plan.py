"""Steps, rate and time of a training: arithmetic only."""

from __future__ import annotations

import pytest

from tuneworth.models.base import epochs_for
from tuneworth.models.local.plan import LOOK_COST, Plan, learning_rate, looks


@pytest.mark.parametrize(
    ("width", "mode", "rate"),
    [
        (576, "lora", 9.3e-4),
        (896, "lora", 7.5e-4),
        (2048, "lora", 4.9e-4),
        (4096, "lora", 3.5e-4),
        (48, "lora", 1e-3),
        (10**6, "lora", 1e-4),
        (576, "full", 9.3e-5),
    ],
)
def test_learning_rate(width, mode, rate):
    assert learning_rate(width, mode) == pytest.approx(rate, rel=0.01)


@pytest.mark.parametrize(("n_rows", "epochs"), [(1, 10), (200, 10), (640, 6), (1500, 4), (2000, 3), (10**6, 2)])
def test_fewer_rows_are_seen_more_often(n_rows, epochs):
    assert epochs_for(n_rows) == epochs


def test_rate_rises_then_falls_to_zero():
    plan = Plan.make(100, 0.1, 9)
    factors = [plan.factor(step) for step in range(100)]
    assert factors[:10] == pytest.approx([0.1 * (i + 1) for i in range(10)])
    assert factors[10] == 1.0
    assert factors[10:] == sorted(factors[10:], reverse=True)
    assert factors[99] == pytest.approx(1 / 90)
    assert plan.factor(100) == 0


@pytest.mark.parametrize("full_steps", [1, 2, 3, 10, 1000])
def test_every_length_has_a_rate_at_every_step(full_steps):
    plan = Plan.make(full_steps, 0.04, 9)
    assert all(0 < plan.factor(step) <= 1 for step in range(full_steps))
    assert plan.is_eval(full_steps)
    assert sum(plan.is_eval(step) for step in range(1, full_steps + 1)) <= 9


def test_a_shorter_plan_goes_on_from_the_rate_reached():
    plan = Plan.make(100, 0.1, 9)
    before = plan.factor(55)
    plan.retarget(55, 70)
    assert plan.factor(55) == before
    falls = [plan.factor(step) - plan.factor(step + 1) for step in range(55, 70)]
    assert falls == pytest.approx([before / 15] * 15)
    assert plan.factor(70) == 0


def test_a_plan_made_during_warm_up_falls_from_the_peak():
    plan = Plan.make(1000, 0.04, 9)
    plan.retarget(5, 60)
    assert [plan.factor(step) for step in (39, 40)] == [1.0, 1.0]
    assert plan.factor(60) == 0


def test_fit_time_shortens_to_what_the_seconds_allow():
    plan = Plan.make(1000, 0.04, 9)
    assert plan.fit_time(5, seconds_left=100, seconds_per_step=1, seconds_per_eval=1)
    assert 85 <= plan.n_steps <= 95  # 5 % in hand, nine looks at dev of 1 s
    assert plan.fit_time(5, seconds_left=100, seconds_per_step=1, seconds_per_eval=1) is False


def test_fit_time_leaves_a_plan_that_fits_alone():
    plan = Plan.make(100, 0.04, 9)
    assert plan.fit_time(5, seconds_left=1000, seconds_per_step=1, seconds_per_eval=1) is False
    assert plan.n_steps == 100


def test_fit_time_grows_again_when_the_machine_is_free_again_but_not_beyond_all_epochs():
    plan = Plan.make(100, 0.04, 9)
    plan.fit_time(5, seconds_left=40, seconds_per_step=1, seconds_per_eval=0)
    assert plan.n_steps < 50
    assert plan.fit_time(20, seconds_left=1000, seconds_per_step=1, seconds_per_eval=0)
    assert plan.n_steps == 100


def test_no_time_at_all_ends_after_the_next_step():
    plan = Plan.make(100, 0.04, 9)
    plan.fit_time(5, seconds_left=0, seconds_per_step=1, seconds_per_eval=1)
    assert plan.n_steps == 6


def test_state_brings_a_plan_back():
    plan = Plan.make(100, 0.1, 9)
    plan.retarget(30, 50)
    assert Plan(**plan.state()) == plan


def test_with_little_time_dev_is_looked_at_less_often():
    plan = Plan.make(1000, warmup=0.04, n_evals=9)
    plan.fit_time(5, seconds_left=100, seconds_per_step=1, seconds_per_eval=10)
    assert plan.n_evals == 2
    assert 70 <= plan.n_steps <= 85, "two looks are needed, though they take a fifth"
    again = Plan.make(1000, warmup=0.04, n_evals=9)
    again.fit_time(5, seconds_left=100, seconds_per_step=1, seconds_per_eval=1)
    assert again.n_evals == 9


@pytest.mark.parametrize("n_trained", [320, 500, 1000, 4000, 100_000])
def test_looks_at_dev_take_a_tenth_of_a_training_at_most(n_trained):
    n_looks, n_rows = looks(n_trained, 9, 100)
    assert 2 <= n_looks <= 9
    assert 16 <= n_rows <= 100
    assert n_looks * n_rows * LOOK_COST <= 0.1 * n_trained
    assert (n_looks, n_rows) == (9, 100) or n_looks * (n_rows + 1 + (n_rows == 16) * 16) * LOOK_COST > 0.05 * n_trained


def test_dev_is_not_looked_at_before_every_row_was_seen_once_nor_before_half_of_a_shorter_plan():
    plan = Plan.make(100, 0.04, 9, n_blind=25)
    assert [step for step in range(1, 101) if plan.is_eval(step)] == [36, 48, 60, 72, 84, 96, 100]
    plan.retarget(5, 30)
    assert [step for step in range(1, 31) if plan.is_eval(step)] == [16, 20, 24, 28, 30]

"""Expected costs: by counting, by other arms, by the arm's own pace, in this order of trust."""

from __future__ import annotations

import math
import time

import pytest

from tuneworth.costs.spend import Spend
from tuneworth.race.estimate import ENCODER_CHARS_PER_S, Estimator, Job, Speeds
from tuneworth.strategies._parts.workload import Workload
from tuneworth.strategies.lora import LoraConfig

SPEEDS = Speeds(read=300.0, write=100.0)
ASKS = Workload(prompt_tokens=30, shared_tokens=3000, completion_tokens=10)
passes = LoraConfig().passes
TRAINS = Workload(prompt_tokens=30, completion_tokens=10, train_tokens=20, passes=passes)
SIZES = (125, 250, 500, None)


def estimator(*, known: bool = True, **jobs: Workload) -> Estimator:
    """Arms of one model by their names; those called ``free…`` have no model."""
    listed = [
        Job(name, None if name.startswith("free") else "m", work, SIZES if work.train_tokens else (None,))
        for name, work in jobs.items()
    ]
    return Estimator(listed, {"m": SPEEDS if known else None}, n_train=1000, n_dev=100)


def test_before_anything_ran_the_counts_decide():
    costs = estimator(ask=ASKS, train=TRAINS)
    each = (30 + 3000 / 100) / 300 + 10 / 100  # the shared part is read once and spread over the dev rows
    assert costs.answer_seconds("ask", None, 50) == pytest.approx(50 * each)
    assert costs.fit_seconds("ask", None) == 0.0
    assert costs.fit_seconds("train", None) == pytest.approx(1000 * 20 * passes(1000) / (300 / 3))
    assert costs.fit_seconds("train", 125) == pytest.approx(125 * 20 * passes(125) / 100)


def test_the_encoder_reads_training_rows_and_queries():
    costs = estimator(free=Workload(encoded_chars=120))
    assert costs.fit_seconds("free", None) == pytest.approx(1000 * 120 / ENCODER_CHARS_PER_S)
    assert costs.answer_seconds("free", None, 10) == pytest.approx(10 * 120 / ENCODER_CHARS_PER_S)


def test_without_speeds_nothing_is_known_until_an_arm_of_the_model_ran():
    costs = estimator(known=False, ask=ASKS, other=ASKS, train=TRAINS, free=Workload())
    assert costs.answer_seconds("ask", None, 10) is None
    assert costs.fit_seconds("train", None) is None
    assert costs.spend_all() is None
    assert costs.answer_seconds("free", None, 10) == 0.0
    costs.observe_answers("ask", None, 10, Spend(5.0))
    assert costs.answer_seconds("other", None, 20) == pytest.approx(10.0)
    assert costs.fit_seconds("train", None) is not None
    assert costs.spend_all() is not None


def test_other_arms_correct_the_counts_as_ratios_each_once():
    costs = estimator(a=ASKS, b=ASKS, c=ASKS, free=Workload(encoded_chars=120))
    counted = costs.answer_seconds("c", None, 40)
    free = costs.answer_seconds("free", None, 40)
    each = counted / 40
    costs.observe_answers("a", None, 100, Spend(100 * each * 4))
    assert costs.answer_seconds("c", None, 40) == pytest.approx(4 * counted)
    costs.observe_answers("b", None, 1, Spend(each))
    assert costs.answer_seconds("c", None, 40) == pytest.approx(2 * counted)  # the geometric mean of 4 and 1
    assert costs.answer_seconds("free", None, 40) == free  # no arm without a model was seen


def test_the_own_pace_outranks_all():
    costs = estimator(a=ASKS, b=ASKS)
    costs.observe_answers("a", None, 10, Spend(1000.0))
    costs.observe_answers("b", None, 32, Spend(32.0))
    costs.observe_answers("b", None, 32, Spend(96.0))
    assert costs.answer_seconds("b", None, 10) == pytest.approx(20.0)
    assert costs.answer_seconds("b", 125, 10) == pytest.approx(20.0)


def test_after_one_size_the_others_follow_in_the_counted_proportion():
    costs = estimator(train=TRAINS)
    costs.observe_fit("train", 125, Spend(50.0))
    grows = 1000 * passes(1000) / (125 * passes(125))
    assert costs.fit_seconds("train", 125) == 50.0
    assert costs.fit_seconds("train", None) == pytest.approx(50.0 * grows)
    assert 1 < grows < 8  # fewer rows are seen more often
    costs.observe_fit("train", 500, Spend(333.0))
    assert costs.fit_seconds("train", None) == pytest.approx(333.0 * 1000 * passes(1000) / (500 * passes(500)))


def test_a_training_corrects_trainings_and_no_other_fits():
    costs = estimator(a=TRAINS, b=TRAINS, shots=Workload(prompt_tokens=30, encoded_chars=100))
    counted, shots = costs.fit_seconds("b", None), costs.fit_seconds("shots", None)
    costs.observe_fit("shots", None, Spend(100 * shots))
    assert costs.fit_seconds("b", None) == pytest.approx(counted)
    costs.observe_fit("a", 125, Spend(3 * costs.fit_seconds("a", 125)))
    assert costs.fit_seconds("b", None) == pytest.approx(3 * counted)


def test_a_model_that_answers_slowly_is_taken_to_learn_slowly_until_it_was_trained():
    costs = estimator(ask=ASKS, a=TRAINS, b=TRAINS)
    counted = costs.fit_seconds("a", None)
    costs.observe_answers("ask", None, 10, Spend(2 * costs.answer_seconds("ask", None, 10)))
    assert costs.fit_seconds("a", None) == pytest.approx(2 * counted)
    costs.observe_fit("b", None, Spend(counted))
    assert costs.fit_seconds("a", None) == pytest.approx(counted)


def test_everything_is_every_size_on_every_dev_row():
    costs = estimator(ask=ASKS, train=TRAINS)
    sizes = sum(costs.fit_seconds("train", size) + costs.answer_seconds("train", size, 100) for size in SIZES)
    assert costs.spend("train").seconds == pytest.approx(sizes)
    assert costs.spend_all().seconds == pytest.approx(sizes + costs.answer_seconds("ask", None, 100))


def test_what_took_no_time_corrects_nothing():
    costs = estimator(a=ASKS, b=ASKS, train=TRAINS)
    counted, trained = costs.answer_seconds("b", None, 10), costs.fit_seconds("train", None)
    costs.observe_answers("a", None, 10, Spend(0.0))
    costs.observe_fit("a", None, Spend(0.0))
    assert costs.answer_seconds("b", None, 10) == counted
    assert costs.fit_seconds("train", None) == trained


def test_estimates_of_two_hundred_arms_take_no_time():
    costs = estimator(**{f"arm{i}": TRAINS for i in range(200)})
    started = time.perf_counter()
    for i in range(200):
        costs.observe_answers(f"arm{i}", None, 32, Spend(1.0))
        total = costs.spend_all().seconds
        assert total is not None
        assert math.isfinite(total)
    assert time.perf_counter() - started < 10.0

"""Expected costs: by counting, by other arms, by the arm's own pace, in this order of trust."""

# pyright: reportOperatorIssue=false, reportOptionalOperand=false, reportOptionalMemberAccess=false, reportArgumentType=false

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
    """Arms of one model by their names, of one kind but for a number; those called ``free…`` have no model."""
    listed = [
        Job(
            name,
            None if name.startswith("free") else "m",
            work,
            SIZES if work.train_tokens else (None,),
            kind=name.rstrip("0123456789"),
        )
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


def test_without_speeds_nothing_is_known_of_a_kind_until_it_was_tried():
    costs = estimator(known=False, ask=ASKS, ask2=ASKS, train=TRAINS, free=Workload())
    assert costs.answer_seconds("ask", None, 10) is None
    assert costs.fit_seconds("train", None) is None
    assert costs.spend_all() is None
    assert costs.answer_seconds("free", None, 10) == 0.0
    costs.observe_try("ask", row_seconds=None, answer_seconds=0.5)
    assert costs.answer_seconds("ask2", None, 20) == pytest.approx(10.0)
    assert costs.fit_seconds("train", None) is None, "what asking takes says nothing of a training"
    costs.observe_try("train", row_seconds=0.1, answer_seconds=0.2)
    assert costs.fit_seconds("train", None) == pytest.approx(0.1 * 1000 * passes(1000))
    assert costs.spend_all() is not None


def test_arms_of_a_kind_take_as_long_in_the_proportion_of_their_counts():
    twice = Workload(prompt_tokens=60, shared_tokens=6000, completion_tokens=20)
    costs = estimator(ask=ASKS, ask2=twice, train=TRAINS, free=Workload(encoded_chars=120))
    free, trained = costs.answer_seconds("free", None, 40), costs.fit_seconds("train", None)
    costs.observe_try("ask", row_seconds=None, answer_seconds=3.0)
    assert costs.answer_seconds("ask2", None, 40) == pytest.approx(40 * 6.0)
    assert costs.answer_seconds("free", None, 40) == free
    assert costs.fit_seconds("train", None) == trained
    assert costs.to_try() == ["ask", "train"], "one of each kind that asks a model, the cheapest"


def test_the_own_pace_outranks_all():
    costs = estimator(a=ASKS, b=ASKS)
    costs.observe_try("b", row_seconds=None, answer_seconds=9.0)
    costs.observe_answers("a", None, 10, Spend(1000.0))
    costs.observe_answers("b", None, 16, Spend(16.0))
    costs.observe_answers("b", None, 16, Spend(48.0))
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


def test_a_training_tells_of_others_of_its_kind_and_of_no_other_fits():
    costs = estimator(train=TRAINS, train2=TRAINS, shots=Workload(prompt_tokens=30, encoded_chars=100))
    counted, shots = costs.fit_seconds("train2", None), costs.fit_seconds("shots", None)
    costs.observe_fit("shots", None, Spend(100 * shots))
    assert costs.fit_seconds("train2", None) == pytest.approx(counted)
    costs.observe_fit("train", 125, Spend(3 * costs.fit_seconds("train", 125)))
    assert costs.fit_seconds("train2", None) == pytest.approx(3 * counted)


def test_a_machine_that_slows_down_makes_everything_dearer_and_is_forgiven_when_it_recovers():
    costs = estimator(ask=ASKS, train=TRAINS)
    costs.observe_try("train", row_seconds=0.1, answer_seconds=0.2)
    whole = costs.fit_seconds("train", None)
    costs.observe_answers("ask", None, 32, Spend(32.0))
    assert costs.fit_seconds("train", None) == whole, "the first rows say nothing of the load"
    costs.observe_answers("ask", None, 64, Spend(3 * 64.0))
    assert costs.load == pytest.approx(3.0, rel=0.05)
    assert costs.fit_seconds("train", None) == pytest.approx(3 * whole, rel=0.05)
    assert costs.answer_seconds("ask", None, 10) == pytest.approx(30.0, rel=0.05)
    costs.observe_answers("ask", None, 64, Spend(64.0))
    assert costs.load == pytest.approx(1.0, rel=0.05)
    assert costs.answer_seconds("ask", None, 10) == pytest.approx(10.0, rel=0.25)


def test_a_training_that_took_longer_per_pass_than_tried_is_load_and_one_that_ended_early_is_not():
    costs = estimator(ask=ASKS, train=TRAINS)
    costs.observe_try("train", row_seconds=0.1, answer_seconds=0.2)
    costs.observe_fit("train", 500, Spend(1.1 * 0.1 * 500), epochs=1.0)
    assert costs.load == pytest.approx(1.0)
    costs.observe_fit("train", None, Spend(3 * 1.1 * 0.1 * 2000), epochs=2.0)
    assert costs.load == pytest.approx(3.0, rel=0.05)


def test_a_blink_is_no_load():
    costs = estimator(ask=ASKS)
    costs.observe_answers("ask", None, 32, Spend(0.01))
    costs.observe_answers("ask", None, 32, Spend(0.05))
    assert costs.load < 1.05


def test_everything_is_every_size_on_every_dev_row():
    costs = estimator(ask=ASKS, train=TRAINS)
    sizes = sum(costs.fit_seconds("train", size) + costs.answer_seconds("train", size, 100) for size in SIZES)
    assert costs.spend("train").seconds == pytest.approx(sizes)
    assert costs.spend_all().seconds == pytest.approx(sizes + costs.answer_seconds("ask", None, 100))


def test_estimates_of_two_hundred_arms_take_no_time():
    costs = estimator(**{f"arm{i}": TRAINS for i in range(200)})
    started = time.process_time()
    for i in range(200):
        costs.observe_answers(f"arm{i}", None, 32, Spend(1.0))
        total = costs.spend_all().seconds
        assert total is not None
        assert math.isfinite(total)
    assert time.process_time() - started < 10.0


def test_training_rows_that_a_fit_asks_about_take_as_long_as_answers():
    asks = Workload(prompt_tokens=30, asked_in_fit=lambda n_train: min(n_train, 400))
    costs = estimator(ask=ASKS, fits=asks)
    assert costs.fit_seconds("fits", None) == pytest.approx(400 * 30 / 300)
    assert costs.fit_seconds("fits", 125) == pytest.approx(125 * 30 / 300)
    assert costs.fit_seconds("ask", None) == 0.0

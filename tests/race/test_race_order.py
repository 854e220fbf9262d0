"""The order of a race's rows, and the training sizes that an arm is tried on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuneworth.core.task import Example, Message, Query, Task
from tuneworth.metrics._parts.catalog import load_metric
from tuneworth.models.scripted import ScriptedModel
from tuneworth.race.arms import Arm, chance_of, plan_arms, training_sizes
from tuneworth.race.driver import entrant_of
from tuneworth.race.prepare import in_race_order
from tuneworth.strategies import StrategyConfig
from tuneworth.strategies.head import Head
from tuneworth.strategies.lora import Lora
from tuneworth.strategies.majority import Majority
from tuneworth.strategies.prompt import Prompt


def rows(n, outputs="ab", choices=()):
    return tuple(
        Example(Query(f"r{i}", (Message("user", f"text {i}"),), choices), outputs[i * len(outputs) // n])
        for i in range(n)
    )


def arm(strategy):
    return Arm(strategy.id, strategy.id, strategy, StrategyConfig(), None)


def test_every_prefix_of_the_order_is_a_random_part_of_a_sorted_file():
    ordered = in_race_order(rows(400), "dev", 0)
    assert sorted(row.id for row in ordered) == sorted(row.id for row in rows(400))
    first = sum(row.output == "a" for row in ordered[:100])
    assert 30 <= first <= 70, "the file holds 200 rows of a, then 200 of b"


def test_the_order_follows_from_the_seed_and_the_side():
    assert in_race_order(rows(50), "dev", 0) == in_race_order(rows(50), "dev", 0)
    assert in_race_order(rows(50), "dev", 0) != in_race_order(rows(50), "dev", 1)
    assert in_race_order(rows(50), "dev", 0) != in_race_order(rows(50), "train", 0)


@pytest.mark.parametrize(
    ("strategy", "n_train", "expected"),
    [
        (Lora, 1000, (31, 62, 125, 250, 500, None)),
        (Head, 200, (25, 50, 100, None)),
        (Lora, 20, (None,)),
        (Prompt, 1000, (None,)),
    ],
)
def test_arms_that_learn_from_rows_are_tried_on_nested_halves(strategy, n_train, expected):
    assert training_sizes(arm(strategy), n_train) == expected


def test_what_the_schedule_is_told():
    assert entrant_of(arm(Majority), 100).kind == "yardstick"
    assert entrant_of(arm(Lora), 100).kind == "tuned"
    assert entrant_of(arm(Head), 100).kind == "untuned"


def test_chance_is_what_guessing_scores():
    label = Task(name="t", kind="label", labels=("a", "b"), metric="accuracy")
    assert chance_of(label, rows(10, "aaab"), metric_of("accuracy")) == pytest.approx(0.8)
    # F1 of a: 2·8/(8+10); of b: 0
    assert chance_of(label, rows(10, "aaab"), metric_of("macro_f1")) == pytest.approx(0.5 * 16 / 18)
    choice = Task(name="t", kind="choice", metric="accuracy")
    assert chance_of(choice, rows(4, "a", ("a", "b", "c", "d")), metric_of("accuracy")) == 0.25
    number = Task(name="t", kind="number", metric="numbers", spread=4.0)
    assert chance_of(number, rows(4, "1234"), metric_of("numbers").with_spread(4.0)) == pytest.approx(1 - 1.0 / 4)
    text = Task(name="t", kind="text", metric="exact_match")
    assert chance_of(text, rows(4, "wxyz"), metric_of("exact_match")) == 0.25
    as_json = Task(name="t", kind="json", metric="json_valid")
    assert chance_of(as_json, rows(4, "1"), metric_of("json_valid")) < 1, "a curve needs room above it"


def metric_of(name):
    return load_metric(name, Path())


def test_arms_of_several_models_say_which_wherever_they_are_named():
    task = Task(name="t", kind="label", labels=("a", "b"), metric="accuracy")
    models = [ScriptedModel(id="openai/gpt-6-luna"), ScriptedModel(id="http://127.0.0.1:45013/v1#qwen2.5-0.5b")]
    plan = plan_arms(task, rows(20), models, ["prompt", "majority"], "basis")
    titles = {arm.title.en for arm in plan.arms}
    assert {"prompt, constrained · gpt-6-luna", "prompt, constrained · qwen2.5-0.5b"} <= titles
    assert [arm.title.en for arm in plan.arms if arm.model is None] == [Majority().describe().en]
    alone = plan_arms(task, rows(20), models[:1], ["prompt"], "basis")
    assert "prompt, constrained" in {arm.title.en for arm in alone.arms}
    assert {arm.key for arm in alone.arms} <= {arm.key for arm in plan.arms}, "a name changes nothing"

"""Metrics of answers that were worked out or found: values by hand, and texts made to break them."""

from __future__ import annotations

import time

import pytest

from tuneworth.core.quantity import read_quantity
from tuneworth.core.registry import load_plugin

FINAL, SPAN = (load_plugin("tuneworth.metrics", name) for name in ("final_answer", "extractive"))


@pytest.mark.parametrize(
    ("answer", "reference", "right"),
    [
        ("In other words, 135.\n#### 135", "39*4=156, 156-21=135\n#### 135", 1),
        ("39*4=156, 156-21=135\n#### 136", "39*4=156, 156-21=135\n#### 135", 0),
        ("Answer: 1,234.0 coins", "#### 1234", 1),
        ("It is 5 km", "#### 5", 0),  # no marker, and the last line is more than a number
        ("so\n5", "#### 5", 1),
        ("#### 5 km", "#### 5 miles", 0),
        ("#### 50%", "#### 50", 1),
        ("\\boxed{3/4}", "#### 0.75", 1),
        ("0.3333", "1/3", 0),
        ("答案：１２８枚", "#### 128", 1),
        ("The answer is the Eiffel tower.", "Answer: Eiffel Tower", 1),
        ("Answer: London", "Answer: Paris", 0),
        ("#### -5", "#### 5", 0),
        ("#### 1e999", "#### 1e998", 0),
        ("", "#### 0", 0),
    ],
)
def test_final_answers(answer, reference, right):
    assert FINAL.score(answer, [reference]) == right


@pytest.mark.parametrize(
    ("answer", "reference", "f1"),
    [
        ("the Eiffel Tower.", "Eiffel tower", 1.0),
        ("Eiffel Tower in Paris", "Eiffel tower", 2 * 2 / 6),
        ("dog bites man", "man bites dog", 1.0),  # a bag of words, as SQuAD has it
        ("北京市。", "北京", 4 / 5),
        ("首都是北京", "北京首都", 2 * 2 / 9),  # the longest run, as CMRC has it: not the bag
        ("2016 年夏天", "2016年", 2 * 2 / 6),
        ("上海", "北京", 0.0),
        ("3.5", "35", 0.0),
    ],
)
def test_extractive_by_hand(answer, reference, f1):
    assert SPAN.score(answer, [reference]) == pytest.approx(f1)


@pytest.mark.parametrize(
    "text",
    [
        "9" * 1_000_000,
        "a " * 500_000,
        "北" * 1_000_000,
        "Answer: " * 100_000,
        "\\boxed{" * 100_000,
        "####\n" * 200_000,
        "1,000" * 200_000,
    ],
    ids=lambda text: text[:8],
)
@pytest.mark.parametrize("metric", [FINAL, SPAN], ids=lambda metric: metric.id)
def test_a_megabyte_is_scored_in_a_moment(metric, text):
    started = time.process_time()
    assert 0 <= metric.score(text, ["北京 is at 1,234"]) < 1
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("1,234.50", 1234.5, ""),
        (" -3 ", -3.0, ""),
        ("−3", -3.0, ""),
        ("$1,000", 1000.0, "$"),
        ("12 kg", 12.0, "kg"),
        ("５０％", 50.0, "%"),
        ("135枚", 135.0, "枚"),
        ("3 / 4", 0.75, ""),
        ("1e3", 1000.0, ""),
        (".5", 0.5, ""),
        ("7.", 7.0, ""),
    ],
)
def test_quantities(text, value, unit):
    found = read_quantity(text)
    assert found is not None
    assert (found.value, found.unit) == (value, unit)


@pytest.mark.parametrize(
    "text", ["", "three", "1 2", "1,23", "2024-05-01", "1/0", "1e999", "nan", "inf", "9" * 100, "1.2.3", "10:30"]
)
def test_no_quantities(text):
    assert read_quantity(text) is None

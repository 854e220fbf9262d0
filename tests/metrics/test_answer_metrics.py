"""Metrics of answers that were worked out or found: values by hand, and texts made to break them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, r2_score

from tuneworth.core.quantity import read_quantity
from tuneworth.core.registry import load_plugin
from tuneworth.errors import EnvironmentProblem, InputError
from tuneworth.metrics._parts.catalog import check_language, load_metric
from tuneworth.testing.cases import HashEncoder

FINAL, SPAN = (load_plugin("tuneworth.metrics", name) for name in ("final_answer", "extractive"))


@pytest.mark.parametrize(
    ("answer", "reference", "right"),
    [
        ("In other words, 135.\n#### 135", "39*4=156, 156-21=135\n#### 135", 1),
        ("39*4=156, 156-21=135\n#### 136", "39*4=156, 156-21=135\n#### 135", 0),
        ("Answer: 1,234.0 coins", "#### 1234", 1),
        ("It is 5 km", "#### 5", 1),  # no marker, and one number in the last line
        ("It is 5 of 10", "#### 5", 0),
        ("It opened in 1983.", "1983", 1),
        ("In 1984, I think.", "1983", 0),
        ("1983", "It opened in 1983.", 0),  # what is right in words is compared as words
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
        ("(1,200.5)", -1200.5, ""),
        ("CHF 1'234.50", 1234.5, "chf"),
        ("about 300", 300.0, ""),
        ("约300元", 300.0, "元"),
        ("2.5万元", 25000.0, "元"),
        ("1.2亿", 1.2e8, ""),
        ("3千克", 3.0, "千克"),
        ("三百二十元", 320.0, "元"),
        ("一千零五", 1005.0, ""),
        ("十五", 15.0, ""),
        ("一亿两千万", 1.2e8, ""),
        ("零", 0.0, ""),
    ],
)
def test_quantities(text, value, unit):
    found = read_quantity(text)
    assert found is not None
    assert (found.value, found.unit) == (value, unit)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "three",
        "1 2",
        "1,23",
        "2024-05-01",
        "1/0",
        "1e999",
        "nan",
        "inf",
        "9" * 100,
        "1.2.3",
        "10:30",
        "三百五",
        "一般",
        "万",
        "百",
        "十分满意",
        "二零二六",
        "()",
    ],
)
def test_no_quantities(text):
    assert read_quantity(text) is None


NUMBERS, R2, NEAR, F1, SET = (
    load_plugin("tuneworth.metrics", name)
    for name in ("numbers", "r2", "within_tolerance", "multilabel_f1", "multilabel_exact")
)


@pytest.mark.parametrize(
    ("answer", "score"),
    [
        ("4.0", 1.0),
        ("about 4.5 of 5", 0.0),
        ("It is 4.5.", 0.875),
        ("3", 0.75),
        ("-100", 0.0),
        ("four", 0.0),
        ("", 0.0),
        ("４", 1.0),
    ],
)
def test_closeness(answer, score):
    assert NUMBERS.with_spread(4.0).score(answer, ["4"]) == pytest.approx(score)


def test_numbers_are_compared_by_the_spread_that_they_are_given():
    assert NUMBERS.with_spread(4.0).fingerprint != NUMBERS.with_spread(5.0).fingerprint
    assert NEAR.with_spread(100.0).score("104.9", ["100"]) == 1.0
    assert NEAR.with_spread(100.0).score("105.1", ["100"]) == 0.0
    assert NUMBERS.with_spread(10.0).mean_error(["1", "nothing", "30"], [["2"], ["2"], ["20", "28"]]) == 1.5


def test_r2_agrees_with_scikit_learn_where_nothing_is_cut_off():
    rng = np.random.default_rng(2)
    right = rng.normal(50, 10, 200)
    said = right + rng.normal(0, 4, 200)
    value = R2.with_spread(1_000.0).value([f"{x:.6f}" for x in said], [[f"{x:.6f}"] for x in right])
    assert value == pytest.approx(r2_score(right, said), abs=1e-6)
    assert R2.with_spread(1_000.0).value(["1", "2"], [["2"], ["1"]]) == 0.0
    wild = [f"{x:.6f}" for x in said[:-1]] + ["9" * 12]
    assert R2.with_spread(30.0).value(wild, [[f"{x:.6f}"] for x in right]) > 0.7


def test_label_sets_agree_with_scikit_learn():
    labels = ("gas", "roof", "tap", "wire")
    rng = np.random.default_rng(4)
    right, named = (rng.random((300, 4)) < 0.4 for _ in range(2))
    right[0], named[0] = False, False
    texts = [
        [", ".join(label for label, on in zip(labels, row) if on) or "none" for row in side] for side in (named, right)
    ]
    f1, exact = F1.with_labels(labels), SET.with_labels(labels)
    references = [[text] for text in texts[1]]
    assert f1.value(texts[0], references) == pytest.approx(
        f1_score(right, named, average="samples", zero_division=cast(Any, 1.0))
    )
    assert exact.value(texts[0], references) == pytest.approx(accuracy_score(right, named))
    assert f1.score("", ["none"]) == exact.score("", ["none"]) == 0.0, "an empty answer does not say that there is none"
    assert f1.score("Roof; tower", ["roof"]) == pytest.approx(2 / 3)


def test_thousands_of_sets_of_hundreds_of_labels_are_read_in_a_moment():
    labels = tuple(f"tag {n}" for n in range(500))
    answers = [f"tag {n % 500}, tag {n * 7 % 500}, other" for n in range(3_000)]
    started = time.process_time()
    assert 0 < F1.with_labels(labels).value(answers, [[answer] for answer in answers]) <= 1
    assert time.process_time() - started < 3


@pytest.mark.parametrize("metric", [NUMBERS, R2, NEAR, F1, SET], ids=lambda metric: metric.id)
@pytest.mark.parametrize(
    "text", ["9" * 1_000_000, "1, " * 300_000, "[" * 300_000, "['a'," * 100_000], ids=lambda text: text[:4]
)
def test_a_megabyte_of_labels_or_numbers_is_scored_in_a_moment(metric, text):
    started = time.process_time()
    assert 0 <= metric.value([text], [["17"]]) <= 1
    assert time.process_time() - started < 2


def test_a_pattern_of_the_task_finds_the_answer():
    metric = load_metric("final_answer", Path(), settings={"pattern": r"Total:\s*(\S+)"})
    assert metric.score("Total: 3\nTotal: 1,200 EUR\nthanks", ["Total: 1200"]) == 1
    assert metric.score("Total: 3", ["Total: 1200"]) == 0
    assert metric.score("1200", ["Total: 1200"]) == 1, "without a match the last line counts"
    assert metric.fingerprint != FINAL.fingerprint


def test_a_pattern_that_backtracks_without_end_is_stopped():
    metric = load_metric("final_answer", Path(), settings={"pattern": r"^(a+)+$"})
    started = time.process_time()
    assert metric.score("a" * 5_000 + "b", ["c"]) == 0
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    ("metric", "settings", "message"),
    [
        (
            "final_answer",
            {"patern": "x"},
            r"metric_settings\.patern: is not a setting of the metric final_answer; it has: pattern",
        ),
        ("final_answer", {"pattern": 3}, "is 3, must be text"),
        ("final_answer", {"pattern": "("}, "not a regular expression"),
        ("within_tolerance", {"tolerance": -1}, "must be over 0"),
        ("within_tolerance", {"tolerance": True}, "must be a number"),
        ("json_exact", {"unordered_lists": "yes"}, "must be true or false"),
        ("accuracy", {"x": 1}, "it has: –"),
    ],
)
def test_settings_that_are_wrong_are_told(metric, settings, message):
    with pytest.raises(InputError, match=message) as caught:
        load_metric(metric, Path(), settings=settings)
    assert caught.value.to("zh") != caught.value.to("en")


def test_settings_of_tolerance_and_lists():
    near = load_metric("within_tolerance", Path(), settings={"tolerance": 0.5})
    assert [near.score(answer, ["4"]) for answer in ("4.5", "4.51", "3.5", "four")] == [1, 0, 1, 0]
    unordered = load_metric("json_exact", Path(), settings={"unordered_lists": True})
    assert unordered.score('{"a": [2, 1, 1]}', ['{"a": [1, 2, 1]}']) == 1
    assert unordered.score('{"a": [2, 1]}', ['{"a": [1, 2, 1]}']) == 0
    assert load_metric("json_exact", Path()).score("[2, 1]", ["[1, 2]"]) == 0


def test_similarity_is_that_of_the_encoder_and_only_english_is_read():
    metric = load_plugin("tuneworth.metrics", "semantic").with_encoder(HashEncoder().encode)
    vectors = HashEncoder().encode(["the lamp is broken", "a broken lamp"])
    assert metric.score("the lamp is broken", ["a broken lamp"]) == pytest.approx(float(vectors[0] @ vectors[1]))
    assert metric.score("", ["a broken lamp"]) == 0.0
    with pytest.raises(InputError, match="reads English only"):
        check_language(metric, "zh")
    with pytest.raises(EnvironmentProblem, match="needs the sentence encoder"):
        load_plugin("tuneworth.metrics", "semantic").score("a", ["b"])

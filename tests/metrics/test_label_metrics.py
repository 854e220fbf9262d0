"""Accuracy and macro-F1: how labels are read, and agreement with scikit-learn."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score

from tuneworth.metrics._parts.catalog import load_metric
from tuneworth.metrics.accuracy import Accuracy, fold
from tuneworth.metrics.macro_f1 import MacroF1

LABELS = ("card_lost", "refund", "top up", "退款", "挂失")
label_lists = st.lists(st.sampled_from(LABELS), min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("answer", "label"),
    [
        ("refund", "refund"),
        (" refund\n", "refund"),
        ("Refund.", "refund"),
        ('"card_lost"', "card_lost"),
        ("**Top  Up**!", "top up"),
        ("`REFUND`,", "refund"),
        ("“退款。”", "退款"),
        ("「挂失」", "挂失"),
        ("ｒｅｆｕｎｄ", "refund"),
    ],
)
def test_a_label_in_other_clothes_is_read(answer, label):
    assert Accuracy(labels=LABELS).score(answer, [label]) == 1.0


@pytest.mark.parametrize("answer", ["", "the label is refund", "refunds", "refund refund", "card lost", "退款挂失"])
def test_nothing_is_searched_for_inside_an_answer(answer):
    metric = Accuracy(labels=LABELS)
    assert [metric.score(answer, [label]) for label in LABELS] == [0.0] * len(LABELS)


def test_folding_never_merges_two_labels():
    metric = Accuracy(labels=("US", "us", "It", "C", "C."))
    assert metric.score("US", ["US"]) == 1.0
    assert metric.score("US", ["us"]) == 0.0
    assert metric.score("Us", ["US"]) == metric.score("Us", ["us"]) == 0.0  # could be either
    assert metric.score("it", ["It"]) == 1.0
    assert metric.score("C.", ["C"]) == 0.0
    assert metric.score("C.", ["C."]) == 1.0


def test_without_labels_only_the_stripped_text_counts():
    assert Accuracy().score(" refund ", ["refund"]) == 1.0
    assert Accuracy().score("Refund", ["refund"]) == 0.0


@given(st.lists(st.text(max_size=6), min_size=1, max_size=8), st.text(max_size=6))
def test_any_answer_means_at_most_one_label(labels, answer):
    metric = Accuracy().with_labels(labels)
    different = {label.strip() for label in labels}
    assert sum(metric.score(answer, [label]) for label in different) <= 1
    assert all(metric.score(label, [label]) == 1.0 for label in labels)


@given(st.text())
def test_folding_twice_changes_nothing_that_matters(text):
    assert fold(text) == fold(f" {text} ")


@given(label_lists, st.randoms(use_true_random=False))
def test_accuracy_agrees_with_scikit_learn(truth, random):
    predicted = [random.choice(LABELS) for _ in truth]
    value = load_metric("accuracy", Path(), LABELS).value(predicted, [(label,) for label in truth])
    assert value == pytest.approx(accuracy_score(truth, predicted))


@given(label_lists, st.randoms(use_true_random=False))
def test_macro_f1_agrees_with_scikit_learn(truth, random):
    predicted = [random.choice([*LABELS, "no such label"]) for _ in truth]
    expected = f1_score(truth, predicted, average="macro", labels=sorted(set(truth)), zero_division=0)
    value = MacroF1(labels=LABELS).value(predicted, [(label,) for label in truth])
    assert value == pytest.approx(float(expected))


def test_macro_f1_by_hand():
    truth = ["a", "a", "a", "b"]
    predicted = ["a", "a", "b", "x"]
    # a: 2·2/(3+2) = 0.8; b: 0/(1+1) = 0; x is no class
    assert MacroF1().value(predicted, [(label,) for label in truth]) == pytest.approx(0.4)


def test_macro_f1_weighs_classes_not_rows():
    truth = ["ham"] * 9 + ["spam"]
    references = [(label,) for label in truth]
    assert Accuracy().value(["ham"] * 10, references) == 0.9
    assert MacroF1().value(["ham"] * 10, references) == pytest.approx(0.5 * 18 / 19)


def test_macro_f1_with_several_references_takes_the_one_that_was_answered():
    assert MacroF1().value(["b", "a"], [("a", "b"), ("a",)]) == 1.0
    assert MacroF1().value(["c", "a"], [("a", "b"), ("a",)]) == pytest.approx(2 / 3)


def test_a_resample_is_averaged_over_the_classes_it_contains():
    value = MacroF1().prepare(["a", "b", "x"], [("a",), ("b",), ("c",)])
    assert value(np.array([0, 1, 2])) == pytest.approx(2 / 3)
    assert value(np.array([0, 0, 1])) == 1.0
    assert value(np.array([2, 2, 2])) == 0.0


def test_two_thousand_resamples_of_300_rows_are_cheap():
    rng = np.random.default_rng(0)
    truth, predicted = (rng.choice(LABELS, size=300).tolist() for _ in range(2))
    value = MacroF1(labels=LABELS).prepare(predicted, [(label,) for label in truth])
    started = time.perf_counter()
    for _ in range(2000):
        value(rng.integers(0, 300, size=300))
    assert time.perf_counter() - started < 2.0  # 0.1 s on an idle core

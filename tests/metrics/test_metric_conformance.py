"""Every built-in metric keeps the rules that outsiders' metrics must keep, and the rules bite."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from tuneworth.core.registry import load_plugin, plugin_modules
from tuneworth.core.text import Text
from tuneworth.metrics import Metric
from tuneworth.metrics._parts.catalog import load_metric
from tuneworth.testing.cases import HashEncoder
from tuneworth.testing.metrics import METRIC_CHECKS, check_metric

BUILT_IN = sorted(plugin_modules("tuneworth.metrics"))


def test_the_list_of_metrics():
    assert BUILT_IN == [
        "accuracy",
        "chrf",
        "exact_match",
        "extractive",
        "final_answer",
        "json_exact",
        "json_slot_f1",
        "json_token_f1",
        "json_valid",
        "macro_f1",
        "multilabel_exact",
        "multilabel_f1",
        "numbers",
        "r2",
        "rouge_l",
        "semantic",
        "sql_execution",
        "token_f1",
        "within_tolerance",
    ]


@pytest.mark.parametrize("metric_id", BUILT_IN)
@pytest.mark.parametrize("check", METRIC_CHECKS, ids=lambda check: check.__name__)
def test_conformance(metric_id, check):
    metric = load_plugin("tuneworth.metrics", metric_id)
    assert metric.id == metric_id
    check(metric.with_encoder(HashEncoder().encode))


def test_label_metrics_conform_with_labels_too():
    for metric_id in ("accuracy", "macro_f1"):
        check_metric(load_metric(metric_id, Path(), labels=("refund", "card lost", "退款", "挂失", "A", "B", "C", "D")))


@dataclass(frozen=True, kw_only=True)
class Length(Metric):
    """Breaks the rules on request."""

    id: str = "length"
    title: Text = Text(en="length", zh="长度")
    kinds: frozenset = frozenset({"text"})
    fault: str = ""

    def compare(self, answer: str, reference: str) -> float:
        equal = float(answer.strip() == reference.strip())
        match self.fault:
            case "range":
                return 100 * equal
            case "raises":
                return equal + 0 * (1 // len(answer))
            case "imperfect":
                return 0.5 * equal
            case "lenient":
                return 1.0
            case "graded":
                return max(equal, 0.5)
        return equal

    def prepare(self, answers, references):
        whole = super().prepare(answers, references)
        return (lambda rows: whole(np.unique(rows))) if self.fault == "resample" else whole


def test_a_sound_metric_passes():
    check_metric(Length())


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        (Length(fault="range"), r"scores 100\.0, must be in \[0, 1\]"),
        (Length(fault="imperfect"), r"is a reference but scores 0\.5"),
        (Length(fault="lenient"), "no wrong answer of the samples scores below 1"),
        (Length(fault="graded", binary=True), r"binary, but .* scores 0\.5"),
        (Length(fault="resample"), r"rows \[.*\] give"),
        (replace(Length(), title=Text(en="length", zh="")), "needs a Chinese title"),
        (Length(binary=True, corpus=True), "the value of a binary metric is the mean"),
    ],
)
def test_the_checks_bite(metric, message):
    with pytest.raises(AssertionError, match=message):
        check_metric(metric)


def test_a_metric_that_raises_on_an_empty_answer_is_found():
    with pytest.raises(ZeroDivisionError):
        check_metric(Length(fault="raises"))

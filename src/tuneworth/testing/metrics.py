"""Conformance of metrics: what every metric plug-in must keep, built-in or not.

    from tuneworth.testing.metrics import check_metric
    check_metric(PLUGIN)

runs every check; ``METRIC_CHECKS`` lets a test suite show them one by one. A check raises
``AssertionError`` with the metric, the case and the value.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tuneworth.core.task import OutputKind
from tuneworth.metrics import Metric


@dataclass(frozen=True, slots=True)
class Sample:
    """A row as metrics see it: accepted answers, and answers a model might give."""

    references: tuple[str, ...]
    answers: tuple[str, ...]


SAMPLES: dict[OutputKind, tuple[Sample, ...]] = {
    "label": (
        Sample(("refund",), ("refund", "card lost", "Refund.", "the label is refund")),
        Sample(("card lost",), ("card lost", "refund", '"card lost"')),
        Sample(("退款",), ("退款", "挂失", "退款。")),
    ),
    "choice": (Sample(("B",), ("B", "A", "b.")), Sample(("A", "C"), ("C", "A", "D"))),
    "multilabel": (
        Sample(("red, round",), ("round, red", "red", "green", "Red; Round.", "round | red | heavy", '["red"]')),
        Sample(("none", "heavy"), ("none", "heavy", "red, heavy", "无")),
        Sample(("圆的",), ("圆的", "红的、圆的", "red")),
    ),
    "number": (
        Sample(("4.31",), ("4.31", "4.3", "about 4.5", "-1", "four", "4 or 5", "1e9")),
        Sample(("1200", "1300"), ("1,200", "1250", "$1300", "120")),
        Sample(("-3",), ("-3", "3", "−3 度")),
    ),
    "json": (
        Sample(('{"a": 1, "b": ["x", "y"]}',), ('{"b": ["y", "x"], "a": 1.0}', '{"a": 2}', "{", "[]")),
        Sample(('{"城市": "上海", "日期": null}', '{"城市": "沪"}'), ('{"城市": "上海"}', '{"城市": "沪"}', "上海")),
    ),
    "text": (
        Sample(("The Eiffel Tower is in Paris.",), ("the eiffel tower is in paris", "Paris", "London Bridge")),
        Sample(("北京是中国的首都。", "中国的首都是北京。"), ("北京是首都", "首都是北京", "上海")),
        Sample(("用 iPhone 拍照", "3.5"), ("iPhone 拍照", "3.5", "35")),
    ),
}
"""Rows for every output kind."""

HOSTILE = (
    "",
    " \n\t",
    "\x00",
    "\ud800",
    "[" * 20_000,
    "[" * 9_000 + "]" * 9_000,
    "�" * 1000,
    "🙂",
    "。！？",
    "1e999",
    "NaN",
)
"""What a broken model may say. A metric scores it; it never raises."""


def has_a_name(metric: Metric) -> None:
    assert metric.id, "a metric needs an id"
    assert metric.title.en, f"{metric.id}: needs an English title"
    assert metric.title.zh, f"{metric.id}: needs a Chinese title"
    assert metric.kinds, f"{metric.id}: needs at least one output kind"
    assert metric.kinds <= SAMPLES.keys(), f"{metric.id}: unknown kinds {metric.kinds - SAMPLES.keys()}"
    assert not (metric.binary and metric.corpus), f"{metric.id}: the value of a binary metric is the mean of its scores"


def is_frozen(metric: Metric) -> None:
    try:
        metric.id = "changed"  # pyright: ignore[reportAttributeAccessIssue]
    except dataclasses.FrozenInstanceError:
        return
    raise AssertionError(f"{metric.id}: a metric must be frozen")


def stays_in_range(metric: Metric) -> None:
    for sample in _samples(metric):
        for answer in (*sample.answers, *HOSTILE):
            _score(metric, answer, sample.references)


def is_perfect_on_a_reference(metric: Metric) -> None:
    for sample in _samples(metric):
        for reference in sample.references:
            for answer in (reference, f" {reference}\n"):
                score = _score(metric, answer, sample.references)
                assert score == 1.0, f"{metric.id}: {answer!r} is a reference but scores {score}"


def tells_wrong_from_right(metric: Metric) -> None:
    wrong = [_score(metric, answer, sample.references) for sample in _samples(metric) for answer in sample.answers]
    empty = [_score(metric, "", sample.references) for sample in _samples(metric)]
    assert min(wrong) < 1.0, f"{metric.id}: no wrong answer of the samples scores below 1"
    assert max(empty) < 1.0, f"{metric.id}: an empty answer scores {max(empty)}"


def takes_the_best_reference(metric: Metric) -> None:
    for sample in _samples(metric):
        for answer in sample.answers:
            alone = max(_score(metric, answer, (reference,)) for reference in sample.references)
            for references in (sample.references, sample.references[::-1]):
                score = _score(metric, answer, references)
                assert score == alone, f"{metric.id}: {answer!r} scores {score}, against its best reference {alone}"


def binary_means_zero_or_one(metric: Metric) -> None:
    for sample in _samples(metric):
        for answer in (*sample.answers, *HOSTILE):
            score = _score(metric, answer, sample.references)
            assert not metric.binary or score in (0.0, 1.0), f"{metric.id}: binary, but {answer!r} scores {score}"


def is_deterministic(metric: Metric) -> None:
    for sample in _samples(metric):
        for answer in sample.answers:
            first, second = (_score(metric, answer, sample.references) for _ in range(2))
            assert first == second, f"{metric.id}: {answer!r} scores {first}, then {second}"


def value_agrees_with_scores(metric: Metric) -> None:
    answers, references = _rows(metric)
    value = metric.value(answers, references)
    assert 0.0 <= value <= 1.0, f"{metric.id}: value is {value}, must be in [0, 1]"
    if not metric.corpus:
        mean = float(np.mean([metric.score(a, r) for a, r in zip(answers, references, strict=True)]))
        assert math.isclose(value, mean), f"{metric.id}: value is {value}, the mean of its scores {mean}"
    perfect = metric.value([accepted[0] for accepted in references], references)
    assert math.isclose(perfect, 1.0), f"{metric.id}: perfect answers have the value {perfect}"


def resamples_agree_with_values(metric: Metric) -> None:
    answers, references = _rows(metric)
    prepared = metric.prepare(answers, references)
    rng = np.random.default_rng(7)
    for _ in range(20):
        rows = rng.integers(0, len(answers), size=len(answers))
        direct = metric.value([answers[i] for i in rows], [references[i] for i in rows])
        assert math.isclose(prepared(rows), direct), f"{metric.id}: rows {rows} give {prepared(rows)}, not {direct}"


def has_no_value_without_rows(metric: Metric) -> None:
    try:
        value = metric.value([], [])
    except ValueError:
        return
    raise AssertionError(f"{metric.id}: no rows have the value {value}, must raise ValueError")


METRIC_CHECKS: tuple[Callable[[Metric], None], ...] = (
    has_a_name,
    is_frozen,
    stays_in_range,
    is_perfect_on_a_reference,
    tells_wrong_from_right,
    takes_the_best_reference,
    binary_means_zero_or_one,
    is_deterministic,
    value_agrees_with_scores,
    resamples_agree_with_values,
    has_no_value_without_rows,
)


def check_metric(metric: Metric) -> None:
    """Run every check.

    Raises:
        AssertionError: the metric breaks a rule.
    """
    for check in METRIC_CHECKS:
        check(metric)


def _samples(metric: Metric) -> list[Sample]:
    return [sample for kind in sorted(metric.kinds) for sample in SAMPLES[kind]]


def _rows(metric: Metric) -> tuple[list[str], list[tuple[str, ...]]]:
    pairs = [(answer, sample.references) for sample in _samples(metric) for answer in sample.answers]
    return [answer for answer, _ in pairs], [references for _, references in pairs]


def _score(metric: Metric, answer: str, references: Sequence[str]) -> float:
    score = metric.score(answer, references)
    assert isinstance(score, float), f"{metric.id}: {answer[:40]!r} scores {score!r}, must be a float"
    assert 0.0 <= score <= 1.0, f"{metric.id}: {answer[:40]!r} scores {score}, must be in [0, 1]"
    return score

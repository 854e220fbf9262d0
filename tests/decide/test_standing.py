"""Which of several systems is first, and how surely."""

from __future__ import annotations

import numpy as np
import pytest

from tuneworth.decide.compare import compare_systems
from tuneworth.decide.standing import place


def placed(rights: dict[str, int], n: int = 400, margin: float = 0.02):
    """Systems that are right on their first so many rows."""
    scores = {name: {str(row): float(row < right) for row in range(n)} for name, right in rights.items()}
    rng = np.random.default_rng(0)
    pairs = compare_systems({"accuracy": scores}, margin=margin, rng=rng, groups={}, corpus={})
    return place(list(rights), pairs), pairs


@pytest.mark.parametrize(
    ("rights", "standing", "first", "answers"),
    [
        ({"a": 100, "b": 200}, "best", "b", {"a": "better"}),
        ({"a": 100, "b": 101, "c": 300}, "best", "c", {"a": "better", "b": "better"}),
        ({"a": 100, "b": 201, "c": 200}, "level", "b", {"a": "better", "c": "equivalent"}),
        ({"a": 100, "b": 110, "c": 300}, "best", "c", {"a": "better", "b": "better"}),
        ({"a": 100, "b": 105, "c": 20}, "open", "b", {"a": "cant_tell", "c": "better"}),
    ],
)
def test_the_first_is_held_against_every_other(rights, standing, first, answers):
    found, _ = placed(rights)
    assert (found.standing, found.first) == (standing, first)
    assert {one.other: one.answer for one in found.against} == answers
    sizes = [abs(one.pair.difference) for one in found.against]
    assert sizes == sorted(sizes)


def test_all_pairs_on_all_metrics_are_one_family():
    rng = np.random.default_rng(1)
    scores = {
        metric: {name: {str(row): float(rng.random() < right) for row in range(100)} for name, right in systems.items()}
        for metric, systems in {"x": {"a": 0.5, "b": 0.7, "c": 0.6}, "y": {"a": 0.5, "b": 0.5, "c": 0.6}}.items()
    }
    pairs = compare_systems(scores, margin=0.02, rng=rng, groups={}, corpus={})
    assert [(pair.metric, pair.a, pair.b) for pair in pairs] == [
        (metric, a, b) for metric in "xy" for a, b in [("a", "b"), ("a", "c"), ("b", "c")]
    ]
    least = min(pairs, key=lambda pair: pair.p_value)
    assert least.p_adjusted == pytest.approx(6 * least.p_value)

import numpy as np
import pytest

from tuneworth.race.budget import Budget
from tuneworth.race.encoding import SharedEncoder


def test_without_a_budget_nothing_is_limited():
    budget = Budget(None)
    assert budget.left is None
    assert budget.left_of_share(0.4) is None
    assert budget.left_after(10) is None


def test_earlier_starts_count():
    budget = Budget(100.0, spent_before=90.0)
    assert budget.left == pytest.approx(10.0, abs=1.0)
    assert budget.left_of_share(0.4) == 0.0
    assert budget.left_after(4.0, parts=2) == pytest.approx(3.0, abs=0.5)


class CountingEncoder:
    id = "counting"

    def __init__(self):
        self.seen = []

    def encode(self, texts):
        self.seen.append(list(texts))
        return np.array([[len(text), 1.0] for text in texts], dtype=np.float32)

    def describe(self):
        return {"kind": "test"}


def test_training_texts_are_embedded_once_and_queries_every_time():
    real = CountingEncoder()
    encoder = SharedEncoder(lambda: real, ["a", "bb"])
    first = encoder.encode(["a", "bb"])
    again = encoder.encode(["bb", "a"])
    assert real.seen == [["a", "bb"]]
    np.testing.assert_array_equal(first, again[::-1])
    assert encoder.seconds_saved > 0
    encoder.encode(["query"])
    encoder.encode(["query"])
    assert real.seen[1:] == [["query"], ["query"]]


def test_the_encoder_is_opened_on_first_use():
    opened = []
    encoder = SharedEncoder(lambda: opened.append(1) or CountingEncoder(), [])
    assert not encoder.opened
    encoder().encode(["x"])
    assert encoder.opened
    assert opened == [1]

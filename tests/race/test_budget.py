import numpy as np
import pytest

from tuneworth.costs.spend import Spend
from tuneworth.race.budget import Budget
from tuneworth.race.encoding import SharedEncoder


def test_without_a_budget_nothing_is_limited():
    budget = Budget(None)
    assert (budget.left, budget.usd_left, budget.spent.usd) == (None, None, None)


def test_earlier_starts_count():
    budget = Budget(100.0, spent_before=Spend(90.0), usd_per_hour=36.0)
    assert budget.left == pytest.approx(10.0, abs=1.0)
    assert budget.spent.usd == pytest.approx(0.9, abs=0.01)
    assert budget.usd_left is None


@pytest.mark.parametrize(
    ("seconds", "usd", "price", "tighter"),
    [
        (100.0, 0.5, 36.0, 50.0),
        (20.0, 0.5, 36.0, 20.0),
        (None, 0.5, 36.0, 50.0),
        (20.0, 0.5, 0.0, 20.0),
        (None, 0.5, 0.0, None),
    ],
)
def test_the_tighter_of_time_and_money_is_kept(seconds, usd, price, tighter):
    budget = Budget(seconds, usd=usd, usd_per_hour=price)
    assert budget.seconds == tighter
    assert budget.usd_left == pytest.approx(usd, abs=0.01)


def test_money_and_time_end_together():
    budget = Budget(None, spent_before=Spend(60.0), usd=0.5, usd_per_hour=36.0)
    assert (budget.left, budget.usd_left) == (0.0, 0.0)


def test_without_the_price_of_the_machine_money_is_what_services_charge():
    budget = Budget(100.0, usd=0.5)
    budget.charge(Spend(1.0, usd=0.2))
    assert (budget.spent.usd, budget.usd_left, budget.usd_allowed) == (0.2, 0.3, 0.5)
    assert budget.left == pytest.approx(100.0, abs=1.0), "of time, money takes nothing"
    assert budget.reaches(Spend(50.0, usd=0.3))
    assert not budget.reaches(Spend(50.0, usd=0.31))


def test_what_a_ledger_knows_goes_before_what_was_counted():
    budget = Budget(100.0, usd=1.0, usd_per_hour=36.0, spent_before=Spend(10.0), charged_usd=lambda: 0.3)
    assert budget.usd_allowed == pytest.approx(0.9, abs=0.01)
    assert budget.usd_left == pytest.approx(0.6, abs=0.01)


def test_without_any_price_no_money_is_told():
    assert Budget(100.0).spent.usd is None


def test_what_services_charge_counts_beside_the_machine():
    budget = Budget(None, usd=1.0, usd_per_hour=36.0)
    budget.count(Spend(30.0, 100, 0.2))
    budget.charge(Spend(0.0, 100, 0.05))
    assert budget.spent.tokens == 200
    assert budget.usd_left == pytest.approx(0.45, abs=0.01)
    assert budget.left == pytest.approx(45.0, abs=1.0), "what the rest of the money pays for"
    assert budget.reaches(Spend(1.0, usd=0.4))
    assert not budget.reaches(Spend(1.0, usd=0.5))
    assert not budget.reaches(Spend(1.0, usd=None)), "what is not known may be anything"


def test_what_nobody_knows_is_not_counted():
    budget = Budget(None, usd=1.0, usd_per_hour=36.0)
    budget.charge(Spend(1.0, usd=None))
    assert budget.usd_left == pytest.approx(1.0, abs=0.05)


class CountingEncoder:
    id = "counting"

    def __init__(self):
        self.seen = []

    def encode(self, texts, *, role="text"):
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

"""What is told of what services were paid."""

from tuneworth.core.money import ArmMoney, ModelPrice, Money
from tuneworth.report.pages.record import paid_sentence


def test_without_any_price_no_amount_is_claimed():
    money = Money(max_calls=400, total=ArmMoney(n_calls=291, n_unknown=291, usd=0.0), prices={"http://h/v1#m": None})
    told = paid_sentence(money)
    assert told.en == "Services got 291 calls, of 400 that were allowed; what they charge is not known."
    assert told.zh == "API 服务共调用 291 次，上限 400 次；费用不明。"


def test_with_a_price_calls_of_unknown_cost_count_with_the_most():
    price = ModelPrice(source="task file", checked_on=None, input=1.0, output=2.0)
    money = Money(budget_usd=1.0, total=ArmMoney(n_calls=9, n_unknown=2, usd=0.25), prices={"http://h/v1#m": price})
    told = paid_sentence(money).en
    assert told.startswith("Services were paid $0.25 for 9 calls, 25\u00a0% of the cap of $1.00")
    assert "of 2 it is not known what they cost" in told

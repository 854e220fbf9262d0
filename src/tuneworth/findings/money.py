"""What the run paid to services, from its ledger."""

from __future__ import annotations

from collections.abc import Sequence

from tuneworth.core.money import ArmMoney, ModelPrice, Money
from tuneworth.core.run import ArmResult
from tuneworth.costs.prices import Price
from tuneworth.models.base import Model, is_metered
from tuneworth.race.budget import Budget
from tuneworth.race.ledger import Charged, Ledger


def money_of(models: Sequence[Model], arms: Sequence[ArmResult], budget: Budget, ledger: Ledger) -> Money | None:
    """``None`` when no model is paid for by call and no call was made."""
    prices = {model.id: model.price for model in models if is_metered(model)}
    if not prices and not ledger.total.n_calls:
        return None
    shares = {arm.arm_id: _cached_share(arm) for arm in arms}
    return Money(
        budget_usd=budget.usd,
        allowed_usd=budget.usd_allowed,
        max_calls=ledger.max_calls,
        reached=ledger.reached,
        total=_told(ledger.total),
        arms={arm_id: _told(charged, shares.get(arm_id)) for arm_id, charged in ledger.by_arm.items() if arm_id},
        prices={model: None if price is None else price_told(price) for model, price in prices.items()},
    )


def price_told(price: Price) -> ModelPrice:
    rates = price.rates()
    return ModelPrice(
        source=price.source,
        checked_on=price.checked_on,
        input=rates.input,
        output=rates.output,
        cached_input=rates.cached_input,
        cache_write=rates.cache_write,
    )


def _told(charged: Charged, cached_share: float | None = None) -> ArmMoney:
    return ArmMoney(n_calls=charged.n_calls, n_unknown=charged.n_unknown, usd=charged.usd, cached_share=cached_share)


def _cached_share(arm: ArmResult) -> float | None:
    read, cached = arm.cost.prompt_tokens_per_row, arm.cost.cached_tokens_per_row
    return cached / read if read and cached is not None else None

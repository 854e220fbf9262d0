"""What a run paid to services."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from tuneworth.core.record import Record


class ModelPrice(Record):
    """What a model costs, US dollars per million tokens, of prompts of usual length.

    Attributes:
        source: where the price is from, with its version.
        checked_on: the last day for which the source says that it held.
    """

    source: str
    checked_on: date | None = None
    input: float
    output: float
    cached_input: float | None = None
    cache_write: float | None = None


class ArmMoney(Record):
    """What the calls of one arm came to.

    Attributes:
        n_unknown: calls of which it is not known what they cost: cut off, or by a model without a price.
        usd: what is known, and the most that the others can have cost where their price is known.
        cached_share: of the tokens of its prompts, those that services took from a cache; ``None``: there were none.
    """

    n_calls: int = 0
    n_unknown: int = 0
    usd: float = 0.0
    cached_share: float | None = None


class Money(Record):
    """What all starts of a run paid to services. The machine's time is not in it.

    Attributes:
        budget_usd, max_calls: the caps; ``None``: none.
        allowed_usd: of ``budget_usd``, what this machine's time left for services.
        reached: calls were not made because of a cap.
        total: of all calls, those that were for no arm among them.
        arms: arm id → what its calls came to.
        prices: model → its price; ``None``: not known.
    """

    budget_usd: float | None = None
    allowed_usd: float | None = None
    max_calls: int | None = None
    reached: bool = False
    total: ArmMoney = ArmMoney()
    arms: dict[str, ArmMoney] = Field(default_factory=dict[str, ArmMoney])
    prices: dict[str, ModelPrice | None] = Field(default_factory=dict[str, ModelPrice | None])

"""What services charge for tokens: from the table of genai-prices as installed, or as a task file states it.

    usd = (uncached · input + cached · cached_input + written to the cache · cache_write
           + answered · output + reasoned · reasoning) / 10⁶ + per call

A rate that the table leaves out is that of the plain tokens of its side. Beyond some length of the prompt all tokens of the call
may cost more ("tiers"). Nothing is fetched: the table is part of the package, and a name that is not in it has no price.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from tuneworth.core.outcome import Usage

if TYPE_CHECKING:
    from genai_prices.types import ConditionalPrice, ModelInfo, ModelPrice, Provider

PROVIDERS = {
    "bedrock": "aws",
    "gemini": "google",
    "moonshot": "moonshotai",
    "voyage": "voyageai",
    "xai": "x-ai",
    "zhipu": "zhipuai",
}
"""Services whose name in front of a model differs from genai-prices' id of the provider."""
STATED = "task file"
_PER = 1e6
_DAY = re.compile(r"20\d\d-\d\d-\d\d")


@dataclass(frozen=True, slots=True)
class Rates:
    """US dollars per million tokens; ``call_usd`` per call. ``None``: as ``input``, or as ``output`` for reasoning.

    Attributes:
        batch_share: part of these that a call in a batch costs; ``None``: not known.
    """

    input: float
    output: float
    cached_input: float | None = None
    cache_write: float | None = None
    reasoning: float | None = None
    call_usd: float = 0.0
    batch_share: float | None = None

    def times(self, share: float) -> Rates:
        named = ("input", "output", "cached_input", "cache_write", "reasoning", "call_usd")
        known = {name: value for name in named if (value := getattr(self, name)) is not None}
        return Rates(**{name: share * value for name, value in known.items()})

    def usd(self, usage: Usage) -> float:
        reasoning = min(usage.reasoning_tokens, usage.completion_tokens)
        plain = max(0, usage.prompt_tokens - usage.cached_tokens - usage.cache_write_tokens)
        read = (
            plain * self.input
            + usage.cached_tokens * _or(self.cached_input, self.input)
            + usage.cache_write_tokens * _or(self.cache_write, self.input)
        )
        written = (usage.completion_tokens - reasoning) * self.output + reasoning * _or(self.reasoning, self.output)
        return (read + written) / _PER + self.call_usd

    def most_usd(self, prompt_tokens: int, max_completion_tokens: int) -> float:
        """All of the prompt, and all of the answer, at the dearest rate of its side."""
        read = max(self.input, _or(self.cached_input, 0.0), _or(self.cache_write, 0.0))
        written = max(self.output, _or(self.reasoning, 0.0))
        return (prompt_tokens * read + max_completion_tokens * written) / _PER + self.call_usd


Tiers = tuple[tuple[int, Rates], ...]
"""``(n, rates)``, ascending: the rates of a call whose prompt has more than ``n`` tokens; the first ``n`` is -1."""


@dataclass(frozen=True, slots=True)
class Price:
    """What one model of one service charges.

    Attributes:
        model: as the source calls it.
        source: where the price is from, with its version.
        checked_on: the last day for which the source says that the price held; ``None`` when it does not say.
        tiers: at the standard tier of service.
        batch: of batches; ``None`` where the source has no such price.
    """

    model: str
    source: str
    checked_on: date | None
    tiers: Tiers
    batch: Tiers | None = None

    def usd(self, usage: Usage, *, batch: bool = False) -> float:
        """What a call with ``usage`` costs, US dollars; a batch without a price of its own at the standard one."""
        return self._rates(usage.prompt_tokens, batch).usd(usage)

    def most_usd(self, prompt_tokens: int, max_completion_tokens: int, *, batch: bool = False) -> float:
        """The most that a call of no more tokens than these can cost."""
        reached = [rates for above, rates in self._of(batch) if prompt_tokens > above]
        return max(rates.most_usd(prompt_tokens, max_completion_tokens) for rates in reached)

    def rates(self, *, batch: bool = False) -> Rates:
        """Of a short prompt."""
        return self._of(batch)[0][1]

    def _of(self, batch: bool) -> Tiers:
        return self.batch if batch and self.batch is not None else self.tiers

    def _rates(self, prompt_tokens: int, batch: bool) -> Rates:
        return [rates for above, rates in self._of(batch) if prompt_tokens > above][-1]


def price_of(name: str, *, stated: Mapping[str, Rates] | None = None, provider: str | None = None) -> Price | None:
    """The price of a model of a service now; ``None`` where it is not known.

    Where a price depends on the hour, it is the dearest of the day.

    Args:
        name: as users write it: ``openai/gpt-6-luna``, or an address and a model, ``https://api.openai.com/v1#gpt-6-luna``.
        stated: prices that the user states, by such names; they come first.
        provider: id in genai-prices, in place of the one that ``name`` says.
    """
    if stated is not None and name in stated:
        rates, share = stated[name], stated[name].batch_share
        return Price(name, STATED, None, ((-1, rates),), None if share is None else ((-1, rates.times(share)),))
    address, _, model = name.partition("#") if "://" in name else ("", "", name)
    if not address and provider is None:
        provider, _, model = name.partition("/")
    return _looked_up(model, PROVIDERS.get(provider, provider) if provider else None, address) if model else None


@cache
def _looked_up(model: str, provider_id: str | None, address: str) -> Price | None:
    try:
        from genai_prices.data_snapshot import get_snapshot
    except ImportError:  # the extra is not installed: neither are the services' clients
        return None
    snapshot = get_snapshot()
    try:
        provider = snapshot.find_provider(None, provider_id, address or None)
    except LookupError:
        return None
    if provider_id is not None and provider.id != provider_id:  # matched by a part of its name
        return None
    found = provider.find_model(model, all_providers=snapshot.providers)
    return None if found is None else _price(found, provider)


def _price(model: ModelInfo, provider: Provider) -> Price | None:
    now, batch = datetime.now(UTC), {"processing": "batch"}
    standard = _dearest(model, now, None)
    if standard is None:
        return None
    cheaper = any(variant.when == batch for variant in model.price_variants or ())
    days = [date.fromisoformat(day) for day in _DAY.findall(model.price_comments or "")]
    days += [start for each in _conditions(model) if (start := getattr(each.constraint, "start_date", None))]
    return Price(
        model=f"{provider.id}/{model.id}",
        source=f"genai-prices {version('genai-prices')}",
        checked_on=max((day for day in days if day <= now.date()), default=None),
        tiers=standard,
        batch=_dearest(model, now, batch) if cheaper else None,
    )


def _conditions(model: ModelInfo) -> list[ConditionalPrice]:
    return model.prices if isinstance(model.prices, list) else []


def _dearest(model: ModelInfo, now: datetime, context: Mapping[str, str] | None) -> Tiers | None:
    """What holds now, and of prices that change within the day the one of the dearest hour."""
    changes = any(hasattr(each.constraint, "start_time") for each in _conditions(model))
    hours = [now.replace(hour=hour, minute=half) for hour in range(24) for half in (0, 30)] if changes else [now]
    found = [tiers for hour in hours if (tiers := _tiers(model.get_prices(hour, context))) is not None]
    return max(found, key=lambda tiers: tiers[-1][1].most_usd(1, 1), default=None)


def _tiers(prices: ModelPrice) -> Tiers | None:
    """``None`` for a model that is not paid for by tokens read."""
    rates = {
        "input": prices.input_mtok,
        "output": prices.output_mtok,
        "cached_input": prices.cache_read_mtok,
        "cache_write": prices.cache_write_mtok,
        "reasoning": prices.output_reasoning_mtok,
    }
    if rates["input"] is None:
        return None
    a_call = _at(prices.requests_kcount, -1)
    steps = sorted({-1, *(tier.start for rate in rates.values() for tier in getattr(rate, "tiers", ()))})
    return tuple((step, _rates_at(rates, step, (a_call or 0.0) / 1000)) for step in steps)


def _rates_at(rates: Mapping[str, Any], step: int, call_usd: float) -> Rates:
    known = {name: value for name, rate in rates.items() if (value := _at(rate, step)) is not None}
    return Rates(**{"output": 0.0, **known}, call_usd=call_usd)  # no price of answers: embeddings, decisions


def _at(rate: Any, step: int) -> float | None:
    """The rate (a number, or one with tiers) of a prompt of more than ``step`` tokens."""
    if rate is None or not hasattr(rate, "tiers"):
        return None if rate is None else float(rate)
    reached = [tier.price for tier in rate.tiers if tier.start <= step]
    return float([rate.base, *reached][-1])


def _or(rate: float | None, other: float) -> float:
    return other if rate is None else rate

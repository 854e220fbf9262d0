from __future__ import annotations

import socket
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneworth.core.outcome import Usage
from tuneworth.costs.prices import Rates, price_of

snapshot = pytest.importorskip("genai_prices.data_snapshot").get_snapshot()
MODELS = [
    (provider.id, model.id)
    for provider in snapshot.providers
    if provider.id in ("openai", "anthropic", "google", "deepseek", "mistral", "groq", "zhipuai", "moonshotai", "x-ai")
    for model in provider.models
]


def usages() -> st.SearchStrategy[Usage]:
    def made(prompt: int, cached: float, written: float, completion: int, reasoned: float) -> Usage:
        read = int(prompt * cached)
        return Usage(
            prompt_tokens=prompt,
            cached_tokens=read,
            cache_write_tokens=int((prompt - read) * written),
            completion_tokens=completion,
            reasoning_tokens=int(completion * reasoned),
        )

    share = st.floats(0, 1)
    return st.builds(made, st.integers(0, 400_000), share, share, st.integers(0, 50_000), share)


@settings(max_examples=200, deadline=None)
@given(model=st.sampled_from(MODELS), usage=usages(), batch=st.booleans())
def test_costs_what_the_table_itself_reckons(model: tuple[str, str], usage: Usage, batch: bool):
    from genai_prices import Usage as TheirUsage
    from genai_prices import calc_price

    price = price_of(model[1], provider=model[0])
    if price is None:
        return
    theirs = calc_price(
        TheirUsage(
            input_tokens=usage.prompt_tokens,
            cache_read_tokens=usage.cached_tokens,
            cache_write_tokens=usage.cache_write_tokens,
            output_tokens=usage.completion_tokens,
            output_reasoning_tokens=usage.reasoning_tokens,
        ),
        model[1],
        provider_id=model[0],
        genai_request_timestamp=datetime.now(UTC).replace(hour=12),
        price_context={"processing": "batch"} if batch else None,
    )
    expected = float(theirs.total_price)
    if theirs.model.id.startswith("deepseek"):  # by the hour: ours is the dearest
        assert price.usd(usage, batch=batch) >= expected - 1e-12
    else:
        assert price.usd(usage, batch=batch) == pytest.approx(expected, abs=1e-12)
    assert price.usd(usage, batch=batch) <= 1e-12 + price.most_usd(
        usage.prompt_tokens, usage.completion_tokens, batch=batch
    )


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("openai/gpt-6-luna", "openai/gpt-6-luna"),
        ("anthropic/claude-haiku-5-5-20261001", "anthropic/claude-haiku-5-5"),
        ("gemini/gemini-3.5-flash-lite", "google/gemini-3.5-flash-lite"),
        ("zhipu/glm-5", "zhipuai/GLM-5"),
        ("moonshot/kimi-k3", "moonshotai/kimi-k3"),
        ("openrouter/openai/gpt-6-luna", "openrouter/openai/gpt-6-luna"),
        ("azure/gpt-6-luna", "azure/gpt-6-luna"),
        ("https://api.openai.com/v1#gpt-6-luna", "openai/gpt-6-luna"),
    ],
)
def test_names_are_those_that_users_write(name: str, model: str):
    price = price_of(name)
    assert price is not None
    assert price.model == model
    assert price.source.startswith("genai-prices ")
    assert price.usd(Usage(prompt_tokens=1000)) > 0


@pytest.mark.parametrize(
    "name",
    [
        "openai/gpt-6-luna-made-up",
        "openai/",
        "ark/doubao-pro",
        "dashscope/qwen-plus",
        "not-openai/gpt-6-luna",
        "ollama/qwen3",
        "http://127.0.0.1:8000/v1#gpt-6-luna",
        "smollm2-135m",
        "openai/tts-1",
    ],
)
def test_unknown_stays_unknown(name: str):
    assert price_of(name) is None


def test_a_price_says_when_it_held_and_what_a_batch_costs():
    price = price_of("openai/gpt-6-luna")
    assert price is not None
    assert price.checked_on is not None
    assert date(2026, 1, 1) < price.checked_on <= datetime.now(UTC).date()
    usage = Usage(prompt_tokens=1000, cached_tokens=600, completion_tokens=50)
    assert price.batch is not None
    assert price.usd(usage, batch=True) == pytest.approx(price.usd(usage) / 2)
    without = price_of("moonshot/kimi-k3")
    assert without is not None
    assert without.batch is None
    assert without.usd(usage, batch=True) == without.usd(usage)


def test_a_stated_price_comes_first():
    stated = {"openai/gpt-6-luna": Rates(input=3, output=6, cached_input=1, cache_write=4)}
    price = price_of("openai/gpt-6-luna", stated=stated)
    assert price is not None
    usage = Usage(prompt_tokens=10, cached_tokens=4, cache_write_tokens=1, completion_tokens=3, reasoning_tokens=2)
    assert price.usd(usage) == pytest.approx((5 * 3 + 4 * 1 + 1 * 4 + 3 * 6) / 1e6)
    assert price.most_usd(10, 3) == pytest.approx((10 * 4 + 3 * 6) / 1e6)
    assert price.source == "task file"


def test_a_longer_prompt_may_cost_more_at_once():
    price = price_of("anthropic/claude-haiku-5-5")
    assert price is not None
    below, above = Usage(prompt_tokens=100_000), Usage(prompt_tokens=100_001)
    assert price.usd(above) > 4 * price.usd(below)
    assert price.most_usd(100_001, 0) >= price.usd(above)


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert price_of("openai/gpt-6-sol") is not None

"""Answers in the shapes that services document, from cassettes: text without thinking, and tokens that add up."""

from __future__ import annotations

import pytest
import vcr
from record_shapes import ADDRESS, FOLDER, MESSAGES, SHAPES

from tuneworth.core.outcome import Usage
from tuneworth.models.api.opening import open_chat_model
from tuneworth.testing.chat_models import asking

READ = {
    "openai": Usage(
        prompt_tokens=1400, cached_tokens=1024, cache_write_tokens=128, completion_tokens=70, reasoning_tokens=64
    ),
    "deepseek": Usage(prompt_tokens=1400, cached_tokens=1024, completion_tokens=70, reasoning_tokens=64),
    "moonshot": Usage(prompt_tokens=1400, cached_tokens=1024, completion_tokens=6),
    "mistral": Usage(prompt_tokens=1400, completion_tokens=70),
    "reasoning_beside_completion": Usage(prompt_tokens=1400, completion_tokens=70, reasoning_tokens=64),
    "anthropic": Usage(
        prompt_tokens=1400, cached_tokens=1024, cache_write_tokens=128, completion_tokens=70, reasoning_tokens=64
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_what_services_answer_is_read(name):
    messages = name == "anthropic"
    address = ADDRESS if messages else f"{ADDRESS}/v1"
    with vcr.use_cassette(str(FOLDER / f"{name}.yaml"), record_mode="none", match_on=["method", "uri"]) as tape:
        model = open_chat_model(f"{address}#m", services={address: MESSAGES if messages else {}})
        [done] = model.generate(asking(1), max_new_tokens=8)
        assert tape.all_played
    assert (done.text, done.finish_reason, done.usage) == ("bug", "stop", READ[name])

"""Adapters are switched on one base, whose own answers never change."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from plain_greedy import generate_plain

from tuneworth.core.task import Message
from tuneworth.errors import InputError
from tuneworth.models.base import Request
from tuneworth.models.local.model import LocalModel
from tuneworth.models.local.weights import detach_adapter

# peft asks transformers for a property by its old name
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")

TEXTS = ["card payment declined", "top up", "exchange rate and fee"]


def requests(adapter: str | None = None) -> list[Request]:
    head = Message("system", "the bank says that the transfer has not arrived yet")
    return [Request((head, Message("user", text)), adapter=adapter, n_shared=1) for text in TEXTS]


def answers(model: LocalModel, adapter: str | None = None) -> list[str]:
    return [one.text for one in model.generate(requests(adapter), max_new_tokens=8)]


@pytest.fixture
def lora(tiny_folder: Path, tmp_path: Path) -> Path:
    return make_lora(tiny_folder, tmp_path / "lora", seed=1)


def make_lora(base: Path, folder: Path, seed: int) -> Path:
    """A random adapter, saved by peft itself."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(seed)
    config = LoraConfig(r=4, lora_alpha=16, target_modules=["q_proj", "v_proj", "down_proj"], init_lora_weights=False)
    get_peft_model(AutoModelForCausalLM.from_pretrained(base), config).save_pretrained(folder)
    return folder


def test_an_adapter_answers_as_peft_does(tiny: LocalModel, tiny_folder: Path, lora: Path):
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    tiny.load_adapter("a", lora)
    found = answers(tiny, "a")
    tiny.module = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(tiny_folder), lora)
    expected = [tiny.chat.decode(tokens) for tokens in generate_plain(tiny, requests(), 8)]
    assert found == expected


def test_the_base_is_unchanged_by_adapters(tiny: LocalModel, tiny_folder: Path, lora: Path, tmp_path: Path):
    before = answers(tiny)
    tiny.load_adapter("a", lora)
    tiny.load_adapter("b", make_lora(tiny_folder, tmp_path / "other", seed=2))
    first = answers(tiny, "a")
    assert answers(tiny) == before
    assert answers(tiny, "b") != first
    assert answers(tiny, "a") == first != before


def test_requests_of_different_adapters_mix_in_one_call(tiny: LocalModel, lora: Path):
    tiny.load_adapter("a", lora)
    mixed = [request for pair in zip(requests(), requests("a")) for request in pair]
    found = [one.text for one in tiny.generate(mixed, max_new_tokens=8)]
    assert found[::2] == answers(tiny)
    assert found[1::2] == answers(tiny, "a")


def test_loading_a_name_again_replaces_the_adapter_and_its_cached_prefixes(
    tiny: LocalModel, tiny_folder: Path, lora: Path, tmp_path: Path
):
    other = make_lora(tiny_folder, tmp_path / "other", seed=2)
    tiny.load_adapter("b", other)
    expected = answers(tiny, "b")
    tiny.load_adapter("a", lora)
    assert answers(tiny, "a") != expected
    tiny.load_adapter("a", other)
    assert answers(tiny, "a") == expected


def test_an_adapter_that_a_training_unwrapped_is_attached_again(tiny: LocalModel, lora: Path):
    tiny.load_adapter("a", lora)
    expected = answers(tiny, "a")
    detach_adapter(tiny.module, "a")
    assert answers(tiny, "a") == expected


def test_an_unknown_adapter_is_an_error(tiny: LocalModel):
    with pytest.raises(KeyError, match="no adapter 'nope'"):
        tiny.generate(requests("nope"), max_new_tokens=2)


def test_a_folder_without_safetensors_is_refused(tiny: LocalModel, tmp_path: Path):
    (tmp_path / "adapter_model.bin").write_bytes(b"")
    with pytest.raises(InputError, match=r"adapter_model\.safetensors"):
        tiny.load_adapter("a", tmp_path)

"""What the engine promises besides the right tokens."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tiny_models import WORDS, make_tiny, open_exact

from tuneworth.core.task import Message
from tuneworth.errors import InputError
from tuneworth.models.base import Constraint, Request
from tuneworth.models.local import generate as engine
from tuneworth.models.local import load
from tuneworth.models.local.model import LocalModel


def request(text: str, constraint: Constraint | None = None) -> Request:
    return Request(
        (Message("system", "the bank says that it is pending"), Message("user", text)), constraint, n_shared=1
    )


MANY = [request(" ".join(WORDS[start : start + length])) for start in range(8) for length in (1, 4, 11)]


def test_a_prompt_beyond_the_context_is_an_answer_and_not_an_exception(tiny: LocalModel):
    long = request(" ".join(WORDS * 30))
    found = tiny.generate([request("card"), long, request("cash")], max_new_tokens=4)
    assert [one.finish_reason == "over_context" for one in found] == [False, True, False]
    assert found[1].text == ""
    assert found[1].usage.prompt_tokens > 512
    assert "reads 512" in (found[1].error or "")


def test_a_completion_ends_with_the_context(tiny: LocalModel):
    text = "card"
    while len(tiny.encode_chat(request(text).messages, add_generation_prompt=True)) < 505:
        text += " card"
    (found,) = tiny.generate([request(text)], max_new_tokens=200)
    assert found.usage.prompt_tokens + found.usage.completion_tokens <= 512


def test_few_rows_at_a_time_give_the_same(tiny: LocalModel, monkeypatch: pytest.MonkeyPatch):
    expected = [one.text for one in tiny.generate(MANY, max_new_tokens=16)]
    monkeypatch.setattr(engine, "MAX_ROWS", 5)
    monkeypatch.setattr(engine, "PREFILL_TOKENS", 16)
    tiny.forget_prefixes()
    assert [one.text for one in tiny.generate(MANY, max_new_tokens=16)] == expected


def test_the_order_of_requests_does_not_matter_to_the_bit(tiny: LocalModel, monkeypatch: pytest.MonkeyPatch):
    seen: list[torch.Tensor] = []
    pick = engine.pick
    monkeypatch.setattr(
        engine, "pick", lambda row, logits, *rest: (seen.append(logits.clone()), pick(row, logits, *rest))
    )
    tiny.generate(MANY, max_new_tokens=6)
    forwards, seen[:] = torch.stack(seen), []
    tiny.generate(MANY[::-1], max_new_tokens=6)
    assert torch.equal(forwards, torch.stack(seen))


def test_finished_rows_leave_the_batch(tiny: LocalModel, monkeypatch: pytest.MonkeyPatch):
    sizes: list[int] = []
    step = engine._Loop.step

    def counted(self, first: int) -> None:
        sizes.append(len(self.living) - first)
        step(self, first)

    monkeypatch.setattr(engine._Loop, "step", counted)
    found = tiny.generate(MANY, max_new_tokens=40)
    assert sum(sizes) == sum(one.usage.completion_tokens for one in found)


def test_a_shared_prefix_is_computed_once(tiny: LocalModel, monkeypatch: pytest.MonkeyPatch):
    from tuneworth.models.local import model

    computed: list[int] = []
    compute = model.compute_prefix
    monkeypatch.setattr(
        model, "compute_prefix", lambda module, ids: (computed.append(len(ids)), compute(module, ids))[1]
    )
    tiny.generate(MANY, max_new_tokens=2)
    tiny.generate(MANY[:3], max_new_tokens=2)
    assert len(computed) == 1


def test_labels_are_never_cut_short(tiny: LocalModel):
    labels = ("card payment declined at a shop", "cash machine")
    found = tiny.generate([request("card", Constraint(labels=labels))], max_new_tokens=1)
    assert found[0].text in labels


def test_the_module_is_left_as_it_was_found(tiny: LocalModel):
    tiny.module.train()
    tiny.generate(MANY[:2], max_new_tokens=2)
    assert tiny.module.training
    assert tiny.module.config._attn_implementation == "eager"
    ids = torch.tensor([tiny.encode_chat(MANY[0].messages, add_generation_prompt=True)])
    tiny.module(ids, labels=ids).loss.backward()
    assert tiny.module.get_input_embeddings().weight.grad is not None


def test_latencies_add_up_to_less_than_the_call(tiny: LocalModel):
    import time

    begun = time.perf_counter()
    found = tiny.generate(MANY, max_new_tokens=8)
    assert 0 < sum(one.latency_ms for one in found) <= (time.perf_counter() - begun) * 1000


def test_the_description_names_how_it_ran(tiny: LocalModel):
    described = tiny.describe()
    assert described["dtype"] == "float32"
    assert described["generation"] == "shared prefix, packed"
    assert len(described["weights_sha256"]) == 64


def test_a_model_that_attends_in_another_way_is_found_out(tiny: LocalModel, monkeypatch: pytest.MonkeyPatch):
    assert load.suits_packed_attention(tiny.module)
    last_hidden = load.last_hidden
    monkeypatch.setattr(load, "last_hidden", lambda *given: last_hidden(*given) * 1.01)
    assert not load.suits_packed_attention(tiny.module)


def test_a_base_model_without_a_template_works(tmp_path: Path):
    model = open_exact(make_tiny(tmp_path / "base", "llama", template=None))
    found = model.generate([request("card", Constraint(labels=("card", "cash")))], max_new_tokens=4)
    assert found[0].text in ("card", "cash")


@pytest.mark.parametrize("content", [{}, {"config.json": "{}", "pytorch_model.bin": ""}])
def test_a_folder_that_is_no_model_is_refused(tmp_path: Path, content: dict[str, str]):
    for name, text in content.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=r"config\.json|safetensors"):
        load.open_local(tmp_path)

"""Only the upper layers learn: what the others make of a row is computed once, and nothing else changes."""

# pyright: reportArgumentType=false, reportCallIssue=false, reportOptionalMemberAccess=false, reportAttributeAccessIssue=false

from __future__ import annotations

import pytest
import torch
from test_train import QUICK, adapter, assert_same_weights, make_examples, make_questions, weights_of
from tiny_models import make_tiny, open_exact

from tuneworth.core.task import Message
from tuneworth.models.base import Request
from tuneworth.models.local import loss as losses
from tuneworth.models.local import lower
from tuneworth.models.local.batches import encode, shared_prefix
from tuneworth.models.local.loss import CompletionLoss
from tuneworth.models.local.weights import lora_weights

UPPER = QUICK.model_copy(update={"layers": "upper_third"})
FAMILIES = ["llama", "qwen2", "qwen3", "mistral", "gemma2", "gemma3_text"]


def test_the_upper_third_has_at_least_one_layer():
    assert [lower.upper_third(n) for n in (1, 2, 3, 6, 30)] == [0, 1, 2, 4, 20]


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("with_prefix", [False, True])
@pytest.mark.parametrize("rows_of", [make_examples, make_questions], ids=["alone", "packed"])
def test_loss_and_gradients_are_those_of_all_layers(tiny, monkeypatch, attention, with_prefix, rows_of):
    monkeypatch.setattr(tiny.module.config, "_attn_implementation", attention)
    rows = encode(tiny, rows_of(11), 512)
    prefix = shared_prefix(rows) if with_prefix else ()
    with lora_weights(tiny, rank=4, alpha=8, dropout=0.0, seed=1, first_layer=2) as learning:
        assert all(".layers.2." in name for name in learning.weights)
        torch.manual_seed(3)
        for weight in learning.weights.values():
            weight.data.normal_(0, 0.1)
        found = []
        for first in (0, 2):
            loss = CompletionLoss(learning.module, prefix, rows, autocast=None, first_layer=first)
            assert (loss.lower is not None) == (first > 0)
            for _ in range(2):  # the second time from what was kept
                total = sum(loss(part) for part in loss.parts(rows, 10_000, 10_000))
                found.append((float(total.detach()), torch.autograd.grad(total, list(learning.weights.values()))))
    (expected, gradients), *others = found
    for value, other in others:
        assert value == pytest.approx(expected, rel=1e-5)
        for a, b in zip(gradients, other, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-5)


def test_a_training_ends_with_the_weights_of_one_that_keeps_nothing(tiny, tmp_path, monkeypatch):
    before, examples, dev = weights_of(tiny), make_examples(24), make_examples(8, start=100)
    kept = tiny.train(examples, dev, UPPER, tmp_path / "kept")
    assert_same_weights(before, weights_of(tiny))
    monkeypatch.setattr(losses.CompletionLoss, "_keep_lower", lambda *_: None)
    plain = tiny.train(examples, dev, UPPER, tmp_path / "plain")
    assert (kept.details["lower_layers_kept"], plain.details["lower_layers_kept"]) == (True, False)
    assert [loss for _, loss in kept.dev_losses] == pytest.approx([loss for _, loss in plain.dev_losses], rel=1e-4)
    assert adapter(kept).keys() == adapter(plain).keys()
    assert all(".layers.2." in name for name in adapter(kept))
    for name, weight in adapter(kept).items():
        torch.testing.assert_close(weight, adapter(plain)[name], rtol=1e-2, atol=1e-3)
    tiny.load_adapter("upper", kept.folder)
    asked = Request((Message("system", "the bank says"), Message("user", "card")), adapter="upper")
    base = Request(asked.messages)
    tuned, plain = tiny.generate([asked, base], max_new_tokens=8)
    assert tuned.text != plain.text


def test_rows_beyond_the_memory_are_computed_each_time(tiny, tmp_path, monkeypatch):
    examples = make_examples(12)
    kept = tiny.train(examples, [], UPPER, tmp_path / "kept")
    monkeypatch.setattr(lower, "KEPT_BYTES", 4 * 48 * 60)  # of some sixty tokens
    few = tiny.train(examples, [], UPPER, tmp_path / "few")
    for name, weight in adapter(few).items():
        torch.testing.assert_close(weight, adapter(kept)[name], rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_whose_layers_cannot_stand_alone_does_without(tmp_path, family):
    """Whatever the family: the loss is that of the model, whether the lower layers are kept or not."""
    model = open_exact(make_tiny(tmp_path / family, family))
    rows = encode(model, make_examples(8), 512)
    with torch.no_grad():
        plain, ours = (
            CompletionLoss(model.module, shared_prefix(rows), rows, autocast=None, first_layer=first)
            for first in (0, 2)
        )
        expected, found = (
            sum(float(loss(part)) for part in loss.parts(rows, 10_000, 10_000)) for loss in (plain, ours)
        )
    assert found == pytest.approx(expected, rel=1e-3)
    assert ours.lower is not None or family in ("gemma2", "gemma3_text")

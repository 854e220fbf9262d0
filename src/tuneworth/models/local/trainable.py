"""The weights a training moves, put on a model and taken off again without a trace.

``lora`` wraps the linear layers of the loaded model (peft) and afterwards puts the very same layer
objects back; the base weights are never written. ``full`` loads a second copy of the model from its
folder, in float32, and leaves the first alone.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from tuneworth.core.text import Text
from tuneworth.errors import InputError, Problem

if TYPE_CHECKING:
    from tuneworth.models.local.model import LocalModel

_ADAPTER = "in_training"


@dataclass
class Trainable:
    """A module and its weights that learn.

    Attributes:
        weights: name → parameter, float32.
        compute_dtype: what the engine runs the model in.
        lora: the adapter's peft configuration; ``None`` when all weights learn.
    """

    module: Any
    weights: dict[str, nn.Parameter]
    compute_dtype: torch.dtype
    tokenizer: Any
    lora: Any = None

    @property
    def autocast(self) -> torch.dtype | None:
        """What matrix products are computed in, where that is less than float32."""
        return self.compute_dtype if self.compute_dtype in (torch.bfloat16, torch.float16) else None

    def state(self) -> dict[str, torch.Tensor]:
        return {name: weight.detach().cpu() for name, weight in self.weights.items()}

    def dropout(self, on: bool) -> None:
        """Switch the adapter's dropout, the only one that is ever on."""
        for path, part in self.module.named_modules():
            if f".lora_dropout.{_ADAPTER}" in path:
                part.train(on)

    @torch.no_grad()
    def load(self, state: dict[str, torch.Tensor]) -> None:
        for name, weight in self.weights.items():
            weight.copy_(state[name])

    def save(self, folder: Path) -> None:
        """Write an adapter folder (peft) or a model folder."""
        from safetensors.torch import save_file

        folder.mkdir(parents=True, exist_ok=True)
        if self.lora is None:
            self.module.to(self.compute_dtype).save_pretrained(folder)
            self.tokenizer.save_pretrained(folder)
            return
        # peft reads names without the adapter's own, under its wrapper's prefix
        state = {
            f"base_model.model.{name.replace(f'.{_ADAPTER}.', '.')}": value.contiguous()
            for name, value in self.state().items()
        }
        save_file(state, folder / "adapter_model.safetensors", metadata={"format": "pt"})
        self.lora.save_pretrained(folder)


@contextlib.contextmanager
def lora_weights(model: LocalModel, *, rank: int, alpha: int, dropout: float, seed: int) -> Iterator[Trainable]:
    """The loaded model with a fresh adapter on every linear layer but the output layer.

    Raises:
        InputError: the model has no linear layers to adapt.
    """
    from peft import LoraConfig, inject_adapter_in_model

    module = model.module
    targets = _linear_layers(module)
    if not targets:
        raise InputError(
            Problem(model.id, Text(en="has no linear layers that LoRA can adapt", zh="没有可供 LoRA 适配的线性层"))
        )
    config = LoraConfig(
        r=rank,
        lora_alpha=alpha,
        lora_dropout=dropout,
        target_modules=sorted({path.rpartition(".")[2] for path in targets}),
        task_type="CAUSAL_LM",
        base_model_name_or_path=model.id,
    )
    with _as_it_was(module, targets), torch.random.fork_rng(_cuda_devices(module)):
        torch.manual_seed(seed)
        for path, base in targets.items():
            _replace(module, path, base)
        inject_adapter_in_model(config, module, adapter_name=_ADAPTER)
        weights = {name: weight for name, weight in module.named_parameters() if f".{_ADAPTER}." in name}
        for name, weight in module.named_parameters():
            weight.requires_grad_(name in weights)
        for weight in weights.values():
            weight.data = weight.data.float()
        yield Trainable(module, weights, model.dtype, model.tokenizer, lora=config)


@contextlib.contextmanager
def full_weights(model: LocalModel) -> Iterator[Trainable]:
    """A float32 copy of the model, all of it to be trained."""
    from transformers import AutoModelForCausalLM

    module: Any = AutoModelForCausalLM.from_pretrained(
        model.folder,
        dtype=torch.float32,
        attn_implementation=model.attention,
        use_safetensors=True,
        local_files_only=True,
    )
    module.to(model.device).eval()
    yield Trainable(module, dict(module.named_parameters()), model.dtype, model.tokenizer)


def _linear_layers(module: nn.Module) -> dict[str, nn.Linear]:
    """Path → linear layer, looking through adapters that are already there; without the output layer."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    head = module.get_output_embeddings()  # type: ignore[operator]
    found: dict[str, nn.Linear] = {}
    inside: list[str] = []
    for path, layer in module.named_modules():
        if any(path.startswith(f"{outer}.") for outer in inside):
            continue
        base = layer.get_base_layer() if isinstance(layer, BaseTunerLayer) else layer
        if isinstance(layer, BaseTunerLayer):
            inside.append(path)
        if isinstance(base, nn.Linear) and base is not head:
            found[path] = base
    return found


def _replace(module: nn.Module, path: str, layer: nn.Module) -> None:
    parent, _, name = path.rpartition(".")
    setattr(module.get_submodule(parent), name, layer)


@contextlib.contextmanager
def _as_it_was(module: nn.Module, paths: dict[str, nn.Linear]) -> Iterator[None]:
    """Afterwards: the same layer objects, flags and modes as before, whatever happened in between."""
    layers = {path: module.get_submodule(path) for path in paths}
    flags = [(weight, weight.requires_grad) for weight in module.parameters()]
    adapters = module.__dict__.get("peft_config")
    modes = [(part, part.training) for part in module.modules()]
    module.__dict__.pop("peft_config", None)
    module.eval()  # a base model's own dropout stays off
    try:
        yield
    finally:
        for path, layer in layers.items():
            _replace(module, path, layer)
        module.__dict__.pop("peft_config", None)
        if adapters is not None:
            module.__dict__["peft_config"] = adapters
        for weight, flag in flags:
            weight.requires_grad_(flag)
        for part, mode in modes:
            part.training = mode


def _cuda_devices(module: Any) -> list[int]:
    return [module.device.index or 0] if module.device.type == "cuda" else []

"""What is put on a loaded model without a trace: adapters that answer, weights that a training moves, and what it leaves on the disk.

The base weights are never written. Which adapter a forward pass uses is switched per call (``active_adapter``), and with none
active the base answers exactly as if no adapter had ever been loaded.

``lora`` wraps the linear layers of the loaded model (peft) and afterwards puts the very same layer
objects back; the base weights are never written. ``full`` loads a second copy of the model from its
folder, in float32, and leaves the first alone.
"""

from __future__ import annotations

import contextlib
import json
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from tuneworth.errors import InputError, Problem
from tuneworth.models.base import TrainResult
from tuneworth.models.local.cache import disk_problems, sync
from tuneworth.words.say import say

if TYPE_CHECKING:
    from tuneworth.models.local.model import LocalModel


def attach_adapter(module: Any, name: str, folder: Path) -> None:
    """Load the adapter saved in ``folder`` into ``module`` as ``name``, replacing one of that name.

    Raises:
        InputError: ``folder`` holds no adapter in safetensors.
    """
    from peft import PeftConfig, inject_adapter_in_model, set_peft_model_state_dict
    from safetensors.torch import load_file

    weights = folder / "adapter_model.safetensors"
    missing = [path.name for path in (weights, folder / "adapter_config.json") if not path.is_file()]
    if missing:
        files = ", ".join(missing)
        raise InputError(Problem(str(folder), say("models.folder.no_adapter", files=files)))
    detach_adapter(module, name)
    config = PeftConfig.from_pretrained(str(folder))
    config.inference_mode = True
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Already found a `peft_config`")  # several adapters are meant
        inject_adapter_in_model(config, module, adapter_name=name)
    set_peft_model_state_dict(module, load_file(weights), adapter_name=name)
    for layer in _adapted_layers(module):
        layer.enable_adapters(False)


def detach_adapter(module: Any, name: str) -> None:
    """Remove the adapter ``name``, if it is there."""
    for layer in _adapted_layers(module):
        if name in _adapter_names(layer):
            layer.set_adapter([one for one in layer.active_adapters if one != name])
            layer.delete_adapter(name)
    getattr(module, "peft_config", {}).pop(name, None)


def has_adapter(module: Any, name: str) -> bool:
    return any(name in _adapter_names(layer) for layer in _adapted_layers(module))


@contextmanager
def active_adapter(module: Any, name: str | None) -> Iterator[None]:
    """While open, ``module`` answers with adapter ``name`` (``None``: as the base); afterwards as before."""
    before = [(layer, list(layer.active_adapters), layer.disable_adapters) for layer in _adapted_layers(module)]
    try:
        for layer, _, _ in before:
            layer.enable_adapters(name is not None and name in _adapter_names(layer))
            if name is not None and name in _adapter_names(layer):
                layer.set_adapter(name)
        yield
    finally:
        for layer, names, disabled in before:
            layer.set_adapter(names)
            layer.enable_adapters(not disabled)


def _adapted_layers(module: Any) -> list[Any]:
    from peft.tuners.tuners_utils import BaseTunerLayer

    return [layer for layer in module.modules() if isinstance(layer, BaseTunerLayer)]


def _adapter_names(layer: Any) -> set[str]:
    return {name for kind in layer.adapter_layer_names for name in getattr(layer, kind)}


_IN_TRAINING = "in_training"


@dataclass
class Learning:
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
            if f".lora_dropout.{_IN_TRAINING}" in path:
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
            f"base_model.model.{name.replace(f'.{_IN_TRAINING}.', '.')}": value.contiguous()
            for name, value in self.state().items()
        }
        save_file(state, folder / "adapter_model.safetensors", metadata={"format": "pt"})
        self.lora.save_pretrained(folder)


@contextlib.contextmanager
def lora_weights(
    model: LocalModel, *, rank: int, alpha: int, dropout: float, seed: int, first_layer: int = 0
) -> Iterator[Learning]:
    """The loaded model with a fresh adapter on every linear layer but the output layer, from block ``first_layer`` on.

    Raises:
        InputError: the model has no linear layers to adapt.
    """
    from peft import LoraConfig, inject_adapter_in_model

    module = model.module
    targets = _linear_layers(module)
    if not targets:
        raise InputError(Problem(model.id, say("models.training.no_layers")))
    config = LoraConfig(
        r=rank,
        lora_alpha=alpha,
        lora_dropout=dropout,
        target_modules=_adapted(module, targets, first_layer),
        task_type="CAUSAL_LM",
        base_model_name_or_path=model.id,
    )
    with _as_it_was(module, targets), torch.random.fork_rng(_cuda_devices(module)):
        torch.manual_seed(seed)
        for path, base in targets.items():
            _replace(module, path, base)
        inject_adapter_in_model(config, module, adapter_name=_IN_TRAINING)
        weights = {name: weight for name, weight in module.named_parameters() if f".{_IN_TRAINING}." in name}
        for name, weight in module.named_parameters():
            weight.requires_grad_(name in weights)
        for weight in weights.values():
            weight.data = weight.data.float()
        yield Learning(module, weights, model.dtype, model.tokenizer, lora=config)


def _adapted(module: Any, targets: Iterable[str], first_layer: int) -> list[str]:
    """What peft is to look for: the names of the layers, or the whole paths of those in the upper blocks."""
    if not first_layer:
        return sorted({path.rpartition(".")[2] for path in targets})
    names = {id(part): name for name, part in module.named_modules()}
    blocks = tuple(f"{names[id(block)]}." for block in module.base_model.layers[first_layer:])
    return sorted(path for path in targets if path.startswith(blocks))


@contextlib.contextmanager
def full_weights(model: LocalModel) -> Iterator[Learning]:
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
    yield Learning(module, dict(module.named_parameters()), model.dtype, model.tokenizer)


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


RESULT = "training.json"


def write_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Replace the checkpoint at ``path``.

    Raises:
        EnvironmentProblem: the disk is full or cannot be written.
    """
    part = path.with_name(path.name + ".part")
    with disk_problems(path):
        torch.save(state, part)
        sync(part)
        part.replace(path)
        sync(path.parent)


def read_checkpoint(path: Path, key: str) -> dict[str, Any] | None:
    """The state saved under ``key`` (what the training is about), or ``None``: absent, damaged, of another training."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # torch reads a damaged file to its own surprise: KeyError, EOFError, IndexError, …
        return None
    return state if isinstance(state, dict) and state.get("key") == key else None


def write_result(folder: Path, key: str, result: TrainResult) -> None:
    part = folder / "training.part"
    part.write_text(json.dumps({"key": key, "result": asdict(result)}, indent=2), encoding="utf-8")
    part.replace(folder / RESULT)


def read_result(folder: Path, key: str) -> TrainResult | None:
    """The result of the training ``key`` if it was finished in ``folder``."""
    try:
        saved = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if saved.get("key") != key:
        return None
    result = saved["result"]
    result["dev_losses"] = tuple((step, loss) for step, loss in result["dev_losses"])
    return TrainResult(**result)

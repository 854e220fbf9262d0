"""Adapters on one loaded base model.

Adapter layers are put around the base layers (peft); the base weights are never written. Which adapter
a forward pass uses is switched per call, and with none active the base answers exactly as if no
adapter had ever been loaded.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tuneworth.core.text import Text
from tuneworth.errors import InputError, Problem


def attach(module: Any, name: str, folder: Path) -> None:
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
        raise InputError(
            Problem(str(folder), Text(en=f"not an adapter: no {files} in it", zh=f"不是适配器目录：缺少 {files}"))
        )
    detach(module, name)
    config = PeftConfig.from_pretrained(str(folder))
    config.inference_mode = True
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Already found a `peft_config`")  # several adapters are meant
        inject_adapter_in_model(config, module, adapter_name=name)
    set_peft_model_state_dict(module, load_file(weights), adapter_name=name)
    for layer in _layers(module):
        layer.enable_adapters(False)


def detach(module: Any, name: str) -> None:
    """Remove the adapter ``name``, if it is there."""
    for layer in _layers(module):
        if name in _names(layer):
            layer.set_adapter([one for one in layer.active_adapters if one != name])
            layer.delete_adapter(name)
    getattr(module, "peft_config", {}).pop(name, None)


def has_adapter(module: Any, name: str) -> bool:
    return any(name in _names(layer) for layer in _layers(module))


@contextmanager
def active(module: Any, name: str | None) -> Iterator[None]:
    """While open, ``module`` answers with adapter ``name`` (``None``: as the base); afterwards as before."""
    before = [(layer, list(layer.active_adapters), layer.disable_adapters) for layer in _layers(module)]
    try:
        for layer, _, _ in before:
            layer.enable_adapters(name is not None and name in _names(layer))
            if name is not None and name in _names(layer):
                layer.set_adapter(name)
        yield
    finally:
        for layer, names, disabled in before:
            layer.set_adapter(names)
            layer.enable_adapters(not disabled)


def _layers(module: Any) -> list[Any]:
    from peft.tuners.tuners_utils import BaseTunerLayer

    return [layer for layer in module.modules() if isinstance(layer, BaseTunerLayer)]


def _names(layer: Any) -> set[str]:
    return {name for kind in layer.adapter_layer_names for name in getattr(layer, kind)}

"""Opening a causal language model from a Hugging Face folder.

Weights come from safetensors only and no code comes from the folder. How to compute (dtype, attention)
is chosen by ``probe`` unless given; whether the engine's own attention suits the model is tried out.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from tuneworth.core.text import Text
from tuneworth.errors import InputError, Problem
from tuneworth.models.local.generate import Row, compute_prefix, last_hidden
from tuneworth.models.local.model import LocalModel
from tuneworth.models.local.probe import Choice, choose

TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 6e-2, torch.float16: 1e-2}
"""Largest relative difference of hidden states that rounding explains."""


def open_local(
    folder: Path | str,
    *,
    model_id: str | None = None,
    device: str | None = None,
    dtype: torch.dtype | None = None,
    attention: str | None = None,
) -> LocalModel:
    """Open the model saved in ``folder``.

    Args:
        device: ``cpu`` or ``cuda``; the GPU if there is one.
        dtype, attention: chosen by a short probe where not given.

    Raises:
        InputError: the folder holds no model, or its weights are not safetensors.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    folder = Path(folder)
    check_folder(folder)
    logging.disable_progress_bar()  # a library does not print
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    module: Any = AutoModelForCausalLM.from_pretrained(
        folder, dtype="auto", use_safetensors=True, local_files_only=True
    )
    choice = None
    if dtype is None or attention is None:
        choice = choose(module.get_decoder().config, device, module.num_parameters())
        dtype, attention = dtype or getattr(torch, choice.dtype), attention or choice.attention
    if getattr(module.get_decoder().config, "attn_logit_softcapping", None):
        attention = "eager"  # sdpa cannot cap scores
    module.eval().to(device=device, dtype=dtype)
    module.set_attn_implementation(attention)
    return LocalModel(
        folder,
        module,
        tokenizer,
        model_id=model_id or folder.name,
        attention=attention,
        packed=suits_packed_attention(module),
        probe=_probe_record(choice),
    )


def check_folder(folder: Path) -> None:
    """Refuse a folder that is not a model, before any library reads it.

    Raises:
        InputError: see ``open_local``.
    """
    if not (folder / "config.json").is_file():
        raise InputError(Problem(str(folder), Text(en="no config.json in it", zh="目录中没有 config.json")))
    if not any(folder.glob("*.safetensors")):
        message = Text(
            en="no .safetensors weights in it; other formats can run code when they are opened and are not read",
            zh="目录中没有 .safetensors 权重；其他格式在打开时可能执行代码，因此不予加载",
        )
        raise InputError(Problem(str(folder), message))


def suits_packed_attention(module: Any) -> bool:
    """Try the engine's attention against the model's own on a few tokens, prefix and all.

    Models with other layers than attention, or with position codes that depend on the longest row of
    a batch, are not tried.
    """
    config = module.get_decoder().config
    layers = set(getattr(config, "layer_types", None) or ["full_attention"])
    rope = str(getattr(config, "rope_parameters", None) or {})
    if layers - {"full_attention", "sliding_attention"} or "dynamic" in rope or "longrope" in rope:
        return False
    if not getattr(module, "_supports_attention_backend", False):
        return False
    ids = [(7 * i * i + 3) % config.vocab_size for i in range(1, 25)]
    with torch.no_grad():
        expected = module.get_decoder()(
            input_ids=torch.tensor([ids], device=module.device), use_cache=False
        ).last_hidden_state[0, [-1, -5]]
    prefix = compute_prefix(module, ids[:12])
    found = last_hidden(module, [Row(0, ids, 12, 1), Row(1, ids[:-4], 12, 1)], prefix)
    error = (found - expected).norm() / expected.norm()
    return bool(error < TOLERANCE.get(module.dtype, 1e-2))


def _probe_record(choice: Choice | None) -> dict[str, Any]:
    return {} if choice is None else asdict(choice)

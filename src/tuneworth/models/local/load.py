"""Opening a causal language model from a Hugging Face folder, and finding out how to run it on this machine.

Weights come from safetensors only and no code comes from the folder. How to compute (dtype, attention)
is chosen by a second of measuring with the model's own shapes unless given: matrix products in float32 and bfloat16, and one
attention layer forward and backward, eager and sdpa, as a training batch has it. Processors differ widely here: one with
AMX runs bfloat16 eight times as fast as float32, one without it half as fast. The answer is kept in the cache folder, per
machine, library version and model shape, so that a resumed run goes on with the same choice. Whether the engine's own
attention suits the model is tried out.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch

from tuneworth.errors import InputError, Problem
from tuneworth.models.local.cache import cache_home
from tuneworth.models.local.generate import Row, compute_prefix, last_hidden
from tuneworth.models.local.model import LocalModel
from tuneworth.words.say import say

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
        raise InputError(Problem(str(folder), say("models.folder.no_config")))
    if not any(folder.glob("*.safetensors")):
        raise InputError(Problem(str(folder), say("models.folder.no_weights")))


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


MIN_GAIN = 1.2
"""bfloat16 has to be this much faster than float32 on a CPU to be worth its lost digits."""
BATCHES = {"prefill": (1024, 0.5), "decode": (32, 0.5)}
"""Tokens of a matrix product, and its weight in the choice."""


@dataclass(frozen=True)
class Choice:
    """What the probe chose, and the milliseconds it saw (empty when there was nothing to choose)."""

    dtype: str
    attention: str
    measured_ms: dict[str, float]


def choose(config: Any, device: str, n_parameters: int) -> Choice:
    """The choice for a model, measured now or on an earlier day.

    Args:
        config: the text model's configuration.
    """
    path = cache_home() / "probes" / f"{_key(config, device)}.json"
    with contextlib.suppress(OSError, ValueError, TypeError):
        return Choice(**json.loads(path.read_text(encoding="utf-8")))
    choice = _measure(config, device, n_parameters)
    # Without a writable cache the probe is run again next time; the choice is in the run record either way.
    with contextlib.suppress(OSError):
        _write(path, json.dumps(asdict(choice)))
    return choice


def _measure(config: Any, device: str, n_parameters: int) -> Choice:
    measured: dict[str, float] = {}
    if device != "cpu":
        dtype = "bfloat16" if torch.cuda.is_bf16_supported() else "float32"
    else:
        for name in ("float32", "bfloat16"):
            measured[name] = sum(
                weight * _matmul_ms(config, getattr(torch, name), tokens) / tokens
                for tokens, weight in BATCHES.values()
            )
        faster = measured["float32"] >= MIN_GAIN * measured["bfloat16"]
        dtype = "bfloat16" if faster or not _fits(4 * n_parameters) else "float32"
    for name in ("eager", "sdpa"):
        measured[name] = _attention_ms(config, getattr(torch, dtype), device, name)
    attention = min(("eager", "sdpa"), key=lambda name: measured[name])
    return Choice(dtype, attention, {name: round(ms, 4) for name, ms in measured.items()})


def _fits(n_bytes: int) -> bool:
    """Weights may take half of the memory that is free."""
    import psutil

    return n_bytes <= psutil.virtual_memory().available / 2


def _matmul_ms(config: Any, dtype: torch.dtype, tokens: int) -> float:
    inner = getattr(config, "intermediate_size", None) or 4 * config.hidden_size
    states = torch.ones(tokens, config.hidden_size, dtype=dtype)
    weight = torch.ones(inner, config.hidden_size, dtype=dtype)
    return _best_ms(lambda: torch.nn.functional.linear(states, weight))


def _attention_ms(config: Any, dtype: torch.dtype, device: str, name: str) -> float:
    """One attention layer, forward and backward, on 8 rows of 128 tokens with padding."""
    from transformers.integrations.sdpa_attention import sdpa_attention_forward
    from transformers.models.llama.modeling_llama import eager_attention_forward

    heads = config.num_attention_heads
    kv_heads = getattr(config, "num_key_value_heads", None) or heads
    dim = getattr(config, "head_dim", None) or config.hidden_size // heads
    module = SimpleNamespace(num_key_value_groups=heads // kv_heads, training=False, is_causal=True)
    query = torch.ones(8, heads, 128, dim, dtype=dtype, device=device, requires_grad=True)
    key = torch.ones(8, kv_heads, 128, dim, dtype=dtype, device=device, requires_grad=True)
    allowed = torch.ones(8, 1, 128, 128, dtype=torch.bool, device=device).tril()
    allowed[:, :, :, 100:] = False  # padding; the first tokens stay visible to every row
    bias = torch.zeros(allowed.shape, dtype=dtype, device=device).masked_fill_(~allowed, torch.finfo(dtype).min)
    forward: Any = sdpa_attention_forward if name == "sdpa" else eager_attention_forward

    def run() -> None:
        forward(module, query, key, key, bias, scaling=dim**-0.5)[0].sum().backward()
        if device != "cpu":
            torch.cuda.synchronize()

    return _best_ms(run)


def _best_ms(run: Callable[[], Any], repeats: int = 5) -> float:
    """Least time of several runs: other programs on the machine only ever add to it."""
    run()
    times: list[float] = []
    for _ in range(repeats):
        begun = time.perf_counter()
        run()
        times.append((time.perf_counter() - begun) * 1000)
    return min(times)


def _key(config: Any, device: str) -> str:
    hardware = torch.cuda.get_device_name() if device != "cpu" else f"{_processor()} x{torch.get_num_threads()}"
    shape = [config.model_type, config.hidden_size, getattr(config, "intermediate_size", 0), config.num_hidden_layers]
    facts = json.dumps([hardware, platform.node(), torch.__version__, shape])
    return hashlib.sha256(facts.encode()).hexdigest()[:16]


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)

"""A sentence encoder read from a Hugging Face folder.

Plain transformers and a mean over the tokens: the same vectors as sentence-transformers, whose import
costs seconds and memory that the engine does not otherwise need. The pooling is read from the folder
(``1_Pooling/config.json``); what this module cannot reproduce it refuses to open. So is what the encoder wants to read in
front of a text (``config_sentence_transformers.json``): E5 was trained with "query: " and "passage: " (Wang et al. 2402.05672).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuneworth.errors import InputError, Problem
from tuneworth.models.base import TextRole
from tuneworth.models.local.cache import read_source
from tuneworth.words.say import say

PROMPTS_FILE = "config_sentence_transformers.json"

TOKENS_PER_BATCH = 512
"""Tokens, padding included, that go through the encoder at once on a CPU: what they become still lies in its caches. With 4,096 a
core took half as long again; with 128 a fifth longer."""
TOKENS_PER_BATCH_ELSEWHERE = 16_384


class LocalEncoder:
    """Unit sentence vectors in float32, the same for a text whatever the order of the texts."""

    def __init__(
        self,
        folder: Path,
        module: Any,
        tokenizer: Any,
        *,
        pooling: str,
        max_tokens: int,
        model_id: str,
        prompts: Mapping[TextRole, str] = MappingProxyType({}),
    ):
        self.folder = folder
        self.module = module
        self.tokenizer = tokenizer
        self.pooling = pooling
        self.max_tokens = max_tokens
        self.prompts = dict(prompts)
        self._id = model_id

    @property
    def id(self) -> str:
        return self._id

    @property
    def dimension(self) -> int:
        return int(self.module.config.hidden_size)

    def encode(self, texts: Sequence[str], *, role: TextRole = "text") -> NDArray[np.float32]:
        """Unit vectors, shape ``(len(texts), dimension)``. Tokens beyond ``max_tokens`` are cut off."""
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        if not texts:
            return vectors
        prompt = self.prompts.get(role, "")
        read = [prompt + text for text in texts]
        ids = self.tokenizer(read, truncation=True, max_length=self.max_tokens)["input_ids"]
        at_once = TOKENS_PER_BATCH if self.module.device.type == "cpu" else TOKENS_PER_BATCH_ELSEWHERE
        for rows in _batches(ids, at_once):
            vectors[rows] = self._encode_batch([ids[row] for row in rows])
        return vectors

    def describe(self) -> dict[str, Any]:
        source = read_source(self.folder) or {}
        weights = source.get("files", {}).get("model.safetensors", {}).get("sha256")
        return {
            **({"source": source["source"], "weights_sha256": weights} if weights else {}),
            "id": self.id,
            "dimension": self.dimension,
            "pooling": self.pooling,
            "max_tokens": self.max_tokens,
            "prompts": dict(self.prompts),
            "dtype": "float32",
            "device": str(self.module.device),
        }

    def _encode_batch(self, ids: list[list[int]]) -> NDArray[np.float32]:
        import torch

        padded = self.tokenizer.pad({"input_ids": ids}, return_tensors="pt").to(self.module.device)
        mask = padded["attention_mask"]
        with torch.no_grad():
            hidden = self.module(input_ids=padded["input_ids"], attention_mask=mask).last_hidden_state
        if self.pooling == "cls":
            pooled = hidden[:, 0]
        else:
            weights = mask.unsqueeze(-1).to(hidden.dtype)
            pooled = (hidden * weights).sum(1) / weights.sum(1)
        return torch.nn.functional.normalize(pooled, dim=-1).cpu().numpy()


def open_encoder_folder(folder: Path | str, *, model_id: str | None = None, device: str | None = None) -> LocalEncoder:
    """Open the encoder saved in ``folder`` (``config.json``, tokenizer files, ``model.safetensors``).

    Raises:
        InputError: the folder is not an encoder, or pools its tokens in a way that is not supported.
    """
    import torch
    from transformers import AutoModel, AutoTokenizer
    from transformers.utils import logging

    folder = Path(folder)
    if not (folder / "config.json").is_file():
        raise InputError(Problem(str(folder), say("models.folder.no_config")))
    pooling = _pooling(folder)
    logging.disable_progress_bar()  # a library does not print
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    module = AutoModel.from_pretrained(folder, dtype=torch.float32, use_safetensors=True, local_files_only=True)
    module.eval().to(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    max_tokens = _max_tokens(folder, tokenizer, module.config)
    return LocalEncoder(
        folder,
        module,
        tokenizer,
        pooling=pooling,
        max_tokens=max_tokens,
        model_id=model_id or folder.name,
        prompts=_prompts(folder),
    )


def _batches(ids: list[list[int]], at_once: int) -> list[list[int]]:
    """Row numbers in batches of similar length; which rows meet depends on the texts, not on their order."""
    order = sorted(range(len(ids)), key=lambda row: (-len(ids[row]), ids[row]))
    batches: list[list[int]] = []
    for row in order:
        width = len(ids[batches[-1][0]]) if batches else 0
        if batches and (len(batches[-1]) + 1) * width <= at_once:
            batches[-1].append(row)
        else:
            batches.append([row])
    return batches


def _read_json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _prompts(folder: Path) -> dict[TextRole, str]:
    """What to put in front of a text, under the names that sentence-transformers looks for."""
    config = _read_json(folder / PROMPTS_FILE)
    known: dict[str, str] = config.get("prompts") or {}
    usual = known.get(config.get("default_prompt_name") or "", "")
    passages = (known[name] for name in ("document", "passage", "corpus") if name in known)
    return {"text": usual, "query": known.get("query", usual), "passage": next(passages, usual)}


def _pooling(folder: Path) -> str:
    """``mean`` or ``cls``, from either layout that sentence-transformers has used."""
    config = _read_json(folder / "1_Pooling" / "config.json")
    older = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls"}
    modes = [older.get(name, name) for name, on in config.items() if name.startswith("pooling_mode_") and on]
    newer = config.get("pooling_mode", [])
    modes += [newer] if isinstance(newer, str) else newer
    if modes not in ([], ["mean"], ["cls"]):
        message = say("models.folder.pooling", modes=", ".join(modes))
        raise InputError(Problem(str(folder), message))
    return modes[0] if modes else "mean"


def _max_tokens(folder: Path, tokenizer: Any, config: Any) -> int:
    trained = _read_json(folder / "sentence_bert_config.json").get("max_seq_length")
    return int(min(trained or tokenizer.model_max_length, config.max_position_embeddings))

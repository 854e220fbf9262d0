"""Reading the best passages again, together with the question: a cross-encoder.

Slower than vectors by orders of magnitude, since every pair of question and passage goes through the model, and
often better. Any sequence classifier with one output does (``ms-marco-MiniLM``, ``bge-reranker``, …). None is
embedded: it is a local folder, or comes from the hub.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tuneworth.errors import EnvironmentProblem, InputError, Problem
from tuneworth.retrieval.fulltext import searched_text
from tuneworth.retrieval.hits import Hit
from tuneworth.words.say import say

PAIRS_PER_BATCH = 16
_LONGEST = 512  # tokens of question and passage; what the usual rerankers were trained with
_CHARS_PER_TOKEN = 16  # more than any text needs; cutting two very long texts to tokens takes seconds


class Reranker(Protocol):
    """Scores how well a passage answers a question."""

    @property
    def id(self) -> str: ...

    def scores(self, query: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """One score per text, higher is better; shape ``(len(texts),)``."""
        ...


def reranked(query: str, hits: Sequence[Hit], reranker: Reranker) -> list[Hit]:
    """``hits`` in the reranker's order, with its scores; equal scores stay in the order they came in."""
    if not hits:
        return []
    scores = reranker.scores(query, [searched_text(hit.passage) for hit in hits])
    order = np.argsort(-np.asarray(scores, dtype=float), kind="stable")
    return [replace(hits[at], score=float(scores[at])) for at in order]


class CrossEncoder:
    """A sequence classifier with one output, on this machine. Float32, and the same for a pair in any batch."""

    def __init__(self, module: Any, tokenizer: Any, *, model_id: str, max_tokens: int):
        self.module = module
        self.tokenizer = tokenizer
        self.max_tokens = max_tokens
        self._id = model_id

    @property
    def id(self) -> str:
        return self._id

    def scores(self, query: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """The model's logit for each pair. The longer side of a pair that is too long is cut at its end."""
        import torch

        scores = np.zeros(len(texts), dtype=np.float32)
        longest = _CHARS_PER_TOKEN * self.max_tokens
        order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
        for start in range(0, len(order), PAIRS_PER_BATCH):
            rows = order[start : start + PAIRS_PER_BATCH]
            pairs = self.tokenizer(
                [query[:longest]] * len(rows),
                [texts[at][:longest] for at in rows],
                truncation="longest_first",
                max_length=self.max_tokens,
                padding=True,
                return_tensors="pt",
            ).to(self.module.device)
            with torch.no_grad():
                scores[rows] = self.module(**pairs).logits[:, 0].float().cpu().numpy()
        return scores


def open_reranker(name: str) -> CrossEncoder:
    """The cross-encoder in a local folder, or of the hub by ``owner/name``.

    Raises:
        InputError: it is not a classifier with one output in safetensors, or there is no such model.
        EnvironmentProblem: the hub does not answer and there is no copy; or the local engine is not installed.
    """
    try:
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer
        from transformers.utils import logging
    except ImportError as error:
        text = say("retrieval.reranker.needs_library", library=error.name or "")
        raise EnvironmentProblem(Problem(name, text)) from error
    folder = _folder(name)
    _check_config(name, folder)
    logging.disable_progress_bar()  # a library does not print
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    module = AutoModelForSequenceClassification.from_pretrained(
        folder, dtype=torch.float32, use_safetensors=True, local_files_only=True
    )
    module.eval().to("cuda" if torch.cuda.is_available() else "cpu")
    longest = min(_LONGEST, tokenizer.model_max_length, getattr(module.config, "max_position_embeddings", _LONGEST))
    return CrossEncoder(module, tokenizer, model_id=name, max_tokens=int(longest))


def _folder(name: str) -> Path:
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    if name.startswith((".", "/", "~")) or name.count("/") != 1:
        raise InputError(Problem(name, say("retrieval.reranker.no_folder")))
    from tuneworth.models.local.hub import fetch_hub

    return fetch_hub(name)


def _check_config(name: str, folder: Path) -> None:
    """Refuse what would load with random weights in its last layer, or score something else than relevance."""
    import json

    path = folder / "config.json"
    config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    classifies = any("SequenceClassification" in kind for kind in config.get("architectures") or [])
    n_outputs = len(config.get("id2label") or {0: "", 1: ""})  # two is what a configuration without labels means
    if classifies and n_outputs == 1 and any(folder.glob("*.safetensors")):
        return
    raise InputError(Problem(name, say("retrieval.reranker.not_one")))

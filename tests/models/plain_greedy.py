"""What the engine must equal: ``transformers.generate``, and a loop without any cache."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from tuneworth.models.base import Request
from tuneworth.models.local.model import LocalModel


def generate_plain(
    model: LocalModel, requests: Sequence[Request], max_new_tokens: int, **options: Any
) -> list[list[int]]:
    """New tokens of each row, end token included, from ``transformers.generate`` one row at a time."""
    found: list[list[int]] = []
    for request in requests:
        ids = torch.tensor([model.encode_chat(request.messages, add_generation_prompt=True)])
        with torch.no_grad():
            output = model.module.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=max_new_tokens,
                do_sample=False,
                pad_token_id=0,
                eos_token_id=sorted(model.chat.stop_ids),
                **options,
            )
        found.append(output[0, ids.shape[1] :].tolist())
    return found


def label_walk(model: LocalModel, labels: Sequence[str], n_prompt: int) -> Any:
    """``prefix_allowed_tokens_fn`` that allows the token sequences of ``labels``, found by listing them all."""
    paths = [tuple(model.chat.encode_answer(label)) for label in labels]

    def allowed(_: int, ids: torch.Tensor) -> list[int]:
        made = tuple(ids[n_prompt:].tolist())
        return sorted({path[len(made)] for path in paths if path[: len(made)] == made and len(path) > len(made)})

    return allowed


def masked_greedy(model: LocalModel, request: Request, grammar: str, max_new_tokens: int) -> list[int]:
    """Greedy decoding under a llguidance mask: one row, one token at a time, nothing shared, nothing forced."""
    import numpy as np
    from llguidance import LLMatcher
    from llguidance.hf import from_tokenizer
    from transformers import DynamicCache

    vocabulary = model.module.get_output_embeddings().weight.shape[0]
    stops = sorted(model.chat.stop_ids, key=lambda token: token != model.chat.end_of_turn)
    matcher = LLMatcher(from_tokenizer(model.tokenizer, n_vocab=vocabulary, eos_token=stops), grammar)
    unread = model.encode_chat(request.messages, add_generation_prompt=True)
    cache = DynamicCache(config=model.module.config)
    made: list[int] = []
    while len(made) < max_new_tokens:
        mask = np.frombuffer(matcher.compute_bitmask(), dtype=np.uint8)
        allowed = torch.from_numpy(np.unpackbits(mask, bitorder="little")[:vocabulary].astype(bool))
        with torch.no_grad():
            logits = model.module(torch.tensor([unread]), past_key_values=cache, use_cache=True).logits[0, -1]
        made.append(int(logits.masked_fill(~allowed, -torch.inf).argmax()))
        unread = made[-1:]
        if made[-1] in stops:
            break
        assert matcher.consume_token(made[-1])
    return made

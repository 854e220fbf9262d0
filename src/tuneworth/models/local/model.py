"""A causal language model on this machine, ready to generate and to be trained."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tuneworth.core.outcome import Usage
from tuneworth.core.task import Message
from tuneworth.models.base import (
    Capabilities,
    Completion,
    Constraint,
    ConstraintKind,
    Decision,
    Progress,
    Request,
    TrainConfig,
    TrainExample,
    TrainResult,
)
from tuneworth.models.local.attention import Prefix, PrefixStore
from tuneworth.models.local.cache import read_source, sha256_file
from tuneworth.models.local.chat import ChatFormat
from tuneworth.models.local.constrain import Grammars, Node, TrieGuide, build_trie
from tuneworth.models.local.decide import DecidedRow, LabelTrie, decide_rows, decide_rows_plain, label_trie, most_nodes
from tuneworth.models.local.generate import Guide, Row, completion, compute_prefix, run_rows, run_rows_plain
from tuneworth.models.local.weights import active_adapter, attach_adapter, has_adapter

MIN_PREFIX = 8
"""A shared prefix shorter than this is read with each row: looking it up costs more than it saves."""
KV_BYTES_CPU = 1 << 30
PREFIX_BYTES = 512 << 20


class LocalModel:
    """A language model on this machine (``models.base.Trainable`` and ``Deciding``).

    Attributes:
        module: the transformers model; the trainer trains it.
        chat: how chats become tokens.
        attention: attention that ``module`` runs with when it is not generating (training).
        packed: the engine's own attention generates; else ``transformers.generate`` does.
        probe: what the choice of dtype and attention was based on.
    """

    def __init__(
        self,
        folder: Path,
        module: Any,
        tokenizer: Any,
        *,
        model_id: str,
        attention: str,
        packed: bool,
        probe: dict[str, Any],
    ):
        self.folder = folder
        self.module = module
        self.tokenizer = tokenizer
        self.attention = attention
        self.packed = packed
        self.probe = probe
        self.chat = ChatFormat(tokenizer, _eos_ids(module))
        self._grammars = Grammars(
            tokenizer, module.get_output_embeddings().weight.shape[0], self.chat.stop_ids, self.chat.end_of_turn
        )
        self._id = model_id
        self._adapters: dict[str, Path] = {}
        self._prefixes = PrefixStore(PREFIX_BYTES)
        self._trie = lru_cache(maxsize=16)(self._build_trie)
        self._label_trie = lru_cache(maxsize=64)(self._build_label_trie)

    @property
    def id(self) -> str:
        return self._id

    @property
    def device(self) -> torch.device:
        return self.module.device

    @property
    def dtype(self) -> torch.dtype:
        return self.module.dtype

    @property
    def capabilities(self) -> Capabilities:
        # llguidance reads the vocabulary from the fast tokenizer only
        by_grammar: set[ConstraintKind] = {"json_schema", "regex", "grammar"} if self.tokenizer.is_fast else set()
        return Capabilities(
            local=True,
            can_train=True,
            constraints=frozenset({"labels", *by_grammar}),
            context_tokens=int(self.module.get_decoder().config.max_position_embeddings),
            label_probabilities=True,
        )

    def count_tokens(self, text: str) -> int:
        return len(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def encode_chat(self, messages: Sequence[Message], *, add_generation_prompt: bool) -> list[int]:
        return self.chat.encode(messages, add_generation_prompt=add_generation_prompt)

    def load_adapter(self, name: str, folder: str | Path) -> None:
        attach_adapter(self.module, name, Path(folder))
        self._adapters[name] = Path(folder)
        self._prefixes.forget(lambda key: key[0] == name)

    def generate(self, requests: Sequence[Request], *, max_new_tokens: int) -> list[Completion]:
        """Completions in the order of ``requests``.

        A request's ``latency_ms`` is the sum, over the forward passes it took part in, of the pass's time
        divided by its rows. ``completion_tokens`` includes the end of the turn. ``max_new_tokens`` does not cut
        a label short. Sampling settings and penalties that the folder suggests are ignored.

        Rows do not depend on their order, to the bit. On which rows they meet in a call they do depend,
        by rounding: in float32 the predictions are the same but for near ties, in bfloat16 a few differ.

        Raises:
            InputError: a constraint's schema, regex or grammar is not valid.
        """
        done: dict[int, Completion] = {}
        groups: dict[tuple[Any, ...], list[Row]] = {}
        for index, request in enumerate(requests):
            row = self._row(index, request, max_new_tokens)
            if isinstance(row, Completion):
                done[index] = row
            else:
                key = (request.adapter, tuple(row.ids[: row.n_prefix]))
                groups.setdefault(key, []).append(row)
        for (adapter, prefix_ids), rows in groups.items():
            done.update(self._run_group(adapter, prefix_ids, rows))
        return [done[index] for index in range(len(requests))]

    def decide(self, requests: Sequence[Request]) -> list[Decision]:
        """How likely each label of a request is as the whole answer; what that means is told in ``local.decide``.

        A label whose tokens are those of an earlier one has probability 0: they cannot be told apart. Nothing is written, so
        ``completion_tokens`` is 0; what the model read of the labels is among ``prompt_tokens``.

        Raises:
            ValueError: a request is not held to labels.
        """
        decisions: dict[int, Decision] = {}
        groups: dict[tuple[Any, ...], list[DecidedRow]] = {}
        labels: dict[int, tuple[str, ...]] = {}
        for index, request in enumerate(requests):
            if request.constraint is None or not request.constraint.labels:
                raise ValueError(f"request {index} is not held to labels; there is nothing to decide")
            labels[index] = request.constraint.labels
            row = self._decided_row(index, request, request.constraint.labels)
            if isinstance(row, Completion):
                decisions[index] = Decision(None, row)
            else:
                groups.setdefault((request.adapter, tuple(row.ids[: row.n_prefix])), []).append(row)
        for (adapter, prefix_ids), rows in groups.items():
            self._decide_group(adapter, prefix_ids, rows, labels)
            for row in rows:
                usage = Usage(prompt_tokens=len(row.ids) + row.trie.n_read, cached_tokens=row.n_prefix)
                if np.isnan(row.scores).any():
                    error = "the model's scores of the labels are not numbers (NaN); its weights or its number format are broken"
                    decisions[row.index] = Decision(None, Completion("", usage, row.latency_ms, "error", error))
                    continue
                scores = row.log_probabilities()
                text = labels[row.index][int(scores.argmax())]
                decisions[row.index] = Decision(scores, Completion(text, usage, row.latency_ms, "stop"))
        return [decisions[index] for index in range(len(requests))]

    def train(
        self,
        train: Sequence[TrainExample],
        dev: Sequence[TrainExample],
        config: TrainConfig,
        folder: Path,
        *,
        progress: Progress | None = None,
        seconds_left: float | None = None,
    ) -> TrainResult:
        """See ``models.base.Trainable`` and, for what is kept of a killed training, ``local.train``."""
        from tuneworth.models.local.train import train_model

        return train_model(self, train, dev, config, folder, progress=progress, seconds_left=seconds_left)

    def row_seconds(self, train: Sequence[TrainExample], config: TrainConfig) -> float:
        """See ``models.base.Trainable``."""
        from tuneworth.models.local.train import time_steps

        return time_steps(self, train, config)

    def forget_prefixes(self) -> None:
        """Free the memory of the prefixes kept for later calls."""
        self._prefixes.forget(lambda key: True)

    def describe(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "folder": self.folder.name,
            "source": read_source(self.folder),
            "weights_sha256": self._weights_sha256,
            "parameters": sum(part.numel() for part in self.module.parameters()),
            "dtype": str(self.dtype).removeprefix("torch."),
            "attention": self.attention,
            "generation": "shared prefix, packed" if self.packed else "transformers.generate",
            "device": str(self.device),
            "probe": self.probe,
        }

    def _row(self, index: int, request: Request, max_new_tokens: int) -> Row | Completion:
        guide, needed, limit = self._guide(request.constraint, max_new_tokens)
        prompt = self._prompt(request, needed)
        if isinstance(prompt, Completion):
            return prompt
        ids, n_prefix = prompt
        return Row(index, ids, n_prefix, min(limit, self.capabilities.context_tokens - len(ids)), guide)

    def _decided_row(self, index: int, request: Request, labels: tuple[str, ...]) -> DecidedRow | Completion:
        prompt = self._prompt(request, self._trie(labels)[1])
        if isinstance(prompt, Completion):
            return prompt
        return DecidedRow(index, *prompt, self._label_trie(labels))

    def _prompt(self, request: Request, needed: int) -> tuple[list[int], int] | Completion:
        """Tokens of the prompt and how many of them are a shared prefix; what to answer where there is no room for ``needed`` more."""
        ids = self.encode_chat(request.messages, add_generation_prompt=True)
        if self.capabilities.context_tokens - len(ids) < needed:
            usage = Usage(prompt_tokens=len(ids))
            error = f"{len(ids)} tokens of prompt and {needed} of answer; {self.id} reads {self.capabilities.context_tokens}"
            return Completion("", usage, 0.0, "over_context", error)
        n_prefix = self.chat.shared_length(request.messages, request.n_shared, ids) if self.packed else 0
        return ids, n_prefix if n_prefix >= MIN_PREFIX else 0

    def _guide(self, constraint: Constraint | None, max_new_tokens: int) -> tuple[Guide | None, int, int]:
        """The guide, the least and the most tokens that a completion needs room for."""
        if constraint is None:
            return None, 1, max_new_tokens
        if constraint.labels is not None:
            trie, longest = self._trie(constraint.labels)
            return TrieGuide(trie), longest, longest
        return self._grammars.guide(constraint), 1, max_new_tokens

    def _build_trie(self, labels: tuple[str, ...]) -> tuple[Node, int]:
        paths = [(label, self.chat.encode_answer(label)) for label in labels]
        return build_trie(paths), max(len(tokens) for _, tokens in paths)

    def _build_label_trie(self, labels: tuple[str, ...]) -> LabelTrie:
        return label_trie([self.chat.encode_answer(label) for label in labels], most_nodes(self.module))

    def _decide_group(
        self,
        adapter: str | None,
        prefix_ids: tuple[int, ...],
        rows: list[DecidedRow],
        labels: dict[int, tuple[str, ...]],
    ) -> None:
        if adapter is not None:
            self._require_adapter(adapter)
        with active_adapter(self.module, adapter):
            if self.packed:
                prefix = self._prefix(adapter, prefix_ids)
                decide_rows(rows, prefix, module=self.module, kv_bytes=self._kv_bytes())
            else:
                paths = [[self.chat.encode_answer(label) for label in labels[row.index]] for row in rows]
                decide_rows_plain(rows, paths, module=self.module)

    def _prefix(self, adapter: str | None, ids: tuple[int, ...]) -> Prefix | None:
        if not ids:
            return None
        return self._prefixes.get((adapter, ids), lambda: compute_prefix(self.module, ids))

    def _run_group(self, adapter: str | None, prefix_ids: tuple[int, ...], rows: list[Row]) -> dict[int, Completion]:
        if adapter is not None:
            self._require_adapter(adapter)
        with active_adapter(self.module, adapter):
            if self.packed:
                prefix = self._prefix(adapter, prefix_ids)
                run_rows(rows, prefix, module=self.module, stop_ids=self.chat.stop_ids, kv_bytes=self._kv_bytes())
            else:
                run_rows_plain(rows, module=self.module, stop_ids=self.chat.stop_ids)
        return {row.index: completion(row, self._text(row), row.n_prefix) for row in rows}

    def _text(self, row: Row) -> str:
        text = row.guide.text() if row.guide is not None else None
        return self.chat.decode(row.tokens) if text is None else text

    def _require_adapter(self, name: str) -> None:
        if name not in self._adapters:
            raise KeyError(f"no adapter {name!r} is loaded on {self.id}; loaded: {sorted(self._adapters)}")
        # Whoever trains on the same module may have unwrapped it since.
        if not has_adapter(self.module, name):
            attach_adapter(self.module, name, self._adapters[name])

    def _kv_bytes(self) -> int:
        if self.device.type != "cuda":
            return KV_BYTES_CPU
        free, _ = torch.cuda.mem_get_info(self.device)
        return int(free * 0.4)

    @cached_property
    def _weights_sha256(self) -> str:
        digests = [sha256_file(path) for path in sorted(self.folder.glob("*.safetensors"))]
        return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def _eos_ids(module: Any) -> list[int]:
    eos = module.generation_config.eos_token_id
    return eos if isinstance(eos, list) else [] if eos is None else [eos]

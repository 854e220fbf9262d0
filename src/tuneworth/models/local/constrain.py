"""Labels by a token trie; JSON schema, regex and grammar by llguidance. Both exact at token level.

The mask of llguidance allows precisely the tokens after which the constraint can still be met; the
engine takes the allowed token with the largest logit. Stretches with a single allowed token are appended
without asking the model, which changes nothing: the mask would force them anyway.

JSON is written as ``json.dumps`` does, with ``", "`` and ``": "`` and no other white space. Small models
otherwise put blanks between two items until their budget is spent. A schema may choose differently
by its own ``"x-guidance"`` entry (``item_separator``, ``key_separator``, ``whitespace_flexible``).
Keys come in the order of the schema's ``properties``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tuneworth.errors import InputError, Problem
from tuneworth.models.base import Constraint
from tuneworth.words.say import say

JSON_STYLE: Any = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}
_FORCED_AT_ONCE = 256


class GuideError(RuntimeError):
    """A constraint became too complex to follow in the middle of a completion."""


class Grammars:
    """Compiles constraints for one tokenizer; each is compiled once.

    Args:
        n_vocab: size of the model's logits, which may exceed the tokenizer's vocabulary.
    """

    def __init__(self, tokenizer: Any, n_vocab: int, stop_ids: frozenset[int], end_of_turn: int):
        self._tokenizer = tokenizer
        self._n_vocab = n_vocab
        self._stop_ids = stop_ids
        self._end_of_turn = end_of_turn
        self._compile = lru_cache(maxsize=32)(self._compile_uncached)
        self._lazy: Any = None

    def guide(self, constraint: Constraint) -> GrammarGuide:
        """A fresh guide.

        Raises:
            InputError: the schema, regex or grammar is not valid.
        """
        matcher = self._compile(constraint.kind, _source(constraint)).deep_copy()
        return GrammarGuide(matcher, self._n_vocab, self._stop_ids, self._end_of_turn)

    def _compile_uncached(self, kind: str, source: str) -> Any:
        from llguidance import LLMatcher

        if kind == "json_schema":
            grammar = LLMatcher.grammar_from_json_schema(source, defaults=JSON_STYLE)
        elif kind == "regex":
            grammar = LLMatcher.grammar_from_regex(source)
        else:
            grammar = LLMatcher.grammar_from_lark(source)
        matcher = LLMatcher(self._vocabulary(), grammar, log_level=0)
        if matcher.is_error():
            reason = matcher.get_error().strip()
            message = say("models.constraint", reason=reason)
            raise InputError(Problem(kind, message))
        return matcher

    def _vocabulary(self) -> Any:
        if self._lazy is None:
            from llguidance.hf import from_tokenizer

            # The end of the turn first: it is the one that llguidance reports.
            stops = [self._end_of_turn, *sorted(self._stop_ids - {self._end_of_turn})]
            self._lazy = from_tokenizer(self._tokenizer, n_vocab=self._n_vocab, eos_token=stops)
        return self._lazy


class GrammarGuide:
    """Leads one completion through a grammar, greedily."""

    def __init__(self, matcher: Any, n_vocab: int, stop_ids: frozenset[int], end_of_turn: int):
        self._matcher = matcher
        self._mask = np.zeros((n_vocab + 31) // 32, dtype=np.int32)
        self._n_vocab = n_vocab
        self._stop_ids = stop_ids
        self._end_of_turn = end_of_turn
        self._allowed = np.empty(0, dtype=np.int64)

    def start(self) -> list[int]:
        return self._forced()

    def choose(self, logits: Tensor) -> int:
        """The allowed token with the largest logit; ``logits`` has shape ``(vocabulary,)``."""
        allowed = torch.from_numpy(self._allowed).to(logits.device)
        return int(allowed[logits[allowed].argmax()])

    def advance(self, token: int) -> list[int]:
        """Take ``token``; the tokens that must follow it.

        Raises:
            GuideError: llguidance gave up on the constraint.
        """
        if token in self._stop_ids:
            return []
        self._consume(token)
        return self._forced()

    def text(self) -> str | None:
        return None

    def _forced(self) -> list[int]:
        forced: list[int] = []
        while len(forced) < _FORCED_AT_ONCE:
            self._find_allowed()
            if all(int(token) in self._stop_ids for token in self._allowed[: len(self._stop_ids) + 1]):
                return [*forced, self._end_of_turn]
            if len(self._allowed) > 1:
                break
            forced.append(int(self._allowed[0]))
            self._consume(forced[-1])
        else:
            self._find_allowed()
        return forced

    def _find_allowed(self) -> None:
        self._matcher.unsafe_compute_mask_ptr(self._mask.ctypes.data, self._mask.nbytes)
        self._check()
        bits = np.unpackbits(self._mask.view(np.uint8), count=self._n_vocab, bitorder="little")
        self._allowed = np.flatnonzero(bits)

    def _consume(self, token: int) -> None:
        self._matcher.consume_token(token)
        self._check()

    def _check(self) -> None:
        if self._matcher.is_error():
            raise GuideError(self._matcher.get_error().strip())


def _source(constraint: Constraint) -> str:
    if constraint.json_schema is not None:
        return json.dumps(constraint.json_schema, ensure_ascii=False)  # key order matters
    return constraint.regex if constraint.regex is not None else constraint.grammar or ""


@dataclass
class Node:
    """A place in the trie. A label's path ends with the end-of-turn token; that node has ``label`` set."""

    children: dict[int, Node] = field(default_factory=dict)
    label: str | None = None

    def allowed(self) -> list[int]:
        return sorted(self.children)


def build_trie(paths: Iterable[tuple[str, Sequence[int]]]) -> Node:
    """The trie of ``(label, tokens with the end of turn)``.

    Labels that a tokenizer maps to the same tokens cannot be told apart; the first one stands for all.
    """
    root = Node()
    for label, tokens in paths:
        node = root
        for token in tokens:
            node = node.children.setdefault(token, Node())
        if node.label is None:
            node.label = label
    return root


class TrieGuide:
    """Leads one completion through the trie, greedily.

    Equal, token by token, to greedy decoding with all other logits masked. Tokens without an
    alternative are appended unasked: once a label is certain the model is not called again.
    """

    def __init__(self, root: Node):
        self._node = root

    def start(self) -> list[int]:
        """The tokens that every completion begins with."""
        return self._forced()

    def choose(self, logits: Tensor) -> int:
        """The allowed token with the largest logit; ``logits`` has shape ``(vocabulary,)``."""
        allowed = self._node.allowed()
        return allowed[int(logits[torch.tensor(allowed, device=logits.device)].argmax())]

    def advance(self, token: int) -> list[int]:
        """Take ``token``; the tokens that must follow it."""
        self._node = self._node.children[token]
        return self._forced()

    def text(self) -> str | None:
        """The label, once the walk has reached its end."""
        return self._node.label

    def _forced(self) -> list[int]:
        forced: list[int] = []
        while len(self._node.children) == 1:
            token, self._node = next(iter(self._node.children.items()))
            forced.append(token)
        return forced

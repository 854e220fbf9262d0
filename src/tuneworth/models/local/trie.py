"""Labels as a token trie: at each step exactly the tokens that lead to a label are allowed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor


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

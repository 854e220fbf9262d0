"""Slot token F1: slot F1 with credit for the words of a value that are right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from tuneworth.core.task import OutputKind
from tuneworth.core.text import Text
from tuneworth.metrics import Metric
from tuneworth.metrics._parts.json_values import Leaf, Path, pair_f1, parse_leaves
from tuneworth.metrics._parts.words import answer_tokens


@dataclass(frozen=True, kw_only=True)
class JsonTokenF1(Metric):
    """F1 of path → token pairs of one row.

    A string value counts as its tokens (``words.answer_tokens``: words, or characters for Chinese;
    case and punctuation do not matter), any other value as one token. Long values therefore weigh
    more than short ones. An answer that is not JSON scores 0.
    """

    id: str = "json_token_f1"
    title: Text = Text(en="slot token F1", zh="槽位词元 F1")
    kinds: frozenset[OutputKind] = frozenset({"json"})

    def compare(self, answer: str, reference: str) -> float:
        found, wanted = parse_leaves(answer), parse_leaves(reference)
        if found is None or wanted is None:
            return 0.0
        return pair_f1(_path_tokens(found), _path_tokens(wanted))


def _path_tokens(leaves: Sequence[Leaf]) -> Counter[tuple[Path, Hashable]]:
    return Counter((path, token) for path, value in leaves for token in _tokens(value))


def _tokens(value: Hashable) -> Sequence[Hashable]:
    if isinstance(value, tuple) and value[0] == "str":
        return answer_tokens(value[1]) or [value]
    return [value]


PLUGIN = JsonTokenF1()

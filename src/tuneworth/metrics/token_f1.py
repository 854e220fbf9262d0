"""Token F1: the overlap of words (characters for Chinese) between answer and reference."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from tuneworth.core.task import OutputKind
from tuneworth.core.text import Text
from tuneworth.metrics import Metric
from tuneworth.metrics._parts.words import answer_tokens, same_text


@dataclass(frozen=True, kw_only=True)
class TokenF1(Metric):
    """F1 of the two bags of tokens (SQuAD; tokens of ``words.answer_tokens``). Order is ignored.

    Where nothing is left of the reference after normalisation, equal texts score 1, others 0.
    """

    id: str = "token_f1"
    title: Text = Text(en="token F1", zh="词元 F1")
    kinds: frozenset[OutputKind] = frozenset({"text"})

    def compare(self, answer: str, reference: str) -> float:
        found, wanted = Counter(answer_tokens(answer)), Counter(answer_tokens(reference))
        if not wanted:
            return float(same_text(answer, reference))
        return 2 * (found & wanted).total() / (found.total() + wanted.total())


PLUGIN = TokenF1()

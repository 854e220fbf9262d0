"""Exact match: the share of answers that are a reference, wording details aside."""

from __future__ import annotations

from dataclasses import dataclass

from tuneworth.core.task import OutputKind
from tuneworth.core.text import Text
from tuneworth.metrics import Metric
from tuneworth.metrics._parts.words import answer_tokens, same_text


@dataclass(frozen=True, kw_only=True)
class ExactMatch(Metric):
    """1 if answer and reference have the same tokens in the same order (``words.answer_tokens``).

    Case, width, punctuation, English articles and spaces inside Chinese do not matter. Where
    nothing is left of the reference (an answer of symbols only), the texts themselves are compared.
    It is made for short answers: source code that differs only in punctuation counts as equal.
    """

    id: str = "exact_match"
    title: Text = Text(en="exact match", zh="完全匹配")
    kinds: frozenset[OutputKind] = frozenset({"text", "label", "choice"})
    binary: bool = True

    def compare(self, answer: str, reference: str) -> float:
        wanted = answer_tokens(reference)
        return float(answer_tokens(answer) == wanted if wanted else same_text(answer, reference))


PLUGIN = ExactMatch()

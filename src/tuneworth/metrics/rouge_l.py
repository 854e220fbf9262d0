"""ROUGE-L: the longest common subsequence of words (characters for Chinese).

Lin 2004, https://aclanthology.org/W04-1013. Computed by the ``rouge_score`` library, whose own
tokenizer keeps only a–z and 0–9 and so scores every Chinese text 0; ours replaces it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from tuneworth.core.task import OutputKind
from tuneworth.core.text import Text
from tuneworth.metrics import Metric, require
from tuneworth.metrics._parts.words import rouge_words, same_text


class _Words:
    """What ``rouge_score`` asks of a tokenizer."""

    def tokenize(self, text: str) -> list[str]:
        return rouge_words(text)


@cache
def _scorer() -> Any:
    return require("rouge_score.rouge_scorer", "rouge_l").RougeScorer(["rougeL"], tokenizer=_Words())


@dataclass(frozen=True, kw_only=True)
class RougeL(Metric):
    """F-measure of ROUGE-L without stemming. Time grows with the product of the two lengths."""

    id: str = "rouge_l"
    title: Text = Text(en="ROUGE-L", zh="ROUGE-L")
    kinds: frozenset[OutputKind] = frozenset({"text"})

    def compare(self, answer: str, reference: str) -> float:
        if same_text(answer, reference):  # a text without any word would score 0 even against itself
            return 1.0
        return float(_scorer().score(reference, answer)["rougeL"].fmeasure)


PLUGIN = RougeL()

"""chrF: overlap of character n-grams up to six. Works for any script and for inflected words.

Popović 2015, https://aclanthology.org/W15-3049, as ``sacrebleu`` computes it for one sentence
(signature ``case:mixed|eff:yes|nc:6|nw:0|space:no``): spaces do not count, and orders longer than
a text are left out, so two short Chinese texts are compared by the n-grams they have.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from tuneworth.core.task import OutputKind
from tuneworth.core.text import Text
from tuneworth.metrics import Metric, require


@cache
def _chrf() -> Any:
    return require("sacrebleu.metrics.chrf", "chrf").CHRF()


@dataclass(frozen=True, kw_only=True)
class ChrF(Metric):
    """Sentence chrF (β = 2), from 0 to 1.

    The value is the mean over rows; ``sacrebleu``'s corpus chrF pools the n-grams of all rows and
    differs from it.
    """

    id: str = "chrf"
    title: Text = Text(en="chrF", zh="chrF")
    kinds: frozenset[OutputKind] = frozenset({"text"})

    def compare(self, answer: str, reference: str) -> float:
        if "".join(answer.split()) == "".join(reference.split()):
            return 1.0
        score = _chrf().sentence_score(answer, [reference]).score
        return min(score / 100, 1.0)  # rounding can leave it a hair above 1


PLUGIN = ChrF()

"""Extractive F1: how much of the passage that answers the question was found.

English and all languages with spaces as SQuAD counts it (Rajpurkar et al. 2016, script 1.1): the two bags of words. Chinese
and other languages without spaces as CMRC 2018 does (Cui et al. 2019, https://aclanthology.org/D19-1600): the longest run
of characters that both have. Both drop case, width and punctuation, and take the best of all accepted answers. Exact match,
their other figure, is ``exact_match``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tuneworth.core.task import OutputKind
from tuneworth.core.text import Text
from tuneworth.metrics import Metric
from tuneworth.metrics._parts.words import answer_tokens, is_unspaced, same_text

MAX_TOKENS = 2_000
"""Longer answers are no spans; the longest common run takes time with the product of the two lengths."""


@dataclass(frozen=True, kw_only=True)
class Extractive(Metric):
    """F1 of the tokens that answer and reference have in common (see the module's head).

    Against CMRC's script, numbers keep their point and sign (``words.answer_tokens``), and an answer of more than 2,000
    tokens is compared by its first 2,000. Where nothing is left of the reference, equal texts score 1, others 0.
    """

    id: str = "extractive"
    title: Text = Text(en="extractive F1", zh="抽取式 F1")
    kinds: frozenset[OutputKind] = frozenset({"text"})

    def compare(self, answer: str, reference: str) -> float:
        found, wanted = answer_tokens(answer), answer_tokens(reference)
        if not wanted:
            return float(same_text(answer, reference))
        if found == wanted:
            return 1.0
        whole = len(found) + len(wanted)
        if any(map(is_unspaced, wanted)):
            common = longest_common_run(found[:MAX_TOKENS], wanted[:MAX_TOKENS])
        else:
            common = (Counter(found) & Counter(wanted)).total()
        return 2 * common / whole


def longest_common_run(a: Sequence[str], b: Sequence[str]) -> int:
    """Tokens of the longest part without a gap that ``a`` and ``b`` share."""
    best, before = 0, [0] * (len(b) + 1)
    for one in a:
        now = [0] * (len(b) + 1)
        for at, other in enumerate(b, start=1):
            if one == other:
                now[at] = before[at - 1] + 1
                best = max(best, now[at])
        before = now
    return best


PLUGIN = Extractive()

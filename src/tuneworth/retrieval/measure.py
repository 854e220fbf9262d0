"""How good a ranking is, row by row.

Every function returns one number per row, shape ``(rows,)``, NaN for a row that cannot be scored (it names no gold
passage, or its answer has no words), so that ``stats`` can put an interval on the mean of the rest. A ranking is a
sequence of ids, best first: of passages, or of documents. A document that comes up in several passages counts at its
first place, and its passages all take up places.

Sources: Manning, Raghavan, Schütze 2008, Introduction to Information Retrieval, chapter 8; Järvelin, Kekäläinen
2002, Cumulated gain-based evaluation of IR techniques, ACM TOIS (nDCG with binary gains).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from tuneworth.metrics._parts.words import answer_tokens
from tuneworth.retrieval.gold import holds_answer
from tuneworth.retrieval.hits import Hit

Floats = NDArray[np.float64]
Ids = Sequence[Sequence[str]]
Gold = Sequence[Collection[str]]


def passage_ids(found: Sequence[Sequence[Hit]]) -> list[list[str]]:
    return [[hit.passage.id for hit in hits] for hits in found]


def recall_at(k: int, ranked: Ids, gold: Gold) -> Floats:
    """Share of the row's gold ids among its first ``k``."""
    return _each(ranked, gold, lambda ids, wanted: len(wanted & set(ids[:k])) / len(wanted))


def reciprocal_rank(ranked: Ids, gold: Gold) -> Floats:
    """1 / rank of the first gold id, 0 where none was found; the mean over the rows is the MRR."""
    return _each(ranked, gold, lambda ids, wanted: next((1 / at for at, i in enumerate(ids, 1) if i in wanted), 0.0))


def ndcg_at(k: int, ranked: Ids, gold: Gold) -> Floats:
    """Discounted gain of the gold ids among the first ``k``, as a share of the best possible."""

    def score(ids: Sequence[str], wanted: set[str]) -> float:
        first = [i in wanted and i not in ids[:at] for at, i in enumerate(ids[:k])]
        discounts = 1 / np.log2(np.arange(2, k + 2))
        return float(discounts[: len(first)] @ np.array(first, dtype=float) / discounts[: len(wanted)].sum())

    return _each(ranked, gold, score)


def answer_recall_at(k: int, texts: Ids, answers: Gold) -> Floats:
    """1 where the words of one of the row's answers stand in a row in one of the first ``k`` texts, else 0.

    Stands in for recall where no gold passage is known. It is generous to short answers, which may stand in a
    passage by chance ("1996", "yes"), and blind to answers that are not quoted from a passage.

    Args:
        texts: what was retrieved, best first.
        answers: the answers accepted for each row. Words and Chinese characters as in ``metrics.words``: case, width,
            punctuation and articles do not count.
    """

    def score(found: Sequence[str], accepted: Collection[str]) -> float:
        if not any(map(answer_tokens, accepted)):
            return np.nan
        return float(any(holds_answer(text, accepted) for text in found[:k]))

    return np.array([score(found, accepted) for found, accepted in zip(texts, answers, strict=True)])


def _each(ranked: Ids, gold: Gold, score: Callable[[Sequence[str], set[str]], float]) -> Floats:
    return np.array([score(ids, set(wanted)) if wanted else np.nan for ids, wanted in zip(ranked, gold, strict=True)])

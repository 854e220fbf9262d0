"""How good a ranking is, row by row.

Every function returns one number per row, shape ``(rows,)``, NaN for a row that cannot be scored (it names no gold
passage, or its answer has no words), so that ``stats`` can put an interval on the mean of the rest. A ranking is a
sequence of ids, best first: of passages, or of documents (``document_ids``). A document that comes up in several
passages counts at its first place, and its passages all take up places.

Sources: Manning, Raghavan, Schütze 2008, Introduction to Information Retrieval, chapter 8; Järvelin, Kekäläinen
2002, Cumulated gain-based evaluation of IR techniques, ACM TOIS (nDCG with binary gains).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from tuneworth.metrics.words import answer_tokens
from tuneworth.retrieval.hits import Hit

Floats = NDArray[np.float64]
Ids = Sequence[Sequence[str]]
Gold = Sequence[Collection[str]]


def passage_ids(found: Sequence[Sequence[Hit]]) -> list[list[str]]:
    return [[hit.passage.id for hit in hits] for hits in found]


def document_ids(found: Sequence[Sequence[Hit]]) -> list[list[str]]:
    """The document of each hit, repeats kept: place 5 is the document of the fifth passage."""
    return [[hit.passage.document_id for hit in hits] for hits in found]


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

    def score(found: Sequence[str], wanted: list[list[str]]) -> float:
        return float(any(_in_a_row(words, answer) for words in map(answer_tokens, found[:k]) for answer in wanted))

    return _each_answer(texts, answers, score)


def answer_words_at(k: int, texts: Ids, answers: Gold) -> Floats:
    """Share of an answer's different words that occur in the first ``k`` texts together; of the best answer.

    For answers that are written in the user's own words, where ``answer_recall_at`` finds nothing.
    """

    def score(found: Sequence[str], wanted: list[list[str]]) -> float:
        words = {word for text in found[:k] for word in answer_tokens(text)}
        return max(len(set(answer) & words) / len(set(answer)) for answer in wanted)

    return _each_answer(texts, answers, score)


def _each(ranked: Ids, gold: Gold, score: Callable[[Sequence[str], set[str]], float]) -> Floats:
    return np.array([score(ids, set(wanted)) if wanted else np.nan for ids, wanted in zip(ranked, gold, strict=True)])


def _each_answer(texts: Ids, answers: Gold, score: Callable[[Sequence[str], list[list[str]]], float]) -> Floats:
    scores: list[float] = []
    for found, accepted in zip(texts, answers, strict=True):
        wanted = [words for words in map(answer_tokens, accepted) if words]
        scores.append(score(found, wanted) if wanted else np.nan)
    return np.array(scores)


def holds_answer(text: str, answers: Collection[str]) -> bool:
    """Whether the words of one of the answers stand in a row in ``text``; see ``answer_recall_at``."""
    words = answer_tokens(text)
    return any(_in_a_row(words, wanted) for answer in answers if (wanted := answer_tokens(answer)))


def _in_a_row(words: list[str], answer: list[str]) -> bool:
    size = len(answer)
    return any(words[at : at + size] == answer for at in range(len(words) - size + 1) if words[at] == answer[0])

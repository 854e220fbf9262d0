"""Whether the documents hold what an answer states."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from tuneworth.audit.knowledge.words import Haystack, folded, han_numbers, han_runs, is_han, words_of


class Library:
    """Documents with an index of their words and of their Chinese character pairs."""

    def __init__(self, documents: Sequence[str]):
        self._texts = [Haystack(text) for text in documents]
        self._where: dict[str, set[int]] = defaultdict(set)
        for number, text in enumerate(documents):
            for key in _keys(folded(text)):
                self._where[key].add(number)

    def cover(self, units: Sequence[str]) -> float:
        """Largest share of ``units`` that one document has.

        One document, because the words of any answer stand somewhere in a large enough collection.
        """
        counts: dict[int, int] = defaultdict(int)
        for unit in units:
            for number in self._with(unit):
                counts[number] += 1
        return max(counts.values(), default=0) / len(units)

    def _with(self, unit: str) -> set[int]:
        if not is_han(unit) or len(unit) == 1:
            return self._where.get(unit, set())
        pairs = [self._where.get(unit[at : at + 2], set()) for at in range(len(unit) - 1)]
        return {number for number in set.intersection(*pairs) if self._texts[number].has(unit)}


def _keys(text: str) -> set[str]:
    keys = {*words_of(text), *han_numbers(text)}
    joined = "".join(han_runs(text))
    keys.update(joined)
    keys.update(joined[at : at + 2] for at in range(len(joined) - 1))
    return keys

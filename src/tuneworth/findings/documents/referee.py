"""Whether the right passage was found, by the one rule that fits the rows of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tuneworth.core.documents import Passage
from tuneworth.core.knowledge import Judge
from tuneworth.core.task import Example
from tuneworth.retrieval.gold import is_right
from tuneworth.retrieval.library import Library


@dataclass(frozen=True)
class Referee:
    """One rule for all rows: figures that mixed both would be means of two different things.

    Attributes:
        judge: ``gold`` when most rows that can be judged name gold passages that are there, else ``answer``.
    """

    library: Library
    judge: Judge

    def knows(self, row: Example, passage_tokens: int) -> bool:
        """Whether it can be told which passages of this size ``row`` needs. Not of a row that the documents cannot answer."""
        return self.library.can_judge(row, self.judge, passage_tokens)

    def flags(self, row: Example, passages: Sequence[Passage], passage_tokens: int) -> list[bool]:
        """For each of ``passages``, of this size, whether it is what ``row`` needs."""
        gold = self.library.gold(row, passage_tokens) if self.judge == "gold" else ()
        return [is_right(passage, row, gold, self.judge) for passage in passages]

    def shown(self, row: Example, ids: Sequence[str], passage_tokens: int) -> bool:
        """Whether what ``row`` needs is among the passages with these ``ids``. Any of several gold passages will do."""
        known = self.library.passages(passage_tokens)
        return any(self.flags(row, [known[name] for name in ids if name in known], passage_tokens))


def referee_for(library: Library, rows: Sequence[Example]) -> Referee:
    """The rule for ``rows``."""
    judges = [library.judge(row) for row in rows]
    n_gold, n_judged = judges.count("gold"), sum(judge is not None for judge in judges)
    return Referee(library, "gold" if 2 * n_gold > n_judged else "answer")

"""Which passages hold the answer to a row, as far as the row says so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from tuneworth.core.documents import Passage
from tuneworth.core.knowledge import Judge
from tuneworth.core.task import Example
from tuneworth.metrics.words import answer_tokens
from tuneworth.retrieval.measure import holds_answer


class GoldPassages:
    """Finds the passages that rows name.

    A row names documents or passages. Of a document that was cut, only the passages that hold an answer of the row are
    gold; all of them where none holds it word for word.

    Args:
        same_as: id of a document that was left out as a duplicate → id of the one that was kept.
    """

    def __init__(self, passages: Sequence[Passage], same_as: Mapping[str, str] | None = None):
        self._same_as = dict(same_as or {})
        self._by_id = {passage.id: passage for passage in passages}
        self._of_document: defaultdict[str, list[Passage]] = defaultdict(list)
        for passage in passages:
            self._of_document[passage.document_id].append(passage)

    def of(self, row: Example) -> tuple[Passage, ...]:
        """The gold passages of ``row``, in the order it names them; empty where it names none that is there."""
        found = [passage for name in row.gold for passage in self._named(name, row.references)]
        return tuple({passage.id: passage for passage in found}.values())

    def missing(self, row: Example) -> list[str]:
        """Ids that ``row`` names and no document or passage has."""
        return [name for name in row.gold if not self._named(name, row.references)]

    def document(self, name: str) -> Sequence[Passage]:
        """All passages of the document that a row calls ``name``."""
        return self._of_document.get(self._same_as.get(name, name), [])

    def _named(self, name: str, answers: Sequence[str]) -> Sequence[Passage]:
        if name in self._by_id:
            return [self._by_id[name]]
        whole = self.document(name)
        return [passage for passage in whole if holds_answer(passage.text, answers)] or whole


def judge_of(row: Example, gold: Sequence[Passage], no_answer: str) -> Judge | None:
    """How it can be known whether the right passage was found for ``row``; ``None`` where it cannot be.

    An answer of one character would stand in a passage by chance.
    """
    if row.output == no_answer:
        return None
    if gold:
        return "gold"
    return "answer" if any(len("".join(answer_tokens(answer))) > 1 for answer in row.references) else None


def is_right(passage: Passage, row: Example, gold: Sequence[Passage], judge: Judge) -> bool:
    """Whether ``passage`` is what ``row`` needs."""
    if judge == "gold":
        return any(passage.id == wanted.id for wanted in gold)
    return holds_answer(passage.text, row.references)

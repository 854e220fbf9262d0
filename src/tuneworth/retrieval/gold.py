"""Which passages hold the answer to a row, as far as the row says so.

A row names documents or passages. Of a document that was cut into several passages, gold are those that hold an answer
of the row; where none holds it word for word, which of them is right is not known, and none is taken for it.

Names of passages are ids of the task's usual passages: cut to another size, the same id is another text. What a name
stands for is therefore carried over to other sizes by document and text.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from tuneworth.core.documents import Passage
from tuneworth.core.knowledge import Judge
from tuneworth.core.task import Example
from tuneworth.retrieval.answers import holds_answer, in_words, share_answer, telling_answers

ByName = Mapping[str, tuple[Passage, ...]]
"""What a row names → the passages that hold its answer there, at least one; a name of which none is known is left out."""


class GoldPassages:
    """What rows name, among the task's usual passages.

    Args:
        same_as: id of a document that was left out as a duplicate → id of the one that was kept.
    """

    def __init__(self, passages: Sequence[Passage], same_as: Mapping[str, str] | None = None):
        self._same_as = dict(same_as or {})
        self._by_id = {passage.id: passage for passage in passages}
        self._of_document = by_document(passages)

    def named(self, row: Example) -> tuple[Passage, ...]:
        """Everything that ``row`` names: passages, and documents with all their passages."""
        return tuple(passage for name in row.gold for passage in self._named(name))

    def by_name(self, row: Example) -> ByName:
        """The gold passages of ``row``, in the order it names them."""
        answers = telling_answers(row)
        found = {name: _holding(self._named(name), answers) for name in row.gold}
        return {name: passages for name, passages in found.items() if passages}

    def _named(self, name: str) -> Sequence[Passage]:
        if name in self._by_id:
            return [self._by_id[name]]
        return self._of_document.get(self._same_as.get(name, name), [])


class CarriedGold:
    """What rows name, among passages of another size.

    Gold is a passage that shares the answer with the one that is gold in the usual size, else one that holds all of
    that one's text. Of pieces that do not hold the answer word for word, which one is right is not known.
    """

    def __init__(self, usual: GoldPassages, passages: Sequence[Passage]):
        self._usual = usual
        self._of_document = by_document(passages)

    def by_name(self, row: Example) -> ByName:
        """The gold passages of ``row``, in the order it names them."""
        answers = telling_answers(row)
        found = {
            name: unique(carried for passage in gold for carried in self._carried(passage, answers))
            for name, gold in self._usual.by_name(row).items()
        }
        return {name: passages for name, passages in found.items() if passages}

    def _carried(self, gold: Passage, answers: Sequence[str]) -> list[Passage]:
        near = self._of_document.get(gold.document_id, [])
        sharing = [passage for passage in near if share_answer(passage.text, gold.text, answers)]
        return sharing or [passage for passage in near if in_words(gold.text) in in_words(passage.text)]


def names_of(passages: Sequence[Passage], same_as: Mapping[str, str]) -> set[str]:
    """Every name by which a row can name something that is there."""
    documents = {passage.document_id for passage in passages}
    left_out = {name for name, kept in same_as.items() if kept in documents}
    return documents | left_out | {passage.id for passage in passages}


def is_right(passage: Passage, row: Example, gold: Sequence[Passage], judge: Judge) -> bool:
    """Whether ``passage`` is what ``row`` needs."""
    if judge == "gold":
        return any(passage.id == wanted.id for wanted in gold)
    return holds_answer(passage.text, telling_answers(row))


def by_document(passages: Sequence[Passage]) -> Mapping[str, Sequence[Passage]]:
    """Document id → its passages, in their order."""
    found: defaultdict[str, list[Passage]] = defaultdict(list)
    for passage in passages:
        found[passage.document_id].append(passage)
    return dict(found)


def unique(passages: Iterable[Passage]) -> tuple[Passage, ...]:
    """Each passage once, at its first place."""
    return tuple({passage.id: passage for passage in passages}.values())


def _holding(passages: Sequence[Passage], answers: Sequence[str]) -> tuple[Passage, ...]:
    """Those of one name's passages that hold the answer; a single one does, in whatever words."""
    if len(passages) == 1:
        return tuple(passages)
    return tuple(passage for passage in passages if holds_answer(passage.text, answers))

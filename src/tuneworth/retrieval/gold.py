"""Which passages hold the answer to a row, as far as the row says so.

A row names documents or passages. Of a document that was cut into several passages, gold are those that hold an answer
of the row; where none holds it word for word, which of them is right is not known, and none is taken for it.

Where answers are quoted, a passage that holds one word for word is right too. A label, a letter of a choice and an answer in
the row's own words stand in no passage, so it is asked of the training rows, once per run, whether theirs do at all.

Names of passages are ids of the task's usual passages: cut to another size, the same id is another text. What a name
stands for is therefore carried over to other sizes by document and text.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache

from tuneworth.core.documents import Passage
from tuneworth.core.knowledge import Judge
from tuneworth.core.task import Example
from tuneworth.metrics._parts.words import answer_tokens

QUOTED_SHARE = 0.8
"""Share of the training rows' answers that must stand in the documents word for word. A row whose answer stands nowhere is
a row for which nothing is found, however good the search: with fewer quoted rows, that could make more than a fifth of
all recall, and of all loss, which is what a verdict would then be about."""
ASKED_ROWS = 200
"""About as many training rows are looked for: the share is then known to about three points."""
_FEWEST_CHARACTERS = 2
_KEPT_TEXTS = 1 << 16


@lru_cache(maxsize=_KEPT_TEXTS)
def in_words(text: str) -> str:
    """``text`` as ``answer_tokens`` cuts it, a space around each token: what stands in a row in it is a part of it.

    Kept for the texts asked for last, since the passages of a run are looked at for many rows.
    """
    return f" {' '.join(answer_tokens(text))} "


def holds_answer(text: str, answers: Iterable[str]) -> bool:
    """Whether the words of one of the answers stand in a row in ``text``.

    Case, width, punctuation and articles do not count (``metrics.words``); an answer without words stands nowhere.
    """
    words = in_words(text)
    return any(wanted in words and not wanted.isspace() for wanted in map(in_words, answers))


def telling_answers(row: Example) -> tuple[str, ...]:
    """The accepted answers of ``row`` that are worth looking for: a single character stands in a passage by chance."""
    return tuple(answer for answer in row.references if len("".join(answer_tokens(answer))) >= _FEWEST_CHARACTERS)


def are_quoted(rows: Sequence[Example], passages: Iterable[Passage]) -> bool:
    """Whether the answers of ``rows`` are quoted from ``passages``, by a sample; not without rows.

    NOT guaranteed: that they stand there as an answer. Short ones may do by chance.
    """
    step = max(1, len(rows) // ASKED_ROWS)
    missing = [answers for row in rows[::step] if (answers := telling_answers(row))]
    n_asked = len(missing)
    for passage in passages:
        missing = [answers for answers in missing if not holds_answer(passage.text, answers)]
        if n_asked - len(missing) >= QUOTED_SHARE * n_asked:
            return n_asked > 0
    return False


def shared_words(text: str, other: str) -> str:
    """The words that two parts of one document have in common: one of them as a whole, or the end of one that begins
    the other. Empty but for white space where they do not overlap."""
    one, two = in_words(text), in_words(other)
    if one in two or two in one:
        return min(one, two, key=len)
    return max(_seam(one, two), _seam(two, one), key=len)


def _seam(before: str, after: str) -> str:
    """The longest end of ``before`` with which ``after`` begins."""
    ending, start = before.split(), after.split()
    most = min(len(ending), len(start))
    longest = next((n for n in range(most, 0, -1) if ending[-n:] == start[:n]), 0)
    return " ".join(start[:longest])


def share_answer(text: str, other: str, answers: Collection[str]) -> bool:
    """Whether one of the answers stands in what two parts of a document have in common."""
    return holds_answer(text, answers) and holds_answer(shared_words(text, other), answers)


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

"""Answers in texts, word for word: where one stands, and when that tells that a passage is the right one.

It tells something only where answers are quoted. A label, a letter of a choice and a filled form are not taken out of a
passage, and an answer in the row's own words stands in none: looking for it would say of every search that it finds
nothing. So it is asked of the training rows, once per run, whether their answers stand in the documents at all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache

from tuneworth.core.documents import Passage
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

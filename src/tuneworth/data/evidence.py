"""What a column that nothing reads shows about the answers: tests on a sample of rows, each against chance.

1. Do answers stand in it, more often than those of other rows do?
2. Does it tell rows apart that ask the same and are answered differently, more often than the same values in another order?
3. Does a quick classifier do better with it, on rows that it has not seen?

What these mean for a column is decided in ``columns.py``, where its name counts too.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuneworth.core.text import Text
from tuneworth.data.naive_bayes import Features, classes, features, features_with, right_on_held_out, words_of
from tuneworth.data.values import cell, is_empty, parsed
from tuneworth.words.numbers import percent
from tuneworth.words.say import say

SAMPLE = 1_000
"""Rows that are looked at, evenly spread: enough to tell 3 points from chance, quick at any size of file."""
WIDE = 40
"""Columns from which fewer rows are looked at, so that a table of a thousand columns takes seconds too."""
_CHARS = 30_000
"""Most of a cell that is searched for answers; of words, the first 4,000 characters are looked at."""
_LEAST = 20
"""Fewest rows on which a test may say anything; as few as an answer needs at all."""
_Z = 4.0
"""Standard errors above chance: with a hundred columns, all tests together err less than once in a hundred files."""


@dataclass(frozen=True)
class Sampled:
    """The rows of a sample as the tests see them: what is asked, what is answered, and the columns nothing reads."""

    asked: Sequence[str]
    answers: Sequence[str]
    columns: Mapping[str, Sequence[str]]

    @property
    def n(self) -> int:
        return len(self.answers)

    @cached_property
    def asked_features(self) -> list[Features]:
        """What the classifier sees of each question."""
        return [features(text) for text in self.asked]

    @cached_property
    def wanted(self) -> NDArray[np.int64]:
        """The class of each row's answer."""
        return classes(self.answers)

    @cached_property
    def said(self) -> list[Features]:
        """What the classifier sees of each answer."""
        return [features(answer) for answer in self.answers]

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        """Per row of a class, whether the classifier names it from the question alone."""
        return right_on_held_out(
            [self.asked_features[at] for at in np.flatnonzero(self.wanted >= 0)], self.wanted[self.wanted >= 0]
        )

    @cached_property
    def asked_words(self) -> list[frozenset[str]]:
        return [frozenset(words_of(text)) for text in self.asked]

    @cached_property
    def new_words(self) -> list[frozenset[str]]:
        """Words of each answer that its question does not have."""
        return [frozenset(words_of(answer)) - words for answer, words in zip(self.answers, self.asked_words)]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the tests say of one column, each ``None`` where it says nothing.

    Attributes:
        holds: (rows whose answer stands in it, rows whose answer does not stand in the question already).
        explains: (rows that contradict another without it and none with it, rows that contradict another without it).
        predicts: accuracy of the classifier (without, with).
        overlap: share of an answer's words that stand in it and not in the question (its own row's, another row's).
        shapes: a classifier tells its value (from the question, from the answer). It says that answers follow the column,
            or the column them; so it speaks for a column whose name does, and raises no alarm by itself.
        is_answer: it is the answer, or a part of it, or question and answer in one.
        names_it: it is the answer in other words: whatever value comes again has the same answer again.
    """

    holds: tuple[int, int] | None = None
    explains: tuple[int, int] | None = None
    predicts: tuple[float, float] | None = None
    overlap: tuple[float, float] | None = None
    shapes: tuple[float, float] | None = None
    is_answer: bool = False
    names_it: bool = False

    @property
    def any(self) -> bool:
        return any((self.holds, self.explains, self.predicts, self.overlap))

    def said(self) -> Text:
        """The strongest of it, for a sentence."""
        if self.holds:
            return say("columns.evidence.holds", n=self.holds[0], of=self.holds[1])
        if self.explains:
            return say("columns.evidence.explains", n=self.explains[0], of=self.explains[1])
        if self.predicts:
            return say(
                "columns.evidence.predicts", without=percent(self.predicts[0], 0), with_it=percent(self.predicts[1], 0)
            )
        if self.overlap:
            return say("columns.evidence.overlap", own=percent(self.overlap[0], 0), other=percent(self.overlap[1], 0))
        if self.shapes:
            return say("columns.evidence.shapes", asked=percent(self.shapes[0], 0), answer=percent(self.shapes[1], 0))
        return say("columns.evidence.name")


def evidence_of(values: Sequence[str], sample: Sampled) -> Evidence:
    """What the tests say of a column with these ``values``, one a row."""
    if sample.n < _LEAST or len(set(values)) < 2:
        return Evidence()
    if _is_part(values, sample.answers) or _is_whole(values, sample):
        return Evidence(is_answer=True)
    return Evidence(
        names_it=_names_it(values, sample.answers),
        holds=_holds(values, sample),
        explains=explains(sample.asked, sample.answers, values),
        predicts=_predicts(values, sample),
        overlap=_overlap(values, sample),
        shapes=_shapes(values, sample),
    )


def flat(value: Any) -> str:
    """A cell as the tests compare it: one line, lower case, lists and objects by their values."""
    value = parsed(value)
    if is_empty(value):
        return ""
    if isinstance(value, list):
        return " ".join(flat(item) for item in value)
    if isinstance(value, dict):
        return " ".join(flat(item) for item in value.values())
    return " ".join(str(value)[:_CHARS].casefold().split())


def is_label(values: Sequence[str]) -> bool:
    """Whether a column has few short values that come again."""
    filled = [value for value in values if value]
    return bool(filled) and 1 < len(set(filled)) <= min(50, len(filled) / 3) and max(map(len, set(filled))) <= 60


def values_of(name: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return [flat(cell(row, name)) for row in rows]


def _names_it(values: Sequence[str], answers: Sequence[str]) -> bool:
    """Whether each value that comes again has one answer, against how often answers agree by chance.

    A value that is unique has one answer too and says nothing.
    """
    groups = defaultdict[str, list[str]](list)
    for value, answer in zip(values, answers):
        groups[value].append(answer)
    repeated = [group for value, group in groups.items() if value and len(group) > 1]
    n = sum(map(len, repeated))
    if n < len(answers) / 2:
        return False
    agreeing = sum(max(Counter(group).values()) for group in repeated)
    commonest = max(Counter(answers).values()) / len(answers)
    return agreeing / n >= 0.98 and commonest < 0.95 and _surely_more(agreeing, n, max(commonest, 1 / len(repeated)))


def _is_part(values: Sequence[str], answers: Sequence[str]) -> bool:
    """Whether most values are the answer, or stand in it more often than in the answers of other rows."""
    filled = [(value, answer) for value, answer in zip(values, answers) if value]
    if len(filled) < _LEAST:
        return False
    inside = sum(_stands(value, answer) for value, answer in filled)
    by_chance = sum(_stands(filled[at][0], answer) for at, (_, answer) in zip(shuffled(len(filled)), filled))
    same = sum(value == answer for value, answer in filled)
    part = inside >= 0.8 * len(filled) and _surely_more(inside, len(filled), by_chance / len(filled))
    return same >= 0.5 * len(filled) or part


def _is_whole(values: Sequence[str], sample: Sampled) -> bool:
    """Whether the values are question and answer written out in one, as training scripts keep them beside their parts."""
    rows = [at for at in range(sample.n) if values[at] and len(sample.asked_words[at]) >= 3]
    if len(rows) < _LEAST:
        return False

    def written_out(at: int, value: str) -> bool:
        if not _stands(sample.answers[at], value):
            return False
        asked = sample.asked_words[at]
        return len(asked.intersection(words_of(value))) >= 0.95 * len(asked)

    own = sum(written_out(at, values[at]) for at in rows)
    other = sum(written_out(at, values[rows[far]]) for at, far in zip(rows, shuffled(len(rows))))
    return own >= 0.8 * len(rows) and _surely_more(own, len(rows), other / len(rows))


def _holds(values: Sequence[str], sample: Sampled) -> tuple[int, int] | None:
    """Whether answers that do not stand in the question stand here, more often than the answers of other rows do."""
    rows = [at for at in range(sample.n) if values[at] and not _stands(sample.answers[at], sample.asked[at])]
    if len(rows) < _LEAST:
        return None
    found = sum(_stands(sample.answers[at], values[at]) for at in rows)
    far = [(at, rows[other]) for seed in range(3) for at, other in zip(rows, shuffled(len(rows), seed))]
    chance = sum(_stands(sample.answers[other], values[at]) for at, other in far) / len(far)
    if found < 0.2 * len(rows) or not _surely_more(found, len(rows), chance):
        return None
    return found, len(rows)


def explains(asked: Sequence[str], answers: Sequence[str], values: Sequence[str]) -> tuple[int, int] | None:
    """Whether a column tells contradicting rows apart, more often than its values in another order do.

    A value of its own for every row tells all rows apart in any order, and so explains nothing.
    """
    groups = defaultdict[str, list[int]](list)
    for at, text in enumerate(asked):
        groups[text].append(at)
    torn = [group for group in groups.values() if len({answers[at] for at in group}) > 1]
    n = sum(map(len, torn))
    if n < _LEAST or n < 0.02 * len(asked):
        return None

    def told_apart(column: Sequence[str]) -> int:
        seen = defaultdict[tuple[int, str], set[str]](set)
        for place, group in enumerate(torn):
            for at in group:
                seen[place, column[at]].add(answers[at])
        return sum(len(seen[place, column[at]]) == 1 for place, group in enumerate(torn) for at in group)

    found = told_apart(values)
    chance = max(told_apart([values[at] for at in shuffled(len(values), seed)]) for seed in range(3)) / n
    return (found, n) if found >= 0.5 * n and _surely_more(found, n, chance) else None


def _predicts(values: Sequence[str], sample: Sampled) -> tuple[float, float] | None:
    """Whether naive Bayes on words is right more often with the column, on rows left out of its training in turn."""
    rows = np.flatnonzero(sample.wanted >= 0)
    if sample.wanted.max(initial=-1) < 1 or len(rows) < max(2 * _LEAST, 0.8 * sample.n):
        return None
    few = len(set(values)) <= max(50, sample.n // 20)
    with_it = [features_with(sample.asked_features[at], values[at], few) for at in rows.tolist()]
    return _gain(sample.right, right_on_held_out(with_it, sample.wanted[rows]))


def _shapes(values: Sequence[str], sample: Sampled) -> tuple[float, float] | None:
    """Whether answers in free text tell the value of a column with few values, and questions do not: a style, a language."""
    if sample.wanted.max(initial=-1) >= 1 and (sample.wanted >= 0).mean() > 0.5:
        return None  # labels: `_predicts` says it
    wanted = classes(values)
    rows = np.flatnonzero(wanted >= 0)
    if wanted.max(initial=-1) < 1 or len(rows) < max(2 * _LEAST, 0.8 * sample.n):
        return None
    a, b = (
        right_on_held_out([texts[at] for at in rows.tolist()], wanted[rows])
        for texts in (sample.asked_features, sample.said)
    )
    return _gain(a, b)


def _gain(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> tuple[float, float] | None:
    """Shares right of two classifiers on the same rows, where the second is surely and visibly better (as McNemar's test)."""
    gained, lost = int((b & ~a).sum()), int((a & ~b).sum())
    if b.mean() - a.mean() < 0.05 or gained - lost < _Z * np.sqrt(gained + lost):
        return None
    return float(a.mean()), float(b.mean())


def _overlap(values: Sequence[str], sample: Sampled) -> tuple[float, float] | None:
    """For longer answers: the share of their words that stand in the column and not in the question."""
    words = sample.new_words
    rows = [at for at in range(sample.n) if values[at] and len(words[at]) >= 3]
    if len(rows) < _LEAST or len({sample.answers[at] for at in rows}) < len(rows) / 2:
        return None
    there = {at: set(words_of(values[at])) for at in rows}
    own = np.array([len(words[at] & there[at]) / len(words[at]) for at in rows])
    moved = [rows[other] for other in shuffled(len(rows))]
    other = np.array([len(words[at] & there[far]) / len(words[at]) for at, far in zip(rows, moved)])
    gain = own - other
    if gain.mean() < 0.1 or gain.mean() < _Z * gain.std() / np.sqrt(len(rows)):
        return None
    return float(own.mean()), float(other.mean())


def _stands(answer: str, text: str) -> bool:
    """Whether ``answer`` stands in ``text``, as words of its own where it is made of letters."""
    return bool(answer) and answer in text and _standing(answer).search(text) is not None


@lru_cache(4 * SAMPLE)
def _standing(answer: str) -> re.Pattern[str]:
    letter = r"[^\W_\u4e00-\u9fff]"
    before = f"(?<!{letter})" if re.match(letter, answer[0]) else ""
    after = f"(?!{letter})" if re.match(letter, answer[-1]) else ""
    return re.compile(before + re.escape(answer) + after)


def shuffled(n: int, seed: int = 0) -> list[int]:
    """Another order of ``n`` rows: what the values of other rows say is what chance says. Files are often sorted or dealt in turn."""
    return np.random.default_rng(seed).permutation(n).tolist()


def _surely_more(found: int, n: int, chance: float) -> bool:
    """Whether ``found`` of ``n`` is above a chance that was itself counted on about as many rows."""
    share = (found / n + chance) / 2
    return found / n - chance > max(0.1, _Z * np.sqrt(max(share * (1 - share), 1 / n) * 2 / n))

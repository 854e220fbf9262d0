"""Groups of rows that must stay on one side of the split, and how they are dealt to the sides.

Rows are joined when their texts are the same once numbers and punctuation are taken away, when they
are near-duplicates, when one goes on where another ends (a chat exported turn by turn), or when a group column says so. Joining is transitive: if A is near B
and B near C, then A and C share a side although they may differ, because a split between any two
neighbours would leak.

Chains can swallow a data set whose rows are all variations of one another. A near-duplicate group
over a quarter of the rows whose members are, taken two by two, mostly not alike is such a chain; it
is joined anew at a higher threshold (0.8, then 0.9). A large group whose members are alike is left
whole: it is what it looks like.

Numbers are ignored, with one exception: when nearly all inputs are the same but for their numbers and
the answers differ (sums, prices, thresholds), the numbers are the task. Only equal inputs are joined then.

Dealing is iterative stratification (Sechidis, Tsoumakas, Vlahavas 2011, "On the stratification of multi-label data"),
with groups of rows in place of rows with several labels: the rarest class is dealt first, and a group goes to the side
that still wants most of that class. Train wants most of every class at first, so every class is in train before any
other side has it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tuneworth.core.text import Text
from tuneworth.data.neardup import (
    Boilerplate,
    Pairs,
    Sketches,
    ngram_size,
    pairs_across,
    pairs_within,
    plain,
    similarities,
    sketch,
)
from tuneworth.words.say import say

THRESHOLD = 0.7
_BANDS, _NEIGHBOURS, _MOST_ACROSS = 32, 64, 200  # a pair that is missed here leaks, and a side has few rows
CHAIN_SHARE = 0.25
_CHAIN_MIN_TEXTS = 20
_STRICTER = (0.8, 0.9)
_SAMPLED_PAIRS = 100
_ONE_TEMPLATE_SHARE = 0.8
_ONE_ANSWER_SHARE = 0.95
Side = Literal["train", "dev", "test"]
_PARTS = 20
"""No group is more than a twentieth of dev or test; larger ones go to train, unless dev or test stay half empty so."""
_GROUPS_FOR: dict[Side, float] = {"dev": 0.15, "test": 0.25}
"""Share of the groups that a side may take then; so many as it needs of these give it as many rows each as it has room for."""
_LEAST_START = 40
"""Characters that a text must have for one that goes on from it to be joined to it: many chats begin with "Hi"."""
_MOST_CONTINUED = 10
"""A text that more texts than this go on from is a heading that they share, not the beginning of a chat."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Group number of every row, numbered in the order of first rows.

    Attributes:
        boilerplate, n, numbers_matter: how texts were prepared, to compare others with them.
    """

    of_row: tuple[int, ...]
    n_groups: int
    boilerplate: Boilerplate
    n: int
    numbers_matter: bool = False
    warnings: tuple[Text, ...] = ()

    def prepared(self, text: str) -> str:
        """``text`` as it was compared."""
        if self.numbers_matter:
            return plain(text, keep_numbers=True)
        return plain(self.boilerplate.strip(text))

    def members(self) -> list[list[int]]:
        """Row numbers by group."""
        found: list[list[int]] = [[] for _ in range(self.n_groups)]
        for row, group in enumerate(self.of_row):
            found[group].append(row)
        return found


class Union:
    """Disjoint sets of the numbers below ``size``."""

    def __init__(self, size: int):
        self._parent = list(range(size))

    def root(self, item: int) -> int:
        while self._parent[item] != item:
            self._parent[item] = self._parent[self._parent[item]]
            item = self._parent[item]
        return item

    def join(self, a: int, b: int) -> None:
        a, b = self.root(a), self.root(b)
        self._parent[max(a, b)] = min(a, b)

    def sets(self) -> list[list[int]]:
        found: dict[int, list[int]] = {}
        for item in range(len(self._parent)):
            found.setdefault(self.root(item), []).append(item)
        return list(found.values())


def group_rows(texts: Sequence[str], outputs: Sequence[str], user_groups: Sequence[str] = ()) -> Groups:
    """Groups of rows by their texts and, where not empty, the user's group names.

    5,000 rows of 50 to 150 characters take 2 to 4 seconds on one core.
    """
    boilerplate = Boilerplate.of(texts)
    plains = [plain(boilerplate.strip(text)) for text in texts]
    numbers_matter = _numbers_matter(texts, plains, outputs)
    if numbers_matter:
        plains = [plain(text, keep_numbers=True) for text in texts]
    first: dict[str, int] = {}
    for row, text in enumerate(plains):
        first.setdefault(text, row)
    distinct = list(first)
    n = ngram_size(distinct)
    sets, warnings = (
        ([], [say("split.numbers_decide")]) if numbers_matter else _near_duplicates(sketch(distinct, n, bands=_BANDS))
    )
    union = Union(len(texts))
    _join_all(union, [[first[distinct[i]] for i in members] for members in sets])
    _join_all(union, [[first[text], row] for row, text in enumerate(plains)])
    _join_all(union, _by_name(user_groups))
    _join_all(union, _continued(texts))
    numbers: dict[int, int] = {}
    of_row = tuple(numbers.setdefault(union.root(row), len(numbers)) for row in range(len(texts)))
    return Groups(of_row, len(numbers), boilerplate, n, numbers_matter, tuple(warnings))


def _numbers_matter(texts: Sequence[str], plains: Sequence[str], outputs: Sequence[str]) -> bool:
    """Whether most inputs differ in numbers only, and their answers in more than those numbers."""
    distinct = dict(zip(texts, zip(plains, outputs)))
    usual, n_rows = Counter(text for text, _ in distinct.values()).most_common(1)[0]
    if n_rows < max(_ONE_TEMPLATE_SHARE * len(distinct), 2):
        return False
    answers = Counter(_masked_answer(output) for text, output in distinct.values() if text == usual)
    return answers.most_common(1)[0][1] < _ONE_ANSWER_SHARE * n_rows


def _masked_answer(output: str) -> str:
    """An answer of words without its numbers; an answer that is a number stays as it is."""
    return plain(output, keep_numbers=not any(map(str.isalpha, output)))


def _by_name(user_groups: Sequence[str]) -> list[list[int]]:
    named: dict[str, list[int]] = {}
    for row, name in enumerate(user_groups):
        if name:
            named.setdefault(name, []).append(row)
    return list(named.values())


def _continued(texts: Sequence[str]) -> list[list[int]]:
    """Rows whose text is the beginning of others, with these; the next line of the others is something new."""
    first = {text: row for row, text in reversed(list(enumerate(texts)))}
    found: dict[str, list[int]] = {}
    open_texts: list[str] = []
    for text in sorted(first):  # a beginning comes before what goes on from it
        while open_texts and not text.startswith(open_texts[-1] + "\n"):
            open_texts.pop()
        if open_texts:
            found.setdefault(open_texts[-1], []).append(first[text])
        if len(text) >= _LEAST_START:
            open_texts.append(text)
    return [[first[start], *rows] for start, rows in found.items() if len(rows) <= _MOST_CONTINUED]


def _join_all(union: Union, sets: list[list[int]]) -> None:
    for members in sets:
        for member in members[1:]:
            union.join(members[0], member)


def _near_duplicates(found: Sketches) -> tuple[list[list[int]], list[Text]]:
    """Sets of near-duplicates among distinct texts, chains broken up."""
    pairs, total = pairs_within(found, THRESHOLD, neighbours=_NEIGHBOURS), len(found)
    sets, warnings = _linked(list(range(total)), pairs, THRESHOLD), list[Text]()
    for threshold in _STRICTER:
        whole = [members for members in sets if not _is_chain(found, members)]
        chains = [members for members in sets if _is_chain(found, members)]
        if not chains:
            break
        sets = whole + [part for members in chains for part in _linked(members, pairs, threshold)]
        warnings = [say("split.chain", n_rows=str(sum(map(len, chains))), total=str(total), threshold=f"{threshold:g}")]
    return sets, warnings


def _linked(members: list[int], pairs: Pairs, threshold: float) -> list[list[int]]:
    """``members`` in sets joined by pairs at or over ``threshold``."""
    place = {member: at for at, member in enumerate(members)}
    union, alike = Union(len(members)), pairs.similarity >= threshold
    for a, b in zip(pairs.a[alike].tolist(), pairs.b[alike].tolist()):
        if a in place and b in place:
            union.join(place[a], place[b])
    return [[members[at] for at in part] for part in union.sets()]


def _is_chain(found: Sketches, members: list[int]) -> bool:
    """Whether a group is large and most pairs in it are not near-duplicates."""
    if len(members) < _CHAIN_MIN_TEXTS or len(members) < CHAIN_SHARE * len(found):
        return False
    pairs = np.random.default_rng(0).choice(np.array(members, np.int64), size=(_SAMPLED_PAIRS, 2))
    a, b = pairs[pairs[:, 0] != pairs[:, 1]].T
    return float(np.median(similarities(found, found, a, b))) < THRESHOLD


def first_repeated(texts: Sequence[str], others: Sequence[str], n: int) -> dict[int, int]:
    """Place of a text that is a near-duplicate of some of ``others`` → place of the first of them.

    Args:
        n: characters per n-gram, see ``Groups.n``; texts and others are ``Groups.prepared``.
    """
    mine, theirs = sketch(texts, n, bands=_BANDS), sketch(others, n, bands=_BANDS)
    found: dict[int, int] = {}
    pairs = pairs_across(mine, theirs, THRESHOLD, most=_MOST_ACROSS)
    for at, other in zip(pairs.a.tolist(), pairs.b.tolist()):  # ascending
        found.setdefault(at, other)
    return found


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that stay together: how many of each class. Classes are all one for tasks without labels."""

    classes: Counter[str]

    @property
    def size(self) -> int:
        return self.classes.total()


def deal(groups: Sequence[Group], targets: dict[Side, int], rng: np.random.Generator) -> list[Side]:
    """The side of every group. ``targets`` are sizes; train takes what fits nowhere else."""
    order = [int(at) for at in rng.permutation(len(groups))]
    sides: list[Side] = []
    for whole in (True, False):
        dealing = _Deal(groups, targets, whole=whole)
        sides = dealing.run(order)
        if all(2 * room <= targets[side] for side, room in dealing.room.items() if side != "train"):
            break
    return sides


class _Deal:
    """Attributes:
    most: rows of one group that a side may have. A larger group is kept off it, or counts as so many rows there where
        groups need not stay ``whole``: the surplus is left out.
    """

    def __init__(self, groups: Sequence[Group], targets: dict[Side, int], *, whole: bool):
        self.groups, self.targets, self.whole = groups, targets, whole
        parts = {side: min(_PARTS, max(1.0, share * len(groups))) for side, share in _GROUPS_FOR.items()}
        self.most = {
            side: max(1, int(target / (_PARTS if whole else parts[side])))
            for side, target in targets.items()
            if side != "train"
        }
        self.counts: Counter[str] = Counter()
        for group in groups:
            self.counts.update(group.classes)
        total = sum(targets.values())
        shares = {side: target / total for side, target in targets.items()}
        if not whole:  # what is left out of the groups on dev and test is not for train either
            shares["train"] = min(shares["train"], 1 - sum(parts[side] for side in self.most) / len(groups))
        self.wanted = {
            name: {side: count * share for side, share in shares.items()} for name, count in self.counts.items()
        }
        self.room = dict(targets)

    def run(self, order: list[int]) -> list[Side]:
        of_class: dict[str, list[int]] = {name: [] for name in self.counts}
        for at in order:
            for name in self.groups[at].classes:
                of_class[name].append(at)
        dealt: dict[int, Side] = {}
        for name in sorted(self.counts, key=lambda name: (self.counts[name], name)):
            for at in of_class[name]:
                if at not in dealt:
                    dealt[at] = self._side_for(self.groups[at], name)
        return [dealt[at] for at in range(len(self.groups))]

    def _side_for(self, group: Group, name: str) -> Side:
        open_sides: list[Side] = [side for side in self.targets if side == "train" or self._fits(group, side)]
        chosen: Side = max(open_sides, key=lambda side: (self.wanted[name][side], self.room[side]))
        kept = self._kept(group, chosen)
        self.room[chosen] -= kept
        for other, count in group.classes.items():
            self.wanted[other][chosen] -= count * kept / group.size
        return chosen

    def _kept(self, group: Group, side: Side) -> int:
        return min(group.size, self.most.get(side, group.size))

    def _fits(self, group: Group, side: Side) -> bool:
        return self._kept(group, side) <= self.room[side] and (not self.whole or group.size <= self.most[side])


def most_rows(sizes: Sequence[int]) -> int:
    """Rows of one group that a side may keep: a twentieth of what is kept, or twice an even share of fewer than 20 groups."""
    share = 1 / _PARTS if len(sizes) >= _PARTS else 2 / max(2, len(sizes))
    fitting = (most for most in range(max(sizes, default=1), 1, -1) if most <= share * sum(min(n, most) for n in sizes))
    return next(fitting, 1)


def stratified_sample(classes: Sequence[str], size: int, rng: np.random.Generator) -> list[int]:
    """``size`` row numbers, ascending, with the classes in their proportions (largest remainders)."""
    if len(classes) <= size:
        return list(range(len(classes)))
    shuffled = [int(at) for at in rng.permutation(len(classes))]
    counts = Counter(classes)
    exact = {name: count * size / len(classes) for name, count in counts.items()}
    quota = {name: int(share) for name, share in exact.items()}
    by_remainder = sorted(exact, key=lambda name: (quota[name] - exact[name], name))
    for name in by_remainder[: size - sum(quota.values())]:
        quota[name] += 1
    taken: list[int] = []
    for at in shuffled:
        if quota[classes[at]] > 0:
            quota[classes[at]] -= 1
            taken.append(at)
    return sorted(taken)

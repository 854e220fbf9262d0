"""Dealing groups of rows to the sides of a split so that every class has its share on each.

Iterative stratification (Sechidis, Tsoumakas, Vlahavas 2011, "On the stratification of multi-label
data"), with groups of rows in place of rows with several labels: the rarest class is dealt first,
and a group goes to the side that still wants most of that class. Train wants most of every class at
first, so every class is in train before any other side has it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

Side = Literal["train", "dev", "test"]

_MOST_OF_A_SIDE = (0.25, 1.0)
"""A group larger than a quarter of dev or test goes to train, unless dev or test stay half empty so."""


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
    for most in _MOST_OF_A_SIDE:
        sides = _Deal(groups, targets, most).run(order)
        sizes: Counter[Side] = Counter()
        for group, side in zip(groups, sides):
            sizes[side] += group.size
        if all(2 * sizes[side] >= target for side, target in targets.items()):
            break
    return sides


class _Deal:
    def __init__(self, groups: Sequence[Group], targets: dict[Side, int], most: float):
        self.groups, self.targets, self.most = groups, targets, most
        self.counts: Counter[str] = Counter()
        for group in groups:
            self.counts.update(group.classes)
        total = sum(targets.values())
        self.wanted = {
            name: {side: count * target / total for side, target in targets.items()}
            for name, count in self.counts.items()
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
        self.room[chosen] -= group.size
        for other, count in group.classes.items():
            self.wanted[other][chosen] -= count
        return chosen

    def _fits(self, group: Group, side: Side) -> bool:
        return group.size <= min(self.room[side], max(1, self.most * self.targets[side]))


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

"""Which of several systems is first, and how surely: codes and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tuneworth.core.compared import Standing
from tuneworth.core.run import Comparison


@dataclass(frozen=True, slots=True)
class Against:
    """The first system against another; ``pair`` may have the two the other way round."""

    other: str
    pair: Comparison
    turned: bool

    @property
    def answer(self) -> str:
        turned = {"better": "worse", "worse": "better"}
        return turned.get(self.pair.answer, self.pair.answer) if self.turned else self.pair.answer


@dataclass(frozen=True, slots=True)
class Placed:
    """Attributes:
    first: the system that is ahead of most others, on the rows of each pair.
    against: it against each of the others, the nearest first.
    """

    standing: Standing
    first: str
    against: list[Against]

    def of(self, *answers: str) -> list[Against]:
        return [one for one in self.against if one.answer in answers]


def place(systems: Sequence[str], pairs: Sequence[Comparison]) -> Placed:
    """
    Args:
        pairs: all pairs of systems on one metric.
    """

    def against(system: str) -> list[Against]:
        there = [Against(p.b if p.a == system else p.a, p, p.b == system) for p in pairs if system in (p.a, p.b)]
        return sorted(there, key=lambda one: abs(one.pair.difference))

    def ahead(system: str) -> tuple[int, float]:
        signed = [-one.pair.difference if one.turned else one.pair.difference for one in against(system)]
        return sum(difference > 0 for difference in signed), sum(signed)

    first = max(systems, key=ahead)
    answers = {one.answer for one in against(first)}
    is_open = answers & {"cant_tell", "worse"}  # worse than one that is behind another: no order at all
    return Placed("open" if is_open else "level" if "equivalent" in answers else "best", first, against(first))

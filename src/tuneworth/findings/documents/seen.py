"""What was measured, as the findings about documents need it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tuneworth.core.documents import Passage
from tuneworth.core.knowledge import IndexFacts, Judge, Share
from tuneworth.core.outcome import Outcome, Stage
from tuneworth.core.run import ArmResult
from tuneworth.core.task import Example, Split, Task
from tuneworth.core.text import Text
from tuneworth.metrics import Metric
from tuneworth.models.base import Encoder, Progress
from tuneworth.retrieval.gold import is_right
from tuneworth.retrieval.library import Library
from tuneworth.stats.clusters import Clusters
from tuneworth.stats.intervals import wilson
from tuneworth.strategies import Solver

ByRow = Mapping[str, Outcome]
"""Row id → outcome."""


@dataclass(frozen=True)
class Seen:
    """A run at its end: the finalists have met the test rows.

    Attributes:
        library: as the arms searched it, with ``cut``, so that it knows passages and gold.
        index: what making the index took.
        metric: the primary one.
        results: arm id → result.
        dev, test: arm id → row id → outcome, of the fit that ``results`` tells of. Only finalists are in ``test``.
        solvers: arm id → solver, of the finalists whose answers orders are planted for.
        problems: files that could not be read.
        encoder: opens a sentence encoder for ``Grounding.by_meaning``; ``None`` goes by words alone.
        deadline: when the budget is spent, by ``time.monotonic``: orders are planted, and further ways of searching compared,
            only before it. ``None`` without a budget.
    """

    task: Task
    split: Split
    library: Library
    index: IndexFacts
    metric: Metric
    results: Mapping[str, ArmResult]
    dev: Mapping[str, ByRow]
    test: Mapping[str, ByRow]
    solvers: Mapping[str, Solver] = field(default_factory=dict[str, Solver])
    problems: Sequence[Text] = ()
    machine_usd_per_hour: float | None = None
    knowledge_every_days: float | None = None
    encoder: Callable[[], Encoder] | None = None
    seed: int = 0
    deadline: float | None = None
    progress: Progress = lambda done, total, unit: None

    @property
    def seconds_left(self) -> float | None:
        """``None`` without a budget."""
        return None if self.deadline is None else max(0.0, self.deadline - time.monotonic())

    def measured(self) -> list[ArmResult]:
        return [arm for arm in self.results.values() if arm.state == "measured"]

    def readers(self) -> list[ArmResult]:
        """The measured arms that look things up, without the yardstick that is given the gold passages."""
        return [arm for arm in self.measured() if arm.reads_documents and not arm.yardstick]

    def finalists(self) -> list[ArmResult]:
        return [arm for arm in self.readers() if arm.finalist]

    def rows(self, stage: Stage) -> tuple[Example, ...]:
        return self.split.test if stage == "test" else self.split.dev

    def outcomes(self, arm_id: str, stage: Stage) -> ByRow:
        return (self.test if stage == "test" else self.dev).get(arm_id, {})

    def stage_of(self, arm: ArmResult) -> Stage:
        """The side on which ``arm`` is judged: the test rows, if it scored any of them."""
        tested = self.outcomes(arm.arm_id, "test").values()
        return "test" if any(outcome.status == "scored" for outcome in tested) else "dev"

    def scored(self, arm: ArmResult) -> list[tuple[Example, Outcome]]:
        """The rows that ``arm`` scored on the side where it is judged, in the order of the split."""
        stage = self.stage_of(arm)
        by_row = self.outcomes(arm.arm_id, stage)
        pairs = ((row, by_row[row.id]) for row in self.rows(stage) if row.id in by_row)
        return [(row, outcome) for row, outcome in pairs if outcome.status == "scored"]

    def passage_tokens(self, arm: ArmResult) -> int:
        """The size of the passages that ``arm`` looks up: its ids mean passages of this size."""
        return int(arm.config.get("passage_tokens") or self.library.passage_tokens)


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


Floats = NDArray[np.float64]


def share_of(flags: Sequence[bool], groups: Sequence[str] | None = None) -> Share:
    """How many of ``flags`` are true; of nothing it is 0, and anything is possible. ``groups`` as in ``score_of``."""
    n, clusters = len(flags), Clusters.of(groups)
    worth = 1.0 if clusters is None else clusters.worth(np.array(flags, dtype=np.float64), 0.95)
    return Share(value=sum(flags) / n if n else 0.0, interval=wilson(sum(flags) * worth, n * worth))

"""On how many training rows an arm is tried, and what the schedule is told of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tuneworth.core.task import Example, Task
from tuneworth.race.arms import Arm
from tuneworth.race.schedule import Entrant

HALVINGS = 5
"""Sizes are n/32, n/16, …, n: a curve takes four, and after n/4 it can be told where it leads."""
SMALLEST = 16
"""Fewer training rows than this say nothing of the curve to come."""


def sizes(arm: Arm, n_train: int) -> tuple[int | None, ...]:
    """Training sizes in ascending order; ``None`` stands for all rows."""
    if not arm.strategy.grows:
        return (None,)
    halved = [n_train >> times for times in range(HALVINGS, 0, -1)]
    return (*(size for size in halved if size >= SMALLEST), None)


def entrant_of(arm: Arm, n_train: int) -> Entrant:
    strategy = arm.strategy
    kind = "yardstick" if strategy.yardstick else "tuned" if strategy.tuned else "untuned"
    family = f"{strategy.id}/{arm.model_id}" if strategy.tuned and strategy.grows else None
    return Entrant(arm.arm_id, kind, sizes(arm, n_train), arm.model_id, family)


def chance_of(task: Task, train: Sequence[Example]) -> float:
    """What guessing would score: where a learning curve starts."""
    if task.kind == "label":
        return Counter(row.output for row in train).most_common(1)[0][1] / len(train)
    if task.kind == "choice":
        return sum(1 / len(row.query.choices) for row in train) / len(train)
    return 0.0

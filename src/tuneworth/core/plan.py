"""What a run is expected to do, told before it: the contents of ``tuneworth plan --json``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tuneworth.core.race import Power
from tuneworth.core.record import Record
from tuneworth.core.task import OutputKind
from tuneworth.core.text import Text

Prospect = Literal["in_time", "cut", "in_part", "too_slow", "no_time", "cannot_run"]
"""What becomes of an arm under the budget, as far as costs alone decide.

``in_time``: it is looked at as far as it deserves. ``cut``: its training on all rows ends early. ``in_part``: the budget ends after
some of its dev rows. ``too_slow``: as a finalist it would eat up the time of the others. ``no_time``: its turn does not come.
``cannot_run``: not on this task or machine.
"""


class Outlay(Record):
    """What an arm whose model is paid for by call is expected to take: at least and at most.

    At least: its first dev rows, what its prompts share read from a cache, answers as long as those of the rows. At most: every size on all dev rows, then the test rows as a finalist, rows asked alone and asked again,
    nothing from a cache, answers as long as they may be.

    Attributes:
        host: where its rows would go; this machine's own address where they stay.
        usd: US dollars; ``None``: the price is not known.
        thinking: tokens that its model may think for one call, where the arm says how much it is to; at least it thinks nothing.
    """

    host: str
    calls: tuple[int, int]
    tokens: tuple[int, int]
    usd: tuple[float, float] | None = None
    thinking: int = 0


class PlannedArm(Record):
    """One arm and what it is expected to cost. ``None`` means not known, never zero.

    Attributes:
        sizes: training rows that it may be fitted on, ascending; the last is all of them.
        fit_seconds: of fitting it once on all training rows.
        dev_seconds: of asking one fit all dev rows.
        seconds: of every size on every dev row.
        test_seconds: of the test rows, and some rows asked alone, if it is a finalist.
        race_seconds: what a race under the budget gives it.
        race_rows: dev rows that it is asked there.
        training_share: part of its training that the time reaches for (``cut``).
        why: of an arm that will not be measured in full.
        outlay: of an arm whose model is paid for by call.
    """

    arm_id: str
    title: Text
    model: str | None
    tuned: bool
    yardstick: bool
    sizes: list[int] = Field(default_factory=list[int])
    fit_seconds: float | None = None
    dev_seconds: float | None = None
    seconds: float | None = None
    test_seconds: float | None = None
    usd: float | None = None
    race_seconds: float = 0.0
    race_rows: int = 0
    prospect: Prospect = "in_time"
    training_share: float | None = None
    why: Text | None = None
    outlay: Outlay | None = None


class RunPlan(Record):
    """What `tuneworth run` with the same options is expected to do.

    Attributes:
        inferred: what was found out about the rows.
        warnings: what the user should know before starting.
        budget_seconds: the budget as time, the tighter of time and money.
        budget_usd: the budget in money, ``None`` without one.
        arms: in plan order; those that cannot run come last.
        seconds_all: of every arm at every size on every dev row.
        race_seconds: of a race under the budget in which no arm turns out better than the others.
        final_seconds: kept back for the finalists on the test rows.
        outlay_lines: what calls to services are expected to come to, and where rows would go.
    """

    task: str
    kind: OutputKind
    metric: str
    margin: float
    seed: int
    n_train: int
    n_dev: int
    n_test: int
    inferred: list[Text] = Field(default_factory=list[Text])
    warnings: list[Text] = Field(default_factory=list[Text])
    exhaustive: bool = False
    budget_seconds: float
    budget_usd: float | None = None
    machine_usd_per_hour: float | None = None
    power: Power
    arms: list[PlannedArm]
    seconds_all: float | None = None
    usd_all: float | None = None
    race_seconds: float = 0.0
    final_seconds: float = 0.0
    outlay_lines: list[Text] = Field(default_factory=list[Text])
    max_calls: int | None = None

"""What was measured, arranged for a decision."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from statistics import fmean

from tuneworth.core.costs import CostFigure, CostResult
from tuneworth.core.knowledge import DocumentsResult
from tuneworth.core.race import Forecast, Race, Stop, Untested
from tuneworth.core.record import Answer, Interval, Score
from tuneworth.core.run import ArmResult, Comparison
from tuneworth.core.task import Task
from tuneworth.decide.limits import breaches, leaves_rows_unanswered
from tuneworth.decide.reason import Reason
from tuneworth.stats.family import too_few
from tuneworth.stats.paired import CORPUS_BOOTSTRAP
from tuneworth.stats.trainings import TRAININGS

_MIRRORED: dict[Answer, Answer] = {
    "better": "worse",
    "worse": "better",
    "equivalent": "equivalent",
    "cant_tell": "cant_tell",
}


@dataclass(frozen=True)
class Evidence:
    """Finalists, which of them keep the limits, and how they compare.

    Attributes:
        arms: every arm of the run.
        finalists: arms with a test score that are not yardsticks, best first.
        breaches: arm id → the limits that a finalist breaks.
        averaged: arms of which the mean over several trainings was compared.
        of_corpus: the metric is of all rows together, so that a row has no score of its own.
        n_train: training rows at hand.
        forecasts: learning curves.
        race: how the dev rows were spent; ``None`` of a run that had no race.
        usd_per_label: price of one more labelled row, if known.
        day: of the run; ``None`` when not known.
        documents: what was found out about the documents, of a task that has some.
        against: (arm id, yardstick's id) → how they compare on the test rows (`tuneworth.decide.worth`).
        costs: what arms cost; ``None`` of a run that did not look at it.
        usd_per_error: what a wrong answer costs, if known.
    """

    task: Task
    metric: str
    arms: tuple[ArmResult, ...]
    finalists: tuple[ArmResult, ...]
    breaches: dict[str, list[Reason]]
    comparisons: dict[tuple[str, str], Comparison]
    averaged: frozenset[str]
    of_corpus: bool
    n_train: int
    forecasts: tuple[Forecast, ...] = ()
    race: Race | None = None
    usd_per_label: float | None = None
    day: date | None = None
    documents: DocumentsResult | None = None
    against: Mapping[tuple[str, str], Comparison] = field(default_factory=dict[tuple[str, str], Comparison])
    costs: CostResult | None = None
    usd_per_error: CostFigure | None = None

    @classmethod
    def of(
        cls,
        task: Task,
        arms: Sequence[ArmResult],
        comparisons: Sequence[Comparison],
        metric: str,
        *,
        n_train: int,
        forecasts: Sequence[Forecast] = (),
        race: Race | None = None,
        usd_per_label: float | None = None,
        day: date | None = None,
        documents: DocumentsResult | None = None,
        against_yardsticks: Sequence[Comparison] = (),
        costs: CostResult | None = None,
        usd_per_error: CostFigure | None = None,
    ) -> Evidence:
        tested = [arm for arm in arms if arm.finalist and arm.state == "measured" and not arm.yardstick]
        several = [pair for pair in comparisons if pair.metric == metric and pair.method == TRAININGS]
        averaged = frozenset(arm_id for pair in several for arm_id in (pair.a, pair.b))
        finalists = sorted(
            (arm for arm in tested if metric in arm.test),
            key=lambda arm: (-_value(arm, metric, averaged), arm.effort, arm.arm_id),
        )
        return cls(
            task=task,
            metric=metric,
            arms=tuple(sorted(arms, key=lambda arm: (arm.effort, arm.arm_id))),
            finalists=tuple(finalists),
            breaches={arm.arm_id: breaches(arm, task.limits, metric) for arm in finalists},
            comparisons={(pair.a, pair.b): pair for pair in comparisons if pair.metric == metric},
            averaged=averaged,
            of_corpus=any(pair.method == CORPUS_BOOTSTRAP for pair in comparisons if pair.metric == metric),
            n_train=n_train,
            forecasts=tuple(forecasts),
            race=race,
            usd_per_label=usd_per_label,
            day=day,
            documents=documents,
            against={(pair.a, pair.b): pair for pair in against_yardsticks if pair.metric == metric},
            costs=costs,
            usd_per_error=usd_per_error,
        )

    @cached_property
    def stops(self) -> dict[str, Stop]:
        """Arm id → why the race looked at it no further."""
        return {stop.arm_id: stop for stop in self.race.stops} if self.race is not None else {}

    @cached_property
    def yardsticks(self) -> list[ArmResult]:
        """Those that were asked the test rows."""
        held = {yardstick for _, yardstick in self.against}
        return [arm for arm in self.arms if arm.arm_id in held and self.metric in arm.test]

    @property
    def n_not_asked(self) -> int:
        """Test rows that the time did not reach."""
        race = self.race
        return (race.n_test or 0) - (race.n_tested or 0) if race is not None and race.n_tested else 0

    def arm(self, arm_id: str) -> ArmResult:
        """The arm of this id."""
        return next(arm for arm in self.arms if arm.arm_id == arm_id)

    @property
    def unmeasured(self) -> list[ArmResult]:
        """Untuned arms that time or money did not reach: what a verdict cannot speak of.

        An arm that the race stopped for its score was measured enough; one that broke is not to be had. An arm without a
        configuration was never planned: its strategy is not for this task. The free form of an arm that is
        constrained otherwise only shows what the constraint is worth.
        """
        tested = {arm.arm_id for arm in self.finalists}

        def out_of_reach(arm: ArmResult) -> bool:
            stop = self.stops.get(arm.arm_id)
            return stop.reason == "budget" if stop is not None else arm.state != "measured"

        def free_form(arm: ArmResult) -> bool:
            return self.task.kind != "text" and arm.config.get("constrained") is False

        return [
            arm
            for arm in self.arms
            if arm.config and arm.arm_id not in tested and not arm.tuned and not arm.yardstick
            if out_of_reach(arm) and not free_form(arm)
        ]

    @property
    def every_days(self) -> float | None:
        """How often the documents change, of a task that says so."""
        return self.documents.knowledge_every_days if self.documents is not None else None

    @property
    def eligible(self) -> list[ArmResult]:
        """Finalists that keep every limit, best first."""
        return [arm for arm in self.finalists if not self.breaches[arm.arm_id]]

    def only_unanswered(self, arms: Sequence[ArmResult]) -> bool:
        """All that speaks against each of these finalists is the rows that it left unanswered, not a limit of the task."""
        return all(len(self.breaches[arm.arm_id]) == 1 and leaves_rows_unanswered(arm.test_counts) for arm in arms)

    def best_reader(self, *, tuned: bool | None = None) -> ArmResult | None:
        """The best finalist that looks things up; of both kinds, or only trained or untrained readers."""
        readers = (arm for arm in self.finalists if arm.reads_documents)
        return next((arm for arm in readers if tuned in (None, arm.tuned)), None)

    def best_closed_book(self) -> ArmResult | None:
        """The best tuned finalist that answers by heart."""
        return next((arm for arm in self.finalists if arm.tuned and not arm.reads_documents), None)

    def score(self, arm: ArmResult) -> Score:
        return arm.test[self.metric]

    def value(self, arm: ArmResult) -> float:
        """Test score of a finalist that comparisons are about: of several trainings the mean."""
        return _value(arm, self.metric, self.averaged)

    def between(self, a: ArmResult, b: ArmResult) -> Comparison:
        """``a`` against ``b``, whichever way round it was stored.

        Raises:
            ValueError: the two were not compared; every pair of finalists must be.
        """
        if (a.arm_id, b.arm_id) in self.comparisons:
            return self.comparisons[a.arm_id, b.arm_id]
        if (b.arm_id, a.arm_id) in self.comparisons:
            return mirrored(self.comparisons[b.arm_id, a.arm_id])
        raise ValueError(f"no comparison of {a.arm_id} and {b.arm_id} on {self.metric}")

    def shows_gain(self, a: ArmResult, b: ArmResult) -> bool:
        """``a`` is better than ``b`` for certain enough."""
        pair = self.between(a, b)
        return pair.answer == "better" and pair.interval.low > 0

    def rival_of(self, tuned: ArmResult, untuned: ArmResult) -> Untested | None:
        """What keeps a gain of ``tuned`` over ``untuned`` from being settled: an untuned arm that was ahead of the tested ones
        on the dev rows that both saw, and may be ahead by as much as ``tuned`` is."""
        missed = self.race.untested if self.race is not None else []
        least = self.between(tuned, untuned).interval.low
        return max(
            (one for one in missed if one.interval.high > least), key=lambda one: one.interval.high, default=None
        )

    def rules_out_gain(self, a: ArmResult, b: ArmResult) -> bool:
        """``a`` cannot be better than ``b`` by the margin: worse, equivalent, or too little to matter."""
        pair = self.between(a, b)
        if too_few(pair) or self.shows_gain(a, b):
            return False
        return pair.answer in ("worse", "equivalent") or pair.interval.high < self.task.margin


def mirrored(pair: Comparison) -> Comparison:
    """The same comparison seen from the other arm."""
    interval = Interval(low=-pair.interval.high, high=-pair.interval.low, level=pair.interval.level)
    turned = {
        "a": pair.b,
        "b": pair.a,
        "difference": -pair.difference,
        "interval": interval,
        "wins": pair.losses,
        "losses": pair.wins,
        "answer": _MIRRORED[pair.answer],
    }
    return pair.model_copy(update=turned)


def trainings(arm: ArmResult, metric: str) -> list[float]:
    """Test scores of each training of a finalist, the one that is handed over first."""
    return [score.value for score in (arm.test[metric], *arm.repeats)]


def _value(arm: ArmResult, metric: str, averaged: Collection[str]) -> float:
    return fmean(trainings(arm, metric)) if arm.arm_id in averaged else arm.test[metric].value

"""What was measured, arranged for a decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tuneworth.core.run import Answer, ArmResult, Comparison, Interval, Score
from tuneworth.core.task import Task
from tuneworth.core.text import Text
from tuneworth.decide.limits import breaches
from tuneworth.decide.phrases import arm_names
from tuneworth.stats.family import MIN_PAIRS

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
        names: arm id → how sentences call the arm.
    """

    task: Task
    metric: str
    arms: tuple[ArmResult, ...]
    finalists: tuple[ArmResult, ...]
    breaches: dict[str, list[Text]]
    names: dict[str, Text]
    comparisons: dict[tuple[str, str], Comparison]

    @classmethod
    def of(cls, task: Task, arms: Sequence[ArmResult], comparisons: Sequence[Comparison], metric: str) -> Evidence:
        tested = [arm for arm in arms if arm.finalist and arm.state == "measured" and not arm.yardstick]
        finalists = sorted((arm for arm in tested if metric in arm.test), key=lambda arm: _rank(arm, metric))
        return cls(
            task=task,
            metric=metric,
            arms=tuple(sorted(arms, key=lambda arm: (arm.effort, arm.arm_id))),
            finalists=tuple(finalists),
            breaches={arm.arm_id: breaches(arm, task.limits, metric) for arm in finalists},
            names=arm_names(arms),
            comparisons={(pair.a, pair.b): pair for pair in comparisons if pair.metric == metric},
        )

    @property
    def unmeasured(self) -> list[ArmResult]:
        """Untuned arms that were planned and not measured: what a verdict cannot speak of.

        An arm without a configuration was never planned: its strategy is not for this task. The free form of an
        arm that is constrained otherwise only shows what the constraint is worth.
        """
        missing = [arm for arm in self.arms if arm.state != "measured" and arm.config]
        return [arm for arm in missing if not arm.tuned and not arm.yardstick and not self._is_free(arm)]

    def _is_free(self, arm: ArmResult) -> bool:
        return self.task.kind != "text" and arm.config.get("constrained") is False

    @property
    def eligible(self) -> list[ArmResult]:
        """Finalists that keep every limit, best first."""
        return [arm for arm in self.finalists if not self.breaches[arm.arm_id]]

    def name(self, arm: ArmResult) -> Text:
        return self.names[arm.arm_id]

    def score(self, arm: ArmResult) -> Score:
        return arm.test[self.metric]

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

    def rules_out_gain(self, a: ArmResult, b: ArmResult) -> bool:
        """``a`` cannot be better than ``b`` by the margin: worse, equivalent, or too little to matter."""
        pair = self.between(a, b)
        if pair.n_rows < MIN_PAIRS or self.shows_gain(a, b):
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


def _rank(arm: ArmResult, metric: str) -> tuple[float, int, str]:
    return -arm.test[metric].value, arm.effort, arm.arm_id

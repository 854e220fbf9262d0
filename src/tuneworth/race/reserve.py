"""What the race must leave for the finalists: they have still to meet the test rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tuneworth.findings.documents.injection import MAX_ROWS
from tuneworth.race.arms import Arm, is_first_of_its_model
from tuneworth.race.budget import Budget
from tuneworth.race.driver import Driver, Entry, scores_of
from tuneworth.race.estimate import Estimator
from tuneworth.race.runner import LATENCY_ROWS

RESERVE_SHARE = 0.1
"""Part of the budget that the race may never use: the finalists must still meet the test rows."""

FINAL_SHARE = 0.25
"""Part of the budget that one untuned arm may take as a finalist. A slower one could only be looked at by
taking the time from the training that it is to be compared with; the first arm of a model is exempt."""

ROUGH = 2
"""Estimates are off by as much: an arm is only left out unasked when it is expected to be so much too slow."""

ALONE_SLOWDOWN = 5
"""A row asked alone takes 2 to 10 times its share of a batch (docs/benchmarks.md, tasks); the latencies of the
finalists are measured so."""

LATE = 1.1
"""Finals take up to a tenth longer than the pace on the dev rows says (seen on a task with documents)."""

PROBED_ROWS = 3 * MAX_ROWS
"""Answers that are asked of a finalist that looks things up, to see whether documents can give it orders."""


@dataclass(frozen=True)
class Reserve:
    """Time kept back from a budget.

    Attributes:
        n_test: test rows that each finalist will answer.
        metric: id of the primary metric, by which finalists will be chosen.
    """

    budget: Budget
    estimator: Estimator
    n_test: int
    metric: str

    def seconds_left(self, driver: Driver) -> float | None:
        """Seconds that the race may still use: less what the finalists will need on the test rows."""
        left = self.budget.left
        if left is None or self.budget.seconds is None:
            return None
        out = {stop.arm_id for stop in driver.schedule.stops}  # they will be no finalists
        answered = [entry for entry in driver.fits() if entry.dev and entry.arm.arm_id not in out]
        finalists = self._would_be_finalists([entry for entry in answered if not entry.arm.strategy.yardstick])
        needed = sum(self.final_seconds(entry) for entry in finalists)
        present = {entry.arm.strategy.reads_documents for entry in finalists if entry.arm.strategy.tuned}
        tuned = (arm for arm in driver.arms.values() if arm.strategy.tuned and arm.arm_id not in out)
        for reads in {arm.strategy.reads_documents for arm in tuned} - present:
            needed += self._at_least(reads, answered)
        return max(0.0, left - max(LATE * needed, RESERVE_SHARE * self.budget.seconds))

    def _at_least(self, reads: bool, answered: Sequence[Entry]) -> float:
        """Seconds of the finals of a tuned arm that has not answered yet.

        It is taken to answer at the pace of the quickest arm with a model that has as much to read: with documents or
        without.
        """
        peers = [
            entry for entry in answered if entry.arm.model is not None and entry.arm.strategy.reads_documents == reads
        ]
        return min((self.final_seconds(entry) for entry in peers), default=0.0)

    def final_seconds(self, entry: Entry) -> float:
        """Seconds that a fit would need as a finalist: the test rows, some rows asked alone, and those with orders planted."""
        probed = PROBED_ROWS if entry.arm.strategy.reads_documents else 0
        return entry.seconds_per_row * (self._rows + probed)

    def is_too_dear(self, entry: Entry, rivals: Sequence[Entry]) -> bool:
        """Whether the arm could not be a finalist without eating up the budget of the others."""
        arm = entry.arm
        first = is_first_of_its_model(arm, (rival.arm for rival in rivals))
        if arm.strategy.tuned or arm.strategy.yardstick or first:
            return False
        return self.final_seconds(entry) > FINAL_SHARE * (self.budget.seconds or math.inf)

    def expected_too_slow(self, driver: Driver, arm: Arm) -> float | None:
        """Seconds as a finalist, of an arm that need not even be asked its first rows; else ``None``."""
        strategy = arm.strategy
        asked = [entry.arm for entry in driver.fits()]
        if strategy.tuned or strategy.yardstick or is_first_of_its_model(arm, asked) or self.budget.seconds is None:
            return None
        expected = self.estimator.answer_seconds(arm.arm_id, None, self._rows)
        return expected if (expected or 0.0) > ROUGH * FINAL_SHARE * self.budget.seconds else None

    @property
    def _rows(self) -> int:
        """Rows of a final, where one asked alone counts as several."""
        return self.n_test + ALONE_SLOWDOWN * (LATENCY_ROWS + 1)

    def _would_be_finalists(self, entries: Sequence[Entry]) -> list[Entry]:
        kinds: dict[tuple[bool, bool], list[Entry]] = {}
        for entry in entries:
            strategy = entry.arm.strategy
            kinds.setdefault((strategy.tuned, strategy.reads_documents), []).append(entry)
        best = [max(kind, key=lambda entry: surely(entry, self.metric)) for kind in kinds.values()]
        simplest = min(entries, key=lambda entry: entry.arm.strategy.effort, default=None)
        if len(kinds) > 2 or simplest is None or simplest in best:  # as `finalists.choose_finalists` has it
            return best
        return [*best, simplest]


def surely(entry: Entry, metric: str) -> float:
    """Mean score less two standard errors of a coin, so that few lucky rows do not lead."""
    scores = scores_of(entry.dev, metric)
    scored = scores[np.isfinite(scores)]
    return float(scored.mean()) - 1 / math.sqrt(scored.size) if scored.size else -1.0

"""What a run may spend of time and money, counted over all its starts, and what the race must leave for the finalists.

What an earlier start has paid for counts when the run comes to it again (`Budget.count`), not before: so a run that is
taken up again has as much left at each step as it had the first time, and decides the same.

Money is the machine's time at its price, where that is known, and what services charge. A budget of both ends with whichever is
spent first. The machine's share is told to the race as the seconds that it pays for; what services may charge is kept by
the ledger, call by call (`tuneworth.race.ledger`), and a part of it is kept back for the finalists, as of the time.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from tuneworth.costs.spend import SECONDS_PER_HOUR, Spend, machine_usd
from tuneworth.race.arms import Arm, is_first_of_its_model
from tuneworth.race.estimate import Estimator
from tuneworth.race.runner import BATCH_ROWS, LATENCY_ROWS, Entry, scores_of
from tuneworth.race.schedule.purse import LEAST_TRAINING_S
from tuneworth.stats.family import MIN_PAIRS

RESERVE_SHARE = 0.1
"""Part of the budget that the race may never use: the finalists must still meet the test rows."""

FINALS_SHARE, LEAST_FINALS_SHARE = 0.3, 0.4
"""Parts of the budget that are kept for the finalists at most: for all test rows, and for the least that are worth asking. They
are asked fewer rows rather than trained less."""

FINAL_SHARE = 0.25
"""Part of the budget that one untuned arm may take for the least number of test rows. A slower one could only be looked at by
taking the time from the training that it is to be compared with; the first arm of a model is exempt."""

ALONE_SHARE = 0.03
"""Part of the budget in which a finalist is asked 20 rows alone; three times that where a limit is to be shown to hold."""

LEAST_TEST_ROWS = 64
"""Test rows that finalists are asked at least: an interval of a right/wrong score is 12 points to either side then."""

ROUGH = 2
"""Estimates are off by as much: an arm is only left out unasked when it is expected to be so much too slow."""

ALONE_SLOWDOWN = 5
"""A row asked alone takes 2 to 10 times its share of a batch (docs/benchmarks.md, tasks); the latencies of the
finalists are measured so."""

LATE = 1.1
"""Finals take up to a tenth longer than the pace on the dev rows says (seen on a task with documents)."""

PLANTED_ROWS = 20
"""Rows that are asked with and without orders planted in what a finalist looks up; each is asked three times."""


@dataclass
class Budget:
    """A budget of time, money or both, or none.

    Attributes:
        seconds: the whole budget as time, the tighter of both; ``None`` means no limit.
        spent_before: what earlier starts spent on work that this one has come to; money is what services charged.
        usd: the budget in money; ``None`` means no limit.
        usd_per_hour: price of this machine; where it is not known, its time is not in ``usd``.
        charged_usd: what services have charged in all starts; ``None``: as counted here, of what is known.
        waited: seconds of this start in which nothing was done but to wait for batches: they are not counted.
    """

    seconds: float | None
    spent_before: Spend = Spend()
    usd: float | None = None
    usd_per_hour: float | None = None
    charged_usd: Callable[[], float] | None = None
    waited: Callable[[], float] = lambda: 0.0
    _charged: Spend = Spend()
    _started: float = field(default_factory=lambda: time.monotonic())

    def __post_init__(self) -> None:
        if self.usd is None or not self.usd_per_hour:
            return
        paid_for = self.usd / self.usd_per_hour * SECONDS_PER_HOUR
        self.seconds = min(paid_for, math.inf if self.seconds is None else self.seconds)

    def count(self, spend: Spend) -> None:
        """Work was found on which an earlier start spent so much."""
        self.spent_before += replace(spend, usd=spend.usd or 0.0)

    def charge(self, spend: Spend) -> None:
        """Work was done on which services charged so much; its seconds are on the clock."""
        self._charged += Spend(tokens=spend.tokens, usd=spend.usd or 0.0)

    @property
    def spent(self) -> Spend:
        """On all that this start has come to, the machine's time paid for where its price is known."""
        now = Spend(time.monotonic() - self._started - self.waited())
        return self.priced(self.spent_before + now + self._charged)

    def priced(self, work: Spend) -> Spend:
        """``work`` with the machine's time at its price; without one what services charge, where they charge anything."""
        if self.usd_per_hour is not None:
            return work.on_machine(self.usd_per_hour)
        return work if work.usd or self.usd is not None else replace(work, usd=None)

    @property
    def left(self) -> float | None:
        """Seconds, and no more than the rest of the money pays for."""
        spent, limits = self.spent, list[float]()
        if self.seconds is not None:
            limits.append(self.seconds - spent.seconds)
        if self.usd is not None and self.usd_per_hour and spent.usd is not None:
            limits.append((self.usd - spent.usd) / self.usd_per_hour * SECONDS_PER_HOUR)
        return max(0.0, min(limits)) if limits else None

    @property
    def usd_allowed(self) -> float | None:
        """What services may have charged in all by now; ``None`` without a budget in money."""
        rent = machine_usd(self.spent.seconds, self.usd_per_hour) or 0.0
        return None if self.usd is None else self.usd - rent

    @property
    def usd_left(self) -> float | None:
        """For services and this machine; ``None`` without a budget in money."""
        charged = (self.spent_before + self._charged).usd if self.charged_usd is None else self.charged_usd()
        return None if self.usd_allowed is None else max(0.0, self.usd_allowed - (charged or 0.0))

    def reaches(self, work: Spend) -> bool:
        """Whether what is left is enough for ``work``."""
        priced = work if self.usd_per_hour is None else work.on_machine(self.usd_per_hour)
        return priced.within(self.left, self.usd_left)


def final_rows(n_test: int, n_alone: int = LATENCY_ROWS) -> int:
    """Rows that a finalist is asked, where one asked alone counts as several."""
    return n_test + ALONE_SLOWDOWN * (n_alone + 1)


@dataclass(frozen=True)
class Reserve:
    """Time kept back from a budget.

    Attributes:
        n_test: test rows that each finalist will answer.
        metric: id of the primary metric, by which finalists will be chosen.
        n_alone: rows that each will be asked one at a time.
    """

    budget: Budget
    estimator: Estimator
    n_test: int
    metric: str
    n_alone: int = LATENCY_ROWS

    def seconds_left(self, arms: Sequence[Arm], entries: Sequence[Entry]) -> float | None:
        """Seconds that the race may still use: less what the finalists will need on the test rows.

        A tuned arm that has not answered yet is taken to answer as it did when it was tried. Where it could not be trained at all
        else, the finalists leave it the time, as long as each keeps that for the first round of test rows.

        Args:
            arms: that may still be finalists.
            entries: their fits.
        """
        left = self.budget.left
        if left is None:
            return None
        answered = [entry for entry in entries if entry.dev]
        finalists = self.would_be_finalists([entry for entry in answered if not entry.arm.strategy.yardstick])
        present = {entry.arm.strategy.reads_documents for entry in finalists if entry.arm.strategy.tuned}
        awaited = [arm for arm in arms if arm.strategy.tuned and arm.strategy.reads_documents not in present]
        rows = {arm.arm_id: self.estimator.answer_seconds(arm.arm_id, None, 1) or 0.0 for arm in awaited}

        def needed(n_rows: int) -> float:
            """For so many test rows: of the awaited, the quickest of each kind."""
            quickest = dict[bool, float]()
            for arm in awaited:
                reads, pace = arm.strategy.reads_documents, rows[arm.arm_id]
                seconds = pace * min(n_rows, self.n_test) + self.alone_seconds(pace)
                quickest[reads] = min(seconds, quickest.get(reads, math.inf))
            return LATE * (sum(self.final_seconds(entry, n_rows) for entry in finalists) + sum(quickest.values()))

        whole = self.budget.seconds or left
        least = min(needed(LEAST_TEST_ROWS), LEAST_FINALS_SHARE * whole)
        kept = max(RESERVE_SHARE * whole, least, min(needed(self.n_test), FINALS_SHARE * whole))
        if awaited:  # a short training and few test rows say more than none of either
            training = LEAST_TRAINING_S + LATE * MIN_PAIRS * min(rows.values())
            kept = max(min(kept, left - training), min(needed(BATCH_ROWS), LEAST_FINALS_SHARE * whole))
        return max(0.0, left - kept)

    def final_seconds(self, entry: Entry, n_rows: int | None = None) -> float:
        """Seconds that a fit would need as a finalist: all test rows or so many of them, some rows asked alone, and those
        with orders planted."""
        probed = 3 * PLANTED_ROWS if entry.arm.strategy.reads_documents else 0
        n_rows, pace = self.n_test if n_rows is None else min(n_rows, self.n_test), self.pace(entry)
        return pace * (n_rows + probed) + self.alone_seconds(pace)

    def alone_seconds(self, pace: float) -> float:
        """What rows asked alone take an arm that answers one in ``pace`` seconds in a batch."""
        each = pace * ALONE_SLOWDOWN
        return min(each * (self.n_alone + 1), max(each, self.most_alone))

    @property
    def most_alone(self) -> float:
        """Seconds after which a finalist is asked no further row alone."""
        return ALONE_SHARE * self.n_alone / LATENCY_ROWS * (self.budget.seconds or math.inf)

    def pace(self, entry: Entry) -> float:
        """Seconds that the next row is expected to take: as the arm's rows did, under the load of now."""
        return self.estimator.row_seconds(entry.arm.arm_id) or entry.seconds_per_row

    def is_too_slow(self, entry: Entry) -> bool:
        """Whether the arm could not be a finalist, even on few rows, without eating up the budget of the others."""
        seconds = self.pace(entry) * min(LEAST_TEST_ROWS, self.n_test)
        return seconds > FINAL_SHARE * (self.budget.seconds or math.inf)

    def is_too_dear(self, entry: Entry, rivals: Sequence[Entry]) -> bool:
        """Whether it is no finalist for that; the first arm of a model is one whatever it takes."""
        return self.is_too_slow(entry) and not is_exempt(entry.arm, (rival.arm for rival in rivals))

    def expected_too_slow(self, arm: Arm, rivals: Sequence[Entry]) -> float | None:
        """Seconds as a finalist, of an arm that need not even be asked its first rows; else ``None``."""
        if is_exempt(arm, (rival.arm for rival in rivals)) or self.budget.seconds is None:
            return None
        expected = self.estimator.answer_seconds(arm.arm_id, None, min(LEAST_TEST_ROWS, self.n_test))
        return expected if (expected or 0.0) > ROUGH * FINAL_SHARE * self.budget.seconds else None

    def would_be_finalists(self, entries: Sequence[Entry]) -> list[Entry]:
        """As `tuneworth.race.results.choose_finalists` has it, while the race is on."""
        kinds: dict[tuple[bool, bool], list[Entry]] = {}
        for entry in entries:
            strategy = entry.arm.strategy
            kinds.setdefault((strategy.tuned, strategy.reads_documents), []).append(entry)
        best = [max(kind, key=self._promise) for kind in kinds.values()]
        simplest = min(entries, key=lambda entry: entry.arm.strategy.effort, default=None)
        if len(kinds) > 2 or simplest is None or simplest in best:
            return best
        return [*best, simplest]

    def _promise(self, entry: Entry) -> tuple[float, int]:
        """Of equals the simplest."""
        return _surely(entry, self.metric), -entry.arm.strategy.effort


def is_exempt(arm: Arm, rivals: Iterable[Arm]) -> bool:
    """A tuned arm, a yardstick and the first arm of a model are never too dear."""
    return arm.strategy.tuned or arm.strategy.yardstick or is_first_of_its_model(arm, rivals)


def _surely(entry: Entry, metric: str) -> float:
    """Mean score less two standard errors of a coin, so that few lucky rows do not lead."""
    scores = scores_of(entry.dev, metric)
    scored = scores[np.isfinite(scores)]
    return float(scored.mean()) - 1 / math.sqrt(scored.size) if scored.size else -1.0

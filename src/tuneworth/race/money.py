"""What the race must leave of a cap on money or calls for the finalists, and what dear rows are worth.

As with time (`tuneworth.race.budget`): the finalists must still meet the test rows. The race weighs what a look may gain against what
it costs, and reckons in seconds: under a cap on money a dollar is worth as many of them as the whole time by the
whole money, so dear arms come last. That the caps hold is not decided here but by the ledger, call by call.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tuneworth.core.outcome import Outcome
from tuneworth.race.arms import Arm, kind_of
from tuneworth.race.budget import (
    ALONE_SHARE,
    FINAL_SHARE,
    FINALS_SHARE,
    LEAST_FINALS_SHARE,
    LEAST_TEST_ROWS,
    PLANTED_ROWS,
    Budget,
    Reserve,
)
from tuneworth.race.estimate import Estimator
from tuneworth.race.ledger import Ledger
from tuneworth.race.runner import LATENCY_ROWS, Entry
from tuneworth.race.schedule import Costs
from tuneworth.stats.family import MIN_PAIRS

DEARER = 1.05
"""Test rows may cost more than the dev rows did."""


def usd_per_row(outcomes: Sequence[Outcome]) -> float:
    """Mean of what is known."""
    known = [outcome.usd for outcome in outcomes if outcome.usd is not None]
    return sum(known) / len(known) if known else 0.0


def sum_once(amounts: Iterable[tuple[Arm, float]]) -> float:
    """Of arms that ask alike the one that takes most counts for all."""
    found = dict[str, float]()
    for arm, amount in amounts:
        kind = kind_of(arm) if arm.strategy.asks_alike else arm.arm_id
        found[kind] = max(amount, found.get(kind, 0.0))
    return math.fsum(found.values())


@dataclass(frozen=True)
class PricedCosts:
    """The schedule's costs, in seconds, with money among them."""

    estimator: Estimator
    seconds_per_usd: float

    def fit_seconds(self, arm_id: str, n_train: int | None) -> float | None:
        return self.estimator.fit_seconds(arm_id, n_train)

    def answer_seconds(self, arm_id: str, n_train: int | None, n_rows: int) -> float | None:
        seconds = self.estimator.answer_seconds(arm_id, n_train, n_rows)
        usd = self.estimator.answer_usd(arm_id, n_rows)
        return seconds if seconds is None or usd is None else seconds + usd * self.seconds_per_usd


def priced(estimator: Estimator, budget: Budget) -> Costs:
    """Without a cap on money, or on time, ``estimator`` alone."""
    if budget.usd is None or budget.seconds is None:
        return estimator
    return PricedCosts(estimator, budget.seconds / budget.usd)


@dataclass(frozen=True)
class MoneyReserve:
    """Money and calls kept back from a budget, for the finalists of ``reserve``."""

    reserve: Reserve
    ledger: Ledger

    def keep(self, arms: Sequence[Arm], entries: Sequence[Entry]) -> None:
        """Have the ledger keep back what the finalists will take.

        Args:
            arms: that may still be finalists.
            entries: their fits.
        """
        ledger, budget = self.ledger, self.reserve.budget
        answered = [entry for entry in entries if entry.dev and not entry.arm.strategy.yardstick]
        if not any(entry.arm.is_metered for entry in answered):
            share = FINALS_SHARE if any(arm.is_metered for arm in arms) else 0.0
            ledger.kept_usd, ledger.kept_calls = share * (budget.usd or 0.0), share * (ledger.max_calls or 0)
            return
        finalists = self.reserve.would_be_finalists(answered)
        least = min(entry.arm.strategy.effort for entry in answered)
        simple = [entry for entry in answered if entry.arm.strategy.effort == least]
        dearest = max(
            simple, key=lambda entry: usd_per_row(entry.dev)
        )  # which of them is the simplest is settled later
        finalists = finalists if dearest in finalists else [*finalists, dearest]
        ledger.kept_usd = self._kept(budget.usd or 0.0, finalists, lambda entry: usd_per_row(entry.dev))
        ledger.kept_calls = self._kept(ledger.max_calls or 0, finalists, self.calls_per_row)

    def keep_for_alone(self, entries: Sequence[Entry]) -> None:
        """Have the ledger keep back what rows asked alone will take, and nothing else."""
        ledger, budget = self.ledger, self.reserve.budget
        ledger.kept_usd = sum(self._alone(usd_per_row(entry.dev), budget.usd or 0.0) for entry in entries)
        ledger.kept_calls = sum(self._alone(self.calls_per_row(entry), ledger.max_calls or 0) for entry in entries)

    def keep_nothing(self) -> None:
        self.ledger.kept_usd = self.ledger.kept_calls = 0.0

    def _kept(self, whole: float, finalists: Sequence[Entry], per_row: Callable[[Entry], float]) -> float:
        """As of the time: not more than a share of the ``whole``."""
        reserve = self.reserve

        def needed(n_rows: int) -> float:
            found = 0.0
            for entry in finalists:
                probed = 3 * PLANTED_ROWS if entry.arm.strategy.reads_documents else 0
                found += (min(n_rows, reserve.n_test) + probed) * per_row(entry) + self._alone(per_row(entry), whole)
            return DEARER * found

        least = min(needed(LEAST_TEST_ROWS), LEAST_FINALS_SHARE * whole)
        return max(least, min(needed(reserve.n_test), FINALS_SHARE * whole))

    def _alone(self, a_row: float, whole: float) -> float:
        """What rows asked alone take an arm."""
        n_alone = self.reserve.n_alone
        most = ALONE_SHARE * n_alone / LATENCY_ROWS * whole
        return min(a_row * (n_alone + 1), max(a_row, most))

    def may_ask_alone(self, arm_key: str) -> bool:
        """Whether a finalist may be asked a further row alone."""
        most, spent = ALONE_SHARE * self.reserve.n_alone / LATENCY_ROWS, self.ledger.by_scope[f"alone {arm_key}"]
        usd, calls = self.reserve.budget.usd, self.ledger.max_calls
        return (usd is None or spent.usd <= most * usd) and (calls is None or spent.n_calls <= most * calls)

    def calls_per_row(self, entry: Entry) -> float:
        """Of the dev rows that the arm was asked, by itself: an answer that another had asked for is a call as well."""
        n_calls = self.ledger.by_scope[f"dev {entry.arm.key}"].n_calls + sum(one.shared for one in entry.dev)
        return n_calls / len(entry.dev) if entry.dev else 0.0

    def rows_within(self, entries: Iterable[Entry], asked: Callable[[Entry], Sequence[Outcome]]) -> float:
        """How many more rows all of ``entries`` can be asked for what is left and not kept back.

        Args:
            asked: outcomes of an entry that tell what its next cost; its dev rows where there are none.
        """
        entries = list(entries)
        usd = sum_once((entry.arm, usd_per_row(asked(entry) or entry.dev)) for entry in entries)
        calls = sum_once((entry.arm, self.calls_per_row(entry)) for entry in entries)
        room = self.ledger.room()
        within = [left / each for left, each in ((room.usd, usd), (room.calls, calls)) if left is not None and each]
        return min(within, default=math.inf)

    def takes_too_much(self, entry: Entry) -> bool:
        """Whether even few test rows would take too much of the money, or more than is left."""
        usd, left = self.reserve.budget.usd, self.ledger.room().usd
        if usd is None or left is None:
            return False
        return usd_per_row(entry.dev) * self._least_rows > min(FINAL_SHARE * usd, left + self.ledger.kept_usd)

    def beyond_reach(self, arm: Arm, entries: Iterable[Entry]) -> float | None:
        """US dollars that the fewest rows which say anything of ``arm`` are expected to cost, where that is more than is left.

        Args:
            entries: fits of the race until now.
        """
        n_rows, left = self._fewest_rows(arm, entries), self.ledger.room().usd
        expected = self.reserve.estimator.answer_usd(arm.arm_id, n_rows)
        return expected if arm.is_metered and left is not None and (expected or 0.0) > left else None

    def lacks_calls(self, arm: Arm, entries: Iterable[Entry]) -> bool:
        """The same of calls, where those are limited."""
        left = self.ledger.room().calls
        return arm.is_metered and left is not None and self._fewest_rows(arm, entries) > left

    def _fewest_rows(self, arm: Arm, entries: Iterable[Entry]) -> int:
        """Those that fitting asks about among them, less what arms that ask alike were asked."""
        in_fit = self.reserve.estimator.asked_in_fit
        alike = [one for one in entries if arm.strategy.asks_alike and kind_of(one.arm) == kind_of(arm)]
        known = max((in_fit(one.arm.arm_id) + min(MIN_PAIRS, len(one.dev)) for one in alike), default=0)
        return max(0, in_fit(arm.arm_id) + MIN_PAIRS - known)

    def may_try(self, arm: Arm, n_rows: int, share: float) -> bool:
        """Whether ``n_rows`` answers are expected to take no more than a ``share`` of the money, and of the calls."""
        usd, expected = self.reserve.budget.usd, self.reserve.estimator.answer_usd(arm.arm_id, n_rows)
        calls = self.ledger.max_calls if arm.is_metered else None
        return (usd is None or (expected or 0.0) <= share * usd) and (calls is None or n_rows <= share * calls)

    @property
    def _least_rows(self) -> int:
        return min(LEAST_TEST_ROWS, self.reserve.n_test)

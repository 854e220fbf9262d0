"""Whether the time reaches for a piece of work.

- Nothing is started that is expected to take longer than what is left, but for yardsticks without a model, which cost next
  to nothing, and the first rows of a yardstick with one and of the first untuned arm of each model: without them nothing
  could be compared. A yardstick with a model goes on after these only if that takes ``YARDSTICK_SHARE`` of the time.
- A training on all rows is given what is left, in equal parts when others wait, and plans its steps to end within. When
  that cuts it short, few dev rows are asked after it rather than less trained.
- A smaller size is trained only while all rows are affordable after it, uncut: a full size cut short
  is worse than a curve with a point less. So it may take what these leave, should it turn out dearer than expected.
- While a tuned arm waits, untuned arms may take what it leaves, and in any case ``UNTUNED_SHARE`` of the time: they are
  cheap and many, and would starve the one comparison that the run is about, or be starved by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from tuneworth.race.schedule.entrants import FIRST_ROWS, Fit
from tuneworth.race.schedule.lanes import Lane
from tuneworth.race.schedule.price import Prices

UNTUNED_SHARE = 0.4
YARDSTICK_SHARE = 0.1
LEAST_TRAINING_S = 30.0
"""A shorter training says nothing of the arm."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Whether the time reaches.

    Attributes:
        answer: ``later``: not while a tuned arm waits.
        seconds: what the fit may take, ``None`` for no limit.
        n_rows: new rows that the time reaches for; ``None``: all that were asked for.
    """

    answer: Literal["yes", "later", "no"]
    seconds: float | None = None
    n_rows: int | None = None


@dataclass
class Purse:
    """Keeps the time of one race; all without effect until it is told of a limit."""

    lanes: Sequence[Lane]
    prices: Prices
    _left: float | None = field(default=None, init=False)
    _first_left: float = field(default=0.0, init=False)
    _untuned_spent: float = field(default=0.0, init=False)

    def tell(self, seconds_left: float | None) -> None:
        """Time that is left now; the first that is told is the whole."""
        if self._left is None and seconds_left is not None:
            self._first_left = seconds_left
        self._left = seconds_left

    def paid(self, fit: Fit, n_rows: int, *, fitted: bool) -> None:
        """The work was done; ``fitted``: including the fit."""
        if self.lanes[fit.arm].entrant.kind == "untuned":
            self._untuned_spent += self.prices.work(fit, n_rows, fitted=not fitted) or 0.0

    def shortcut(self, fits: Sequence[Fit], fit: Fit) -> Fit:
        """``fit``, or that on all rows when these would not be affordable after it."""
        if self._left is None or fit is fits[-1]:
            return fit
        costs = [self.prices.work(one, self.prices.n_dev, fitted=False) for one in (fit, fits[-1])]
        return fits[-1] if sum(cost or 0.0 for cost in costs) > self._left else fit

    def reaches(self, fit: Fit, n_rows: int, *, fitted: bool) -> Reach:
        """For asking ``n_rows`` more rows, and fitting first unless that was done."""
        lane = self.lanes[fit.arm]
        if self._left is None or self._is_exempt(lane):
            return Reach("yes")
        if lane.entrant.kind == "yardstick":
            price = self.prices.work(fit, n_rows, fitted=fitted) or 0.0
            return Reach("yes" if price <= min(self._left, YARDSTICK_SHARE * self._first_left) else "no")
        if lane.entrant.kind == "tuned" and fit is lane.fits[-1] and not fitted:
            return self._training(lane, fit, n_rows)
        price = self.prices.work(fit, n_rows, fitted=fitted)
        if (price or 0.0) > self._left or self._left <= 0:
            return Reach("no")
        if lane.entrant.kind == "untuned":
            return Reach("later") if self._is_needed(price or 0.0) else Reach("yes")
        return Reach("yes", None if fitted else self._beside_full(lane, fit, n_rows))

    def _is_exempt(self, lane: Lane) -> bool:
        if lane.entrant.kind == "yardstick":
            return lane.entrant.model is None or lane.at < 0
        if lane.at >= 0:
            return False
        model = lane.entrant.model  # arms without one count as those of one model
        of_model = (other for other in self.lanes if other.entrant.kind == "untuned" and other.entrant.model == model)
        return next(of_model, None) is lane

    def _training(self, lane: Lane, fit: Fit, n_rows: int) -> Reach:
        """What is left, less what asking takes; in equal parts if the others could not be trained in full after it."""
        assert self._left is not None
        expected, others = self.prices.fit(fit), self._waiting(but=lane)
        rows = n_rows
        seconds = self._for_training(fit, rows, others)
        if expected is None or expected > seconds:
            rows = min(n_rows, FIRST_ROWS)
            seconds = self._for_training(fit, rows, others)
        enough = expected is not None and expected <= seconds and self._left > 0
        return Reach("yes", seconds, rows) if enough or seconds >= LEAST_TRAINING_S else Reach("no")

    def _beside_full(self, lane: Lane, fit: Fit, n_rows: int) -> float | None:
        """For training a smaller size: what is left when it was asked and all rows were trained and asked."""
        full, expected = self.prices.work(lane.fits[-1], self.prices.n_dev, fitted=False), self.prices.fit(fit)
        if full is None or expected is None:
            return None
        return max(expected, (self._left or 0.0) - full - (self.prices.answers(fit, n_rows) or 0.0))

    def _for_training(self, fit: Fit, n_rows: int, others: Sequence[Lane]) -> float:
        room = (self._left or 0.0) - (self.prices.answers(fit, n_rows) or 0.0)
        costs = [self.prices.fit(other.fits[-1]) for other in others]
        equal = room / (len(others) + 1)
        return equal if None in costs else max(equal, room - sum(cost for cost in costs if cost is not None))

    def _is_needed(self, price: float) -> bool:
        """Whether a waiting tuned arm would lack the time."""
        waiting = self._waiting()
        if not waiting or self._untuned_spent + price <= UNTUNED_SHARE * self._first_left:
            return False
        costs = [self.prices.work(lane.fits[-1], self.prices.n_dev, fitted=False) for lane in waiting]
        return None in costs or price > (self._left or 0.0) - sum(cost for cost in costs if cost is not None)

    def _waiting(self, but: Lane | None = None) -> list[Lane]:
        tuned = (lane for lane in self.lanes if lane.entrant.kind == "tuned" and lane is not but)
        return [lane for lane in tuned if lane.open and not lane.grown and lane.first_of_family is lane]

"""What work is expected to cost, and whether the time reaches for it.

- Nothing is started that is expected to take longer than what is left, but for yardsticks without a model, which cost next
  to nothing, and the first rows of a yardstick with one and of the first untuned arm of each model: without them nothing
  could be compared. A yardstick with a model goes on after these only if that takes ``YARDSTICK_SHARE`` of the time.
- A training on all rows is given what is left, in equal parts when others wait, and plans its steps to end within. When
  that cuts it short, few dev rows are asked after it rather than less trained.
- A smaller size is trained only while all rows are affordable after it, uncut: a full size cut short
  is worse than a curve with a point less. So it may take what these leave, should it turn out dearer than expected.
- While a tuned arm waits, untuned arms may take what it leaves, and in any case ``UNTUNED_SHARE`` of the time: they are
  cheap and many, and would starve the one comparison that the run is about, or be starved by it.
- What is out is not left: its expected cost is set aside, but not more than it was allowed. NOT guaranteed: that it does
  not take longer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from tuneworth.race.schedule.board import FIRST_ROWS, Contender, Fit, Piece, Work
from tuneworth.stats.family import MIN_PAIRS

UNTUNED_SHARE = 0.4
YARDSTICK_SHARE = 0.1
LEAST_TRAINING_S = 30.0
"""A shorter training says nothing of the arm."""


class Costs(Protocol):
    """Expected seconds, as well as they are known now; ``None`` where they are not."""

    def fit_seconds(self, arm_id: str, n_train: int | None) -> float | None: ...

    def answer_seconds(self, arm_id: str, n_train: int | None, n_rows: int) -> float | None: ...


class Purse:
    """Keeps the time of one race; without a limit until it is told of one."""

    def __init__(self, arms: Sequence[Contender], costs: Costs, n_dev: int):
        self._arms, self._costs, self._n_dev = arms, costs, n_dev
        self.total = 0.0
        self._left: float | None = None
        self._first_left = self._untuned_spent = 0.0

    # -- what it costs ---------------------------------------------------------------------------------

    def fitting(self, fit: Fit) -> float | None:
        return self._costs.fit_seconds(fit.arm.entrant.arm_id, fit.n_train)

    def asking(self, fit: Fit, n_rows: int) -> float | None:
        return self._costs.answer_seconds(fit.arm.entrant.arm_id, fit.n_train, n_rows) if n_rows > 0 else 0.0

    def work(self, fit: Fit, n_rows: int, *, anew: bool = False) -> float | None:
        """Of asking ``n_rows`` more rows, and of fitting first if that was not done, or is to be counted ``anew``."""
        fitting, asking = self.fitting(fit) if anew or not fit.rows else 0.0, self.asking(fit, n_rows)
        return None if fitting is None or asking is None else fitting + asking

    def whole(self, arm: Contender) -> float | None:
        """Of an arm at every size on every row."""
        return _sum([self.work(fit, self._n_dev, anew=True) for fit in arm.fits])

    def rest(self, arm: Contender) -> float | None:
        """Of the rows that are missing at the latest size, and of all larger sizes."""
        parts = [self.work(fit, self._n_dev) for fit in arm.fits[arm.at + 1 :]]
        if arm.latest is not None:
            parts.append(self.asking(arm.latest, self._n_dev - arm.latest.rows))
        return _sum(parts)

    def share(self, seconds: float | None, n_rows: int) -> float:
        """Part of the cost of everything; when that is not known, part of all rows."""
        if seconds is not None and self.total > 0:
            return seconds / self.total
        return n_rows / (self._n_dev * sum(len(arm.fits) for arm in self._arms))

    # -- whether the time reaches ----------------------------------------------------------------------

    def tell(self, seconds_left: float | None) -> None:
        """Time that is left now, that of what is out included; the first that is told is the whole.

        Arms whose cost is not known count as the mean of the others in the ``total`` of everything.
        """
        known = [whole for arm in self._arms if (whole := self.whole(arm)) is not None]
        self.total = sum(known) / len(known) * len(self._arms) if known else 0.0
        if self._left is None and seconds_left is not None:
            self._first_left = seconds_left
        self._left = None if seconds_left is None else seconds_left - sum(arm.aside for arm in self._arms if arm.out)

    def hand_out(self, fit: Fit, work: Work) -> None:
        """The work is out from now on."""
        fitting = 0.0 if fit.rows else self.fitting(fit)
        if work.seconds is not None:
            fitting = work.seconds if fitting is None else min(fitting, work.seconds)
        fit.arm.out, fit.arm.aside = work, (fitting or 0.0) + (self.asking(fit, work.n_rows - fit.rows) or 0.0)

    def paid(self, fit: Fit, n_rows: int) -> None:
        """The work was done; the last ``n_rows`` came from it."""
        if fit.arm.entrant.kind == "untuned":
            self._untuned_spent += self.work(fit, n_rows, anew=n_rows == fit.rows) or 0.0

    def shortcut(self, fit: Fit) -> Fit:
        """``fit``, or that on all rows when these would not be affordable after it."""
        full = fit.arm.full
        if self._left is None or fit is full:
            return fit
        costs = [self.work(one, self._n_dev, anew=True) for one in (fit, full)]
        return full if sum(cost or 0.0 for cost in costs) > self._left else fit

    def afford(self, piece: Piece) -> Work | Literal["later", "no"]:
        """The work for which the time reaches, if any; ``later``: not while a tuned arm waits."""
        fit, arm, left = piece.fit, piece.fit.arm, self._left
        n_rows, kind = piece.n_rows - fit.rows, arm.entrant.kind
        unlimited = Work(arm.entrant.arm_id, fit.n_train, piece.n_rows)
        if left is None or self._is_exempt(arm):
            return unlimited
        if kind == "tuned" and fit is arm.full and not fit.rows:
            return self._training(fit, n_rows, left)
        price = self.work(fit, n_rows) or 0.0
        if kind == "yardstick":
            return unlimited if price <= min(left, YARDSTICK_SHARE * self._first_left) else "no"
        if price > left or left <= 0:
            return "no"
        if kind == "untuned":
            return "later" if self._is_needed(price, left) else unlimited
        full, expected = self.work(arm.full, self._n_dev, anew=True), self.fitting(fit)
        if fit.rows or full is None or expected is None:
            return unlimited
        limit = max(expected, left - full - (self.asking(fit, n_rows) or 0.0))
        return Work(arm.entrant.arm_id, fit.n_train, piece.n_rows, limit)

    def _is_exempt(self, arm: Contender) -> bool:
        if arm.entrant.kind == "yardstick":
            return arm.entrant.model is None or arm.at < 0
        model = arm.entrant.model  # arms without one count as those of one model
        of_model = (one for one in self._arms if one.entrant.kind == "untuned" and one.entrant.model == model)
        return arm.at < 0 and next(of_model, None) is arm

    def _training(self, fit: Fit, n_rows: int, left: float) -> Work | Literal["no"]:
        """What is left, less what asking takes; in equal parts if the others could not be trained in full after it."""
        others = [self.fitting(other.full) for other in self._waiting() if other is not fit.arm]
        expected, needed = self.fitting(fit), _sum(others)

        def limit(rows: int) -> float:
            room = left - (self.asking(fit, rows) or 0.0)
            equal = room / (len(others) + 1)
            return equal if needed is None else max(equal, room - needed)

        if expected is None or expected > limit(n_rows):
            n_rows = min(n_rows, FIRST_ROWS)
        if (seconds := limit(n_rows)) < LEAST_TRAINING_S:
            n_rows = min(n_rows, MIN_PAIRS)
            seconds = limit(n_rows)
        enough = expected is not None and expected <= seconds and left > 0
        if not enough and seconds < LEAST_TRAINING_S:
            return "no"
        return Work(fit.arm.entrant.arm_id, fit.n_train, n_rows, seconds)

    def _is_needed(self, price: float, left: float) -> bool:
        """Whether a waiting tuned arm would lack the time."""
        out = sum(arm.aside for arm in self._arms if arm.out and arm.entrant.kind == "untuned")
        waiting = self._waiting()
        if not waiting or self._untuned_spent + out + price <= UNTUNED_SHARE * self._first_left:
            return False
        needed = _sum([self.work(arm.full, self._n_dev) for arm in waiting])
        return needed is None or price > left - needed

    def _waiting(self) -> list[Contender]:
        """Tuned arms whose training on all rows is still to come; of a family the first."""
        arms = (arm for arm in self._arms if arm.entrant.kind == "tuned" and arm.open and not arm.grown)
        return [arm for arm in arms if arm.first_of_family is arm and not (arm.out and arm.out.n_train is None)]


def _sum(parts: Sequence[float | None]) -> float | None:
    """``None`` when a part is not known."""
    return None if None in parts else sum(part for part in parts if part is not None)

"""What work is expected to cost, what it is worth, and whether the time reaches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tuneworth.race.schedule.entrants import Costs, Entrant, Fit


@dataclass(frozen=True, slots=True)
class Worth:
    """What must be expected to be gained for looking further, in margins.

    Attributes:
        of_all: for the cost of measuring everything; for a part of it, that part.
        most: so much is worth any price.
    """

    of_all: float
    most: float


ROWS = Worth(1.2, 0.12)
"""Dev rows are what everything is decided on, and in a race of few arms each has a large share of the cost. In simulation
(nine arms around 0.6 by 10 or by 3 points, 300 or 600 rows) this found the best or one within the margin in 99, 95 and
95 % of the races for 37, 54 and 27 % of the rows; 2.5 times as much lost it in 8 to 15 % of them for 8 to 15 % less."""
TRAINING = Worth(1.2, 0.3)
"""A training on all rows is the dearest thing of most runs and what the run is about: to give it up too soon costs a wrong
answer, to go on costs minutes. In imitations of a run whose tuned arm ends level with the best untuned one, 2.5 times as
much saved a third of the cost and gave up the winner in a quarter of the races."""
LEAST_SECONDS = 2.0**-10
LEAST = 0.01
"""Below a hundredth of the margin nothing is worth the while, however cheap."""


@dataclass
class Prices:
    """Expected costs of the fits of a race."""

    entrants: Sequence[Entrant]
    fits: Sequence[Sequence[Fit]]
    costs: Costs
    n_dev: int
    margin: float
    _total: float | None = field(default=None, init=False)

    def fit(self, fit: Fit) -> float | None:
        return self.costs.fit_seconds(self.entrants[fit.arm].arm_id, fit.n_train)

    def answers(self, fit: Fit, n_rows: int) -> float | None:
        if n_rows <= 0:
            return 0.0
        return self.costs.answer_seconds(self.entrants[fit.arm].arm_id, fit.n_train, n_rows)

    def work(self, fit: Fit, n_rows: int, fitted: bool) -> float | None:
        """Of asking ``n_rows`` more rows, and fitting first unless that was done."""
        fitting, asking = 0.0 if fitted else self.fit(fit), self.answers(fit, n_rows)
        return None if fitting is None or asking is None else fitting + asking

    def whole(self, arm: int) -> float | None:
        """Of an arm at every size on every row."""
        parts = [self.work(fit, self.n_dev, fitted=False) for fit in self.fits[arm]]
        return None if None in parts else sum(part for part in parts if part is not None)

    def rest(self, fits: Sequence[Fit], at: int, rows: NDArray[np.intp]) -> float | None:
        """Of an arm after size number ``at``: the rows that are missing there, and all larger sizes."""
        parts = [self.work(fit, self.n_dev, fitted=False) for fit in fits[at + 1 :]]
        if at >= 0:
            parts.append(self.answers(fits[at], self.n_dev - int(rows[fits[at].place])))
        return None if None in parts else sum(part for part in parts if part is not None)

    def forget(self) -> None:
        """Costs have become better known."""
        self._total = None

    @property
    def total(self) -> float:
        """Of everything; arms whose cost is not known count as the mean of the others. 0 when none is known."""
        if self._total is None:
            known = [whole for arm in range(len(self.entrants)) if (whole := self.whole(arm)) is not None]
            self._total = sum(known) / len(known) * len(self.entrants) if known else 0.0
        return self._total

    def share(self, seconds: float | None, n_rows: int) -> float:
        """Part of the cost of everything; when that is not known, part of all rows."""
        if seconds is not None and self.total > 0:
            return seconds / self.total
        return n_rows / (self.n_dev * sum(len(fits) for fits in self.fits))

    def least_gain(self, seconds: float | None, n_rows: int, worth: Worth = ROWS) -> float:
        """The expected gain below which work is not worth its cost."""
        return self.margin * min(worth.most, max(LEAST, worth.of_all * self.share(seconds, n_rows)))


def rounded(seconds: float | None) -> float | None:
    """To a power of two, so that the noise of timing does not reorder arms that cost about the same."""
    return None if seconds is None else 2.0 ** round(math.log2(max(seconds, LEAST_SECONDS)))

"""How much time and money a run may still spend, counted over all its starts.

What an earlier start has paid for counts when the run comes to it again (`Budget.count`), not before: so a run that is
taken up again has as much left at each step as it had the first time, and decides the same.

Everything that costs runs on this machine, so money is the machine's time at its price, and a budget of both ends
with whichever is spent first.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

SECONDS_PER_HOUR = 3600.0


@dataclass
class Budget:
    """A budget of time, money or both, or none.

    Attributes:
        seconds: the whole budget as time, the tighter of both; ``None`` means no limit.
        spent_before: seconds that earlier starts spent on work that this one has come to.
        usd: the budget in money; ``None`` means no limit.
        usd_per_hour: price of this machine; ``None`` when not known.

    Raises:
        ValueError: there is an amount of money and no price to count it by.
    """

    seconds: float | None
    spent_before: float = 0.0
    usd: float | None = None
    usd_per_hour: float | None = None
    _started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        if self.usd is None:
            return
        if self.usd_per_hour is None:
            raise ValueError(f"a budget of ${self.usd:g} needs usd_per_hour, the price of this machine")
        paid_for = self.usd / self.usd_per_hour * SECONDS_PER_HOUR if self.usd_per_hour else math.inf
        tighter = min(paid_for, math.inf if self.seconds is None else self.seconds)
        self.seconds = tighter if math.isfinite(tighter) else None

    def count(self, seconds: float) -> None:
        """Work was found that took an earlier start so many seconds."""
        self.spent_before += seconds

    @property
    def spent(self) -> float:
        return self.spent_before + time.monotonic() - self._started

    @property
    def left(self) -> float | None:
        return None if self.seconds is None else max(0.0, self.seconds - self.spent)

    @property
    def usd_spent(self) -> float | None:
        """``None`` when the machine's price is not known: never zero for want of it."""
        return None if self.usd_per_hour is None else self.spent / SECONDS_PER_HOUR * self.usd_per_hour

    @property
    def usd_left(self) -> float | None:
        """``None`` without a budget in money."""
        return None if self.usd is None or self.usd_spent is None else max(0.0, self.usd - self.usd_spent)

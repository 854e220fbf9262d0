"""How much time a run may still spend, counted over all its starts."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

UNTUNED_SHARE = 0.4
"""Share of the budget after which no further untuned arm is started when a tuned arm is waiting.
Untuned arms are cheap and many; without the cap they would starve the one comparison that the run
is about."""


@dataclass
class Budget:
    """A time budget in seconds, or none.

    Attributes:
        seconds: the whole budget; ``None`` means no limit.
        spent_before: seconds that earlier starts of the same run already spent.
    """

    seconds: float | None
    spent_before: float = 0.0
    _started: float = field(default_factory=time.monotonic)

    @property
    def spent(self) -> float:
        return self.spent_before + time.monotonic() - self._started

    @property
    def left(self) -> float | None:
        return None if self.seconds is None else max(0.0, self.seconds - self.spent)

    def left_of_share(self, share: float, reserve: float = 0.0) -> float | None:
        """Seconds until ``share`` of what lies before ``reserve`` is gone, or ``None`` without a budget."""
        return None if self.seconds is None else max(0.0, (self.seconds - reserve) * share - self.spent)

    def left_after(self, reserve: float, parts: int = 1) -> float | None:
        """What one of ``parts`` equal users may spend when ``reserve`` seconds are kept back."""
        return None if self.left is None else max(0.0, self.left - reserve) / parts

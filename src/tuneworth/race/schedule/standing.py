"""Who stands where: scores of all fits on prefixes of the dev rows, the leaders, and paired sums."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tuneworth.race.schedule.entrants import Entrant, Fit
from tuneworth.race.schedule.gain import Pairs
from tuneworth.stats.family import MIN_PAIRS

Floats = NDArray[np.float64]
_NO_ROWS: Floats = np.empty(0)


class Board:
    """Scores as they come in. Fits are numbered by `Fit.place`; yardsticks never lead."""

    def __init__(self, entrants: Sequence[Entrant], fits: Sequence[Sequence[Fit]]):
        places = [fit for of_arm in fits for fit in of_arm]
        self._scores: list[Floats] = [_NO_ROWS] * len(places)
        self._pairs: dict[tuple[int, int], Pairs] = {}
        self.rows = np.zeros(len(places), dtype=np.intp)
        self.scored = np.zeros(len(places), dtype=np.intp)
        self._total = np.zeros(len(places))
        self._surely = np.full(len(places), -np.inf)
        self._arm = np.array([fit.arm for fit in places], dtype=np.intp)
        kinds = np.array([entrants[fit.arm].kind for fit in places])
        self._kinds = {kind: kinds == kind for kind in ("tuned", "untuned")}
        self._may_lead = kinds != "yardstick"

    def add(self, place: int, scores: Floats) -> None:
        """Scores of the next rows of a fit; NaN where a row has none."""
        self._scores[place] = np.concatenate([self._scores[place], scores])
        known = scores[~np.isnan(scores)]
        self.rows[place] += scores.size
        self.scored[place] += known.size
        self._total[place] += float(known.sum())
        n = int(self.scored[place])
        if n >= MIN_PAIRS:
            # Less two standard errors of a coin, so that few lucky rows do not lead.
            self._surely[place] = self._total[place] / n - 1 / math.sqrt(n)

    def close(self, arm: int) -> None:
        """The arm was stopped: it does not lead any longer."""
        self._may_lead[self._arm == arm] = False

    def leader(self, kind: str | None = None, without: int | None = None) -> int | None:
        """The fit to beat, of one kind or of all, leaving out one arm; ``None`` before any has enough rows."""
        allowed = self._may_lead if kind is None else self._may_lead & self._kinds[kind]
        if without is not None:
            allowed = allowed & (self._arm != without)
        values = np.where(allowed, self._surely, -np.inf)
        best = int(values.argmax()) if values.size else 0
        return best if values.size and values[best] > -np.inf else None

    def leaders(self) -> list[tuple[int, int] | None]:
        """The best of all and of each kind, with its rows."""
        best = [self.leader(kind) for kind in (None, *self._kinds)]
        return [None if place is None else (place, int(self.rows[place])) for place in best]

    def arm_of(self, place: int) -> int:
        return int(self._arm[place])

    def mean(self, place: int) -> float | None:
        n = int(self.scored[place])
        return float(self._total[place]) / n if n else None

    def standard_error(self, place: int) -> float | None:
        """Of the mean; ``None`` for right/wrong scores, whose error follows from the number of rows."""
        scores = self._scores[place]
        known = scores[~np.isnan(scores)]
        if bool(np.isin(known, (0.0, 1.0)).all()):
            return None
        return float(known.std(ddof=1)) / math.sqrt(known.size) if known.size > 1 else None

    def on_first(self, place: int, n_rows: int) -> tuple[float, float]:
        """Mean of a fit on the first rows, and its standard error."""
        scores = self._scores[place][:n_rows]
        known = scores[~np.isnan(scores)]
        return float(known.mean()), float(known.std()) / math.sqrt(known.size)

    def pairs(self, place: int, other: int) -> Pairs:
        """Sums of ``place − other`` on the rows that both scored; only new rows are read."""
        stop = int(min(self.rows[place], self.rows[other]))
        known = self._pairs.get((place, other), Pairs())
        if known.seen < stop:
            new = slice(known.seen, stop)
            differences = self._scores[place][new] - self._scores[other][new]
            differences = differences[~np.isnan(differences)]
            known = self._pairs[place, other] = Pairs(
                seen=stop,
                n=known.n + differences.size,
                total=known.total + float(differences.sum()),
                squares=known.squares + float(differences @ differences),
            )
        return known

"""Which setting of a strategy goes on: arms that differ in nothing else meet on few training rows first.

A training on all rows for each rank and rate would cost more than all else in a run. So the arms of a family are fitted on
an eighth of the training rows and asked all dev rows, and the one with the best mean goes on alone: one round of successive
halving (Jamieson and Talwalkar 2016, AISTATS). It has no promise: the best setting for few rows need not be the
best for all; on a handful of rows a low rate has learned nothing when a high one is done, so there are ``LEAST_ROWS``.
A race that is off trains them all.

The first arm of the family leads the way by the usual rules (`tuneworth.race.schedule.growth`), but not past the heat. The
others take part only while the full training of the winner remains affordable after them.
"""

from __future__ import annotations

from dataclasses import dataclass

from tuneworth.race.schedule.gain import Pairs, outlook
from tuneworth.race.schedule.growth import Growth
from tuneworth.race.schedule.lanes import Halt, Lane, Piece
from tuneworth.race.schedule.price import Prices, rounded
from tuneworth.race.schedule.standing import Board

HALVINGS = 3
"""The heat is on n/8 of the training rows, or the smallest size above it …"""
LEAST_ROWS = 64
"""… that has so many rows; on n/2 when none has."""


@dataclass
class Heats:
    """Decides about arms that have rivals in their family, up to the end of their heat."""

    board: Board
    prices: Prices
    growth: Growth

    def are_on(self, lane: Lane) -> bool:
        """Whether ``lane`` is to be asked about here: a rival is left, and neither went past the heat."""
        return lane.grows and lane.at <= _heat(lane) and any(rival.stop is None for rival in lane.rivals)

    def next(self, lane: Lane, leader: int | None) -> Piece | Halt | None:
        """As `tuneworth.race.schedule.judge.Judge.judge`; ``None`` also while the others are awaited.

        Args:
            leader: the fit of another arm to beat, ``None`` when there is none.
        """
        at, first = _heat(lane), lane.first_of_family
        heat = lane.fits[at]
        if at in lane.broken:
            return Halt("failed")
        if lane is first and lane.at < at:
            found = self.growth.next(lane.fits, lane.at, leader)
            past = isinstance(found, Piece) and found.fit.at > at
            return self._piece(lane, found.gain) if isinstance(found, Piece) and past else found
        if lane is not first and first.at > at:
            return Halt("budget")  # there was time for one training only
        n_dev = self.prices.n_dev
        if int(self.board.rows[heat.place]) < n_dev:
            ready = lane is first or int(self.board.rows[first.fits[at].place]) >= n_dev
            return self._piece(lane, outlook(Pairs(), n_dev).gain()) if ready else None
        return self._result(lane, at)

    def _result(self, lane: Lane, at: int) -> Halt | None:
        """Once all have run: the best goes on (its rivals are stopped), the first of those that are level."""
        runners = sorted((one for one in (lane, *lane.rivals) if one.stop is None), key=lambda one: one.arm)
        if any(int(self.board.rows[one.fits[at].place]) < self.prices.n_dev for one in runners):
            return None
        best = max(runners, key=lambda one: self.board.mean(one.fits[at].place) or 0.0)
        return None if best is lane else Halt("setting", leader=best.fits[at].place)

    def _piece(self, lane: Lane, gain: float) -> Piece:
        heat = lane.fits[_heat(lane)]
        have, n_dev = int(self.board.rows[heat.place]), self.prices.n_dev
        price = rounded(self.prices.work(heat, n_dev - have, fitted=have > 0))
        return Piece(heat, n_dev, gain, price, heat=True)


def _heat(lane: Lane) -> int:
    """Number of the size on which the family of ``lane`` meets."""
    smaller = lane.fits[:-1]
    enough = (fit.at for fit in smaller[max(0, len(smaller) - HALVINGS) :] if (fit.n_train or 0) >= LEAST_ROWS)
    return next(enough, smaller[-1].at)

"""What could be done next for one arm, and whether that is worth its cost.

The rules and their reasons are in `tuneworth.race.schedule`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tuneworth.race.schedule.entrants import Fit, next_rows
from tuneworth.race.schedule.gain import Pairs, outlook
from tuneworth.race.schedule.growth import Growth
from tuneworth.race.schedule.heats import Heats
from tuneworth.race.schedule.lanes import Halt, Lane, Piece
from tuneworth.race.schedule.price import LEAST, Prices, rounded
from tuneworth.race.schedule.standing import Board

NEAR = 2.0
"""Margins behind the best of all within which the best of a kind may change the verdict."""
COMPLETE_SHARE = 0.02
"""Part of the cost of everything that is spent on a round number without being asked for by a gain."""
YARDSTICK_GAIN = 1e9


@dataclass(frozen=True, slots=True)
class _Rival:
    """The fit that an arm may still overtake, and what that is expected to gain."""

    place: int
    gain: float


@dataclass
class Judge:
    """Judges one arm at a time by what is known of all.

    Attributes:
        worse: names of the fits that were eliminated.
    """

    lanes: Sequence[Lane]
    board: Board
    prices: Prices
    growth: Growth
    heats: Heats
    worse: Collection[str]

    def judge(self, lane: Lane) -> Piece | Halt | None:
        """The next piece, a reason to stop, or ``None``: it stands, and nothing is worth doing."""
        if lane.entrant.kind == "yardstick" or (lane.at < 0 and not lane.grows):
            return self._start(lane)
        if lane.grown:
            return self._race(lane)
        leader = self.board.leader(without=lane.arm)
        return (
            self.heats.next(lane, leader) if self.heats.are_on(lane) else self.growth.next(lane.fits, lane.at, leader)
        )

    def everything(self, lane: Lane) -> Piece | None:
        """The next size on all rows, for a race that is off."""
        for fit in lane.fits:
            if fit.at not in lane.broken and int(self.board.rows[fit.place]) < self.prices.n_dev:
                return self._piece(fit, self.prices.n_dev, 0.0)
        return None

    def is_best_of_kind(self, lane: Lane) -> bool:
        """Also while no arm of its kind has enough rows to say."""
        best = self.board.leader(lane.entrant.kind)
        return best is None or self.board.arm_of(best) == lane.arm

    def _start(self, lane: Lane) -> Piece | None:
        """The first rows of an arm; of a yardstick then all."""
        fit, have, n_dev = lane.fits[-1], int(self.board.rows[lane.fits[-1].place]), self.prices.n_dev
        if have >= n_dev:
            return None
        gain = YARDSTICK_GAIN if lane.entrant.kind == "yardstick" else outlook(Pairs(), n_dev).gain()
        return self._piece(fit, n_dev if have else next_rows(0, n_dev), gain)

    def _race(self, lane: Lane) -> Piece | Halt | None:
        fit, best_of_kind = lane.fits[-1], self.is_best_of_kind(lane)
        if fit.name in self.worse and not best_of_kind:
            return Halt("eliminated")
        rest = self.prices.n_dev - int(self.board.rows[fit.place])
        price = self.prices.work(fit, rest, fitted=True)
        rival = self._rival(lane, best_of_kind)
        if rival is not None and rival.gain >= self.prices.least_gain(price, rest):
            return self._toward(fit, rival)
        if best_of_kind:
            fill = self.growth.fill(lane.fits, lane.broken, rival.place) if rival is not None and lane.grows else None
            return fill or self._complete(fit, rest, price, leads=rival is None)
        return Halt("little_to_gain", rival.place, rival.gain) if rival is not None and rest > 0 else None

    def _rival(self, lane: Lane, best_of_kind: bool) -> _Rival | None:
        """Whom to overtake: the best of all, or the best of its kind; ``None`` for the best of all itself."""
        best = self.board.leader()
        if best is None or self.board.arm_of(best) == lane.arm:
            return None
        fit, n_dev = lane.fits[-1], self.prices.n_dev
        overall = outlook(self.board.pairs(fit.place, best), n_dev)
        of_all = _Rival(best, overall.gain())
        of_kind = self.board.leader(lane.entrant.kind)
        if best_of_kind or of_kind is None or of_kind == best:
            return of_all
        gain = outlook(self.board.pairs(fit.place, of_kind), n_dev).gain()
        within = _Rival(of_kind, min(gain, overall.gain(NEAR * self.prices.margin)))
        return max(of_all, within, key=lambda rival: rival.gain)

    def _toward(self, fit: Fit, rival: _Rival) -> Piece | None:
        """More common rows: the arm's own while the rival has seen more, else the rival's."""
        have, n_dev = int(self.board.rows[fit.place]), self.prices.n_dev
        ahead, other = int(self.board.rows[rival.place]), self.lanes[self.board.arm_of(rival.place)]
        if have >= ahead and other.open:
            if not other.grown:
                return None  # its next size comes first
            if other.fits[-1].place == rival.place and ahead < n_dev:
                return self._piece(other.fits[-1], next_rows(ahead, n_dev), rival.gain)
        return self._piece(fit, next_rows(have, n_dev), rival.gain) if have < n_dev else None

    def _complete(self, fit: Fit, rest: int, price: float | None, *, leads: bool) -> Piece | None:
        """The best of a kind on all rows: if it leads the whole race and costs no more than an average arm, or little.

        Its score is what a forecast is held against, and what a reader sees first.
        """
        n_arms = sum(lane.entrant.kind != "yardstick" for lane in self.lanes)
        affordable = 1 / n_arms if leads else COMPLETE_SHARE
        if rest <= 0 or self.prices.share(price, rest) > affordable:
            return None
        return self._piece(fit, next_rows(self.prices.n_dev - rest, self.prices.n_dev), LEAST * self.prices.margin)

    def _piece(self, fit: Fit, n_rows: int, gain: float) -> Piece:
        have = int(self.board.rows[fit.place])
        return Piece(fit, n_rows, gain, rounded(self.prices.work(fit, n_rows - have, fitted=have > 0)))

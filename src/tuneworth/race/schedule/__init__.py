"""Which arm next, on how many training and dev rows, and which no further: pure, told of all it knows.

Every arm starts on the first 32 dev rows. After that, of all that could be done, the work with the most expected gain
per expected second comes next, and what is not expected to gain what it costs is not done:

- **Gain** is how far an arm that is behind is expected to end ahead (`tuneworth.race.schedule.gain`): of the best of all, or of
  the best of its kind, because the best tuned and the best untuned arm both meet the test rows. Being the best of
  a kind that is far behind changes no verdict, so that part counts at most by as much as the arm may come
  within ``NEAR`` margins of the best of all.
- **Two arms are compared on the rows that both have seen**, so the leader goes ahead and the others follow, never beyond.
- **Cost** is in seconds, rounded to powers of two. What an arm must be expected to gain grows with its share of the
  cost of everything (`tuneworth.race.schedule.price`): a head that takes a second is looked at in full, a few-shot arm with long
  prompts only while it may well win. This saves more than the test does: a few hundred rows show surely only what
  is far behind.
- **Elimination** is by `tuneworth.stats.sequential` alone, and comes with its promise. ``little_to_gain`` has none.
- **The best of each kind is not stopped** for being behind, since it goes to the test rows anyway; it is just not
  asked more. So an arm ends either with a `Stop`, or standing.
- Arms that learn from rows go through sizes (`tuneworth.race.schedule.growth`); a small size that is eliminated is out, the arm
  is not. Of those that differ in a setting only, one goes beyond n/8 (`tuneworth.race.schedule.heats`).
- Under a budget nothing is started that is not expected to fit (`tuneworth.race.schedule.purse`).

Each decision follows from what was observed, the expected costs and the time left as told: there is no clock here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tuneworth.core.race import Stop, StopReason
from tuneworth.core.run import Interval
from tuneworth.race.schedule.entrants import FIRST_ROWS, Costs, Entrant, Fit, Work, fits_of
from tuneworth.race.schedule.gain import outlook
from tuneworth.race.schedule.growth import Growth
from tuneworth.race.schedule.heats import Heats
from tuneworth.race.schedule.judge import Judge
from tuneworth.race.schedule.lanes import Halt, Lane, Piece
from tuneworth.race.schedule.price import Prices, rounded
from tuneworth.race.schedule.purse import Purse
from tuneworth.race.schedule.standing import Board
from tuneworth.stats.curve import CurvePoint
from tuneworth.stats.family import MIN_PAIRS
from tuneworth.stats.sequential import Elimination, Eliminator

__all__ = ["Costs", "Entrant", "Place", "Schedule", "Work"]

CHECK_SHARE = 0.05
"""All pairs are tested after each step; in a large race after so many steps as this part of its fits."""
MANY_LOOKS = 32
"""After so many first looks, expected costs are taken up again only each time that their number has doubled."""


@dataclass(frozen=True, slots=True)
class Place:
    """How an arm stands, by its latest fit.

    Attributes:
        leader: the arm that ``difference`` (arm − leader) is about; its ``interval`` holds however often one looks.
    """

    arm_id: str
    n_train: int | None
    n_rows: int
    mean: float | None
    leader: str | None = None
    difference: float | None = None
    interval: Interval | None = None
    stopped: StopReason | None = None


class Schedule:
    """One race. Ask `next`, do it, `observe` it (or `fail`), until `next` is ``None``.

    Attributes:
        stops: the arms that were stopped, in order, with the evidence.
    """

    def __init__(
        self,
        entrants: Sequence[Entrant],
        *,
        n_dev: int,
        margin: float,
        chance: float,
        costs: Costs,
        exhaustive: bool = False,
        seed: int = 0,
        unit_scores: bool = True,
        n_train: int | None = None,
    ):
        """Declare the race.

        Args:
            entrants: in plan order, the most promising first.
            n_dev: dev rows in all.
            chance: score of guessing, where a learning curve starts.
            exhaustive: everything on all rows in plan order; nothing is stopped but what fails or finds no time.
            unit_scores: scores are in [0, 1] and their mean is the metric; if not, as with ``exhaustive``.
            n_train: training rows in all; twice the largest smaller size when not given.

        Raises:
            ValueError: no dev rows, an arm named twice, or its sizes do not ascend.
        """
        if n_dev < 1:
            raise ValueError(f"n_dev is {n_dev}, must be at least 1")
        fits = fits_of(entrants)
        halves = [fit.n_train or 0 for of_arm in fits for fit in of_arm]
        self.stops: list[Stop] = []
        self._n_dev, self._off = n_dev, exhaustive or not unit_scores or n_dev < MIN_PAIRS
        self._lanes = [Lane(entrant, of_arm) for entrant, of_arm in zip(entrants, fits)]
        self._by_id = {lane.entrant.arm_id: lane for lane in self._lanes}
        for lane in self._lanes if not self._off else ():
            family = lane.entrant.family
            lane.rivals = [one for one in self._lanes if family and one.entrant.family == family and one is not lane]
        self._racing = {fit.name: fit for of_arm in fits for fit in of_arm if entrants[fit.arm].kind != "yardstick"}
        self._worse: dict[str, Elimination] = {}
        self._board = Board(entrants, fits)
        self._prices = Prices(entrants, fits, costs, n_dev, margin)
        self._growth = Growth(
            self._board, self._prices, n_train or 2 * max(halves, default=0) or 1, chance, seed, self._worse
        )
        heats = Heats(self._board, self._prices, self._growth)
        self._judge = Judge(self._lanes, self._board, self._prices, self._growth, heats, self._worse)
        self._purse = Purse(self._lanes, self._prices)
        self._test = None if self._off else Eliminator(list(self._racing), margin=margin)
        self._n_steps = self._n_looks = self._untested = 0
        self._stale = set(range(len(self._lanes)))
        self._leaders: list[tuple[int, int] | None] = []

    # -- what happened ---------------------------------------------------------------------------------

    def observe(self, work: Work, scores: ArrayLike) -> None:
        """Scores of the new rows of ``work``, shape ``(n,)``, NaN where a row has none.

        Raises:
            ValueError: no scores, or more than rows were asked for.
        """
        lane, fit = self._came_to(work)
        values, have = np.asarray(scores, dtype=np.float64), int(self._board.rows[fit.place])
        if not 0 < values.size <= work.n_rows - have:
            raise ValueError(f"{work.arm_id}: {values.size} scores for {work.n_rows - have} new rows")
        if have == 0:
            self._learn_costs()
        self._board.add(fit.place, values)
        if self._test is not None and fit.name in self._racing:
            self._test.add(fit.name, values)
            self._untested += 1
        self._purse.paid(fit, values.size, fitted=have == 0)
        rows, scored = int(self._board.rows[fit.place]), int(self._board.scored[fit.place])
        if rows >= min(FIRST_ROWS, self._n_dev) and 2 * scored < rows:
            self._broke(lane, fit)

    def _learn_costs(self) -> None:
        """After a first look costs are better known, also of arms that were not looked at."""
        self._n_looks += 1
        if self._n_looks <= MANY_LOOKS or self._n_looks.bit_count() == 1:
            self._prices.forget()
            self._stale.update(lane.arm for lane in self._lanes if lane.at < 0)

    def fail(self, work: Work) -> None:
        """The fit broke. A smaller size that breaks is passed over."""
        self._broke(*self._came_to(work))

    def stop(self, arm_id: str, reason: StopReason) -> None:
        """Stop an arm for a reason that only the caller knows; one that was stopped before stays as it is."""
        if self._by_id[arm_id].stop is None:
            self._stop(self._by_id[arm_id], Halt(reason))

    def _came_to(self, work: Work) -> tuple[Lane, Fit]:
        lane = self._by_id[work.arm_id]
        [fit] = [fit for fit in lane.fits if fit.n_train == work.n_train]
        lane.at = max(lane.at, fit.at)
        self._n_steps += 1
        self._changed(lane)
        return lane, fit

    def _changed(self, lane: Lane) -> None:
        """The arm is to be judged again, and so are those that may wait for it."""
        self._stale.update(one.arm for one in (lane, *lane.rivals))

    def _broke(self, lane: Lane, fit: Fit) -> None:
        lane.broken.add(fit.at)
        if fit is lane.fits[-1] and lane.stop is None:
            self._stop(lane, Halt("failed"))

    # -- what is next ----------------------------------------------------------------------------------

    def next(self, seconds_left: float | None) -> Work | None:
        """The next work, or ``None`` when the race is over.

        Args:
            seconds_left: time for the race, without what is kept back for later; ``None``: no limit.
        """
        self._purse.tell(seconds_left)
        self._eliminate(CHECK_SHARE * len(self._racing))
        if (work := self._best()) is not None:
            return work
        # Before the end all is looked at once more: an arm may have waited for one that went no further.
        self._eliminate(1)
        self._stale.update(lane.arm for lane in self._lanes)
        return self._best()

    def _eliminate(self, steps: float) -> None:
        """Test all pairs, if there were at least so many steps since the last time."""
        if self._test is None or self._untested < max(1, int(steps)):
            return
        self._untested = 0
        for gone in self._test.check():
            self._worse[gone.arm] = gone
            self._stale.add(self._racing[gone.arm].arm)

    def _best(self) -> Work | None:
        """The best piece that the time reaches for; arms for which it does not are stopped on the way."""
        while True:
            self._refresh()
            for lane, piece in self._ranked():
                if (work := self._affordable(lane, piece)) is not None:
                    return work
            if not self._stale:
                return None

    def _refresh(self) -> None:
        """Judge again the arms about which something has changed."""
        while True:
            if not self._off and (leaders := self._board.leaders()) != self._leaders:
                self._leaders = leaders
                self._stale.update(lane.arm for lane in self._lanes)
            if not self._stale:
                return
            stale, self._stale = sorted(self._stale), set[int]()
            for lane in (self._lanes[arm] for arm in stale):
                lane.piece = None
                if not lane.open:
                    continue
                found = self._judge.everything(lane) if self._off else self._judge.judge(lane)
                if isinstance(found, Halt):
                    self._stop(lane, found)
                else:
                    lane.piece = found

    def _ranked(self) -> list[tuple[Lane, Piece]]:
        """Most gain per second first, unknown costs after known ones; plan order when the race is off."""
        pieces = [(lane, self._in_time(lane.piece)) for lane in self._lanes if lane.piece is not None]
        if self._off:
            return pieces
        dear = 1 + 2 * max((piece.price or 0.0 for _, piece in pieces), default=0.0)

        def rank(pair: tuple[Lane, Piece]) -> tuple[float, int]:
            lane, piece = pair
            return -piece.gain / (dear if piece.price is None else piece.price), lane.arm

        return sorted(pieces, key=rank)

    def _in_time(self, piece: Piece) -> Piece:
        """The same on all training rows, when there would be no time for these after it."""
        lane = self._lanes[piece.fit.arm]
        if lane.grown or not lane.grows or piece.heat:
            return piece
        full = self._purse.shortcut(lane.fits, piece.fit)
        if full is piece.fit:
            return piece
        n_rows = self._n_dev if self._off else self._growth.rows_for(lane.fits, full)
        return Piece(full, n_rows, piece.gain, rounded(self._prices.work(full, n_rows, fitted=False)))

    def _affordable(self, lane: Lane, piece: Piece) -> Work | None:
        if piece.heat and self._purse.shortcut(lane.fits, piece.fit) is not piece.fit:
            return self._without_heat(lane)
        have = int(self._board.rows[piece.fit.place])
        reach = self._purse.reaches(piece.fit, piece.n_rows - have, fitted=have > 0)
        if reach.answer == "no":
            self._out_of_time(lane)
        if reach.answer != "yes":
            return None
        n_rows = piece.n_rows if reach.n_rows is None else have + reach.n_rows
        return Work(self._lanes[piece.fit.arm].entrant.arm_id, piece.fit.n_train, n_rows, reach.seconds)

    def _without_heat(self, lane: Lane) -> None:
        """No time to try this setting; where it is the first of the family, it goes on and the others are out."""
        out = lane.rivals if lane.first_of_family is lane else [lane]
        for one in (one for one in out if one.stop is None):
            self._stop(one, Halt("budget"))

    def _out_of_time(self, lane: Lane) -> None:
        """The best of a kind, and a yardstick, stand on the rows they have; another arm that needs more time is stopped."""
        self._changed(lane)
        if lane.grown and (lane.entrant.kind == "yardstick" or self._judge.is_best_of_kind(lane)):
            lane.silent = True
        else:
            self._stop(lane, Halt("budget"))

    # -- who was stopped, who stands -------------------------------------------------------------------

    def _stop(self, lane: Lane, halt: Halt) -> None:
        fit = lane.fit
        stop = Stop(
            arm_id=lane.entrant.arm_id,
            reason=halt.reason,
            after_step=self._n_steps,
            n_train=fit.n_train if fit is not None else None,
            expected_gain=halt.expected_gain,
            forecast_high=halt.forecast_high,
            seconds_saved=self._prices.rest(lane.fits, lane.at, self._board.rows),
        )
        if halt.reason in ("eliminated", "no_rise") and fit is not None and fit.name in self._worse:
            stop = stop.model_copy(update=self._by_test(self._worse[fit.name]))
        elif halt.leader is not None and fit is not None:
            stop = stop.model_copy(update=self._by_outlook(fit, halt.leader))
        lane.stop, lane.piece = stop, None
        self.stops.append(stop)
        self._board.close(lane.arm)
        self._changed(lane)

    def _by_test(self, gone: Elimination) -> dict[str, object]:
        return {
            "n_rows": gone.n_rows,
            "leader": self._lanes[self._racing[gone.leader].arm].entrant.arm_id,
            "difference": gone.difference,
            "interval": gone.interval,
            "e_value": gone.e_value,
            "e_needed": gone.e_needed,
        }

    def _by_outlook(self, fit: Fit, leader: int) -> dict[str, object]:
        pairs = self._board.pairs(fit.place, leader)
        low, high = outlook(pairs, self._n_dev).interval(0.95)
        return {
            "n_rows": pairs.n,
            "leader": self._lanes[self._board.arm_of(leader)].entrant.arm_id,
            "difference": pairs.mean,
            "interval": Interval(low=low, high=high, level=0.95),
        }

    @property
    def leader(self) -> str | None:
        """The arm that is ahead now; ``None`` before any has enough rows."""
        best = self._board.leader()
        return None if best is None else self._lanes[self._board.arm_of(best)].entrant.arm_id

    def standings(self) -> list[Place]:
        """Every arm as it stands now, in plan order."""
        tested = {standing.arm: standing for standing in self._test.standings()} if self._test is not None else {}
        tested |= self._worse
        return [self._place(lane, tested) for lane in self._lanes]

    def _place(self, lane: Lane, tested: dict[str, Elimination]) -> Place:
        stopped = lane.stop.reason if lane.stop is not None else None
        fit = lane.fit
        if fit is None:
            return Place(lane.entrant.arm_id, None, 0, None, stopped=stopped)
        rows, mean = int(self._board.rows[fit.place]), self._board.mean(fit.place)
        held = tested.get(fit.name)
        if held is None or self._racing[held.leader].arm == lane.arm:
            return Place(lane.entrant.arm_id, fit.n_train, rows, mean, stopped=stopped)
        leader = self._lanes[self._racing[held.leader].arm].entrant.arm_id
        return Place(lane.entrant.arm_id, fit.n_train, rows, mean, leader, held.difference, held.interval, stopped)

    def points(self, arm_id: str) -> list[CurvePoint]:
        """What was measured of an arm at its sizes, for a forecast; sizes with too few rows are left out."""
        return self._growth.points(self._by_id[arm_id].fits)

"""Which arm next, on how many training and dev rows, and which no further: pure, told of all it knows.

Every arm starts on the first 32 dev rows. After that, of all that could be done, the work with the most expected gain
per expected second comes next, and what is not expected to gain what it costs is not done (`tuneworth.race.schedule.rules`):

- **Two arms are compared on the rows that both have seen**, so the leader goes ahead and the others follow, never beyond.
- **Elimination** is by `tuneworth.stats.sequential` alone, and comes with its promise. All other rules have none: what
  each is worth was found by simulation (docs/decisions/015).
- **The best of each kind is not stopped** for being behind, since it goes to the test rows anyway; it is just not
  asked more. So an arm ends either with a `Stop`, or standing.
- Under a budget nothing is started that is not expected to fit (`tuneworth.race.schedule.purse`).
- **Several may be out at once**: `next` may be asked again before `observe`, and what is out may come back in any order. Of
  one arm at most one work is out, because its next rows, or size, depend on what comes of these. Leaders, the test and
  all judgements use what came back only; an arm that is out is not judged, and nobody is stopped for want of time
  while anything is out, because it may take less than was set aside for it.

Each decision follows from what was observed, the expected costs and the time left as told: there is no clock here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from tuneworth.core.race import Stop, StopReason
from tuneworth.core.record import Interval
from tuneworth.race.schedule.board import FIRST_ROWS, Board, Contender, Entrant, Fit, Piece, Work
from tuneworth.race.schedule.purse import Costs, Purse
from tuneworth.race.schedule.rules import Rules
from tuneworth.stats.curve import CurvePoint
from tuneworth.stats.family import MIN_PAIRS
from tuneworth.stats.sequential import Eliminator

__all__ = ["Costs", "Entrant", "Place", "Schedule", "Work"]


@dataclass(frozen=True, slots=True)
class Place:
    """How an arm stands, by its latest fit.

    Attributes:
        leader: the arm that ``difference`` (arm − leader) is about; its ``interval`` holds however often one looks.
    """

    arm_id: str
    n_train: int | None = None
    n_rows: int = 0
    mean: float | None = None
    leader: str | None = None
    difference: float | None = None
    interval: Interval | None = None
    stopped: StopReason | None = None


class Schedule:
    """One race. Ask `next`, do it, `observe` it (or `fail`), until `next` is ``None`` and nothing is `out`.

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
        groups: Sequence[str] = (),
    ):
        """Declare the race.

        Args:
            entrants: in plan order, the most promising first.
            n_dev: dev rows in all.
            chance: score of guessing, where a learning curve starts.
            exhaustive: everything on all rows in plan order; nothing is stopped but what fails or finds no time.
            unit_scores: scores are in [0, 1] and their mean is the metric; if not, as with ``exhaustive``.
            n_train: training rows in all; twice the largest smaller size when not given.
            groups: the group of each dev row in the race's order, the rows of a group one after another.

        Raises:
            ValueError: no dev rows, an arm named twice, or its sizes do not ascend.
        """
        self.stops: list[Stop] = []
        self._board = Board(entrants, n_dev, groups)
        self._arms = self._board.arms
        self._by_id = {arm.entrant.arm_id: arm for arm in self._arms}
        self._off = exhaustive or not unit_scores or n_dev < MIN_PAIRS
        for arm in self._arms if not self._off else ():
            family = arm.entrant.family
            arm.rivals = [one for one in self._arms if family and one.entrant.family == family and one is not arm]
        fits = [fit for arm in self._arms for fit in arm.fits]
        n_train = n_train or 2 * max((fit.n_train or 0 for fit in fits), default=0) or 1
        self._purse = Purse(self._arms, costs, n_dev)
        self._rules = Rules(self._board, self._purse, margin=margin, n_train=n_train, chance=chance, seed=seed)
        self._test = None if self._off else Eliminator(list(self._board.racing), margin=margin, groups=groups)
        self._n_steps = 0

    # -- what happened ---------------------------------------------------------------------------------

    def observe(self, work: Work, scores: ArrayLike) -> None:
        """Scores of the new rows of ``work``, shape ``(n,)``, NaN where a row has none.

        Raises:
            ValueError: the work is not out, there are no scores, or more than rows were asked for.
        """
        fit, values = self._fit_of(work), np.asarray(scores, dtype=np.float64)
        if not 0 < values.size <= work.n_rows - fit.rows:
            raise ValueError(f"{work.arm_id}: {values.size} scores for {work.n_rows - fit.rows} new rows")
        self._came_back(fit)
        self._board.add(fit, values)
        self._purse.paid(fit, values.size)
        if self._test is not None and fit.name in self._board.racing:
            self._test.add(fit.name, values)
        if fit.rows >= min(FIRST_ROWS, self._board.n_dev) and 2 * fit.known.size < fit.rows:
            self._broke(fit)

    def fail(self, work: Work) -> None:
        """The fit broke. A smaller size that breaks is passed over.

        Raises:
            ValueError: the work is not out.
        """
        fit = self._fit_of(work)
        self._came_back(fit)
        self._broke(fit)

    def stop(self, arm_id: str, reason: StopReason) -> None:
        """Stop an arm for a reason that only the caller knows; one that was stopped before stays as it is.

        What is out of it is no longer waited for, but may come back all the same.
        """
        arm = self._by_id[arm_id]
        if arm.stop is None:
            self._stop(arm, self._rules.stop(arm, reason))

    @property
    def out(self) -> tuple[Work, ...]:
        """Work that was handed out and did not come back: while there is any, ``None`` from `next` means "not now"."""
        return tuple(arm.out for arm in self._arms if arm.out is not None)

    def _fit_of(self, work: Work) -> Fit:
        arm = self._by_id[work.arm_id]
        if arm.out != work and arm.stop is None:
            raise ValueError(f"{work} is not out: it was not handed out, or came back before")
        [fit] = [fit for fit in arm.fits if fit.n_train == work.n_train]
        return fit

    def _came_back(self, fit: Fit) -> None:
        fit.arm.at, fit.arm.out = max(fit.arm.at, fit.at), None
        self._n_steps += 1

    def _broke(self, fit: Fit) -> None:
        fit.broken = True
        if fit is fit.arm.full and fit.arm.stop is None:
            self._stop(fit.arm, self._rules.stop(fit.arm, "failed"))

    # -- what is next ----------------------------------------------------------------------------------

    def next(self, seconds_left: float | None) -> Work | None:
        """The next work, which is out from then on; ``None`` when there is nothing to hand out now.

        Args:
            seconds_left: time for the race, without what is kept back for later, and with that of what is out;
                ``None``: no limit.
        """
        self._purse.tell(seconds_left)
        for gone in self._test.check() if self._test is not None else ():
            self._board.racing[gone.arm].worse = gone
        while True:
            pieces, n_open = self._pieces(), sum(arm.open for arm in self._arms)
            for stops in (False, True):  # nobody is out for want of time while there is something else to do
                for arm, piece in pieces:
                    if piece.fit.arm.out is None and (work := self._affordable(arm, piece, stops=stops)) is not None:
                        self._purse.hand_out(piece.fit, work)
                        return work
            if n_open == sum(arm.open for arm in self._arms):
                return None  # where arms were stopped for want of time, there may be time for others

    def _pieces(self) -> list[tuple[Contender, Piece]]:
        """What could be done for each arm that is not out, the best first; arms of which no more is expected are stopped.

        Most gain per second comes first, unknown costs after known ones; plan order when the race is off.
        """
        while True:
            n_stops, found = len(self.stops), list[tuple[Contender, Piece]]()
            for arm in (arm for arm in self._arms if arm.open and not arm.out):
                piece = self._rules.everything(arm) if self._off else self._rules.judge(arm)
                if isinstance(piece, Stop):
                    self._stop(arm, piece)
                elif piece is not None:
                    found.append((arm, self._in_time(piece)))
            if len(self.stops) == n_stops:  # else others may lead, and all are judged again
                break
        if not self._off:
            dear = 1 + 2 * max((piece.price or 0.0 for _, piece in found), default=0.0)
            found.sort(key=lambda pair: -pair[1].gain / (dear if pair[1].price is None else pair[1].price))
        return found

    def _in_time(self, piece: Piece) -> Piece:
        """The same on all training rows, when there would be no time for these after it."""
        arm, full = piece.fit.arm, self._purse.shortcut(piece.fit)
        if arm.grown or piece.heat or full is piece.fit:
            return piece
        n_rows = self._board.n_dev if self._off else self._rules.rows_for(full)
        return self._rules.piece(full, n_rows, piece.gain)

    def _affordable(self, arm: Contender, piece: Piece, *, stops: bool) -> Work | None:
        """``arm`` is the one that asks for the piece; for want of time it is stopped if it ``stops``, unless it waits."""
        too_late = piece.heat and self._purse.shortcut(piece.fit) is not piece.fit
        work = "no" if too_late else self._purse.afford(piece)
        if isinstance(work, Work):
            return work
        if work == "later" or self.out or not stops:
            return None
        if too_late:
            # No time to try this setting; where it is the first of the family, it goes on and the others are out.
            for one in arm.rivals if arm.first_of_family is arm else [arm]:
                if one.stop is None:
                    self._stop(one, self._rules.stop(one, "budget"))
        elif arm.grown and (arm.entrant.kind == "yardstick" or self._rules.is_best_of_kind(arm)):
            arm.silent = True  # it goes to the test rows anyway, and stands on the rows it has
        else:
            self._stop(arm, self._rules.stop(arm, "budget"))
        return None

    # -- who was stopped, who stands -------------------------------------------------------------------

    def _stop(self, arm: Contender, stop: Stop) -> None:
        self.stops.append(stop.model_copy(update={"after_step": self._n_steps}))
        self._board.stop(arm, self.stops[-1])

    @property
    def leader(self) -> str | None:
        """The arm that is ahead now; ``None`` before any has enough rows."""
        best = self._board.leader()
        return None if best is None else best.arm.entrant.arm_id

    def standings(self) -> list[Place]:
        """Every arm as it stands now, in plan order."""
        tested = {standing.arm: standing for standing in self._test.standings()} if self._test is not None else {}
        places: list[Place] = []
        for arm in self._arms:
            fit = arm.latest
            place = Place(arm.entrant.arm_id, stopped=arm.stop.reason if arm.stop is not None else None)
            if fit is not None:
                place = replace(place, n_train=fit.n_train, n_rows=fit.rows, mean=fit.mean)
            held = None if fit is None else fit.worse or tested.get(fit.name)
            if held is not None and (leader := self._board.racing[held.leader].arm) is not arm:
                against = leader.entrant.arm_id
                place = replace(place, leader=against, difference=held.difference, interval=held.interval)
            places.append(place)
        return places

    def points(self, arm_id: str) -> list[CurvePoint]:
        """What was measured of an arm at its sizes, for a forecast; sizes with too few rows are left out."""
        return self._rules.points(self._by_id[arm_id])

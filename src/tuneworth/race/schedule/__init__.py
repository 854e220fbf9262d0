"""Which arm next, on how many training and dev rows, and which no further: pure, told of all it knows.

Every arm starts on the first 32 dev rows. After that, of all that could be done, the work with the most expected gain
per expected second comes next, and what is not expected to gain what it costs is not done:

- **Gain** is how far an arm that is behind is expected to end ahead (`tuneworth.race.schedule.rules`): of the best of all, or of
  the best of its kind, because the best tuned and the best untuned arm both meet the test rows.
- **Two arms are compared on the rows that both have seen**, so the leader goes ahead and the others follow, never beyond.
- **Cost** is in seconds. What an arm must be expected to gain grows with its share of the cost of everything: a head
  that takes a second is looked at in full, a few-shot arm with long prompts only while it may well win. This saves more
  than the test does: a few hundred rows show surely only what is far behind.
- **Elimination** is by `tuneworth.stats.sequential` alone, and comes with its promise. ``little_to_gain`` has none.
- **The best of each kind is not stopped** for being behind, since it goes to the test rows anyway; it is just not
  asked more. So an arm ends either with a `Stop`, or standing.
- Arms that learn from rows go through sizes; a small size that is eliminated is out, the arm is not. Of those that
  differ in a setting only, one goes beyond n/8.
- Under a budget nothing is started that is not expected to fit (`tuneworth.race.schedule.purse`).

**Several may be out at once**: `next` may be asked again before `observe`, and what is out may come back in any order. Of one
arm at most one work is out, because its next rows, and its next size, depend on what comes of these. Leaders, the
test and all judgements use what came back only; an arm that is out is not judged, and nobody is stopped for want of time while
anything is out, because it may take less than was set aside for it.

Each decision follows from what was observed, the expected costs and the time left as told: there is no clock here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tuneworth.core.race import Stop, StopReason
from tuneworth.core.run import Interval
from tuneworth.race.schedule.board import FIRST_ROWS, Board, Contender, Entrant, Fit, Halt, Piece, Work
from tuneworth.race.schedule.purse import Costs, Purse
from tuneworth.race.schedule.rules import Rules, final_gap
from tuneworth.stats.curve import CurvePoint
from tuneworth.stats.family import MIN_PAIRS
from tuneworth.stats.sequential import Eliminator

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
        self.stops: list[Stop] = []
        self._board = Board(entrants, n_dev)
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
        self._racing = {fit.name: fit for fit in fits if fit.arm.entrant.kind != "yardstick"}
        self._test = None if self._off else Eliminator(list(self._racing), margin=margin)
        self._n_steps = self._n_looks = self._untested = 0
        self._leaders: list[tuple[Fit, int] | None] = []

    # -- what happened ---------------------------------------------------------------------------------

    def observe(self, work: Work, scores: ArrayLike) -> None:
        """Scores of the new rows of ``work``, shape ``(n,)``, NaN where a row has none.

        Raises:
            ValueError: the work is not out, there are no scores, or more than rows were asked for.
        """
        fit, values = self._fit_of(work), np.asarray(scores, dtype=np.float64)
        have = fit.rows
        if not 0 < values.size <= work.n_rows - have:
            raise ValueError(f"{work.arm_id}: {values.size} scores for {work.n_rows - have} new rows")
        self._came_back(fit)
        if have == 0:
            self._learn_costs()
        self._board.add(fit, values)
        if self._test is not None and fit.name in self._racing:
            self._test.add(fit.name, values)
            self._untested += 1
        self._purse.paid(fit, values.size)
        if fit.rows >= min(FIRST_ROWS, self._board.n_dev) and 2 * fit.scored < fit.rows:
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
        if self._by_id[arm_id].stop is None:
            self._stop(self._by_id[arm_id], Halt(reason))

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
        fit.arm.changed()

    def _learn_costs(self) -> None:
        """After a first look costs are better known, also of arms that were not looked at."""
        self._n_looks += 1
        if self._n_looks <= MANY_LOOKS or self._n_looks.bit_count() == 1:
            self._purse.forget()
            for arm in self._arms:
                arm.stale |= arm.at < 0

    def _broke(self, fit: Fit) -> None:
        fit.broken = True
        if fit is fit.arm.full and fit.arm.stop is None:
            self._stop(fit.arm, Halt("failed"))

    # -- what is next ----------------------------------------------------------------------------------

    def next(self, seconds_left: float | None) -> Work | None:
        """The next work, which is out from then on; ``None`` when there is nothing to hand out now.

        Args:
            seconds_left: time for the race, without what is kept back for later, and with that of what is out;
                ``None``: no limit.
        """
        self._purse.tell(seconds_left)
        self._eliminate(CHECK_SHARE * len(self._racing))
        if (work := self._best()) is not None:
            return work
        # Before the end all is looked at once more: an arm may have waited for one that went no further.
        self._eliminate(1)
        for arm in self._arms:
            arm.stale = True
        return self._best()

    def _eliminate(self, steps: float) -> None:
        """Test all pairs, if there were at least so many steps since the last time."""
        if self._test is None or self._untested < max(1, int(steps)):
            return
        self._untested = 0
        for gone in self._test.check():
            fit = self._racing[gone.arm]
            fit.worse, fit.arm.stale = gone, True

    def _best(self) -> Work | None:
        """The best piece that the time reaches for, handed out; arms for which it does not are stopped on the way.

        Most gain per second comes first, unknown costs after known ones; plan order when the race is off.
        """
        while True:
            self._judge_stale()
            pieces = [(arm, self._in_time(arm.piece)) for arm in self._arms if arm.piece is not None and not arm.out]
            if not self._off:
                dear = 1 + 2 * max((piece.price or 0.0 for _, piece in pieces), default=0.0)
                pieces.sort(key=lambda pair: -pair[1].gain / (dear if pair[1].price is None else pair[1].price))
            for arm, piece in pieces:
                if piece.fit.arm.out is None and (work := self._affordable(arm, piece)) is not None:
                    self._purse.hand_out(piece.fit, work)
                    return work
            if not any(arm.stale for arm in self._arms):
                return None

    def _judge_stale(self) -> None:
        """Judge again the arms about which something has changed, but for those that are out."""
        while True:
            if not self._off and (leaders := self._board.leaders()) != self._leaders:
                self._leaders, stale = leaders, list(self._arms)
            else:
                stale = [arm for arm in self._arms if arm.stale]
            if not stale:
                return
            for arm in stale:
                arm.stale = False
            for arm in stale:
                arm.piece = None
                if not arm.open or arm.out:
                    continue
                found = self._rules.everything(arm) if self._off else self._rules.judge(arm)
                if isinstance(found, Halt):
                    self._stop(arm, found)
                else:
                    arm.piece = found

    def _in_time(self, piece: Piece) -> Piece:
        """The same on all training rows, when there would be no time for these after it."""
        arm, full = piece.fit.arm, self._purse.shortcut(piece.fit)
        if arm.grown or piece.heat or full is piece.fit:
            return piece
        n_rows = self._board.n_dev if self._off else self._rules.rows_for(full)
        return self._rules.piece(full, n_rows, piece.gain)

    def _affordable(self, arm: Contender, piece: Piece) -> Work | None:
        """``arm`` is the one that asks for the piece; for want of time it is stopped, unless it waits."""
        too_late = piece.heat and self._purse.shortcut(piece.fit) is not piece.fit
        work = "no" if too_late else self._purse.afford(piece)
        if isinstance(work, Work):
            return work
        if work == "later" or self.out:
            return None
        if too_late:
            # No time to try this setting; where it is the first of the family, it goes on and the others are out.
            for one in arm.rivals if arm.first_of_family is arm else [arm]:
                if one.stop is None:
                    self._stop(one, Halt("budget"))
        elif arm.grown and (arm.entrant.kind == "yardstick" or self._rules.is_best_of_kind(arm)):
            arm.silent = True  # it goes to the test rows anyway, and stands on the rows it has
            arm.changed()
        else:
            self._stop(arm, Halt("budget"))
        return None

    # -- who was stopped, who stands -------------------------------------------------------------------

    def _stop(self, arm: Contender, halt: Halt) -> None:
        fit, against = arm.latest, halt.leader
        found: dict[str, object] = {}
        if halt.reason in ("eliminated", "no_rise") and fit is not None and (gone := fit.worse) is not None:
            found = {
                "n_rows": gone.n_rows,
                "leader": self._racing[gone.leader].arm.entrant.arm_id,
                "difference": gone.difference,
                "interval": gone.interval,
                "e_value": gone.e_value,
                "e_needed": gone.e_needed,
            }
        elif against is not None and fit is not None:
            pairs = self._board.pairs(fit, against)
            low, high = final_gap(pairs, self._board.n_dev).interval(0.95)
            found = {
                "n_rows": pairs.n,
                "leader": against.arm.entrant.arm_id,
                "difference": pairs.mean,
                "interval": Interval(low=low, high=high, level=0.95),
            }
        stop = Stop(
            arm_id=arm.entrant.arm_id,
            reason=halt.reason,
            after_step=self._n_steps,
            n_train=fit.n_train if fit is not None else None,
            expected_gain=halt.expected_gain,
            forecast_high=halt.forecast_high,
            seconds_saved=self._purse.rest(arm),
        )
        self.stops.append(stop.model_copy(update=found))
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
            fit, name = arm.latest, arm.entrant.arm_id
            stopped = arm.stop.reason if arm.stop is not None else None
            held = None if fit is None else fit.worse or tested.get(fit.name)
            if fit is None:
                places.append(Place(name, None, 0, None, stopped=stopped))
            elif held is None or (other := self._racing[held.leader].arm) is arm:
                places.append(Place(name, fit.n_train, fit.rows, fit.mean, stopped=stopped))
            else:
                against = (other.entrant.arm_id, held.difference, held.interval)
                places.append(Place(name, fit.n_train, fit.rows, fit.mean, *against, stopped))
        return places

    def points(self, arm_id: str) -> list[CurvePoint]:
        """What was measured of an arm at its sizes, for a forecast; sizes with too few rows are left out."""
        return self._rules.points(self._by_id[arm_id])

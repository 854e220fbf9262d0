"""What could be done next for an arm, what that is expected to gain, and whether it is worth its cost.

**Gain** is how far an arm that is behind is expected to end ahead of the best of all, or of its kind, because the best tuned
and the best untuned arm both meet the test rows (`tuneworth.stats.final_gap`). What must be gained grows with the share of
the cost of everything: a head that takes a second is looked at in full, a few-shot arm with long prompts only while it
may well win.

**Sizes.** A training on all rows is the dearest thing of a run. Smaller sizes are worth their cost when they may show that it
is not needed. So after each size of an arm that learns from rows:

- *jump* to all rows when the chance that the arm ends behind by more than the margin, times the cost of all rows, is less
  than the cost of the sizes up to the next decision. There is no curve before the fourth size, so until then
  that is all sizes up to it, and the chance is guessed from where the arm stands now and what doublings usually add;
- *stop* when even the upper 95 % end of the forecast is below the leader by more than the margin (``forecast``); when the
  curve does not rise and its largest size is surely worse (``no_rise``); or when what all rows are expected to be
  ahead is not worth their cost (``little_to_gain``). A small size that is eliminated is out, the arm is not;
- else the next size. An arm that costs next to nothing is taken through all its sizes on all rows.

**Heats.** Arms of a family differ in settings only. They are fitted on an eighth of the training rows and asked all dev rows,
and the one with the best mean goes on alone: one round of successive halving (Jamieson and Talwalkar 2016, AISTATS).
The first leads the way by the usual rules, but not past the heat; the others take part only while the full training of the
winner remains affordable after them. The best setting for few rows need not be the best for all.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from tuneworth.core.race import Stop, StopReason
from tuneworth.core.record import Interval
from tuneworth.race.schedule.board import FIRST_ROWS, Board, Contender, Fit, Piece
from tuneworth.stats.curve import MIN_SIZES, CannotTell, Curve, CurvePoint, fit_curve
from tuneworth.stats.family import MIN_PAIRS
from tuneworth.stats.final_gap import FinalGap, Paired, final_gap

if TYPE_CHECKING:
    from tuneworth.race.schedule.purse import Purse

RISE = 0.03
RISE_SD = 0.05
"""What a doubling of the training rows adds, as a rough guide to whether a smaller size is worth trying. The heads and the LoRA that
these were read from rose by 1 to 12 points; whether to stop is decided by a forecast of the arm's own curve."""
OF_ALL, LEAST = 1.2, 0.01
"""Margins that must be expected to be gained for the cost of measuring everything; for a part of it that part, but so many at least."""
ROWS_MOST, TRAINING_MOST = 0.12, 0.3
"""So many margins are worth any rows, or any training on all rows."""
YARDSTICK_GAIN = 1e9
LEAST_SECONDS = 2.0**-10
POINT_ROWS = 64
"""Dev rows for one point of a curve, a standard error of six points at most …"""
ASK_SHARE = 0.25
"""… and more for so many seconds of asking for a second of fitting: what a reader sees of a curve is sharper for it."""
CHEAP_SHARE = 0.05
"""An arm that costs less than this part of everything is not worth deliberating about."""
HEAT_HALVINGS, HEAT_LEAST = 3, 64
"""The heat is on n/8 of the training rows, or the smallest size above it that has so many (on a handful of rows a low rate has learned
nothing when a high one is done); on n/2 when none has."""

EVIDENCE = ("n_rows", "difference", "interval", "e_value", "e_needed")


class Rules:
    """Judges one arm at a time by what is known of all."""

    def __init__(self, board: Board, purse: Purse, *, margin: float, n_train: int, chance: float, seed: int):
        self._board, self._purse, self._margin = board, purse, margin
        self._n_train, self._chance, self._seed = n_train, chance, seed
        self._prior_gain = final_gap(Paired(), board.n_dev).gain()
        self._curves: dict[Fit, Curve | CannotTell] = {}

    def judge(self, arm: Contender) -> Piece | Stop | None:
        """The next piece, a reason to stop, or ``None``: it stands, and nothing is worth doing."""
        n_dev, yardstick = self._board.n_dev, arm.entrant.kind == "yardstick"
        if yardstick or (arm.at < 0 and len(arm.fits) == 1):  # the first rows; of a yardstick then all
            rows = self._next_rows(0) if not arm.full.rows else n_dev
            gain = YARDSTICK_GAIN if yardstick else self._prior_gain
            return self.piece(arm.full, rows, gain) if arm.full.rows < n_dev else None
        if arm.grown:
            return self._rows(arm)
        leader = self._board.leader(without=arm)
        heat = any(rival.stop is None for rival in arm.rivals) and arm.at <= _heat_of(arm).at
        return self._heat(arm, leader) if heat else self._size(arm, leader)

    def everything(self, arm: Contender) -> Piece | None:
        """The next size on all rows, for a race that is off."""
        n_dev = self._board.n_dev
        missing = (fit for fit in arm.fits if not fit.broken and fit.rows < n_dev)
        return next((self.piece(fit, n_dev, 0.0) for fit in missing), None)

    def is_best_of_kind(self, arm: Contender) -> bool:
        """Also while no arm of its kind has enough rows to say."""
        best = self._board.leader(arm.entrant.kind)
        return best is None or best.arm is arm

    def piece(self, fit: Fit, n_rows: int, gain: float, *, heat: bool = False) -> Piece:
        price = self._purse.work(fit, n_rows - fit.rows)
        steps = None if price is None else 2.0 ** round(math.log2(max(price, LEAST_SECONDS)))
        return Piece(fit, n_rows, gain, steps, heat)

    def _least_gain(self, seconds: float | None, n_rows: int, most: float) -> float:
        """The expected gain below which work is not worth its cost."""
        return self._margin * min(most, max(LEAST, OF_ALL * self._purse.share(seconds, n_rows)))

    def _next_rows(self, have: int) -> int:
        """The next prefix: ``FIRST_ROWS``, doubled until it passes ``have``, at most all."""
        rows = FIRST_ROWS
        while rows <= have:
            rows *= 2
        return min(rows, self._board.n_dev)

    def stop(self, arm: Contender, reason: StopReason, leader: Fit | None = None, **evidence: Any) -> Stop:
        """The end of an arm, with the evidence against it: that of the test, or where it stands against ``leader``."""
        fit = arm.latest
        if reason in ("eliminated", "no_rise") and fit is not None and fit.worse is not None:
            evidence |= {part: getattr(fit.worse, part) for part in EVIDENCE}
            evidence["leader"] = self._board.racing[fit.worse.leader].arm.entrant.arm_id
        elif leader is not None and fit is not None:
            pairs = self._board.pairs(fit, leader)
            low, high = final_gap(pairs, self._board.n_dev).interval(0.95)
            evidence |= {"n_rows": pairs.n, "leader": leader.arm.entrant.arm_id, "difference": pairs.mean}
            evidence["interval"] = Interval(low=low, high=high, level=0.95)
        n_train, rest = None if fit is None else fit.n_train, self._purse.rest(arm)
        return Stop(arm_id=arm.entrant.arm_id, reason=reason, n_train=n_train, seconds_saved=rest, **evidence)

    # -- an arm on all training rows: dev rows ---------------------------------------------------------

    def _rows(self, arm: Contender) -> Piece | Stop | None:
        """More rows that it and the arm to overtake have in common, if what that may gain is worth their cost."""
        board, fit, best_of_kind = self._board, arm.full, self.is_best_of_kind(arm)
        if fit.worse and not best_of_kind:
            return self.stop(arm, "eliminated")
        rest = board.n_dev - fit.rows
        price = self._purse.work(fit, rest)
        best, of_kind = board.leader(), board.leader(arm.entrant.kind)
        if best is None or best.arm is arm:
            return self._complete(fit, rest, price) if best_of_kind else None
        rival, gain = best, final_gap(board.pairs(fit, best), board.n_dev).gain()
        if not best_of_kind and of_kind is not None and of_kind is not best:
            of_its_kind = final_gap(board.pairs(fit, of_kind), board.n_dev).gain()
            rival, gain = (of_kind, of_its_kind) if of_its_kind > gain else (best, gain)
        if gain >= self._least_gain(price, rest, ROWS_MOST):
            other = rival.arm
            if fit.rows >= rival.rows and other.open:
                if not other.grown:
                    return None  # its next size comes first
                if rival is other.full and rival.rows < board.n_dev:
                    return self.piece(rival, self._next_rows(rival.rows), gain)
            return self.piece(fit, self._next_rows(fit.rows), gain) if rest > 0 else None
        if best_of_kind:
            return self._fill(arm, rival)
        return self.stop(arm, "little_to_gain", rival, expected_gain=gain) if rest > 0 else None

    def _complete(self, fit: Fit, rest: int, price: float | None) -> Piece | None:
        """The leader on all rows, if it costs no more than an average arm: a reader sees its score first."""
        n_arms = sum(arm.entrant.kind != "yardstick" for arm in self._board.arms)
        if rest <= 0 or self._purse.share(price, rest) > 1 / n_arms:
            return None
        return self.piece(fit, self._next_rows(fit.rows), LEAST * self._margin)

    def _fill(self, arm: Contender, leader: Fit) -> Piece | None:
        """A size that the arm jumped over, if it is behind after all and has too few for a forecast.

        That comes last, when all that may change the winner is done.
        """
        missing = [fit for fit in arm.fits[:-1] if not fit.rows and not fit.broken]
        if not missing or len(self.points(arm)) >= MIN_SIZES or self._now(arm, leader).below(self._margin) < 0.5:
            return None
        # An eighth of the rows if it can be had: in the middle of the curve, at little cost.
        fit = min(missing, key=lambda fit: abs(fit.at - (arm.full.at - 3)))
        return self.piece(fit, self.rows_for(fit), LEAST * self._margin)

    # -- an arm that learns from rows: sizes -----------------------------------------------------------

    def _size(self, arm: Contender, leader: Fit | None) -> Piece | Stop:
        """The next size, or all rows at once, or a reason to stop; ``leader`` is the fit of another arm to beat."""
        upcoming, full, doublings = arm.fits[arm.at + 1], arm.full, len(arm.fits) - 1 - arm.at
        now = self._now(arm, leader)
        risen = now.moved(RISE * doublings, RISE_SD * doublings)
        gain, ends_behind = risen.gain(), risen.below(-self._margin)
        if arm.at < 0:
            return self.piece(upcoming, self.rows_for(upcoming), now.gain())  # at the start all arms are the same
        if self._is_cheap(arm):
            return self.piece(upcoming, self.rows_for(upcoming), gain)
        if leader is None:
            return self.piece(full, self.rows_for(full), gain)
        if len(points := self.points(arm)) >= MIN_SIZES:
            last, high = self._answered(arm), None
            assert last is not None, "points of a curve are sizes that answered"
            curve = self._curve(last, points)
            if isinstance(curve, CannotTell):
                gain, ends_behind = now.gain(), now.below(-self._margin)
                if arm.fits[arm.at].worse:
                    return self.stop(arm, "no_rise", leader, expected_gain=gain)
            else:
                known = leader.scores[: last.rows][~np.isnan(leader.scores[: last.rows])]
                beat, error = float(known.mean()), float(known.std()) / math.sqrt(known.size)
                slack = 2 * error * math.sqrt(max(0.0, 1 - leader.rows / last.rows))  # the leader has fewer rows
                ends = curve.scores(np.array([float(self._n_train)]))[:, 0]
                gain = float(np.maximum(ends - beat + slack, 0).mean())
                ends_behind = float((ends < beat - self._margin).mean())
                high = curve.predict(self._n_train).high95
                if high < beat - self._margin - slack:
                    return self.stop(arm, "forecast", leader, expected_gain=gain, forecast_high=high)
            rows = self.rows_for(full)
            if gain < self._least_gain(self._purse.work(full, rows), rows, TRAINING_MOST):
                return self.stop(arm, "little_to_gain", leader, expected_gain=gain, forecast_high=high)
        found = upcoming if ends_behind > self._break_even(arm, len(points)) else full
        return self.piece(found, self.rows_for(found), gain)

    def _break_even(self, arm: Contender, n_points: int) -> float:
        """Cost until the next decision, as a part of that of all rows: the chance to save these that is worth trying.

        0 when all rows are next: there is nothing to jump over, and a forecast costs nothing.
        """
        full, first = arm.full, arm.at + 1
        tried = arm.fits[first : min(first + max(1, MIN_SIZES - n_points), full.at)]
        costs = [self._purse.work(fit, self.rows_for(fit)) for fit in (*tried, full)]
        known = [cost for cost in costs if cost is not None]
        if len(known) == len(costs) and known[-1] > 0:
            return sum(known[:-1]) / known[-1]
        return sum(fit.n_train or 0 for fit in tried) / self._n_train

    def rows_for(self, fit: Fit) -> int:
        """Dev rows that a fit of an arm with several sizes is asked at first."""
        n_dev, fitting = self._board.n_dev, self._purse.fitting(fit)
        rows = n_dev if self._is_cheap(fit.arm) else min(POINT_ROWS, n_dev)
        while rows < n_dev and fitting is not None:
            asking = self._purse.asking(fit, more := self._next_rows(rows))
            if asking is None or asking > ASK_SHARE * fitting:
                break
            rows = more
        return rows

    def _is_cheap(self, arm: Contender) -> bool:
        whole = self._purse.whole(arm)
        return whole is not None and whole <= CHEAP_SHARE * self._purse.total

    def points(self, arm: Contender) -> list[CurvePoint]:
        """Scores by size, of the sizes with enough rows."""
        points: list[CurvePoint] = []
        for fit in arm.fits:
            if (known := fit.known).size >= MIN_PAIRS:
                # The error of right/wrong scores follows from the number of rows.
                right_wrong = bool(np.isin(known, (0.0, 1.0)).all())
                error = None if right_wrong else float(known.std(ddof=1)) / math.sqrt(known.size)
                score = min(1.0, max(0.0, float(known.mean())))
                points.append(CurvePoint(fit.n_train or self._n_train, score, known.size, error))
        return points

    def _curve(self, last: Fit, points: list[CurvePoint]) -> Curve | CannotTell:
        """Fitted once for each size: the points of a curve do not change until the next."""
        if last not in self._curves:
            rng = np.random.default_rng([self._seed, last.arm.number, last.at])
            self._curves[last] = fit_curve(points, rng=rng, chance=self._chance)
        return self._curves[last]

    def _answered(self, arm: Contender) -> Fit | None:
        """The latest size that answered: one that broke says nothing."""
        return next((fit for fit in reversed(arm.fits[: arm.at + 1]) if fit.rows), None)

    def _now(self, arm: Contender, leader: Fit | None) -> FinalGap:
        """Where the latest size stands against the leader; the prior when nothing is known."""
        seen = self._answered(arm)
        pairs = Paired() if seen is None or leader is None else self._board.pairs(seen, leader)
        return final_gap(pairs, self._board.n_dev)

    # -- arms that differ in a setting: heats ----------------------------------------------------------

    def _heat(self, arm: Contender, leader: Fit | None) -> Piece | Stop | None:
        """Up to the end of the heat; ``None`` also while the others are awaited."""
        heat, first, n_dev = _heat_of(arm), arm.first_of_family, self._board.n_dev
        if heat.broken:
            return self.stop(arm, "failed")
        if arm is first and arm.at < heat.at:
            found = self._size(arm, leader)
            past = isinstance(found, Piece) and found.fit.at > heat.at
            return self.piece(heat, n_dev, found.gain, heat=True) if isinstance(found, Piece) and past else found
        if arm is not first and first.at > heat.at:
            return self.stop(arm, "budget")  # there was time for one training only
        if heat.rows < n_dev:
            ready = arm is first or first.fits[heat.at].rows >= n_dev
            return self.piece(heat, n_dev, self._prior_gain, heat=True) if ready else None
        runners = sorted((one for one in (arm, *arm.rivals) if one.stop is None), key=lambda one: one.number)
        if any(one.fits[heat.at].rows < n_dev for one in runners):
            return None
        best = max(runners, key=lambda one: one.fits[heat.at].mean or 0.0)  # the first of those that are level
        return None if best is arm else self.stop(arm, "setting", best.fits[heat.at])


def _heat_of(arm: Contender) -> Fit:
    """The size on which the family of ``arm`` meets."""
    smaller = arm.fits[:-1]
    enough = (fit for fit in smaller[max(0, len(smaller) - HEAT_HALVINGS) :] if (fit.n_train or 0) >= HEAT_LEAST)
    return next(enough, smaller[-1])

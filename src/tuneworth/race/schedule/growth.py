"""On how many training rows next: an arm that learns from rows starts on few of them.

A training on all rows is the dearest thing of a run. The smaller sizes are worth their cost when they may show
that it is not needed, so after each size the schedule weighs what the next one costs against what it may save:

- *jump* to all rows when the chance that the arm ends behind by more than the margin, times the cost of all rows, is less
  than the cost of the sizes up to the next decision. There is no curve before the fourth size, so until then
  that is all sizes up to it, and the chance is guessed from where the arm stands now and what doublings usually add;
- *stop* when even the upper 95 % end of the forecast is below the leader by more than the margin (``forecast``); when the
  curve does not rise and its largest size is surely worse (``no_rise``); or when what all rows are expected to be
  ahead is not worth their cost (``little_to_gain``). All three need four sizes: with fewer there is no curve;
- else the next size.

An arm that jumped and then is behind after all gets sizes that it jumped over, until a forecast can tell how many more rows
it would need. That comes last, when all that may change the winner is done.

A size is asked so many dev rows as take a quarter of the time of its fit, but no fewer than ``LEAST_ROWS``: in simulation
more cost more than they helped. An arm that costs next to nothing is taken through all its sizes on all rows.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from tuneworth.race.schedule.entrants import Fit, next_rows
from tuneworth.race.schedule.gain import Outlook, Pairs, outlook
from tuneworth.race.schedule.lanes import Halt, Piece
from tuneworth.race.schedule.price import LEAST, TRAINING, Prices, rounded
from tuneworth.race.schedule.standing import Board
from tuneworth.stats.curve import MIN_SIZES, CannotTell, Curve, CurvePoint, fit_curve
from tuneworth.stats.family import MIN_PAIRS

LEAST_ROWS = 64
"""Dev rows for one point of a curve: a standard error of six points at most."""
ASK_SHARE = 0.25
"""Seconds of asking for a second of fitting."""
CHEAP_SHARE = 0.05
"""An arm that costs less than this part of everything is not worth deliberating about."""


@dataclass
class Growth:
    """Decides about the arms with several sizes.

    Attributes:
        n_train: training rows in all, the size that ``None`` stands for.
        chance: score of guessing.
        worse: names of the fits that were eliminated.
    """

    board: Board
    prices: Prices
    n_train: int
    chance: float
    seed: int
    worse: Collection[str]
    _curves: dict[int, Curve | CannotTell] = field(default_factory=dict[int, Curve | CannotTell], init=False)

    def next(self, fits: Sequence[Fit], at: int, leader: int | None) -> Piece | Halt:
        """What to do after size number ``at`` (-1: none yet).

        Args:
            leader: the fit of another arm to beat, ``None`` when there is none.
        """
        upcoming, rest = fits[at + 1], len(fits) - 1 - at
        now = self._now(fits, at, leader)
        hope = now.gain() if at < 0 else now.risen(rest).gain()  # at the start all arms are the same
        if at < 0 or self.is_cheap(fits):
            return self._piece(fits, upcoming, hope)
        points = self.points(fits)
        if leader is None:
            return self._piece(fits, fits[-1], hope)
        if len(points) >= MIN_SIZES:
            found = self._forecast(fits, at, leader, points)
            return replace(found, leader=leader) if isinstance(found, Halt) else found
        ends_behind = now.risen(rest).below(-self.prices.margin)
        return self._grow(fits, at, ends_behind, hope)

    def fill(self, fits: Sequence[Fit], broken: Collection[int], leader: int) -> Piece | None:
        """For an arm on all rows: a size it jumped over, if it is behind and has too few for a forecast."""
        full = fits[-1]
        if len(self.points(fits)) >= MIN_SIZES or self._now(fits, full.at, leader).below(self.prices.margin) < 0.5:
            return None
        missing = [fit for fit in fits[:-1] if not self.board.rows[fit.place] and fit.at not in broken]
        if not missing:
            return None
        # An eighth of the rows if it can be had: in the middle of the curve, at little cost.
        return self._piece(fits, min(missing, key=lambda fit: abs(fit.at - (full.at - 3))), LEAST * self.prices.margin)

    def _piece(self, fits: Sequence[Fit], fit: Fit, gain: float) -> Piece:
        n_rows = self.rows_for(fits, fit)
        return Piece(fit, n_rows, gain, rounded(self.prices.work(fit, n_rows, fitted=False)))

    def rows_for(self, fits: Sequence[Fit], fit: Fit) -> int:
        """Dev rows that a fit is asked at first."""
        n_dev = self.prices.n_dev
        if self.is_cheap(fits):
            return n_dev
        rows = min(LEAST_ROWS, n_dev)
        fitting, more = self.prices.fit(fit), next_rows(rows, n_dev)
        while rows < more and fitting is not None:
            asking = self.prices.answers(fit, more)
            if asking is None or asking > ASK_SHARE * fitting:
                break
            rows, more = more, next_rows(more, n_dev)
        return rows

    def is_cheap(self, fits: Sequence[Fit]) -> bool:
        whole = self.prices.whole(fits[0].arm)
        return whole is not None and whole <= CHEAP_SHARE * self.prices.total

    def points(self, fits: Sequence[Fit]) -> list[CurvePoint]:
        """Scores by size, of the sizes with enough rows."""
        return [
            CurvePoint(
                n=fit.n_train if fit.n_train is not None else self.n_train,
                score=min(1.0, max(0.0, mean)),
                n_rows=int(self.board.scored[fit.place]),
                standard_error=self.board.standard_error(fit.place),
            )
            for fit in fits
            if self.board.scored[fit.place] >= MIN_PAIRS and (mean := self.board.mean(fit.place)) is not None
        ]

    def _now(self, fits: Sequence[Fit], at: int, leader: int | None) -> Outlook:
        """Where the latest size stands against the leader; the prior when nothing is known."""
        seen = self._seen(fits, at)
        if seen is None or leader is None:
            return outlook(Pairs(), self.prices.n_dev)
        return outlook(self.board.pairs(seen.place, leader), self.prices.n_dev)

    def _seen(self, fits: Sequence[Fit], at: int) -> Fit | None:
        """The latest size up to ``at`` that answered: one that broke says nothing."""
        answered = (fit for fit in reversed(fits[: at + 1]) if self.board.rows[fit.place])
        return next(answered, None)

    def _break_even(self, fits: Sequence[Fit], at: int) -> float:
        """Cost until the next decision, as a part of that of all rows: the chance to save these that is worth trying.

        0 when all rows are next: there is nothing to jump over, and a forecast costs nothing.
        """
        full, still = fits[-1], MIN_SIZES - len(self.points(fits))
        tried = fits[at + 1 : min(at + 1 + max(1, still), full.at)]
        costs = [self.prices.work(fit, self.rows_for(fits, fit), fitted=False) for fit in (*tried, full)]
        known = [cost for cost in costs if cost is not None]
        if len(known) == len(costs) and known[-1] > 0:
            return sum(known[:-1]) / known[-1]
        return sum(fit.n_train or 0 for fit in tried) / self.n_train

    def _forecast(self, fits: Sequence[Fit], at: int, leader: int, points: Sequence[CurvePoint]) -> Piece | Halt:
        last = self._seen(fits, at)
        assert last is not None, "points of a curve are sizes that answered"
        n_rows = int(self.board.rows[last.place])
        beat, error = self.board.on_first(leader, n_rows)
        unsure = error * math.sqrt(max(0.0, 1 - int(self.board.rows[leader]) / n_rows))
        curve = self._curve(last, points)
        if isinstance(curve, CannotTell):
            return self._without_curve(fits, at, leader)
        return self._with_curve(fits, at, curve, beat, 2 * unsure)

    def _curve(self, last: Fit, points: Sequence[CurvePoint]) -> Curve | CannotTell:
        """Fitted once for each size: the points of a curve do not change until the next."""
        if last.place not in self._curves:
            rng = np.random.default_rng([self.seed, last.arm, last.at])
            self._curves[last.place] = fit_curve(points, rng=rng, chance=self.chance)
        return self._curves[last.place]

    def _with_curve(self, fits: Sequence[Fit], at: int, curve: Curve, beat: float, slack: float) -> Piece | Halt:
        margin = self.prices.margin
        high = curve.predict(self.n_train).high95
        ends = curve.scores(np.array([float(self.n_train)]))[:, 0]
        gain = float(np.maximum(ends - beat + slack, 0).mean())
        if high < beat - margin - slack:
            return Halt("forecast", expected_gain=gain, forecast_high=high)
        if gain < self._least_gain(fits):
            return Halt("little_to_gain", expected_gain=gain, forecast_high=high)
        return self._grow(fits, at, float((ends < beat - margin).mean()), gain)

    def _without_curve(self, fits: Sequence[Fit], at: int, leader: int) -> Piece | Halt:
        now = self._now(fits, at, leader)
        if fits[at].name in self.worse:
            return Halt("no_rise", expected_gain=now.gain())
        if now.gain() < self._least_gain(fits):
            return Halt("little_to_gain", expected_gain=now.gain())
        return self._grow(fits, at, now.below(-self.prices.margin), now.gain())

    def _grow(self, fits: Sequence[Fit], at: int, ends_behind: float, gain: float) -> Piece:
        upcoming = fits[at + 1] if ends_behind > self._break_even(fits, at) else fits[-1]
        return self._piece(fits, upcoming, gain)

    def _least_gain(self, fits: Sequence[Fit]) -> float:
        full = fits[-1]
        rows = self.rows_for(fits, full)
        return self.prices.least_gain(self.prices.work(full, rows, fitted=False), rows, TRAINING)

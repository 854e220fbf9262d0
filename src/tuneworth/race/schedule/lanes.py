"""An arm's way through the race: how far it came, what could be done next, why it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tuneworth.core.race import Stop, StopReason
from tuneworth.race.schedule.entrants import Entrant, Fit


@dataclass(frozen=True, slots=True)
class Piece:
    """Possible work: a fit asked up to ``n_rows``.

    Attributes:
        gain: what it is expected to gain, see `tuneworth.race.schedule.gain`.
        price: expected seconds, rounded (see `tuneworth.race.schedule.price.rounded`); ``None``: not known.
        heat: it is to tell which setting goes on, and is not done on all training rows instead.
    """

    fit: Fit
    n_rows: int
    gain: float
    price: float | None
    heat: bool = False


@dataclass(frozen=True, slots=True)
class Halt:
    """An arm is to be stopped; ``leader`` is the fit it was held against."""

    reason: StopReason
    leader: int | None = None
    expected_gain: float | None = None
    forecast_high: float | None = None


@dataclass
class Lane:
    """State of one arm.

    Attributes:
        at: number of its latest size, -1 before the first.
        piece: what could be done for it next, also by asking its rival; ``None``: nothing is worth doing.
        silent: it stands as it is, for want of time.
        broken: numbers of sizes that failed.
        rivals: the other arms of its family, in plan order.
    """

    entrant: Entrant
    fits: Sequence[Fit]
    at: int = -1
    piece: Piece | None = None
    stop: Stop | None = None
    silent: bool = False
    broken: set[int] = field(default_factory=set[int])
    rivals: list[Lane] = field(default_factory=list["Lane"], repr=False)

    @property
    def arm(self) -> int:
        return self.fits[0].arm

    @property
    def first_of_family(self) -> Lane:
        """The first arm in plan order that was not stopped, of those that differ from it in settings only."""
        return min((one for one in (self, *self.rivals) if one.stop is None), key=lambda one: one.arm, default=self)

    @property
    def open(self) -> bool:
        return self.stop is None and not self.silent

    @property
    def fit(self) -> Fit | None:
        """The latest."""
        return self.fits[self.at] if self.at >= 0 else None

    @property
    def grown(self) -> bool:
        """It was fitted on all rows."""
        return self.at == len(self.fits) - 1

    @property
    def grows(self) -> bool:
        return len(self.fits) > 1

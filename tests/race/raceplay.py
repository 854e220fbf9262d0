"""Plays a schedule on known scores and holds it to what every schedule must keep."""

from dataclasses import dataclass, field

import numpy as np

from tuneworth.race.schedule import Entrant, Schedule, Work

FULL = 1024


@dataclass
class Known:
    """Exact costs: ``fit`` seconds per training row, ``row`` seconds per dev row; arms not named cost nothing known."""

    fit: dict[str, float] = field(default_factory=dict)
    row: dict[str, float] = field(default_factory=dict)

    def fit_seconds(self, arm_id, n_train):
        per_row = self.fit.get(arm_id, 0.0 if arm_id in self.row else None)
        return None if per_row is None else per_row * (n_train or FULL)

    def answer_seconds(self, arm_id, n_train, n_rows):
        return None if arm_id not in self.row else self.row[arm_id] * n_rows


@dataclass
class Played:
    """A race that was played.

    Attributes:
        set_aside: seconds of what was out at once, at most; ``most_out``: how many that were.
    """

    schedule: Schedule
    works: list[Work] = field(default_factory=list)
    rows: dict[tuple[str, int | None], int] = field(default_factory=dict)
    seconds: float = 0.0
    set_aside: float = 0.0
    most_out: int = 0

    def price(self, work, costs):
        """Seconds of a work that did not come back."""
        key = (work.arm_id, work.n_train)
        have = self.rows.get(key, 0)
        fitting = 0.0 if have else costs.fit_seconds(*key) or 0.0
        return min(fitting, work.seconds or fitting) + (costs.answer_seconds(*key, work.n_rows - have) or 0.0)

    @property
    def lines(self) -> list[str]:
        """One work a line: ``arm[@training rows] dev rows``."""
        return [name(work) for work in self.works]

    @property
    def stops(self) -> dict[str, str]:
        return {stop.arm_id: stop.reason for stop in self.schedule.stops}


def name(work):
    size = "" if work.n_train is None else f"@{work.n_train}"
    limit = "" if work.seconds is None else f" in {work.seconds:.0f} s"
    return f"{work.arm_id}{size} {work.n_rows}{limit}"


def play(entrants, scores, *, n_dev, costs=None, seconds=None, fails=(), workers=1, order=None, **options):
    """Race to the end.

    Args:
        scores: arm id → its scores on all dev rows, or training size → such scores.
        seconds: budget; what the works cost by ``costs`` is taken off when they come back.
        fails: works, as `name` writes them, that break.
        workers: so many works are out at once, while there are any to hand out.
        order: generator that draws which comes back next.
    """
    costs = costs or Known()
    schedule = Schedule(
        entrants,
        n_dev=n_dev,
        costs=costs,
        **({"margin": 0.02, "chance": 0.0, "n_train": FULL} | options),
    )
    played = Played(schedule)
    left = seconds
    while True:
        while len(schedule.out) < workers and (work := schedule.next(left)) is not None:
            played.works.append(work)
            assert len(played.works) <= 20 * sum(len(entrant.sizes) for entrant in entrants), "the race does not end"
            assert work.arm_id not in played.stops, f"{name(work)} after its arm was stopped"
            assert played.rows.get((work.arm_id, work.n_train), 0) < work.n_rows <= n_dev, name(work)
            assert len({out.arm_id for out in schedule.out}) == len(schedule.out), "two of one arm are out"
            assert work in schedule.out
            played.set_aside = max(played.set_aside, sum(played.price(out, costs) for out in schedule.out))
            played.most_out = max(played.most_out, len(schedule.out))
        if not schedule.out:
            break
        work = schedule.out[0 if order is None else order.integers(len(schedule.out))]
        if name(work) in fails:
            schedule.fail(work)
            continue
        key, spent = (work.arm_id, work.n_train), played.price(work, costs)
        played.seconds += spent
        left = None if left is None else left - spent
        of_arm = scores[work.arm_id]
        truth = of_arm[work.n_train] if isinstance(of_arm, dict) else of_arm
        schedule.observe(work, truth[played.rows.get(key, 0) : work.n_rows])
        played.rows[key] = work.n_rows
    assert len(played.stops) == len(schedule.stops), "an arm was stopped twice"
    assert schedule.next(left) is None
    return played


def share(part, n):
    """Right on the first ``part`` of every twenty rows, in an order that mixes them."""
    order = np.random.default_rng(7).permutation(20)
    return (order[np.arange(n) % 20] < round(20 * part)).astype(float)


def prompt(arm_id, model="m"):
    return Entrant(arm_id, "untuned", (None,), model)


def lora(arm_id="lora", sizes=(32, 64, 128, 256, 512, None), family=None):
    return Entrant(arm_id, "tuned", sizes, "m", family)


def head(arm_id="head", sizes=(32, 64, 128, 256, 512, None)):
    return Entrant(arm_id, "untuned", sizes, None)

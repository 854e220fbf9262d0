"""Made views of a race, as a run would show them."""

from __future__ import annotations

from tuneworth.core.record import Interval
from tuneworth.core.text import Text
from tuneworth.race.watch import Lane, LaneState, RaceView

SURELY = Text(en="surely worse by more than the margin", zh="可以确定差距超过界限")


def lane(arm_id: str, state: LaneState = "waiting", difference: float | None = None, **more) -> Lane:
    """A lane; one with a difference has an interval of 7 points to either side."""
    if difference is not None:
        more["interval"] = Interval(low=difference - 0.07, high=difference + 0.07)
    title = more.pop("title", Text(en=f"arm {arm_id}", zh=f"方案 {arm_id}"))
    return Lane(arm_id=arm_id, title=title, state=state, difference=difference, **more)


def view(*lanes: Lane, leader: str | None = None, **more) -> RaceView:
    """A race of 300 dev rows, 100 s after its start."""
    return RaceView(lanes=lanes, leader=leader, n_dev=300, **{"spent_seconds": 100.0, **more})


def many(n_out: int, n_waiting: int, n_racing: int) -> RaceView:
    """A leader, one arm that runs, and so many others, in mixed order."""
    lanes = [lane("leader", "done", n_rows=300, score=0.9), lane("runner", "running", n_rows=32, score=0.5)]
    lanes += [lane(f"out{i}", "stopped", -0.3, n_rows=64, score=0.5, why=SURELY) for i in range(n_out)]
    lanes += [lane(f"next{i}") for i in range(n_waiting)]
    lanes += [lane(f"in{i}", "racing", -0.1, n_rows=64, score=0.7) for i in range(n_racing)]
    return view(*sorted(lanes, key=lambda one: one.arm_id[::-1]), leader="leader", seconds_left=500.0)

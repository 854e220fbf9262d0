"""What it takes each arm to know of new documents: the price of an update (seed rows C6 and X5).

- An arm that looks things up knows them once they are indexed, also when it was trained to read: what it learned is how
  to read, and that stays. Its seconds are those of adding the new passages to the index, of the task's usual size.
- An arm that answers by heart and learns from all its rows has to be fitted again, on all of them. NOT included: the
  rows about the new documents, which somebody must write first; and that the new knowledge is learned is not certain.
  What that takes is not known of an arm whose fit was on some of the rows only, or was cut short by the time.
- Nothing helps an arm that answers by heart and learns from no rows, or from a handful: a few examples show what an
  answer looks like, they do not hold the documents.
"""

from __future__ import annotations

from tuneworth.core.knowledge import Absorbs, UpdateCost
from tuneworth.core.registry import load_plugin, plugin_modules
from tuneworth.core.run import ArmResult
from tuneworth.costs.model import machine_usd
from tuneworth.findings.documents.seen import Seen
from tuneworth.race.arms import GROUP

DAYS_PER_YEAR = 365.25


def updates(seen: Seen) -> list[UpdateCost]:
    """For every measured arm but the yardsticks, which nobody keeps up to date."""
    return [_update(seen, arm) for arm in seen.measured() if not arm.yardstick]


def _update(seen: Seen, arm: ArmResult) -> UpdateCost:
    absorbs = how_absorbed(arm)
    seconds = {"index": seen.index.update_seconds, "retrain": _refitting(seen, arm), "nothing": None}[absorbs]
    every, documents = seen.knowledge_every_days, seen.task.documents
    paid_elsewhere = absorbs == "index" and documents is not None and documents.encoder_elsewhere
    return UpdateCost(
        arm_id=arm.arm_id,
        absorbs=absorbs,
        seconds=seconds,
        usd=None if paid_elsewhere else machine_usd(seconds, seen.machine_usd_per_hour),
        runs_per_year=DAYS_PER_YEAR / every if every is not None and absorbs != "nothing" else None,
    )


def _refitting(seen: Seen, arm: ArmResult) -> float | None:
    """Seconds of a fit on all rows, as the arm's own was one."""
    in_part = arm.n_train is not None and arm.n_train < len(seen.split.train)
    cut = arm.fit_details.get("stopped") == "time"
    return None if in_part or cut else arm.cost.fit_seconds or None


def how_absorbed(arm: ArmResult) -> Absorbs:
    """What ``arm`` must do to know of new documents."""
    if arm.reads_documents:
        return "index"
    return "retrain" if arm.tuned or _grows(arm.strategy) else "nothing"


def _grows(strategy: str) -> bool:
    """Whether the strategy learns from all rows it is given. One that is no longer installed is taken not to."""
    return strategy in plugin_modules(GROUP) and load_plugin(GROUP, strategy).grows

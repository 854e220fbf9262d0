"""How the finalists do on the newest test rows, beside the others: what comes next is more like these.

A split by chance mixes all times, so its scores say nothing of a change. This costs no further answer: the test rows that are
there are read by their dates.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from tuneworth.core.outcome import Outcome
from tuneworth.core.record import Interval
from tuneworth.core.run import NewestScore
from tuneworth.core.task import Example
from tuneworth.metrics import Metric
from tuneworth.race.results import scores

NEWEST_SHARE, LEAST_ROWS = 0.1, 20
_DATED_SHARE = 0.9


def newest_scores(
    rows: Sequence[Example], outcomes: Mapping[str, Mapping[str, Outcome]], metric: Metric, seed: int
) -> list[NewestScore]:
    """Each finalist's score on the newest tenth of the test rows, at least ``LEAST_ROWS``, and on the others.

    Empty where rows have no dates, or so few or so alike ones that no third of them is the newest.

    Args:
        outcomes: arm id → row id → outcome on test rows; all arms met the same rows.
    """
    met = {row_id for by_row in outcomes.values() for row_id in by_row}
    dates = {row.id: row.changed for row in rows if row.changed is not None and row.id in met}
    if not dates or len(dates) < _DATED_SHARE * len(met):
        return []
    since = sorted(dates.values())[-min(len(dates), max(LEAST_ROWS, math.ceil(NEWEST_SHARE * len(dates))))]
    newest = {row_id for row_id, day in dates.items() if day >= since}
    if 3 * len(newest) > len(dates):
        return []
    by_id, found = {row.id: row for row in rows if row.id in dates}, list[NewestScore]()
    for arm_id, by_row in outcomes.items():
        here = [outcome for row_id, outcome in by_row.items() if row_id in dates]
        sides = [[one for one in here if (one.row_id in newest) == new] for new in (True, False)]
        new, old = (scores(side, by_id, [metric], seed).get(metric.id) for side in sides)
        if new is not None and old is not None:
            interval = difference_interval(new.value, new.interval, old.value, old.interval)
            found.append(NewestScore(arm_id=arm_id, since=since, newest=new, older=old, difference=interval))
    return found


def difference_interval(a: float, around_a: Interval, b: float, around_b: Interval) -> Interval:
    """Interval of a − b, of two independent estimates with their own intervals.

    Source: Newcombe (1998), Statist Med 17:873, method 10; for any two intervals Zou and Donner (2008), Statist Med 27:1693.
    """
    low = math.hypot(a - around_a.low, around_b.high - b)
    high = math.hypot(around_a.high - a, b - around_b.low)
    return Interval(low=a - b - low, high=a - b + high, level=around_a.level)

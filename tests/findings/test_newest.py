from datetime import date, timedelta

import numpy as np
import pytest

from tuneworth.core.outcome import Outcome
from tuneworth.core.record import Interval
from tuneworth.core.registry import load_plugin
from tuneworth.core.task import Example, Message, Query
from tuneworth.findings.newest import difference_interval, newest_scores
from tuneworth.stats.intervals import wilson

ACCURACY = load_plugin("tuneworth.metrics", "accuracy")
DAY = date(2026, 1, 1)


def rows(n, days=lambda at: at):
    made = []
    for at in range(n):
        day = days(at)
        when = None if day is None else DAY + timedelta(days=day)
        made.append(Example(Query(f"r{at}", (Message("user", f"text {at}"),)), "a", changed=when))
    return made


def outcomes(given, right):
    return {
        row.id: Outcome(
            arm_id="arm",
            row_id=row.id,
            stage="test",
            status="scored",
            answer="a" if right(at) else "b",
            scores={"accuracy": float(right(at))},
        )
        for at, row in enumerate(given)
    }


def test_the_newest_tenth_stands_beside_the_others():
    given = rows(300)
    found = newest_scores(
        given, {"old": outcomes(given, lambda at: at < 270), "even": outcomes(given, lambda at: at % 2)}, ACCURACY, 0
    )
    stale, even = found
    assert (stale.since, stale.newest.n_rows, stale.older.n_rows) == (DAY + timedelta(days=270), 30, 270)
    assert (stale.newest.value, stale.older.value) == (0, 1)
    assert stale.difference.high < -0.8
    assert even.difference.low < 0 < even.difference.high


@pytest.mark.parametrize(
    "given",
    [
        rows(300, lambda at: None),
        rows(300, lambda at: at if at % 2 else None),
        rows(300, lambda at: 0 if at < 150 else 1),
        rows(50),
    ],
    ids=["no dates", "half without", "two days", "few rows"],
)
def test_nothing_is_told_without_a_newest_part(given):
    assert newest_scores(given, {"arm": outcomes(given, lambda at: True)}, ACCURACY, 0) == []


def test_only_rows_that_were_met_count():
    given = rows(300)
    met = {row_id: outcome for row_id, outcome in outcomes(given, lambda at: True).items() if int(row_id[1:]) < 200}
    (found,) = newest_scores(given, {"arm": met}, ACCURACY, 0)
    assert (found.newest.n_rows, found.older.n_rows) == (20, 180)


def test_the_interval_of_a_difference_covers_what_it_promises():
    rng, covered, n = np.random.default_rng(3), 0, 1_000
    for _ in range(n):
        a, b = rng.binomial(30, 0.7), rng.binomial(270, 0.85)
        found = difference_interval(a / 30, wilson(a, 30), b / 270, wilson(b, 270))
        covered += found.low <= -0.15 <= found.high
    assert 0.93 <= covered / n <= 0.975
    alone = difference_interval(0.5, Interval(low=0.4, high=0.6), 0.5, Interval(low=0.5, high=0.5))
    assert (alone.low, alone.high) == pytest.approx((-0.1, 0.1))

"""A verdict is settled only when no arm that may be ahead went untested; what the time cost is said."""

from __future__ import annotations

import pytest
from decide_builders import METRIC, arm, compared, duel, score, task

from tuneworth.core.race import Race, Untested
from tuneworth.core.record import Interval
from tuneworth.decide.decision import decide


def decided(duelled, *, untested=(), n_test=300, more=()):
    arms, rows = duelled
    race = Race(margin=0.02, n_dev=100, n_train=800, n_test=n_test, n_tested=len(next(iter(rows.values()))))
    race = race.model_copy(update={"untested": list(untested)})
    return decide(task(), [*arms, *more], compared(rows), primary_metric=METRIC, n_train=800, race=race)


def missed(low, high):
    middle = (low + high) / 2
    return Untested(
        arm_id="head", tested="fewshot", n_rows=32, difference=middle, interval=Interval(low=low, high=high)
    )


HEAD = arm("head", dev={METRIC: score(20, 32)})


@pytest.mark.parametrize(
    ("untested", "verdict", "code"),
    [
        ((), "fine_tune", "verdict.gain"),
        ((missed(-0.05, 0.08),), "fine_tune", "verdict.gain"),
        ((missed(0.02, 0.4),), "cant_tell", "budget.rival_untested"),
    ],
    ids=["nobody was missed", "who was missed is ahead by less than the gain", "or by as much"],
)
def test_a_gain_is_settled_unless_an_untested_arm_may_be_ahead_by_as_much(untested, verdict, code):
    found = decided(duel(60, 5, 200, 35), untested=untested, more=[HEAD])
    assert (found.verdict, found.codes[0]) == (verdict, code)
    if code != "verdict.gain":
        assert "HEAD" in found.headline.en
        assert "--budget" in found.headline.en
        assert "on the 32 dev rows that both saw" in found.headline.en


def test_an_arm_that_was_ahead_without_tuning_is_no_reason_to_tune():
    assert decided(duel(0, 30, 200, 70), untested=[missed(0.02, 0.4)], more=[HEAD]).verdict == "dont_fine_tune"


def test_fewer_test_rows_are_said_with_what_they_cost_and_asked_before_new_ones_are_labelled():
    found = decided(duel(30, 20, 40, 10), n_test=600)
    assert found.verdict == "cant_tell"
    assert "The time did not reach for 500 of the test rows" in found.headline.en
    [said] = [reason for reason, code in zip(found.reasons, found.codes[1:]) if code == "budget.fewer_test_rows"]
    assert "100 of the 600 test rows" in said.en
    whole = decided(duel(30, 20, 40, 10), n_test=100)
    assert "budget.fewer_test_rows" not in whole.codes
    assert "Label about" in whole.headline.en


@pytest.mark.parametrize(("right", "named"), [(70, True), (10, False)])
def test_a_yardstick_as_good_as_the_best_untuned_arm_is_named(right, named):
    nearest = arm("majority", dev={METRIC: score(right, 100)})
    found = decided(duel(60, 5, 45, 190), more=[nearest])
    assert found.verdict == "fine_tune"
    assert ("budget.yardstick_near.both" in found.codes) == named

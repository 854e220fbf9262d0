"""What holds for every race, whatever the arms score and cost."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from raceplay import FULL, Known, play

from tuneworth.race.schedule import Entrant, Schedule

SIZES = st.sampled_from([(None,), (256, None), (128, 256, 512, None), (32, 64, 128, 256, 512, None)])


@st.composite
def races(draw):
    """Entrants, their scores and costs, and the number of dev rows."""
    n_dev = draw(st.sampled_from([5, 32, 33, 100, 300]))
    kinds = draw(st.lists(st.sampled_from(["untuned", "untuned", "tuned", "yardstick"]), min_size=1, max_size=6))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    entrants, scores, costs = [], {}, Known()
    families = {family: draw(SIZES) for family in ("f", "g")}
    for number, kind in enumerate(kinds):
        family = draw(st.sampled_from([None, *families])) if kind == "tuned" else None
        sizes = families[family] if family else draw(SIZES) if kind == "tuned" else (None,)
        arm_id = f"{kind}{number}"
        entrants.append(Entrant(arm_id, kind, sizes, draw(st.sampled_from([None, "m", "n"])), family))
        scores[arm_id] = {size: made_scores(draw, rng, n_dev) for size in sizes}
        if draw(st.booleans()):
            costs.row[arm_id] = draw(st.sampled_from([0.001, 0.1, 1.0]))
            costs.fit[arm_id] = draw(st.sampled_from([0.0, 0.1, 1.0]))
    return entrants, scores, costs, n_dev


def made_scores(draw, rng, n_dev):
    mean = draw(st.sampled_from([0.0, 0.3, 0.6, 0.65, 1.0]))
    found = (rng.random(n_dev) < mean).astype(float)
    if draw(st.booleans()):
        found = (found + rng.random(n_dev)) / 2
    found[rng.random(n_dev) < draw(st.sampled_from([0.0, 0.0, 0.2, 0.9]))] = np.nan
    return found


class TestEveryRace:
    @settings(max_examples=60, deadline=None)
    @given(races())
    def test_it_ends_with_every_arm_stopped_or_standing(self, race):
        entrants, scores, costs, n_dev = race
        played = play(entrants, scores, n_dev=n_dev, costs=costs)
        looked_at = {arm for arm, _ in played.rows}
        for entrant in entrants:
            assert entrant.arm_id in looked_at, "without a budget every arm is looked at"
            if entrant.arm_id not in played.stops and entrant.kind != "yardstick":
                assert (entrant.arm_id, None) in played.rows, "one that stands was fitted on all rows"
            if entrant.kind == "yardstick" and entrant.arm_id not in played.stops:
                assert played.rows[entrant.arm_id, None] == n_dev

    @settings(max_examples=40, deadline=None)
    @given(races(), st.sampled_from([0.0, 3.0, 60.0, 400.0]))
    def test_the_budget_is_kept_when_costs_are_known(self, race, seconds):
        entrants, scores, costs, n_dev = race
        for entrant in entrants:
            costs.row.setdefault(entrant.arm_id, 0.1)
            costs.fit.setdefault(entrant.arm_id, 0.0)
        played = play(entrants, scores, n_dev=n_dev, costs=costs, seconds=seconds)
        assert played.seconds <= seconds + exempt(entrants, costs, n_dev) + 1e-6

    @settings(max_examples=20, deadline=None)
    @given(races())
    def test_the_same_observations_give_the_same_race(self, race):
        entrants, scores, costs, n_dev = race
        first, second = (play(entrants, scores, n_dev=n_dev, costs=costs) for _ in range(2))
        assert first.works == second.works
        assert first.schedule.stops == second.schedule.stops

    @settings(max_examples=20, deadline=None)
    @given(races())
    def test_exhaustive_measures_everything_in_plan_order(self, race):
        entrants, scores, costs, n_dev = race
        played = play(entrants, scores, n_dev=n_dev, costs=costs, exhaustive=True)
        assert set(played.stops.values()) <= {"failed"}
        order = [entrant.arm_id for entrant in entrants]
        assert [work.arm_id for work in played.works] == sorted((w.arm_id for w in played.works), key=order.index)
        for entrant in entrants:
            sizes = [size for arm, size in played.rows if arm == entrant.arm_id]
            assert sizes == list(entrant.sizes)
            assert all(played.rows[entrant.arm_id, size] == n_dev for size in sizes)


def exempt(entrants, costs, n_dev):
    """Seconds that are spent whatever is left: yardsticks, and the first rows of the first untuned arm of a model."""
    seconds = sum(
        costs.fit[arm.arm_id] * FULL + costs.row[arm.arm_id] * n_dev for arm in entrants if arm.kind == "yardstick"
    )
    for model in {arm.model for arm in entrants}:
        first = next((arm for arm in entrants if arm.kind == "untuned" and arm.model == model), None)
        if first is not None:
            rows = n_dev if n_dev < 20 else min(32, n_dev)
            seconds += costs.fit[first.arm_id] * FULL + costs.row[first.arm_id] * rows
    return seconds


class TestWhatCannotBe:
    @pytest.mark.parametrize(
        ("entrants", "message"),
        [
            ([Entrant("a", "untuned", (None,), None)] * 2, "named twice"),
            ([Entrant("a", "tuned", (64, 32, None), None)], r"a: sizes are \(64, 32, None\), must ascend"),
            ([Entrant("a", "tuned", (32, 64), None)], "end with None"),
            ([Entrant("a", "tuned", (), None)], "end with None"),
        ],
    )
    def test_a_race_that_is_not_one(self, entrants, message):
        with pytest.raises(ValueError, match=message):
            Schedule(entrants, n_dev=100, margin=0.02, chance=0.0, costs=Known())

    def test_no_dev_rows(self):
        with pytest.raises(ValueError, match="n_dev is 0, must be at least 1"):
            Schedule([], n_dev=0, margin=0.02, chance=0.0, costs=Known())

    @pytest.mark.parametrize("n", [0, 33])
    def test_scores_for_other_rows_than_asked(self, n):
        schedule = Schedule([Entrant("a", "untuned", (None,), None)], n_dev=100, margin=0.02, chance=0.0, costs=Known())
        work = schedule.next(None)
        assert work is not None
        with pytest.raises(ValueError, match=f"a: {n} scores for 32 new rows"):
            schedule.observe(work, np.ones(n))

    def test_no_arms(self):
        assert Schedule([], n_dev=100, margin=0.02, chance=0.0, costs=Known()).next(None) is None

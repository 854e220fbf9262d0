"""The schedule under a time budget: what it leaves out, in what order, and what it never leaves out."""

import pytest
from raceplay import Known, lora, play, prompt, share

from tuneworth.race.schedule import Entrant

N = 300
COSTS = Known(row={"prompt": 0.1, "shots": 0.8, "lora": 0.1, "other": 0.1}, fit={"lora": 0.4, "other": 0.4})
SIZES = (32, 64, 128, 256, 512, None)


def scores(**curves):
    rising = {size: share(mean, N) for size, mean in zip(SIZES, (0.2, 0.35, 0.45, 0.55, 0.6, 0.65))}
    return {"prompt": share(0.2, N), "shots": share(0.6, N), "lora": rising, "other": rising, **curves}


def played(seconds, arms=None, costs=COSTS, **options):
    return play(
        arms or [prompt("prompt"), prompt("shots"), lora()], scores(), n_dev=N, costs=costs, seconds=seconds, **options
    )


class TestTraining:
    def test_smaller_sizes_only_while_all_rows_are_affordable_after_them(self):
        """All 1,024 rows take 410 s and 30 s of asking; 600 s reach for three small sizes besides."""
        lines = played(600).lines
        trained = [line for line in lines if line.startswith("lora")]
        assert len(trained) > 1
        assert trained[-1].startswith("lora 300 in ")
        assert int(trained[-1].split()[3]) >= 410, "not cut short"

    @pytest.mark.parametrize(("seconds", "least"), [(400, 300), (200, 100), (100, 40)])
    def test_what_does_not_reach_for_all_rows_is_one_training_that_is_cut(self, seconds, least):
        race = played(seconds)
        [trained] = [work for work in race.works if work.arm_id == "lora"]
        assert trained.n_train is None
        assert trained.seconds is not None
        assert least <= trained.seconds <= seconds
        assert race.seconds <= seconds + 1e-6

    def test_less_than_half_a_minute_is_not_worth_starting(self):
        race = played(32)
        assert race.stops["lora"] == "budget"
        assert not any(work.arm_id == "lora" for work in race.works)

    def test_two_trainings_share_what_is_left(self):
        race = played(400, [prompt("prompt"), lora(), lora("other")])
        limits = [work.seconds for work in race.works if work.seconds is not None]
        assert len(limits) == 2
        assert limits[0] == pytest.approx(limits[1], rel=0.25)

    def test_a_training_is_always_told_its_limit(self):
        """Expected costs may be wrong; the limit is not."""
        race = played(5_000)
        [full] = [work for work in race.works if work.arm_id == "lora" and work.n_train is None]
        assert full.seconds is not None

    def test_a_smaller_size_may_take_what_all_rows_leave(self):
        """Should it be dearer than expected: all 1,024 rows take 440 s with asking, of 2,000."""
        race = played(2_000)
        small = [work for work in race.works if work.n_train is not None]
        assert len(small) > 1
        for work in small:
            assert work.seconds is not None
            assert 0.4 * work.n_train <= work.seconds <= 2_000 - 440

    def test_a_training_of_unknown_cost_gets_what_is_left(self):
        race = played(200, costs=Known(row={"prompt": 0.1, "shots": 0.1, "lora": 0.1}, fit={}))
        assert all(work.seconds is None or work.seconds <= 200 for work in race.works)


class TestUntuned:
    def test_the_first_of_a_model_is_looked_at_whatever_is_left(self):
        race = played(0)
        assert race.lines == ["prompt 32"]
        assert race.stops == {"shots": "budget", "lora": "budget"}

    def test_they_leave_the_time_for_a_training_that_waits(self):
        """Ten few-shot arms of 26 s a look would take 260 s of 300."""
        shots = [f"shots{at}" for at in range(10)]
        costs = Known(row=dict.fromkeys(shots, 0.8) | {"lora": 0.1}, fit={"lora": 1.0})
        arms = [*(prompt(arm) for arm in shots), lora()]
        race = play(arms, dict.fromkeys(shots, share(0.5, N)) | scores(), n_dev=N, costs=costs, seconds=300)
        before = [work.arm_id for work in race.works].index("lora")
        assert sum(work.arm_id != "lora" for work in race.works[:before]) * 25.6 <= 0.4 * 300
        [trained] = [work for work in race.works if work.arm_id == "lora"]
        assert trained.seconds is not None
        assert trained.seconds >= 0.5 * 300

    def test_they_may_take_what_the_training_leaves(self):
        shots = [f"shots{at}" for at in range(10)]
        costs = Known(row=dict.fromkeys(shots, 0.8) | {"lora": 0.1}, fit={"lora": 0.05})
        arms = [*(prompt(arm) for arm in shots), lora()]
        race = play(arms, dict.fromkeys(shots, share(0.5, N)) | scores(), n_dev=N, costs=costs, seconds=450)
        assert {arm for arm, _ in race.rows} == {*shots, "lora"}
        assert race.seconds <= 450 + 1e-6

    def test_the_best_of_its_kind_stands_on_the_rows_it_has(self):
        race = played(460)
        assert "shots" not in race.stops
        assert 0 < race.rows["shots", None] < N


class TestYardsticks:
    ORACLE = Entrant("oracle", "yardstick", (None,), "m")

    @pytest.mark.parametrize(("row", "n_rows"), [(0.1, N), (2.0, 32)])
    def test_one_that_asks_a_model_answers_its_first_rows_and_more_only_if_that_is_cheap(self, row, n_rows):
        race = play(
            [self.ORACLE, prompt("prompt")],
            {"oracle": share(0.9, N), "prompt": share(0.2, N)},
            n_dev=N,
            costs=Known(row={"oracle": row, "prompt": 0.1}),
            seconds=600,
        )
        assert race.rows["oracle", None] == n_rows
        assert "oracle" not in race.stops
        assert race.rows["prompt", None] == N

    def test_one_without_a_model_has_no_limit(self):
        nearest = Entrant("nearest", "yardstick", (None,), None)
        race = play([nearest], {"nearest": share(0.9, N)}, n_dev=N, costs=Known(row={"nearest": 1.0}), seconds=60)
        assert race.rows["nearest", None] == N


def test_exhaustive_under_a_budget_stops_what_does_not_fit():
    race = played(460, exhaustive=True)
    assert race.lines == ["prompt 300", "lora 32 in 427 s"]
    assert race.seconds <= 460 + 1e-6
    assert race.stops == {"shots": "budget"}

"""Tables of expected schedules: what was observed, and what is done next."""

import numpy as np
import pytest
from raceplay import Known, head, lora, name, play, prompt, share

from tuneworth.race.schedule import Entrant, Schedule, Work

N = 300
SIZES = (32, 64, 128, 256, 512, None)
SECONDS = Known(row={"prompt": 0.1, "shots": 0.8, "lora": 0.1}, fit={"lora": 0.4})
"""A training on all 1,024 rows takes 410 s, few-shot on all dev rows 240 s, the bare prompt 30 s."""


def curve(*means):
    return {size: share(mean, N) for size, mean in zip(SIZES, means)}


def shifted(part, n, by):
    """As `share`, but right on other rows."""
    return np.roll(share(part, n), by)


class TestDevRows:
    def test_a_clear_winner_goes_on_alone(self):
        scores = {"a": share(0.9, N), "b": share(0.5, N), "c": share(0.2, N)}
        played = play([prompt("a"), prompt("b"), prompt("c")], scores, n_dev=N)
        assert played.lines == ["a 32", "b 32", "c 32", "a 64", "a 128", "a 256", "a 300"]
        assert set(played.stops) == {"b", "c"}
        assert played.schedule.leader == "a"

    def test_close_arms_follow_the_leader_row_by_row(self):
        scores = {"a": share(0.7, N), "b": shifted(0.7, N, 3), "c": share(0.1, N)}
        played = play([prompt("a"), prompt("b"), prompt("c")], scores, n_dev=N)
        assert played.lines[:3] == ["a 32", "b 32", "c 32"]
        assert {"a 64", "b 64"} <= set(played.lines)
        assert "c 64" not in played.lines
        for first, then in zip(played.lines[3:], played.lines[4:]):
            assert first != then

    def test_prefixes_double_until_all_rows(self):
        scores = {arm: share(0.5, 200) for arm in "ab"}
        scores["b"] = shifted(0.5, 200, 1)
        played = play([prompt("a"), prompt("b")], scores, n_dev=200)
        rows = [work.n_rows for work in played.works if work.arm_id == "b"]
        assert set(rows) <= {32, 64, 128, 200}

    def test_fewer_rows_than_the_first_look(self):
        played = play([prompt("a")], {"a": share(0.5, 25)}, n_dev=25)
        assert played.lines == ["a 25"]

    def test_yardsticks_get_all_rows_first_and_race_nobody(self):
        scores = {"prompt": share(0.2, N), "nearest": share(1.0, N)}
        played = play([prompt("prompt"), Entrant("nearest", "yardstick", (None,), None)], scores, n_dev=N)
        assert played.lines[:2] == ["nearest 32", "nearest 300"]
        assert played.stops == {}
        assert played.schedule.leader == "prompt"


class TestPrice:
    def test_cheap_before_dear_and_unknown_last(self):
        costs = Known(row={"dear": 1.0, "cheap": 0.01})
        scores = dict.fromkeys(("dear", "unknown", "cheap"), share(0.5, N))
        played = play([prompt("dear"), prompt("unknown"), prompt("cheap")], scores, n_dev=N, costs=costs)
        firsts = list(dict.fromkeys(work.arm_id for work in played.works))
        assert firsts == ["cheap", "dear", "unknown"]

    def test_costs_that_are_nearly_the_same_keep_the_plan_order(self):
        costs = Known(row={"a": 0.104, "b": 0.1})
        scores = {"a": share(0.5, N), "b": share(0.9, N)}
        played = play([prompt("a"), prompt("b")], scores, n_dev=N, costs=costs)
        assert played.lines[:2] == ["a 32", "b 32"]

    def test_a_dear_arm_must_be_expected_to_gain_more(self):
        """The same scores: at a hundredth of the price the arm is looked at again."""
        scores = {"a": share(0.75, N), "b": shifted(0.6, N, 3), "c": share(0.1, N)}
        arms = [prompt("a"), prompt("b"), prompt("c")]
        cheap, dear = (play(arms, scores, n_dev=N, costs=Known(row={"a": 1.0, "b": b, "c": 1.0})) for b in (0.01, 10.0))
        assert cheap.rows["b", None] > dear.rows["b", None] == 32
        assert dear.stops["b"] == "little_to_gain"


class TestGrowing:
    @pytest.mark.parametrize(
        ("title", "untuned", "means", "expected", "reason"),
        [
            (
                "ahead on few rows: jumps to all",
                (0.2, 0.3),
                (0.6, 0.6, 0.7, 0.75, 0.8, 0.8),
                ["prompt 32", "lora@32 64", "shots 32", "lora 300"],
                None,
            ),
            (
                "hopeless: a curve of four sizes, then no more",
                (0.2, 0.9),
                (0.0, 0.05, 0.1, 0.1, 0.15, 0.15),
                ["lora@32 64", "lora@64 64", "lora@128 128", "lora@256 256"],
                "forecast",
            ),
            (
                "falls with more rows, and is surely worse",
                (0.2, 0.9),
                (0.5, 0.4, 0.3, 0.2, 0.1, 0.1),
                ["lora@32 64", "lora@64 64", "lora@128 128", "lora@256 256"],
                "no_rise",
            ),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_sizes(self, title, untuned, means, expected, reason):
        scores = {"prompt": share(untuned[0], N), "shots": share(untuned[1], N), "lora": curve(*means)}
        played = play([prompt("prompt"), prompt("shots"), lora()], scores, n_dev=N, costs=SECONDS)
        done = played.lines if reason is None else [line for line in played.lines if line.startswith("lora")]
        assert done == expected, title
        assert played.stops.get("lora") == reason

    def test_it_catches_up_and_is_trained_on_all_rows(self):
        scores = {"prompt": share(0.2, N), "shots": share(0.6, N), "lora": curve(0.2, 0.35, 0.45, 0.55, 0.6, 0.65)}
        played = play([prompt("prompt"), prompt("shots"), lora()], scores, n_dev=N, costs=SECONDS)
        assert "lora 300" in played.lines
        assert "lora" not in played.stops

    def test_a_head_that_costs_next_to_nothing_takes_all_sizes(self):
        costs = Known(row={"prompt": 0.5, "head": 0.001}, fit={"head": 0.001})
        scores = {"prompt": share(0.2, N), "head": curve(0.3, 0.4, 0.5, 0.6, 0.6, 0.65)}
        played = play([prompt("prompt"), head()], scores, n_dev=N, costs=costs)
        sizes = [f"head@{size} 300" for size in SIZES[:-1]]
        assert [line for line in played.lines if line.startswith("head")] == [*sizes, "head 300"]

    def test_one_that_jumped_and_fell_behind_gets_sizes_for_a_forecast_last(self):
        scores = {"prompt": share(0.5, N), "shots": share(0.1, N), "lora": curve(0.45, 0.3, 0.3, 0.3, 0.3, 0.3)}
        played = play([prompt("prompt"), prompt("shots"), lora()], scores, n_dev=N, costs=SECONDS)
        done = [line for line in played.lines if line.startswith("lora")]
        assert done[:2] == ["lora@32 64", "lora 300"]
        assert [line.split()[0] for line in done[2:]] == ["lora@128", "lora@64"]
        assert len(played.schedule.points("lora")) == 4

    def test_a_smaller_size_that_breaks_is_passed_over(self):
        scores = {"prompt": share(0.4, N), "lora": curve(0.5, 0.5, 0.6, 0.7, 0.8, 0.9)}
        played = play([prompt("prompt"), lora()], scores, n_dev=N, costs=SECONDS, fails=["lora@32 64"])
        assert "lora 300" in played.lines
        assert played.stops == {}

    def test_the_last_size_before_all_rows_may_break_too(self):
        scores = {"prompt": share(0.65, N), "lora": curve(0.2, 0.35, 0.45, 0.5, 0.55, 0.6)}
        played = play([prompt("prompt"), lora()], scores, n_dev=N, costs=SECONDS, fails=["lora@512 300"])
        lines = [line for line in played.lines if line.startswith("lora")]
        assert lines[-2:] == ["lora@512 300", "lora 300"], "tried, and passed over"

    def test_points_are_what_was_measured(self):
        scores = {"prompt": share(0.2, N), "lora": curve(0.6, 0.6, 0.7, 0.75, 0.8, 0.9)}
        played = play([prompt("prompt"), lora()], scores, n_dev=N, costs=SECONDS)
        points = played.schedule.points("lora")
        assert [(point.n, point.n_rows, point.score) for point in points] == [
            (size or 1024, rows, pytest.approx(scores["lora"][size][:rows].mean()))
            for (arm, size), rows in sorted(played.rows.items(), key=lambda item: item[0][1] or 1024)
            if arm == "lora"
        ]
        assert all(point.standard_error is None for point in points)

    def test_graded_points_carry_their_error(self):
        graded = {size: share(0.5, N) / 2 for size in SIZES}
        played = play([prompt("prompt"), lora()], {"prompt": share(0.1, N), "lora": graded}, n_dev=N, costs=SECONDS)
        [*_, last] = played.schedule.points("lora")
        assert last.standard_error == pytest.approx(graded[None].std(ddof=1) / np.sqrt(N), rel=0.01)


class TestStopping:
    def test_an_elimination_comes_with_its_evidence(self):
        scores = {"a": share(1.0, N), "b": share(0.0, N), "c": share(0.0, N)}
        played = play([prompt("a"), prompt("b"), prompt("c")], scores, n_dev=N)
        [stop, _] = played.schedule.stops
        assert (stop.arm_id, stop.reason, stop.leader, stop.n_rows) == ("b", "eliminated", "a", 32)
        assert stop.difference == pytest.approx(-1.0, abs=0.02)
        assert stop.e_value is not None
        assert stop.e_needed is not None
        assert stop.e_value >= stop.e_needed
        assert stop.interval is not None
        assert stop.interval.high < -0.02

    def test_little_to_gain_says_how_much(self):
        scores = {"a": share(0.75, N), "b": share(0.6, N), "c": share(0.1, N)}
        played = play(
            [prompt("a"), prompt("b"), prompt("c")], scores, n_dev=N, costs=Known(row=dict.fromkeys("abc", 1.0))
        )
        stop = next(stop for stop in played.schedule.stops if stop.reason == "little_to_gain")
        assert stop.expected_gain is not None
        assert stop.interval is not None
        assert stop.interval.low < (stop.difference or 0.0)
        assert stop.leader == "a"
        assert stop.seconds_saved == pytest.approx(N - stop.n_rows)

    def test_the_best_of_a_kind_that_is_surely_behind_stands(self):
        """It meets the test rows anyway; its lucky brother on few rows must not take its place."""
        scores = {"prompt": share(0.0, N), "shots": share(0.2, N), "lora": curve(*[1.0] * 6)}
        played = play([prompt("prompt"), prompt("shots"), lora()], scores, n_dev=N, costs=SECONDS)
        assert "shots" not in played.stops
        assert played.rows["shots", None] < N

    @pytest.mark.parametrize(("missing", "stopped"), [(0.6, True), (0.4, False)])
    def test_more_than_half_of_the_rows_without_a_score(self, missing, stopped):
        scores = {"a": share(0.5, N), "b": np.where(np.arange(N) % 10 < 10 * missing, np.nan, 1.0)}
        played = play([prompt("a"), prompt("b")], scores, n_dev=N)
        assert (played.stops.get("b") == "failed") is stopped

    def test_an_arm_that_breaks(self):
        played = play([prompt("a"), prompt("b")], {"a": share(0.5, N), "b": share(0.5, N)}, n_dev=N, fails=["b 32"])
        assert played.stops == {"b": "failed"}
        assert played.rows["a", None] == N

    def test_the_caller_may_stop_an_arm_once(self):
        schedule = Schedule([prompt("a"), prompt("b")], n_dev=N, margin=0.02, chance=0.0, costs=Known())
        schedule.stop("a", "budget")
        schedule.stop("a", "failed")
        assert [(stop.arm_id, stop.reason) for stop in schedule.stops] == [("a", "budget")]
        assert schedule.next(None) == Work("b", None, 32)


class TestRaceOff:
    @pytest.mark.parametrize(
        ("why", "n_dev", "options"),
        [("asked for", N, {"exhaustive": True}), ("not in [0, 1]", N, {"unit_scores": False}), ("19 rows", 19, {})],
    )
    def test_everything_in_plan_order(self, why, n_dev, options):
        scores = {
            "b": 30 * share(0.1, n_dev),
            "lora": {size: 30 * share(0.9, n_dev) for size in SIZES},
            "a": share(0.9, n_dev),
        }
        if "exhaustive" in options or n_dev < 20:
            scores = {
                "b": share(0.1, n_dev),
                "lora": {size: share(0.9, n_dev) for size in SIZES},
                "a": share(0.9, n_dev),
            }
        played = play([prompt("b"), lora(), prompt("a")], scores, n_dev=n_dev, **options)
        sizes = [f"lora@{size} {n_dev}" for size in SIZES[:-1]]
        assert played.lines == [f"b {n_dev}", *sizes, f"lora {n_dev}", f"a {n_dev}"], why
        assert played.stops == {}


class TestStandings:
    def test_as_it_goes(self):
        schedule = Schedule([prompt("a"), prompt("b")], n_dev=N, margin=0.02, chance=0.0, costs=Known())
        assert [(place.arm_id, place.n_rows, place.mean) for place in schedule.standings()] == [
            ("a", 0, None),
            ("b", 0, None),
        ]
        for part in (0.7, 0.6):
            work = schedule.next(None)
            assert work is not None
            schedule.observe(work, share(part, 32))
        first, second = schedule.standings()
        assert (first.arm_id, first.leader, first.difference) == ("a", None, None)
        assert (second.leader, second.n_rows) == ("a", 32)
        assert second.difference == pytest.approx(share(0.6, 32).mean() - share(0.7, 32).mean(), abs=0.01)
        assert second.interval is not None
        assert second.interval.low < second.difference < second.interval.high

    def test_stopped_arms_say_why(self):
        scores = {"a": share(1.0, N), "b": share(0.0, N), "c": share(0.0, N)}
        played = play([prompt("a"), prompt("b"), prompt("c")], scores, n_dev=N)
        assert [(place.arm_id, place.stopped) for place in played.schedule.standings()] == [
            ("a", None),
            ("b", "eliminated"),
            ("c", "eliminated"),
        ]


def test_works_are_named_as_in_the_tables():
    assert [name(Work("lora", 64, 32)), name(Work("lora", None, 300, 12.4))] == ["lora@64 32", "lora 300 in 12 s"]


class TestFamilies:
    """Arms that differ in a setting meet on 128 of 1,024 rows, all dev rows; the best goes on alone."""

    ARMS = (prompt("prompt"), *(lora(f"rank{rank}", family="lora") for rank in (16, 4, 64)))
    COSTS = Known(row={arm.arm_id: 0.1 for arm in ARMS}, fit={arm.arm_id: 0.4 for arm in ARMS[1:]})
    PROMPT = share(0.2, N)

    def scores(self, *at_the_heat):
        curves = {
            f"rank{rank}": {size: share(mean, N) for size in SIZES} for rank, mean in zip((16, 4, 64), at_the_heat)
        }
        return {"prompt": self.PROMPT, **curves}

    @pytest.mark.parametrize(
        ("means", "winner"),
        [((0.5, 0.6, 0.4), "rank4"), ((0.6, 0.5, 0.5), "rank16"), ((0.5, 0.5, 0.5), "rank16")],
        ids=["another is better", "the first is better", "all are level: the first"],
    )
    def test_only_the_best_is_trained_on_all_rows(self, means, winner):
        played = play(self.ARMS, self.scores(*means), n_dev=N, costs=self.COSTS)
        assert [arm for arm, size in played.rows if size is None and arm != "prompt"] == [winner]
        assert {played.rows[arm.arm_id, 128] for arm in self.ARMS[1:]} == {N}
        beyond = {arm for arm, size in played.rows if size in (256, 512)}
        assert beyond <= {winner}
        losers = {arm.arm_id for arm in self.ARMS[1:]} - {winner}
        assert {arm for arm, why in played.stops.items() if why == "setting"} == losers
        for stop in played.schedule.stops:
            if stop.reason == "setting":
                assert (stop.leader, stop.n_train, stop.n_rows) == (winner, 128, N)
                assert stop.difference <= 0

    @pytest.mark.parametrize(
        ("sizes", "at"),
        [((16, 32, 64, 128, 256, None), 64), ((16, 32, 64, None), 64), ((16, 32, None), 32), ((128, 256, None), 128)],
        ids=["n/8 is enough", "more than n/8", "never enough: n/2", "n/8 is not tried"],
    )
    def test_no_heat_on_a_handful_of_rows(self, sizes, at):
        arms = [prompt("prompt"), lora("a", sizes, "lora"), lora("b", sizes, "lora")]
        scores = {"prompt": self.PROMPT} | {arm: {size: share(0.6, N) for size in sizes} for arm in "ab"}
        played = play(
            arms, scores, n_dev=N, costs=Known(row=dict.fromkeys(("prompt", "a", "b"), 0.1), fit={"a": 0.4, "b": 0.4})
        )
        [stop] = [stop for stop in played.schedule.stops if stop.reason == "setting"]
        assert (stop.arm_id, stop.n_train) == ("b", at)

    def test_without_time_for_the_others_the_first_is_trained_alone(self):
        """All rows take 410 s and an eighth of them 81: in 460 s there is no heat."""
        played = play(self.ARMS, self.scores(0.5, 0.6, 0.6), n_dev=N, costs=self.COSTS, seconds=460)
        assert played.rows["rank16", None] > 0
        assert {arm for arm, _ in played.rows} == {"prompt", "rank16"}
        assert played.stops == {"rank4": "budget", "rank64": "budget"}

    def test_one_that_is_too_dear_is_out_and_the_others_meet(self):
        costs = Known(row=self.COSTS.row, fit=self.COSTS.fit | {"rank4": 2.0})
        played = play(self.ARMS, self.scores(0.5, 0.9, 0.6), n_dev=N, costs=costs, seconds=1_500)
        assert played.stops == {"rank4": "budget", "rank16": "setting"}
        assert ("rank64", None) in played.rows

    def test_one_that_breaks_leaves_the_way_to_the_next(self):
        fails = {f"rank16@128 {N}", "rank16@128 64", "rank16@128 128"}
        played = play(self.ARMS, self.scores(0.9, 0.5, 0.6), n_dev=N, costs=self.COSTS, fails=fails)
        assert played.stops["rank16"] == "failed"
        assert played.stops["rank4"] == "setting"
        assert played.schedule.leader == "rank64"

    def test_a_race_that_is_off_trains_them_all(self):
        played = play(self.ARMS, self.scores(0.5, 0.6, 0.4), n_dev=N, costs=self.COSTS, exhaustive=True)
        assert {(arm.arm_id, size) for arm in self.ARMS[1:] for size in SIZES} <= set(played.rows)
        assert played.stops == {}

    def test_a_race_that_is_off_shares_what_time_there_is(self):
        played = play(self.ARMS, self.scores(0.5, 0.6, 0.4), n_dev=N, costs=self.COSTS, exhaustive=True, seconds=600)
        [first] = [work for work in played.works if work.arm_id == "rank16" and work.n_train is None]
        assert first.seconds < 600 / 3
        assert ("rank4", None) in played.rows

    def test_strategies_do_not_meet_each_other(self):
        arms = (prompt("prompt"), lora("a", family="lora"), lora("b", family="lora_rag"))
        scores = {"prompt": self.PROMPT} | {arm: {size: share(0.6, N) for size in SIZES} for arm in "ab"}
        played = play(
            arms, scores, n_dev=N, costs=Known(row={"prompt": 0.1, "a": 0.1, "b": 0.1}, fit={"a": 0.4, "b": 0.4})
        )
        assert {("a", None), ("b", None)} <= set(played.rows)

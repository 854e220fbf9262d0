"""Several works out at once, which come back in any order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from raceplay import Known, lora, play, prompt, share
from scipy.stats import binom
from test_schedule_promise import graded, right_wrong
from test_schedule_properties import exempt, races

from tuneworth.race.schedule import Schedule

N = 300
ABOUT = st.tuples(st.sampled_from([1, 2, 5]), st.integers(0, 1_000))


def started(arms, **options):
    return Schedule(arms, n_dev=N, margin=0.02, chance=0.0, **({"costs": Known()} | options))


def handed(schedule, seconds=None):
    work = schedule.next(seconds)
    assert work is not None
    return work


class TestEveryRace:
    @settings(max_examples=60, deadline=None)
    @given(races(), ABOUT)
    def test_it_ends_and_every_piece_is_observed_once(self, race, about):
        """`play` holds every work to that it is new, goes beyond what came back, and is the only one of its arm."""
        entrants, scores, costs, n_dev = race
        workers, seed = about
        played = play(
            entrants, scores, n_dev=n_dev, costs=costs, workers=workers, order=np.random.default_rng(seed), n_train=1024
        )
        assert played.schedule.out == ()
        assert len(set(played.works)) == len(played.works)
        assert played.most_out <= workers
        for entrant in entrants:
            of_arm = {size: rows for (arm, size), rows in played.rows.items() if arm == entrant.arm_id}
            assert of_arm, "without a budget every arm is looked at"
            if entrant.arm_id not in played.stops:
                assert None in of_arm, "one that stands was fitted on all rows"

    @settings(max_examples=40, deadline=None)
    @given(races(), ABOUT, st.sampled_from([0.0, 3.0, 60.0, 400.0]))
    def test_what_is_set_aside_and_spent_is_inside_the_budget(self, race, about, seconds):
        entrants, scores, costs, n_dev = race
        for entrant in entrants:
            costs.row.setdefault(entrant.arm_id, 0.1)
            costs.fit.setdefault(entrant.arm_id, 0.0)
        workers, seed = about
        played = play(
            entrants,
            scores,
            n_dev=n_dev,
            costs=costs,
            seconds=seconds,
            workers=workers,
            order=np.random.default_rng(seed),
        )
        most = seconds + exempt(entrants, costs, n_dev) + 1e-6
        assert played.set_aside <= most
        assert played.seconds <= most

    @settings(max_examples=20, deadline=None)
    @given(races(), ABOUT)
    def test_exhaustive_measures_everything(self, race, about):
        entrants, scores, costs, n_dev = race
        workers, seed = about
        played = play(
            entrants,
            scores,
            n_dev=n_dev,
            costs=costs,
            exhaustive=True,
            workers=workers,
            order=np.random.default_rng(seed),
        )
        assert set(played.stops.values()) <= {"failed"}
        assert played.rows == {(arm.arm_id, size): n_dev for arm in entrants for size in arm.sizes}


@pytest.mark.parametrize("workers", [2, 5])
@pytest.mark.parametrize("scores", [right_wrong, graded], ids=lambda kind: kind.__name__)
def test_the_promise_is_kept(scores, workers):
    """At most 5 % of the races lose any of eight arms, five of which lie within the margin of the best."""
    n_races, lost, best_lost = 60, 0, 0
    for number in range(n_races):
        rng = np.random.default_rng([1, number])
        means = [0.7, 0.7, 0.7, 0.69, 0.685, 0.55, 0.4, 0.3]
        arms = {f"arm{at}": scores(rng, mean) for at, mean in enumerate(means)}
        costs = Known(row=dict.fromkeys(arms, 0.001) | {"arm7": 5.0})
        played = play([prompt(arm) for arm in arms], arms, n_dev=600, costs=costs, workers=workers, order=rng)
        lost += any(played.stops.get(f"arm{at}") == "eliminated" for at in range(5))
        best_lost += played.stops.get(max(arms, key=lambda arm: arms[arm].mean())) == "eliminated"
    assert lost <= binom.ppf(1 - 1e-4, n_races, 0.05)
    assert best_lost <= lost


class TestOut:
    def test_what_is_out_is_not_handed_out_again(self):
        schedule = started([prompt("a"), prompt("b")])
        first, second = handed(schedule), handed(schedule)
        assert (first.arm_id, second.arm_id) == ("a", "b")
        assert schedule.next(None) is None, "nothing to hand out now"
        assert schedule.out == (first, second), "and the race is not over"
        schedule.observe(second, share(0.9, 32))
        assert schedule.out == (first,)
        assert schedule.leader == "b", "of what came back"

    @pytest.mark.parametrize("again", ["observe", "fail"])
    def test_what_came_back_does_not_come_back_again(self, again):
        schedule = started([prompt("a"), prompt("b")])
        work = handed(schedule)
        schedule.observe(work, share(0.5, 32))
        with pytest.raises(ValueError, match=r"Work\(arm_id='a'.*is not out"):
            schedule.fail(work) if again == "fail" else schedule.observe(work, share(0.5, 32))

    def test_scores_that_are_refused_leave_it_out(self):
        schedule = started([prompt("a")])
        work = handed(schedule)
        with pytest.raises(ValueError, match="a: 33 scores for 32 new rows"):
            schedule.observe(work, np.ones(33))
        assert schedule.out == (work,)

    def test_an_arm_that_the_caller_stops_is_not_waited_for(self):
        schedule = started([prompt("a"), prompt("b")])
        work = handed(schedule)
        schedule.stop("a", "budget")
        assert schedule.out == ()
        schedule.observe(work, share(1.0, 32))
        assert [stop.reason for stop in schedule.stops] == ["budget"]
        assert schedule.standings()[0].n_rows == 32, "what came all the same is kept"
        assert schedule.leader is None, "and leads no more"

    def test_a_failure_comes_back_while_others_are_out(self):
        schedule = started([prompt("a"), prompt("b")])
        first, second = handed(schedule), handed(schedule)
        schedule.fail(first)
        assert [(stop.arm_id, stop.reason) for stop in schedule.stops] == [("a", "failed")]
        assert schedule.out == (second,)


class TestBudget:
    COSTS = Known(row={"a": 1.0, "b": 1.0, "lora": 0.1}, fit={"lora": 0.4})

    def test_what_is_out_is_set_aside_and_nobody_is_stopped_for_it(self):
        """The first rows take 32 s each: of 80 the third has to wait until it is known what the others left."""
        costs = Known(row=dict.fromkeys("abc", 1.0))
        schedule = started([prompt("a"), prompt("b"), prompt("c")], costs=costs)
        works = [handed(schedule, 80), handed(schedule, 80)]
        assert schedule.next(80) is None
        assert schedule.stops == []
        schedule.observe(works[0], share(0.5, 32))
        schedule.observe(works[1], share(0.5, 32))
        assert handed(schedule, 75).arm_id == "c", "they took 5 s"

    def test_with_nothing_out_it_is_stopped(self):
        costs = Known(row=dict.fromkeys("abc", 1.0))
        schedule = started([prompt("a"), prompt("b"), prompt("c")], costs=costs)
        for left in (80, 48):
            schedule.observe(handed(schedule, left), share(0.5, 32))
        assert schedule.next(16) is None
        assert {stop.arm_id: stop.reason for stop in schedule.stops} == {"b": "budget", "c": "budget"}

    def test_a_training_that_is_out_leaves_the_others_what_it_is_expected_to_leave(self):
        """The training takes 416 s of 500 with its first rows; an untuned arm of 32 s fits beside it twice."""
        arms = [lora("lora", (None,)), prompt("a"), prompt("b")]
        schedule = started(arms, costs=self.COSTS, n_train=1024)
        out = [work for _ in range(3) if (work := schedule.next(500)) is not None]
        assert {work.arm_id for work in out} == {"lora", "a", "b"}
        assert schedule.next(500) is None


class TestHeats:
    def test_settings_meet_at_the_same_time(self):
        arms = [prompt("prompt"), *(lora(f"rank{rank}", family="lora") for rank in (4, 16, 64))]
        names = [arm.arm_id for arm in arms]
        costs = Known(row=dict.fromkeys(names, 0.1), fit=dict.fromkeys(names[1:], 0.4))
        scores = {name: {size: share(0.6, N) for size in arms[1].sizes} for name in names} | {"prompt": share(0.2, N)}
        scores["rank16"][128] = share(0.7, N)
        played = play(arms, scores, n_dev=N, costs=costs, workers=4, order=np.random.default_rng(0))
        assert played.most_out > 1
        assert {arm for arm, why in played.stops.items() if why == "setting"} == {"rank4", "rank64"}
        assert [arm for arm, size in played.rows if size is None and arm != "prompt"] == ["rank16"]

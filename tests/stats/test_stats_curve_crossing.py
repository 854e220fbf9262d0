import numpy as np
import pytest

from tuneworth.core.run import Interval, Score
from tuneworth.stats.curve import CannotTell, CurvePoint, fit_curve
from tuneworth.stats.curve_crossing import REACH, Target, crossing

SIZES = np.array([50 * 2**step for step in range(8)])


def _truth(n):
    return _power(n, 0.05, 0.5, 0.4)


def _power(n, limit, gain, exponent):
    return 1 - limit - gain * (np.asarray(n, dtype=float) / 50) ** -exponent


@pytest.fixture(scope="module")
def precise():
    points = [CurvePoint(int(n), float(s), 200_000) for n, s in zip(SIZES, _truth(SIZES))]
    return fit_curve(points, rng=np.random.default_rng(0))


@pytest.fixture(scope="module")
def usual():
    points = [CurvePoint(n, s, 300) for n, s in zip((62, 125, 250, 500, 1000), (0.45, 0.55, 0.62, 0.70, 0.74))]
    return fit_curve(points, rng=np.random.default_rng(0))


@pytest.mark.parametrize("size", [12_000, 40_000])
def test_the_size_is_found(precise, size):
    found = crossing(precise, Target(float(_truth(size)) - 0.02, 0.0), 0.02)
    assert found.status == "forecast"
    assert found.n == pytest.approx(size, rel=0.15)
    assert found.low <= size <= found.high


def test_the_margin_and_an_unsure_target_count(precise):
    goal = float(_truth(20_000))
    sure = crossing(precise, Target(goal, 0.0), 0.0)
    unsure = crossing(precise, Target(goal, 0.01), 0.0)
    assert crossing(precise, Target(goal, 0.0), 0.01).n > sure.n
    assert unsure.low < sure.low
    assert unsure.high is None or unsure.high > sure.high


def test_a_wider_level_holds_the_narrower(usual):
    narrow, wide = (crossing(usual, Target(0.74, 0.02), 0.02, level=level) for level in (0.8, 0.95))
    assert (narrow.n, narrow.probability) == (wide.n, wide.probability)
    assert wide.low < narrow.low
    assert wide.high is None or wide.high > narrow.high


def test_already_there(usual):
    found = crossing(usual, Target(0.6, 0.02), 0.02)
    assert (found.status, found.n, found.high) == ("already", None, None)


@pytest.mark.parametrize("value", [0.97, 0.99, 1.0])
def test_out_of_reach(usual, value):
    found = crossing(usual, Target(value, 0.01), 0.02)
    assert (found.status, found.n, found.low, found.high) == ("not_within", None, None, None)
    assert found.probability <= 0.1


def test_a_target_that_the_curve_may_or_may_not_reach_gets_no_number(usual):
    found = crossing(usual, Target(0.87, 0.02), 0.02)
    assert (found.status, found.n) == ("cannot_tell", None)
    assert 0.1 < found.probability < 0.5


def test_the_probability_falls_as_the_target_rises(usual):
    targets = (0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
    found = [crossing(usual, Target(value, 0.02), 0.02).probability for value in targets]
    assert found == sorted(found, reverse=True)


def test_a_number_is_within_reach_and_its_open_end_is_none(usual):
    found = crossing(usual, Target(0.82, 0.02), 0.02)
    assert found.status == "forecast"
    assert found.low < found.n <= REACH * 1000
    assert found.high is None


@pytest.mark.parametrize(("value", "status"), [(0.7, "already"), (0.89, "cannot_tell"), (0.97, "cannot_tell")])
def test_without_a_curve_only_what_was_measured_is_said(value, status):
    told = fit_curve([CurvePoint(n, 0.91, 300) for n in (62, 125, 250, 500)], rng=np.random.default_rng(0))
    assert isinstance(told, CannotTell)
    found = crossing(told, Target(value, 0.01), 0.02)
    assert (found.status, found.n, found.probability) == (status, None, None)


def test_nothing_measured_cannot_tell():
    assert crossing(CannotTell("too_few_sizes", ()), Target(0.5, 0.1), 0.02).status == "cannot_tell"


def test_a_stored_score_is_a_target():
    target = Target.of(Score(value=0.7, interval=Interval(low=0.65, high=0.748), n_rows=300))
    assert target.value == 0.7
    assert target.standard_error == pytest.approx(0.025, abs=1e-4)


def test_all_that_is_wrong_is_named(usual):
    with pytest.raises(ValueError, match=r"target is 1\.5.*error is -1.*margin is 1.*level is 0"):
        crossing(usual, Target(1.5, -1), 1, level=0)


@pytest.mark.slow
def test_the_interval_of_the_size_holds_about_as_often_as_promised():
    rng = np.random.default_rng(11)
    held = asked = 0
    for _ in range(40):
        limit, exponent, gain = rng.uniform((0.0, 0.3, 0.35), (0.15, 0.7, 0.6))
        sizes = np.array([60, 120, 240, 480, 960])
        scores = rng.binomial(300, _power(sizes, limit, gain, exponent)) / 300
        points = [CurvePoint(int(n), float(score), 300) for n, score in zip(sizes, scores)]
        size = 960 * np.exp(rng.uniform(0.3, 2.0))
        curve = fit_curve(points, rng=rng)
        found = crossing(curve, Target(float(_power(size, limit, gain, exponent)), 0.0), 0.0)
        if found.status == "forecast":
            asked += 1
            held += found.low <= size and (found.high is None or size <= found.high)
    assert asked >= 20
    assert held / asked >= 0.7

import time

import numpy as np
import pytest

from tuneworth.stats.curve import MIN_SIZES, CannotTell, Curve, CurvePoint, fit_curve

SIZES = (62, 125, 250, 500, 1000)


def _points(scores, sizes=SIZES, n_rows=300, **more):
    return [CurvePoint(n, score, n_rows, **more) for n, score in zip(sizes, scores)]


def _fit(scores, sizes=SIZES, n_rows=300, seed=0, chance=0.0, over="rows", **more):
    rng = np.random.default_rng(seed)
    return fit_curve(_points(scores, sizes, n_rows, **more), rng=rng, chance=chance, over=over)


def _power(n, limit=0.08, gain=0.5, exponent=0.45):
    return 1 - limit - gain * (np.asarray(n, dtype=float) / 50) ** -exponent


@pytest.mark.parametrize("limit", [0.03, 0.08, 0.3])
def test_a_precise_power_law_is_found_again(limit):
    sizes = np.array([50 * 2**step for step in range(8)])
    curve = _fit(_power(sizes, limit), sizes, n_rows=200_000)
    for ahead in (4, 20):
        said = curve.predict(ahead * 6400)
        assert said.value == pytest.approx(_power(ahead * 6400, limit), abs=0.015)
        assert said.low80 <= _power(ahead * 6400, limit) <= said.high80


def test_a_precise_s_shaped_curve_is_found_again():
    sizes = np.array([50 * 2**step for step in range(8)])
    curve = _fit(0.9 / (1 + (sizes / 600) ** -1.6), sizes, n_rows=200_000)
    assert curve.weights["rectified"] + curve.weights["rectified_from_chance"] > 0.5
    assert curve.predict(25_600).value == pytest.approx(0.9 / (1 + (25_600 / 600) ** -1.6), abs=0.02)


def test_a_plateau_is_seen():
    sizes = np.array([50 * 2**step for step in range(8)])
    curve = _fit(0.8 - 0.6 * np.exp(-sizes / 300), sizes, n_rows=200_000)
    assert curve.weights["power"] < 0.1
    said = curve.predict(100_000)
    assert said.value == pytest.approx(0.8, abs=0.02)
    assert said.low80 <= 0.8 <= said.high80 < 0.85


def test_intervals_nest_widen_with_distance_and_stay_in_range():
    curve = _fit([0.45, 0.55, 0.62, 0.70, 0.74])
    said = [curve.predict(n) for n in (1000, 4000, 100_000)]
    for one in said:
        assert 0 <= one.low95 < one.low80 < one.value < one.high80 < one.high95 <= 1
    widths = [one.high80 - one.low80 for one in said]
    assert widths == sorted(widths)
    assert abs(said[0].value - 0.74) < 0.02


def test_a_prediction_never_falls_with_more_rows():
    curve = _fit([0.45, 0.55, 0.53, 0.70, 0.74])
    said = [curve.predict(n) for n in (62, 100, 300, 1000, 1001, 2000, 9000, 100_000)]
    assert np.all(np.diff([one.value for one in said]) >= -1e-3)
    expected = curve.scores(np.geomspace(1, 1e6, 50))
    assert np.all(np.diff(expected, axis=1) >= -1e-12)
    assert expected.min() >= 0
    assert expected.max() <= 1


def test_the_same_generator_gives_the_same_curve_and_the_order_of_points_does_not_matter():
    points = _points([0.45, 0.55, 0.62, 0.70, 0.74])
    first = fit_curve(points, rng=np.random.default_rng(3)).predict(4000)
    again = fit_curve(points[::-1], rng=np.random.default_rng(3)).predict(4000)
    other = fit_curve(points, rng=np.random.default_rng(4)).predict(4000)
    assert first == again
    assert first != other
    assert first.value == pytest.approx(other.value, abs=0.01)
    assert (first.low80, first.high80) == pytest.approx((other.low80, other.high80), abs=0.02)


@pytest.mark.parametrize("scores", [[0.5, 0.6, 0.7], []])
def test_fewer_than_four_sizes_cannot_tell(scores):
    told = _fit(scores)
    assert isinstance(told, CannotTell)
    assert told.reason == "too_few_sizes"
    assert len(told.points) == len(scores)


def test_seeds_are_not_sizes():
    points = [CurvePoint(n, s, 300, seed=seed) for seed in range(5) for n, s in [(100, 0.5), (200, 0.6), (400, 0.7)]]
    assert fit_curve(points, rng=np.random.default_rng(0)).reason == "too_few_sizes"


@pytest.mark.parametrize("level", [0.0, 0.2, 0.6, 1.0])
def test_a_constant_curve_has_no_trend(level):
    assert _fit([level] * 5).reason == "no_trend"


def test_a_rise_within_the_noise_is_no_trend():
    assert _fit([0.60, 0.62, 0.59, 0.61, 0.62]).reason == "no_trend"


def test_a_falling_curve_is_told_as_such():
    assert _fit([0.80, 0.74, 0.71, 0.66, 0.60]).reason == "falling"


@pytest.mark.parametrize(
    "scores", [[0.0, 0.0, 0.1, 0.4, 0.7], [0.0, 0.5, 0.8, 0.95, 1.0], [0.02, 0.03, 0.6, 0.8, 0.82]]
)
def test_zeros_perfect_scores_and_sudden_rises_are_fitted(scores):
    said = _fit(scores).predict(4000)
    assert scores[-1] - 0.02 < said.value <= 1
    assert said.high95 - said.low95 > 0.005


def test_more_seeds_and_more_rows_narrow_the_interval():
    rng = np.random.default_rng(5)
    truth = _power(SIZES)
    noisy = [(n, seed, s + 0.01 * rng.standard_normal()) for n, s in zip(SIZES, truth) for seed in range(6)]
    several = fit_curve([CurvePoint(n, s, 300, seed=seed) for n, seed, s in noisy], rng=np.random.default_rng(0))
    one = fit_curve([CurvePoint(n, s, 300) for n, seed, s in noisy if seed == 0], rng=np.random.default_rng(0))
    many_rows = fit_curve([CurvePoint(n, s, 30_000) for n, seed, s in noisy if seed == 0], rng=np.random.default_rng(0))
    width = {name: _width(c) for name, c in {"several": several, "one": one, "rows": many_rows}.items()}
    assert width["several"] < width["one"]
    assert width["rows"] < width["one"]


def _width(curve):
    said = curve.predict(4000)
    return said.high80 - said.low80


def test_a_graded_score_with_a_small_error_is_believed_more():
    scores = _power(SIZES)
    binary, graded = _fit(scores), _fit(scores, standard_error=0.008)
    assert isinstance(binary, Curve)
    assert _width(graded) < _width(binary)


def test_noise_of_training_is_learnt_from_seeds():
    rng = np.random.default_rng(1)

    def seeds(spread):
        values = [(n, k, s + spread * rng.standard_normal()) for n, s in zip(SIZES, _power(SIZES)) for k in range(5)]
        points = [CurvePoint(n, float(np.clip(s, 0, 1)), 5000, seed=k) for n, k, s in values]
        return _width(fit_curve(points, rng=np.random.default_rng(0)))

    assert seeds(0.05) > 1.5 * seeds(0.005)


def test_guessing_bounds_the_curve_from_below_unless_points_lie_lower():
    scores = [0.52, 0.55, 0.64, 0.72, 0.80]
    assert _fit(scores, chance=0.5).scores(np.array([1.0])).min() >= 0.5 - 1e-9
    below = _fit([0.10, *scores[1:]], chance=0.5)
    assert np.median(below.scores(np.array([62.0]))) < 0.4


def test_weights_are_probabilities_of_the_forecasting_families():
    curve = _fit([0.45, 0.55, 0.62, 0.70, 0.74])
    names = {"power", "rectified", "saturating", "rectified_from_chance", "saturating_from_chance", "flat"}
    assert set(curve.weights) == names
    assert sum(curve.weights.values()) == pytest.approx(1)


def test_a_rise_that_has_only_begun_is_carried_on():
    """From guessing, 0.02 here, towards 0.9: over the measured sizes each doubling gains more than the one before."""
    sizes = np.array([16, 32, 64, 128])

    def true(n):
        return 0.02 + 0.88 / (1 + (n / 150) ** -1.3)

    said = _fit(true(sizes), sizes, chance=0.02).predict(512)
    assert said.low80 <= true(512) <= said.high80
    assert said.value == pytest.approx(true(512), abs=0.05)


def test_few_shot_arms_start_at_one():
    curve = _fit([0.10, 0.32, 0.41, 0.50, 0.55], sizes=(1, 2, 4, 8, 16), over="shots")
    assert set(curve.weights) == {"power", "rectified", "saturating", "flat"}
    assert 0.5 < curve.predict(33).value < 0.75


def test_which_demonstrations_were_shown_is_a_matter_of_luck():
    scores, sizes = [0.10, 0.32, 0.41, 0.50, 0.55], (1, 2, 4, 8, 16)
    shots, rows = (_fit(scores, sizes, over=over).predict(33) for over in ("shots", "rows"))
    assert shots.high80 - shots.low80 > 1.2 * (rows.high80 - rows.low80)


def test_all_that_is_wrong_is_named():
    points = [
        CurvePoint(0, 0.5, 300),
        CurvePoint(100, 1.2, 300),
        CurvePoint(200, float("nan"), 300),
        CurvePoint(400, 0.5, 0),
        CurvePoint(800, 0.5, 300, standard_error=-1),
    ]
    with pytest.raises(ValueError, match=r"chance is 1") as caught:
        fit_curve(points, rng=np.random.default_rng(0), chance=1)
    for part in ("n is 0", "n = 100 is 1.2", "n = 200 is nan", "n_rows at n = 400 is 0", "n = 800 is -1"):
        assert part in str(caught.value)
    with pytest.raises(ValueError, match="n is 0, must be at least 1"):
        _fit([0.45, 0.55, 0.62, 0.70, 0.74]).predict(0)


def test_a_fit_takes_less_than_half_a_second_of_one_core():
    points = [CurvePoint(62 * 2**step, 0.4 + 0.07 * step, 300) for step in range(MIN_SIZES + 2)]
    fit_curve(points, rng=np.random.default_rng(0))
    started = time.process_time()
    fit_curve(points, rng=np.random.default_rng(0))
    assert time.process_time() - started < 0.5

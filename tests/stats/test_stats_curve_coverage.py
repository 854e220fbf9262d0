"""Does the forecast hold what it promises on curves of shapes that are not fitted?"""

import numpy as np
import pytest
from curve_truths import TRUTHS, made_curve, measure

from tuneworth.stats.curve import CannotTell, CurvePoint, fit_curve

REPEATS = 40


@pytest.fixture(scope="module")
def outcomes():
    """Truth → rows (in 80 %, in 95 %, what came minus what was said), for the curves that were forecast."""
    rng = np.random.default_rng(2024)
    found = {truth.__name__: [] for truth in TRUTHS}
    for truth in TRUTHS:
        for repeat in range(REPEATS):
            points, came = made_curve(truth, rng, n_sizes=4 + repeat % 3)
            curve = fit_curve(points, rng=rng)
            if not isinstance(curve, CannotTell):
                said = curve.predict(4 * curve.largest)
                inside = (said.low80 <= came <= said.high80, said.low95 <= came <= said.high95)
                found[truth.__name__].append((*inside, came - said.value))
    return {name: np.array(rows, dtype=float) for name, rows in found.items()}


@pytest.mark.slow
def test_intervals_at_four_times_the_rows_cover_as_promised(outcomes):
    in80, in95, error = np.concatenate(list(outcomes.values())).T
    assert 0.70 <= in80.mean() <= 0.90
    assert 0.90 <= in95.mean() <= 0.99
    assert np.median(np.abs(error)) <= 0.04
    assert abs(error.mean()) <= 0.02, "too low or too high on the whole"


@pytest.mark.slow
@pytest.mark.parametrize("truth", [truth.__name__ for truth in TRUTHS])
def test_no_shape_is_left_out(outcomes, truth):
    rows = outcomes[truth]
    assert len(rows) >= 0.7 * REPEATS, "told too rarely"
    assert rows[:, 0].mean() >= 0.60
    assert rows[:, 1].mean() >= 0.80


@pytest.mark.slow
def test_noise_alone_is_hardly_ever_forecast():
    rng = np.random.default_rng(8)
    told = 0
    for repeat in range(60):
        n_sizes = 4 + repeat % 3
        level, training = rng.uniform(0.1, 0.9), np.exp(rng.normal(np.log(0.012), 0.5))
        scores = measure(np.full(n_sizes, level), rng, training=training)
        points = [CurvePoint(100 * 2**step, float(score), 300) for step, score in enumerate(scores)]
        told += not isinstance(fit_curve(points, rng=rng), CannotTell)
    assert told <= 3


@pytest.mark.slow
def test_a_clear_rise_is_forecast_and_a_clear_fall_is_not():
    rng = np.random.default_rng(9)
    rising = falling = 0
    for _ in range(20):
        scores = measure(np.linspace(0.5, 0.7, 5), rng)
        sizes = [100 * 2**step for step in range(5)]
        up = [CurvePoint(n, float(s), 300) for n, s in zip(sizes, scores)]
        down = [CurvePoint(n, float(s), 300) for n, s in zip(sizes, scores[::-1])]
        rising += not isinstance(fit_curve(up, rng=rng), CannotTell)
        falling += fit_curve(down, rng=rng).reason == "falling"
    assert rising >= 18
    assert falling >= 18

"""A target that learns from rows too."""

import numpy as np

from tuneworth.stats.curve import CurvePoint, fit_curve
from tuneworth.stats.curve_crossing import Target, crossing, crossing_sizes

SIZES = (32, 64, 128, 256, 512, 1024)


def curve_of(score, seed):
    rng = np.random.default_rng(seed)
    points = [CurvePoint(n, float(np.clip(score(n) + rng.normal(0, 0.002), 0, 1)), 20_000) for n in SIZES]
    return fit_curve(points, rng=np.random.default_rng(seed + 100))


def tuned(n):
    return 0.95 - 1.5 * n**-0.3


def growing(n):
    return 0.85 - 0.8 * n**-0.4


def meets(margin):
    """The size at which the true curves are a margin apart."""
    sizes = np.exp(np.linspace(np.log(1024), np.log(100_000), 4_000))
    ahead = tuned(sizes) - growing(sizes) >= margin
    assert ahead[-1]
    return float(sizes[np.argmax(ahead)])


def test_a_growing_target_is_overtaken_later_than_one_that_stands_still():
    arm, target = curve_of(tuned, 1), curve_of(growing, 2)
    still = crossing(arm, Target(growing(1024), 0.003), 0.02)
    grows = crossing(arm, Target(growing(1024), 0.003, target), 0.02)
    assert still.status == grows.status == "forecast"
    assert still.n < grows.n
    assert grows.low <= meets(0.02) <= (grows.high or np.inf)
    assert still.n < 0.6 * meets(0.02)


def test_a_target_that_grows_as_fast_is_never_overtaken():
    arm, target = curve_of(lambda n: growing(n) - 0.05, 3), curve_of(growing, 4)
    assert crossing(arm, Target(growing(1024), 0.003, target), 0.02).status == "not_within"


def test_ahead_on_few_rows_only_is_not_overtaking():
    """At the smallest sizes the arm is above, and falls behind as the target grows."""
    arm, slow = curve_of(lambda n: 0.6 - 0.3 * n**-0.5, 5), curve_of(lambda n: 0.9 - 2.0 * n**-0.4, 6)
    sizes = crossing_sizes(arm, Target(0.9 - 2.0 * 1024**-0.4, 0.003, slow), 0.02)
    assert np.isinf(sizes).mean() > 0.95

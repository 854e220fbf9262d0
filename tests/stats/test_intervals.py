import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from tuneworth.stats.intervals import bootstrap_interval, mean_interval, quantile_bound, wilson


@pytest.mark.parametrize(("successes", "n"), [(0, 30), (1, 30), (15, 30), (30, 30), (83, 100), (499, 500), (1, 1)])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_wilson_equals_statsmodels(successes, n, level):
    expected = proportion_confint(successes, n, alpha=1 - level, method="wilson")
    interval = wilson(successes, n, level)
    assert (interval.low, interval.high) == pytest.approx(expected, abs=1e-12)
    assert interval.low <= successes / n <= interval.high


def test_without_rows_everything_is_possible():
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0.0, 1.0)


def test_binary_mean_is_wilson():
    scores = [1] * 83 + [0] * 17
    assert mean_interval(scores, binary=True, rng=np.random.default_rng(0)) == wilson(83, 100)


@pytest.mark.parametrize("value", [0.0, 0.4, 1.0])
def test_equal_scores_do_not_give_a_sure_interval(value):
    interval = mean_interval(np.full(40, value), binary=False, rng=np.random.default_rng(0))
    assert interval == wilson(40 * value, 40)
    assert interval.high - interval.low > 0.08


def test_a_sample_with_hardly_any_variation_is_not_sure_either():
    scores = np.array([1.0] * 37 + [0.9, 0.95, 0.97])
    interval = mean_interval(scores, binary=False, rng=np.random.default_rng(0))
    assert interval.low < 0.91


@pytest.mark.parametrize(("scores", "binary"), [([0.2, 1.2], False), ([float("nan")], False), ([0.5, 1], True)])
def test_scores_outside_their_range_are_refused(scores, binary):
    with pytest.raises(ValueError, match="scores must be"):
        mean_interval(scores, binary=binary, rng=np.random.default_rng(0))


def _coverage(sample, n, repeats, rng):
    truth = sample(rng, 2_000_000).mean()
    intervals = [mean_interval(sample(rng, n), binary=False, rng=rng) for _ in range(repeats)]
    return float(np.mean([i.low <= truth <= i.high for i in intervals]))


@pytest.mark.parametrize(("n", "repeats"), [(30, 600), (100, 250), (500, 60)])
def test_graded_mean_covers(n, repeats):
    def f1(rng, size):
        kind = rng.random(size)
        return np.where(kind < 0.4, 1.0, np.where(kind < 0.5, 0.0, rng.beta(2, 1.5, size)))

    noise = 2.5 * np.sqrt(0.05 * 0.95 / repeats)
    assert 0.935 - noise <= _coverage(f1, n, repeats, np.random.default_rng(n)) <= 0.965 + noise


def test_bootstrap_interval_of_a_mean_agrees_with_the_textbook():
    rng = np.random.default_rng(3)
    scores = rng.beta(4, 3, 200)
    interval = bootstrap_interval(lambda rows: float(scores[rows].mean()), 200, rng)
    half = 1.96 * scores.std(ddof=1) / np.sqrt(200)
    assert interval.low == pytest.approx(scores.mean() - half, abs=0.006)
    assert interval.high == pytest.approx(scores.mean() + half, abs=0.006)


def test_bootstrap_interval_of_a_statistic_that_never_moves():
    assert bootstrap_interval(lambda rows: 1.0, 50, np.random.default_rng(0)) == wilson(50, 50)
    assert bootstrap_interval(lambda rows: 1.0, 1, np.random.default_rng(0)).low == 0.0


def test_bootstrap_interval_contains_the_estimate_and_is_reproducible():
    scores = np.r_[np.ones(28), 0.0, 0.0]

    def value(rows):
        return float(scores[rows].mean() ** 2)

    first = bootstrap_interval(value, 30, np.random.default_rng(1))
    assert first == bootstrap_interval(value, 30, np.random.default_rng(1))
    assert first.low < value(np.arange(30)) < first.high


@pytest.mark.parametrize(
    ("n", "place"), [(0, None), (1, None), (58, None), (59, 59), (60, 60), (92, 92), (93, 92), (200, 196)]
)
def test_the_bound_of_a_p95_is_the_order_statistic_of_the_tables(n, place):
    values = np.random.default_rng(0).permutation(np.arange(1.0, n + 1))
    assert quantile_bound(values, 0.95) == place


@pytest.mark.parametrize("n", [60, 100, 250])
def test_a_bound_of_a_p95_is_below_it_at_most_as_often_as_it_says(n):
    draws = np.random.default_rng(n).lognormal(size=(2000, n))
    truth = np.exp(1.6448536269514722)
    missed = np.mean([quantile_bound(one, 0.95) < truth for one in draws])
    assert missed <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 2000)


def test_a_bound_has_its_limits():
    with pytest.raises(ValueError, match="must be in"):
        quantile_bound([1.0], 1.0)

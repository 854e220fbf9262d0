import numpy as np
import pytest
from scipy.stats import binomtest

from tuneworth.stats.paired import compare, compare_corpus, tango_interval


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def test_right_and_wrong_counts(rng):
    a, b = [1, 1, 0, 1, 0], [1, 0, 0, 0, 1]
    result = compare(a, b, binary=True, rng=rng)
    assert (result.wins, result.losses, result.ties, result.n_rows) == (2, 1, 2, 5)
    assert result.difference == pytest.approx(0.2)
    assert result.interval == tango_interval(2, 1, 5)
    assert result.method == "mcnemar_exact"


@pytest.mark.parametrize(("wins", "losses"), [(3, 1), (8, 2), (25, 12)])
def test_sign_flips_on_right_and_wrong_are_mcnemar(wins, losses, rng):
    a = np.repeat([1.0, 0.0, 1.0], [wins, losses, 30])
    b = np.repeat([0.0, 1.0, 1.0], [wins, losses, 30])
    exact = binomtest(wins, wins + losses).pvalue
    assert compare(a, b, binary=False, rng=rng).p_value == pytest.approx(exact, abs=0.006)


def test_identical_arms_are_not_surely_identical(rng):
    scores = rng.random(40)
    result = compare(scores, scores, binary=False, rng=rng)
    assert (result.difference, result.p_value, result.ties) == (0.0, 1.0, 40)
    assert result.interval.low < -0.05
    assert result.interval.high > 0.05
    assert result.mean_square > 0


def test_a_constant_gain_is_not_sure_either(rng):
    b = np.full(30, 0.5)
    result = compare(b + 0.1, b, binary=False, rng=rng)
    assert result.interval.low < 0.05 < 0.1 < result.interval.high


def test_no_rows_say_nothing(rng):
    for result in (
        compare([], [], binary=True, rng=rng),
        compare([], [], binary=False, rng=rng),
        compare_corpus([], [], lambda rows: 1.0, lambda rows: 0.0, rng=rng),
    ):
        assert (result.n_rows, result.difference, result.p_value) == (0, 0.0, 1.0)
        assert (result.interval.low, result.interval.high) == (-1.0, 1.0)


@pytest.mark.parametrize("binary", [True, False])
def test_unequal_lengths_are_refused(binary, rng):
    with pytest.raises(ValueError, match="2 and 1 rows; pairs need the same rows"):
        compare([1, 0], [1], binary=binary, rng=rng)


def _graded_pairs(rng, n):
    kind = rng.random((2, n))
    a, b = np.where(kind < 0.4, 1.0, np.where(kind < 0.5, 0.0, rng.beta(2, 1.5, (2, n))))
    return a, np.where(rng.random(n) < 0.4, a, np.clip(b - 0.05, 0, 1))


@pytest.mark.parametrize(("n", "repeats"), [(30, 600), (100, 250), (500, 60)])
def test_graded_difference_covers(n, repeats):
    rng = np.random.default_rng(n)
    a, b = _graded_pairs(rng, 2_000_000)
    truth = float((a - b).mean())
    results = [compare(*_graded_pairs(rng, n), binary=False, rng=rng).interval for _ in range(repeats)]
    covered = np.mean([i.low <= truth <= i.high for i in results])
    noise = 2.5 * np.sqrt(0.05 * 0.95 / repeats)
    assert 0.935 - noise <= covered <= 0.965 + noise


def test_graded_p_value_keeps_its_level_at_30_rows():
    rng = np.random.default_rng(7)
    false = 0
    for _ in range(600):
        a, b = _graded_pairs(rng, 30)
        swap = rng.random(30) < 0.5
        result = compare(np.where(swap, a, b), np.where(swap, b, a), binary=False, rng=rng)
        false += result.p_value <= 0.05 and result.interval.low > 0
    assert false / 600 <= 0.04


def _macro_f1(truth, answers):
    def value(rows):
        found = [
            2
            * np.sum((truth[rows] == c) & (answers[rows] == c))
            / (np.sum(truth[rows] == c) + np.sum(answers[rows] == c))
            for c in np.union1d(truth[rows], answers[rows])
        ]
        return float(np.mean(found))

    return value


def _labels(rng, n):
    truth = rng.choice(4, n, p=[0.4, 0.3, 0.2, 0.1])
    a, b = (np.where(rng.random(n) < right, truth, rng.integers(0, 4, n)) for right in (0.9, 0.5))
    return truth, a, b


def test_corpus_difference_is_found_and_mirrored(rng):
    truth, a, b = _labels(rng, 150)
    value_a, value_b = _macro_f1(truth, a), _macro_f1(truth, b)
    one = compare_corpus(a == truth, b == truth, value_a, value_b, rng=np.random.default_rng(1))
    other = compare_corpus(b == truth, a == truth, value_b, value_a, rng=np.random.default_rng(1))
    everything = np.arange(150)
    assert one.difference == pytest.approx(value_a(everything) - value_b(everything))
    assert one.p_value < 0.001
    assert one.interval.low > 0.1
    assert (one.interval.low, one.interval.high) == pytest.approx((-other.interval.high, -other.interval.low))
    assert (one.wins, one.losses) == (other.losses, other.wins)


def test_corpus_of_identical_arms(rng):
    truth, a, _ = _labels(rng, 60)
    value = _macro_f1(truth, a)
    result = compare_corpus(a == truth, a == truth, value, value, rng=rng)
    assert (result.difference, result.p_value) == (0.0, 1.0)
    assert result.interval == tango_interval(0, 0, 60)

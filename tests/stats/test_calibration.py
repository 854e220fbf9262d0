"""Calibration error against its definition and by simulation; the threshold keeps what it promises."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import brier_score_loss

from tuneworth.stats.calibration import bin_numbers, brier_rows, calibration_error, sure_threshold, unfolded

Floats = NDArray[np.float64]
SHAPES: dict[str, Callable[[Floats], Floats]] = {
    "calibrated": lambda sure: sure,
    "too sure": lambda sure: 0.3 + 0.5 * sure,
    "a little too sure": lambda sure: np.clip(sure - 0.05, 0, 1),
    "up and down": lambda sure: np.clip(sure + 0.1 * np.sin(8 * sure), 0, 1),
    "not sure enough": lambda sure: np.clip(0.1 + sure, 0, 1),
}


def true_error(of_bin: NDArray[np.intp], sure: Floats, chance: Floats) -> float:
    """Of these rows' bins, were the chances known."""
    return float(np.abs(np.bincount(of_bin, sure - chance)).sum() / sure.size)


def test_the_uncorrected_error_is_the_definition() -> None:
    rng = np.random.default_rng(0)
    sure = rng.random(300)
    right = (rng.random(300) < sure).astype(float)
    found = calibration_error(sure, right, rng)
    assert found is not None
    assert len(found.bins) == 10
    assert all(29 <= one.n_rows <= 31 for one in found.bins)
    by_hand = sum(one.n_rows / 300 * abs(one.confidence - one.accuracy) for one in found.bins)
    assert found.uncorrected == pytest.approx(by_hand)
    assert found.value < found.uncorrected
    assert found.interval.low == 0


def test_a_large_error_is_hardly_corrected() -> None:
    rng = np.random.default_rng(1)
    sure = 0.9 + 0.1 * rng.random(400)
    found = calibration_error(sure, (rng.random(400) < 0.5).astype(float), rng)
    assert found is not None
    assert found.value == pytest.approx(found.uncorrected, abs=0.005)
    assert 0.35 < found.interval.low < 0.45 < found.interval.high < 0.55


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n", [60, 150])
def test_intervals_cover(shape: str, n: int) -> None:
    rng = np.random.default_rng([2, n, len(shape)])
    covered, n_runs = 0, 120
    for _ in range(n_runs):
        sure = rng.beta(2, 1, n)
        chance = SHAPES[shape](sure)
        found = calibration_error(sure, (rng.random(n) < chance).astype(float), rng)
        assert found is not None
        truth = true_error(bin_numbers(sure), sure, chance)
        covered += found.interval.low <= truth <= found.interval.high
    assert covered / n_runs > 0.89  # 95 % less three standard errors


def test_intervals_cover_where_rows_come_in_copies() -> None:
    rng = np.random.default_rng(3)
    covered, apart, n_runs = 0, 0, 120
    for _ in range(n_runs):
        sure = np.repeat(rng.beta(2, 1, 60), 4)
        right = np.repeat((rng.random(60) < sure[::4] - 0.15).astype(float), 4)
        truth = true_error(bin_numbers(sure), sure, np.clip(sure - 0.15, 0, 1))
        names = [f"g{at // 4}" for at in range(240)]
        for groups in (names, None):
            found = calibration_error(sure, right, rng, groups=groups)
            assert found is not None
            inside = found.interval.low <= truth <= found.interval.high
            covered, apart = covered + (inside and groups is not None), apart + (inside and groups is None)
    assert covered / n_runs > 0.89
    assert apart < covered, "copies taken for rows of their own make the interval too narrow"


def test_rows_that_are_all_right_are_not_known_exactly() -> None:
    found = calibration_error(np.full(40, 0.97), np.ones(40), np.random.default_rng(0))
    assert found is not None
    assert found.interval.low == 0
    assert 0.03 < found.interval.high < 0.2
    assert len(found.bins) == 1, "one confidence, one bin"


def test_too_few_rows_say_nothing() -> None:
    assert calibration_error([0.5] * 19, [1.0] * 19, np.random.default_rng(0)) is None


def test_few_groups_say_nothing_however_many_rows_they_have() -> None:
    rng = np.random.default_rng(0)
    sure, groups = rng.random(90), [str(at % 9) for at in range(90)]
    assert calibration_error(sure, rng.random(90) < sure, rng, groups=groups) is None


def test_unfolding_inverts_the_folded_normal() -> None:
    rng = np.random.default_rng(4)
    for truth in (0.02, 0.1, 0.5, 3.0):
        folded = float(np.abs(truth + 0.05 * rng.normal(size=400_000)).mean())
        assert unfolded(np.array([folded]), np.array([0.05]))[0] == pytest.approx(truth, abs=0.004)
    assert unfolded(np.array([0.01]), np.array([0.05]))[0] == 0


def test_brier_score_of_two_labels_is_twice_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(5)
    chance, right = rng.random(50), rng.integers(0, 2, 50)
    rows = brier_rows(np.stack([1 - chance, chance], axis=1).tolist(), right.tolist())
    assert rows.mean() == pytest.approx(2 * brier_score_loss(right, chance))
    assert brier_rows([[0.5, 0.5], [1.0, 0.0]], [None, 0]).tolist() == [1.5, 0.0]


def test_the_threshold_counts_one_error_more() -> None:
    sure = np.linspace(0.99, 0.5, 100)
    right = np.ones(100)
    assert sure_threshold(sure, right, 0.95) == pytest.approx(0.5)
    assert sure_threshold(sure[:19], right[:19], 0.95) is None, "19 right ones do not show 95 %"
    assert sure_threshold(sure[:20], right[:20], 0.95) == pytest.approx(sure[19])
    right[50:] = 0
    assert sure_threshold(sure, right, 0.95) == pytest.approx(sure[50])  # 51 rows: (1 + 1) / 51 < 0.05
    assert sure_threshold([], [], 0.9) is None
    with pytest.raises(ValueError, match="precision is 1"):
        sure_threshold(sure, right, 1)


def test_rows_of_one_confidence_are_taken_together() -> None:
    sure = np.array([0.9] * 30 + [0.8] * 10)
    right = np.array([1.0] * 29 + [0.0] + [1.0] * 10)
    assert sure_threshold(sure, right, 0.9) == pytest.approx(0.8)
    right[:30] = [0.0] * 5 + [1.0] * 25
    assert sure_threshold(sure, right, 0.9) is None


def test_the_precision_is_kept_on_new_rows() -> None:
    rng = np.random.default_rng(6)
    kept, n_found = [], 0
    for _ in range(400):
        sure = rng.beta(2, 1, 700)
        right = (rng.random(700) < sure**0.5).astype(float)
        threshold = sure_threshold(sure[:200], right[:200], 0.9)
        if threshold is not None:
            chosen = sure[200:] >= threshold
            n_found += 1
            kept.append(float(right[200:][chosen].mean()) if chosen.any() else 1.0)
    assert n_found > 300
    assert np.mean(kept) > 0.895

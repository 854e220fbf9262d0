"""Whether the probabilities that arms give can be trusted, and how many rows they could answer alone."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuneworth.core.calibration import ArmCalibration, Calibration, ReliabilityBin, SureEnough
from tuneworth.core.outcome import Outcome
from tuneworth.core.record import Interval, Score
from tuneworth.core.run import ArmResult
from tuneworth.core.task import Example
from tuneworth.stats.calibration import brier_rows, calibration_error, sure_threshold
from tuneworth.stats.intervals import mean_interval


@dataclass(frozen=True)
class _Sure:
    """Scored rows of an arm: how sure it was, whether it was right, and the squared errors of its probabilities.

    Attributes:
        groups: of these rows; ``lost``: of those without an answer.
    """

    confidence: NDArray[np.float64]
    right: NDArray[np.float64]
    brier: NDArray[np.float64]
    groups: list[str]
    lost: list[str]


def with_calibration(
    arms: Sequence[ArmResult],
    dev: Mapping[str, Sequence[Outcome]],
    test: Mapping[str, Mapping[str, Outcome]],
    rows: Sequence[Example],
    *,
    precision: float,
    seed: int,
) -> list[ArmResult]:
    """The arms, those that give probabilities with what these are worth.

    Thresholds are chosen on dev rows; test rows only tell what they are worth.

    Args:
        dev, test: arm id → outcomes; ``test`` of finalists, by row id.
        rows: dev and test rows.
        precision: share of right answers that is asked of an arm that answers alone.
    """
    by_id = {row.id: row for row in rows}
    found: list[ArmResult] = []
    for arm in arms:
        seen = _sure(dev.get(arm.arm_id, ()), by_id)
        tested = _sure(list(test.get(arm.arm_id, {}).values()), by_id)
        if seen is None and tested is None:
            found.append(arm)
            continue
        rng = np.random.default_rng([seed, zlib.crc32(arm.arm_id.encode())])
        calibration = ArmCalibration(
            dev=_calibration(seen, rng),
            test=_calibration(tested, rng),
            sure=_sure_enough(seen, tested, precision, rng),
        )
        found.append(arm.model_copy(update={"calibration": calibration}))
    return found


def _sure(outcomes: Sequence[Outcome], rows: Mapping[str, Example]) -> _Sure | None:
    """``None`` for an arm without probabilities."""
    given = [outcome for outcome in outcomes if outcome.status == "scored" and outcome.probabilities]
    if not given:
        return None
    chances = [outcome.probabilities or {} for outcome in given]
    accepted = [rows[outcome.row_id].references for outcome in given]
    places = [_place(each, right) for each, right in zip(chances, accepted, strict=True)]
    return _Sure(
        confidence=np.array(
            [each.get(outcome.answer or "", 0.0) for each, outcome in zip(chances, given, strict=True)]
        ),
        right=np.array([float(outcome.answer in right) for outcome, right in zip(given, accepted, strict=True)]),
        brier=brier_rows([list(each.values()) for each in chances], places),
        groups=[rows[outcome.row_id].group for outcome in given],
        lost=[rows[outcome.row_id].group for outcome in outcomes if outcome.status != "scored"],
    )


def _place(chances: Mapping[str, float], accepted: Sequence[str]) -> int | None:
    """Of the right label; of several the likeliest."""
    labels = list(chances)
    return max(
        (labels.index(label) for label in accepted if label in chances),
        key=lambda at: chances[labels[at]],
        default=None,
    )


def _calibration(sure: _Sure | None, rng: np.random.Generator) -> Calibration | None:
    """``None`` from too few rows."""
    error = None if sure is None else calibration_error(sure.confidence, sure.right, rng, groups=sure.groups)
    if sure is None or error is None:
        return None
    halved = mean_interval(sure.brier / 2, binary=False, rng=rng, groups=sure.groups)
    brier = Interval(low=2 * halved.low, high=2 * halved.high, level=halved.level)
    n = sure.right.size
    return Calibration(
        n_rows=n,
        accuracy=_share(sure.right, sure.groups, rng),
        confidence=float(sure.confidence.mean()),
        brier=Score(value=float(sure.brier.mean()), interval=brier, n_rows=n),
        error=error.value,
        error_interval=error.interval,
        uncorrected_error=error.uncorrected,
        bins=[ReliabilityBin(confidence=b.confidence, accuracy=b.accuracy, n_rows=b.n_rows) for b in error.bins],
    )


def _sure_enough(
    seen: _Sure | None, tested: _Sure | None, precision: float, rng: np.random.Generator
) -> SureEnough | None:
    """``None`` for an arm that was not tested."""
    if tested is None:
        return None
    threshold = sure_threshold(seen.confidence, seen.right, precision) if seen is not None else None
    known = SureEnough(precision=precision, n_dev=0 if seen is None else seen.right.size, threshold=threshold)
    if threshold is None:
        return known
    alone = tested.confidence >= threshold
    right = tested.right[alone]
    groups = [group for group, is_alone in zip(tested.groups, alone, strict=True) if is_alone]
    of_all = np.concatenate([alone.astype(np.float64), np.zeros(len(tested.lost))])
    update = {"share": _share(of_all, [*tested.groups, *tested.lost], rng)}
    if right.size:
        update["right"] = _share(right, groups, rng)
    return known.model_copy(update=update)


def _share(values: NDArray[np.float64], groups: Sequence[str], rng: np.random.Generator) -> Score:
    interval = mean_interval(values, binary=True, rng=rng, groups=groups)
    return Score(value=float(values.mean()), interval=interval, n_rows=values.size)

"""What a run stores of probabilities: how far an arm's can be trusted, and how many rows it may answer alone."""

from __future__ import annotations

from pydantic import Field

from tuneworth.core.record import Interval, Record, Score


class ReliabilityBin(Record):
    """Rows of like confidence.

    Attributes:
        confidence: their mean confidence; ``accuracy``: the share answered right.
    """

    confidence: float
    accuracy: float
    n_rows: int


class Calibration(Record):
    """Probabilities of an arm on some rows. Confidence is the probability of the label that was answered.

    Attributes:
        accuracy: the share answered right; ``confidence``: the mean confidence.
        brier: mean over rows of the squared error of all probabilities, 0 … 2.
        error: expected calibration error, corrected for what noise adds (`tuneworth.stats.calibration`);
            ``uncorrected_error``: as usually defined, in the same bins.
    """

    n_rows: int
    accuracy: Score
    confidence: float
    brier: Score
    error: float
    error_interval: Interval
    uncorrected_error: float
    bins: list[ReliabilityBin] = Field(default_factory=list[ReliabilityBin])


class SureEnough(Record):
    """How many test rows an arm would answer alone.

    Attributes:
        precision: share of right answers that is asked for.
        threshold: confidence from which it answers, chosen on ``n_dev`` dev rows; ``None`` where these do not show the precision at any.
        share: of the test rows that reach the threshold; ``right``: of these, those answered right. ``None`` without a threshold,
            and ``right`` where no row reaches it.
    """

    precision: float
    n_dev: int
    threshold: float | None = None
    share: Score | None = None
    right: Score | None = None


class ArmCalibration(Record):
    """Of an arm that says how likely its answers are. ``test`` and ``sure`` are those of a finalist."""

    dev: Calibration | None = None
    test: Calibration | None = None
    sure: SureEnough | None = None

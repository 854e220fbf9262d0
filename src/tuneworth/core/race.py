"""What a run stores of its race (who was looked at how far, who was stopped on what evidence) and of its forecasts."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tuneworth.core.record import Interval, Record
from tuneworth.core.text import Text

StopReason = Literal["eliminated", "little_to_gain", "forecast", "no_rise", "setting", "budget", "failed"]
"""Why an arm was not looked at any further.

``eliminated``: an anytime-valid test says that it is worse than another arm by more than the margin.
``little_to_gain``: more rows were expected to gain less than they are worth; no promise goes with it.
``forecast``: even an optimistic end of its learning curve stays below the leader by more than the margin.
``no_rise``: its score did not rise over the training sizes, and at the largest it is eliminated.
``setting``: another setting of the same strategy scored as high or higher when both were trained on few rows; no promise.
``budget``: time or money did not reach. ``failed``: it broke, or left too many rows without an answer.
"""

CannotTellReason = Literal["too_few_sizes", "no_trend", "falling"]
CrossingStatus = Literal["already", "forecast", "not_within", "cannot_tell"]


class Step(Record):
    """One piece of work: an arm fitted, or asked about more dev rows.

    Attributes:
        n_train: training rows of this fit; ``None`` for an arm that has only one size.
        n_rows: dev rows that this fit has been scored on after the step, the first of the race's order.
        score: mean of the primary metric on those rows; ``None`` when none could be scored.
        seconds: what the step took, fitting and answering.
        spent_seconds: of the whole run when the step ended.
        saved: the step was found in the store, paid for by an earlier start of the same run.
    """

    arm_id: str
    n_train: int | None = None
    repeat: int = 0
    n_rows: int
    score: float | None
    seconds: float
    spent_seconds: float
    usd: float | None = None
    saved: bool = False


class Stop(Record):
    """An arm that was not looked at any further, and the evidence.

    Attributes:
        after_step: number of steps of the race that came before.
        n_train: training rows of its last fit; ``None`` for an arm that has only one size, or was never fitted.
        n_rows: dev rows on which it and the leader were both scored.
        leader: the arm it was held against.
        difference, interval: arm − leader on those rows; the interval's level says how sure.
        e_value, e_needed: evidence that it is worse by more than the margin, and the evidence asked for.
        expected_gain: what the rest was expected to gain, in points of the metric (``little_to_gain``).
        forecast_high: upper 95 % end of its score on all training rows (``forecast``).
        seconds_saved: estimate of what the rest of it would have taken.
    """

    arm_id: str
    reason: StopReason
    after_step: int = 0
    n_train: int | None = None
    n_rows: int = 0
    leader: str | None = None
    difference: float | None = None
    interval: Interval | None = None
    e_value: float | None = None
    e_needed: float | None = None
    expected_gain: float | None = None
    forecast_high: float | None = None
    seconds_saved: float | None = None


class Untested(Record):
    """An untuned arm that did not meet the test rows, against the best untuned one that did, on the dev rows that both saw.

    Attributes:
        difference, interval: arm − ``tested``, by a prior for arms that may both win (`tuneworth.stats.final_gap`).
    """

    arm_id: str
    tested: str
    n_rows: int
    difference: float
    interval: Interval


class Race(Record):
    """How the dev rows were spent, and who met how many test rows.

    Attributes:
        off: why no arm could be stopped early; ``None`` when the race was on.
        promise: the share of runs that lose an arm within the margin of the best to an elimination, at most.
        seconds: what the race took, over all starts of the run.
        seconds_all: estimate of what every arm at every size on every dev row would have taken.
        n_test, n_tested: test rows there are, and the first of a random order that every finalist was asked, as many as the time
            allowed; ``None`` in old runs.
        untested: untuned arms that may be ahead of the best untuned one that was tested.
    """

    off: Text | None = None
    margin: float
    promise: float = 0.05
    n_dev: int
    n_train: int
    steps: list[Step] = Field(default_factory=list[Step])
    stops: list[Stop] = Field(default_factory=list[Stop])
    seconds: float = 0.0
    seconds_all: float | None = None
    n_test: int | None = None
    n_tested: int | None = None
    untested: list[Untested] = Field(default_factory=list[Untested])


class ForecastPoint(Record):
    """A measured score at one training size (or, for few-shot arms, with ``n - 1`` demonstrations).

    ``n_effective``: the number of independent rows that ``n_rows`` are worth; ``None`` when each is on its own.
    """

    n: int
    score: float
    interval: Interval
    n_rows: int
    repeat: int = 0
    n_effective: float | None = None


class BandPoint(Record):
    """The predicted score at ``n``: median, 80 % and 95 % interval of one more measurement."""

    n: int
    value: float
    low80: float
    high80: float
    low95: float
    high95: float


class ForecastCrossing(Record):
    """Where the forecast overtakes the target by the margin.

    Attributes:
        status: ``already`` at the largest measured size; ``forecast``; ``not_within`` a hundred times the data;
            ``cannot_tell``.
        n, low, high: training rows in all, median and interval at ``level``; ``high`` is ``None`` when it ends
            beyond reach.
        probability: that it is overtaken within reach.
    """

    status: CrossingStatus
    level: float = 0.8
    n: int | None = None
    low: int | None = None
    high: int | None = None
    probability: float | None = None


class Forecast(Record):
    """The learning curve of one arm and what it would score with more rows.

    Attributes:
        axis: ``rows`` of training, or ``shots``: demonstrations per request, plus one.
        arm_id: the arm; for ``shots`` the arm of its family with the most demonstrations.
        cannot_tell: why nothing is forecast, else ``None``.
        weights: family of curves → its weight.
        band: from the smallest measured size to a hundred times the largest, sizes evenly spaced in log.
        target: the best untuned arm, when the forecast is that of a tuned one; ``target_score`` on the same rows.
        target_grows: the target learns from rows too, and its own curve was taken into account.
    """

    arm_id: str
    axis: Literal["rows", "shots"] = "rows"
    points: list[ForecastPoint]
    cannot_tell: CannotTellReason | None = None
    weights: dict[str, float] = Field(default_factory=dict)
    band: list[BandPoint] = Field(default_factory=list[BandPoint])
    target: str | None = None
    target_score: float | None = None
    target_grows: bool = False
    margin: float
    crossing: ForecastCrossing | None = None


class Power(Record):
    """What the rows can show, told before anything is spent.

    Attributes:
        dev_difference, test_difference: smallest true difference of two arms that these rows show with 80 %
            probability, if the arms differ on ``share_different`` of the rows; on test rows as one of ``n_pairs`` comparisons.
        rows_for_margin: test rows that would show a difference of the margin; ``None``: more than 100,000.
        n_effective: independent test rows that these are taken to be worth; ``None`` when each row is on its own.
    """

    n_dev: int
    n_test: int
    margin: float
    share_different: float
    n_pairs: int = 3
    dev_difference: float
    test_difference: float
    rows_for_margin: int | None
    n_effective: float | None = None

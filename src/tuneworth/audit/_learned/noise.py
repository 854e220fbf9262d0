"""How many labels may be wrong, told apart from what the classifier gets wrong.

From texts and labels alone the rate is not identified: a row on which a classifier and its label disagree may
show a wrong label, two classes that overlap, or a weak classifier. What the rows do allow is a range:

* **At least**: among the quarter of each predicted class that the classifier is surest of, hardly any error is its
  own. Labels that disagree there are wrong, and labels that are wrong at random are wrong there as often as
  elsewhere (anchor points: Liu & Tao 2016, IEEE TPAMI 38:447).
* **At most**: the disagreement that more rows would not remove. The error of a classifier falls with its training
  rows and the share of wrong labels does not, so the error is carried on to endless rows with the usual
  square-root rate from a quarter of the rows and from all of them.

The estimate is the middle, which is wrong by at most half the range if the truth is inside. Confident learning
(Northcutt et al. 2021, JAIR 70:1373), which ranks the rows, gives a second opinion.

NOT seen: wrong labels that follow a pattern. Where people mistake one class for another in the same way over and over,
a classifier learns the mistake; nothing in the rows then tells it from the rule. Only a second opinion on some rows
does. (Measured on news labelled by people, a fifth of it wrongly: the range for their labels and the range for the
true labels of the same texts are nearly the same; ``benchmarks/audit_noise.py``.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from tuneworth.core.run import Interval
from tuneworth.stats.intervals import wilson

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

SUREST = 0.25
MIN_LIFT = 0.3
MAX_UNDECIDED = 0.15
"""Labels that are missed and may be wrong or hard, at most, for an estimate."""
SMALL_SHARE = 0.25
"""The size of the smaller fit; with a square-root rate the limit is then 2 e(all) - e(quarter)."""


@dataclass(frozen=True, slots=True)
class NoiseRange:
    """What the rows say about the share of wrong labels.

    Attributes:
        estimate: the middle of ``at_least`` and ``at_most``.
        interval: from the lower end of ``at_least`` to the upper end of ``at_most``, both at 95 %.
        disagreement: rows whose label is not what the held-out classifier expects.
        confident: the rate by confident learning.
        lift: agreement beyond chance where the classifier is surest, mean over the classes it predicts: 0 when it
            has learnt nothing, 1 when it is always right there. Unlike accuracy it is not eaten up by noise.
    """

    estimate: float
    interval: Interval
    at_least: float
    at_most: float
    disagreement: float
    confident: float
    lift: float

    @property
    def told(self) -> bool:
        """Whether the rows say enough for an estimate that is off by hardly more than 7 points inside the range."""
        return self.lift >= MIN_LIFT and self.disagreement - self.at_least <= MAX_UNDECIDED


def noise_range(probabilities: Floats, small_wrong: NDArray[np.bool_], labels: Ints) -> NoiseRange:
    """The range from held-out ``probabilities`` of shape ``(rows, classes)``.

    Args:
        small_wrong: whether the classifier fitted on a quarter of the rows misses the label, per row.
    """
    predicted = probabilities.argmax(axis=1)
    wrong = predicted != labels
    surest = _surest(probabilities, predicted)
    at_least, low = float(wrong[surest].mean()), wilson(float(wrong[surest].sum()), surest.size)
    limit, error = _limit(wrong, small_wrong)
    at_most = min(max(limit, at_least), max(float(wrong.mean()), at_least))
    return NoiseRange(
        estimate=(at_least + at_most) / 2,
        interval=Interval(low=min(low.low, at_most), high=min(1.0, max(at_most + error, low.high))),
        at_least=at_least,
        at_most=at_most,
        disagreement=float(wrong.mean()),
        confident=confident_rate(probabilities, labels),
        lift=_lift(wrong[surest], predicted[surest], labels),
    )


def confident_rate(probabilities: Floats, labels: Ints) -> float:
    """The off-diagonal share of the calibrated confident joint. Counts the overlap of classes as noise."""
    from cleanlab.count import compute_confident_joint

    joint = np.asarray(compute_confident_joint(labels, probabilities, calibrate=True), dtype=np.float64)
    return 1 - float(np.trace(joint) / joint.sum())


def doubt(probabilities: Floats, labels: Ints) -> Floats:
    """How doubtful each label is, in [0, 1]: one minus its held-out probability.

    cleanlab's ``self_confidence``; on human errors it ranks as well as the normalised margin.
    """
    from cleanlab.rank import get_label_quality_scores

    return 1 - np.asarray(get_label_quality_scores(labels, probabilities, method="self_confidence"), dtype=np.float64)


def _surest(probabilities: Floats, predicted: Ints) -> Ints:
    """The quarter of each predicted class with the highest probability."""
    top = probabilities.max(axis=1)
    chosen: list[Ints] = []
    for label in np.unique(predicted):
        rows = np.flatnonzero(predicted == label)
        keep = max(1, round(SUREST * rows.size))
        chosen.append(rows[np.argsort(-top[rows], kind="stable")[:keep]])
    return np.concatenate(chosen)


def _lift(wrong: NDArray[np.bool_], predicted: Ints, labels: Ints) -> float:
    """Mean over predicted classes of (agreement - share of the class) / (1 - share of the class)."""
    lifts: list[float] = []
    for label in np.unique(predicted):
        by_chance = float(np.mean(labels == label))
        agreement = 1 - float(wrong[predicted == label].mean())
        lifts.append((agreement - by_chance) / max(1 - by_chance, 1e-9))
    return float(np.mean(lifts))


def _limit(wrong: NDArray[np.bool_], small_wrong: NDArray[np.bool_]) -> tuple[float, float]:
    """The error at endless rows, and half its 95 % interval."""
    values = 2 * wrong.astype(np.float64) - small_wrong
    spread = float(values.std(ddof=1)) if values.size > 1 else 1.0
    return float(values.mean()), NormalDist().inv_cdf(0.975) * spread / math.sqrt(values.size)

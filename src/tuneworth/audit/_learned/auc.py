"""The area under the ROC curve with its interval and its p-value."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from tuneworth.core.run import Interval

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Auc:
    """Chance that a score of the first kind is above one of the second; ties count half.

    Attributes:
        p_value: one-sided, of no difference (Mann & Whitney 1947).
    """

    value: float
    interval: Interval
    p_value: float


def auc(above: Floats, below: Floats) -> Auc:
    """AUC of scores ``above`` against ``below``, both of shape ``(n,)`` and not empty.

    The interval is DeLong's (1988, Biometrics 44:837) and never of zero width: rows not seen may be ranked wrongly.
    """
    from scipy.stats import mannwhitneyu, rankdata

    n, m = above.size, below.size
    ranks = np.asarray(rankdata(np.concatenate([above, below])))
    own_above, own_below = np.asarray(rankdata(above)), np.asarray(rankdata(below))
    by_above = (ranks[:n] - own_above) / m
    by_below = 1 - (ranks[n:] - own_below) / n
    value = float(by_above.mean())
    variance = _variance(by_above) / n + _variance(by_below) / m
    half = NormalDist().inv_cdf(0.975) * max(variance**0.5, 0.5 / min(n, m) / 2)
    interval = Interval(low=max(0.0, value - half), high=min(1.0, value + half))
    p_value = float(mannwhitneyu(above, below, alternative="greater").pvalue)
    return Auc(value, interval, p_value)


def _variance(values: Floats) -> float:
    return float(values.var(ddof=1)) if values.size > 1 else 0.25

"""How many rows would settle a comparison, and what the present rows can show.

Everything rests on two numbers of the paired rows: the difference (mean of a − b) and the mean square
of the row differences (for right/wrong scores, the share of rows on which the arms differ). They are
estimates from the rows at hand, so the results are too: plans, not promises.
"""

from __future__ import annotations

import math
from statistics import NormalDist

from tuneworth.core.race import Power
from tuneworth.stats._scipy import root

MAX_ROWS = 100_000
"""Nobody labels more; beyond it the answer is "not with this margin"."""
POWER = 0.8

SHARE_DIFFERENT = 0.25
"""Rows on which two arms differ, before any was asked. Two arms that are right on a share ``a`` of the rows independently of
one another differ on ``2·a·(1−a)``: half of them at 50 %, a third at 80 %, a tenth at 95 %. Arms for one task agree more
than that: in our task runs (docs/benchmarks.md) the tuned finalist and the best untuned one differed on 2 % (sms_spam) to 29 %
(the demo) of the right/wrong test rows, half of them above 20 %. A quarter is on the careful side of that; with arms that
agree more, the rows show more than is said here. For graded scores it is the widest case: no score in [0, 1] varies
more than right/wrong."""

_NORMAL = NormalDist()


def most_pairs(*, documents: bool) -> int:
    """Comparisons on the test rows at most: of three finalists, or of four where a task has documents."""
    return math.comb(4 if documents else 3, 2)


def power_of(
    n_dev: int, n_test: int, margin: float, *, n_pairs: int, worth: tuple[float | None, float | None] = (None, None)
) -> Power:
    """What rows can show before any arm was asked: the only such statement of a plan, an audit or a report.

    Args:
        n_pairs: comparisons on the test rows; Holm's strictest step is planned for.
        worth: independent rows that the dev and the test rows are worth, rows over the design effect; ``None`` when each
            row is on its own.
    """
    dev, test = (n if rows is None else int(rows) for n, rows in zip((n_dev, n_test), worth))
    needed = rows_to_show(margin, max(SHARE_DIFFERENT, margin), binary=True, n_tests=n_pairs)
    return Power(
        n_dev=n_dev,
        n_test=n_test,
        margin=margin,
        share_different=SHARE_DIFFERENT,
        n_pairs=n_pairs,
        dev_difference=smallest_difference(dev, SHARE_DIFFERENT, binary=True),
        test_difference=smallest_difference(test, SHARE_DIFFERENT, binary=True, n_tests=n_pairs),
        rows_for_margin=None if needed is None else _capped(needed * n_test / max(1, test)),
        n_effective=worth[1],
    )


def rows_to_show(
    difference: float,
    mean_square: float,
    *,
    binary: bool,
    n_tests: int = 1,
    level: float = 0.95,
    power: float = POWER,
) -> int | None:
    """Rows after which a true ``difference`` is found significant with probability ``power``.

    Args:
        mean_square: mean of the squared row differences; at least ``difference ** 2``.
        binary: scores are right/wrong; the exact test moves in steps and needs somewhat more rows.
        n_tests: size of the Holm family; its strictest step is planned for.

    Returns:
        ``None`` when there is no difference, or beyond ``MAX_ROWS``.

    Source: Connor (1987), Biometrics 43:207, with the continuity correction of Fleiss.
    """
    size = abs(difference)
    if size == 0.0:
        return None
    z_test = _NORMAL.inv_cdf(1 - (1 - level) / 2 / n_tests)
    null, true = math.sqrt(max(mean_square, size**2)), math.sqrt(max(mean_square - size**2, 0.0))
    root_of_rows = (z_test * null + _NORMAL.inv_cdf(power) * true) / size
    if root_of_rows > math.sqrt(MAX_ROWS):
        return None
    plain = root_of_rows**2
    return _capped(plain / 4 * (1 + math.sqrt(1 + 4 / (size * plain))) ** 2 if binary else plain)


def rows_to_tie(
    difference: float, mean_square: float, *, margin: float, level: float = 0.95, power: float = POWER
) -> int | None:
    """Rows after which the interval lies inside ±``margin`` with probability ``power``.

    ``None`` when the difference is not smaller than the margin, or beyond ``MAX_ROWS``.
    Source: two one-sided tests, Schuirmann (1987), at the two-sided level of the shown interval.
    """
    size = abs(difference)
    if size >= margin:
        return None
    z = _NORMAL.inv_cdf((1 + level) / 2)

    def shortfall(error: float) -> float:
        inside = _NORMAL.cdf((margin - size) / error - z) + _NORMAL.cdf((margin + size) / error - z) - 1
        return inside - power

    least = 1e-9
    if shortfall(least) <= 0:
        return None  # the difference is below the margin by no more than rounding: no number of rows tells them apart
    error = root(shortfall, least, margin)
    variance = max(mean_square - size**2, 0.0)
    # Even without a single row that differs, the score interval needs this many rows to be that narrow.
    without_any = z * z * (1 - margin) / margin
    return _capped(max(variance / error**2, without_any))


def smallest_difference(
    n_rows: int,
    mean_square: float,
    *,
    binary: bool,
    n_tests: int = 1,
    level: float = 0.95,
    power: float = POWER,
) -> float:
    """The least true difference that ``n_rows`` paired rows show with probability ``power``.

    A difference cannot exceed the share of rows that differ, so the share grows with it where needed.
    Returns 1 when not even the largest difference would be seen.
    """

    def spare(difference: float) -> float:
        square = max(mean_square, difference)
        needed = rows_to_show(difference, square, binary=binary, n_tests=n_tests, level=level, power=power)
        return n_rows - (needed if needed is not None else MAX_ROWS + 1)

    if spare(1.0) < 0:
        return 1.0
    low, high = 0.0, 1.0
    while high - low > 1e-4:
        middle = (low + high) / 2
        low, high = (low, middle) if spare(middle) >= 0 else (middle, high)
    return high


def _capped(rows: float) -> int | None:
    return math.ceil(rows) if rows <= MAX_ROWS else None

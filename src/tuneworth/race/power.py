"""What the rows of a run can show, told before anything is spent."""

from __future__ import annotations

from tuneworth.core.race import Power
from tuneworth.stats.power import rows_to_show, smallest_difference

SHARE_DIFFERENT = 0.25
"""Rows on which two arms differ, before any was asked. Two arms that are right on a share ``a`` of the rows independently of
one another differ on ``2·a·(1−a)``: half of them at 50 %, a third at 80 %, a tenth at 95 %. Arms for one task agree more
than that: in our task runs (docs/benchmarks.md) the tuned finalist and the best untuned one differed on 2 % (sms_spam) to 29 %
(the demo) of the right/wrong test rows, half of them above 20 %. A quarter is on the careful side of that; with arms that
agree more, the rows show more than is said here. For graded scores it is the widest case: no score in [0, 1] varies
more than right/wrong."""

N_PAIRS = 3
"""Comparisons on the test rows: three finalists, and Holm's strictest step."""


def power_of(n_dev: int, n_test: int, margin: float, *, binary: bool) -> Power:
    """The smallest differences that the rows show with 80 % probability, and the test rows that show the margin.

    Args:
        binary: the metric is right/wrong per row.
    """
    needed = rows_to_show(margin, max(SHARE_DIFFERENT, margin), binary=binary, n_tests=N_PAIRS)
    return Power(
        n_dev=n_dev,
        n_test=n_test,
        margin=margin,
        share_different=SHARE_DIFFERENT,
        dev_difference=smallest_difference(n_dev, SHARE_DIFFERENT, binary=binary),
        test_difference=smallest_difference(n_test, SHARE_DIFFERENT, binary=binary, n_tests=N_PAIRS),
        rows_for_margin=needed,
    )

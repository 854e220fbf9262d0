import numpy as np
import pytest
from documents_builders import N, loss
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneworth.decide.losses import diagnose

MARGIN = 0.02

# name, reading, retrieval, further fields, cause, whether the reader is fine
SPLITS = [
    ("reading is the larger", (0.30, 0.05), (0.03, 0.03), {}, "reading", False),
    ("retrieval is the larger", (0.05, 0.03), (0.30, 0.05), {}, "retrieval", False),
    ("only retrieval loses", (0.01, 0.005), (0.30, 0.05), {}, "retrieval", True),
    ("both count, neither is larger", (0.20, 0.05), (0.18, 0.05), {}, "both", False),
    ("neither counts", (0.01, 0.005), (0.005, 0.01), {}, "little", True),
    ("doing better without the passage", (0.30, 0.05), (-0.04, 0.02), {}, "reading", False),
    ("too wide to tell", (0.08, 0.08), (0.05, 0.06), {}, "unclear", False),
    ("larger, but perhaps too little to matter", (0.025, 0.01), (0.0, 0.01), {}, "unclear", False),
    ("fewer than twenty rows", (0.80, 0.05), (0.05, 0.05), {"n": 19}, "unclear", False),
    ("never found", (0.0, 0.5), (0.95, 0.5), {"found": 0.0}, "never_found", False),
]


@pytest.mark.parametrize(
    ("reading", "retrieval", "more", "cause", "fine"), [case[1:] for case in SPLITS], ids=[case[0] for case in SPLITS]
)
def test_causes(reading, retrieval, more, cause, fine):
    found = diagnose(loss("rag", reading, retrieval, **more), MARGIN)
    assert (found.cause, found.reader_is_fine) == (cause, fine)
    assert (found.rows is not None) <= (cause == "unclear")


def test_intervals_that_touch_name_no_larger_part():
    assert diagnose(loss("rag", (0.2, 0.05), (0.125, 0.0251)), MARGIN).cause == "both"
    assert diagnose(loss("rag", (0.2, 0.05), (0.125, 0.0249)), MARGIN).cause == "reading"


@pytest.mark.parametrize(
    ("reading", "retrieval", "rows"),
    [
        # Apart by 0.06 with 0.12 of interval between: half the width takes four times the rows.
        ((0.08, 0.06), (0.02, 0.06), 3 * N),
        # Both 0.02 above the margin with 0.04 below them: again four times.
        ((0.04, 0.04), (0.04, 0.04), 3 * N),
        # The same size, at the margin: no number of rows tells.
        ((0.02, 0.04), (0.02, 0.04), None),
    ],
)
def test_rows_that_would_tell(reading, retrieval, rows):
    found = diagnose(loss("rag", reading, retrieval), MARGIN)
    assert found.cause == "unclear"
    assert found.rows == (None if rows is None else pytest.approx(rows, abs=2))


def test_few_rows_are_asked_to_become_twenty():
    assert diagnose(loss("rag", (0.8, 0.01), (0.05, 0.01), n=10), MARGIN).rows == 10


@settings(max_examples=200, deadline=None)
@given(
    st.floats(0.0, 0.6), st.floats(0.001, 0.2), st.floats(-0.1, 0.4), st.floats(0.001, 0.2), st.sampled_from([30, 300])
)
def test_as_many_rows_as_asked_for_would_tell(reading, half, retrieval, other_half, n):
    found = diagnose(loss("rag", (reading, half), (retrieval, other_half), n=n), MARGIN)
    if found.cause != "unclear" or found.rows is None:
        return
    shrink = np.sqrt(n / (n + found.rows)) * (1 - 1e-9)
    then = diagnose(loss("rag", (reading, half * shrink), (retrieval, other_half * shrink), n=n + found.rows), MARGIN)
    assert then.cause != "unclear"


def test_the_larger_part_is_rarely_named_wrongly():
    """Reading and retrieval of a reader for which both are equal: naming either is an error."""
    rng, wrong, trials = np.random.default_rng(0), 0, 400
    from tuneworth.stats.intervals import wilson

    n = 400
    for _ in range(trials):
        # Found: 2/3 of the rows, right on 3/4 of these; never right without. Reading 1/4, retrieval 1/3 · 3/4 = 1/4.
        found = rng.random(n) < 2 / 3
        right = found & (rng.random(n) < 3 / 4)
        s, m = right[found].mean(), 1 - found.mean()
        read = wilson(int(right[found].sum()), int(found.sum()))
        again = rng.integers(0, n, (300, n))
        boot = [right[i][found[i]].mean() - right[i].mean() for i in again]
        low, high = np.quantile(boot, [0.025, 0.975])
        split = loss("rag", (1 - s, 0.0), (m * s, 0.0), n=n, found=found.mean())
        reading = split.reading.model_copy(
            update={"interval": read.model_copy(update={"low": 1 - read.high, "high": 1 - read.low})}
        )
        retrieval = split.retrieval.model_copy(
            update={"interval": split.retrieval.interval.model_copy(update={"low": low, "high": high})}
        )
        cause = diagnose(split.model_copy(update={"reading": reading, "retrieval": retrieval}), MARGIN).cause
        wrong += cause in ("reading", "retrieval")
    assert wrong / trials <= 0.05

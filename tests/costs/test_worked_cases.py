"""`benchmarks/money.py`: bills against sums by hand, and intervals against made-up worlds."""

from __future__ import annotations

import pytest

from scripts import load_script

bench = load_script("benchmarks/money.py")
CASES = list(bench.cases())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_bill_is_the_sum_that_one_writes_by_hand(case):
    assert case.agrees, (case.ours, case.plain)


def test_a_case_that_is_a_cent_off_is_told():
    assert len(CASES) >= 30
    assert not bench.Case("off", "usd", 10.006, 10.004).agrees
    assert not bench.Case("off in yuan alone", "usd", 10.0012, 10.0006).agrees


@pytest.mark.parametrize("kind", bench.KINDS)
def test_intervals_hold_about_what_they_promise(kind):
    for inner, outer in bench.coverage(kind, 40, seed=1, n_draws=1_000).values():
        assert 0.6 <= inner <= 0.95
        assert outer >= 0.85

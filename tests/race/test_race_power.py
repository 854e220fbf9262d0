"""What rows can show, held against simulated comparisons."""

from __future__ import annotations

import numpy as np
import pytest

from tuneworth.core.task import Example, Message, Query
from tuneworth.race.prepare import worth_of
from tuneworth.report.pages.race import power_sentence
from tuneworth.stats.paired import mcnemar_exact
from tuneworth.stats.power import SHARE_DIFFERENT, most_pairs, power_of

N_PAIRS = most_pairs(documents=False)


def found(n_rows: int, difference: float, level: float, seed: int, n_runs: int = 2000) -> float:
    """Share of simulated comparisons that find a true difference of two arms that differ on a quarter of the rows."""
    rng = np.random.default_rng(seed)
    share = [(SHARE_DIFFERENT + difference) / 2, (SHARE_DIFFERENT - difference) / 2, 1 - SHARE_DIFFERENT]
    counts = rng.multinomial(n_rows, share, size=n_runs)
    return float(np.mean([mcnemar_exact(int(wins), int(losses)) <= level for wins, losses, _ in counts]))


@pytest.mark.parametrize(("n_dev", "n_test"), [(150, 300), (300, 1000)])
def test_the_differences_named_are_found_four_times_in_five(n_dev, n_test):
    power = power_of(n_dev, n_test, 0.02, n_pairs=N_PAIRS)
    assert 0.76 <= found(n_test, power.test_difference, 0.05 / N_PAIRS, seed=1) <= 0.86
    assert 0.76 <= found(n_dev, power.dev_difference, 0.05, seed=2) <= 0.86


def test_so_many_rows_show_the_margin():
    power = power_of(150, 300, 0.08, n_pairs=N_PAIRS)
    rows = power.rows_for_margin or 0
    assert 0.76 <= found(rows, 0.08, 0.05 / N_PAIRS, seed=3) <= 0.86
    assert power_of(150, rows, 0.08, n_pairs=N_PAIRS).test_difference == pytest.approx(0.08, abs=0.001)


def test_more_rows_show_less_and_a_margin_may_be_out_of_reach():
    few, many = power_of(20, 30, 0.02, n_pairs=N_PAIRS), power_of(150, 300, 0.02, n_pairs=N_PAIRS)
    assert few.test_difference > many.test_difference
    assert few.rows_for_margin == many.rows_for_margin
    assert (many.rows_for_margin or 0) > 300
    assert power_of(150, 300, 0.001, n_pairs=N_PAIRS).rows_for_margin is None
    assert power_of(150, 300, 0.5, n_pairs=N_PAIRS).rows_for_margin is not None
    assert power_of(3, 6, 0.02, n_pairs=N_PAIRS).test_difference == 1.0


def test_more_comparisons_take_more_rows():
    few, many = (power_of(150, 300, 0.02, n_pairs=most_pairs(documents=documents)) for documents in (False, True))
    assert (few.n_pairs, many.n_pairs) == (3, 6)
    assert 0 < (few.rows_for_margin or 0) < (many.rows_for_margin or 0)
    assert few.dev_difference == many.dev_difference


def test_the_sentence_names_rows_margin_and_assumption():
    text = power_sentence(power_of(150, 300, 0.02, n_pairs=N_PAIRS))
    for part in ("300 test rows", "2 points", "25", "150 dev rows", "3 comparisons"):
        assert part in text.en.replace("\u00a0", " ")
    assert "300 条测试数据" in text.zh


def rows_in_groups(texts: list[str], size: int) -> list[Example]:
    return [
        Example(Query(str(at), (Message("user", text),)), "a", group=f"g{at // size}") for at, text in enumerate(texts)
    ]


def test_near_copies_are_worth_one_row_and_different_rows_of_a_customer_nearly_all() -> None:
    rng = np.random.default_rng(1)
    texts = ["".join(rng.choice(list("abcdefghijklmnop ")) for _ in range(60)) for _ in range(60)]
    copies = [f"{text} {at}" for text in texts[:12] for at in range(5)]
    assert worth_of(rows_in_groups(copies, 5)) == pytest.approx(12, rel=0.15)
    assert worth_of(rows_in_groups(texts, 5)) == pytest.approx(60, rel=0.05)
    assert worth_of(rows_in_groups(texts, 1)) is None
    assert worth_of(rows_in_groups([""] * 10, 2)) == 5


def test_rows_that_may_be_alike_are_planned_for_as_so_many_fewer():
    alone, grouped = (power_of(150, 300, 0.08, n_pairs=3, worth=worth) for worth in ((None, None), (30.0, 60.0)))
    assert grouped.test_difference == power_of(30, 60, 0.08, n_pairs=3).test_difference
    assert grouped.dev_difference == power_of(30, 60, 0.08, n_pairs=3).dev_difference
    assert grouped.rows_for_margin == 5 * (alone.rows_for_margin or 0)
    assert "300 test rows are worth 60" in power_sentence(grouped).en
    assert "worth" not in power_sentence(alone).en

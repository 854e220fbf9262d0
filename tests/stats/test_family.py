import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from tuneworth.stats.family import MIN_PAIRS, holm, judge
from tuneworth.stats.paired import compare


def _pair(wins, losses, ties):
    a = np.repeat([1, 0, 1], [wins, losses, ties])
    b = np.repeat([0, 1, 1], [wins, losses, ties])
    return compare(a, b, binary=True, rng=np.random.default_rng(0))


@pytest.mark.parametrize("p_values", [[0.01], [0.01, 0.04, 0.03], [0.5, 0.001, 0.02, 0.02], [0.9, 0.8], []])
def test_holm_equals_statsmodels(p_values):
    expected = multipletests(p_values, method="holm")[1] if p_values else []
    assert holm(p_values) == pytest.approx(list(expected))


@pytest.mark.parametrize(
    ("wins", "losses", "ties", "margin", "answer"),
    [
        (30, 5, 65, 0.02, "better"),
        (5, 30, 65, 0.02, "worse"),
        (10, 10, 980, 0.02, "equivalent"),
        (10, 8, 82, 0.02, "cant_tell"),
        (19, 0, 0, 0.02, "cant_tell"),  # one row short of the minimum
        (20, 0, 0, 0.02, "better"),
        (60, 20, 9920, 0.02, "equivalent"),  # real, but smaller than what matters
        (60, 20, 9920, 0.002, "better"),
    ],
)
def test_answers(wins, losses, ties, margin, answer):
    assert judge([_pair(wins, losses, ties)], margin=margin)[0].answer == answer


def test_a_family_is_judged_more_strictly_than_its_members():
    borderline = _pair(14, 4, 82)
    assert judge([borderline], margin=0.02)[0].answer == "better"
    three = judge([borderline, _pair(10, 9, 81), _pair(8, 9, 83)], margin=0.02)
    assert three[0].p_adjusted == pytest.approx(3 * borderline.p_value)
    assert three[0].answer == "cant_tell"


def test_rows_needed_only_for_what_is_open_and_always_more_than_there_are():
    settled = judge([_pair(30, 5, 65)], margin=0.02)[0]
    assert settled.rows_needed is None
    near = judge([_pair(14, 5, 81)], margin=0.02)[0]
    assert near.answer == "cant_tell"
    assert 110 <= near.rows_needed <= 300


def test_too_few_rows_never_name_a_number():
    few = judge([_pair(MIN_PAIRS - 1, 0, 0)], margin=0.02)[0]
    assert (few.answer, few.rows_needed) == ("cant_tell", None)


def test_hopeless_numbers_are_not_named():
    even = judge([_pair(40, 40, 20)], margin=0.005)[0]
    assert (even.answer, even.rows_needed) == ("cant_tell", None)


@pytest.mark.parametrize("margin", [0, 1, -0.1])
def test_margin_is_checked(margin):
    with pytest.raises(ValueError, match=r"must be in \(0, 1\)"):
        judge([_pair(1, 1, 30)], margin=margin)


@pytest.mark.parametrize(("n", "differ"), [(30, 0.3), (100, 0.1), (500, 0.2)])
def test_a_family_of_equals_seldom_has_a_winner(n, differ):
    """Three arms of equal quality: some comparison is called better or worse in at most 5 % of runs."""
    rng = np.random.default_rng(n)
    false = 0
    for _ in range(400):
        base = rng.random(n) < 0.7
        arms = [np.where(rng.random(n) < differ, rng.random(n) < 0.7, base) for _ in range(3)]
        pairs = [(arms[0], arms[1]), (arms[0], arms[2]), (arms[1], arms[2])]
        family = judge([compare(a, b, binary=True, rng=rng) for a, b in pairs], margin=0.001)
        false += any(judged.answer in ("better", "worse") for judged in family)
    assert false / 400 <= 0.05

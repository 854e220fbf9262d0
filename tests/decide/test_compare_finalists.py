import numpy as np
import pytest
from decide_builders import compared, rows_of

from tuneworth.decide.compare import compare_finalists


def test_every_pair_once_and_holm_over_all():
    a, b = rows_of(40, 10, 200, 50)
    found = compared({"a": a, "b": b, "c": a})
    assert [(pair.a, pair.b) for pair in found] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert found[0].answer == "better"
    assert found[0].p_adjusted == pytest.approx(3 * found[0].p_value)
    assert found[2].answer == "worse"
    assert {pair.metric for pair in found} == {"accuracy"}


def test_only_rows_that_both_scored_are_paired():
    found = compared({"a": {"r1": 1.0, "r2": 0.0, "r3": 1.0}, "b": {"r3": 0.0, "r2": 0.0, "r9": 1.0}})
    assert (found[0].n_rows, found[0].wins, found[0].losses, found[0].ties) == (2, 1, 0, 1)
    assert found[0].answer == "cant_tell"


def test_one_finalist_has_nobody_to_meet():
    assert compared({"a": {"r": 1.0}}) == []


def test_no_shared_row_is_not_a_result():
    found = compared({"a": {"r1": 1.0}, "b": {"r2": 0.0}})
    assert (found[0].n_rows, found[0].answer, found[0].rows_needed) == (0, "cant_tell", None)


def test_a_corpus_metric_sees_repeated_row_ids_of_its_own_arm():
    ids = [f"r{i}" for i in range(60)]
    values = {
        "a": {row: float(i % 4 != 0) for i, row in enumerate(ids)},
        "b": {row: float(i % 2) for i, row in enumerate(ids)},
    }
    seen = set()

    def corpus(arm_id, row_ids):
        assert len(row_ids) == 60
        seen.add((arm_id, len(set(row_ids)) < 60))
        return float(np.mean([values[arm_id][row] for row in row_ids])) ** 2

    found = compare_finalists(
        ["a", "b"], values, metric="macro_f1", binary=False, margin=0.02, rng=np.random.default_rng(0), corpus=corpus
    )
    assert seen == {("a", False), ("b", False), ("a", True), ("b", True)}
    assert found[0].difference == pytest.approx(0.75**2 - 0.5**2)
    assert found[0].method == "paired_bootstrap_corpus"
    assert found[0].answer == "better"

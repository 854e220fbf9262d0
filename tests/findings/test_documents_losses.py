from dataclasses import replace

import numpy as np
import pytest
from documents_seen import arm, halved, library, mean, outcome, passages, row, rows, seen, unanswerable
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneworth.core.registry import load_plugin
from tuneworth.findings.documents.losses import losses, oracle_score, split_loss
from tuneworth.findings.documents.seen import referee_for

ROWS = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=30)


def split(pairs):
    scores, found = zip(*pairs)
    return split_loss(np.array(scores, dtype=float), np.array(found, dtype=bool), np.random.default_rng(0))


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_reading_and_retrieval_are_the_loss_exactly(pairs):
    reading, retrieval = split(pairs)
    assert reading.value + retrieval.value == pytest.approx(1 - np.mean([score for score, _ in pairs]), abs=1e-12)
    for share in (reading, retrieval):
        assert share.interval.low <= share.value + 1e-12
        assert share.value - 1e-12 <= share.interval.high
    found = [score for score, is_found in pairs if is_found]
    missed = [score for score, is_found in pairs if not is_found]
    if found and missed:
        gain = len(missed) / len(pairs) * (np.mean(found) - np.mean(missed))
        assert retrieval.value == pytest.approx(gain, abs=1e-12)


def test_a_bad_reader_and_a_bad_search_are_told_apart():
    blind = [(1.0, True)] * 10 + [(0.0, False)] * 10
    reading, retrieval = split(blind)
    assert (reading.value, retrieval.value) == (0.0, 0.5)
    assert retrieval.interval.low > 0.2
    assert retrieval.interval.high < 0.8
    assert reading.interval.high < 0.35

    illiterate = [(0.0, True)] * 10 + [(0.0, False)] * 10
    reading, retrieval = split(illiterate)
    assert (reading.value, retrieval.value) == (1.0, 0.0)


def test_where_nothing_was_missed_retrieval_is_bounded_by_the_rows():
    few, many = split([(1.0, True)] * 10)[1], split([(1.0, True)] * 300)[1]
    assert few.value == many.value == 0
    assert few.interval.high > 0.2
    assert many.interval.high < 0.02


def test_a_single_miss_says_little_about_misses():
    retrieval = split([(1.0, True)] * 119 + [(1.0, False)])[1]
    assert retrieval.value == 0
    assert 0.02 < retrieval.interval.high < 0.05
    assert retrieval.interval.low > -0.01


def test_where_nothing_was_found_either_may_be_the_cause():
    reading, retrieval = split([(0.25, False)] * 8)
    assert (reading.value, retrieval.value) == (0.0, 0.75)
    assert (reading.interval.low, reading.interval.high) == (retrieval.interval.low, retrieval.interval.high) == (0, 1)


def test_an_arm_that_does_better_without_the_passage_has_negative_retrieval():
    _reading, retrieval = split([(0.2, True)] * 8 + [(0.9, False)] * 8)
    assert retrieval.value == pytest.approx(-0.35)
    assert retrieval.interval.low < -0.2


def test_the_interval_of_retrieval_covers_what_it_promises():
    rng = np.random.default_rng(5)
    share_missed, read, guessed, n, n_runs = 0.3, 0.8, 0.2, 80, 120
    covered = 0
    for run in range(n_runs):
        found = rng.random(n) >= share_missed
        scores = (rng.random(n) < np.where(found, read, guessed)).astype(float)
        interval = split_loss(scores, found, np.random.default_rng(run))[1].interval
        covered += interval.low <= share_missed * (read - guessed) <= interval.high
    assert 0.89 <= covered / n_runs <= 0.99  # 0.95 nominal, two standard errors of 120 runs are 0.04


def test_copies_of_a_row_are_counted_by_group():
    """Forty questions, each five times, are worth forty rows: intervals are wider by about the root of five."""
    rng = np.random.default_rng(6)
    found, read = (np.repeat(rng.random(40) >= share, 5) for share in (0.3, 0.2))
    scores, groups = (found & read).astype(float), [f"g{at // 5}" for at in range(200)]
    alone = split_loss(scores, found, np.random.default_rng(0))
    together = split_loss(scores, found, np.random.default_rng(0), groups)
    for one, other in zip(alone, together, strict=True):
        assert one.value == other.value
        width, wider = (part.interval.high - part.interval.low for part in (one, other))
        assert 1.7 < wider / width < 2.9


def test_rows_that_failed_or_cannot_be_judged_are_left_out(tmp_path):
    test = [*rows("t", [0, 1, 2]), row("t3", 3), unanswerable("x")]
    answers = [
        outcome(test[0], "300 kilos", [0, 5]),
        outcome(test[1], "no idea", [5, 1]),
        outcome(test[2], "no idea", [5, 6]),
        outcome(test[3], None),
        outcome(test[4], "a painter", [5, 6]),
    ]
    books = library(tmp_path)
    result = seen(books, test=test, arms=[arm()], on_test={"rag": answers})
    [found] = losses(result, referee_for(books, test))
    assert (found.judge, found.stage, found.n_rows, found.n_found) == ("gold", "test", 3, 2)
    assert found.score_found is not None
    assert found.score_missed is not None
    assert (found.score_found.value, found.score_found.n_rows) == (0.5, 2)
    assert found.score_missed.value == 0
    assert found.reading.value == pytest.approx(1 / 2)
    assert found.retrieval.value == pytest.approx(1 / 3 * 1 / 2)


def test_without_gold_the_answer_tells_what_was_found(tmp_path):
    dev = rows("v", [0, 1], gold=False)
    answers = [outcome(dev[0], "300 kilos", [0], stage="dev"), outcome(dev[1], "300 kilos", [0], stage="dev")]
    books = library(tmp_path)
    result = seen(books, dev=dev, arms=[arm(finalist=False)], on_dev={"rag": answers})
    [found] = losses(result, referee_for(books, dev))
    assert (found.judge, found.stage, found.n_rows, found.n_found) == ("answer", "dev", 2, 1)


def test_where_no_right_passage_is_known_nothing_is_said_to_be_lost_by_the_search(tmp_path):
    test = [replace(one, references=("very heavy indeed",)) for one in rows("t", [0, 1, 2], gold=False)]
    books = library(tmp_path, train=test)
    result = seen(books, test=test, arms=[arm()], on_test={"rag": [outcome(one, "no idea", [5]) for one in test]})
    assert losses(result, referee_for(books, test)) == []


def test_rows_whose_document_holds_the_answer_nowhere_are_left_out(tmp_path):
    """Else any of its passages would be the right one, and nothing ever lost by the search."""
    made = [*passages(), replace(passages()[1], id="d1#1", text="Another part.", digest="other")]
    test = [row("t0", 0), replace(row("t1", 1), output="very heavy", references=("very heavy",))]
    books = library(tmp_path, made)
    result = seen(books, test=test, arms=[arm()], on_test={"rag": [outcome(one, "no idea", [0, 1]) for one in test]})
    [found] = losses(result, referee_for(books, test))
    assert (found.judge, found.n_rows, found.n_found) == ("gold", 1, 1)


def test_an_arm_with_smaller_passages_is_judged_by_those(tmp_path):
    usual, half = halved()
    books = library(tmp_path, cut=lambda size: usual if size == 100 else half)
    glass = replace(row("t0", 0), gold=("d0#1",), output="green glass", references=("green glass",))
    handle = replace(glass, query=replace(glass.query, id="t1"), output="a knob", references=("a knob",))
    arms = [arm("rag"), arm("rag/half", config={"passage_tokens": 50})]

    def shown(one, name):
        return outcome(one, "no idea").model_copy(update={"passages": (name,)})

    answers = {
        "rag": [shown(glass, "d0#1"), shown(handle, "d0#1")],
        "rag/half": [shown(glass, "d0#1"), shown(handle, "d0#1")],
    }
    result = seen(books, test=[glass, handle], arms=arms, on_test=answers)
    by_arm = {each.arm_id: each for each in losses(result, referee_for(books, [glass, handle]))}
    assert (by_arm["rag"].n_rows, by_arm["rag"].n_found) == (2, 2)
    # The same id is another text there; which half answers the second row is not known.
    assert (by_arm["rag/half"].n_rows, by_arm["rag/half"].n_found) == (1, 0)


def test_only_measured_arms_that_look_things_up_have_a_split(tmp_path):
    test = rows("t", [0, 1])
    arms = [
        arm("prompt", reads_documents=False),
        arm("oracle", yardstick=True),
        arm("rag", state="failed"),
        arm("rag/b"),
        arm("rag/nothing"),
    ]
    answers = {each.arm_id: [outcome(one, "300 kilos", [0]) for one in test] for each in arms}
    answers["rag/nothing"] = [outcome(one, None) for one in test]
    books = library(tmp_path)
    result = seen(books, test=test, arms=arms, on_test=answers)
    assert [found.arm_id for found in losses(result, referee_for(books, test))] == ["rag/b"]


def test_a_number_for_all_rows_cannot_be_split(tmp_path):
    test = rows("t", [0, 1])
    books = library(tmp_path)
    result = seen(
        books, test=test, arms=[arm("rag")], on_test={"rag": [outcome(one, "300 kilos", [0]) for one in test]}
    )
    assert losses(result, referee_for(books, test))
    macro = load_plugin("tuneworth.metrics", "macro_f1")
    assert losses(replace(result, metric=macro), referee_for(books, test)) == []


def test_the_oracle_is_that_of_the_same_reader():
    reader = arm("rag", config={"k": 5, "constrained": False})
    arms = {
        each.arm_id: each
        for each in (
            arm("oracle/free", strategy="oracle", config={"constrained": False}, dev={"exact_match": mean(0.7)}),
            arm("oracle/held", strategy="oracle", config={"constrained": True}, dev={"exact_match": mean(0.8)}),
            arm("oracle/other", strategy="oracle", model="other", dev={"exact_match": mean(0.9)}),
        )
    }
    found = oracle_score(reader, arms, "exact_match")
    assert found is not None
    assert found.value == 0.7
    assert oracle_score(arm("lora_rag", tuned=True), arms, "exact_match") is None
    assert oracle_score(reader, arms, "accuracy") is None

import time
from dataclasses import replace

import numpy as np
import pytest
from documents_seen import ITEMS, arm, halved, library, outcome, passages, row, rows, seen, unanswerable

from tuneworth.core.task import Example, Message, Query
from tuneworth.findings.documents.recalls import recalls
from tuneworth.findings.documents.seen import referee_for


def found(result):
    return recalls(result, referee_for(result.library, [*result.split.dev, *result.split.test]))


def test_every_way_of_searching_on_both_sides(tmp_path):
    dev, test = rows("v", [0, 1, 2]), rows("t", [7, 8])
    books = library(tmp_path)
    result = seen(books, dev=dev, test=test, arms=[arm()], on_test={"rag": [outcome(test[0], "307 kilos", [7])]})
    every = found(result)
    assert [(each.stage, each.mode) for each in every] == [
        (stage, mode) for stage in ("dev", "test") for mode in ("hybrid", "vector", "text")
    ]
    by_words = next(each for each in every if each.stage == "dev" and each.mode == "text")
    assert found(replace(result, deadline=time.monotonic() + 3600)) == every
    assert found(replace(result, deadline=time.monotonic() - 1)) == [one for one in every if one.mode == "hybrid"]
    # Item and place stand in one passage only, so words find it at once.
    assert (by_words.judge, by_words.at[1].value, by_words.at[1].n_rows) == ("gold", 1.0, 3)
    assert by_words.mrr is not None
    assert by_words.ndcg is not None
    assert by_words.mrr.value == by_words.ndcg.value == 1.0
    assert by_words.at[1].interval.low < 1.0


def test_figures_are_those_of_the_rankings(tmp_path):
    books = library(tmp_path, encoder=None)
    both = Query("v2", (Message("user", "Is the violin of Muskau as heavy as the anvil?"),))
    dev = (row("v0", 0), replace(row("v1", 1), gold=("d3", "d1")), Example(both, "309 kilos", gold=("d9#0",)))
    [third] = books.search([both.text], 10)
    assert [hit.passage.id for hit in third] == ["d2#0", "d9#0"]
    [each] = found(seen(books, dev=dev))
    assert each.at[1].value == pytest.approx((1 + 1 / 2 + 0) / 3)  # d3 shares no word with the question
    assert each.at[3].value == each.at[10].value == pytest.approx((1 + 1 / 2 + 1) / 3)
    assert each.mrr is not None
    assert each.ndcg is not None
    assert each.mrr.value == pytest.approx((1 + 1 + 1 / 2) / 3)
    second = 1 / np.log2(3)
    assert each.ndcg.value == pytest.approx((1 + 1 / (1 + second) + second) / 3)


def test_a_document_in_several_passages_is_found_by_one(tmp_path):
    made = passages()
    made.append(replace(made[0], id="d0#1", text="It weighs 300 kilos, the other kettle says.", digest="other"))
    books = library(tmp_path, made, encoder=None)
    assert len(books.gold(row("v0", 0))) == 2
    [each] = found(seen(books, dev=[row("v0", 0)]))
    assert each.at[1].value == 1.0
    assert each.ndcg is not None
    assert each.ndcg.value == 1.0


def test_without_gold_answers_are_looked_for(tmp_path):
    books = library(tmp_path, encoder=None)
    dev = [*rows("v", [0, 1], gold=False), unanswerable("x")]
    [each] = found(seen(books, dev=dev))
    assert (each.judge, each.at[1].value, each.at[1].n_rows, each.mrr, each.ndcg) == ("answer", 1.0, 2, None, None)


def test_answers_that_are_not_quoted_give_no_recall(tmp_path):
    told = [replace(one, output="heavy", references=("very heavy indeed",)) for one in rows("v", [0, 1], gold=False)]
    assert found(seen(library(tmp_path, train=told), dev=told)) == []


def test_a_one_character_reference_finds_nothing(tmp_path):
    made = [replace(each, text=f"{each.text} Hall B.") for each in passages()]
    books = library(tmp_path, made, encoder=None)
    dev = [replace(row("v0", 0, gold=False), references=("999 kilos", "B"))]
    [each] = found(seen(books, dev=dev))
    assert each.at[10].value == 0


def test_ids_of_usual_passages_are_followed_into_another_size(tmp_path):
    """Cut to half the size, d0#1 is the second sentence; the row means the second usual passage."""
    usual, half = halved()
    books = library(tmp_path, encoder=None, cut=lambda size: usual if size == 100 else half)
    dev = [replace(row("v0", 0), gold=("d0#1",), output="green glass", references=("green glass",))]
    by_size = {
        each.passage_tokens: each
        for each in found(seen(books, dev=dev, arms=[arm("rag/half", config={"passage_tokens": 50})]))
    }
    [right] = books.gold(dev[0], 50)
    assert right.id == "d0#3"
    assert (by_size[100].at[10].value, by_size[50].at[10].value) == (1.0, 1.0)
    assert by_size[50].at[10].n_rows == 1


def test_test_rows_are_not_searched_before_a_finalist_met_them(tmp_path):
    result = seen(library(tmp_path), dev=rows("v", [0]), test=rows("t", [1]))
    assert {each.stage for each in found(result)} == {"dev"}


def test_no_index_is_made_for_it(tmp_path):
    books = library(tmp_path)
    arms = [
        arm("rag"),
        arm("rag/half", config={"passage_tokens": 50}),
        arm("rag/s", state="skipped", config={"passage_tokens": 25}),
    ]
    every = found(seen(books, dev=rows("v", [0]), arms=arms))
    assert {each.passage_tokens for each in every} == {100, 50}
    assert set(books.refreshes) == {100, 50}


def test_a_reranker_is_shown_where_an_arm_used_it(tmp_path):
    class Backwards:
        id = "backwards"

        def scores(self, query, texts):
            return np.array([-float(query.split()[4] in text) for text in texts], dtype=np.float32)

        def describe(self):
            return {}

    books = library(tmp_path, reranker=Backwards)
    assert not any(each.reranked for each in found(seen(books, dev=rows("v", [0]), arms=[arm()])))
    every = found(seen(books, dev=rows("v", [0, 1]), arms=[arm(config={"rerank": True})]))
    [reranked] = [each for each in every if each.reranked]
    assert ITEMS[0] in rows("v", [0])[0].query.text.split()[4]
    assert (reranked.at[1].value, reranked.at[10].value) == (0.0, 1.0)


@pytest.mark.parametrize("dev", [[], [unanswerable("x")]])
def test_no_rows_to_search_for(tmp_path, dev):
    assert found(seen(library(tmp_path), dev=dev)) == []

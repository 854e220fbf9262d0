from dataclasses import replace
from datetime import date

import pytest
from documents_seen import arm, library, outcome, passages, row, rows, seen, unanswerable

from tuneworth.findings.documents.ages import age_of, ages

TRAIN = rows("r", [0, 1, 2])


def test_sets_of_gold_documents_tell(tmp_path):
    books = library(tmp_path)
    others = [*rows("v", [3, 4]), *rows("t", [6, 7, 8]), unanswerable("x"), row("n", 9, gold=False)]
    told = age_of(TRAIN, others, books)
    assert told is not None
    assert told.any_new
    assert told.of == {"v0": "old", "v1": "old", "t0": "new", "t1": "new", "t2": "new"}
    assert [told.is_new(passage) for passage in passages()] == [False] * 6 + [True] * 4
    assert "about new knowledge: 3; about old: 2." in told.words.en
    assert "问新知识的有 3 条" in told.words.zh
    assert "old" in told.words.zh


def test_what_a_row_says_itself_counts_more_than_its_gold(tmp_path):
    told = age_of(TRAIN, [replace(row("t0", 0), doc_set="added later"), row("t1", 1)], library(tmp_path))
    assert told is not None
    assert told.of == {"t0": "new", "t1": "old"}


def test_a_named_document_tells_its_age_though_its_right_passage_is_unknown(tmp_path):
    made = [part for each in passages() for part in (each, replace(each, id=f"{each.document_id}#1", text="More."))]
    books = library(tmp_path, made)
    train = [replace(each, references=("in other words",)) for each in TRAIN]
    assert books.gold(train[0]) == ()
    told = age_of(train, [row("t0", 3), row("t1", 7)], books)
    assert told is not None
    assert told.of == {"t0": "old", "t1": "new"}


def test_dates_tell_where_there_are_no_sets(tmp_path):
    books = library(tmp_path, passages(sets=False, dated=True))
    told = age_of(TRAIN, rows("t", [3, 5, 6]), books)
    assert told is not None
    # The training rows end in March 2024; items 3 and 5 are of the same year, but later.
    assert told.of == {"t0": "new", "t1": "new", "t2": "new"}
    assert "2024-03-01" in told.words.en
    assert "2024-03-01" in told.words.zh
    told = age_of(rows("r", [0, 5]), rows("t", [3, 6]), books)
    assert told is not None
    assert told.of == {"t0": "old", "t1": "new"}


def test_dates_of_rows_need_no_documents(tmp_path):
    train = [row("r0", 0, gold=False, changed=date(2024, 5, 1)), row("r1", 1, gold=False, changed=date(2024, 7, 1))]
    others = [row("t0", 2, gold=False, changed=date(2024, 7, 1)), row("t1", 3, gold=False, changed=date(2024, 7, 2))]
    told = age_of(train, others, library(tmp_path, passages(sets=False)))
    assert told is not None
    assert told.of == {"t0": "old", "t1": "new"}


def test_dates_tell_where_sets_show_nothing_new(tmp_path):
    made = [replace(passage, doc_set="all") for passage in passages(dated=True)]
    told = age_of(rows("r", [0, 5]), rows("t", [6]), library(tmp_path, made))
    assert told is not None
    assert told.of == {"t0": "new"}


def test_new_documents_without_rows_are_new_for_the_index_only(tmp_path):
    books = library(tmp_path)
    told = age_of(TRAIN, rows("t", [3]), books)
    assert told is not None
    assert not told.any_new
    assert sum(map(told.is_new, passages())) == 4


@pytest.mark.parametrize(
    ("train", "made"),
    [
        (TRAIN, [replace(each, doc_set="one") for each in passages()]),
        (TRAIN, passages(sets=False)),
        (rows("r", [0, 1, 2, 3], gold=False), passages(dated=True)),
        ((row("r0", 0), *rows("r", [1, 2, 3], gold=False)), passages()),
        ((), passages()),
    ],
    ids=["one set", "neither sets nor dates", "no gold", "few rows with gold", "no training rows"],
)
def test_where_it_cannot_be_told(tmp_path, train, made):
    assert age_of(train, rows("t", [4, 5, 7]), library(tmp_path, made)) is None


def test_every_measured_arm_is_scored_on_old_and_new(tmp_path):
    books = library(tmp_path)
    dev, test = rows("v", [3, 4]), rows("t", [6, 7])
    told = age_of(TRAIN, [*dev, *test], books)
    assert told is not None
    arms = [
        arm("rag"),
        arm("lora", reads_documents=False, tuned=True),
        arm("majority", reads_documents=False, yardstick=True, finalist=False),
        arm("head", reads_documents=False, state="failed"),
    ]
    on_dev = {
        "rag": [outcome(dev[0], "303 kilos"), outcome(dev[1], "304 kilos")],
        "lora": [outcome(dev[0], "303 kilos"), outcome(dev[1], None)],
        "majority": [outcome(one, "a ton") for one in dev],
    }
    on_test = {
        "rag": [outcome(test[0], "306 kilos"), outcome(test[1], "a ton")],
        "lora": [outcome(one, "a ton") for one in test],
    }
    scores = ages(seen(books, train=TRAIN, dev=dev, test=test, arms=arms, on_dev=on_dev, on_test=on_test), told)
    assert [(each.arm_id, each.age, each.stages, each.score.value, each.score.n_rows) for each in scores] == [
        ("rag", "old", ["dev"], 1.0, 2),
        ("rag", "new", ["test"], 0.5, 2),
        ("lora", "old", ["dev"], 1.0, 1),
        ("lora", "new", ["test"], 0.0, 2),
        ("majority", "old", ["dev"], 0.0, 2),
    ]


def test_test_rows_of_an_age_go_before_dev_rows(tmp_path):
    books = library(tmp_path)
    dev, test = rows("v", [3]), rows("t", [4, 6])
    told = age_of(TRAIN, [*dev, *test], books)
    assert told is not None
    found = ages(
        seen(
            books,
            dev=dev,
            test=test,
            arms=[arm()],
            on_dev={"rag": [outcome(dev[0], "wrong")]},
            on_test={"rag": [outcome(test[0], "304 kilos"), outcome(test[1], "wrong")]},
        ),
        told,
    )
    assert [(each.age, each.stages, each.score.value) for each in found] == [
        ("old", ["test"], 1.0),
        ("new", ["test"], 0.0),
    ]

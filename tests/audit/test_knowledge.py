"""How much of the answers is not in the inputs."""

import json
import random

import pytest

from tuneworth.audit import Subject
from tuneworth.audit.knowledge import PLUGIN
from tuneworth.audit.knowledge.words import Haystack, Library, han_number, units_of
from tuneworth.core.task import Example, Message, Query, Task

TOWNS = ["Arlen", "Brockton", "Calvert", "Delmar", "Easton", "Fargo", "Granby", "Hilo", "Irving", "Juneau"]


def subject(pairs, *, kind="text", language="en", documents=()):
    rows = tuple(
        Example(Query(f"r{at}", (Message("user", question),)), answer, (), f"train.jsonl:{at + 1}")
        for at, (question, answer) in enumerate(pairs)
    )
    return Subject(Task(name="t", kind=kind, metric="m", language=language), rows, documents=tuple(documents))


def measured(checked):
    return {fact.name: fact.value for fact in checked.facts}


def closed_book(n=60):
    """Questions whose answers only a document has, with those documents."""
    rng = random.Random(3)
    years = [rng.randint(1200, 1990) for _ in range(n)]
    pairs = [(f"When was the mill of parish {at} built?", f"{year}") for at, year in enumerate(years)]
    return pairs, [
        f"The mill of parish {at} was built in {year} near {TOWNS[at % 10]}." for at, year in enumerate(years)
    ]


def test_answers_in_the_input_need_nothing():
    pairs = [
        (f"name[{TOWNS[i % 10]}], price[{i * 7 + 100}]", f"In {TOWNS[i % 10]} a room costs {i * 7 + 100}.")
        for i in range(60)
    ]
    checked = PLUGIN.run(subject(pairs))
    assert measured(checked) == {"answer_novelty": 0.0}
    assert checked.findings[0].severity == "note"
    assert checked.facts[0].interval.high < 0.1


def test_answers_from_documents_are_new_and_found_there():
    pairs, documents = closed_book()
    alone = PLUGIN.run(subject(pairs))
    assert measured(alone)["answer_novelty"] > 0.95
    assert alone.findings[0].severity == "warning"
    with_documents = PLUGIN.run(subject(pairs, documents=documents))
    assert measured(with_documents)["documents_cover"] == 1.0
    assert with_documents.findings[0].severity == "note"
    half = PLUGIN.run(subject(pairs, documents=documents[:30]))
    assert measured(half)["documents_cover"] == pytest.approx(0.5, abs=0.1)
    assert half.facts[1].interval.low < 0.5 < half.facts[1].interval.high


def test_chinese_questions():
    pairs = [
        (f"第{at}号水库由谁主持修建？", f"{'王李张刘陈'[at % 5]}{'建国志强海涛'[at % 3 * 2 : at % 3 * 2 + 2]}")
        for at in range(60)
    ]
    documents = [f"第{at}号水库于一九七三年动工，{answer}主持修建。" for at, (_, answer) in enumerate(pairs)]
    checked = PLUGIN.run(subject(pairs, language="zh", documents=documents))
    assert measured(checked)["answer_novelty"] > 0.95
    assert measured(checked)["documents_cover"] == 1.0


def test_a_rewording_states_no_new_facts():
    pairs = [(f"请把这句话改成文言：他在第 {at} 天离开了那座城市。", "彼于是日去其城。") for at in range(60)]
    assert measured(PLUGIN.run(subject(pairs, language="zh"))) == {"answer_novelty": 0.0}


def test_json_values_count_but_not_those_of_a_few():
    pairs = [
        (
            f"book a table in {TOWNS[at % 10]} for {at + 30}",
            json.dumps({"intent": "Book", "city": TOWNS[at % 10], "seats": at + 30}),
        )
        for at in range(60)
    ]
    assert measured(PLUGIN.run(subject(pairs, kind="json"))) == {"answer_novelty": 0.0}
    invented = [
        (question, json.dumps({"intent": "Book", "code": f"K{at * 37}"})) for at, (question, _) in enumerate(pairs)
    ]
    assert measured(PLUGIN.run(subject(invented, kind="json")))["answer_novelty"] > 0.8


def test_the_rows_with_the_most_new_come_first_and_say_what_it_is():
    pairs = [("a room for two", "A room for two.")] * 30 + [("where?", "In Fargo, on 12 May 1999.")]
    finding = PLUGIN.run(subject(pairs)).findings[0]
    assert [mention.source for mention in finding.rows] == ["train.jsonl:31"]
    assert finding.rows[0].detail.en == "not in the input: fargo, 12, may, 1999"
    assert finding.n_rows == 1


def test_few_rows_give_no_estimate():
    checked = PLUGIN.run(subject([("a?", "1999")] * 5))
    assert checked.facts == []
    assert "5 rows are too few" in checked.findings[0].title.en


@pytest.mark.parametrize(("kind", "language"), [("label", "en"), ("choice", "zh"), ("text", "other")])
def test_where_it_does_not_apply(kind, language):
    assert PLUGIN.skip(subject([("a", "b")], kind=kind, language=language)) is not None


def test_the_same_data_give_the_same_result():
    pairs, documents = closed_book()
    first, second = (PLUGIN.run(subject(pairs, documents=documents)) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("answer", "units"),
    [
        ("He moved to Fargo in 1,999.", ["fargo", "1999"]),
        ("The UN and eBay agreed.", ["un", "ebay"]),
        ("1. Rest. 2. Water.", []),
        ("PLAN: rest and water.", []),
        ("sed 's/\\1/x/' | awk '{print $12}' -Rf", []),
        ("《红楼梦》共有一百二十回，作者是约翰·史密斯。", ["红楼梦", "约翰史密斯"]),
        ("他在三十五年后到了青海省。", ["35"]),
    ],
)
def test_units(answer, units):
    found = units_of(answer, asked=False)
    assert found[: len(units)] == units or set(units) <= set(found)
    if not units:
        assert found == []


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("三十五", "35"),
        ("一九九八", "1998"),
        ("两万三千", "23000"),
        ("一亿零五百", "100000500"),
        ("十", "10"),
        ("人", None),
    ],
)
def test_chinese_numerals(written, value):
    assert han_number(written) == value


def test_numbers_and_plurals_match_across_spellings():
    text = Haystack("Seven dogs ran 1,500 metres in 三十五 minutes, then 2.50 more")
    for unit in ("7", "dog", "1500", "35", "2.5"):
        assert text.has(unit), unit
    assert not text.has("150")


def test_cover_asks_for_one_document():
    library = Library(["Fargo and Hilo", "Irving in 1999", "青海湖在高原"])
    assert library.cover(["fargo", "hilo"]) == 1.0
    assert library.cover(["fargo", "1999"]) == 0.5
    assert library.cover(["高原"]) == 1.0
    assert library.cover(["原高"]) == 0.0

from pathlib import Path

import pytest

from tuneworth.core.documents import Block, Document, Passage
from tuneworth.core.task import Example, Message, Query
from tuneworth.data.documents.cutting import cut
from tuneworth.retrieval import gold as gold_module
from tuneworth.retrieval.gold import GoldPassages, is_right, names_of
from tuneworth.retrieval.library import Library

USUAL, HALF = 40, 20
SENTENCES = (
    "The pump holds thirty litres of clear water.",
    "Its lid is made of copper and closes on its own.",
    "In May the axle needs two drops of light oil.",
    "Workshop nine in Tavel repairs broken parts for free.",
    "The warranty ends after fourteen months without rain.",
    "Nobody has ever seen the inside of its motor.",
)
PUMP = Document("pump", "", (Block(" ".join(SENTENCES)),))
NOTE = Document("note", "", (Block("Keep it dry."),))
MADE = (PUMP, NOTE)


def n_words(text: str) -> int:
    return len(text.split())


def passages(size: int = USUAL) -> list[Passage]:
    return [passage for each in MADE for passage in cut(each, count_tokens=n_words, max_tokens=size, overlap_tokens=4)]


def row(gold: str, *references: str) -> Example:
    return Example(Query(f"{gold} {references}", (Message("user", "?"),)), references[0], references, gold=(gold,))


@pytest.fixture
def books(tmp_path: Path) -> Library:
    return Library(tmp_path, "en", USUAL, cut=passages, same_as={"copy": "pump", "gone": "nowhere"})


def texts(found: tuple[Passage, ...]) -> list[str]:
    return [passage.text for passage in found]


def test_the_collection_is_as_the_other_tests_need_it():
    usual, half = passages(), passages(HALF)
    assert len(usual) > 2
    assert len(half) > len(usual)
    same = {passage.id: passage.text for passage in usual}
    assert any(same.get(passage.id, passage.text) != passage.text for passage in half), "ids are counted anew"


def test_of_a_document_those_passages_that_hold_the_answer(books):
    for name in ("pump", "copy"):
        [found] = books.gold(row(name, "thirty litres"))
        assert "thirty litres" in found.text
    assert books.judge(row("pump", "thirty litres")) == "gold"


def test_of_a_document_in_no_passage_of_which_the_answer_stands_none_is_known(books):
    lost = row("pump", "as much as three buckets")
    books.know("text", [row("pump", "thirty litres")], [lost])
    assert books.answers_quoted
    assert books.gold(lost) == books.gold_of(lost.id) == ()
    assert books.judge(lost) is None, "not by the answer either: it stands in nothing that the row names"
    assert len(books.named(lost)) > 1


def test_a_document_that_is_one_passage_is_gold_in_whatever_words(books):
    assert texts(books.gold(row("note", "no water, please"))) == ["Keep it dry."]


def test_a_single_character_does_not_make_a_passage_right(books):
    letter = Passage("x#0", "x", "", "Plan B was chosen.", "x")
    assert not is_right(letter, row("x", "plan of the town", "B"), (), "answer")
    assert is_right(letter, row("x", "plan B", "B"), (), "answer")
    nine = Document("nine", "", (Block(" ".join(f"Page {n} of the book." for n in range(30))),))
    parts = cut(nine, count_tokens=n_words, max_tokens=USUAL)
    assert GoldPassages(parts).by_name(row("nine", "9")) == {}
    assert len(GoldPassages(parts).by_name(row("nine", "Page 9"))["nine"]) == 1


def test_an_id_means_a_passage_of_the_usual_size(books):
    for passage in passages():
        assert books.gold(row(passage.id, "whatever")) == (passage,)


@pytest.mark.parametrize("answer", ["thirty litres", "light oil", "fourteen months", "its motor"])
def test_in_another_size_it_is_the_part_that_holds_the_answer(books, answer):
    [usual] = books.gold(row("pump", answer))
    for name in ("pump", usual.id):
        found = books.gold(row(name, answer), HALF)
        assert found
        assert all(answer in passage.text for passage in found)
        assert all(passage.document_id == "pump" for passage in found)
        assert all(passage in passages(HALF) for passage in found)


def test_the_same_answer_elsewhere_in_the_document_is_not_carried():
    twice = [
        Passage(f"d#{n}", "d", "", text, str(n)) for n, text in enumerate(("Open in May at noon.", "Closed in May."))
    ]
    halves = [
        Passage(f"d#{n}", "d", "", text, str(n)) for n, text in enumerate(("Open in May", "at noon.", "Closed in May."))
    ]
    books = Library(Path(), "en", USUAL, cut=lambda size: twice if size == USUAL else halves)
    assert texts(books.gold(row("d#1", "in May"), HALF)) == ["Closed in May."]
    assert texts(books.gold(row("d#0", "in May"), HALF)) == ["Open in May"]


def test_without_the_answer_only_what_holds_all_of_the_text_is_carried(books):
    assert texts(books.gold(row("note", "no water"), HALF)) == ["Keep it dry."]
    assert books.gold(row(passages()[0].id, "three buckets"), HALF) == (), "which of its pieces is right is not known"
    [whole] = books.gold(row(passages()[0].id, "three buckets"), 200)
    assert passages()[0].text in whole.text


def test_names_that_are_there():
    known = names_of(passages(), {"copy": "pump", "gone": "nowhere"})
    assert {"pump", "note", "copy", "pump#0", "note#0"} <= known
    assert not {"gone", "nowhere", "pump#99"} & known


def test_what_a_row_names_is_told_name_by_name(books):
    both = Example(Query("r", (Message("user", "?"),)), "thirty litres", gold=("pump", "nowhere", "note"))
    found = books.gold_by_name(both)
    assert list(found) == ["pump", "note"]
    assert books.gold(both) == found["pump"] + found["note"]


def test_no_passage_is_cut_into_words_twice(monkeypatch):
    made = [Passage(f"once#{n}", "once", "", f"Part {n} of what is read once only.", str(n)) for n in range(5)]
    cut_up: list[str] = []
    tokens = gold_module.answer_tokens

    def count(text: str) -> list[str]:
        cut_up.append(text)
        return tokens(text)

    monkeypatch.setattr(gold_module, "answer_tokens", count)
    gold = GoldPassages(made)
    for n in range(5):
        assert list(gold.by_name(row("once", f"part {n}"))["once"]) == [made[n]]
    assert all(cut_up.count(passage.text) == 1 for passage in made)

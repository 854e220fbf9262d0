from pathlib import Path

import pytest

from tuneworth.core.documents import Passage
from tuneworth.core.task import Example, Message, Query
from tuneworth.retrieval import library as library_module
from tuneworth.retrieval.gold import are_quoted, holds_answer, shared_words, telling_answers
from tuneworth.retrieval.library import Library

PASSAGES = [Passage(f"d{n}#0", f"d{n}", "", f"The pump of hall {n} holds {n + 30} litres.", str(n)) for n in range(10)]


def row(name: str, output: str, *, gold: tuple[str, ...] = (), references: tuple[str, ...] = ()) -> Example:
    return Example(Query(name, (Message("user", f"How much, {name}?"),)), output, references, gold=gold)


def quoted(n: int) -> list[Example]:
    return [row(f"q{at}", f"{30 + at % 10} litres") for at in range(n)]


def paraphrased(n: int) -> list[Example]:
    return [row(f"p{at}", f"about as much as {at + 2} buckets") for at in range(n)]


def library(folder: Path) -> Library:
    return Library(folder, "en", 100, cut=lambda size: PASSAGES, no_answer="not in the documents")


def test_words_stand_in_a_row():
    assert holds_answer("It holds 30 litres.", ["x y", "30 Litres!"])
    assert not holds_answer("It holds 130 litres.", ["30 litres"])
    assert not holds_answer("It holds 30 litres.", ["litres 30", "", "..."])
    assert not holds_answer("", ["", "..."])
    assert holds_answer("水泵容量为三十升。", ["三十升"])


def test_one_character_tells_nothing():
    assert telling_answers(row("r", "A", references=("A", "3", "是", "3.", "30 litres", "..."))) == ("30 litres",)


def test_what_two_parts_of_a_document_share():
    assert shared_words("one two three", "two three").split() == ["two", "three"]
    assert shared_words("one two three", "two three four").split() == ["two", "three"]
    assert shared_words("two three four", "one two three").split() == ["two", "three"]
    assert shared_words("one two", "three four").split() == []


@pytest.mark.parametrize(("n_quoted", "n_others", "are"), [(8, 2, True), (7, 3, False), (0, 10, False), (0, 0, False)])
def test_answers_are_quoted_where_nearly_all_stand_in_the_documents(n_quoted, n_others, are):
    assert are_quoted([*paraphrased(n_others), *quoted(n_quoted)], PASSAGES) == are


@pytest.mark.parametrize("kind", ["json", "label", "choice"])
def test_what_is_not_free_text_is_not_looked_for(tmp_path, kind):
    books = library(tmp_path)
    books.know(kind, quoted(10))
    assert books.judge(quoted(1)[0]) is None
    assert books.judge(row("named", "30 litres", gold=("d0",))) == "gold"


def test_training_rows_alone_decide(tmp_path):
    books = library(tmp_path)
    books.know("text", paraphrased(10), quoted(90))
    assert {books.judge(each) for each in quoted(10)} == {None}
    books.know("text", quoted(10), paraphrased(90))
    assert {books.judge(each) for each in [*quoted(10), *paraphrased(10)]} == {"answer"}


def test_it_is_found_out_once(tmp_path, monkeypatch):
    asked: list[int] = []

    def count(rows, passages):
        asked.append(len(rows))
        return True

    monkeypatch.setattr(library_module, "are_quoted", count)
    books = library(tmp_path)
    books.know("text", [*quoted(5), row("none", "Not in the documents.")])
    assert asked == []
    assert [books.judge(each) for each in quoted(3)] == ["answer"] * 3
    assert asked == [5]


@pytest.mark.parametrize("output", ["not in the documents", "Not in the documents.", "NOT IN DOCUMENTS"])
def test_what_the_documents_cannot_answer_has_no_judge(tmp_path, output):
    books = library(tmp_path)
    books.know("text", quoted(10))
    assert books.judge(row("r", output)) is None
    assert books.judge(row("r", output, gold=("d0",))) is None
    assert books.judge(quoted(1)[0]) == "answer"

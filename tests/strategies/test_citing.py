"""Citations in answers: which brackets are one, what is left of the text, and whom they point to."""

from __future__ import annotations

import pytest

from tuneworth.strategies._parts.passages import Cited, has_marks, mark, read_citations, without_marks

SHOWN = ("a#0", "b#0", "b#1")


@pytest.mark.parametrize(
    ("answer", "text", "citations"),
    [
        ("308 [1]", "308", ("a#0",)),
        ("308[1].", "308.", ("a#0",)),
        ("It took 30 days [1, 3].", "It took 30 days.", ("a#0", "b#1")),
        ("Both [1][2] say so, [1] first.", "Both say so, first.", ("a#0", "b#0")),
        ("[2] Thirty days", "Thirty days", ("b#0",)),
        ("三十天【1】。", "三十天。", ("a#0",)),
        ("三十天［2］", "三十天", ("b#0",)),
        ("三十天 [1，2]，运费由卖家承担 [3]。", "三十天，运费由卖家承担。", ("a#0", "b#0", "b#1")),
        ("共 5【1、3】", "共 5", ("a#0", "b#1")),
        ("made up [7]", "made up", ("?7",)),
        ("[1]", "", ("a#0",)),
        ("one line [1]\nanother [2]", "one line\nanother", ("a#0", "b#0")),
    ],
)
def test_citations_are_read_and_taken_out(answer: str, text: str, citations: tuple[str, ...]) -> None:
    assert read_citations(answer, SHOWN) == Cited(text, citations)


@pytest.mark.parametrize(
    "answer",
    [
        "no brackets",
        "items[0]",
        "items[1].name",
        "table[1]=x",
        "[1999] was the year",
        "[a], [1a], []",
        "[manual](1)",
        "[1](https://example.org)",
        "1] and [2",
        "version (2)",
    ],
)
def test_other_brackets_stay(answer: str) -> None:
    assert read_citations(answer, SHOWN) == Cited(answer, ())
    assert not has_marks(answer)


def test_a_mark_is_read_as_the_citation_it_is() -> None:
    for number, passage in enumerate(SHOWN, 1):
        assert read_citations(f"so {mark(number)}", SHOWN) == Cited("so", (passage,))


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("It is so.[2] And [3, 4] not.", "It is so.(2) And (3, 4) not."),
        ("如上所述【12】。", "如上所述(12)。"),
        ("第 5 章【1】", "第 5 章(1)"),
        ("so[1][2]", "so[1](2)"),
        ("items[1] and [0] and [x]", "items[1] and [0] and [x]"),
    ],
)
def test_footnotes_of_a_passage_are_no_citations(text: str, clean: str) -> None:
    assert without_marks(text) == clean

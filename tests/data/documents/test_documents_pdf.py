from datetime import date

import pytest
from document_files import PROSE, PROSE_ZH, pdf_book, pdf_of_lines, put

from tuneworth.data.documents.formats.pdf import Bookmark, blocks_of
from tuneworth.data.documents.load import load_documents
from tuneworth.data.values import read_pdf_date
from tuneworth.errors import InputError

LONG = "a line of words that goes on and on until the margin of the page ends"


def test_a_book_with_an_outline(tmp_path):
    loaded = load_documents(str(put(tmp_path, "book.pdf", pdf_book(4))))
    (document,) = loaded.documents
    assert (document.title, loaded.problems) == ("Pump manual", [])
    assert document.changed is not None
    assert len(document.blocks) == 4 * 2 * 2
    english, chinese = document.blocks[6:8]
    assert english.text == f"Item 2.2: {PROSE} {PROSE} Then rest."
    assert chinese.text.replace(" ", "") == f"第2章的说明：{PROSE_ZH * 2}"
    assert english.headings == ("Chapter 2", "Section 2.2")
    assert english.page == 2
    assert "ACME" not in document.text
    assert "Page" not in document.text


def test_words_that_a_line_end_cut_are_whole_again(tmp_path):
    lines = ["A worn gasket is a fre-", "quent cause of a well-", "known fault; well-known causes are checked first."]
    (document,) = load_documents(str(put(tmp_path, "a.pdf", pdf_of_lines([lines])))).documents
    assert "a frequent cause of a well-known fault" in document.text


def test_an_encrypted_a_broken_and_a_scanned_pdf(tmp_path):
    put(tmp_path, "locked.pdf", pdf_of_lines([["secret"]], password="pw"))
    put(tmp_path, "broken.pdf", pdf_of_lines([["text"]])[:300])
    put(tmp_path, "scan.pdf", pdf_of_lines([[], []]))
    put(tmp_path, "half.pdf", pdf_of_lines([["text"], []], title="Microsoft Word - half.doc"))
    loaded = load_documents(str(tmp_path))
    assert [(document.id, document.title, document.text) for document in loaded.documents] == [
        ("half.pdf", "half", "text")
    ]
    said = {problem.where.rsplit("/", 1)[1]: problem.message.en for problem in loaded.problems}
    assert list(said) == ["broken.pdf", "half.pdf", "locked.pdf", "scan.pdf"]
    assert "is broken" in said["broken.pdf"]
    assert "1 of 2 pages have no text (page 2)" in said["half.pdf"]
    assert "is encrypted" in said["locked.pdf"]
    assert "run OCR" in said["scan.pdf"]


def test_a_pdf_with_a_script_is_only_read(tmp_path):
    data = pdf_of_lines([["visible"]]).replace(
        b"/Type /Catalog", b"/Type /Catalog /OpenAction << /S /JavaScript /JS (app.alert(1)) >>"
    )
    (document,) = load_documents(str(put(tmp_path, "script.pdf", data))).documents
    assert document.text == "visible"


def test_paragraphs_from_lines():
    pages = [[LONG, "Short end.", "Next paragraph " + LONG, "goes"], [LONG, "over.", "no end", "- item " + LONG]]
    blocks = blocks_of(pages, {})
    assert [(block.text, block.page) for block in blocks] == [
        (f"{LONG} Short end.", 1),
        (f"Next paragraph {LONG} goes\n{LONG} over.", 1),
        (f"no end\n- item {LONG}", 2),
    ]


def test_running_heads_go_and_body_stays():
    body = ["As always.", LONG, "x", "Same in all, but in the middle", "y", "z", "w", "As always."]
    pages = [[f"Manual {n}", *body, f"- {n} -"] for n in "123"]
    text = "\n".join(block.text for block in blocks_of(pages, {}))
    assert "Manual" not in text
    assert "- 2 -" not in text
    assert text.count("in the middle") == 3
    assert text.count("As always.") == 6  # it ends a sentence
    assert "Manual 1" in blocks_of(pages[:2], {})[0].text  # twice is no rule


def test_bookmarks_find_their_lines():
    pages = [["Intro", "before", "A heading over", "two lines", "below"], ["unrelated"]]
    marks = {1: [Bookmark(1, "A heading over two lines"), Bookmark(2, "not on the page")], 2: [Bookmark(1, "Last")]}
    found = [(block.text, block.headings) for block in blocks_of(pages, marks)]
    assert found == [
        ("Intro\nbefore", ("not on the page",)),
        ("below", ("A heading over two lines",)),
        ("unrelated", ("Last",)),
    ]


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("D:20240305120000+08'00'", date(2024, 3, 5)),
        ("D:2024", date(2024, 1, 1)),
        ("D:20241399", None),
        ("yesterday", None),
    ],
)
def test_dates(value, day):
    assert read_pdf_date(value) == day


def test_what_is_called_pdf_and_is_not(tmp_path):
    with pytest.raises(InputError, match="is broken or not a PDF"):
        load_documents(str(put(tmp_path, "a.pdf", b"plain words")))

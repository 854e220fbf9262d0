"""PDF with a text layer: text by page, headings from the outline, title and date from its properties.

Read by PDFium without its script engine: nothing in the file runs. What PDFium cannot tell is not guessed: tables
come as lines, a picture of text has no text (OCR is another program's work), headings without an outline are lines.

A PDF has positions, not paragraphs. What can be told from the lines alone: a short line that ends a sentence ends
its paragraph, any other short line (a table, a caption, a heading without a bookmark) keeps its break, and a long
one was broken by the margin. So a paragraph whose last line happens to be full is joined with the next. Lines that
most pages repeat at their top or bottom, short and ending no sentence, are running heads and page numbers and are
left out; numbers in them may differ.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from threading import Lock
from typing import Any, NamedTuple

from tuneworth.core.documents import Block
from tuneworth.core.text import Text
from tuneworth.data.documents.base import MAX_TEXT_CHARS, Parsed, Reading, SourceFile, Unreadable, missing
from tuneworth.data.documents.blocks import BlockList, columns, commas, join_wrapped, one_line, starts_item
from tuneworth.data.documents.reading_order import Piece, Place, in_columns, may_have_columns
from tuneworth.data.values import read_pdf_date
from tuneworth.words.say import say

_PASSWORD_ERRORS = (4, 5)  # FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY
_DEEPEST_HEADING = 6
_PAGES_SHOWN = 5
_LOCK = Lock()  # PDFium is not safe to call from two threads
_AT_LINE_END = "[\ufffe\x02]\r?\n?"  # PDFium's mark for a hyphen that a line ends with
_HYPHENATED = re.compile(rf"(\w*){_AT_LINE_END}(\w*)")
_PRESENTED = re.compile("[\u2e80-\u2fdf\uf900-\ufaff\ufb00-\ufb06]")
_NO_TITLE = re.compile(
    r"untitled.*|unnamed|\(anonymous\)|microsoft \w+ - .*|.*\.(docx?|pptx?|xlsx?|pdf|indd|tex|dvi|qxd)|无标题.*", re.I
)
_EDGE_LINES = 3
_RUNNING_SHARE = 0.6
_RUNNING_PAGES = 3
_SHORT = 0.75
"""A line this much narrower than the widest tenth was not broken by the margin."""
_LONGEST_HEADING_LINES = 3
_ENDS = tuple('.!?。！？…"”’」』)）')
_DIGITS = re.compile(r"\d+")
_SPACE = re.compile(r"\s+")
_NO_LETTER = re.compile("[\\s\ufffe\x02\u00ad-]")


class Pdf:
    suffixes = (".pdf",)

    def read(self, file: SourceFile) -> Reading:
        try:
            import pypdfium2
        except ImportError:
            raise missing("pypdfium2", file.name) from None
        with _LOCK:
            try:
                with pypdfium2.PdfDocument(file.read()) as pdf:
                    return _read(pdf)
            except pypdfium2.PdfiumError as error:
                raise Unreadable(_why(error)) from error


def _why(error: Any) -> Text:
    if getattr(error, "err_code", None) in _PASSWORD_ERRORS:
        return say("docs_read.pdf.encrypted")
    return say("docs_read.pdf.broken")


def _read(pdf: Any) -> Reading:
    pages = _pages(pdf)
    without_text = [number for number, page in enumerate(pages, start=1) if not page]
    if len(without_text) == len(pages):
        raise Unreadable(say("docs_read.pdf.no_text"))
    said = pdf.get_metadata_dict()
    title = one_line(_clean(said.get("Title", "")))
    document = Parsed(
        blocks=blocks_of(pages, _bookmarks(pdf)),
        title="" if _NO_TITLE.fullmatch(title) else title,
        changed=_changed(said),
    )
    if not without_text:
        return Reading([document])
    n, shown = str(len(without_text)), commas(without_text, _PAGES_SHOWN)
    return Reading([document], [say("docs_read.pdf.partly", n=n, n_pages=str(len(pages)), pages=shown)])


def _pages(pdf: Any) -> list[list[str]]:
    """The lines of every page, without the blank ones."""
    texts, size = [], 0
    for index in range(len(pdf)):
        page = pdf[index]
        text_page = page.get_textpage()
        text = _text_of(text_page)
        text_page.close()
        page.close()
        size += len(text)
        if size > MAX_TEXT_CHARS:
            raise Unreadable(say("docs_read.pdf.too_long", most=MAX_TEXT_CHARS))
        texts.append(text)
    texts = _without_hyphenation(texts)
    return [[line for line in map(one_line, _clean(text).splitlines()) if line] for text in texts]


def _text_of(text_page: Any) -> str:
    """The text of a page, column by column where it surely has columns; never a character more or less."""
    text = text_page.get_text_range()
    places: list[Place] = [text_page.get_rect(at) for at in range(text_page.count_rects())]
    # First without the words: most pages have one column, and asking for the words costs more than seeing that.
    if not may_have_columns(places):
        return text
    words = [text_page.get_text_bounded(*place) for place in places]
    lines = in_columns([Piece(*place, words[at], at) for at, place in enumerate(places)])
    if lines is None or _letters("".join(lines)) != _letters(text):
        return text
    return "\n".join(f"{line[:-1]}\ufffe" if line.endswith(("-", "\u00ad")) else line for line in lines)


def _letters(text: str) -> Counter[str]:
    return Counter(_NO_LETTER.sub("", text))


def _without_hyphenation(texts: list[str]) -> list[str]:
    """``texts`` with words whole that a line end cut; a hyphen stays where the document writes it elsewhere too."""
    everything = "\n".join(texts)
    hyphenated = set(re.findall(r"\w+-\w+", everything)) if _HYPHENATED.search(everything) else set()

    def whole(match: re.Match[str]) -> str:
        kept = f"{match[1]}-{match[2]}"
        return kept if kept in hyphenated or not (match[1] and match[2]) else match[1] + match[2]

    return [_HYPHENATED.sub(whole, text) for text in texts]


def _clean(text: str) -> str:
    """Ligatures, and the radicals that some fonts map Chinese characters to, as plain characters."""
    return _PRESENTED.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text)


def _bookmarks(pdf: Any) -> dict[int, list[Bookmark]]:
    found: dict[int, list[Bookmark]] = {}
    for entry in pdf.get_toc(max_depth=_DEEPEST_HEADING):
        target = entry.get_dest()
        index = target.get_index() if target else None
        title = one_line(_clean(entry.get_title()))
        if index is not None and title:
            found.setdefault(index + 1, []).append(Bookmark(entry.level + 1, title))
    return found


def _changed(said: dict[str, str]) -> date | None:
    return read_pdf_date(said.get("ModDate", "")) or read_pdf_date(said.get("CreationDate", ""))


class Bookmark(NamedTuple):
    """An entry of the PDF's outline; ``level`` 1 is the outermost."""

    level: int
    title: str


class Line(NamedTuple):
    """A line of text or, where ``level`` is not 0, a heading."""

    page: int
    text: str
    level: int = 0


def blocks_of(pages: Sequence[Sequence[str]], bookmarks: dict[int, list[Bookmark]]) -> tuple[Block, ...]:
    """The blocks of a document.

    Args:
        pages: lines of every page, in reading order.
        bookmarks: number of the page, from 1 → the entries that point to it, in order.
    """
    margin = _Margin([line for page in pages for line in page])
    running = _running(pages, bookmarks, margin)
    lines = [
        line
        for number, page in enumerate(pages, start=1)
        for line in _with_headings(number, _body(page, running), bookmarks.get(number, []))
    ]
    blocks = BlockList()
    for paragraph in _paragraphs(lines, margin):
        first = paragraph[0]
        if first.level:
            blocks.heading(first.level, first.text, first.page)
        else:
            blocks.add(_text(paragraph, margin), first.page)
    return blocks.done()


def _running(pages: Sequence[Sequence[str]], bookmarks: dict[int, list[Bookmark]], margin: _Margin) -> set[str]:
    """Running heads and page numbers, numbers replaced by ``#``."""
    titles = {_key(mark.title) for marks in bookmarks.values() for mark in marks}
    seen = Counter(
        key for page in pages for key in {_masked(line) for line in _edges(page) if _may_run(line, titles, margin)}
    )
    least = max(_RUNNING_PAGES, _RUNNING_SHARE * len(pages))
    return {key for key, n in seen.items() if n >= least}


def _may_run(line: str, titles: set[str], margin: _Margin) -> bool:
    return margin.is_short(line) and not line.endswith(_ENDS) and _key(line) not in titles


def _edges(page: Sequence[str]) -> Sequence[str]:
    return page if len(page) <= 2 * _EDGE_LINES else [*page[:_EDGE_LINES], *page[-_EDGE_LINES:]]


def _body(page: Sequence[str], running: set[str]) -> list[str]:
    last = len(page) - _EDGE_LINES
    return [line for at, line in enumerate(page) if _EDGE_LINES <= at < last or _masked(line) not in running]


def _with_headings(number: int, lines: list[str], marks: list[Bookmark]) -> Iterator[Line]:
    """The lines of a page, those that a bookmark names as headings.

    A bookmark whose words are not on its page (a scan, another wording) holds from the top of the page.
    """
    places = _places(lines, marks)
    for mark, place in zip(marks, places):
        if place is None:
            yield Line(number, mark.title, mark.level)
    at = 0
    starts = {place[0]: (mark, place[1]) for mark, place in zip(marks, places) if place}
    while at < len(lines):
        if at in starts:
            mark, n_lines = starts[at]
            yield Line(number, mark.title, mark.level)
            at += n_lines
        else:
            yield Line(number, lines[at])
            at += 1


def _places(lines: list[str], marks: list[Bookmark]) -> list[tuple[int, int] | None]:
    """First line and number of lines of each bookmark's words, in order down the page."""
    keys, places, after = [_key(line) for line in lines], [], 0
    for mark in marks:
        wanted = _key(mark.title)
        place = next(
            (
                (at, n)
                for at in range(after, len(keys))
                for n in range(1, _LONGEST_HEADING_LINES + 1)
                if wanted and "".join(keys[at : at + n]) == wanted
            ),
            None,
        )
        places.append(place)
        after = sum(place) if place else after
    return places


class _Margin:
    """Which lines end before the margin. Chinese and Latin lines are told apart: their columns differ in width."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._short: dict[bool, float] = {}
        for is_wide in (False, True):
            widths = sorted(columns(line) for line in lines if _is_wide(line) == is_wide)
            self._short[is_wide] = _SHORT * widths[len(widths) * 9 // 10] if widths else 0

    def is_short(self, line: str) -> bool:
        return columns(line) < self._short[_is_wide(line)]


def _is_wide(line: str) -> bool:
    return columns(line) >= 1.5 * len(line)


def _paragraphs(lines: Sequence[Line], margin: _Margin) -> Iterator[list[Line]]:
    group: list[Line] = []
    for line in lines:
        if group and (line.level or group[-1].level or _ends_paragraph(group[-1].text, margin)):
            yield group
            group = []
        group.append(line)
    if group:
        yield group


def _ends_paragraph(line: str, margin: _Margin) -> bool:
    return margin.is_short(line) and line.endswith(_ENDS)


def _text(paragraph: Sequence[Line], margin: _Margin) -> str:
    groups: list[list[str]] = [[paragraph[0].text]]
    for line in paragraph[1:]:
        if margin.is_short(groups[-1][-1]) or starts_item(line.text):
            groups.append([line.text])
        else:
            groups[-1].append(line.text)
    return "\n".join(join_wrapped(group) for group in groups)


def _masked(line: str) -> str:
    return _DIGITS.sub("#", _key(line))


def _key(line: str) -> str:
    return _SPACE.sub("", line).casefold()


PLUGIN = Pdf()

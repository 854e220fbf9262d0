"""HTML pages: the main part of the page, its headings, title and date. Nothing it links to is fetched.

Taken is what a reader sees: not scripts, styles, navigation, forms, nor what the markup hides. A table of data is
one block of lines; a table that only lays out the page is read like any other container.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from tuneworth.data.documents.base import Parsed, Reading, SourceFile, Unreadable, decoded, missing, walk, without_title
from tuneworth.data.documents.blocks import BlockList, one_line
from tuneworth.data.documents.tables import Cell, table_lines
from tuneworth.data.values import read_date
from tuneworth.words.say import say

_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]{1,40})""", re.IGNORECASE)
_DECLARATION = re.compile(r"\s*<\?xml[^>]*\?>")
_CHARSET_WITHIN = 4096
_DATES = (
    "article:modified_time",
    "og:updated_time",
    "last-modified",
    "dcterms.modified",
    "article:published_time",
    "dcterms.date",
    "dc.date",
    "date",
)
_SKIPPED = frozenset((
    "script", "style", "noscript", "template", "head", "nav", "svg", "math", "canvas", "iframe", "object",
    "embed", "audio", "video", "button", "select", "textarea", "input", "dialog",
))  # fmt: skip
_BLOCK_TAGS = frozenset((
    "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "div", "dl",
    "dt", "fieldset", "figcaption", "figure", "footer", "form", "header", "hr", "html", "legend", "li",
    "main", "ol", "p", "pre", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul",
))  # fmt: skip
_LISTS = frozenset(("ul", "ol", "dl"))
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_INSIDE_LAYOUT = ("table", "p", "ul", "ol", "pre", *_HEADINGS)


class Html:
    suffixes = (".html", ".htm", ".xhtml")

    def read(self, file: SourceFile) -> Reading:
        declared = _CHARSET.search(file.read()[:_CHARSET_WITHIN])
        text, notes = decoded(file, declared=declared[1].decode("ascii", "ignore") if declared else "")
        tree = parse(_DECLARATION.sub("", text, count=1), file.name)
        if tree is None:
            return Reading([Parsed(())], notes=notes)
        blocks = BlockList()
        add_blocks(blocks, _main_part(tree))
        title = _title(tree) or blocks.first_heading
        return Reading([Parsed(without_title(blocks.done(), title), title, changed=_changed(tree))], notes=notes)


def _main_part(tree: Any) -> Any:
    """``<main>`` where the page has one that says something, else all of it."""
    parts = tree.xpath("//main")
    return parts[0] if len(parts) == 1 and parts[0].text_content().strip() else tree


def _title(tree: Any) -> str:
    return one_line(tree.findtext(".//head/title") or "")


def _changed(tree: Any) -> date | None:
    said = {
        (meta.get("property") or meta.get("name") or meta.get("http-equiv") or "").lower(): meta.get("content", "")
        for meta in tree.iter("meta")
    }
    return next((day for name in _DATES if (day := read_date(said.get(name)))), None)


def parse(markup: str, name: str) -> Any | None:
    """The tree of ``markup`` however broken it is; ``None`` where there is nothing in it.

    Raises:
        Unreadable: it nests too deep for the parser, which would drop the rest without a word.
        EnvironmentProblem: lxml is missing.
    """
    try:
        from lxml import html
        from lxml.etree import ParserError  # pyright: ignore[reportAttributeAccessIssue]
    except ImportError:
        raise missing("lxml", name) from None
    parser = html.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, huge_tree=True)
    try:
        tree = html.document_fromstring(markup.encode("utf-8", "replace"), parser=parser)
    except ParserError:  # "Document is empty"
        return None
    if any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in parser.error_log):
        raise Unreadable(say("docs_read.html.too_deep"))
    return tree


def add_blocks(blocks: BlockList, root: Any) -> None:
    """Add what a reader sees of ``root`` to ``blocks``, in the order of the markup."""
    reader, events = _Reader(blocks), walk(root)
    for event, element in events:
        if event == "end":
            reader.end(element, is_root=element is root)
        elif reader.start(element):
            events.skip_subtree()
    reader.finish()


class _Reader:
    """What has been read and not yet closed: pieces of a line, lines of a block."""

    def __init__(self, blocks: BlockList) -> None:
        self._blocks = blocks
        self._pieces: list[str] = []
        self._lines: list[str] = []
        self._lists: list[int | None] = []
        self._mark = ""

    def start(self, element: Any) -> bool:
        """Take in the start of ``element``; whether what is inside it is done with."""
        tag = element.tag
        if tag in _SKIPPED or _is_hidden(element):
            return True
        if tag in _HEADINGS:
            self._end_block()
            self._blocks.heading(_HEADINGS[tag], _visible(element))
            return True
        if tag in ("pre", "table") and (tag == "pre" or _is_data(element)):
            self._end_block()
            self._blocks.add(element.text_content().strip("\n") if tag == "pre" else "\n".join(_rows(element)))
            return True
        if tag == "br":
            self._end_line()
        elif tag in _BLOCK_TAGS:
            self._boundary()
            self._open_list(element)
        self._pieces.append(element.text or "")
        return False

    def end(self, element: Any, *, is_root: bool) -> None:
        if element.tag in _BLOCK_TAGS:
            self._boundary()
            if element.tag in _LISTS and self._lists:
                self._lists.pop()
                self._boundary()
        if not is_root:
            self._pieces.append(element.tail or "")

    def finish(self) -> None:
        self._end_block()

    def _open_list(self, element: Any) -> None:
        if element.tag in _LISTS:
            self._lists.append(_first_number(element) if element.tag == "ol" else None)
        elif element.tag == "li" and self._lists:
            number = self._lists[-1]
            self._mark = "  " * (len(self._lists) - 1) + ("- " if number is None else f"{number}. ")
            if number is not None:
                self._lists[-1] = number + 1

    def _boundary(self) -> None:
        """A list is one block, however its items are marked up."""
        if self._lists:
            self._end_line()
        else:
            self._end_block()

    def _end_line(self) -> None:
        line = one_line("".join(self._pieces))
        self._pieces.clear()
        if line:
            self._lines.append(self._mark + line)
            self._mark = ""

    def _end_block(self) -> None:
        self._end_line()
        self._blocks.add("\n".join(self._lines))
        self._lines.clear()


def _is_hidden(element: Any) -> bool:
    style = element.get("style", "").replace(" ", "").lower()
    return (
        element.get("hidden") is not None
        or element.get("aria-hidden") == "true"
        or "display:none" in style
        or "visibility:hidden" in style
    )


def _is_data(table: Any) -> bool:
    return next(table.iterdescendants(*_INSIDE_LAYOUT), None) is None


def _rows(table: Any) -> Iterator[str]:
    for caption in table.iter("caption"):
        if line := _visible(caption):
            yield line
    rows = list(table.iter("tr"))
    yield from table_lines([[_cell(cell, len(rows)) for cell in row.iterchildren("td", "th")] for row in rows])


def _cell(cell: Any, n_rows: int) -> Cell:
    """``rowspan="0"`` is down to the end of the table."""
    rows, columns = _span(cell.get("rowspan")), _span(cell.get("colspan"))
    group = cell.getparent().getparent()
    is_header = cell.tag == "th" or (group is not None and group.tag == "thead")
    return Cell(_visible(cell), rows or n_rows, columns or 1, is_header)


def _span(value: str | None) -> int:
    return int(value) if value and value.strip().isdecimal() and len(value) < 6 else 1


def _visible(element: Any) -> str:
    """The words of ``element`` on one line, without those of skipped and hidden parts."""
    pieces: list[str] = []
    events = walk(element)
    for event, inner in events:
        if event == "start" and (inner.tag in _SKIPPED or _is_hidden(inner)):
            events.skip_subtree()
        elif event == "start":
            pieces.append((" " if inner.tag in _BLOCK_TAGS or inner.tag == "br" else "") + (inner.text or ""))
        elif inner is not element:
            pieces.append(inner.tail or "")
    return one_line("".join(pieces))


def _first_number(element: Any) -> int:
    start = element.get("start", "")
    return int(start) if start.isascii() and start.isdigit() and len(start) < 6 else 1


PLUGIN = Html()

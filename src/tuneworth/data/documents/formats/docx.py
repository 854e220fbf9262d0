"""Word documents (.docx): headings by style or outline level, lists, tables, title and date.

Inserted text of tracked changes is read, deleted and hidden text is not; nor are footnotes, headers and footers.
Macros and fields do not run, linked files are not opened, and a file that unpacks to far more than a document
holds is refused before it is unpacked.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

from tuneworth.core.text import Text
from tuneworth.data.documents.base import Parsed, Reading, SourceFile, Unreadable, missing, walk, without_title
from tuneworth.data.documents.blocks import BlockList, one_line
from tuneworth.data.documents.tables import Cell, table_lines
from tuneworth.words.say import say

MAX_XML_BYTES = 64 * 2**20
"""Most bytes of XML a file may unpack to; a thousand pages have about 10 MB, and the tree takes ten times that."""

MAX_UNPACKED_BYTES = 256 * 2**20
"""Most bytes a file may unpack to with its pictures."""

_OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_HEADING_STYLE = re.compile(r"(?:heading|标题)\s*(\d)", re.IGNORECASE)
_CONTENTS_STYLE = re.compile(r"toc(?:\s*\d|\s+heading)", re.IGNORECASE)
_BODY_LEVEL = 9
_MOST_COLUMNS = 63  # what Word allows
_BROKEN = (KeyError, ValueError, AttributeError, SyntaxError, zipfile.BadZipFile, zlib.error)
"""What python-docx raises where a part is missing or malformed; lxml's parse errors are a SyntaxError."""

_UNSEEN = (f"{_W}del", f"{_W}moveFrom", _FALLBACK)
_MARKS = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}


class Docx:
    suffixes = (".docx", ".docm")

    def read(self, file: SourceFile) -> Reading:
        try:
            import docx
            from docx.opc.exceptions import PackageNotFoundError
        except ImportError:
            raise missing("python-docx", file.name) from None
        data = file.read()
        _check_size(data)
        try:
            word = docx.Document(io.BytesIO(data))
            return Reading([_read(word)])
        except (PackageNotFoundError, *_BROKEN) as error:
            raise Unreadable(_broken()) from error


def _check_size(data: bytes) -> None:
    """Refuse what is no zip file, and what would not fit the memory; sizes are believed, since unpacking stops there.

    Raises:
        Unreadable: with the reason.
    """
    if data.startswith(_OLE_MAGIC):
        raise Unreadable(say("docs_read.docx.encrypted"))
    try:
        parts = zipfile.ZipFile(io.BytesIO(data)).infolist()
    except zipfile.BadZipFile as error:
        raise Unreadable(_broken()) from error
    unpacked = sum(part.file_size for part in parts)
    xml = sum(part.file_size for part in parts if part.filename.lower().endswith((".xml", ".rels")))
    if unpacked > MAX_UNPACKED_BYTES or xml > MAX_XML_BYTES:
        size = f"{unpacked / 2**20:,.0f} MB"
        raise Unreadable(say("docs_read.docx.too_large", size=size))


def _broken() -> Text:
    return say("docs_read.docx.broken")


def _read(word: Any) -> Parsed:
    blocks, items, styles = BlockList(), [], _Styles(word)
    said = word.core_properties
    title = one_line(said.title or "")
    for element in _content(word.element.body):
        if element.tag == f"{_W}tbl":
            items = _end_list(blocks, items)
            blocks.add("\n".join(_rows(element)))
            continue
        text, name, level = _text(element).strip(), styles.name(element), styles.level(element)
        if _CONTENTS_STYLE.match(name):
            continue
        if styles.is_item(element):
            items += [f"- {text}"] if text else []
            continue
        items = _end_list(blocks, items)
        if name.lower() == "title" and text:
            title = title or one_line(text)
        if name.lower() == "title" and one_line(text) == title:
            continue
        if level < _BODY_LEVEL:
            blocks.heading(level + 1, text)
        else:
            blocks.add(text)
    _end_list(blocks, items)
    title = title or blocks.first_heading
    return Parsed(without_title(blocks.done(), title), title, changed=said.modified.date() if said.modified else None)


def _end_list(blocks: BlockList, items: list[str]) -> list[str]:
    blocks.add("\n".join(items))
    return []


class _Styles:
    """What a paragraph's style says, looked up once a style."""

    def __init__(self, word: Any) -> None:
        self._by_id = {style.style_id: style for style in word.styles if style.style_id}
        self._default = next((i for i, style in self._by_id.items() if style.element.get(f"{_W}default") == "1"), "")
        self._levels: dict[str, int] = {}

    def name(self, paragraph: Any) -> str:
        style = self._by_id.get(_style_id(paragraph))
        return (style.name or "") if style is not None else ""

    def level(self, paragraph: Any) -> int:
        """Outline level, 0 for the outermost; 9 is body text (ECMA-376, 17.3.1.20)."""
        own = paragraph.find(f"{_W}pPr/{_W}outlineLvl")
        if own is not None:
            return _number(own)
        style_id = _style_id(paragraph)
        if style_id not in self._levels:
            self._levels[style_id] = self._level_of(style_id)
        return self._levels[style_id]

    def is_item(self, paragraph: Any) -> bool:
        """A numbered heading is a heading."""
        if self.level(paragraph) < _BODY_LEVEL:
            return False
        numbered = paragraph.find(f"{_W}pPr/{_W}numPr/{_W}numId")
        return (numbered is not None and _number(numbered) != 0) or self.name(paragraph).lower().startswith("list")

    def _level_of(self, style_id: str) -> int:
        style, seen = self._by_id.get(style_id), set[str]()
        while style is not None and style.style_id not in seen:
            seen.add(style.style_id)
            own = style.element.find(f"{_W}pPr/{_W}outlineLvl")
            if own is not None:
                return _number(own)
            if match := _HEADING_STYLE.match(style.name or ""):
                return int(match[1]) - 1
            base = style.element.find(f"{_W}basedOn")
            style = self._by_id.get(base.get(f"{_W}val", "")) if base is not None else None
        return _BODY_LEVEL


def _style_id(paragraph: Any) -> str:
    found = paragraph.find(f"{_W}pPr/{_W}pStyle")
    return found.get(f"{_W}val", "") if found is not None else ""


def _number(element: Any) -> int:
    value = element.get(f"{_W}val", "")
    return int(value) if value.isascii() and value.isdigit() else _BODY_LEVEL


def _content(parent: Any) -> Iterator[Any]:
    """Paragraphs and tables in order, those in content controls and custom markup included."""
    for element in parent.iterchildren():
        if element.tag in (f"{_W}p", f"{_W}tbl"):
            yield element
        elif element.tag in (f"{_W}sdt", f"{_W}sdtContent", f"{_W}customXml", f"{_W}ins"):
            yield from _content(element)


def _text(element: Any) -> str:
    """The visible words of ``element``."""
    pieces: list[str] = []
    events = walk(element)
    for event, inner in events:
        if event == "end":
            if inner.tag == f"{_W}p" and inner is not element:
                pieces.append(" ")  # between the paragraphs of a cell
        elif inner.tag in _UNSEEN or (inner.tag == f"{_W}r" and inner.find(f"{_W}rPr/{_W}vanish") is not None):
            events.skip_subtree()
        elif inner.tag == f"{_W}t":
            pieces.append(inner.text or "")
        elif inner.tag in _MARKS:
            pieces.append(_MARKS[inner.tag])
    return "".join(pieces)


def _rows(table: Any) -> Iterator[str]:
    rows: list[list[Cell]] = []
    above: dict[int, tuple[int, int]] = {}  # column → row and place of the cell that goes on below
    for row in table.iterchildren(f"{_W}tr"):
        is_header = row.find(f"{_W}trPr/{_W}tblHeader") is not None
        column, cells = _grid_before(row), list[Cell]()
        cells += [Cell("")] * column
        for cell in row.iterchildren(f"{_W}tc"):
            span = cell.find(f"{_W}tcPr/{_W}gridSpan")
            merge = cell.find(f"{_W}tcPr/{_W}vMerge")
            columns = min(_number(span), _MOST_COLUMNS) if span is not None else 1
            if merge is not None and merge.get(f"{_W}val") != "restart" and column in above:
                at, place = above[column]
                rows[at][place] = rows[at][place]._replace(rows=rows[at][place].rows + 1)
            else:
                above.pop(column, None)
                if merge is not None:
                    above[column] = len(rows), len(cells)
                cells.append(Cell(one_line(_text(cell)), 1, columns, is_header))
            column += columns
        rows.append(cells)
    yield from table_lines(rows)


def _grid_before(row: Any) -> int:
    before = row.find(f"{_W}trPr/{_W}gridBefore")
    return min(_number(before), _MOST_COLUMNS) if before is not None else 0


PLUGIN = Docx()

"""HTML pages: the main part of the page, its headings, title and date. Nothing it links to is fetched."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from tuneworth.data.dates import read_date
from tuneworth.data.documents.base import Parsed, Reading, SourceFile, without_title
from tuneworth.data.documents.blocks import BlockList, one_line
from tuneworth.data.documents.encoded import decoded
from tuneworth.data.documents.htmltree import add_blocks, parse

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


PLUGIN = Html()

"""Markdown (CommonMark with tables): headings, front matter, and text without its marks.

A link keeps its words and loses its address, which costs tokens and answers nothing; a picture keeps its
description. Lists, tables and code keep their lines.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from tuneworth.core.documents import Block
from tuneworth.core.text import Text
from tuneworth.data.documents.base import Parsed, Reading, SourceFile, decoded, missing, without_title
from tuneworth.data.documents.blocks import BlockList, join_wrapped
from tuneworth.data.values import read_date
from tuneworth.words.say import say

if TYPE_CHECKING:
    from markdown_it.tree import SyntaxTreeNode

_FRONT_MATTER = re.compile(r"---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|$)", re.DOTALL)
_BREAK_TAG = re.compile(r"<br\s*/?>", re.IGNORECASE)
_DATES = ("updated", "lastmod", "last_modified", "modified", "date", "published")
_OWN = ("title", "doc_set", *_DATES)


class Markdown:
    suffixes = (".md", ".markdown")

    def read(self, file: SourceFile) -> Reading:
        text, notes = decoded(file)
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        head, problems = {}, []
        if match := _FRONT_MATTER.match(text):
            head = _front_matter(match[1], problems)
            text = text[match.end() :] if not problems else text
        blocks, first_heading = _blocks(text, file.name)
        title = str(head.get("title") or first_heading)
        document = Parsed(
            blocks=without_title(blocks, title),
            title=title,
            changed=next((day for name in _DATES if (day := read_date(head.get(name)))), None),
            doc_set=str(head["doc_set"]) if head.get("doc_set") is not None else None,
            metadata={name: str(value) for name, value in head.items() if name not in _OWN and _is_plain(value)},
        )
        return Reading([document], problems, notes)


def _front_matter(text: str, problems: list[Text]) -> dict[str, Any]:
    try:
        head = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = str(error).split("\n")[0]
        problems.append(say("docs_read.markdown.front_matter", reason=reason))
        return {}
    return {str(name).strip().lower(): value for name, value in head.items()} if isinstance(head, dict) else {}


def _is_plain(value: object) -> bool:
    return isinstance(value, (str, int, float, bool)) and len(str(value)) <= 200


def _blocks(text: str, name: str) -> tuple[tuple[Block, ...], str]:
    """The blocks of Markdown ``text`` and its first heading."""
    try:
        from markdown_it import MarkdownIt
        from markdown_it.tree import SyntaxTreeNode
    except ImportError:
        raise missing("markdown-it-py", name) from None
    blocks = BlockList()
    for node in SyntaxTreeNode(MarkdownIt("commonmark").enable("table").parse(text)).children:
        if node.type == "heading":
            blocks.heading(int(node.tag[1]), _inline(node))
        elif node.type == "html_block":
            _html(blocks, node.content, name)
        else:
            blocks.add("\n".join(_lines(node)))
    return blocks.done(), blocks.first_heading


def _html(blocks: BlockList, markup: str, name: str) -> None:
    from tuneworth.data.documents.formats.html import add_blocks, parse

    tree = parse(markup, name)
    if tree is not None:
        add_blocks(blocks, tree)


def _lines(node: SyntaxTreeNode) -> list[str]:
    """The lines of a block, lists and quotes indented."""
    if node.type in ("fence", "code_block"):
        return node.content.rstrip("\n").split("\n")
    if node.type == "table":
        return [" | ".join(_inline(cell) for cell in row.children) for part in node.children for row in part.children]
    if node.type in ("paragraph", "heading"):
        return _inline(node).split("\n")
    if node.type in ("bullet_list", "ordered_list"):
        first = int(node.attrs.get("start", 1))
        marks = (f"{first + at}." if node.type == "ordered_list" else "-" for at in range(len(node.children)))
        return [line for mark, item in zip(marks, node.children) for line in _item(mark, item)]
    if node.type == "html_block":
        return []  # inside a list or a quote: comments and layout
    return [line for child in node.children for line in _lines(child)]


def _item(mark: str, item: SyntaxTreeNode) -> list[str]:
    first, *rest = _lines(item) or [""]
    return [f"{mark} {first}", *(f"  {line}" for line in rest)]


def _inline(node: SyntaxTreeNode) -> str:
    """The words of a paragraph, heading or cell; a soft line break is the margin's."""
    pieces: list[str] = []
    for leaf in node.walk(include_self=False):
        if leaf.type in ("text", "code_inline"):
            pieces.append(leaf.content)
        elif leaf.type == "softbreak":
            pieces.append("\0")
        elif leaf.type == "hardbreak" or (leaf.type == "html_inline" and _BREAK_TAG.fullmatch(leaf.content)):
            pieces.append("\n")
    return "\n".join(join_wrapped(line.split("\0")) for line in "".join(pieces).split("\n"))


PLUGIN = Markdown()

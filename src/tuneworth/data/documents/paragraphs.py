"""Paragraphs of plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tuneworth.core.documents import Block
from tuneworth.data.documents.blocks import BlockList, columns, join_wrapped

_BLANK = re.compile(r"\n[ \t\u3000]*(?:\n[ \t\u3000]*)+")
_ITEM = re.compile(
    r"\s*(?:[-*+•·▪◦○●–—]\s|\(?\d{1,3}(?:[.)]\s|[、）])|[（(][一二三四五六七八九十\d]{1,3}[)）]"
    r"|[一二三四五六七八九十]{1,3}、|第.{1,4}[章节条](?:[\s:：]|$))"
)
_ENDS = tuple(".!?:;。！？：；…\"'”’」』)）")
_WRAPPED_COLUMNS = 50
"""A line shorter than this was ended by its writer, not by the margin."""


def paragraphs(text: str) -> tuple[Block, ...]:
    """The blocks of ``text``; lines that only a margin broke are joined."""
    blocks = BlockList()
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    pages = text.split("\f")
    for number, page in enumerate(pages, start=1):
        for paragraph in _BLANK.split(page):
            blocks.add(unwrapped(paragraph), number if len(pages) > 1 else None)
    return blocks.done()


def unwrapped(paragraph: str) -> str:
    """``paragraph`` with a line break only where its writer put one.

    A break is the margin's when the line before it is long and in mid-sentence and the next starts no item.
    """
    lines = [line.rstrip() for line in paragraph.strip("\n").split("\n")]
    return "\n".join(join_wrapped(group) if len(group) > 1 else group[0] for group in _groups(lines))


def _groups(lines: list[str]) -> Iterator[list[str]]:
    group = lines[:1]
    for line in lines[1:]:
        before = group[-1]
        if columns(before) >= _WRAPPED_COLUMNS and not before.endswith(_ENDS) and not starts_item(line):
            group.append(line)
        else:
            yield group
            group = [line]
    yield group


def starts_item(line: str) -> bool:
    """Whether ``line`` begins with a bullet or a number, as an item of a list does."""
    return _ITEM.match(line) is not None

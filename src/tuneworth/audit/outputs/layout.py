"""How a text answer is laid out, coarsely: what a template or a parser would rely on.

The layout of an answer is three things: one line or several, its markup, and how it ends. The share of answers
with the commonest layout says how regular the format is. A skeleton is stronger: an opening, or heads of lines
("Subject:", "摘要："), that nearly all answers share.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tuneworth.core.text import Text
from tuneworth.data.neardup import Boilerplate
from tuneworth.data.values import parse_structure

SKELETON_SHARE = 0.9
_MIN_OPENING = 3
_HEAD = re.compile(r"^[ \t>*#\-]*([^\W\d_][\w /&()-]{0,30}?)[*_]*\s*[:：]", re.MULTILINE)
_BULLET = re.compile(r"^\s*(?:[-*•·]|\d{1,3}[.)、]|[（(]\d{1,3}[)）]|[一二三四五六七八九十]+、)\s*\S", re.MULTILINE)
_TAG = re.compile(r"^\s*<[A-Za-z!?][^>]*>")
_TABLE = re.compile(r"^\s*\|.*\|\s*$", re.MULTILINE)
_HEADING = re.compile(r"^#{1,6} \S", re.MULTILINE)

_MARKUP = {
    "json": Text(en="JSON", zh="JSON"),
    "code": Text(en="a code block", zh="代码块"),
    "tags": Text(en="markup tags", zh="标记标签"),
    "table": Text(en="a table", zh="表格"),
    "headings": Text(en="headings", zh="标题"),
    "heads": Text(en="lines with heads", zh="带小标题的行"),
    "list": Text(en="a list", zh="列表"),
    "plain": Text(en="plain text", zh="纯文本"),
}
_ENDS = {
    "mark": Text(en="ends with a sentence mark", zh="以句末标点结尾"),
    "none": Text(en="ends without a mark", zh="结尾没有标点"),
    "other": Text(en="ends with another sign", zh="以其他符号结尾"),
}


class Layout(NamedTuple):
    """What is seen of an answer's form."""

    several_lines: bool
    markup: str
    end: str

    def describe(self) -> Text:
        lines = Text(en="several lines", zh="多行") if self.several_lines else Text(en="one line", zh="单行")
        markup, end = _MARKUP[self.markup], _ENDS[self.end]
        return Text(en=f"{lines.en}, {markup.en}, {end.en}", zh=f"{lines.zh}、{markup.zh}、{end.zh}")


@dataclass(frozen=True, slots=True)
class Skeleton:
    """Fixed parts that nearly all answers share: the opening, the ending, and heads of lines in their order."""

    opening: str
    ending: str
    heads: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.opening or self.ending or self.heads)


def layout_of(output: str) -> Layout:
    """The layout of one answer."""
    text = output.strip()
    return Layout("\n" in text, _markup(text), _end(text))


def skeleton_of(outputs: Sequence[str]) -> Skeleton:
    """What at least 90 % of the answers share. Answers that are all the same share everything, which says nothing."""
    if len(set(outputs)) < 2:
        return Skeleton("", "", ())
    shared = Boilerplate.of(outputs)
    heads = Counter(head for output in outputs for head in dict.fromkeys(_HEAD.findall(output)))
    usual = tuple(head for head, n in heads.items() if n >= SKELETON_SHARE * len(outputs))
    opening = shared.prefix.strip()
    ending = shared.suffix.strip()
    return Skeleton(
        opening if len(opening) >= _MIN_OPENING else "", ending if len(ending) >= _MIN_OPENING else "", usual
    )


def _markup(text: str) -> str:
    if parse_structure(text) is not None:
        return "json"
    if text.startswith("```"):
        return "code"
    if _TAG.match(text):
        return "tags"
    n_lines = text.count("\n") + 1
    for name, pattern in (("table", _TABLE), ("headings", _HEADING), ("heads", _HEAD), ("list", _BULLET)):
        found = len(pattern.findall(text))
        if found >= max(2, n_lines / 4) or (found and name == "headings"):
            return name
    return "plain"


def _end(text: str) -> str:
    last = text.rstrip("\"'”’»」』)）*_ ")[-1:]
    if last in tuple(".!?。！？…"):
        return "mark"
    return "none" if last.isalnum() else "other"

"""fastText's training format: labels with the prefix ``__label__``, then the text, one row a line."""

from __future__ import annotations

import re

from tuneworth.data.rows import RawRow, Rejected, Rows, quote
from tuneworth.words.say import say

_LABEL = re.compile(r"__label__(\S+)\s*,?\s*")
_SAMPLE_LINES = 20


def is_fasttext(text: str) -> bool:
    """Whether most of the first lines begin with a label."""
    lines = [line for line in text.split("\n", _SAMPLE_LINES)[:_SAMPLE_LINES] if line.strip()]
    return bool(lines) and sum(line.lstrip().startswith("__label__") for line in lines) * 2 > len(lines)


def parse(text: str, name: str) -> Rows:
    """Rows with ``text`` and ``label``; several labels become a list."""
    rows = Rows(as_named=False)
    lines = text.replace("\r\n", "\n").split("\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        labels, rest = list[str](), line.strip()
        while match := _LABEL.match(rest):
            labels.append(match[1])
            rest = rest[match.end() :]
        if labels:
            label = labels[0] if len(labels) == 1 else labels
            rows.rows.append(RawRow(name, number, {"text": rest, "label": label}, line))
        else:
            rows.rejected.append(Rejected(name, number, say("reading.fasttext.no_label", shown=quote(line)), line))
    rows.notes.append(say("reading.fasttext.read", name=name))
    rows.check_conserved(lines, name)
    return rows

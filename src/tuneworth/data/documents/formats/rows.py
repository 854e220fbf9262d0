"""Rows of JSON Lines, JSON, CSV, TSV, Parquet and Excel: one document a row.

The fields are found by name. Where no field holds the text, all of a row is its text, a line a field: a price list
is then as readable as an article.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

from tuneworth.core.text import Text
from tuneworth.data import formats
from tuneworth.data.documents.base import Parsed, Reading, SourceFile, Unreadable
from tuneworth.data.documents.blocks import commas, one_line, paragraphs
from tuneworth.data.rows import BadRow, RawRow, quote
from tuneworth.data.values import check_text, read_date
from tuneworth.errors import InputError
from tuneworth.words.say import say

FIELDS: dict[str, tuple[str, ...]] = {
    "id": ("id", "_id", "doc_id", "document_id", "docid", "编号", "文档编号"),
    "title": ("title", "headline", "subject", "标题", "题目"),
    "text": ("text", "content", "contents", "passage", "body", "document", "chunk", "page_content", "pagecontent", "正文", "内容", "文本"),
    "date": ("date", "updated", "updated_at", "last_modified", "modified", "published", "published_at", "日期", "更新时间", "发布时间"),
    "doc_set": ("doc_set", "docset", "文档集"),
}  # fmt: skip
"""What a row says → the names of fields that say it, the first that a file has, in any case of letters."""

_METADATA_CHARS = 200
_LINES_SHOWN = 5


class Rows:
    suffixes = formats.SUFFIXES

    def read(self, file: SourceFile) -> Reading:
        return read_rows(str(file.path), file.name, file.id)


def read_rows(source: str, name: str, file_id: str) -> Reading:
    """The documents in ``source``, a file of rows or a data set of the hub.

    Raises:
        Unreadable: there are no rows in it.
        EnvironmentProblem: it cannot be read, or a library is missing.
    """
    try:
        raw = formats.read(source, name=name)
    except InputError as error:
        raise Unreadable(error.problems[0].message) from error
    fields = _fields([row.value for row in raw.rows])
    documents, bad, undated = [], [(row.line, row.reason) for row in raw.rejected], list[tuple[int, str]]()
    for row in raw.rows:
        try:
            documents.append(_document(row, fields, file_id, undated))
        except BadRow as error:
            bad.append((row.line, error.reason))
    problems = [_bad_rows(sorted(bad, key=lambda row: row[0]))] if bad else []
    return Reading(documents, problems + ([_undated(undated, fields["date"])] if undated else []), raw.notes)


def _fields(rows: Sequence[dict[str, Any]]) -> dict[str, str]:
    """What is said → the name of the field as the file writes it; for the text, the name that most rows fill."""
    columns = Counter(column for row in rows for column in row)
    actual = {column.strip().lower(): column for column in reversed(columns)}
    found = {what: [actual[name] for name in names if name in actual] for what, names in FIELDS.items()}
    found["text"].sort(key=lambda column: -columns[column])
    return {what: columns_[0] for what, columns_ in found.items() if columns_}


def _document(row: RawRow, fields: dict[str, str], file_id: str, undated: list[tuple[int, str]]) -> Parsed:
    said = {what: row.value.get(column) for what, column in fields.items()}
    text = _text(row, fields)
    check_text(fields.get("text", "text"), text)
    blocks = paragraphs(text)
    if not blocks:
        raise BadRow(say("docs_read.rows.empty"))
    changed = read_date(said.get("date"))
    if changed is None and said.get("date") not in (None, ""):
        undated.append((row.line, quote(said["date"], 30)))
    own_id = said.get("id")
    return Parsed(
        blocks=blocks,
        title=one_line(_word(said.get("title"))),
        id=_word(own_id).strip() or f"{file_id}:{hashlib.sha256(text.encode()).hexdigest()[:12]}",
        line=row.line,
        changed=changed,
        doc_set=_word(said.get("doc_set")).strip() or None,
        metadata=_metadata(row.value, set(fields.values())),
    )


def _text(row: RawRow, fields: dict[str, str]) -> str:
    if "text" not in fields:
        cells = {name: _word(value) for name, value in row.value.items() if name != fields.get("id")}
        return "\n".join(f"{name}: {cell}" for name, cell in cells.items() if cell)
    text = row.value.get(fields["text"])
    if text is None or isinstance(text, str):
        return text or ""
    column = fields["text"]
    shown = quote(text, 40)
    raise BadRow(say("docs_read.rows.not_text", column=column, shown=shown))


def _word(value: object) -> str:
    """A cell as text; lists and objects have none."""
    return "" if value is None or isinstance(value, (list, dict)) else str(value)


def _metadata(value: dict[str, Any], used: set[str]) -> dict[str, str]:
    """What else a row says in a few words, to filter by."""
    inner = value.get("metadata")
    cells = {**value, **(inner if isinstance(inner, dict) else {})}
    words = {name: _word(cell).strip() for name, cell in cells.items() if name not in used}
    return {name: word for name, word in words.items() if word and len(word) <= _METADATA_CHARS}


def _bad_rows(bad: Sequence[tuple[int, Text]]) -> Text:
    key = "docs_read.rows.one_left_out" if len(bad) == 1 else "docs_read.rows.left_out"
    return say(key, n=len(bad), lines=commas([line for line, _ in bad], _LINES_SHOWN), first=bad[0][1])


def _undated(undated: Sequence[tuple[int, str]], column: str) -> Text:
    line, value = undated[0]
    return say("docs_read.rows.undated", column=column, n=len(undated), value=value, line=str(line))


PLUGIN = Rows()

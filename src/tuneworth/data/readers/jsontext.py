"""Rows of JSON: one object a line, arrays, objects one after the other, and single documents that hold rows.

What the text is decides, not the file's suffix: files named ``.json`` are often JSON Lines. A line that is broken is set
aside and the next is read; a document that is broken has no way to go on, so the place is named and nothing is read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from tuneworth.core.text import Text
from tuneworth.data.readers import wrapped
from tuneworth.data.rows import RawRow, Rejected, Rows, quote
from tuneworth.errors import InputError, Problem
from tuneworth.words.say import say

_COMMENT = ("//", "#")
_SAMPLE_LINES = 50
_SPACE = re.compile(r"[ \t\r\n]*")
_ONLY_PUNCTUATION = re.compile(r"[\[\]{},\s]*")
_PYTHON = re.compile(r"""[{\[(,:]\s*(?:'|None\b|True\b|False\b)""")


def parse(text: str, name: str) -> Rows:
    """Rows of ``text``, each with the lines it stands on.

    Raises:
        InputError: the text is one JSON document that holds no rows, or a broken one.
    """
    if "\n" not in text:
        text = text.replace("\r", "\n")  # no JSON string holds a bare one
    reader = _Reader(text, name)
    if _is_lines(reader):
        reader.read_lines()
    else:
        reader.read_documents()
    # Not splitlines(): U+2028 and friends may stand inside a JSON string.
    lines = text.split("\n")
    reader.rows.others += [(n, n) for n, line in enumerate(lines, start=1) if _ONLY_PUNCTUATION.fullmatch(line)]
    reader.rows.check_conserved(lines, name)
    return reader.rows


def begins_with_object(text: str) -> bool:
    """Whether ``text`` begins with a JSON object, alone or in an array."""
    start = text.lstrip("\ufeff \t\r\n[")
    try:
        return start.startswith("{") and isinstance(json.JSONDecoder().raw_decode(start)[0], dict)
    except (ValueError, RecursionError):
        return False


def looks_like_json(text: str) -> bool:
    """Whether ``text``, or most of its first lines, open a list or an object, broken or not."""
    lines = [line.lstrip() for line in text.split("\n", _SAMPLE_LINES)[:_SAMPLE_LINES] if line.strip()]
    opened = sum(line.startswith(("{", "[")) for line in lines)
    return lines[0].startswith(("{", "[")) or opened * 2 > len(lines)


def _is_lines(reader: _Reader) -> bool:
    """Whether the text has a record a line, going by where its first one ends or, where that is broken, by most lines."""
    sample: list[str] = []
    for line in map(str.strip, reader.text.split("\n")):
        if line and not line.startswith(_COMMENT):
            sample.append(line)
        if len(sample) > _SAMPLE_LINES:
            break
    first = sample[0] if sample else ""
    if len(sample) < 2 or _is_record(reader, first):
        return len(sample) > 1
    if first.startswith("["):
        return False
    if first.startswith("{") and reader.spans_lines(reader.text.index(first)):
        return False
    records = sum(_is_record(reader, line) for line in sample)
    indented = sum(line[0] in '"]}' or line == "{" for line in sample)
    return records >= indented


def _is_record(reader: _Reader, line: str) -> bool:
    return isinstance(reader.decoded(_without_comma(line)), dict | list)


def _without_comma(line: str) -> str:
    return line[:-1].rstrip() if line.endswith(("},", "],")) else line


class _Reader:
    """Goes through a text once, from record to record.

    Attributes:
        repeated: names that the value decoded last has twice, with different values.
    """

    def __init__(self, text: str, name: str):
        self.text, self.name = text, name
        self.rows = Rows()
        self.repeated: list[str] = []
        # NaN and Infinity are not JSON, but writers of tables put them where a cell was empty.
        self.decoder = json.JSONDecoder(parse_constant=lambda _: None, object_pairs_hook=self._object)
        self._counted, self._line, self._line_start = 0, 1, 0

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) != len(pairs):
            self.repeated += dict.fromkeys(key for key, one in pairs if value[key] != one)
        return value

    def decoded(self, text: str) -> Any:
        try:
            return self.decoder.decode(text)
        except (ValueError, RecursionError):
            return None

    def spans_lines(self, start: int) -> bool:
        """Whether a whole value begins at ``start`` and ends on another line."""
        try:
            _, end = self.decoder.raw_decode(self.text, start)
        except (ValueError, RecursionError):
            return False
        return "\n" in self.text[start:end]

    def read_lines(self) -> None:
        """One record a line; blank lines count but are no rows."""
        comments: list[int] = []
        for number, line in enumerate(self.text.split("\n"), start=1):
            record = line.strip()
            if record.startswith(_COMMENT):
                comments.append(number)
            elif record:
                self._read_line(number, record, len(line) - len(line.lstrip()))
        if comments:
            self.rows.others += [(number, number) for number in comments]
            self._note("reading.json.comments", n=len(comments), line=str(comments[0]))

    def _read_line(self, number: int, record: str, indent: int) -> None:
        record = _without_comma(record)
        found: list[tuple[Any, int, int, list[str]]] = []
        position = 0
        try:
            while position < len(record):
                self.repeated = []
                value, end = self.decoder.raw_decode(record, position)
                found.append((value, position, end, self.repeated))
                position = _after(record, end)
        except (ValueError, RecursionError) as error:
            self.rows.rejected.append(Rejected(self.name, number, _not_json(error, record), record))
            return
        if len(found) == 1 and isinstance(found[0][0], list) and _holds_objects(found[0][0]):
            inner = list(self._elements(record, 1))
            found = [(value, start, end, repeated) for value, start, end, repeated in inner]
        for value, start, end, repeated in found:
            column = indent + start + 1 if len(found) > 1 and start else 0
            self._keep(value, record[start:end], number, 0, column, repeated)

    def read_documents(self) -> None:
        """Values one after the other, each over as many lines as it takes."""
        text, ends = self.text, list[int]()
        position = _after(text, 0)
        while position < len(text):
            if text.startswith(_COMMENT, position):
                line = self._line_of(position)
                self.rows.others.append((line, line))
                position = _after(text, (text.find("\n", position) + 1) or len(text))
                continue
            if text[position] not in "[{":
                raise self._broken(position, after=ends[-1] if ends else None)
            start = position
            is_array = text[start] == "["
            position = self._read_array(start) if is_array else self._read_object(start, is_first=not ends)
            ends.append(position)
            position = _after(text, position)
        if len(ends) > 1:
            self._note("reading.json.several", n=len(ends), line=str(self._line_of(ends[0])))

    def _read_array(self, start: int) -> int:
        end = start + 1
        for value, at, end, repeated in self._elements(self.text, start + 1):
            self._keep(value, self.text[at:end], *self._place(at, end), repeated)
        return self.text.index("]", end) + 1

    def _read_object(self, start: int, *, is_first: bool) -> int:
        self.repeated = []
        try:
            value, end = self.decoder.raw_decode(self.text, start)
        except (ValueError, RecursionError) as error:
            raise self._broken_by(error, start) from None
        is_alone = is_first and _after(self.text, end) >= len(self.text)
        found = wrapped.rows_in(value) if is_alone else None
        if is_alone and found is None and "\n" in self.text.strip():
            raise InputError(Problem(self.name, say("rows.json.no_rows")))
        if found is None:
            self._keep(value, self.text[start:end], *self._place(start, end), self.repeated)
            return end
        line, last, _ = self._place(start, end)
        self.rows.others.append((line, last))
        if found.note is not None:
            self.rows.notes.append(found.note(self.name))
        array = self._member(start, found.key) if found.key else None
        if array is not None:
            self._read_array(array)
        else:
            self.rows.rows += [RawRow(self.name, n, row) for n, row in enumerate(found.rows, start=1)]
        return end

    def _member(self, start: int, wanted: str) -> int | None:
        """Where the array under the key ``wanted`` opens in the object at ``start``."""
        position, found = _after_space(self.text, start + 1), None
        while self.text[position : position + 1] == '"':
            key, position = self.decoder.raw_decode(self.text, position)
            position = _after_space(self.text, _after_space(self.text, position) + 1)
            found = position if key == wanted else found
            _, position = self.decoder.raw_decode(self.text, position)
            position = _after(self.text, position)
        return found

    def _elements(self, text: str, position: int) -> Iterator[tuple[Any, int, int, list[str]]]:
        """Value, start, end and repeated names of every element of the array whose inside begins at ``position``."""
        while True:
            position = _after_space(text, position)
            if text[position : position + 1] == "]":
                return
            self.repeated = []
            try:
                value, end = self.decoder.raw_decode(text, position)
            except (ValueError, RecursionError) as error:
                raise self._broken_by(error, position) from None
            yield value, position, end, self.repeated
            position = _after_space(text, end)
            if text[position : position + 1] == ",":
                position += 1
            elif text[position : position + 1] != "]":
                raise self._broken(position)

    def _keep(self, value: Any, record: str, line: int, end: int, column: int, repeated: list[str]) -> None:
        row = RawRow(self.name, line, value if isinstance(value, dict) else {}, record, end, column)
        if not isinstance(value, dict):
            self.rows.rejected.append(row.rejected(say("rows.json.not_an_object", shown=quote(record))))
        elif repeated:
            names = ", ".join(f"`{name}`" for name in dict.fromkeys(repeated))
            self.rows.rejected.append(row.rejected(say("reading.json.repeated_key", names=names)))
        else:
            self.rows.rows.append(row)

    def _place(self, start: int, end: int) -> tuple[int, int, int]:
        """First line and last line of a record, and its column where another stands before it in its line."""
        before = self.rows.rows[-1:] + self.rows.rejected[-1:]
        line = self._line_of(start)
        shares = any(max(record.line, record.end) == line for record in before)
        column = start - self._line_start + 1 if shares else 0
        last = line + self.text.count("\n", start, end)
        return line, last, column

    def _line_of(self, position: int) -> int:
        if position < self._counted:
            return self.text.count("\n", 0, position) + 1
        self._line += self.text.count("\n", self._counted, position)
        self._line_start = max(self._line_start, self.text.rfind("\n", self._counted, position) + 1)
        self._counted = position
        return self._line

    def _broken_by(self, error: Exception, start: int) -> InputError:
        """The error for a value that cannot be decoded; a string that never ends was cut off with the file."""
        is_cut_off = getattr(error, "msg", "").startswith("Unterminated string")
        return self._broken(len(self.text.rstrip()) if is_cut_off else getattr(error, "pos", start))

    def _broken(self, position: int, *, after: int | None = None) -> InputError:
        text = self.text
        line = text.count("\n", 0, position) + 1
        column = position - (text.rfind("\n", 0, position) + 1) + 1
        shown = quote(text[position : position + 200], 40)
        if after is not None:
            message = say("reading.json.text_after", shown=shown, line=str(text.count("\n", 0, after) + 1))
        elif _PYTHON.search(text[max(0, position - 1) : position + 200].split("\n")[0]):
            message = say("reading.json.python", column=str(column), shown=shown)
        elif not text[position:].strip():
            message = say("reading.json.cut_off", line=str(text[:position].rstrip().count("\n") + 1))
        else:
            message = say("rows.json.broken_document", column=str(column), shown=shown)
        return InputError(Problem(f"{self.name}:{line}", message))

    def _note(self, key: str, **parts: Any) -> None:
        self.rows.notes.append(say(key, name=self.name, **parts))


def _holds_objects(values: list[Any]) -> bool:
    return bool(values) and all(isinstance(value, dict) for value in values)


def _not_json(error: Exception, record: str) -> Text:
    if "\x00" in record:
        return say("rows.json.nul")
    if _PYTHON.search(record) and not isinstance(error, RecursionError):
        return say("reading.json.python_line", shown=quote(record))
    if isinstance(error, json.JSONDecodeError):
        at, shown = error.pos + 1, quote(record)
        return say("rows.json.broken_line", msg=error.msg, at=str(at), shown=shown)
    return say("rows.json.unreadable", error=str(error))


def _after_space(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _after(text: str, position: int) -> int:
    """Behind the white space and the comma that stand between two values."""
    position = _after_space(text, position)
    if text[position : position + 1] == ",":
        position = _after_space(text, position + 1)
    return position

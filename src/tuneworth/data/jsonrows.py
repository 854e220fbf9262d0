"""Rows of JSON Lines and of JSON documents, each with the line where it starts."""

from __future__ import annotations

import json
from typing import Any

from tuneworth.core.text import Text
from tuneworth.data.rows import RawRow, Rejected, Rows, quote
from tuneworth.errors import InputError, Problem
from tuneworth.words.say import say

# NaN and Infinity are not JSON, but writers of tables put them where a cell was empty.
_DECODER = json.JSONDecoder(parse_constant=lambda _: None)


def parse(text: str, name: str) -> Rows:
    """Rows of ``text``, whether it is one object a line, one array, or ``{"data": [...]}``.

    What the text is decides, not the file's suffix: files named ``.json`` are often JSON Lines.

    Raises:
        InputError: the text is one JSON document that holds no rows, or a broken one.
    """
    start = len(text) - len(text.lstrip())
    first_line, _, rest = text[start:].partition("\n")
    if rest.strip() and _decodes(first_line):
        return parse_lines(text, name)
    if text[start] == "[":
        return _array(text, start, name)
    found = _data_array(text, start) if text[start] == "{" else None
    if found is not None:
        return _array(text, found, name)
    if rest.strip() and _decodes(text):
        raise InputError(Problem(name, say("rows.json.no_rows")))
    return parse_lines(text, name)


def _decodes(text: str) -> bool:
    try:
        _DECODER.decode(text)
    except (ValueError, RecursionError):
        return False
    return True


def parse_lines(text: str, name: str) -> Rows:
    """One record a line; blank lines count but are no rows."""
    result = Rows([], [])
    # Not splitlines(): U+2028 and friends may stand inside a JSON string.
    for number, line in enumerate(text.split("\n"), start=1):
        record = line.strip()
        if record:
            _add(result, name, number, record)
    return result


def _add(result: Rows, name: str, line: int, record: str) -> None:
    try:
        value = _DECODER.decode(record)
    except (ValueError, RecursionError) as error:
        result.rejected.append(Rejected(name, line, _not_json(error, record), record))
        return
    _keep(result, name, line, value, record)


def _keep(result: Rows, name: str, line: int, value: Any, record: str) -> None:
    if isinstance(value, dict):
        result.rows.append(RawRow(name, line, value, record))
        return
    shown = quote(record)
    result.rejected.append(Rejected(name, line, say("rows.json.not_an_object", shown=shown), record))


def _not_json(error: Exception, record: str) -> Text:
    if "\x00" in record:
        return say("rows.json.nul")
    if isinstance(error, json.JSONDecodeError):
        at, shown = error.pos + 1, quote(record)
        return say("rows.json.broken_line", msg=error.msg, at=str(at), shown=shown)
    return say("rows.json.unreadable", error=str(error))


def _array(text: str, start: int, name: str) -> Rows:
    """Elements of the array that opens at ``start``, each with its line."""
    result, position, line, counted = Rows([], []), start + 1, 1, 0
    while True:
        position = _skip_space(text, position)
        if text[position : position + 1] == "]":
            return result
        line, counted = line + text.count("\n", counted, position), position
        value, end = _element(text, position, name)
        _keep(result, name, line, value, text[position:end])
        position = _skip_space(text, end)
        if text[position : position + 1] == ",":
            position += 1
        elif text[position : position + 1] != "]":
            raise _broken(text, position, name)


def _element(text: str, position: int, name: str) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, position)
    except json.JSONDecodeError as error:
        raise _broken(text, error.pos, name) from None
    except (ValueError, RecursionError):
        raise _broken(text, position, name) from None


def _broken(text: str, position: int, name: str) -> InputError:
    """A broken document has no way to go on, unlike a broken line."""
    line = text.count("\n", 0, position) + 1
    column = position - (text.rfind("\n", 0, position) + 1) + 1
    message = say("rows.json.broken_document", column=str(column), shown=quote(text[position : position + 200], 40))
    return InputError(Problem(f"{name}:{line}", message))


def _data_array(text: str, start: int) -> int | None:
    """Where the array under the key ``data`` opens, if ``text`` is one object that has it."""
    found, position = None, _skip_space(text, start + 1)
    try:
        while text[position : position + 1] == '"':
            key, position = _DECODER.raw_decode(text, position)
            position = _skip_space(text, position)
            if text[position : position + 1] != ":":
                return None
            value_start = _skip_space(text, position + 1)
            value, position = _DECODER.raw_decode(text, value_start)
            if key == "data" and isinstance(value, list):
                found = value_start
            position = _skip_space(text, position)
            if text[position : position + 1] == ",":
                position = _skip_space(text, position + 1)
    except (ValueError, RecursionError):
        return None
    return found if text[position : position + 1] == "}" and not text[position + 1 :].strip() else None


def _skip_space(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t\r\n":
        position += 1
    return position

"""How the columns of a row become what is asked: turns, ``name: value`` lines, options.

One column alone is the question as it stands. Several are written as ``name: value`` lines in the order given; an empty
one is left out, and the row stays. Three kinds are no lines: a system column becomes the system turn, a history the
earlier turns, and options are listed under the question by their marks.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from tuneworth.core.task import Message
from tuneworth.data.drafts import is_conversation, read_turns
from tuneworth.data.fieldnames import HISTORIES, OPTION_LISTS, SYSTEM_TURNS, key, option_columns
from tuneworth.data.rows import BadRow, quote
from tuneworth.data.values import as_text, cell, is_empty, parsed
from tuneworth.words.say import say

AnswerForm = Literal["mark", "text", "from_0", "from_1"]
"""How a row says which option is right: by its mark, by its text, by its place counted from 0 or from 1."""
_MARKS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_MARKED = re.compile(r"[(（\[]?\s*([A-Za-z]|\d{1,2})\s*(?:[)）\].．、:：]|$)")
_LINE = re.compile(r"^\s*[(（\[]?([A-Za-z]|\d{1,2})[)）\].．、:：]\s*(\S.*)$")


def input_text(name: str, value: Any) -> str:
    """``value`` of an input column as text: a list of texts by lines, an object by ``name: value`` lines.

    Raises:
        BadRow: it holds bytes, or lists in lists.
    """
    if isinstance(value, list) and value and all(isinstance(item, str | int | float) for item in value):
        return "\n".join(as_text(name, item) for item in value)
    if isinstance(value, dict) and value and all(isinstance(item, str | int | float) for item in value.values()):
        return "\n".join(f"{inner}: {as_text(name, item)}" for inner, item in value.items())
    return as_text(name, value)


def written(name: str, value: Any) -> str:
    """``value`` of one input column among others as text, whatever it holds: lists by lines, objects by ``name: value`` lines.

    Raises:
        BadRow: it holds bytes.
    """
    if isinstance(value, str) and isinstance(items := parsed(value), list):
        value = items if all(isinstance(item, str) for item in items) else value  # a table writes a list of texts so
    if isinstance(value, list):
        return "\n".join(written(name, item) for item in value if not is_empty(item))
    if isinstance(value, dict):
        return "\n".join(f"{inner}: {written(name, item)}" for inner, item in value.items() if not is_empty(item))
    return as_text(name, value)


# -- options -----------------------------------------------------------------------------------------------


def options_in(value: Any) -> dict[str, str]:
    """Mark → text of the options that a list, an object (``{text: […], label: […]}`` too) or lines of text hold."""
    value = parsed(value)
    if isinstance(value, dict):
        texts, marks = value.get("text"), value.get("label")
        if isinstance(texts, list) and isinstance(marks, list) and len(texts) == len(marks):
            return {str(mark): str(text) for mark, text in zip(marks, texts)}
        return {str(mark): str(text) for mark, text in value.items() if isinstance(text, str | int | float)}
    if isinstance(value, str):
        lines = [line for line in value.splitlines() if line.strip()]
        found = [_LINE.match(line) for line in lines]
        if len(lines) >= 2 and all(found):
            return {match[1]: match[2].strip() for match in found if match}
        value = lines if len(lines) >= 2 else [part for part in re.split(r"\s*[|；;]\s*", value) if part]
    if not isinstance(value, list) or not 2 <= len(value) <= len(_MARKS):
        return {}
    if all(isinstance(item, dict) and "text" in item for item in value):
        return {str(item.get("label", item.get("id", _MARKS[at]))): str(item["text"]) for at, item in enumerate(value)}
    texts = [str(item) for item in value if isinstance(item, str | int | float)]
    found = [_LINE.match(text) for text in texts]
    if len(texts) == len(value) and all(found) and len({match[1] for match in found if match}) == len(value):
        return {match[1]: match[2].strip() for match in found if match}
    return dict(zip(_MARKS, texts)) if len(texts) == len(value) else {}


def chosen_mark(answer: Any, options: Mapping[str, str], form: AnswerForm) -> str | None:
    """The mark that ``answer`` means, in this form; ``None`` where it means none."""
    if isinstance(answer, list) and len(answer) == 1:
        answer = answer[0]
    if isinstance(answer, bool) or not isinstance(answer, str | int | float):
        return None
    marks, said = list(options), _whole(answer)
    if form == "text":
        return next((mark for mark, text in options.items() if text.strip() == said), None)
    if form == "mark":
        if said in options:
            return said
        match = _MARKED.match(said)
        found = match[1].upper() if match and (match.end() == len(said) or said[match.end() :].strip()) else ""
        return next((mark for mark in marks if mark.upper() == found), None)
    place = int(said) - (form == "from_1") if said.isdecimal() else -1
    return marks[place] if 0 <= place < len(marks) else None


def answer_form(pairs: Iterable[tuple[Any, Mapping[str, str]]]) -> AnswerForm | Literal["open"] | None:
    """How answers name their option, from rows of (answer, options).

    Returns:
        The form most rows can be read in; ``None`` where fewer than nine in ten can in any; ``open`` where places
        counted from 0 and from 1 fit equally well, which no row may decide by luck.
    """
    forms: tuple[AnswerForm, ...] = ("mark", "text", "from_0", "from_1")
    counts: Counter[AnswerForm] = Counter()
    n = 0
    for answer, options in pairs:
        n += 1
        counts.update(form for form in forms if chosen_mark(answer, options, form) is not None)
    best = max(forms, key=lambda form: counts[form])
    if n == 0 or counts[best] < 0.9 * n:
        return None
    return "open" if best == "from_0" and counts["from_0"] == counts["from_1"] else best


def _whole(answer: Any) -> str:
    return str(int(answer)) if isinstance(answer, float) and answer.is_integer() else str(answer).strip()


# -- the whole input ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Inputs:
    """The columns that a row's question is read from.

    Attributes:
        bare: written as they stand, one under the other.
        named: written as ``name: value`` lines.
        system, history: columns of system turns, and of earlier turns.
        options: one column with a list, or mark → column.
        required: columns without which a row cannot be read; of the others any may be empty, but not all.
        shown: options are listed under the question.
    """

    bare: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    system: tuple[str, ...] = ()
    history: tuple[str, ...] = ()
    options: str | Mapping[str, str] | None = None
    form: AnswerForm | None = None
    required: tuple[str, ...] = ()
    shown: bool = True

    @property
    def columns(self) -> tuple[str, ...]:
        """All of them, in the order in which a task file would name them."""
        options = (
            () if self.options is None else (self.options,) if isinstance(self.options, str) else self.options.values()
        )
        return tuple(dict.fromkeys((*self.system, *self.history, *self.bare, *self.named, *options)))

    def with_named(self, names: Sequence[str]) -> Inputs:
        """These columns with others as lines; what stood alone becomes a line too, since it needs its name now."""
        if not names:
            return self
        if len(self.bare) == 1:
            return replace(self, bare=(), named=(*self.bare, *self.named, *names))
        return replace(self, named=(*self.named, *names))

    def options_of(self, value: Mapping[str, Any]) -> dict[str, str]:
        if self.options is None:
            return {}
        if isinstance(self.options, str):
            return options_in(cell(value, self.options))
        cells = {mark: cell(value, name) for mark, name in self.options.items()}
        return {mark: written(mark, found) for mark, found in cells.items() if not is_empty(found)}

    def messages(self, value: Mapping[str, Any], chat: tuple[Message, ...] = ()) -> tuple[Message, ...]:
        """What is asked; ``chat`` is a conversation to which lines, options and turns before it are added.

        Raises:
            BadRow: a required column is missing, all are empty, or one is not text.
        """
        for name in self.required:
            if cell(value, name) is None:
                raise absent(name, value)
        system = self._texts(value, self.system)
        if chat and chat[0].role == "system":  # models know one system turn
            system, chat = [*system, chat[0].content], chat[1:]
        turns = [Message("system", "\n\n".join(dict.fromkeys(system)))] if system else []
        for name in self.history:
            turns += earlier_turns(name, cell(value, name))
        if chat and not self.named and not self.options:
            return (*turns, *chat)
        given = ((name, cell(value, name)) for name in self.named)
        lines = [f"{name}: {written(name, found)}" for name, found in given if not is_empty(found)]
        options = [f"{mark}. {text}" for mark, text in self.options_of(value).items()] if self.shown else []
        ending = "\n".join([*lines, *options])
        if chat:
            return (*turns, *chat[:-1], Message(chat[-1].role, "\n\n".join(filter(None, (chat[-1].content, ending)))))
        if len(self.bare) == 1 and is_conversation(first := parsed(cell(value, self.bare[0]))):
            said = read_turns(first)
            if said[-1].role != "user":  # what is asked is about the conversation, not its next turn
                spoken = "\n".join(f"{turn.role}: {turn.content}" for turn in said)
                said = (Message("user", spoken),)
            return replace(self, bare=(), required=()).messages(value, said)
        texts = self._texts(value, self.bare)
        if not texts and not ending and self.bare and self.bare[0] not in value and "." not in self.bare[0]:
            raise absent(self.bare[0], value)
        between = "\n" if options and not lines and len(texts) == 1 else "\n\n"
        return (*turns, Message("user", between.join(filter(None, ("\n\n".join(texts), ending)))))

    def _texts(self, value: Mapping[str, Any], names: Iterable[str]) -> list[str]:
        found = ((name, cell(value, name)) for name in names)
        return [input_text(name, given) for name, given in found if not is_empty(given)]


def inputs_named(names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> Inputs:
    """What a task file means by these columns, told from their names and from what is in ``rows``."""
    history = tuple(name for name in names if key(name) in HISTORIES and _any_turns(name, rows))
    system = tuple(name for name in names if key(name) in SYSTEM_TURNS)
    rest = [name for name in names if name not in (*history, *system)]
    options: str | Mapping[str, str] | None = option_columns(rest) or None
    if options is None and len(rest) > 1:
        lists = (
            name for name in rest if key(name) in OPTION_LISTS and any(options_in(cell(row, name)) for row in rows)
        )
        options = next(lists, None)
    taken = () if options is None else (options,) if isinstance(options, str) else tuple(options.values())
    texts = tuple(name for name in rest if name not in taken)
    chats = [name for name in texts if any(is_conversation(parsed(cell(row, name))) for row in rows)]
    if chats:  # lines are added to its last turn
        bare, named = (chats[0],), tuple(name for name in texts if name != chats[0])
    else:
        bare, named = (texts, ()) if len(texts) == 1 else ((), texts)
    return Inputs(bare, named, system, history, options, required=tuple(names) if len(names) == 1 else ())


def _any_turns(name: str, rows: Sequence[Mapping[str, Any]]) -> bool:
    filled = [found for row in rows if not is_empty(found := parsed(cell(row, name)))]
    return any(isinstance(found, list) and not isinstance(found[0], str | int | float) for found in filled)


def earlier_turns(name: str, value: Any) -> list[Message]:
    """A history: pairs of what was asked and answered, or turns with their roles.

    Raises:
        BadRow: it is neither.
    """
    value = parsed(value)
    if is_empty(value):
        return []
    if is_conversation(value):
        return list(read_turns(value))
    turns: list[Message] = []
    for pair in value if isinstance(value, list) else [value]:
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise BadRow(say("columns.history", name=name, shown=quote(value)))
        turns += [Message("user", as_text(name, pair[0])), Message("assistant", as_text(name, pair[1]))]
    return turns


def absent(name: str, value: Mapping[str, Any]) -> BadRow:
    there = ", ".join(column for column, given in value.items() if not is_empty(given)) or "nothing"
    return BadRow(say("rows.field.absent", name=name, there=there))

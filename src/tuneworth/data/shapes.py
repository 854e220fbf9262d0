"""How rows are shaped: which of their fields is the question and which the answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tuneworth.core.task import Message
from tuneworth.core.text import Text
from tuneworth.data.drafts import Draft, Extras, is_conversation, question_and_answer, read_turns
from tuneworth.data.rows import BadRow, RawRow
from tuneworth.data.values import as_text, check_text
from tuneworth.errors import InputError, Problem
from tuneworth.words.say import say

PAIRS: tuple[tuple[str, str], ...] = (
    ("input", "output"),
    ("prompt", "completion"),
    ("prompt", "response"),
    ("instruction", "response"),
    ("question", "answer"),
    ("query", "response"),
    ("query", "answer"),
    ("text", "label_text"),
    ("text", "label"),
    ("text", "intent"),
    ("text", "category"),
    ("text", "class"),
    ("text", "target"),
    ("text", "sentiment"),
    ("text", "summary"),
    ("sentence", "label"),
    ("sentence", "intent"),
    ("utterance", "intent"),
    ("utterance", "label"),
    ("query", "intent"),
    ("query", "label"),
    ("content", "label"),
    ("content", "category"),
    ("review", "sentiment"),
    ("review", "label"),
    ("title", "category"),
    ("title", "label"),
    ("input", "label"),
    ("input", "target"),
    ("source", "target"),
    ("article", "summary"),
    ("document", "summary"),
    ("dialogue", "summary"),
)
"""Names that come in pairs, tried in this order, in any case of letters. Listed in docs/task.md."""

_CHATS = ("messages", "conversations", "conversation")
_ALPACA = ("instruction", "input", "output")
_SAMPLE_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class Shape:
    """A way to read rows.

    Attributes:
        used: the fields it reads.
        reason: why it was chosen, for a person to read.
    """

    name: str
    used: tuple[str, ...]
    convert: Callable[[dict[str, Any]], Draft]
    reason: Text
    extras: Extras = field(default_factory=Extras)

    def read(self, row: RawRow) -> Draft:
        """The row's question, answer and extras.

        Raises:
            BadRow: a field is missing, empty, or not text.
        """
        draft = self.convert(row.value)
        for message in draft.messages:
            check_text("input", message.content)
        if not any(message.content.strip() for message in draft.messages if message.role == "user"):
            raise BadRow(say("rows.field.empty_input"))
        return self.extras.add_to(draft, row.value)


def mapped_shape(inputs: Sequence[str], output: str, extras: Extras) -> Shape:
    """The shape the user's ``fields`` describe; several inputs are joined as ``name: value`` lines."""
    shown = ", ".join(inputs)
    return Shape(
        "mapped",
        (*inputs, output),
        _pair(tuple(inputs), output),
        say("rows.shape.mapped", shown=shown, output=output),
        extras,
    )


def detect_shape(rows: Sequence[RawRow], extras: Extras | None = None) -> Shape:
    """The first known shape that at least half of the rows have.

    Args:
        extras: the extra fields the user named; found by name where they did not.

    Raises:
        InputError: no known shape; the message lists the fields there are.
    """
    sample = rows[:_SAMPLE_ROWS]
    columns = Counter(column for row in sample for column in row.value)
    extras = (extras or Extras()).found_in(columns)
    enough = len(sample) / 2
    for name in _CHATS:
        if sum(is_conversation(row.value.get(name)) for row in sample) >= max(enough, 1):
            return Shape(name, (name,), _chat(name), say("rows.shape.chat", name=name), extras)
    actual = {column.strip().lower(): column for column in reversed(columns)}
    if all(columns.get(actual.get(name, ""), 0) >= enough for name in ("instruction", "output")):
        return _alpaca(actual, extras)
    for source, target in PAIRS:
        source, target = actual.get(source, ""), actual.get(target, "")
        if columns.get(source, 0) >= enough and columns.get(target, 0) >= enough:
            return _pair_shape(source, target, columns, extras)
    raise _unknown_shape(rows[0].file, columns)


def _alpaca(actual: dict[str, str], extras: Extras) -> Shape:
    names = [actual[name] for name in _ALPACA if name in actual]
    instruction, output = actual["instruction"], actual["output"]
    extra_input = actual.get("input")

    def convert(value: dict[str, Any]) -> Draft:
        text = as_text(instruction, _required(value, instruction))
        more = value.get(extra_input) if extra_input else None
        if more not in (None, ""):
            text = f"{text}\n\n{as_text('input', more)}"
        return Draft((Message("user", text),), _required(value, output))

    shown = ", ".join(names)
    return Shape("alpaca", tuple(names), convert, say("rows.shape.alpaca", shown=shown), extras)


def _pair_shape(source: str, target: str, columns: Counter[str], extras: Extras) -> Shape:
    used = {source, target, *extras.columns()}
    unused = ", ".join(column for column in columns if column not in used)
    key = "rows.shape.pair_and_unused" if unused else "rows.shape.pair"
    reason = say(key, source=source, target=target, **({"unused": unused} if unused else {}))
    return Shape("pair", (source, target), _pair((source,), target), reason, extras)


def _pair(inputs: tuple[str, ...], output: str) -> Callable[[dict[str, Any]], Draft]:
    def convert(value: dict[str, Any]) -> Draft:
        first, answer = _required(value, inputs[0]), _required(value, output)
        if is_conversation(answer):
            answer = read_turns(answer)[-1].content
        if len(inputs) == 1 and is_conversation(first):
            turns = read_turns(first)
            if turns[-1].role != "user":
                raise BadRow(say("rows.turns.last_not_user"))
            return Draft(turns, answer)
        if len(inputs) == 1:
            text = as_text(inputs[0], first)
        else:
            text = "\n".join(f"{name}: {as_text(name, _required(value, name))}" for name in inputs)
        return Draft((Message("user", text),), answer)

    return convert


def _chat(name: str) -> Callable[[dict[str, Any]], Draft]:
    def convert(value: dict[str, Any]) -> Draft:
        turns = _required(value, name)
        if not is_conversation(turns):
            raise BadRow(say("rows.turns.no_list", name=name))
        messages, output = question_and_answer(read_turns(turns))
        return Draft(messages, output)

    return convert


def _required(value: dict[str, Any], name: str) -> Any:
    found = value.get(name)
    if found is None:
        there = ", ".join(value) or "nothing"
        raise BadRow(say("rows.field.absent", name=name, there=there))
    return found


def _unknown_shape(file: str, columns: Counter[str]) -> InputError:
    shown = ", ".join(columns) or "(none)"
    return InputError(Problem(file, say("rows.shape.unknown", shown=shown)), say("rows.shape.unknown_next"))

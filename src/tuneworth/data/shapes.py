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
            raise BadRow(Text(en="the input is empty", zh="输入为空"))
        return self.extras.add_to(draft, row.value)


def mapped_shape(inputs: Sequence[str], output: str, extras: Extras) -> Shape:
    """The shape the user's ``fields`` describe; several inputs are joined as ``name: value`` lines."""
    shown = ", ".join(inputs)
    reason = Text(en=f"fields: {shown} → {output}, as the task says", zh=f"字段：{shown} → {output}，由任务文件指定")
    return Shape("mapped", (*inputs, output), _pair(tuple(inputs), output), reason, extras)


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
            return Shape(name, (name,), _chat(name), _chat_reason(name), extras)
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
    reason = Text(en=f"rows have {shown}: the Alpaca shape", zh=f"数据行含有 {shown}：Alpaca 格式")
    return Shape("alpaca", tuple(names), convert, reason, extras)


def _pair_shape(source: str, target: str, columns: Counter[str], extras: Extras) -> Shape:
    used = {source, target, *extras.columns()}
    unused = ", ".join(column for column in columns if column not in used)
    tail_en = f"; not used: {unused} (name them in `fields` to use them)" if unused else ""
    tail_zh = f"；未使用：{unused}（要使用请写进 `fields`）" if unused else ""
    reason = Text(
        en=f"fields: {source} → {target}, because rows have both{tail_en}",
        zh=f"字段：{source} → {target}，因为数据行同时含有两者{tail_zh}",
    )
    return Shape("pair", (source, target), _pair((source,), target), reason, extras)


def _pair(inputs: tuple[str, ...], output: str) -> Callable[[dict[str, Any]], Draft]:
    def convert(value: dict[str, Any]) -> Draft:
        first, answer = _required(value, inputs[0]), _required(value, output)
        if is_conversation(answer):
            answer = read_turns(answer)[-1].content
        if len(inputs) == 1 and is_conversation(first):
            turns = read_turns(first)
            if turns[-1].role != "user":
                raise BadRow(Text(en="the last turn of the input must be the user's", zh="输入的最后一轮必须是 user"))
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
            raise BadRow(Text(en=f"`{name}` is not a list of turns", zh=f"`{name}` 不是对话轮次的列表"))
        messages, output = question_and_answer(read_turns(turns))
        return Draft(messages, output)

    return convert


def _chat_reason(name: str) -> Text:
    return Text(
        en=f"rows have a conversation in {name}: its last assistant turn is the output",
        zh=f"数据行的 {name} 是一段对话：最后一条 assistant 发言作为输出",
    )


def _required(value: dict[str, Any], name: str) -> Any:
    found = value.get(name)
    if found is None:
        there = ", ".join(value) or "nothing"
        raise BadRow(Text(en=f"has no `{name}`; it has {there}", zh=f"缺少 `{name}`；现有字段：{there}"))
    return found


def _unknown_shape(file: str, columns: Counter[str]) -> InputError:
    shown = ", ".join(columns) or "(none)"
    message = Text(
        en=f"cannot tell which field is the input and which the output; the rows have {shown}",
        zh=f"无法判断哪个字段是输入、哪个是输出；数据行含有：{shown}",
    )
    next_step = Text(
        en="Name them in the task file: `fields: {input: …, output: …}`.",
        zh="请在任务文件中指定：`fields: {input: …, output: …}`。",
    )
    return InputError(Problem(file, message), next_step)

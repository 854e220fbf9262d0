"""From a task and a query to the messages a model is sent.

Everything that requests share comes first (instruction, label list or JSON form, demonstrations)
and the row's own text last, so that an engine computes the shared part once. The row's own system
message, if it has one, is appended to the instruction.

The wording follows the language of the task, not that of the report's reader.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tuneworth.core.task import Message, OutputKind, Query, Task
from tuneworth.core.text import Lang, Text
from tuneworth.models.base import Constraint, ConstraintKind, Model
from tuneworth.strategies._parts.schema_text import schema_text

MAX_LISTED_LABELS = 150
MAX_LABEL_SHARE = 0.4
"""Largest part of the context that the label list may fill."""
MAX_BRIEF = 300
"""Longest instruction, in characters, that a tuned model is still sent in full."""

TASK_LINE: dict[OutputKind, Text] = {
    "label": Text(en="Classify the input.", zh="判断输入属于哪一类。"),
    "choice": Text(en="Answer the question by choosing one of the options.", zh="从给出的选项中选出正确的一项。"),
    "json": Text(en="Turn the input into a JSON object.", zh="把输入转换成 JSON 对象。"),
    "text": Text(en="Answer the input.", zh="根据输入作答。"),
}
ANSWER_LINE: dict[OutputKind, Text] = {
    "label": Text(en="Answer with the label only.", zh="只回答标签，不要输出其他内容。"),
    "choice": Text(en="Answer with the chosen option only.", zh="只回答所选的选项，不要输出其他内容。"),
    "json": Text(en="Answer with one JSON object and nothing else.", zh="只输出一个 JSON 对象，不要输出其他内容。"),
}
LABELS_LINE = Text(en="Labels:", zh="标签：")
FORM_LINE = Text(en="Its form (? marks optional keys): ", zh="格式如下（? 表示可以省略的键）：")
OPTIONS_LINE = Text(en="Options:", zh="选项：")

CONSTRAINT_OF: dict[OutputKind, ConstraintKind] = {"label": "labels", "choice": "labels", "json": "json_schema"}


@dataclass(frozen=True, slots=True)
class Instruction:
    """The shared system text, and whether it holds the whole label list (true if there is none)."""

    text: str
    lists_labels: bool = True


def task_lang(task: Task) -> Lang:
    return "zh" if task.language == "zh" else "en"


def full_instruction(task: Task, model: Model) -> Instruction:
    """Instruction, what to answer with, and the label list or the JSON form."""
    lang = task_lang(task)
    opening = task.instruction.strip() or TASK_LINE[task.kind].to(lang)
    answer_line = ANSWER_LINE.get(task.kind)
    if answer_line is None:
        return Instruction(opening)
    lines = [opening, answer_line.to(lang)]
    if task.kind == "json" and (form := schema_text(task.json_schema)):
        lines.append(FORM_LINE.to(lang) + form)
    if task.kind != "label" or all(mentions(opening, label) for label in task.labels):
        return Instruction("\n".join(lines))
    label_list = "\n".join([LABELS_LINE.to(lang), *task.labels])
    if not _affordable(label_list, task, model):
        return Instruction("\n".join(lines), lists_labels=False)
    return Instruction("\n".join([*lines, label_list]))


def brief_instruction(task: Task) -> str:
    """What a tuned model is sent: it has learned the labels and the form, so they are left out.

    A long instruction is cut to its first paragraph, and replaced if that is long too.
    """
    opening = task.instruction.strip()
    if len(opening) > MAX_BRIEF:
        opening = opening.split("\n", 1)[0].strip()
    return opening if 0 < len(opening) <= MAX_BRIEF else TASK_LINE[task.kind].to(task_lang(task))


def unlisted_labels_note(task: Task) -> Text:
    n = len(task.labels)
    return Text(
        en=f"The {n} labels are too many to list in the prompt; the model is not told them.",
        zh=f"标签多达 {n} 个，提示词里放不下，模型没有看到标签列表。",
    )


def _affordable(label_list: str, task: Task, model: Model) -> bool:
    room = MAX_LABEL_SHARE * model.capabilities.context_tokens
    return len(task.labels) <= MAX_LISTED_LABELS and model.count_tokens(label_list) <= room


def mentions(text: str, phrase: str) -> bool:
    """``phrase`` stands in ``text`` as a word of its own (``A`` is not in ``An apple``)."""
    return re.search(rf"(?<![A-Za-z0-9_]){re.escape(phrase)}(?![A-Za-z0-9_])", text) is not None


def opening_turns(system: str, query: Query) -> tuple[Message, ...]:
    """The system message: the shared text, then the row's own system text."""
    own = [message.content.strip() for message in query.messages if message.role == "system"]
    text = "\n\n".join(part for part in (system, *own) if part)
    return (Message("system", text),) if text else ()


def query_turns(query: Query, task: Task) -> tuple[Message, ...]:
    """The row's turns without its system text; options that the text does not show are appended."""
    turns = tuple(message for message in query.messages if message.role != "system")
    if not turns or all(mentions(turns[-1].content, choice) for choice in query.choices):
        return turns
    options = "\n".join([OPTIONS_LINE.to(task_lang(task)), *(f"- {choice}" for choice in query.choices)])
    return (*turns[:-1], Message(turns[-1].role, f"{turns[-1].content}\n{options}"))


def constrainable(task: Task, model: Model) -> bool:
    """The model can be held to this task's outputs."""
    kind = CONSTRAINT_OF.get(task.kind)
    return kind is not None and kind in model.capabilities.constraints


def constraint_for(task: Task, query: Query) -> Constraint | None:
    """What the answer to ``query`` must look like, or ``None`` where anything goes."""
    if task.kind == "json":
        return Constraint(json_schema=task.json_schema or {"type": "object"})
    if task.kind not in CONSTRAINT_OF:
        return None
    labels = (query.choices or task.labels) if task.kind == "choice" else task.labels
    return Constraint(labels=tuple(labels)) if labels else None


def n_common(conversations: Sequence[tuple[Message, ...]], limit: int) -> int:
    """How many leading messages all conversations have in common, at most ``limit``."""
    first = conversations[0] if conversations else ()
    for i, message in enumerate(first[:limit]):
        if any(len(other) <= i or other[i] != message for other in conversations):
            return i
    return min(limit, len(first))

"""From a task and a query to the messages a model is sent, and from what comes back to answers.

Everything that requests share comes first (instruction, label list or JSON form, demonstrations)
and the row's own text last, so that an engine computes the shared part once. The row's own system
message, if it has one, is appended to the instruction.

The wording follows the language of the task, not that of the report's reader.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from tuneworth.core.answers import after_reasoning
from tuneworth.core.labelsets import NO_LABEL, joiner
from tuneworth.core.task import LABELLED, Message, OutputKind, Query, Task
from tuneworth.core.text import Lang, Text
from tuneworth.models.base import Completion, Constraint, ConstraintKind, Model, Request
from tuneworth.strategies import Answer, Context

TOKENS_PER_TURN = 8
"""What a chat template adds around a turn, at most, in the families we know."""
MAX_LISTED_LABELS = 150
MAX_LABEL_SHARE = 0.4
"""Largest part of the context that the label list may fill."""
MAX_BRIEF = 300
"""Longest instruction, in characters, that a tuned model is still sent in full."""

TASK_LINE: dict[OutputKind, Text] = {
    "label": Text(en="Classify the input.", zh="判断输入属于哪一类。"),
    "choice": Text(en="Answer the question by choosing one of the options.", zh="从给出的选项中选出正确的一项。"),
    "multilabel": Text(en="Name all labels that apply to the input.", zh="列出适用于输入的所有标签。"),
    "number": Text(en="Answer the input with a number.", zh="根据输入给出一个数字。"),
    "json": Text(en="Turn the input into a JSON object.", zh="把输入转换成 JSON 对象。"),
    "text": Text(en="Answer the input.", zh="根据输入作答。"),
}
ANSWER_LINE: dict[OutputKind, Text] = {
    "label": Text(en="Answer with the label only.", zh="只回答标签，不要输出其他内容。"),
    "choice": Text(en="Answer with the chosen option only.", zh="只回答所选的选项，不要输出其他内容。"),
    "multilabel": Text(
        en="Answer with the labels only, joined by “{joiner}”; if none applies, answer “none”.",
        zh="只回答标签，用“{joiner}”连接；如果都不适用，回答“none”。",
    ),
    "number": Text(en="Answer with the number only.", zh="只回答数字，不要输出其他内容。"),
    "json": Text(en="Answer with one JSON object and nothing else.", zh="只输出一个 JSON 对象，不要输出其他内容。"),
}
LABELS_LINE = Text(en="Labels:", zh="标签：")
FORM_LINE = Text(en="Its form (? marks optional keys): ", zh="格式如下（? 表示可以省略的键）：")
OPTIONS_LINE = Text(en="Options:", zh="选项：")

CONSTRAINT_OF: dict[OutputKind, ConstraintKind] = {
    "label": "labels",
    "choice": "labels",
    "multilabel": "regex",
    "number": "regex",
    "json": "json_schema",
}
NUMBER = r"-?[0-9]{1,12}(\.[0-9]{1,6})?"
MAX_SET = 12
"""Labels of one answer that a constrained model may write; a small one would go on for ever."""


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
    lines = [opening, answer_line.to(lang).replace("{joiner}", joiner(task.labels))]
    if task.kind == "json" and (form := schema_text(task.json_schema)):
        lines.append(FORM_LINE.to(lang) + form)
    if task.kind not in LABELLED or all(mentions(opening, label) for label in task.labels):
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
    if task.kind == "number":
        return Constraint(regex=NUMBER)
    if task.kind == "multilabel":
        return Constraint(regex=label_set_regex(task.labels)) if task.labels else None
    if task.kind not in CONSTRAINT_OF:
        return None
    labels = (query.choices or task.labels) if task.kind == "choice" else task.labels
    return Constraint(labels=tuple(labels)) if labels else None


def label_set_regex(labels: Sequence[str]) -> str:
    """Labels with the joiner between, or the word for none."""
    one = "(" + "|".join(map(_literally, sorted(labels, key=len, reverse=True))) + ")"
    return f"({one}({_literally(joiner(labels))}{one}){{0,{MAX_SET - 1}}}|{NO_LABEL})"


def _literally(text: str) -> str:
    return re.sub(r"([\\.^$*+?{}\[\]|()\-&~#])", r"\\\1", text)


def n_common(conversations: Sequence[tuple[Message, ...]], limit: int) -> int:
    """How many leading messages all conversations have in common, at most ``limit``."""
    first = conversations[0] if conversations else ()
    for i, message in enumerate(first[:limit]):
        if any(len(other) <= i or other[i] != message for other in conversations):
            return i
    return min(limit, len(first))


JsonSchema = dict[str, Any]

MAX_ENUM = 60
"""Longer lists of allowed values are left out: the constraint still holds them."""


def schema_text(schema: JsonSchema | None) -> str:
    """One line that shows the form; a key that may be missing has a ``?``. Empty if nothing is known."""
    if not schema:
        return ""
    text = _form(schema, schema)
    return "" if text in ("object", "any") else text


def _form(schema: Any, root: JsonSchema, depth: int = 0) -> str:
    if not isinstance(schema, dict) or depth > 8:
        return "any"
    if "$ref" in schema:
        return _form(_resolve(schema["$ref"], root), root, depth + 1)
    if "const" in schema:
        return json.dumps(schema["const"], ensure_ascii=False)
    if "enum" in schema and len(schema["enum"]) <= MAX_ENUM:
        return " | ".join(json.dumps(value, ensure_ascii=False) for value in schema["enum"])
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " | ".join(dict.fromkeys(_form(part, root, depth + 1) for part in schema[key]))
    return _typed(schema, root, depth)


def _typed(schema: JsonSchema, root: JsonSchema, depth: int) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        return " | ".join(_typed({**schema, "type": one}, root, depth) for one in kind)
    if schema.get("properties"):
        required = set(schema.get("required", ()))
        parts = [
            f"{json.dumps(name, ensure_ascii=False)}{'' if name in required else '?'}: {_form(part, root, depth + 1)}"
            for name, part in schema["properties"].items()
        ]
        return "{" + ", ".join(parts) + "}"
    if kind == "array":
        return f"[{_form(schema.get('items', {}), root, depth + 1)}, …]"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return "{name: " + _form(schema["additionalProperties"], root, depth + 1) + "}"
    return kind or "any"


def _resolve(reference: str, root: JsonSchema) -> Any:
    """The part of ``root`` that a local reference such as ``#/$defs/Slot`` names, or ``{}``."""
    node: Any = root
    for name in reference.removeprefix("#/").split("/"):
        node = node.get(name, {}) if isinstance(node, dict) else {}
    return node


@dataclass(frozen=True)
class Asker:
    """Asks ``model`` about queries, in the way one solver always does.

    Attributes:
        constrained: hold answers to the task's labels, choices or JSON schema.
        adapter: name of the adapter to answer with.
    """

    model: Model
    task: Task
    max_new_tokens: int
    constrained: bool
    adapter: str | None = None

    def ask(self, queries: Sequence[Query], conversations: Sequence[tuple[Message, ...]], n_head: int) -> list[Answer]:
        """One answer per conversation, in order.

        Args:
            n_head: how many leading messages may be common to all (the rest is the row's own).
        """
        n_shared = n_common(conversations, n_head)
        requests = [
            Request(
                messages=conversation,
                constraint=constraint_for(self.task, query) if self.constrained else None,
                adapter=self.adapter,
                n_shared=n_shared,
            )
            for query, conversation in zip(queries, conversations, strict=True)
        ]
        return [answer_from(done) for done in self.model.generate(requests, max_new_tokens=self.max_new_tokens)]


def answer_from(completion: Completion) -> Answer:
    """An answer cut off at ``max_new_tokens`` is scored as it stands: the metric judges it. Reasoning before it is not part of it."""
    text, shared = after_reasoning(completion.text).strip(), completion.shared
    done = Answer(text, completion.usage, completion.latency_ms, usd=completion.usd, shared=shared)
    if completion.finish_reason == "over_context":
        error = completion.error or "the prompt is longer than the model's context"
        return replace(done, text=None, status="over_limit", error=error)
    if completion.finish_reason == "refused":
        return replace(done, text=None, status="refused", error=completion.error or "the model declined to answer")
    if completion.finish_reason == "error":
        error = completion.error or "the model gave no answer"
        return replace(done, text=None, status="failed", error=error, may_pass=completion.may_pass)
    return done


def model_of(context: Context) -> Model:
    """The model of an arm that cannot be without one.

    Raises:
        ValueError: the caller gave none.
    """
    if context.model is None:
        raise ValueError("this strategy needs a model; Context.model is None")
    return context.model

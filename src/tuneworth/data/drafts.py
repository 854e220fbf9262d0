"""A row half read: turns of a conversation, question, raw answer and extras, before the task is known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any

from tuneworth.core.task import Message, Role
from tuneworth.data.rows import BadRow, quote
from tuneworth.data.values import read_date
from tuneworth.words.say import say

GOLD_NAMES = ("gold", "doc_ids", "doc_id", "document_id", "passage_id", "retrieval_gt")
"""Fields that usually name the documents that hold an answer, tried in this order."""
_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "prompter": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bot": "assistant",
    "chatbot": "assistant",
    "ai": "assistant",
    "model": "assistant",
}
_LEARNT, _NOT_LEARNT = ("weight", "train", "loss"), (0, False, "0", "false")

_TOOL_ROLES = frozenset(
    ("tool", "function", "function_call", "function_response", "tool_call", "tool_response", "observation")
)


@dataclass(frozen=True, slots=True)
class Draft:
    """What a row says. ``output`` is still whatever the file held."""

    messages: tuple[Message, ...]
    output: Any
    id: str | None = None
    references: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    group: str = ""
    gold: tuple[str, ...] = ()
    doc_set: str | None = None
    changed: date | None = None


@dataclass(frozen=True, slots=True)
class Extras:
    """Names of the fields beyond input and output; ``None`` where rows have none."""

    id: str | None = None
    references: str | None = None
    choices: str | None = None
    group: str | None = None
    gold: str | None = None
    doc_set: str | None = None
    date: str | None = None

    def names(self) -> dict[str, str]:
        """What a field is for → its name, of those that rows have."""
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        return {what: name for what, name in named.items() if name}

    def columns(self) -> set[str]:
        return set(self.names().values())

    def found_in(self, columns: Iterable[str]) -> Extras:
        """These names, and the usual ones for those not given."""
        known = set(columns)
        answers = next((name for name in ("references", "answers") if name in known), None)
        return Extras(
            id=self.id or ("id" if "id" in known else None),
            references=self.references or answers,
            choices=self.choices or ("choices" if "choices" in known else None),
            group=self.group,
            gold=self.gold,
            doc_set=self.doc_set,
            date=self.date,
        )

    def about_documents(self, columns: Iterable[str]) -> Extras:
        """These names, and the usual ones for what a row of a task with documents says about them."""
        known = set(columns)
        return replace(
            self,
            gold=self.gold or next((name for name in GOLD_NAMES if name in known), None),
            doc_set=self.doc_set or ("doc_set" if "doc_set" in known else None),
            date=self.date or ("date" if "date" in known else None),
        )

    def add_to(self, draft: Draft, value: dict[str, Any], day_first: bool | None = None) -> Draft:
        """``draft`` with the extras of the row ``value``; ``day_first`` as in ``read_date``."""
        return replace(
            draft,
            id=_scalar(value.get(self.id or "")),
            references=(*draft.references, *_strings(value.get(self.references or ""))),
            choices=draft.choices or _strings(value.get(self.choices or "")),
            group=_scalar(value.get(self.group or "")) or "",
            gold=_strings(_flat(value.get(self.gold or ""))),
            doc_set=_scalar(value.get(self.doc_set or "")),
            changed=read_date(value.get(self.date or ""), day_first),
        )


def _scalar(value: object) -> str | None:
    """An id or group name; only single values are one."""
    return str(value) if isinstance(value, str | int | float) and str(value) else None


def _strings(value: object) -> tuple[str, ...]:
    """A field that may be one string or number, or a list of them; what is neither counts as absent."""
    if isinstance(value, str):
        return (value,) if value.strip() else ()
    items = value if isinstance(value, list) else [value]
    if all(isinstance(item, str | int | float) for item in items):
        return tuple(text for item in items if (text := str(item).strip()))
    return ()


def _flat(value: object) -> object:
    """Lists within a list as one: a question may need several passages, each of which stands in more than one place."""
    if not isinstance(value, list):
        return value
    flat = [_flat(item) for item in value]
    return [one for item in flat for one in (item if isinstance(item, list) else [item])]


def is_conversation(value: object) -> bool:
    """Whether ``value`` is a list of ``{role, content}`` or ``{from, value}``."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(turn, dict) and ("role" in turn or "from" in turn) for turn in value)
    )


def target_turn(value: list[dict[str, Any]]) -> int | None:
    """The place of the turn to learn: the last of the assistant's that is not context only; ``None`` without one.

    Context only is a turn with ``weight: 0`` (OpenAI), ``train: false`` or ``loss: false`` (other trainers).
    """
    said = [at for at, turn in enumerate(value) if is_answer(turn)]
    return next((at for at in reversed(said) if not any(value[at].get(name) in _NOT_LEARNT for name in _LEARNT)), None)


def is_answer(turn: dict[str, Any]) -> bool:
    """Whether the assistant speaks."""
    return _role(turn) == "assistant"


def read_turns(value: list[dict[str, Any]]) -> tuple[Message, ...]:
    """The turns of a conversation.

    Raises:
        BadRow: an unknown role, or a turn that is not text.
    """
    return tuple(_turn(number, turn) for number, turn in enumerate(value, start=1))


def question_and_answer(value: list[dict[str, Any]]) -> tuple[tuple[Message, ...], str]:
    """Everything before the turn to learn, and that turn (see ``target_turn``). Turns after it are dropped.

    Raises:
        BadRow: no such turn, the turn before it is not the user's, or a turn up to it is not text.
    """
    last = target_turn(value)
    if last is None:
        read_turns(value)  # a role that is not known, or a turn that is not text, is the better reason
        raise BadRow(say("rows.turns.no_assistant"))
    turns = read_turns(value)
    if last == 0 or turns[last - 1].role != "user":
        raise BadRow(say("rows.turns.no_user_before"))
    return turns[:last], turns[last].content


def _role(turn: dict[str, Any]) -> Role | None:
    return _ROLES.get(str(turn.get("role", turn.get("from"))).lower())


def _turn(number: int, turn: dict[str, Any]) -> Message:
    spoken, role = turn.get("role", turn.get("from")), _role(turn)
    if turn.get("tool_calls") or turn.get("function_call") or str(spoken).lower() in _TOOL_ROLES:
        raise BadRow(say("reading.tool_calls"))
    if role is None:
        known = ", ".join(_ROLES)
        raise BadRow(say("rows.turns.unknown_role", number=str(number), shown=quote(spoken), known=known))
    return Message(role, _content(number, turn.get("content", turn.get("value"))))


def _content(number: int, content: object) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list) and all(isinstance(part, dict) and part.get("type") == "text" for part in content):
        return "".join(str(part.get("text", "")) for part in content)
    raise BadRow(say("rows.turns.not_text", number=str(number), shown=quote(content)))

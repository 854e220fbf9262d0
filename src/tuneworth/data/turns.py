"""Conversations in rows: OpenAI ``messages`` and ShareGPT ``conversations``."""

from __future__ import annotations

from typing import Any

from tuneworth.core.task import Message, Role
from tuneworth.core.text import Text
from tuneworth.data.rows import BadRow, quote

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
    "model": "assistant",
}


def is_conversation(value: object) -> bool:
    """Whether ``value`` is a list of ``{role, content}`` or ``{from, value}``."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(turn, dict) and ("role" in turn or "from" in turn) for turn in value)
    )


def read_turns(value: list[dict[str, Any]]) -> tuple[Message, ...]:
    """The turns of a conversation.

    Raises:
        BadRow: an unknown role, or a turn that is not text.
    """
    return tuple(_turn(number, turn) for number, turn in enumerate(value, start=1))


def question_and_answer(turns: tuple[Message, ...]) -> tuple[tuple[Message, ...], str]:
    """Everything before the last assistant turn, and that turn. Turns after it are dropped.

    Raises:
        BadRow: no assistant turn, or the turn before it is not the user's.
    """
    last = max((at for at, turn in enumerate(turns) if turn.role == "assistant"), default=None)
    if last is None:
        raise BadRow(Text(en="has no assistant turn to learn from", zh="没有 assistant 的发言，无从学习"))
    if last == 0 or turns[last - 1].role != "user":
        raise BadRow(
            Text(
                en="the turn before the last assistant turn must be the user's",
                zh="最后一条 assistant 发言之前必须是 user 的发言",
            )
        )
    return turns[:last], turns[last].content


def _turn(number: int, turn: dict[str, Any]) -> Message:
    spoken = turn.get("role", turn.get("from"))
    role = _ROLES.get(str(spoken).lower())
    if role is None:
        known = ", ".join(_ROLES)
        raise BadRow(
            Text(
                en=f"turn {number} has the role {quote(spoken)}; known roles: {known}",
                zh=f"第 {number} 轮的角色是 {quote(spoken)}；可用的角色：{known}",
            )
        )
    return Message(role, _content(number, turn.get("content", turn.get("value"))))


def _content(number: int, content: object) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list) and all(isinstance(part, dict) and part.get("type") == "text" for part in content):
        return "".join(str(part.get("text", "")) for part in content)
    raise BadRow(
        Text(
            en=f"the content of turn {number} is not text: {quote(content)}",
            zh=f"第 {number} 轮的内容不是文本：{quote(content)}",
        )
    )

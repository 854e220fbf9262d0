"""A conversation in one cell: as a list of turns, as the JSON of one, or as text with marks before each turn.

The marks are those that training files are written with: ``Human:`` and ``Assistant:`` on paragraphs of their own, ``###
Human:``, ``### Instruction:`` and ``### Response:``, and the templates of models (ChatML, Llama 2 and 3, Gemma, Zephyr).
"""

from __future__ import annotations

import re
from typing import Any

from tuneworth.data.drafts import is_conversation
from tuneworth.data.values import parsed

_WAYS = tuple(
    re.compile(way)
    for way in (
        r"<\|im_start\|>\s*(system|user|assistant)\s*\n",
        r"<\|start_header_id\|>\s*(system|user|assistant)\s*<\|end_header_id\|>\s*",
        r"<start_of_turn>\s*(user|model)\s*\n",
        r"<\|(system|user|assistant)\|>\s*",
        r"(?:^|\n)###\s*(Human|User|Assistant|System|Instruction|Input|Response)s?\s*:\s*",
        r"###\s*(Human|Assistant)\s*:\s*",
        r"(?:^|\n\n)(Human|User|Assistant)\s*: ?",
    )
)
_ENDS = re.compile(
    r"<\|im_end\|>|<\|eot_id\|>|<end_of_turn>|<\|begin_of_text\|>|</?s>|<bos>|<eos>|<\|end(?:oftext)?\|>"
)
_LLAMA_2 = re.compile(r"\[INST\](.*?)\[/INST\](.*?)(?=\[INST\]|\Z)", re.S)
_SYSTEM = re.compile(r"\s*<<SYS>>(.*?)<</SYS>>(.*)", re.S)
_SAYS = {"human": "user", "instruction": "user", "input": "user", "response": "assistant", "model": "assistant"}


def conversation_in(value: Any) -> list[dict[str, Any]] | None:
    """The turns that ``value`` holds, or ``None``; a text is a conversation where two sides speak in it."""
    turns = parsed(value)
    if is_conversation(turns):
        return turns
    if not isinstance(value, str):
        return None
    ways = [_llama_2(value)] if "[INST]" in value else (_marked(way, value) for way in _WAYS)
    return next((said for said in ways if {"user", "assistant"} <= {turn["role"] for turn in said}), None)


def _marked(way: re.Pattern[str], text: str) -> list[dict[str, Any]]:
    before, *pieces = way.split(text)
    turns = [{"role": "system", "content": said}] if (said := _said(before)) and pieces else []
    for role, piece in zip(pieces[::2], pieces[1::2]):
        role, said = _SAYS.get(role.lower(), role.lower()), _said(piece)
        if turns and turns[-1]["role"] == role:  # an instruction and its input are one turn
            turns[-1] = {"role": role, "content": f"{turns[-1]['content']}\n\n{said}".strip()}
        elif said:
            turns.append({"role": role, "content": said})
    return turns


def _llama_2(text: str) -> list[dict[str, Any]]:
    turns: list[dict[str, Any]] = []
    for asked, answered in _LLAMA_2.findall(text):
        if match := _SYSTEM.match(asked):
            turns.append({"role": "system", "content": _said(match[1])})
            asked = match[2]
        turns += [{"role": "user", "content": _said(asked)}, {"role": "assistant", "content": _said(answered)}]
    return turns


def _said(piece: str) -> str:
    return _ENDS.sub("", piece).strip()

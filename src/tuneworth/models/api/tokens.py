"""Counting tokens without the tokenizer: a bound that holds, for money, and an estimate, for plans."""

from __future__ import annotations

import json
import re

from tuneworth.models.api.calls import Call, with_form_in_words

TURN_TOKENS = 16
"""What a chat template adds around a turn, at most."""
FORM_PROMPT_TOKENS = 1024
"""What services add to the prompt to explain a schema or a tool, at most: Anthropic tells of some hundred."""
_UNSAFE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def most_tokens(call: Call) -> int:
    """No prompt of ``call`` has more: a token of a byte-level vocabulary stands for a byte at least. About four times too
    many for English, and twice for Chinese."""
    total = sum(TURN_TOKENS + len(turn.content.encode("utf-8", "replace")) for turn in with_form_in_words(call))
    schema = call.form.schema(call.means) if call.form is not None else None
    if schema is not None:
        total += FORM_PROMPT_TOKENS + len(json.dumps(schema, ensure_ascii=False).encode())
    return total + TURN_TOKENS


def estimated_tokens(text: str) -> int:
    """Four characters of Latin script to a token, two of other alphabets, one of Chinese, Japanese and Korean: rules of thumb
    for common vocabularies; how far they are off was not measured."""
    n_latin = sum(ord(sign) < 0x250 for sign in text)
    n_ideographs = sum(ord(sign) >= 0x2E80 for sign in text)
    return -(-n_latin // 4) + n_ideographs + -(-(len(text) - n_latin - n_ideographs) // 2)


def visible(text: str) -> str:
    """``text`` with a sign in place of what steers a terminal."""
    return _UNSAFE.sub("\ufffd", text)

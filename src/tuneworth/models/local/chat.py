"""From chat messages to the tokens a model reads, by the model's own template.

Three cases that differ between model families are settled here, once, for engine and trainer alike:
a model without a chat template (a base model) gets the plain one below; a template that refuses or
drops a system turn (Gemma) gets the system text at the head of the first user turn; a template that
would open a "thinking" block (Qwen3) is told not to.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from tuneworth.core.task import Message

PLAIN_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'system' %}{{ message['content'] + '\n\n' }}"
    "{% elif message['role'] == 'user' %}{{ '### User\n' + message['content'] + '\n\n' }}"
    "{% else %}{{ '### Assistant\n' + message['content'] + eos_token + '\n\n' }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}{{ '### Assistant\n' }}{% endif %}"
)
"""For models without a template. Assistant turns end with the end-of-text token, so that examples in the
prompt, or a training, teach the model where to stop."""


class ChatFormat:
    """Turns chats into tokens.

    Attributes:
        end_of_turn: the token that ends an assistant's turn.
        stop_ids: tokens that end a completion: ``end_of_turn`` and the model's end-of-text tokens.
        has_template: the model brought its own template.
    """

    def __init__(self, tokenizer: Any, eos_ids: Sequence[int] = ()):
        self.tokenizer = tokenizer
        self.has_template = bool(tokenizer.chat_template)
        self._template: str | None = None if self.has_template else PLAIN_TEMPLATE
        self._control = [token.content for token in tokenizer.added_tokens_decoder.values() if token.special]
        first = tokenizer("x")["input_ids"][:1]
        self._start: list[int] = [] if self.has_template or first != [tokenizer.bos_token_id] else first
        self._folds_system = not self._takes_system_turn()
        self.end_of_turn = self._find_end_of_turn()
        self.stop_ids = frozenset({self.end_of_turn, tokenizer.eos_token_id, *eos_ids} - {None})
        self._prefix_ids = lru_cache(maxsize=64)(self._render_prefix)

    def encode(self, messages: Sequence[Message], *, add_generation_prompt: bool) -> list[int]:
        """Tokens of a chat. A control token written out in a message is read as text and cannot forge a turn."""
        if not any(self._has_control(message.content) for message in messages):
            return self._tokens(self._render(messages, add_generation_prompt))
        ids = self._render(
            messages, add_generation_prompt, tokenize=True, return_dict=False, sanitize_control_tokens=True
        )
        return self._start + ids

    def encode_answer(self, text: str) -> list[int]:
        """Tokens of ``text`` as they follow the generation prompt, with the end of the turn."""
        if self._has_control(text):
            ids = self.tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]
            return [*ids, self.end_of_turn]
        prompt = self._render([Message("user", "x")], True)
        head, whole = self._tokens(prompt), self._tokens(prompt + text)
        # Where text and prompt would melt into one token the model has to begin after the prompt's last one.
        ids = whole[len(head) :] if whole[: len(head)] == head else self._tokens(text)[len(self._start) :]
        return [*ids, self.end_of_turn]

    def decode(self, ids: Sequence[int]) -> str:
        return self.tokenizer.decode(list(ids), skip_special_tokens=True)

    def shared_length(self, messages: tuple[Message, ...], n_shared: int, ids: Sequence[int]) -> int:
        """How many leading tokens of ``ids``, the tokens of ``messages``, depend on the shared messages only.

        The shared messages are rendered with an empty turn after them; what that has in common with the
        whole prompt belongs to every prompt that begins with the same messages. At least one token of a
        prompt stays outside, because its logits are needed.
        """
        prefix = self._prefix_ids(messages[:n_shared], messages[n_shared].role if n_shared < len(messages) else None)
        limit = min(len(prefix), len(ids) - 1)
        return next((i for i in range(limit) if prefix[i] != ids[i]), max(limit, 0))

    def _render_prefix(self, shared: tuple[Message, ...], next_role: Any) -> tuple[int, ...]:
        from jinja2 import TemplateError

        try:
            if next_role is None:
                return tuple(self.encode(shared, add_generation_prompt=True))
            return tuple(self.encode([*shared, Message(next_role, "")], add_generation_prompt=False))
        except TemplateError:  # a template may refuse such a chat: nothing is reused then
            return ()

    def _has_control(self, text: str) -> bool:
        return any(token in text for token in self._control)

    def _render(self, messages: Sequence[Message], add_generation_prompt: bool, **options: Any) -> Any:
        chat = _fold_system(messages) if self._folds_system else messages
        return self.tokenizer.apply_chat_template(
            [{"role": message.role, "content": message.content} for message in chat],
            chat_template=self._template,
            add_generation_prompt=add_generation_prompt,
            enable_thinking=False,
            **{"tokenize": False, **options},
        )

    def _tokens(self, text: str) -> list[int]:
        return self._start + self.tokenizer(text, add_special_tokens=False)["input_ids"]

    def _takes_system_turn(self) -> bool:
        from jinja2 import TemplateError

        self._folds_system = False
        try:
            return "be brief" in self._render([Message("system", "be brief"), Message("user", "x")], True)
        except TemplateError:
            return False

    def _find_end_of_turn(self) -> int:
        chat = self._render([Message("user", "x"), Message("assistant", "the answer")], False)
        tail = self._tokens(chat.rpartition("the answer")[2].lstrip())[len(self._start) :]
        special = set(self.tokenizer.all_special_ids) | set(self.tokenizer.added_tokens_decoder)
        return tail[0] if tail and tail[0] in special else self.tokenizer.eos_token_id


def _fold_system(messages: Sequence[Message]) -> list[Message]:
    """The chat with its system text at the head of the first user turn."""
    system = "\n\n".join(message.content for message in messages if message.role == "system")
    chat = [message for message in messages if message.role != "system"]
    if len(chat) == len(messages):
        return chat
    if not chat or chat[0].role != "user":
        return [Message("user", system), *chat]
    return [Message("user", f"{system}\n\n{chat[0].content}" if system else chat[0].content), *chat[1:]]

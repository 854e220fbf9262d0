"""What is sent elsewhere, with personal data and secrets masked: around a model or an encoder, so that nothing goes past it.

A request is masked as one: its messages get the placeholders that ``--fix`` would give (``[PHONE]``, ``[EMAIL_2]``), the same value
the same one, and an answer that names a placeholder comes back with the value in its place. So a task that copies a
number out of a text can be answered by a model that never sees it.

What a finder takes for personal may hang on what stands before it, and a prompt puts rows and passages into other
surroundings. So values that were found in a row or a document (``known``) are masked wherever they stand.

NOT guaranteed: what no finder recognises (`tuneworth.audit.personal`), such as names in running prose; and a value
with blanks in it of which the edge of a passage holds only a part.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuneworth.audit._personal.mask import Placeholders, find
from tuneworth.audit._personal.spans import Kind, Span
from tuneworth.core.task import Message
from tuneworth.models.base import Completion, Constraint, Decision, Encoder, Model, Request, TextRole

LEAST_CHARS = 6
"""A value that is masked wherever it stands; shorter ones would be found in the middle of words."""
_LINE_OF_A_KEY = 16
_WHOLE_NAME = re.compile(r"[\u4e00-\u9fff·]{3,}|\S+\s+\S.*")
_PASSED_ON = ("price", "attach", "notes", "batched", "collect")
"""What else of a model or an encoder may be asked for. Nothing that takes rows: that would go past the mask."""


def known_values(texts: Sequence[str]) -> dict[str, Kind]:
    """Values found in ``texts`` that are to be masked wherever they stand → their kind."""
    found: dict[str, Kind] = {}
    for text in texts:
        for span in find(text):
            value = text[span.start : span.end].strip()
            lines = [line.strip() for line in value.splitlines() if len(line.strip()) >= _LINE_OF_A_KEY]
            for part in [value, *(lines if span.kind == "private_key" else [])]:
                if _WHOLE_NAME.fullmatch(part) if span.kind == "name" else len(part) >= LEAST_CHARS:
                    found[part] = span.kind
    return found


class Masker:
    """Masks texts that are sent together. May be used from several threads.

    Attributes:
        known: values that are masked wherever they stand.
    """

    def __init__(self, known: Mapping[str, Kind]):
        self.known = dict(
            sorted(known.items(), key=lambda item: -len(item[0]))
        )  # the longest first: it may hold another
        self._look = lru_cache(maxsize=20_000)(self._spans)

    def _spans(self, text: str) -> tuple[tuple[Span, ...], tuple[str, ...]]:
        return tuple(find(text)), tuple(value for value in self.known if value in text)

    def apply(self, text: str, placeholders: Placeholders) -> str:
        spans, values = self._look(text)
        masked = placeholders.apply(text, spans)
        for value in values:
            if value in masked:
                masked = masked.replace(value, placeholders.name(self.known[value], value))
        return masked


class MaskedModel:
    """``model`` behind a masker. It has no way to be sent rows other than those here."""

    def __init__(self, model: Model, masker: Masker):
        self.inner = model
        self._masker = masker
        self.capabilities = replace(model.capabilities, can_train=False)

    @property
    def id(self) -> str:
        return self.inner.id

    def generate(self, requests: Sequence[Request], *, max_new_tokens: int) -> list[Completion]:
        masked = [_Masked(request, self._masker) for request in requests]
        done = self.inner.generate([one.request for one in masked], max_new_tokens=max_new_tokens)
        return [one.restored(completion) for one, completion in zip(masked, done, strict=True)]

    def decide(self, requests: Sequence[Request]) -> list[Decision]:
        masked = [_Masked(request, self._masker) for request in requests]
        inner: Any = self.inner
        decisions: list[Decision] = inner.decide([one.request for one in masked])
        return [
            replace(decision, completion=one.restored(decision.completion))
            for one, decision in zip(masked, decisions, strict=True)
        ]

    def most_usd(self, request: Request, *, max_new_tokens: int) -> float | None:
        inner: Any = self.inner
        return inner.most_usd(_Masked(request, self._masker).request, max_new_tokens=max_new_tokens)

    def count_tokens(self, text: str) -> int:
        return self.inner.count_tokens(text)

    def load_adapter(self, name: str, folder: str) -> None:
        self.inner.load_adapter(name, folder)

    def describe(self) -> dict[str, Any]:
        return {**self.inner.describe(), "masked": True}

    def __getattr__(self, name: str) -> Any:
        if name in _PASSED_ON:
            return getattr(self.inner, name)
        raise AttributeError(f"{name!r} of a model whose requests are masked")


class MaskedEncoder:
    """``encoder`` behind a masker; every text is masked for itself.

    Args:
        own_id: its id is not that of the encoder, as an index of masked texts holds other vectors.
    """

    def __init__(self, encoder: Encoder, masker: Masker, *, own_id: bool = True):
        self.inner = encoder
        self._masker = masker
        self.id = f"{encoder.id} (masked)" if own_id else encoder.id

    def encode(self, texts: Sequence[str], *, role: TextRole = "text") -> NDArray[np.float32]:
        return self.inner.encode([self._masker.apply(text, Placeholders()) for text in texts], role=role)

    def describe(self) -> dict[str, Any]:
        return {**self.inner.describe(), "masked": True}

    def __getattr__(self, name: str) -> Any:
        if name in _PASSED_ON:
            return getattr(self.inner, name)
        raise AttributeError(f"{name!r} of an encoder whose texts are masked")


class _Masked:
    """A request, masked, and the way back."""

    def __init__(self, request: Request, masker: Masker):
        texts = [message.content for message in request.messages]
        self._placeholders = Placeholders(taken="\n".join(texts))
        messages = tuple(
            Message(message.role, masker.apply(message.content, self._placeholders)) for message in request.messages
        )
        self._labels: dict[str, str] = {}
        constraint = self._constraint(request.constraint, masker)
        self.request = replace(request, messages=messages, constraint=constraint)

    def _constraint(self, constraint: Constraint | None, masker: Masker) -> Constraint | None:
        """Labels are masked; a form that holds something personal is left out, and only checked when the answer is there."""
        if constraint is None:
            return None
        if constraint.labels is not None:
            masked = tuple(masker.apply(label, self._placeholders) for label in constraint.labels)
            self._labels = dict(zip(masked, constraint.labels, strict=True))
            return Constraint(labels=masked)
        form = constraint.regex or constraint.grammar or json.dumps(constraint.json_schema, ensure_ascii=False)
        return constraint if masker.apply(form, Placeholders()) == form else None

    def restored(self, completion: Completion) -> Completion:
        text = self._labels.get(completion.text, completion.text)
        quoted = text.lstrip()[:1] in ("{", "[") and _is_json(text)
        for name, value in self._placeholders.originals.items():
            text = text.replace(name, json.dumps(value, ensure_ascii=False)[1:-1] if quoted else value)
        return replace(completion, text=text)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True

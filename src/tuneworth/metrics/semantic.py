"""Semantic similarity: how alike two texts are to a sentence encoder.

Its weakness: what a text is ABOUT weighs more than what it SAYS. "The fee is 20 euros" and "The fee is 200 euros", "may be returned"
and "may not be returned" are nearly the same to it (0.9 and more), and texts on one topic seldom fall below 0.3. Use it where
wording is free and topics differ, never where a number, a name or a negation decides.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tuneworth.core.task import OutputKind
from tuneworth.core.text import Text
from tuneworth.errors import EnvironmentProblem, Problem
from tuneworth.metrics import Encode, Metric
from tuneworth.metrics._parts.words import same_text
from tuneworth.words.say import say

MAX_CHARS = 2_000
"""The encoder reads 256 tokens; what comes behind is not compared."""
MAX_KEPT = 5_000


@dataclass(frozen=True, kw_only=True)
class Semantic(Metric):
    """Cosine of the sentence encoder's vectors, at least 0; equal texts score 1, an empty answer 0.

    Attributes:
        encode: texts → unit vectors, shape ``(n, width)``; given by the run, whose encoder is the embedded one.
    """

    id: str = "semantic"
    title: Text = Text(en="semantic similarity", zh="语义相似度")
    kinds: frozenset[OutputKind] = frozenset({"text"})
    needs_encoder: bool = True
    encode: Encode | None = field(default=None, compare=False, repr=False)

    def with_encoder(self, encode: Encode) -> Self:
        return replace(self, encode=encode)

    def compare(self, answer: str, reference: str) -> float:
        if same_text(answer, reference):
            return 1.0
        if not answer.strip() or not reference.strip():
            return 0.0
        return float(np.clip(self._vector(answer) @ self._vector(reference), 0.0, 1.0))

    def _vector(self, text: str) -> NDArray[np.float32]:
        """References come again and again, and a broken model repeats itself."""
        if self.encode is None:
            raise EnvironmentProblem(Problem(self.id, say("answers.settings.no_encoder")))
        text = text[:MAX_CHARS].encode("utf-8", "replace").decode()
        if text not in self._kept:
            if len(self._kept) >= MAX_KEPT:
                self._kept.clear()
            self._kept[text] = self.encode([text])[0]
        return self._kept[text]

    @cached_property
    def _kept(self) -> dict[str, NDArray[np.float32]]:
        return {}


PLUGIN = Semantic()

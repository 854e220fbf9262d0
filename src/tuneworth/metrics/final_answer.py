"""Final answer: whether the result is right, however it was worked out."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tuneworth.core.answers import last_line, marked_answer
from tuneworth.core.quantity import read_quantity
from tuneworth.core.task import OutputKind
from tuneworth.core.text import Text
from tuneworth.metrics import Metric
from tuneworth.metrics._parts.words import answer_tokens, same_text

RELATIVE_ERROR = 1e-6
"""Numbers that are written with other digits after the point are equal; 0.333 is not a third."""


@dataclass(frozen=True, kw_only=True)
class FinalAnswer(Metric):
    """1 if the final answer is the reference's, else 0.

    It is what follows the last marker (see ``core.answers.marked_answer``), else the last line. Numbers are compared as numbers:
    1,234.0 is 1234, and a unit counts only where both write one. Anything else is compared word by word.
    """

    id: str = "final_answer"
    title: Text = Text(en="final answer", zh="最终答案正确率")
    kinds: frozenset[OutputKind] = frozenset({"text", "number"})
    binary: bool = True

    def read(self, text: str) -> str:
        """The final answer in ``text``."""
        found = marked_answer(text)
        return last_line(text) if found is None else found

    def compare(self, answer: str, reference: str) -> float:
        return float(same_answer(self.read(answer), self.read(reference)))


def same_answer(answer: str, reference: str) -> bool:
    """Equal as numbers where both are numbers, else as words."""
    found, wanted = read_quantity(answer), read_quantity(reference)
    if found is not None and wanted is not None:
        units_differ = found.unit and wanted.unit and found.unit != wanted.unit
        return not units_differ and math.isclose(found.value, wanted.value, rel_tol=RELATIVE_ERROR, abs_tol=1e-12)
    words = answer_tokens(reference)
    return answer_tokens(answer) == words if words else same_text(answer, reference)


PLUGIN = FinalAnswer()

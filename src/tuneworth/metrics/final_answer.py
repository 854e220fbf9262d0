"""Final answer: whether the result is right, however it was worked out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Self

from tuneworth.core.answers import SEARCHED_CHARS, last_line, marked_answer
from tuneworth.core.quantity import only_number, read_quantity
from tuneworth.core.task import OutputKind
from tuneworth.core.text import Text
from tuneworth.errors import InputError, Problem
from tuneworth.metrics import Metric, require
from tuneworth.metrics._parts.words import answer_tokens, same_text
from tuneworth.words.say import say

SEARCH_SECONDS = 0.5
"""A pattern that backtracks without end is stopped; any other is done in a thousandth of that."""
RELATIVE_ERROR = 1e-6
"""Numbers that are written with other digits after the point are equal; 0.333 is not a third."""


@dataclass(frozen=True, kw_only=True)
class FinalAnswer(Metric):
    """1 if the final answer is the reference's, else 0.

    It is what follows the last marker (see ``core.answers.marked_answer``), else the last line. Numbers are compared as numbers:
    1,234.0 is 1234, a unit counts only where both write one, and of a sentence with one number that number counts. Anything else is compared word by word.

    Attributes:
        pattern: a regular expression of the task's own, in place of the markers: the last match counts, its first group if it has
            one. Where it matches nothing, the last line counts.
    """

    id: str = "final_answer"
    title: Text = Text(en="final answer", zh="最终答案正确率")
    kinds: frozenset[OutputKind] = frozenset({"text", "number"})
    binary: bool = True
    settable: ClassVar[Mapping[str, type]] = {"pattern": str}
    pattern: str = ""

    def checked(self) -> Self:
        try:
            compiled(self.pattern)
        except ValueError as error:
            shown = say("answers.settings.pattern", shown=self.pattern, error=str(error))
            raise InputError(Problem("metric_settings.pattern", shown)) from None
        return self

    def read(self, text: str) -> str:
        """The final answer in ``text``."""
        found = last_match(self.pattern, text) if self.pattern else marked_answer(text)
        return last_line(text) if found is None else found

    def compare(self, answer: str, reference: str) -> float:
        return float(same_answer(self.read(answer), self.read(reference)))


@cache
def compiled(pattern: str) -> Any:
    """``pattern``, by the ``regex`` library, which can be stopped.

    Raises:
        ValueError: it is no regular expression.
    """
    regex = require("regex", "final_answer")
    try:
        return regex.compile(pattern, regex.MULTILINE)
    except regex.error as error:
        raise ValueError(str(error)) from None


def last_match(pattern: str, text: str) -> str | None:
    """What ``pattern`` matches last in ``text``; ``None``: nothing, or it did not end in a moment."""
    try:
        found = [*compiled(pattern).finditer(text[-SEARCHED_CHARS:], timeout=SEARCH_SECONDS)]
    except TimeoutError:
        return None
    if not found:
        return None
    last = found[-1]
    return ((last[1] if last.re.groups else last[0]) or "").strip()


def same_answer(answer: str, reference: str) -> bool:
    """Equal as numbers where the reference is one and the answer is one or has but one; else as words."""
    found, wanted = read_quantity(answer), read_quantity(reference)
    value = only_number(answer) if found is None else found.value
    if wanted is not None and value is not None:
        units_differ = found is not None and found.unit and wanted.unit and found.unit != wanted.unit
        return not units_differ and math.isclose(value, wanted.value, rel_tol=RELATIVE_ERROR, abs_tol=1e-12)
    words = answer_tokens(reference)
    return answer_tokens(answer) == words if words else same_text(answer, reference)


PLUGIN = FinalAnswer()

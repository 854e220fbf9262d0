"""What a person can be asked about a situation, and what a person's answers mean.

Every fact can be asked for but those that only rows or a run can show. Answers are yes or no, a number as people write
it, or one of a list; in either language. Nothing heavy is imported: the command line makes its options from this table
before anything runs.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from tuneworth.advisor.words import values_of
from tuneworth.core.text import Text
from tuneworth.errors import InputError, Problem
from tuneworth.words.names import joined
from tuneworth.words.say import say

if TYPE_CHECKING:
    from tuneworth.advisor.facts import Situation

Kind = Literal["yes_no", "whole", "number", "choice"]


@dataclass(frozen=True, slots=True)
class Question:
    """A question about one fact, answered by ``kind``."""

    fact: str
    kind: Kind

    @property
    def text(self) -> Text:
        return say(f"advisor.question.{self.fact}")

    @property
    def explanation(self) -> Text:
        """What the question is for and how to tell."""
        return say(f"advisor.explanation.{self.fact}")

    @property
    def choices(self) -> dict[str, Text]:
        """The answers of a ``choice`` question and how they read, in order; empty for the others."""
        return values_of(self.fact) if self.kind == "choice" else {}


_KINDS: dict[str, Kind] = {
    "scenario": "choice",
    "output_kind": "choice",
    "clear_structure": "yes_no",
    "distinct_style": "yes_no",
    "specialised_domain": "yes_no",
    "repetitive": "yes_no",
    "prompt_suffices": "yes_no",
    "total_rows": "whole",
    "quality_rows": "whole",
    "label_price_usd": "number",
    "needs_documents": "yes_no",
    "knowledge_changes": "choice",
    "behaviour_changes": "choice",
    "calls_per_day": "number",
    "p95_target_ms": "number",
    "concurrency": "whole",
    "cost_sensitive": "yes_no",
    "private": "yes_no",
    "local_deployment": "yes_no",
    "skills": "choice",
    "hardware": "choice",
    "api_usd_per_1k_calls": "number",
    "machine_usd_per_hour": "number",
}
ASKABLE: dict[str, Question] = {fact: Question(fact, kind) for fact, kind in _KINDS.items()}
"""Fact name → its question."""

_YES = {"y", "yes", "true", "是", "是的", "对", "有", "要", "需要", "能", "可以"}
_NO = {"n", "no", "false", "否", "不", "不是", "不对", "没有", "无", "不要", "不需要", "不能", "不可以"}
_NUMBER = re.compile(r"\$?\s*(?P<digits>-?\d[\d,_]*(?:\.\d+)?|-?\.\d+)\s*(?P<rest>[^\d.,_]*)")
_SIZES = {"": 1, "k": 1_000, "千": 1_000, "w": 10_000, "万": 10_000, "m": 1_000_000, "百万": 1_000_000, "亿": 10**8}
_USD = {"usd": 1.0, "$": 1.0, "美元": 1.0}
_UNITS: dict[str, dict[str, float]] = {
    "p95_target_ms": {"ms": 1, "毫秒": 1, "s": 1_000, "sec": 1_000, "秒": 1_000},
    "total_rows": {"rows": 1, "条": 1},
    "quality_rows": {"rows": 1, "条": 1},
    "calls_per_day": {"calls": 1, "次": 1},
    "label_price_usd": _USD,
    "api_usd_per_1k_calls": _USD,
    "machine_usd_per_hour": _USD,
}
"""Fact → words that may follow its number, and what they multiply it by."""


def read(question: Question, answer: str, where: str = "") -> Any:
    """The value of the question's fact that ``answer`` says.

    Args:
        where: what an error names as the place.

    Raises:
        InputError: it is no answer to this question, or out of the fact's range; says what would be one.
    """
    said = unicodedata.normalize("NFKC", answer).strip().casefold()
    if question.kind == "choice":
        return _choice(question, said, where)
    if question.kind != "yes_no":
        return _number(question, said, answer, where)
    if said in _YES or said in _NO:
        return said in _YES
    raise _refused(where, answer, say("advisor.answer.yes_or_no"))


def _choice(question: Question, said: str, where: str) -> str:
    """An option by its number, its name, or how it reads in either language."""
    choices = question.choices
    if said.isdecimal() and 1 <= int(said) <= len(choices):
        return list(choices)[int(said) - 1]
    for name, text in choices.items():
        if said in (name.casefold(), text.en.casefold(), text.zh.casefold()):
            return name
    names = joined([Text(name, name) for name in choices], say("units.names.between"))
    raise _refused(where, said, say("advisor.answer.one_of", names=names, n=len(choices)))


def _number(question: Question, said: str, answer: str, where: str) -> float | int:
    match = _NUMBER.fullmatch(said)
    factor = None if match is None else _factor(match["rest"].strip(), _UNITS.get(question.fact, {}))
    if match is None or factor is None:
        raise _refused(where, answer, say("advisor.answer.number"))
    # In decimal, so that 1.1k is 1100 and not a hair less.
    value = round(float(match["digits"].replace(",", "").replace("_", "")) * factor, 9)
    if question.kind == "whole":
        if not value.is_integer():
            raise _refused(where, answer, say("advisor.answer.whole"))
        value = int(value)

    from tuneworth.advisor.facts import Facts

    for part in Facts.model_fields[question.fact].metadata:
        least, over = getattr(part, "ge", None), getattr(part, "gt", None)
        if least is not None and value < least:
            raise _refused(where, answer, say("advisor.answer.least", least=least))
        if over is not None and value <= over:
            raise _refused(where, answer, say("advisor.answer.over", over=over))
    return value


def _factor(rest: str, units: dict[str, float]) -> float | None:
    """What the words after a number multiply it by; ``None`` when they mean nothing here."""
    for unit, times in {**units, "": 1}.items():
        size = rest.removesuffix(unit).strip()
        if rest.endswith(unit) and size in _SIZES and not (unit and size == "m"):
            return _SIZES[size] * times
    return None


def _refused(where: str, answer: str, rule: Text) -> InputError:
    shown = answer.strip()
    shown = shown if len(shown) <= 40 else shown[:39] + "…"
    said = say("advisor.answer.is", said=repr(shown))
    return InputError(Problem(where, joined([said, rule], say("advisor.answer.but"))))


def with_said(situation: Situation, values: Mapping[str, Any]) -> Situation:
    """``situation`` with what somebody said on top. What nobody can be asked for was measured by whoever wrote it down."""
    asked = {name: value for name, value in values.items() if name in ASKABLE}
    measured = {name: value for name, value in values.items() if name not in ASKABLE}
    return situation.with_facts("answered", asked).with_facts("measured", measured)

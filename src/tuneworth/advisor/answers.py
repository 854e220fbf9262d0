"""Reading what a person answers: yes or no, a number as people write it, one of a list; in either language."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from tuneworth.advisor.questions import Question
from tuneworth.core.text import Text
from tuneworth.errors import InputError, Problem

_YES = {"y", "yes", "true", "是", "是的", "对", "有", "要", "需要", "能", "可以"}
_NO = {"n", "no", "false", "否", "不", "不是", "不对", "没有", "无", "不要", "不需要", "不能", "不可以"}
_NUMBER = re.compile(r"\$?\s*(?P<digits>-?\d[\d,_]*(?:\.\d+)?|-?\.\d+)\s*(?P<rest>[^\d.,_]*)")
_SIZES = {"": 1, "k": 1_000, "千": 1_000, "w": 10_000, "万": 10_000, "m": 1_000_000, "百万": 1_000_000, "亿": 10**8}
_UNITS: dict[str, dict[str, float]] = {
    "p95_target_ms": {"ms": 1, "毫秒": 1, "s": 1_000, "sec": 1_000, "秒": 1_000},
    "total_rows": {"rows": 1, "条": 1},
    "quality_rows": {"rows": 1, "条": 1},
    "calls_per_day": {"calls": 1, "次": 1},
    "label_price_usd": {"usd": 1, "$": 1, "美元": 1},
    "api_usd_per_1k_calls": {"usd": 1, "$": 1, "美元": 1},
    "machine_usd_per_hour": {"usd": 1, "$": 1, "美元": 1},
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
    if question.kind == "yes_no":
        return _yes_no(said, answer, where)
    return _number(question, said, answer, where)


def _yes_no(said: str, answer: str, where: str) -> bool:
    if said in _YES or said in _NO:
        return said in _YES
    raise _refused(where, answer, "answer yes or no", "请回答“是”或“否”")


def _choice(question: Question, said: str, where: str) -> str:
    """An option by its number, its name, or how it reads in either language."""
    names = list(question.choices)
    if said.isdecimal() and 1 <= int(said) <= len(names):
        return names[int(said) - 1]
    for name, text in question.choices.items():
        if said in (name.casefold(), text.en.casefold(), text.zh.casefold()):
            return name
    listed = ", ".join(names)
    raise _refused(
        where,
        said,
        f"must be one of {listed}, or a number from 1 to {len(names)}",
        f"应为以下之一：{listed.replace(', ', '、')}，或 1 到 {len(names)} 的序号",
    )


def _number(question: Question, said: str, answer: str, where: str) -> float | int:
    match = _NUMBER.fullmatch(said)
    factor = None if match is None else _factor(match["rest"].strip(), _UNITS.get(question.fact, {}))
    if match is None or factor is None:
        raise _refused(where, answer, "must be a number, such as 800, 12k or 0.5", "应为数字，例如 800、1.2万 或 0.5")
    # In decimal, so that 1.1k is 1100 and not a hair less.
    value = round(float(match["digits"].replace(",", "").replace("_", "")) * factor, 9)
    if question.kind == "whole":
        if not value.is_integer():
            raise _refused(where, answer, "must be a whole number", "应为整数")
        value = int(value)
    _check_range(question.fact, value, answer, where)
    return value


def _factor(rest: str, units: dict[str, float]) -> float | None:
    """What the words after a number multiply it by; ``None`` when they mean nothing here."""
    for unit, times in {**units, "": 1}.items():
        size = rest.removesuffix(unit).strip()
        if rest.endswith(unit) and size in _SIZES and not (unit and size == "m"):
            return _SIZES[size] * times
    return None


def _check_range(fact: str, value: float, answer: str, where: str) -> None:
    from tuneworth.advisor.facts import Facts

    for part in Facts.model_fields[fact].metadata:
        least, over = getattr(part, "ge", None), getattr(part, "gt", None)
        if least is not None and value < least:
            raise _refused(where, answer, f"must be at least {least}", f"应不小于 {least}")
        if over is not None and value <= over:
            raise _refused(where, answer, f"must be over {over}", f"应大于 {over}")


def _refused(where: str, answer: str, en: str, zh: str) -> InputError:
    shown = answer.strip()
    shown = shown if len(shown) <= 40 else shown[:39] + "…"
    return InputError(Problem(where, Text(en=f"is {shown!r}, {en}", zh=f"当前为 {shown!r}，{zh}")))

"""Facts that follow from facts: what a user need not be asked, marked as assumed and with the reason.

Only what the meaning of the given facts implies. Nothing is guessed from names, languages or habits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tuneworth.advisor.conditions import Condition, Test, any_of
from tuneworth.advisor.facts import Situation
from tuneworth.core.text import Text


@dataclass(frozen=True, slots=True)
class Implication:
    """Where ``when`` holds and ``fact`` is not known, it is ``value``."""

    when: Condition
    fact: str
    value: Any
    why: Text


IMPLICATIONS: tuple[Implication, ...] = (
    Implication(
        Test("scenario", "is", "style"),
        "distinct_style",
        True,
        Text("the task is to write in one voice", "任务就是模仿特定文风"),
    ),
    Implication(
        Test("scenario", "is", "specialised"),
        "specialised_domain",
        True,
        Text("the task is specialised professional work", "任务属于专业领域"),
    ),
    Implication(
        Test("scenario", "is", "repetitive"),
        "repetitive",
        True,
        Text("the task repeats the same kind of text", "任务就是反复生成同类文本"),
    ),
    Implication(
        Test("scenario", "is", "knowledge_qa"),
        "needs_documents",
        True,
        Text("the questions are about one's own documents", "问题针对自有文档"),
    ),
    Implication(
        any_of(
            Test("scenario", "in", ("structured_output", "classification")),
            Test("output_kind", "in", ("label", "choice", "json")),
        ),
        "clear_structure",
        True,
        Text("answers are of a fixed form", "输出形式固定"),
    ),
    Implication(
        Test("private", "is", True),
        "local_deployment",
        True,
        Text("rows that must not leave can only be answered on own machines", "数据不出门，模型只能部署在自己的环境里"),
    ),
    Implication(
        Test("local_deployment", "is", False),
        "private",
        False,
        Text("what may run elsewhere may be seen elsewhere", "允许部署在别处，数据就允许外传"),
    ),
    Implication(
        Test("total_rows", "is", 0),
        "quality_rows",
        0,
        Text("there are no rows at all", "一条数据也没有"),
    ),
)


def implied(values: Mapping[str, Any]) -> dict[str, Implication]:
    """Facts that follow from ``values`` and are not among them."""
    found: dict[str, Implication] = {}
    for implication in IMPLICATIONS:
        if values.get(implication.fact) is None and implication.when.holds(values):
            found.setdefault(implication.fact, implication)
    return found


def with_implied(values: Mapping[str, Any]) -> dict[str, Any]:
    """``values`` and what follows from them."""
    return {**values, **{name: implication.value for name, implication in implied(values).items()}}


def assume(situation: Situation) -> Situation:
    """``situation`` and what follows from it, marked ``assumed``."""
    found = implied(situation.facts.model_dump())
    return situation.with_facts(
        "assumed",
        {name: implication.value for name, implication in found.items()},
        {name: implication.why for name, implication in found.items()},
    )

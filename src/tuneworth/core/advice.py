"""What the advisor says about a situation, before and beside any measurement.

Part of ``result.json``; the advisor fills it, the report and the command line show it.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from tuneworth.core.record import Record
from tuneworth.core.text import Text

Approach = Literal[
    "prompt",
    "decision",
    "fewshot",
    "optimised_prompt",
    "rag",
    "tools",
    "head",
    "lora",
    "lora_rag",
    "distill",
    "provider_ft",
]
"""Ways of adapting a model, from the simplest to the most complex."""
Stance = Literal["for", "against", "neutral"]
"""Towards fine-tuning a language model."""
Origin = Literal["answered", "data", "measured", "assumed"]
Choice = Literal["prompt", "small_model", "provider"]
"""Columns of the cost table: prompt tuning, fine-tuning a small model, a provider's fine-tuning."""


class KnownFact(Record):
    """A fact about the situation and where it came from."""

    name: str
    value: Any
    origin: Origin
    title: Text
    shown: Text
    why: Text | None = None


class FiredRule(Record):
    """A rule whose condition holds.

    Attributes:
        seed_rows: rows of the seed article it comes from.
        weight: how much it counts, 1 (a hint) to 3 (close to a must); 20 for a precondition that fails, 100 for a
            measured gain.
        recommends: approaches it speaks for, best first; each further place counts a quarter of the weight less.
        discourages: approaches it speaks against.
        facts: names of the facts its condition looked at.
    """

    id: str
    seed_rows: list[str]
    stance: Stance
    weight: float
    recommends: list[Approach]
    discourages: list[Approach] = Field(default_factory=list[Approach])
    reason: Text
    facts: list[str]


class SelfTestAnswer(Record):
    row: str
    question: Text
    answer: Literal["yes", "no", "unknown"]
    why: Text


class SelfTest(Record):
    """Q1 … Q5. ``yes`` of five against the article's ``threshold``; unknown answers are not "no"."""

    answers: list[SelfTestAnswer]
    yes: int
    unknown: int
    threshold: int


class Contradiction(Record):
    """A clash between rows of the article (X1 … X6) that this situation touches.

    Attributes:
        pulls_for, pulls_against: the clashing rows, by what they say about fine-tuning.
        settled_by: the measurement that settles it.
        commands: what to run to make that measurement, when tuneworth can.
    """

    row: str
    title: Text
    clash: Text
    pulls_for: list[str]
    pulls_against: list[str]
    settled_by: Text
    commands: list[str] = Field(default_factory=list[str])


class RankedApproach(Record):
    """An approach with its score: the weights of the rules for it minus those against."""

    approach: Approach
    title: Text
    score: float
    rules_for: list[str]
    rules_against: list[str]
    ruled_out: Text | None = None


class CostCell(Record):
    """A cell of the cost table for this situation; ``number`` is set where facts give one."""

    row: str
    choice: Choice
    text: Text
    number: float | None = None
    unit: Text | None = None


class ProCon(Record):
    row: str
    stance: Literal["for", "against"]
    text: Text


class MissingFact(Record):
    """A fact that is not known and could change the advice.

    Attributes:
        weight: share of tried values, over ways the other unknown facts may turn out, that changed the advice.
    """

    name: str
    question: Text
    why: Text
    weight: float = 0.0


class ChartStep(Record):
    """A node of the flow chart on the way of this situation, and the edge taken from it.

    Attributes:
        edge: ``yes``, ``no``, ``next`` (the only way on) or ``unknown``; empty at the end.
        ours: the edge is not in the article: tuneworth added it (X6).
    """

    node: str
    edge: str = ""
    ours: bool = False


class Advice(Record):
    """Advice on a situation; a prior, to be settled by measurement.

    Attributes:
        headline: the advice in a sentence.
        expected: the approach expected to win a measurement; ``None`` when nothing speaks for one.
        ranking: best first.
        path: the way through the flow chart.
        task_yaml: a task file that would measure it.
    """

    headline: Text
    expected: Approach | None
    facts: list[KnownFact]
    self_test: SelfTest
    rules: list[FiredRule]
    contradictions: list[Contradiction]
    ranking: list[RankedApproach]
    costs: list[CostCell]
    pros_cons: list[ProCon]
    missing: list[MissingFact]
    path: list[ChartStep]
    task_yaml: str

"""The rules of thumb, read from ``rules.yaml`` and checked as they are read."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator, model_validator

from tuneworth.advisor.article import Entry, fill, load_questions, packaged, read_entries
from tuneworth.advisor.conditions import Values, When, facts_of
from tuneworth.core.advice import Approach, FiredRule, Stance
from tuneworth.core.text import Text

MEASURED_WEIGHT = 100.0
"""Weight of a rule that a measured gain fires: more than all rules of thumb together can reach."""
PRECONDITION_WEIGHT = 20.0
"""Weight of a precondition that fails: more than all reasons together, less than a measurement."""
FALL_OFF = 0.25
"""What each further place in ``recommends`` costs: places count 1, 0.75, 0.5, 0.25 of the weight."""

_SEED_ROW = r"^(N[1-5]|Y[1-5]|Q[1-5]|A[1-6]|C[1-6]|T[1-5]|F|P[1-4]|K[1-4]|U[1-3]|X[1-6])$"


class Rule(Entry):
    """One rule of thumb.

    Attributes:
        seed_rows: rows of the seed article behind it; empty for a rule that is ours.
        when: the rule fires where this is true, and only there: unknown is not enough.
        weight: 1 (a hint) to 3 (close to a must), or one of the two weights above.
        recommends: approaches it speaks for, best first.
        discourages: approaches it speaks against.
    """

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    seed_rows: list[Annotated[str, Field(pattern=_SEED_ROW)]] = Field(default_factory=list[str])
    when: When
    stance: Stance
    weight: float
    recommends: list[Approach] = Field(default_factory=list[Approach], max_length=4)
    discourages: list[Approach] = Field(default_factory=list[Approach])
    reason: Text

    @field_validator("id")
    @classmethod
    def _stands_once(cls, rule_id: str, info: ValidationInfo) -> str:
        context: Any = info.context
        if rule_id in context["ids"]:
            raise ValueError(f"`{rule_id}` stands twice")
        context["ids"].add(rule_id)
        return rule_id

    @field_validator("weight")
    @classmethod
    def _in_scale(cls, weight: float) -> float:
        if not (1 <= weight <= 3 or weight in (PRECONDITION_WEIGHT, MEASURED_WEIGHT)):
            raise ValueError(
                f"must be from 1 to 3, or {PRECONDITION_WEIGHT:g} for a failed precondition, "
                f"or {MEASURED_WEIGHT:g} for a measured gain"
            )
        return weight

    @field_validator("reason")
    @classmethod
    def _says_why(cls, reason: Text) -> Text:
        for lang, said in reason.by_lang.items():
            if not said.strip():
                raise ValueError(f"{lang} is empty; say why")
        return reason

    @model_validator(mode="after")
    def _of_one_mind(self) -> Rule:
        if both := sorted(set(self.recommends) & set(self.discourages)):
            raise ValueError(f"recommends and discourages {', '.join(both)}")
        return self

    def votes(self) -> dict[Approach, float]:
        """What it adds to the score of each approach it names."""
        votes: dict[Approach, float] = dict.fromkeys(self.discourages, -self.weight)
        for place, approach in enumerate(self.recommends):
            votes[approach] = self.weight * (1 - FALL_OFF * place)
        return votes

    def fired(self, values: Values) -> FiredRule:
        """As an advice shows it."""
        return FiredRule(
            id=self.id,
            seed_rows=self.seed_rows,
            stance=self.stance,
            weight=self.weight,
            recommends=self.recommends,
            discourages=self.discourages,
            reason=fill(self.reason, values),
            facts=list(facts_of(self.when)),
        )


_RuleFile = Annotated[list[Rule], Field(min_length=1)]


@cache
def load_rules() -> tuple[Rule, ...]:
    """The rules that come with tuneworth, in the order of their file.

    Raises:
        InputError: the file is wrong, with every problem and its line.
    """
    return read_rules(packaged("rules.yaml"), "rules.yaml")


def read_rules(text: str, name: str) -> tuple[Rule, ...]:
    """The rules that ``text`` writes.

    Raises:
        InputError: with everything that is wrong, by line: unknown facts, values a fact cannot have, unknown
            approaches, missing reasons, ids that stand twice.
    """
    return tuple(read_entries(text, name, _RuleFile, tuple(question.when for question in load_questions()[1])))

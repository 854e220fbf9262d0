"""The rules of thumb, read from ``rules.yaml`` and checked as they are read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from tuneworth.advisor.conditionparse import parse_condition
from tuneworth.advisor.conditions import Condition, Values, facts_of
from tuneworth.advisor.selftest import load_questions
from tuneworth.advisor.words import fill
from tuneworth.advisor.yamldata import Location, Source, packaged, read_source
from tuneworth.core.advice import Approach, FiredRule, Stance
from tuneworth.core.text import Text

MEASURED_WEIGHT = 100.0
"""Weight of a rule that a measured gain fires: more than all rules of thumb together can reach."""
PRECONDITION_WEIGHT = 20.0
"""Weight of a precondition that fails: more than all reasons together, less than a measurement."""
FALL_OFF = 0.25
"""What each further place in ``recommends`` costs: places count 1, 0.75, 0.5, 0.25 of the weight."""

_SEED_ROW = r"^(N[1-5]|Y[1-5]|Q[1-5]|A[1-6]|C[1-6]|T[1-5]|F|P[1-4]|K[1-4]|U[1-3]|X[1-6])$"


class _Entry(BaseModel):
    """A rule as the file writes it, but for its condition."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    seed_rows: list[Annotated[str, Field(pattern=_SEED_ROW)]] = Field(default_factory=list[str])
    stance: Stance
    weight: float
    recommends: list[Approach] = Field(default_factory=list[Approach], max_length=4)
    discourages: list[Approach] = Field(default_factory=list[Approach])
    reason: Text

    @field_validator("weight")
    @classmethod
    def _in_scale(cls, weight: float) -> float:
        if not (1 <= weight <= 3 or weight in (PRECONDITION_WEIGHT, MEASURED_WEIGHT)):
            raise ValueError(
                f"must be from 1 to 3, or {PRECONDITION_WEIGHT:g} for a failed precondition, "
                f"or {MEASURED_WEIGHT:g} for a measured gain"
            )
        return weight


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of thumb.

    Attributes:
        seed_rows: rows of the seed article behind it; empty for a rule that is ours.
        when: the rule fires where this is true, and only there: unknown is not enough.
        weight: 1 (a hint) to 3 (close to a must), or one of the two weights above.
        recommends: approaches it speaks for, best first.
        discourages: approaches it speaks against.
        line: where it stands in its file.
    """

    id: str
    seed_rows: tuple[str, ...]
    when: Condition
    stance: Stance
    weight: float
    recommends: tuple[Approach, ...]
    discourages: tuple[Approach, ...]
    reason: Text
    line: int

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
            seed_rows=list(self.seed_rows),
            stance=self.stance,
            weight=self.weight,
            recommends=list(self.recommends),
            discourages=list(self.discourages),
            reason=fill(self.reason, values),
            facts=list(facts_of(self.when)),
        )


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
    source = read_source(text, name)
    items = source.data if isinstance(source.data, list) else None
    if not items:
        source.wrong((), "must be a list of rules", "应为规则的列表")
    rules = [_rule(item, (number,), source) for number, item in enumerate(cast("list[Any]", items or []))]
    _check_unique(rules, source)
    source.finish()
    return tuple(rule for rule in rules if rule is not None)


def fired_by(values: Values, rules: tuple[Rule, ...]) -> list[Rule]:
    """Rules whose condition is true of ``values``."""
    return [rule for rule in rules if rule.when.holds(values) is True]


def _rule(item: Any, at: Location, source: Source) -> Rule | None:
    if not isinstance(item, dict) or "when" not in item:
        source.wrong(at, "must be a mapping with `id`, `when`, `reason` …", "应为含 `id`、`when`、`reason` 等键的映射")
        return None
    data = cast("dict[str, Any]", item)
    questions = tuple(question.when for question in load_questions()[1])
    when = parse_condition(data["when"], (*at, "when"), source, questions)
    try:
        entry = _Entry.model_validate({key: value for key, value in data.items() if key != "when"})
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            rule = f"is {detail['input']!r}: {detail['msg']}"
            source.wrong((*at, *detail["loc"]), rule, rule)
        return None
    _check_entry(entry, at, source)
    if when is None:
        return None
    return Rule(
        id=entry.id,
        seed_rows=tuple(entry.seed_rows),
        when=when,
        stance=entry.stance,
        weight=entry.weight,
        recommends=tuple(entry.recommends),
        discourages=tuple(entry.discourages),
        reason=entry.reason,
        line=source.lines[at],
    )


def _check_entry(entry: _Entry, at: Location, source: Source) -> None:
    """What goes beyond one key."""
    both = sorted(set(entry.recommends) & set(entry.discourages))
    if both:
        names = ", ".join(both)
        source.wrong(at, f"recommends and discourages {names}", f"既推荐又反对 {names}")
    for lang, text in (("en", entry.reason.en), ("zh", entry.reason.zh)):
        if not text.strip():
            source.wrong((*at, "reason", lang), "is empty; say why", "为空；请写明理由")


def _check_unique(rules: list[Rule | None], source: Source) -> None:
    seen: set[str] = set()
    for number, rule in enumerate(rules):
        if rule is not None and rule.id in seen:
            source.wrong((number, "id"), f"`{rule.id}` stands twice", f"`{rule.id}` 重复")
        elif rule is not None:
            seen.add(rule.id)

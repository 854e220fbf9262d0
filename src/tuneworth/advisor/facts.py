"""Facts about a situation, typed, each with where it came from.

A fact that is ``None`` is not known; nothing is assumed silently. The name and the language of a task are
no facts: they must never change the advice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tuneworth.core.advice import Origin
from tuneworth.core.audit import AuditFact
from tuneworth.core.task import OutputKind, Task
from tuneworth.core.text import Text
from tuneworth.words.say import say

Scenario = Literal[
    "general_chat",
    "knowledge_qa",
    "structured_output",
    "classification",
    "style",
    "specialised",
    "repetitive",
    "other",
]
Pace = Literal["never", "yearly", "monthly", "weekly", "daily"]
Skills = Literal["none", "some", "team"]
Hardware = Literal["none", "cpu", "gpu", "cluster"]
_SCENARIO_OF: dict[OutputKind, Scenario] = {
    "label": "classification",
    "multilabel": "classification",
    "json": "structured_output",
}


class Facts(BaseModel):
    """A situation. Counts are rows, money is US dollars, shares are in [0, 1], times say their unit."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    scenario: Scenario | None = Field(default=None, description="what the task mostly is")
    output_kind: OutputKind | None = Field(default=None, description="label, choice, multilabel, number, json or text")
    clear_structure: bool | None = Field(default=None, description="inputs and outputs have a clear structure")
    distinct_style: bool | None = Field(default=None, description="answers must sound like one particular voice")
    specialised_domain: bool | None = Field(default=None, description="medical, legal, … knowledge or language")
    repetitive: bool | None = Field(default=None, description="the same structure over and over")
    prompt_suffices: bool | None = Field(
        default=None, description="a prompt reliably gives the needed format and tone; unknown when not tried"
    )

    total_rows: int | None = Field(default=None, ge=0, description="labelled rows at hand")
    quality_rows: int | None = Field(
        default=None, ge=0, description="labelled rows without duplicates, conflicts and wrong labels"
    )
    label_price_usd: float | None = Field(default=None, ge=0, description="price of one more labelled row")

    needs_documents: bool | None = Field(default=None, description="answers depend on documents of one's own")
    knowledge_changes: Pace | None = Field(default=None, description="how often the facts behind answers change")
    behaviour_changes: Pace | None = Field(
        default=None, description="how often the wanted behaviour (format, tone, labels) changes"
    )

    calls_per_day: float | None = Field(default=None, ge=0, description="requests on a usual day")
    p95_target_ms: float | None = Field(default=None, gt=0, description="95 % of answers must be there by then")
    concurrency: int | None = Field(default=None, ge=1, description="requests at the same time")
    cost_sensitive: bool | None = Field(default=None, description="the price of a call decides whether it is done")
    private: bool | None = Field(default=None, description="rows must not leave one's own machines")
    local_deployment: bool | None = Field(default=None, description="must run on premises or in a private cloud")

    skills: Skills | None = Field(default=None, description="experience with training models")
    hardware: Hardware | None = Field(default=None, description="what there is to train and serve on")
    api_usd_per_1k_calls: float | None = Field(default=None, ge=0, description="what 1,000 calls of an API cost")
    machine_usd_per_hour: float | None = Field(default=None, ge=0, description="price of one's own machine")

    noise_rate: float | None = Field(default=None, ge=0, le=1, description="share of wrong labels")
    duplicate_share: float | None = Field(default=None, ge=0, le=1, description="share of repeated rows")
    format_regularity: float | None = Field(
        default=None, ge=0, le=1, description="share of outputs that keep the usual format"
    )
    style_consistency: float | None = Field(
        default=None, ge=0, le=1, description="how much the outputs sound like one voice"
    )
    answer_novelty: float | None = Field(
        default=None, ge=0, le=1, description="share of names and numbers in answers that the input does not have"
    )
    documents_cover: float | None = Field(
        default=None, ge=0, le=1, description="share of those that the documents have"
    )

    measured_gain: float | None = Field(
        default=None, ge=-1, le=1, description="best tuned arm minus best untuned one, in the metric"
    )
    measured_gain_low: float | None = Field(default=None, ge=-1, le=1, description="lower end of its interval")
    measured_gain_high: float | None = Field(default=None, ge=-1, le=1, description="upper end of its interval")
    retrieval_recall: float | None = Field(
        default=None, ge=0, le=1, description="share of questions whose passage retrieval finds"
    )


@dataclass(frozen=True)
class Situation:
    """Facts with their origins.

    Attributes:
        origins: fact name → where it came from; every fact that is known has one.
        whys: fact name → how it was read or why it was assumed, where there is more to say.
    """

    facts: Facts = Facts()
    origins: Mapping[str, Origin] = field(default_factory=dict[str, Origin])
    whys: Mapping[str, Text] = field(default_factory=dict[str, Text])

    def given(self, name: str) -> Any:
        """The value of fact ``name``, ``None`` when it is not known."""
        return getattr(self.facts, name)

    def with_facts(
        self, origin: Origin, values: Mapping[str, Any], whys: Mapping[str, Text] | None = None
    ) -> Situation:
        """These facts too. A later fact replaces an earlier one; a value of ``None`` takes a fact back.

        Raises:
            pydantic.ValidationError: a name is unknown or a value out of its range.
        """
        facts = Facts.model_validate({**self.facts.model_dump(), **values})
        known = facts.model_dump(exclude_none=True)
        origins: dict[str, Origin] = {**self.origins, **dict.fromkeys(values, origin)}
        reasons = {name: why for name, why in self.whys.items() if name not in values} | dict(whys or {})
        return Situation(
            facts,
            {name: origin for name, origin in origins.items() if name in known},
            {name: why for name, why in reasons.items() if name in known},
        )


def situation_of(task: Task, *, facts: list[AuditFact], answered: Facts | None = None) -> Situation:
    """What is known about ``task``: what its owner says, its limits, and what its rows show.

    Where the owner and the rows speak of the same fact, the rows are believed.

    Args:
        facts: those of an audit of the rows; names that are no facts of the advisor are left out.
        answered: what the task's owner says about the situation.
    """
    said = {} if answered is None else answered.model_dump(exclude_none=True)
    situation, scenario = Situation(), _SCENARIO_OF.get(task.kind)
    if scenario is not None and "scenario" not in said:
        why = say("advisor.implied.kind", kind=task.kind)
        situation = situation.with_facts("assumed", {"scenario": scenario}, {"scenario": why})
    # A limit that is set was said; one that is not set says nothing.
    limits = {"private": task.limits.private or None, "p95_target_ms": task.limits.p95_ms}
    set_limits = {name: value for name, value in limits.items() if value is not None}
    situation = situation.with_facts("answered", {**set_limits, **said})
    known = {fact.name: fact for fact in facts if fact.name in Facts.model_fields}
    values = {"output_kind": task.kind, **{name: fact.value for name, fact in known.items()}}
    return situation.with_facts("data", values, {name: fact.why for name, fact in known.items()})
